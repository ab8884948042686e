import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

@Suite("Workers", .timeLimit(.minutes(5)))
struct WorkerTests {
    private static func runs(_ answer: TestAPI.Answer) -> [[String: any Sendable]] {
        answer.json["runs"] as? [[String: any Sendable]] ?? []
    }

    @Test("a claim tells all that a worker needs, and nothing secret")
    func claim() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.workflow(
                #"{"executor":{"type":"worker","queue":"calls"}}"#)
            let made = try await api.call(
                .post, "/workflows/\(workflow)/execute", #"{"run_input":{"n":1.50}}"#)
            let answer = try await api.call(
                .post, "/queues/calls/claim", #"{"worker":"w-1","max":5,"lease_seconds":30}"#)
            #expect(answer.status == 200)
            let run = try #require(Self.runs(answer).first)
            #expect(Self.runs(answer).count == 1)
            #expect(
                Set(run.keys) == [
                    "run_id", "attempt", "lease_expires_at", "heartbeat_every_seconds",
                    "deadline", "workflow_id", "version", "definition", "mode",
                    "scheduled_time", "run_input",
                ])
            #expect(run["run_id"] as? String == made.id)
            #expect(run["attempt"] as? Int == 1)
            #expect(run["heartbeat_every_seconds"] as? Int == 6)
            #expect(answer.text.contains(#""run_input":{"n":1.50}"#))
            let shown = try await api.call(.get, "/workflow-runs/\(made.id)")
            #expect(shown.json["worker"] as? String == "w-1")
            #expect(shown.json["lease_expires_at"] as? String == run["lease_expires_at"] as? String)
            #expect(answer.position.map { Position($0) } == (try api.position()))
            // Another queue of the same name as an inner one is a worker queue too.
            let none = try await api.call(.post, "/queues/echo/claim", #"{"worker":"w"}"#)
            #expect(none.status == 200)
            #expect(Self.runs(none).isEmpty)
        }
    }

    @Test("a long poll is answered by the commit that lets a run start")
    func longPoll() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            async let claimed = api.call(
                .post, "/queues/nobody/claim", #"{"worker":"w","wait_seconds":60}"#)
            while api.engine.claimants.count == 0 { await Task.yield() }
            let made = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            #expect(Self.runs(try await claimed).first?["run_id"] as? String == made.id)
        }
    }

