import DaybookCore

/// A message that was let in and cannot become the input of a run.
package struct UnusableMessage: Error, Hashable, Sendable {
    package let reason: Refusal.Reason
    package let detail: String

    package init(reason: Refusal.Reason, detail: String) {
        self.reason = reason
        self.detail = detail
    }
}

/// What came in from outside, on its way to being the input of a run.
package struct InboundMessage: Sendable {
    package let contentType: String?
    package let body: [UInt8]

    package init(contentType: String?, body: [UInt8]) {
        self.contentType = contentType
        self.body = body
    }

    /// The input that it makes: JSON as it was sent; a form or a text as `{"content_type", "body"}` where the
    /// trigger takes those; nothing for an empty body.
    package func input(
        acceptsText: Bool, maximumBytes: Int
    ) throws(UnusableMessage) -> [UInt8]? {
        guard !body.isEmpty else { return nil }
        let media = mediaType
        let input: [UInt8]
        if isJSON(media) {
            do {
                try JSONScanner.validate(body)
                input = body
            } catch {
                // What has no declared type may be a text.
                guard media.isEmpty, acceptsText else {
                    throw UnusableMessage(
                        reason: .invalidJSON, detail: "the body is not JSON: \(error)")
                }
                input = try wrapped()
            }
        } else {
            guard acceptsText, media.hasPrefix("text/") || media == Self.form else {
                throw UnusableMessage(
                    reason: .unsupportedContentType,
                    detail: acceptsText
                        ? "the body is neither JSON nor a form nor a text" : "the body is not JSON")
            }
            input = try wrapped()
        }
        guard input.count <= maximumBytes else {
            throw UnusableMessage(
                reason: .tooLarge, detail: "the input has more than \(maximumBytes) bytes")
        }
        return input
    }

    /// The id of the message at a place in its body.
    package func id(at pointer: JSONPointer) -> JSONPointer.Scalar? {
        guard let node = try? JSONScanner.scan(body) else { return nil }
        return pointer.scalar(in: node, body: body)
    }

    private static let form = "application/x-www-form-urlencoded"

    private var mediaType: String {
        let type = (contentType ?? "").split(separator: ";", maxSplits: 1).first ?? ""
        return type.filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    private func isJSON(_ media: String) -> Bool {
        media.isEmpty || media == "application/json"
            || (media.hasPrefix("application/") && media.hasSuffix("+json"))
    }

    private func wrapped() throws(UnusableMessage) -> [UInt8] {
        guard let text = String(validating: body, as: UTF8.self) else {
            throw UnusableMessage(reason: .invalidJSON, detail: "the body is not UTF-8")
        }
        var writer = JSONWriter(reservingBytes: body.count + 64)
        writer.object { writer in
            writer.field("content_type", contentType)
            writer.field("body", text)
        }
        return writer.finish()
    }
}

/// An id by which a repeat of a message is known. An empty one is none.
package struct MessageID: Hashable, Sendable {
    private let kind: String
    private let text: String

    /// One that a sender put into a header or an attribute.
    package init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        self.init(kind: "id", text)
    }

    /// One that a sender put into the body: 1 and "1" are two.
    package init?(_ scalar: JSONPointer.Scalar) {
        switch scalar {
        case .string(let text): self.init(text)
        case .number(let text): self.init(kind: "number", text)
        }
    }

    /// One that SQS gave.
    package init(ofSQS text: String) { self.init(kind: "message_id", text) }

    private init(kind: String, _ text: String) {
        self.kind = kind
        self.text = text
    }

    /// - Parameter queue: of an SQS message: what one trigger read, another one of the queue knows.
    package func digest(inQueue queue: String? = nil) -> Digest256 {
        DaybookWire.digest(of: [kind, queue, text].compactMap { $0.map { Array($0.utf8) } })
    }
}
