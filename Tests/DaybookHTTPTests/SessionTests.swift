import DaybookCore
import DaybookWire
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// A browser that signs in, as the page has it.
@Suite("Sessions")
struct SessionTests {
    private static let body = #"{"name":"n","definition":{"executor":{"type":"echo"}}}"#

    /// The cookie and the token of a new session.
    private func signIn(
        _ api: TestAPI, _ key: String, headers: [HTTPField.Name: String] = [:]
    ) async throws -> (cookie: String, token: String, attributes: String) {
        let answer = try await api.call(
            .post, "/session", #"{"key":"\#(key)"}"#, key: "", headers: headers)
        try #require(answer.status == 200, "\(answer.text)")
        let set = try #require(answer.headers[.setCookie])
        let parts = set.split(separator: ";", maxSplits: 1)
        return (
            String(parts[0]), try #require(answer.json["csrf_token"] as? String), String(parts[1])
        )
    }

    @Test("with the cookie everything is as with the key, but changes need the token")
    func cookieAndToken() async throws {
        try await TestAPI.run { api in
            let (cookie, token, attributes) = try await signIn(api, api.adminKey)
            #expect(attributes == " Path=/; Max-Age=43200; HttpOnly; SameSite=Strict")
            let asked = try await api.call(
                .get, "/session", key: "", headers: [.cookie: "a=b; \(cookie); c=d"])
            #expect(asked.json["role"] as? String == "admin")
            #expect(asked.json["csrf_token"] as? String == token)
            #expect(
                try await api.call(.get, "/workflows", key: "", headers: [.cookie: cookie]).status
                    == 200)
            for wrong in ["", "x", token.uppercased() + "0"] {
                let answer = try await api.call(
                    .post, "/workflows", Self.body, key: "",
                    headers: [.cookie: cookie, .daybookCSRF: wrong])
                #expect(answer.status == 403)
                #expect(answer.json["code"] as? String == "csrf")
            }
            let made = try await api.call(
                .post, "/workflows", Self.body, key: "",
                headers: [.cookie: cookie, .daybookCSRF: token])
            #expect(made.status == 201)
            // A program with a key needs no token.
            #expect(try await api.call(.post, "/workflows", Self.body).status == 201)
        }
    }

    @Test("under TLS, here or in front, the cookie is for TLS alone")
    func secure() async throws {
        try await TestAPI.run { api in
            let headers: [HTTPField.Name: String] = [.forwardedProtocol: "https"]
            let (_, _, attributes) = try await signIn(api, api.adminKey, headers: headers)
            #expect(attributes.hasSuffix("; Secure"))
        }
    }

    @Test("a session ends when its key is revoked, when it is signed out, and after twelve hours")
    func ends() async throws {
        let clock = ManualClock()
        try await TestAPI.run(settings: .stepped, clock: clock) { api in
            func status(_ cookie: String) async throws -> Int {
                try await api.call(.get, "/license", key: "", headers: [.cookie: cookie]).status
            }
            let team = try api.teamOfAdmin()
            let key = try await api.newKey(.read, of: team)
            let revoked = try await signIn(api, key)
            #expect(try await status(revoked.cookie) == 200)
            _ = try await api.submit(.revokeKey(try #require(APIKeyText(key)).id), team: team)
            #expect(try await status(revoked.cookie) == 401)

            let left = try await signIn(api, api.adminKey)
            let refused = try await api.call(
                .delete, "/session", key: "", headers: [.cookie: left.cookie])
            #expect(refused.status == 403)
            let out = try await api.call(
                .delete, "/session", key: "",
                headers: [.cookie: left.cookie, .daybookCSRF: left.token])
            #expect(out.status == 204)
            #expect(out.headers[.setCookie]?.contains("Max-Age=0") == true)
            #expect(try await status(left.cookie) == 401)

            let old = try await signIn(api, api.adminKey)
            clock.advance(seconds: Sessions.seconds - 60)
            #expect(try await status(old.cookie) == 200)
            clock.advance(seconds: 61)
            #expect(try await status(old.cookie) == 401)
        }
    }

    @Test("what opens nothing signs nobody in, and a key has so many sessions at most")
    func refusals() async throws {
        try await TestAPI.run { api in
            for key in ["x", String(api.adminKey.dropLast()), api.adminKey + "x"] {
                let answer = try await api.call(
                    .post, "/session", #"{"key":"\#(key)"}"#, key: "")
                #expect(answer.status == 401)
                #expect(answer.headers[.setCookie] == nil)
            }
            #expect(try await api.call(.get, "/session").status == 401)
            let first = try await signIn(api, api.adminKey)
            for _ in 0..<200 { _ = try await signIn(api, api.adminKey) }
            let answer = try await api.call(
                .get, "/license", key: "", headers: [.cookie: first.cookie])
            #expect(answer.status == 401)
        }
    }

    @Test("the page's files come with what keeps others out of them")
    func files() async throws {
        try await TestAPI.run { api in
            let index = try await api.call(.get, "/", key: "")
            #expect(index.headers[.contentType] == "text/html; charset=utf-8")
            for name in EmbeddedFiles.page.keys {
                let file = try await api.call(.get, "/page/\(name)", key: "")
                #expect(file.status == 200, "\(name)")
                let policy = file.headers[.contentSecurityPolicy] ?? ""
                #expect(policy.hasPrefix("default-src 'none'; script-src 'self';"))
                #expect(file.headers[.xContentTypeOptions] == "nosniff")
                let tag = try #require(file.headers[.eTag])
                let again = try await api.call(
                    .get, "/page/\(name)", key: "", headers: [.ifNoneMatch: tag])
                #expect(again.status == 304)
                #expect(again.body.isEmpty)
            }
            for name in ["none.js", "..%2Findex.html", "%00"] {
                #expect(try await api.call(.get, "/page/\(name)", key: "").status == 404)
            }
        }
    }
}
