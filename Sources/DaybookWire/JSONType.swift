import DaybookCore

/// How a JSON value is read as a Swift value, and what is said where it cannot be.
package struct JSONType<Value> {
    /// Whether `null` is a value of this type, as it is of a payload.
    package let takesNull: Bool
    /// Reads a value; notes the mistake at the place and returns `nil` where it does not fit.
    package let read: (JSONNode, JSONPlace) -> Value?

    package init(takesNull: Bool = false, read: @escaping (JSONNode, JSONPlace) -> Value?) {
        self.takesNull = takesNull
        self.read = read
    }

    /// This type with a further step that may refuse the value with a message such as
    /// `must be in the future`.
    package func checked<New>(
        _ convert: @escaping (Value) throws(JSONMismatch) -> New
    ) -> JSONType<New> {
        JSONType<New>(takesNull: takesNull) { node, place in
            guard let value = read(node, place) else { return nil }
            do throws(JSONMismatch) {
                return try convert(value)
            } catch {
                place.report(error.message)
                return nil
            }
        }
    }
}

/// Why a value does not fit, as the end of a sentence about its field.
package struct JSONMismatch: Error, Equatable, Sendable {
    package let message: String

    package init(_ message: String) { self.message = message }
}

extension JSONType where Value == JSONNode {
    /// Any value but `null`, as the scanner left it.
    package static var node: Self { Self { node, _ in node } }
}

extension JSONType where Value == [UInt8] {
    /// Any value, `null` included: the bytes as they were sent.
    package static var raw: Self {
        Self(takesNull: true) { node, place in Array(node.bytes(in: place.body)) }
    }
}

extension JSONType where Value == Bool {
    package static var bool: Self {
        Self { node, place in
            if case .bool(let value) = node.kind { return value }
            place.report("must be true or false")
            return nil
        }
    }
}

extension JSONType where Value == String {
    /// A text of so many bytes of UTF-8. U+0000 is refused unless `allowsNUL`.
    package static func string(
        bytes: ClosedRange<Int> = 0...Int.max, allowsNUL: Bool = false
    ) -> Self {
        Self { node, place in
            guard case .string(let text) = node.kind else {
                place.report("must be a string")
                return nil
            }
            let count = text.utf8.count
            if count == 0 && bytes.lowerBound > 0 {
                place.report("must not be empty")
            } else if count < bytes.lowerBound {
                place.report("must have at least \(bytes.lowerBound) bytes of UTF-8, not \(count)")
            } else if count > bytes.upperBound {
                place.report("must have at most \(bytes.upperBound) bytes of UTF-8, not \(count)")
            } else if !allowsNUL && text.utf8.contains(0) {
                place.report("must not contain U+0000")
            } else {
                return text
            }
            return nil
        }
    }
}

extension JSONType where Value == Int {
    /// A number without a fractional part, as JSON Schema has it: `1.0` and `1e2` are integers,
    /// `1.5` is not. Nothing is rounded, and no size of number traps.
    package static func integer(_ range: ClosedRange<Int>) -> Self {
        Self { node, place in
            guard case .number = node.kind else {
                place.report("must be an integer")
                return nil
            }
            switch JSONInteger(node.bytes(in: place.body)) {
            case .exact(let value) where range.contains(value): return value
            case .exact, .beyondRange:
                place.report(
                    range.upperBound == .max
                        ? "must be at least \(range.lowerBound) and fit in 64 bits"
                        : "must be between \(range.lowerBound) and \(range.upperBound)")
            case .fractional: place.report("must be an integer")
            }
            return nil
        }
    }
}

extension JSONType where Value == Instant {
    /// A text in RFC 3339, with a zone.
    package static var instant: Self {
        JSONType<String>.string().checked { text throws(JSONMismatch) in
            do throws(TimeSyntaxError) {
                return try RFC3339.parse(text)
            } catch {
                throw JSONMismatch(error.message)
            }
        }
    }
}

