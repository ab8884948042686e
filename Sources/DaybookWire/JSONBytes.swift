/// The names of the objects that are open, so that one that comes twice is found.
///
/// All open objects share one stack; a small object costs comparisons only. From
/// ``manyNames`` on, an object keeps the hashes of its names, so that a body of a hundred
/// thousand names stays linear. The hashes are seeded per process: nobody can choose names that
/// collide.
struct JSONNames {
    private static let manyNames = 16

    private struct Name {
        let range: Range<Int>
        let isUnescaped: Bool
    }

    /// One object whose end has not been read.
    struct OpenObject {
        fileprivate let firstName: Int
        fileprivate let firstByte: Int
        fileprivate var hashes: Set<Int> = []
    }

    private var names: [Name] = []
    /// The bytes of names that were sent with escapes; all others stand in the body.
    private var unescaped: [UInt8] = []

    func open() -> OpenObject {
        OpenObject(firstName: names.count, firstByte: unescaped.count)
    }

    mutating func close(_ object: OpenObject) {
        names.removeSubrange(object.firstName...)
        unescaped.removeSubrange(object.firstByte...)
    }

    /// Adds a name as it stands in the body; `false` where the object has it already.
    mutating func add(_ range: Range<Int>, to object: inout OpenObject, in body: [UInt8]) -> Bool {
        add(Name(range: range, isUnescaped: false), to: &object, in: body)
    }

    /// Adds a name that had escapes; `false` where the object has it already.
    mutating func add(_ bytes: [UInt8], to object: inout OpenObject, in body: [UInt8]) -> Bool {
        let start = unescaped.count
        unescaped.append(contentsOf: bytes)
        return add(
            Name(range: start..<unescaped.count, isUnescaped: true), to: &object, in: body)
    }

    private mutating func add(
        _ name: Name, to object: inout OpenObject, in body: [UInt8]
    ) -> Bool {
        var mayBeKnown = true
        let count = names.count - object.firstName
        if count >= Self.manyNames {
            if count == Self.manyNames {
                for known in names[object.firstName...] {
                    object.hashes.insert(hash(of: known, in: body))
                }
            }
            mayBeKnown = !object.hashes.insert(hash(of: name, in: body)).inserted
        }
        if mayBeKnown {
            for place in object.firstName..<names.count
            where isSame(names[place], name, in: body) {
                return false
            }
        }
        names.append(name)
        return true
    }

    private func isSame(_ left: Name, _ right: Name, in body: [UInt8]) -> Bool {
        guard left.range.count == right.range.count else { return false }
        for offset in 0..<left.range.count
        where byte(offset, of: left, in: body) != byte(offset, of: right, in: body) {
            return false
        }
        return true
    }

    private func hash(of name: Name, in body: [UInt8]) -> Int {
        var hasher = Hasher()
        for offset in 0..<name.range.count { hasher.combine(byte(offset, of: name, in: body)) }
        return hasher.finalize()
    }

    private func byte(_ offset: Int, of name: Name, in body: [UInt8]) -> UInt8 {
        let place = name.range.lowerBound + offset
        return name.isUnescaped ? unescaped[place] : body[place]
    }
}

/// Whether a byte is an ASCII digit.
func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

/// The value of a hexadecimal digit of either case.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// Four hexadecimal digits from `start` on, which must stand inside `body`.
func hexUnit(in body: [UInt8], at start: Int) -> UInt16? {
    var unit: UInt16 = 0
    for place in start..<start + 4 {
        guard let digit = hexDigit(body[place]) else { return nil }
        unit = unit << 4 | UInt16(digit)
    }
    return unit
}

/// The length of the well-formed UTF-8 sequence of two to four bytes at `start`, or 0 where there
/// is none (Unicode, table 3-7).
func lengthOfUTF8Sequence(in body: [UInt8], at start: Int) -> Int {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch body[start] {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return 0
    }
    guard start + length <= body.count, second.contains(body[start + 1]) else { return 0 }
    for place in start + 2..<start + length where body[place] & 0xC0 != 0x80 { return 0 }
    return length
}
