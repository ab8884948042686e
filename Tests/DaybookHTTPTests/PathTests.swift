import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// One thing has one path; everything near it is a 404 of the API's own.
@Suite("Paths")
struct PathTests {
    @Test("a path in another spelling names nothing")
    func spellings() async throws {
        try await TestAPI.run { api in
            let id = try await api.waitingWorkflow()
            let first = String(id.prefix(1))
            let hex = String(first.utf8.first ?? 0, radix: 16)
            let before = try api.position()
            for path in [
                "/workflows/%\(hex)\(id.dropFirst())", "/workflows/\(id)%00",
                "/workflows/\(id)%20", "/workflows/%20\(id)", "/workflows/\(id)%2f",
                "/workflows/\(id);x=1", "/workflows/\(id)/.", "/workflows/./\(id)",
                "/workflows/x/../\(id)", "/workflows/%2e%2e", "/workflows/%c0%af",
                "/workflows/%ff", "/workflows/%zz", "/workflows/%", "/Workflows/\(id)",
                "/workflows/\(id.uppercased())", "/workflows/{\(id)}", "/workflows/-\(id)",
                "/workflows/\(String(repeating: "a", count: 5_000))",
                "/workflows/\(id)/versions/+0", "/workflows/\(id)/versions/00",
                "/workflows/\(id)/versions/0x0", "/workflows/\(id)/versions/%30",
                "/workflows/\(id)/versions/1000001", "/workflows/\(id)/past",
                "/.well-known/x", "/*", "/%2e%2e/admin.key", "/é",
            ] {
                let answer = try await api.call(.get, path)
                #expect(answer.status == 404, "\(path): \(answer.text)")
                #expect(answer.code == "not_found", "\(path): \(answer.text)")
                let deleted = try await api.call(.delete, path)
                #expect([404, 405].contains(deleted.status), "\(path): \(deleted.text)")
            }
            #expect(try api.position() == before)
        }
    }

    @Test("a slash too many changes neither the thing nor the scope of an Idempotency-Key")
    func slashes() async throws {
        try await TestAPI.run { api in
            let id = try await api.waitingWorkflow()
            let key = [HTTPField.Name.idempotencyKey: "one"]
            let path = "/workflows/\(id)/execute"
            let first = try await api.call(.post, path, "{}", headers: key)
            #expect(first.status == 202)
            for other in [path + "/", "/" + path, "/workflows//\(id)/execute"] {
                let answer = try await api.call(.post, other, "{}", headers: key)
                // Either the same request, or no path at all: never a second run.
                #expect(
                    answer.status == 404 || answer.id == first.id, "\(other): \(answer.text)")
            }
        }
    }

    @Test("a path that nothing knows needs no key, and every answer names its request")
    func requestIDs() async throws {
        try await TestAPI.run { api in
            for (method, path, status) in [
                (HTTPRequest.Method.get, "/healthz", 200), (.get, "/nothing", 404),
                (.post, "/healthz", 405), (.get, "/workflows", 401), (.head, "/healthz", 200),
            ] {
                let answer = try await api.call(method, path, key: "")
                #expect(answer.status == status, "\(method) \(path)")
                let id = answer.headers[.requestID] ?? ""
                #expect(id.utf8.count == 32, "\(method) \(path) has no request id")
                guard status >= 400 else { continue }
                #expect(answer.json["request_id"] as? String == id, "\(method) \(path)")
            }
        }
    }

    @Test("HEAD is GET without its body, and with its headers")
    func head() async throws {
        try await TestAPI.run { api in
            let id = try await api.waitingWorkflow()
            for path in ["/workflows/\(id)", "/workflows", "/license", "/workflows/x"] {
                let get = try await api.call(.get, path)
                let head = try await api.call(.head, path)
                #expect(head.status == get.status, "\(path)")
                #expect(head.body.isEmpty, "\(path)")
                #expect(head.headers[.eTag] == get.headers[.eTag], "\(path)")
                #expect(head.headers[.contentType] == get.headers[.contentType], "\(path)")
            }
        }
    }

    @Test("a parameter that a command does not know is refused, as in a list")
    func unknownParameters() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let schedule = try await api.schedule(workflow)
            let before = try api.position()
            for (method, path, body) in [
                (HTTPRequest.Method.delete, "/workflow-schedules/\(schedule)", String?.none),
                (.patch, "/workflow-schedules/\(schedule)", #"{"priority":1}"#),
                (.post, "/workflows/\(workflow)/versions", "{}"),
                (.post, "/workflows/\(workflow)/secret/rotate", "{}"), (.post, "/pause", "{}"),
            ] {
                let answer = try await api.call(method, path + "?dry_run=true", body)
                #expect(answer.status == 422, "\(method) \(path): \(answer.text)")
            }
            #expect(try api.position() == before)
        }
    }
}