extension JSONType {
    /// An id: 24 lowercase hexadecimal digits.
    package static func identifier<Kind>() -> Self where Value == Identifier<Kind> {
        JSONType<String>.string().checked { text throws(JSONMismatch) in
            guard let id = Value(hex: text) else {
                throw JSONMismatch("must be an id of 24 lowercase hexadecimal digits")
            }
            return id
        }
    }

    /// One of the raw values of an enumeration, compared by bytes.
    package static func choice(
        _ type: Value.Type = Value.self
    ) -> Self where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
        JSONType<String>.string().checked { text throws(JSONMismatch) in
            for choice in Value.allCases where haveSameBytes(choice.rawValue, text) {
                return choice
            }
            let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw JSONMismatch("must be one of \(names)")
        }
    }

    /// An array of so many elements, each of them of one type. Every wrong element is noted at its
    /// own pointer; one is enough for there to be no value.
    package static func array<Element>(
        of type: JSONType<Element>, count: ClosedRange<Int> = 0...Int.max
    ) -> Self where Value == [Element] {
        Self { node, place in
            guard case .array(let nodes) = node.kind else {
                place.report("must be an array")
                return nil
            }
            guard count.contains(nodes.count) else {
                place.report(
                    nodes.count < count.lowerBound
                        ? "must have at least \(count.lowerBound) elements, not \(nodes.count)"
                        : "must have at most \(count.upperBound) elements, not \(nodes.count)")
                return nil
            }
            var values: [Element] = []
            values.reserveCapacity(nodes.count)
            for (index, node) in nodes.enumerated() {
                let element = place.member(String(index))
                if node.isNull && !type.takesNull {
                    element.report("must not be null")
                } else if let value = type.read(node, element) {
                    values.append(value)
                }
            }
            return values.count == nodes.count ? values : nil
        }
    }
}

extension JSONType where Value == JSONFields {
    /// An object, read through fields of its own; its mistakes join those of the outer one, which
    /// also finishes it.
    package static var object: Self {
        Self { node, place in place.fields(node) }
    }
}

/// The value of a JSON number as an integer, computed from its digits.
enum JSONInteger: Equatable {
    case exact(Int)
    case fractional
    case beyondRange

    /// `number` follows the grammar of RFC 8259, section 6.
    init(_ number: ArraySlice<UInt8>) {
        var digits: [UInt8] = []
        var exponent = 0
        var isNegative = false
        var isFraction = false
        var place = number.startIndex
        while place < number.endIndex {
            let byte = number[place]
            place += 1
            switch byte {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                exponent += Self.exponent(number[place...])
                place = number.endIndex
            default:
                digits.append(byte - UInt8(ascii: "0"))
                if isFraction { exponent -= 1 }
            }
        }
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        let significant = digits.drop { $0 == 0 }
        if significant.isEmpty {
            self = .exact(0)
        } else if exponent < 0 {
            self = .fractional
        } else if significant.count + exponent > 19 {
            self = .beyondRange
        } else {
            // Summed up below zero, where `Int` reaches one further.
            var value = 0
            var overflow = false
            for digit in significant + Array(repeating: 0, count: exponent)[...] {
                let (shifted, first) = value.multipliedReportingOverflow(by: 10)
                let (sum, second) = shifted.subtractingReportingOverflow(Int(digit))
                value = sum
                overflow = overflow || first || second
            }
            if overflow || (!isNegative && value == .min) {
                self = .beyondRange
            } else {
                self = .exact(isNegative ? value : -value)
            }
        }
    }

    /// The exponent after the `e`, held within a million million, which no body is long enough for.
    private static func exponent(_ text: ArraySlice<UInt8>) -> Int {
        var magnitude = 0
        for byte in text where isDigit(byte) {
            magnitude = min(magnitude * 10 + Int(byte - UInt8(ascii: "0")), 1_000_000_000_000)
        }
        return text.first == UInt8(ascii: "-") ? -magnitude : magnitude
    }
}
