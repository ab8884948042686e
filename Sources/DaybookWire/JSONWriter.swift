import DaybookCore

/// Writes JSON straight into a buffer, commas included.
///
///     var writer = JSONWriter()
///     writer.object { writer in
///         writer.field("id", run.id)
///         writer.field("output", raw: payload)
///     }
///
/// What is written is exactly what was asked for: the writer does not look for names that come
/// twice, nor whether the bytes of ``raw(_:)`` are JSON. It traps where an object or array is not
/// closed, is closed once too often, or ends with a name that has no value.
package struct JSONWriter {
    /// What was written so far.
    package private(set) var bytes: [UInt8] = []
    /// Whether a value stands before the next one in the same object or array.
    private var needsComma = false
    private var depth = 0

    package init(reservingBytes capacity: Int = 512) {
        bytes.reserveCapacity(capacity)
    }

    /// The finished text. Traps where something is still open.
    package consuming func finish() -> [UInt8] {
        precondition(depth == 0, "an object or array was not closed")
        return bytes
    }

    /// The finished text as one line: line ends, which what was written raw may have between its tokens, are
    /// spaces.
    package consuming func finishLine() -> [UInt8] {
        finish().map { byte in
            byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") ? UInt8(ascii: " ") : byte
        }
    }

    // MARK: Structure

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// An object, whose members the closure writes.
    package mutating func object<Thrown>(
        _ members: (inout JSONWriter) throws(Thrown) -> Void
    ) throws(Thrown) {
        beginObject()
        try members(&self)
        endObject()
    }

    /// An array, whose elements the closure writes.
    package mutating func array<Thrown>(
        _ elements: (inout JSONWriter) throws(Thrown) -> Void
    ) throws(Thrown) {
        beginArray()
        try elements(&self)
        endArray()
    }

    /// The name of a member; its value must follow.
    package mutating func name(_ name: String) {
        separate()
        appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: Values

    package mutating func string(_ text: String) {
        separate()
        appendQuoted(text)
    }

    package mutating func integer(_ value: some BinaryInteger) {
        separate()
        appendDecimal(value)
    }

    package mutating func bool(_ value: Bool) { raw(value ? "true".utf8 : "false".utf8) }

    package mutating func null() { raw("null".utf8) }

    /// RFC 3339 in UTC.
    package mutating func instant(_ value: Instant) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        RFC3339.append(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// One JSON value that exists as bytes: a payload as it was sent.
    package mutating func raw(_ value: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: value)
    }

    // MARK: Members: a value that is `nil` is written as `null`

    package mutating func field(_ name: String, _ value: String?) {
        self.name(name)
        if let value { string(value) } else { null() }
    }

    package mutating func field<Number: BinaryInteger>(_ name: String, _ value: Number?) {
        self.name(name)
        if let value { integer(value) } else { null() }
    }

    package mutating func field(_ name: String, _ value: Bool?) {
        self.name(name)
        if let value { bool(value) } else { null() }
    }

    package mutating func field(_ name: String, _ value: Instant?) {
        self.name(name)
        if let value { instant(value) } else { null() }
    }

    package mutating func field<Kind>(_ name: String, _ value: Identifier<Kind>?) {
        self.name(name)
        if let value { string(value.description) } else { null() }
    }

    /// A payload as it was sent; `nil` is written as `null`.
    package mutating func field(_ name: String, raw value: [UInt8]?) {
        self.name(name)
        if let value { raw(value) } else { null() }
    }

    package mutating func object<Thrown>(
        _ name: String, _ members: (inout JSONWriter) throws(Thrown) -> Void
    ) throws(Thrown) {
        self.name(name)
        try object(members)
    }

    package mutating func array<Thrown>(
        _ name: String, _ elements: (inout JSONWriter) throws(Thrown) -> Void
    ) throws(Thrown) {
        self.name(name)
        try array(elements)
    }

    // MARK: Bytes

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
        depth += 1
    }

    private mutating func end(_ bracket: UInt8) {
        precondition(depth > 0, "nothing is open")
        precondition(bytes.last != UInt8(ascii: ":"), "a name without a value")
        bytes.append(bracket)
        needsComma = true
        depth -= 1
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func appendQuoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.contains(where: Self.mustEscape) {
            for byte in text.utf8 { appendEscaped(byte) }
        } else {
            bytes.append(contentsOf: text.utf8)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// RFC 8259, section 7.
    private static func mustEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        guard Self.mustEscape(byte) else {
            bytes.append(byte)
            return
        }
        switch byte {
        case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
        case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
        case 0x08: bytes.append(contentsOf: "\\b".utf8)
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        case 0x0A: bytes.append(contentsOf: "\\n".utf8)
        case 0x0C: bytes.append(contentsOf: "\\f".utf8)
        case 0x0D: bytes.append(contentsOf: "\\r".utf8)
        default:
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(contentsOf: lowercaseHex([byte]).utf8)
        }
    }

    private mutating func appendDecimal(_ value: some BinaryInteger) {
        bytes.append(contentsOf: String(value).utf8)
    }
}
