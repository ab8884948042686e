import DaybookCore
import DaybookWire

/// A JSON value of an answer, and the bytes it came in.
package struct JSONDocument: Sendable {
    private let body: [UInt8]
    private let node: JSONNode

    /// An answer may hold payloads that are nested as deeply as they may be.
    private static let maximumDepth = 512

    package init(_ body: [UInt8]) throws(JSONSyntaxError) {
        self.body = body
        node = try JSONScanner.scan(body, maximumDepth: Self.maximumDepth)
    }

    private init(_ node: JSONNode, in body: [UInt8]) {
        self.body = body
        self.node = node
    }

    /// The member of that name; `nil` where there is none, or it is `null`.
    package subscript(_ name: String) -> JSONDocument? {
        guard let member = members.first(where: { $0.name == name }), !member.value.node.isNull
        else { return nil }
        return member.value
    }

    /// The members of an object in their order; none of anything else.
    package var members: [(name: String, value: JSONDocument)] {
        guard case .object(let members) = node.kind else { return [] }
        return members.map { ($0.name, JSONDocument($0.value, in: body)) }
    }

    /// The elements of an array; none of anything else.
    package var elements: [JSONDocument] {
        guard case .array(let nodes) = node.kind else { return [] }
        return nodes.map { JSONDocument($0, in: body) }
    }

    package var isArray: Bool {
        if case .array = node.kind { true } else { false }
    }

    /// The text of a string.
    package var text: String? {
        if case .string(let text) = node.kind { text } else { nil }
    }

    package var integer: Int? {
        if case .number = node.kind { Int(raw) } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let value) = node.kind { value } else { nil }
    }

    /// A string that is a point in time.
    package var instant: Instant? {
        text.flatMap { try? RFC3339.parse($0) }
    }

    package var isNull: Bool { node.isNull }

    /// The bytes as they came.
    package var bytes: [UInt8] { Array(node.bytes(in: body)) }

    /// The bytes as text.
    package var raw: String { String(decoding: node.bytes(in: body), as: UTF8.self) }

    /// The bytes as one line: line ends, which can stand between tokens alone, are spaces.
    package var line: String {
        raw.replacing("\r\n", with: " ").replacing("\n", with: " ").replacing("\r", with: " ")
    }

    /// For a person: a string without its quotes, anything else as it came.
    package var shown: String { text ?? raw }
}
