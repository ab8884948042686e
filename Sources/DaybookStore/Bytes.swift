import DaybookCore
import LMDB

/// Appends fields to keys and rows: integers big-endian, so that the order of bytes is theirs.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int = 64) {
        bytes.reserveCapacity(capacity)
    }

    /// Runs `body` with a writer that appends to these bytes.
    static func append(to bytes: inout [UInt8], _ body: (inout ByteWriter) -> Void) {
        var writer = ByteWriter(capacity: 0)
        swap(&writer.bytes, &bytes)
        body(&writer)
        swap(&writer.bytes, &bytes)
    }

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func uint16(_ value: Int) {
        bytes.append(bigEndian: UInt16(truncatingIfNeeded: value))
    }

    mutating func uint32(_ value: UInt32) {
        bytes.append(bigEndian: value)
    }

    mutating func int(_ value: Int) { uint32(UInt32(value)) }

    mutating func uint64(_ value: UInt64) {
        bytes.append(bigEndian: value)
    }

    mutating func instant(_ value: Instant) {
        uint64(UInt64(bitPattern: value.microseconds) ^ 1 << 63)
    }

    mutating func id<Kind>(_ value: Identifier<Kind>) {
        uint64(value.high)
        uint32(value.low)
    }

    mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

    mutating func counted(_ value: [UInt8]) {
        int(value.count)
        raw(value)
    }

    mutating func text(_ value: String) {
        int(value.utf8.count)
        raw(value.utf8)
    }

    mutating func bool(_ value: Bool) { byte(value ? 1 : 0) }

    mutating func optional<Value>(
        _ value: Value?, _ write: (inout ByteWriter, Value) -> Void
    ) {
        bool(value != nil)
        if let value { write(&self, value) }
    }

    mutating func queue(_ queue: Queue) {
        switch queue {
        case .echo: byte(0)
        case .http: byte(1)
        case .worker(let name):
            byte(2)
            raw(name.utf8)
            // Names hold no zero byte, so a name that begins another sorts before it.
            byte(0)
        }
    }
}

extension RowEdits {
    /// Puts a row under its team and id, written where it stays.
    mutating func put<Kind>(_ row: some Row, under team: TeamID, _ id: Identifier<Kind>) {
        add { bytes in
            ByteWriter.append(to: &bytes) { writer in
                writer.id(team)
                writer.id(id)
                row.write(to: &writer)
            }
            return (2 * TeamID.byteCount, isThere: true)
        }
    }

    /// Puts an entry of an index, or deletes it.
    mutating func change(_ entry: IndexEntry, isThere: Bool) {
        add { bytes in
            let start = bytes.count
            ByteWriter.append(to: &bytes) { Keys.write(entry, to: &$0) }
            return (bytes.count - start, isThere)
        }
    }
}

/// A row or key that does not read as what it should be.
struct MalformedRow: Error {}

/// Reads what `ByteWriter` wrote, in the same order.
struct ByteReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func byte() throws(MalformedRow) -> UInt8 {
        guard offset < bytes.count else { throw MalformedRow() }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func uint16() throws(MalformedRow) -> Int {
        Int(try byte()) << 8 | Int(try byte())
    }

    mutating func uint32() throws(MalformedRow) -> UInt32 {
        guard offset + 4 <= bytes.count else { throw MalformedRow() }
        var value: UInt32 = 0
        for index in offset..<offset + 4 { value = value << 8 | UInt32(bytes[index]) }
        offset += 4
        return value
    }

    mutating func int() throws(MalformedRow) -> Int { Int(try uint32()) }

    mutating func uint64() throws(MalformedRow) -> UInt64 {
        guard offset + 8 <= bytes.count else { throw MalformedRow() }
        var value: UInt64 = 0
        for index in offset..<offset + 8 { value = value << 8 | UInt64(bytes[index]) }
        offset += 8
        return value
    }

    mutating func instant() throws(MalformedRow) -> Instant {
        Instant(microseconds: Int64(bitPattern: try uint64() ^ 1 << 63))
    }

    mutating func id<Kind>() throws(MalformedRow) -> Identifier<Kind> {
        Identifier(high: try uint64(), low: try uint32())
    }

    mutating func raw(_ count: Int) throws(MalformedRow) -> [UInt8] {
        guard count >= 0, offset + count <= bytes.count else { throw MalformedRow() }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    mutating func rest() -> [UInt8] {
        defer { offset = bytes.count }
        return Array(bytes[offset...])
    }

    mutating func counted() throws(MalformedRow) -> [UInt8] { try raw(try int()) }

    mutating func text() throws(MalformedRow) -> String {
        String(decoding: try counted(), as: UTF8.self)
    }

    mutating func digest() throws(MalformedRow) -> Digest256 {
        guard let digest = Digest256(bytes: try raw(32)) else { throw MalformedRow() }
        return digest
    }

    mutating func bool() throws(MalformedRow) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        default: throw MalformedRow()
        }
    }

    mutating func optional<Value>(
        _ read: (inout ByteReader) throws(MalformedRow) -> Value
    ) throws(MalformedRow) -> Value? {
        try bool() ? try read(&self) : nil
    }

    mutating func queue() throws(MalformedRow) -> Queue {
        switch try byte() {
        case 0: return .echo
        case 1: return .http
        case 2:
            var name: [UInt8] = []
            while true {
                let next = try byte()
                if next == 0 { break }
                name.append(next)
            }
            return .worker(String(decoding: name, as: UTF8.self))
        default: throw MalformedRow()
        }
    }

    mutating func end() throws(MalformedRow) {
        guard isAtEnd else { throw MalformedRow() }
    }
}