    @Test("a bad claim says what is wrong and where, and starts nothing")
    func badClaims() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            _ = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            let before = try api.position()
            let bad: [(body: String, pointer: String)] = [
                ("{}", "/worker"), (#"{"worker":""}"#, "/worker"), (#"{"worker":7}"#, "/worker"),
                (#"{"worker":"w","max":0}"#, "/max"), (#"{"worker":"w","max":101}"#, "/max"),
                (#"{"worker":"w","max":1.5}"#, "/max"),
                (#"{"worker":"w","wait_seconds":-1}"#, "/wait_seconds"),
                (#"{"worker":"w","wait_seconds":61}"#, "/wait_seconds"),
                (#"{"worker":"w","lease_seconds":4}"#, "/lease_seconds"),
                (#"{"worker":"w","lease_seconds":3601}"#, "/lease_seconds"),
                (#"{"worker":"w","lease":10}"#, "/lease"),
            ]
            for (body, pointer) in bad {
                let answer = try await api.call(.post, "/queues/nobody/claim", body)
                #expect(answer.status == 422, "\(body)")
                #expect(answer.text.contains("\"pointer\":\"\(pointer)\""), "\(answer.text)")
            }
            for queue in ["a%20b", String(repeating: "q", count: 65), "%C3%A9"] {
                let answer = try await api.call(
                    .post, "/queues/\(queue)/claim", #"{"worker":"w"}"#)
                #expect(answer.status == 422, "\(queue): \(answer.text)")
            }
            let malformed = try await api.call(.post, "/queues/nobody/claim", #"{"worker":"#)
            #expect(malformed.status == 400)
            #expect(try api.position() == before)
        }
    }

    @Test("bad answers about a run say what is wrong, and change nothing")
    func badAnswers() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id
            _ = try await api.call(.post, "/queues/nobody/claim", #"{"worker":"w"}"#)
            let before = try api.position()
            let unknown = "0123456789abcdef01234567"
            let bad: [(path: String, body: String, status: Int, code: String)] = [
                ("\(run)/complete", #"{"attempt":2}"#, 409, "stale_attempt"),
                ("\(run)/fail", #"{"attempt":2}"#, 409, "stale_attempt"),
                ("\(run)/heartbeat", #"{"attempt":2}"#, 409, "stale_attempt"),
                ("\(run)/release", #"{"attempt":2}"#, 409, "stale_attempt"),
                ("\(run)/complete", #"{"attempt":0}"#, 422, "invalid"),
                ("\(run)/complete", "{}", 422, "invalid"),
                ("\(run)/complete", #"{"attempt":1,"output":{]}"#, 400, "malformed"),
                ("\(run)/fail", #"{"attempt":1,"reason":"bored"}"#, 422, "invalid"),
                ("\(run)/fail", #"{"attempt":1,"retryable":1}"#, 422, "invalid"),
                ("\(unknown)/complete", #"{"attempt":1}"#, 404, "not_found"),
                ("x/complete", #"{"attempt":1}"#, 404, "not_found"),
            ]
            for (path, body, status, code) in bad {
                let answer = try await api.call(.post, "/workflow-runs/\(path)", body)
                #expect(answer.status == status, "\(path) \(body) \(answer.text)")
                #expect(answer.code == code, "\(path) \(body)")
            }
            #expect(try api.position() == before)
            // A worker hears from its heartbeat that its run was cancelled.
            _ = try await api.call(.post, "/workflow-runs/\(run)/cancel")
            let told = try await api.call(
                .post, "/workflow-runs/\(run)/heartbeat", #"{"attempt":1}"#)
            #expect(told.status == 409)
            #expect(told.json["run_status"] as? String == "cancelled")
            let late = try await api.call(
                .post, "/workflow-runs/\(run)/complete", #"{"attempt":1}"#)
            #expect(late.status == 409)
        }
    }

    @Test("a key that claims and answers sees and changes nothing else")
    func workKey() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id
            let key = try await api.newKey(.work, of: try api.teamOfAdmin())
            let claimed = try await api.call(
                .post, "/queues/nobody/claim", #"{"worker":"w"}"#, key: key)
            #expect(Self.runs(claimed).count == 1)
            let done = try await api.call(
                .post, "/workflow-runs/\(run)/complete", #"{"attempt":1}"#, key: key)
            #expect(done.status == 200)
            #expect(try await api.call(.get, "/workflow-runs/\(run)/why", key: key).status == 403)
        }
    }

    @Test("another team's queue of the same name is another queue")
    func apart() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            _ = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            let other = try await api.newKey(.write, of: try await api.newTeam())
            let claimed = try await api.call(
                .post, "/queues/nobody/claim", #"{"worker":"w","max":9}"#, key: other)
            #expect(claimed.status == 200)
            #expect(Self.runs(claimed).isEmpty)
        }
    }

    @Test("a claim with a key gives the same runs and attempts again")
    func sameKey() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            for _ in 0..<2 { _ = try await api.call(.post, "/workflows/\(workflow)/execute", "{}") }
            let key = [HTTPField.Name.idempotencyKey: "claim-1"]
            let body = #"{"worker":"w","max":3}"#
            let first = try await api.call(.post, "/queues/nobody/claim", body, headers: key)
            _ = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            let again = try await api.call(.post, "/queues/nobody/claim", body, headers: key)
            #expect(Self.runs(first).count == 2)
            #expect(again.body == first.body)
            #expect(again.headers[.idempotentReplayed] == "true")
        }
    }
}
