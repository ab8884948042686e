import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// The page: its files, and signing in. Everything else that it does are requests like any other's.
enum PageRoutes {
    static let all: [Route] = [
        Route(.get, "/", .open, index),
        Route(.get, "/page/{file}", .open, file),
        Route(.get, "/session", .open, session),
        Route(.post, "/session", .open, body: .json, signIn),
        Route(.delete, "/session", .open, signOut),
    ]

    /// Only what comes from here is loaded, run or asked.
    private static let contentSecurityPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
        connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
        require-trusted-types-for 'script'
        """

    private static let types = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
    ]

    /// The files with their entity tags.
    private static let files: [String: (bytes: [UInt8], tag: String)] =
        EmbeddedFiles.page.mapValues { text in
            let bytes = Array(text.utf8)
            return (bytes, "\"\(lowercaseHex(Array(sha256(bytes).prefix(8))))\"")
        }

    private static func index(_ call: Call, _ api: API) async throws -> Reply {
        try reply("index.html", call)
    }

    private static func file(_ call: Call, _ api: API) async throws -> Reply {
        try reply(call.parameters["file"] ?? "", call)
    }

    private static func reply(_ name: String, _ call: Call) throws -> Reply {
        guard let file = files[name],
            let type = types[String(name.split(separator: ".").last ?? "")]
        else { throw Problem.notFound("file") }
        let isKnown = call.headers[.ifNoneMatch]?.contains(file.tag) == true
        var reply = Reply(status: isKnown ? .notModified : .ok, body: isKnown ? [] : file.bytes)
        reply.headers[.contentType] = type
        reply.headers[.eTag] = file.tag
        reply.headers[.cacheControl] = "no-cache"
        reply.headers[.contentSecurityPolicy] = contentSecurityPolicy
        reply.headers[.referrerPolicy] = "no-referrer"
        reply.headers[.openerPolicy] = "same-origin"
        return reply
    }

    // Signing in

    private static func signIn(_ call: Call, _ api: API) async throws -> Reply {
        try checkServing(api)
        let fields = try call.fields()
        let text = fields.required("key", .string(bytes: 1...200))
        try fields.throwMistakes()
        guard let key = try api.key(present(text)) else { throw Problem.unauthorized }
        // Whoever was signed in here is not any more.
        api.sessions.end(call.headers)
        let (session, cookie) = api.sessions.begin(with: key.id)
        return try reply(session, api)
            .setting(cookie, seconds: Sessions.seconds, call, api)
    }

    private static func session(_ call: Call, _ api: API) async throws -> Reply {
        try checkServing(api)
        try QueryFields(call).finish()
        guard let session = api.sessions.find(call.headers) else { throw Problem.unauthorized }
        return try reply(session, api)
    }

    private static func signOut(_ call: Call, _ api: API) async throws -> Reply {
        if let session = api.sessions.find(call.headers) {
            try session.check(call.headers)
            api.sessions.end(call.headers)
        }
        return Reply(status: .noContent, body: []).setting("", seconds: 0, call, api)
    }

    /// Keys are known when the log has been replayed.
    private static func checkServing(_ api: API) throws {
        if case .replaying(let percent) = api.engine.currentPhase {
            throw Problem(Unavailable.replaying(percent: percent))
        }
    }

    private static func reply(_ session: Session, _ api: API) throws -> Reply {
        guard let key = try api.engine.validKey(session.key) else { throw Problem.unauthorized }
        return Reply.json { writer in
            writer.object { writer in
                writer.field("team_id", key.team)
                writer.field("key_id", key.id)
                writer.field("key_name", key.name)
                writer.field("role", key.role.name)
                writer.field("csrf_token", session.token)
                writer.field("expires_at", session.expiresAt)
            }
        }
    }
}

extension Reply {
    /// With the session's cookie (RFC 6265); no time to live takes it away.
    fileprivate func setting(_ cookie: String, seconds: Int, _ call: Call, _ api: API) -> Reply {
        let isEncrypted = api.isEncrypted || call.headers[.forwardedProtocol] == "https"
        var reply = self
        reply.headers[.setCookie] =
            "\(Sessions.cookieName)=\(cookie); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict"
            + (isEncrypted ? "; Secure" : "")
        return reply
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = Self("Referrer-Policy")!
    fileprivate static let openerPolicy = Self("Cross-Origin-Opener-Policy")!
}
