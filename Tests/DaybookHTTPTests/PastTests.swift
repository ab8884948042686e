import DaybookCore
import DaybookEngine
import DaybookStore
import HTTPTypes
import Testing

@testable import DaybookHTTP

@Suite("The past over REST")
struct PastTests {
    private typealias Object = [String: any Sendable]

    @Test("lists as they were, by position and by time")
    func lists() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let first = try await api.schedule(workflow)
            let position = try api.position()
            let time = try #require(
                try await api.call(.get, "/log/\(position)").json["recorded_at"] as? String)
            _ = try await api.call(.patch, "/workflow-schedules/\(first)", #"{"priority":9}"#)
            _ = try await api.call(.delete, "/workflow-schedules/\(first)")
            let second = try await api.schedule(workflow)
            for moment in ["\(position)", time] {
                for path in ["/workflow-schedules", "/workflows/\(workflow)/schedules"] {
                    let then = try await api.call(.get, "\(path)?as_of=\(moment)")
                    #expect(then.items.map { $0["id"] as? String } == [first], "\(then.text)")
                    #expect(then.items.first?["status"] as? String == "pending")
                    #expect(then.items.first?["priority"] as? Int == 5)
                }
            }
            let pending = try await api.call(
                .get, "/workflow-schedules?status=pending&as_of=\(position)")
            #expect(pending.items.count == 1)
            let now = try await api.call(.get, "/workflow-schedules?status=pending")
            #expect(now.items.map { $0["id"] as? String } == [second])
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            _ = try await api.call(.post, "/workflow-runs/\(run.id)/cancel")
            let runs = try await api.call(
                .get, "/workflow-runs?status=queued&as_of=\(run.position ?? 0)")
            #expect(runs.items.map { $0["id"] as? String } == [run.id], "\(runs.text)")
            for query in ["as_of=0", "as_of=999999", "as_of=x", "as_of=2999-01-01T00:00:00Z"] {
                #expect(try await api.call(.get, "/workflow-runs?\(query)").status == 422)
            }
            let ordered = try await api.call(
                .get, "/workflow-schedules?order=scheduled_time&as_of=\(position)")
            #expect(ordered.status == 422, "\(ordered.text)")
        }
    }

    @Test("a history says what each entry changed, old and new")
    func changes() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let made = try await api.call(
                .post, "/workflows/\(workflow)/schedules",
                #"{"scheduled_time":"2999-01-01T10:00:00Z","run_input":1}"#)
            let path = "/workflow-schedules/\(made.id)"
            let moved = try await api.call(
                .patch, path, #"{"scheduled_time":"2999-01-01T11:30:00Z","run_input":2}"#)
            _ = try await api.call(.delete, path)
            let history = try await api.call(.get, path + "/history")
            let changes = history.items.map { $0["changes"] as? [Object] ?? [] }
            #expect(changes.count == 3)
            #expect(changes[0].count == 1, "\(history.text)")
            #expect(changes[0].first?["field"] as? String == "status")
            #expect(changes[0].first?["old"] as? String == "pending")
            #expect(changes[0].first?["new"] as? String == "cancelled")
            let time = changes[1].first { $0["field"] as? String == "scheduled_time" }
            #expect(time?["old"] as? String == "2999-01-01T10:00:00Z")
            #expect(time?["new"] as? String == "2999-01-01T11:30:00Z")
            let input = changes[1].first { $0["field"] as? String == "run_input" }
            #expect((input?["old"] as? Object)?["position"] as? Int == made.position)
            #expect((input?["new"] as? Object)?["position"] as? Int == moved.position)
            #expect(changes[1].count == 2, "\(history.text)")
            #expect(changes[2].contains { $0["field"] as? String == "scheduled_time" })
            // The same in pieces.
            let second = try await api.call(.get, path + "/history?limit=1")
            let cursor = try #require(second.json["next_cursor"] as? String)
            let third = try await api.call(.get, path + "/history?limit=1&cursor=\(cursor)")
            #expect((third.items.first?["changes"] as? [Object])?.count == 2, "\(third.text)")

            _ = try await api.call(
                .patch, "/workflows/\(workflow)/concurrency", #"{"max_concurrent_runs":3}"#)
            let about = try await api.call(.get, "/workflows/\(workflow)/history?limit=1")
            let cap = try #require((about.items.first?["changes"] as? [Object])?.first)
            #expect(cap["field"] as? String == "max_concurrent_runs")
            #expect(cap["old"] as? Int == 0 && cap["new"] as? Int == 3)
            let edited = try await api.call(
                .put, "/workflows/\(workflow)/versions/0/definition",
                #"{"executor":{"type":"echo"}}"#)
            let draft = try await api.call(.get, "/workflows/\(workflow)/history?limit=1")
            let change = try #require((draft.items.first?["changes"] as? [Object])?.first)
            #expect(change["field"] as? String == "versions/0/definition", "\(draft.text)")
            #expect((change["new"] as? Object)?["position"] as? Int == edited.position)

            let run = try await api.call(
                .post, "/workflows/\(workflow)/execute", #"{"run_input":1}"#)
            _ = try await api.call(.post, "/workflow-runs/\(run.id)/cancel")
            _ = try await api.call(.post, "/workflow-runs/\(run.id)/erase")
            let erased = try await api.call(.get, "/workflow-runs/\(run.id)/history?limit=1")
            let flag = try #require((erased.items.first?["changes"] as? [Object])?.first)
            #expect(flag["field"] as? String == "erased" && flag["new"] as? Bool == true)
        }
    }
}
