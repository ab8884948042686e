import DaybookCore
import DaybookEngine
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// The same request with the same `Idempotency-Key`, on every kind of command.
@Suite("Replays")
struct ReplayTests {
    private static let key = [HTTPField.Name.idempotencyKey: "one"]

    /// Sends a request twice with one key, with something in between; both answers.
    private static func twice(
        _ api: TestAPI, _ method: HTTPRequest.Method, _ path: String, _ body: String?,
        between: () async throws -> Void = {}
    ) async throws -> TestAPI.Answer {
        let first = try await api.call(method, path, body, headers: key)
        #expect(first.headers[.idempotentReplayed] == nil, "\(method) \(path)")
        try await between()
        let before = try api.position()
        let again = try await api.call(method, path, body, headers: key)
        #expect(again.status == first.status, "\(method) \(path): \(again.text)")
        #expect(again.text == first.text, "\(method) \(path)")
        #expect(again.position == first.position, "\(method) \(path)")
        #expect(again.headers[.eTag] == first.headers[.eTag], "\(method) \(path)")
        #expect(again.headers[.idempotentReplayed] == "true", "\(method) \(path)")
        #expect(try api.position() == before, "\(method) \(path)")
        return first
    }

    @Test("a cancellation and a change are answered again as they were, whatever came after")
    func schedules() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let path = "/workflow-schedules/\(try await api.schedule(workflow))"
            let changed = try await Self.twice(
                api, .patch, path, #"{"priority":8,"run_input":{"n":1.50}}"#
            ) {
                _ = try await api.call(.patch, path, #"{"priority":2,"run_input":2}"#)
            }
            #expect(changed.text.contains(#""run_input":{"n":1.50},"#))
            let cancelled = try await Self.twice(api, .delete, path, nil)
            #expect(cancelled.status == 200)
            #expect(try await api.call(.delete, path).status == 409)
        }
    }

    @Test("execute is replayed as queued; with wait it waits again, for the same run")
    func execution() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.workflow()
            let path = "/workflows/\(workflow)/execute"
            let queued = try await Self.twice(api, .post, path, #"{"run_input":1}"#) {
                _ = try await api.call(.post, "\(path)?wait=20", "{}")
            }
            #expect(queued.status == 202)
            #expect(queued.json["status"] as? String == "queued")
            let waited = [HTTPField.Name.idempotencyKey: "two"]
            let first = try await api.call(.post, path + "?wait=20", "{}", headers: waited)
            let again = try await api.call(.post, path + "?wait=20", "{}", headers: waited)
            for answer in [first, again] {
                #expect(answer.status == 200)
                #expect(answer.json["status"] as? String == "completed")
            }
            #expect(again.text == first.text)
            #expect(again.headers[.idempotentReplayed] == "true")
        }
    }

    @Test("a secret is shown again to who asks again with the key of the answer that showed it")
    func secrets() async throws {
        try await TestAPI.run { api in
            let body = #"{"name":"n","definition":{"executor":{"type":"echo"}}}"#
            let made = try await api.call(.post, "/workflows", body, headers: Self.key)
            #expect(made.status == 201)
            let path = "/workflows/\(made.id)/secret/rotate"
            let rotated = try await Self.twice(api, .post, path, "{}") {
                _ = try await api.call(.post, path, "{}")
            }
            let again = try await api.call(.post, "/workflows", body, headers: Self.key)
            #expect(again.text == made.text)
            #expect(again.headers[.idempotentReplayed] == "true")
            let secrets = [made, rotated].compactMap { $0.json["secret"] as? String }
            #expect(Set(secrets).count == 2)
        }
    }

    @Test("changes of workflows and answers about runs are replayed too")
    func others() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let path = "/workflows/\(workflow)"
            _ = try await Self.twice(api, .patch, path, #"{"name":"a"}"#) {
                _ = try await api.call(.patch, path, #"{"name":"b"}"#)
            }
            _ = try await Self.twice(
                api, .patch, path + "/concurrency", #"{"max_concurrent_runs":3}"#
            ) {
                _ = try await api.call(
                    .patch, path + "/concurrency", #"{"max_concurrent_runs":4}"#)
            }
            let run = try await api.call(.post, path + "/execute", "{}").id
            _ = try await api.submit(
                .claim(.worker("nobody"), worker: "w", leaseSeconds: 60),
                team: try api.teamOfAdmin())
            let fail = "/workflow-runs/\(run)/fail"
            _ = try await Self.twice(
                api, .post, fail, #"{"attempt":1,"reason":"error","message":"no"}"#)
            // Without a key the same failure is known as well, another one is not.
            let before = try api.position()
            let same = #"{"attempt":1,"message":"no"}"#
            #expect(try await api.call(.post, fail, same).status == 200)
            for other in [
                #"{"attempt":1,"message":"yes"}"#, #"{"attempt":1}"#,
                #"{"attempt":2,"message":"no"}"#, #"{"attempt":1,"reason":"timeout"}"#,
            ] {
                #expect(try await api.call(.post, fail, other).status == 409, "\(other)")
            }
            #expect(
                try await api.call(
                    .post, "/workflow-runs/\(run)/complete", #"{"attempt":1}"#
                ).status == 409)
            #expect(try api.position() == before)
        }
    }

    @Test("a key belongs to one team, and its query is part of the request")
    func scope() async throws {
        try await TestAPI.run { api in
            let body =
                #"{"name":"n","definition":{"executor":{"type":"worker","queue":"nobody"}}}"#
            let other = try await api.newKey(.write, of: try await api.newTeam())
            let mine = try await api.call(.post, "/workflows", body, headers: Self.key)
            let theirs = try await api.call(
                .post, "/workflows", body, key: other, headers: Self.key)
            #expect(theirs.status == 201)
            #expect(theirs.headers[.idempotentReplayed] == nil)
            #expect(theirs.id != mine.id)
            // Another key of the team is the same client.
            let colleague = try await api.newKey(.write, of: try api.teamOfAdmin())
            let again = try await api.call(
                .post, "/workflows", body, key: colleague, headers: Self.key)
            #expect(again.id == mine.id)
            let path = "/workflows/\(mine.id)/execute"
            #expect(try await api.call(.post, path, "{}", headers: Self.key).status == 202)
            let before = try api.position()
            let query = try await api.call(
                .post, path + "?version=0", "{}", headers: Self.key)
            #expect(query.status == 422)
            #expect(query.code == "idempotency_key_reused")
            #expect(try api.position() == before)
        }
    }

    @Test("a malformed key is refused on every route that takes a command, before all is judged")
    func malformedKeys() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let schedule = try await api.schedule(workflow)
            let commands: [(HTTPRequest.Method, String, String?)] = [
                (.post, "/workflows/\(workflow)/execute", "{}"),
                (.patch, "/workflows/\(workflow)", #"{"name":"other"}"#),
                (.patch, "/workflow-schedules/\(schedule)", #"{"priority":1}"#),
                (.delete, "/workflow-schedules/\(schedule)", nil),
                (.post, "/pause", nil),
            ]
            let before = try api.position()
            for (method, path, body) in commands {
                for bad in ["a b", "é", String(repeating: "x", count: 256), "a\tb"] {
                    let answer = try await api.call(
                        method, path, body, headers: [.idempotencyKey: bad])
                    #expect(answer.status == 400, "\(method) \(path) \(bad.prefix(5))")
                }
            }
            #expect(try api.position() == before)
            let longest = String(repeating: "x", count: 255)
            let taken = try await api.call(
                .patch, "/workflow-schedules/\(schedule)", #"{"priority":1}"#,
                headers: [.idempotencyKey: longest])
            #expect(taken.status == 200)
        }
    }
}
