import DaybookCore
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// What every command's answer says of the object that it changed, and `If-Match` on all of them.
@Suite("Conditions")
struct ConditionTests {
    private typealias Row = (
        method: HTTPRequest.Method, path: String, body: String?, status: Int
    )

    /// Commands that change a workflow each time, in an order in which they all do.
    private static func ofWorkflow(_ id: String) -> [Row] {
        let path = "/workflows/\(id)"
        return [
            (.patch, path, #"{"name":"other"}"#, 200),
            (.patch, path, #"{"description":"d","retry":{"max_attempts":2}}"#, 200),
            (.patch, path, #"{"description":null,"paused":true}"#, 200),
            (.patch, path + "/concurrency", #"{"max_concurrent_runs":3}"#, 200),
            (.post, path + "/secret/rotate", nil, 200),
            (.put, path + "/versions/0/definition", #"{"executor":{"type":"echo"}}"#, 200),
            (.patch, path + "/versions/0", #"{"version_name":"draft"}"#, 200),
            (.post, path + "/versions", #"{"version_name":"one"}"#, 201),
            (.post, path + "/versions/1/activate", nil, 200),
            (.post, path + "/versions", #"{"mark_as_active":true}"#, 201),
        ]
    }

    @Test("each command about a workflow heeds If-Match, and raises the revision")
    func workflows() async throws {
        try await TestAPI.run { api in
            let id = try await api.waitingWorkflow()
            for row in Self.ofWorkflow(id) {
                let place = "\(row.method) \(row.path)"
                let before = try api.position()
                let shown = try await api.call(.get, "/workflows/\(id)")
                let tag = try #require(shown.headers[.eTag])
                for (bad, status) in [
                    ("\"99\"", 412), ("W/" + tag, 412), ("\"\"", 412), ("99", 400),
                    ("\"1", 400), ("*, \"1\"", 400), ("\"1\",", 400), ("W/1", 400),
                ] {
                    let refused = try await api.call(
                        row.method, row.path, row.body, headers: [.ifMatch: bad])
                    #expect(refused.status == status, "\(place) \(bad)")
                    guard status == 412 else { continue }
                    #expect(refused.code == "revision_mismatch", "\(place)")
                    #expect(
                        refused.json["revision"] as? Int == shown.json["revision"] as? Int)
                }
                #expect(try api.position() == before, "\(place)")
                let done = try await api.call(
                    row.method, row.path, row.body, headers: [.ifMatch: "\"77\", \(tag)"])
                #expect(done.status == row.status, "\(place): \(done.text)")
                #expect(done.position.map { Position($0) } == before + 1, "\(place)")
                let after = try await api.call(.get, "/workflows/\(id)")
                let (old, new) = (shown.json["revision"] as? Int, after.json["revision"] as? Int)
                #expect(try #require(new) > #require(old), "\(place)")
                #expect(after.headers[.eTag] == "\"\(try #require(new))\"", "\(place)")
            }
        }
    }

    @Test("each command about a schedule heeds If-Match, a cancellation too")
    func schedules() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let path = "/workflow-schedules/\(try await api.schedule(workflow))"
            let rows: [(HTTPRequest.Method, String?)] = [
                (.patch, #"{"priority":1}"#), (.patch, #"{"version":0}"#),
                (.patch, #"{"run_input":{"a":1e400}}"#), (.delete, nil),
            ]
            for (index, row) in rows.enumerated() {
                let before = try api.position()
                let stale = try await api.call(
                    row.0, path, row.1, headers: [.ifMatch: "\"\(index)\""])
                #expect(stale.status == 412)
                #expect(try api.position() == before)
                let done = try await api.call(
                    row.0, path, row.1, headers: [.ifMatch: "\"\(index + 1)\""])
                #expect(done.status == 200, "\(done.text)")
                #expect(done.headers[.eTag] == "\"\(index + 2)\"")
                #expect(done.position.map { Position($0) } == before + 1)
            }
            // What is over says so, whatever revision was seen.
            let late = try await api.call(.delete, path, headers: [.ifMatch: "\"1\""])
            #expect(late.status == 409)
        }
    }

    @Test("a change of nothing is answered with the object's last position, on each command")
    func nothing() async throws {
        try await TestAPI.run { api in
            let id = try await api.waitingWorkflow()
            for row in Self.ofWorkflow(id).prefix(4) {
                _ = try await api.call(row.method, row.path, row.body)
            }
            _ = try await api.call(
                .patch, "/workflows/\(id)/versions/0", #"{"version_name":"draft"}"#)
            let last = Int(try api.position())
            _ = try await api.waitingWorkflow()
            let before = try api.position()
            for (method, path, body) in [
                (HTTPRequest.Method.patch, "/workflows/\(id)", "{}"),
                (.patch, "/workflows/\(id)", #"{"name":"other","paused":true}"#),
                (.patch, "/workflows/\(id)", #"{"description":null}"#),
                (.patch, "/workflows/\(id)/concurrency", #"{"max_concurrent_runs":3}"#),
                (.post, "/workflows/\(id)/versions/0/activate", "{}"),
            ] {
                let same = try await api.call(method, path, body)
                #expect(same.status == 200, "\(path) \(body): \(same.text)")
                #expect(same.position == last, "\(path) \(body)")
            }
            let renamed = try await api.call(
                .patch, "/workflows/\(id)/versions/0", #"{"version_name":"draft"}"#)
            #expect(renamed.position == last)
            #expect(try api.position() == before)
        }
    }

    @Test("every object says whose it is, and who made and last changed it, and when")
    func provenance() async throws {
        try await TestAPI.run { api in
            let team = try api.teamOfAdmin()
            let workflow = try await api.waitingWorkflow()
            let schedule = try await api.schedule(workflow)
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id
            let other = try await api.newKey(.write, of: team)
            _ = try await api.call(
                .patch, "/workflow-schedules/\(schedule)", #"{"priority":1}"#, key: other)
            for (path, isChanged) in [
                ("/workflows/\(workflow)", false), ("/workflows/\(workflow)/versions/0", false),
                ("/workflow-schedules/\(schedule)", true), ("/workflow-runs/\(run)", false),
            ] {
                let json = try await api.call(.get, path).json
                #expect(json["team_id"] as? String == team.description, "\(path)")
                let times = ["created_at", "updated_at"].compactMap { json[$0] as? String }
                #expect(times.count == 2 && times.allSatisfy { $0.hasSuffix("Z") }, "\(path)")
                let people = ["created_by", "updated_by"].compactMap { json[$0] as? String }
                #expect(people.count == 2, "\(path)")
                #expect((people.first != people.last) == isChanged, "\(path): \(people)")
            }
        }
    }

    @Test("no answer may be kept by a cache, and each names its request")
    func headers() async throws {
        try await TestAPI.run { api in
            for (method, path, body) in [
                (HTTPRequest.Method.get, "/healthz", String?.none), (.get, "/workflows", nil),
                (.get, "/workflows?x=1", nil), (.post, "/workflows", "{"), (.get, "/x", nil),
                (.post, "/healthz", nil),
            ] {
                let answer = try await api.call(method, path, body)
                #expect(answer.headers[.cacheControl] == "no-store", "\(path)")
                guard answer.status >= 400 else { continue }
                #expect(answer.headers[.contentType] == "application/problem+json", "\(path)")
                #expect(
                    answer.json.keys.sorted().filter { $0 != "errors" }
                        == ["code", "detail", "request_id", "status", "title", "type"], "\(path)")
                #expect(answer.json["status"] as? Int == answer.status, "\(path)")
                let code = answer.code ?? ""
                #expect(
                    answer.json["type"] as? String
                        == "/problems/\(code.replacing("_", with: "-"))", "\(path)")
            }
        }
    }
}
