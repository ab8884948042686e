import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Hummingbird

/// An answer before it is put on the wire.
struct Reply: Sendable {
    var status: HTTPResponse.Status
    var headers = HTTPFields()
    var body: [UInt8]
    /// Writes the body piece by piece instead; whoever does must finish it.
    var stream: (@Sendable (inout any ResponseBodyWriter) async throws -> Void)?

    static func json(
        _ status: HTTPResponse.Status = .ok, _ write: (inout JSONWriter) throws -> Void
    ) rethrows -> Reply {
        var writer = JSONWriter()
        try write(&writer)
        var reply = Reply(status: status, body: writer.finish())
        reply.headers[.contentType] = "application/json"
        return reply
    }

    static func text(_ text: String) -> Reply {
        var reply = Reply(status: .ok, body: Array(text.utf8))
        reply.headers[.contentType] = "text/plain; charset=utf-8"
        return reply
    }

    /// What was deleted has nothing left to show.
    static func deleted<Kind>(_ id: Identifier<Kind>) -> Reply {
        .json { writer in
            writer.object { writer in
                writer.field("id", id)
                writer.field("deleted", true)
            }
        }
    }

    init(status: HTTPResponse.Status, body: [UInt8]) {
        self.status = status
        self.body = body
    }

    init(_ problem: Problem, requestID: CommandID) {
        status = problem.status
        body = problem.body(requestID: requestID)
        headers[.contentType] = "application/problem+json"
        if let seconds = problem.retryAfterSeconds { headers[.retryAfter] = String(seconds) }
        if !problem.allow.isEmpty { headers[.allow] = problem.allow.joined(separator: ", ") }
        if problem.status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
    }

    /// With the position of the command's entry, and whether it answers an earlier request again.
    func with(_ accepted: Accepted) -> Reply {
        var reply = self
        reply.headers[.daybookPosition] = String(accepted.position)
        if accepted.isReplayed { reply.headers[.idempotentReplayed] = "true" }
        return reply
    }

    func with(revision: UInt64) -> Reply {
        var reply = self
        reply.headers[.eTag] = "\"\(revision)\""
        return reply
    }

    /// A page of a list. The cursor is opaque to clients.
    static func list<Item>(
        _ items: [Item], next: [UInt8]?, _ write: (inout JSONWriter, Item) -> Void
    ) -> Reply {
        .json { writer in
            writer.object { writer in
                writer.array("items") { writer in
                    for item in items { write(&writer, item) }
                }
                writer.field("next_cursor", next.map(Cursor.text))
            }
        }
    }
}

/// Cursors as text: lowercase hexadecimal of where the next page begins.
enum Cursor {
    static func text(_ bytes: [UInt8]) -> String { lowercaseHex(bytes) }

    static func bytes(_ text: String) -> [UInt8]? {
        text.isEmpty || text.utf8.count > 256
            ? nil : bytesOfLowercaseHex(text, count: text.utf8.count / 2)
    }
}
