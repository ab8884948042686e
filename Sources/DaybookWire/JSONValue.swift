/// What stands at one place of a JSON text, after escapes are resolved.
///
/// Numbers carry no value: they are checked by grammar only and stay as they were sent. Use the
/// node's range, or ``JSONType/integer(_:)``.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number
    case string(String)
    case array([JSONNode])
    /// The members in the order they were sent. No name comes twice.
    case object([JSONMember])
    /// A value that was validated and not looked at further.
    case opaque
}

/// A JSON value and the bytes it stands in.
package struct JSONNode: Sendable {
    package let kind: JSONValue
    /// The bytes of the value in the scanned body, without white space around it.
    package let range: Range<Int>

    package init(kind: JSONValue, range: Range<Int>) {
        self.kind = kind
        self.range = range
    }

    /// The value as it was sent. `body` is the body that was scanned.
    package func bytes(in body: [UInt8]) -> ArraySlice<UInt8> { body[range] }

    /// Whether this is a `null`; of an opaque value that is not known, and `false`.
    package var isNull: Bool {
        if case .null = kind { true } else { false }
    }
}

/// One member of an object.
package struct JSONMember: Sendable {
    /// The name after escapes are resolved. Compare it by its UTF-8 bytes: `==` of `String` takes
    /// composed and decomposed letters, and K and the Kelvin sign, for the same.
    package let name: String
    package let value: JSONNode

    package init(name: String, value: JSONNode) {
        self.name = name
        self.value = value
    }
}

/// A body that is not JSON as RFC 8259 and the rules of ``JSONScanner`` have it.
package struct JSONSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Bytes before the place of the mistake.
    package let offset: Int
    /// Lines end with a line feed; the first is 1.
    package let line: Int
    /// Place in the line in bytes; the first is 1.
    package let column: Int
    /// What is wrong there, such as `duplicate name "a"`.
    package let message: String

    package init(offset: Int, line: Int, column: Int, message: String) {
        self.offset = offset
        self.line = line
        self.column = column
        self.message = message
    }

    /// The mistake at `offset` of `body`, with line and column counted.
    init(_ message: String, at offset: Int, in body: [UInt8]) {
        var line = 1
        var lineStart = 0
        for index in 0..<min(offset, body.count) where body[index] == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        self.init(offset: offset, line: line, column: offset - lineStart + 1, message: message)
    }

    package var description: String { "line \(line), column \(column): \(message)" }
}

/// Whether two texts have the same UTF-8 bytes. `==` of `String` does not ask that.
func haveSameBytes(_ left: String, _ right: String) -> Bool {
    left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
}
