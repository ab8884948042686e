/// A place in a JSON text (RFC 6901), such as `/data/id`.
package struct JSONPointer: Hashable, Sendable {
    package static let maximumBytes = 256

    package let text: String
    private let steps: [String]

    /// Reads a pointer; `nil` where it has not the form of one, or points at the whole text.
    package init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= Self.maximumBytes else {
            return nil
        }
        var steps: [String] = []
        // By code points: a combining mark behind a slash makes no other character of it.
        let parts = text.unicodeScalars.dropFirst().split(
            separator: "/", omittingEmptySubsequences: false)
        for part in parts {
            guard let step = Self.unescaped(part) else { return nil }
            steps.append(step)
        }
        self.text = text
        self.steps = steps
    }

    /// What stands at a pointer, as far as it can be an id.
    package enum Scalar: Hashable, Sendable {
        case string(String)
        /// As it was sent.
        case number(String)
    }

    /// The string or number there; `nil` for anything else, and for nothing.
    package func scalar(in root: JSONNode, body: [UInt8]) -> Scalar? {
        var node = root
        for step in steps {
            switch node.kind {
            case .object(let members):
                guard let member = members.first(where: { haveSameBytes($0.name, step) }) else {
                    return nil
                }
                node = member.value
            case .array(let elements):
                guard let index = Int(step), String(index) == step, elements.indices.contains(index)
                else { return nil }
                node = elements[index]
            default: return nil
            }
        }
        switch node.kind {
        case .string(let text): return .string(text)
        case .number: return .number(String(decoding: node.bytes(in: body), as: UTF8.self))
        default: return nil
        }
    }

    /// `~1` is a slash and `~0` a tilde; a tilde stands before nothing else.
    private static func unescaped(_ part: Substring.UnicodeScalarView) -> String? {
        var step = String.UnicodeScalarView()
        var scalars = part.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "~" else {
                step.append(scalar)
                continue
            }
            switch scalars.next() {
            case "0"?: step.append("~")
            case "1"?: step.append("/")
            default: return nil
            }
        }
        return String(step)
    }
}

extension JSONType where Value == JSONPointer {
    package static var pointer: Self {
        JSONType<String>.string().checked { text throws(JSONMismatch) in
            guard let pointer = JSONPointer(text) else {
                throw JSONMismatch(
                    "must be a JSON pointer such as /data/id, of at most \(JSONPointer.maximumBytes) bytes"
                )
            }
            return pointer
        }
    }
}
