import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Foundation
import HTTPTypes
import Logging
import Support
import Testing

@testable import DaybookHTTP

/// Many promises at once: batches, and operations by filter.
@Suite("Many promises at once", .timeLimit(.minutes(5)))
struct BulkTests {
    private func lines(_ answer: TestAPI.Answer) throws -> [[String: any Sendable]] {
        try answer.text.split(separator: "\n").map { line in
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return try #require(value as? [String: any Sendable])
        }
    }

    private static let ndjson = [HTTPField.Name.contentType: "application/x-ndjson"]

    @Test("a batch is answered item by item, and a bad item spoils itself alone")
    func items() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let path = "/workflows/\(workflow)/schedules/batch"
            let time = api.time(inSeconds: 600)
            let good = #"{"scheduled_time":"\#(time)","run_input":{"n":1e400}}"#
            let bad = #"{"scheduled_time":"2020-01-01T00:00:00Z"}"#
            let unknown = #"{"scheduled_time":"\#(time)","colour":1}"#
            let array = try await api.call(.post, path, "[\(good),\(bad),\(unknown),\(good)]")
            #expect(array.status == 200)
            #expect(array.headers[.contentType] == "application/x-ndjson")
            let answers = try array.text.replacing("1e400", with: "1").split(separator: "\n").map {
                try #require(
                    try JSONSerialization.jsonObject(with: Data($0.utf8))
                        as? [String: any Sendable])
            }
            #expect(array.text.contains(#""run_input":{"n":1e400}"#))
            #expect(answers.map { $0["status"] as? Int } == [201, 422, 422, 201])
            #expect(answers.map { $0["index"] as? Int } == [0, 1, 2, 3])
            let positions = answers.compactMap { $0["position"] as? Int }
            #expect(positions.count == 2 && positions[0] + 1 == positions[1])
            let broken = try await api.call(
                .post, path, "\(good)\n\n{\"scheduled_time\":\n\(good)\r\n",
                headers: Self.ndjson)
            let statuses = try broken.text.replacing("1e400", with: "1").split(separator: "\n")
                .map {
                    let value = try JSONSerialization.jsonObject(with: Data($0.utf8))
                    return (value as? [String: Any])?["status"] as? Int
                }
            #expect(statuses == [201, 400, 201])
            let list = try await api.call(.get, "/workflow-schedules?workflow_id=\(workflow)")
            #expect(list.items.count == 4)
        }
    }

    @Test("a batch that is sent again with its key gives each promise once")
    func again() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let path = "/workflows/\(workflow)/schedules/batch"
            let time = api.time(inSeconds: 600)
            let body = (0..<600).map { #"{"scheduled_time":"\#(time)","run_input":\#($0)}"# }
                .joined(separator: "\n")
            let headers = Self.ndjson.merging([.idempotencyKey: "b"]) { $1 }
            let first = try lines(try await api.call(.post, path, body, headers: headers))
            let again = try lines(try await api.call(.post, path, body, headers: headers))
            #expect(first.count == 600 && again.count == 600)
            #expect(first.allSatisfy { $0["replayed"] as? Bool == false })
            #expect(again.allSatisfy { $0["replayed"] as? Bool == true })
            func ids(_ lines: [[String: any Sendable]]) -> [String] {
                lines.compactMap { ($0["schedule"] as? [String: any Sendable])?["id"] as? String }
            }
            #expect(ids(first) == ids(again) && Set(ids(first)).count == 600)
            #expect(
                try await api.engine.countPending(
                    of: api.teamOfAdmin(), PendingFilter()) == 600)
            let other = try await api.call(.post, path, body + " ", headers: headers)
            #expect(try lines(other).allSatisfy { $0["status"] as? Int == 422 })
        }
    }

    @Test("what is wrong with a batch as a whole is told before anything is done")
    func wholes() async throws {
        var limits = API.Limits()
        limits.batchBytes = 2_000
        try await TestAPI.run(limits: limits) { api in
            let workflow = try await api.waitingWorkflow()
            let path = "/workflows/\(workflow)/schedules/batch"
            let before = try api.position()
            let cases: [(String, [HTTPField.Name: String], Int)] = [
                ("{}", [:], 400), ("[", [:], 400), ("[]", [:], 400), ("\n \n", Self.ndjson, 400),
                ("[1]", [.contentType: "text/csv"], 415),
                (String(repeating: " ", count: 2_001), [:], 413),
            ]
            for (body, headers, status) in cases {
                let answer = try await api.call(.post, path, body, headers: headers)
                #expect(answer.status == status, "\(body.prefix(9)) \(answer.text)")
            }
            let unknown = path.replacing(workflow, with: "0123456789abcdef01234567")
            #expect(try await api.call(.post, unknown, "[1]").status == 404)
            #expect(try api.position() == before)
        }
        #expect(ScheduleBatch.maximumItems == 10_000)
    }

    /// Waits for an operation to end. It is asked again at each commit.
    private func finished(_ id: String, _ api: TestAPI) async throws -> TestAPI.Answer {
        let bell = Bell()
        let follower = api.engine.feed.follow { _ in bell.ring() }
        defer { api.engine.feed.unfollow(follower) }
        while true {
            let answer = try await api.call(.get, "/operations/\(id)")
            if answer.json["status"] as? String != "running" { return answer }
            await bell.wait()
        }
    }

    /// Runs `body` beside the service that carries operations out.
    private func withOperations(
        _ body: @escaping @Sendable (TestAPI) async throws -> Void
    ) async throws {
        try await TestAPI.run { api in
            let service = OperationService(
                engine: api.engine, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await service.run() }
                try await body(api)
                group.cancelAll()
            }
        }
    }

    private func many(_ count: Int, _ workflow: String, _ api: TestAPI) async throws {
        let items = (0..<count).map { index in
            let end =
                index < 40 && index % 10 == 0
                ? #","expires_at":"\#(api.time(inSeconds: 3_660))""# : ""
            return
                #"{"scheduled_time":"\#(api.time(inSeconds: index < 40 ? 3_600 : 9_000))"\#(end)}"#
        }
        let answer = try await api.call(
            .post, "/workflows/\(workflow)/schedules/batch", "[\(items.joined(separator: ","))]")
        try #require(answer.status == 200)
    }

    @Test("promises are moved and cancelled by filter, each by a command of who asked")
    func byFilter() async throws {
        try await withOperations { api in
            let workflow = try await api.waitingWorkflow()
            let elsewhere = try await api.schedule(try await api.waitingWorkflow())
            try await many(700, workflow, api)
            let filter =
                #""filter":{"workflow_id":"\#(workflow)","to":"\#(api.time(inSeconds: 7_000))"}"#
            let dry = try await api.call(
                .post, "/workflow-schedules/modify",
                #"{\#(filter),"changes":{"shift_seconds":86400},"dry_run":true}"#)
            #expect(dry.status == 200 && dry.json["matched"] as? Int == 40)
            let moved = try await api.call(
                .post, "/workflow-schedules/modify",
                #"{\#(filter),"changes":{"shift_seconds":86400}}"#)
            #expect(moved.status == 202)
            #expect(moved.headers[.location] == "/operations/\(moved.id)")
            let end = try await finished(moved.id, api)
            #expect(end.json["status"] as? String == "completed")
            #expect(end.json["changed"] as? Int == 40 && end.json["matched"] as? Int == 40)
            let query = "?workflow_id=\(workflow)&from=\(api.time(inSeconds: 80_000))&limit=100"
            let items = try await api.call(.get, "/workflow-schedules" + query).items
            #expect(items.count == 40)
            // The end of a promise moves with it.
            #expect(items.count { $0["expires_at"] is String } == 4)
            let key = try #require(APIKeyText(api.adminKey)).id
            #expect(items.allSatisfy { $0["updated_by"] as? String == "key:\(key)" })
            let first = try #require(items.first?["id"] as? String)
            let history = try await api.call(.get, "/workflow-schedules/\(first)/history").items
            #expect(history.first?["causation"] as? Int == moved.position)

            let cancelled = try await api.call(
                .post, "/workflow-schedules/cancel",
                #"{"filter":{"workflow_id":"\#(workflow)","status":"pending"}}"#)
            let over = try await finished(cancelled.id, api)
            #expect(over.json["changed"] as? Int == 700)
            let other = try await api.call(.get, "/workflow-schedules/\(elsewhere)")
            #expect(other.json["status"] as? String == "pending")
        }
    }

    @Test("what cannot be changed is named, and a key that is revoked ends the operation")
    func refusals() async throws {
        try await withOperations { api in
            let workflow = try await api.waitingWorkflow()
            try await many(50, workflow, api)
            let answer = try await api.call(
                .post, "/workflow-schedules/modify",
                #"{"filter":{"workflow_id":"\#(workflow)"},"changes":{"version":7}}"#)
            let end = try await finished(answer.id, api)
            #expect(end.json["refused"] as? Int == 50 && end.json["changed"] as? Int == 0)
            let refusals = end.json["refusals"] as? [[String: any Sendable]]
            #expect(refusals?.count == 50)
            #expect(refusals?.first?["code"] as? String == "invalid")
            let team = try api.teamOfAdmin()
            let key = try await api.newKey(.write, of: team)
            // So many that the key is gone before the last of them.
            try await many(2_000, workflow, api)
            let started = try await api.call(
                .post, "/workflow-schedules/cancel",
                #"{"filter":{"workflow_id":"\#(workflow)"}}"#, key: key)
            let id = try #require(APIKeyText(key)).id
            #expect(try await api.call(.delete, "/api-keys/\(id)").status == 200)
            let over = try await finished(started.id, api)
            #expect(over.json["status"] as? String == "failed")
            #expect(over.json["failure"] as? String == "key_invalid")
        }
    }

    @Test("a filter or a change that says nothing, or too much, is refused")
    func badFilters() async throws {
        try await TestAPI.run { api in
            let before = try api.position()
            for body in [
                #"{"filter":{}}"#, "{}", #"{"filter":{"status":"failed"}}"#,
                #"{"filter":{"colour":1}}"#, #"{"filter":{"from":"today"}}"#,
            ] {
                let answer = try await api.call(.post, "/workflow-schedules/cancel", body)
                #expect(answer.status == 422, "\(body) \(answer.text)")
            }
            for changes in [
                "{}", #"{"run_input":1}"#,
                #"{"shift_seconds":1,"scheduled_time":"2999-01-01T00:00:00Z"}"#,
                #"{"priority":10}"#, #"{"scheduled_time":"2020-01-01T00:00:00Z"}"#,
                #"{"shift_seconds":99999999999}"#, #"{"scheduled_time":null}"#,
            ] {
                let answer = try await api.call(
                    .post, "/workflow-schedules/modify",
                    #"{"filter":{"status":"pending"},"changes":\#(changes)}"#)
                #expect(answer.status == 422, "\(changes) \(answer.text)")
            }
            #expect(try api.position() == before)
        }
    }

    @Test("no more than so many operations are under way")
    func limit() async throws {
        try await TestAPI.run { api in
            for _ in 0..<Limits.operations { _ = try await api.operation() }
            let answer = try await api.call(
                .post, "/workflow-schedules/cancel", #"{"filter":{"status":"pending"}}"#)
            #expect(answer.status == 409 && answer.code == "limit_reached")
        }
    }

    @Test("a workflow is deleted when nothing of it is left, or what is left is cancelled first")
    func deletion() async throws {
        try await withOperations { api in
            let workflow = try await api.waitingWorkflow()
            let schedule = try await api.schedule(workflow)
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id
            let refused = try await api.call(.delete, "/workflows/\(workflow)")
            #expect(refused.status == 409 && refused.code == "workflow_in_use")
            #expect(refused.json["pending"] as? Int == 1)
            #expect(refused.json["unfinished_runs"] as? Int == 1)
            let started = try await api.call(
                .delete, "/workflows/\(workflow)?cancel_pending=true")
            #expect(started.status == 202, "\(started.text)")
            let end = try await finished(started.id, api)
            #expect(end.json["status"] as? String == "completed", "\(end.text)")
            #expect(end.json["changed"] as? Int == 2)
            #expect(try await api.call(.get, "/workflows/\(workflow)").status == 404)
            #expect(try await api.call(.get, "/workflows").items.isEmpty)
            #expect(
                try await api.call(.post, "/workflows/\(workflow)/execute", "{}").status == 404)
            // What happened stays to be asked for.
            let past = try await api.call(.get, "/workflow-schedules/\(schedule)")
            #expect(past.json["status"] as? String == "cancelled")
            let ended = try await api.call(.get, "/workflow-runs/\(run)")
            #expect(ended.json["status"] as? String == "cancelled")
            let history = try await api.call(.get, "/workflows/\(workflow)/history").items
            let events = history.compactMap { item in
                (item["events"] as? [[String: any Sendable]])?.last?["event"] as? String
            }
            #expect(events == ["workflow_deleted", "workflow_closed", "workflow_created"])
        }
    }

    @Test("a workflow that is being deleted takes nothing new")
    func closed() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            _ = try await api.schedule(workflow)
            let started = try await api.call(
                .delete, "/workflows/\(workflow)?cancel_pending=true")
            let before = try api.position()
            for (path, body) in [
                ("/schedules", #"{"scheduled_time":"\#(api.time(inSeconds: 60))"}"#),
                ("/execute", "{}"),
            ] {
                let answer = try await api.call(.post, "/workflows/\(workflow)\(path)", body)
                #expect(answer.status == 409 && answer.code == "workflow_closed")
                #expect(answer.json["operation_id"] as? String == started.id)
            }
            let again = try await api.call(
                .delete, "/workflows/\(workflow)?cancel_pending=true")
            #expect(again.status == 409)
            #expect(try api.position() == before)
        }
    }
}
