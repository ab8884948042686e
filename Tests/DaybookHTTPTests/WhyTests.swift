import DaybookCore
import DaybookEngine
import DaybookStore
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

@Suite("Why", .timeLimit(.minutes(5)))
struct WhyTests {
    private typealias Object = [String: any Sendable]

    private static func why(_ api: TestAPI, _ run: String) async throws -> TestAPI.Answer {
        let answer = try await api.call(.get, "/workflow-runs/\(run)/why")
        try #require(answer.status == 200, "\(answer.text)")
        return answer
    }

    private static func causes(_ answer: TestAPI.Answer) -> [Object] {
        answer.json["waits_for"] as? [Object] ?? []
    }

    private static func reasons(_ answer: TestAPI.Answer) -> [String] {
        causes(answer).compactMap { $0["reason"] as? String }
    }

    private static func execute(
        _ api: TestAPI, _ workflow: String, _ body: String = "{}"
    ) async throws -> String {
        try await api.call(.post, "/workflows/\(workflow)/execute", body).id
    }

    private static func claim(_ api: TestAPI) async throws -> Int {
        let answer = try await api.call(
            .post, "/queues/nobody/claim", #"{"worker":"w","max":50}"#)
        return (answer.json["runs"] as? [Object])?.count ?? 0
    }

    @Test("a run that waits for a worker says so, until one asks")
    func noWorker() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let workflow = try await api.waitingWorkflow()
            let run = try await Self.execute(api, workflow)
            let alone = try await Self.why(api, run)
            #expect(Self.reasons(alone) == ["no_worker", "turn"])
            #expect(alone.json["status"] as? String == "queued")
            let claimed = try await Self.claim(api)
            #expect(claimed == 1)
            let second = try await Self.execute(api, workflow)
            #expect(Self.reasons(try await Self.why(api, second)) == ["turn"])
            clock.advance(seconds: 31)
            for run in try await api.call(.get, "/workflow-runs?status=in_progress").items {
                let id = try #require(run["id"] as? String)
                _ = try await api.call(.post, "/workflow-runs/\(id)/complete", #"{"attempt":1}"#)
            }
            #expect(Self.reasons(try await Self.why(api, second)) == ["turn"])
            clock.advance(seconds: 30)
            let gone = try await Self.why(api, second)
            #expect(Self.reasons(gone) == ["no_worker", "turn"])
            #expect(gone.text.contains(#""last_claim_at":""#))
        }
    }

    @Test("limits are named with their value, their holders and the entries that prove them")
    func limits() async throws {
        try await TestAPI.run { api in
            let team = try api.teamOfAdmin()
            let workflow = try await api.waitingWorkflow()
            let capped = try await api.call(
                .patch, "/workflows/\(workflow)/concurrency", #"{"max_concurrent_runs":1}"#)
            let licensed = try await api.call(
                .patch, "/teams/\(team)/license", #"{"max_concurrent_runs":2}"#)
            let holder = try await Self.execute(api, workflow)
            #expect(try await Self.claim(api) == 1)
            let waiting = try await Self.execute(api, workflow)
            let first = try await Self.why(api, waiting)
            #expect(Self.reasons(first) == ["workflow_limit", "turn"])
            let cause = try #require(Self.causes(first).first)
            #expect(cause["limit"] as? Int == 1)
            #expect(cause["in_progress"] as? Int == 1)
            let held = try #require(cause["held_by"] as? [Object])
            #expect(held.compactMap { $0["run_id"] as? String } == [holder])
            let start = try #require(held.first?["position"] as? Int)
            #expect(cause["positions"] as? [Int] == [try #require(capped.position), start])
            let entry = try api.engine.read { view in try view.entry(at: Position(start)) }
            #expect(entry.header.command == .claim)
            // Another workflow uses up what the team has left.
            let other = try await api.waitingWorkflow()
            _ = try await Self.execute(api, other)
            #expect(try await Self.claim(api) == 1)
            let both = try await Self.why(api, waiting)
            #expect(Self.reasons(both) == ["workflow_limit", "team_limit", "turn"])
            let ofTeam = try #require(Self.causes(both).dropFirst().first)
            #expect(ofTeam["limit"] as? Int == 2)
            #expect((ofTeam["held_by"] as? [Object])?.count == 2)
            #expect((ofTeam["positions"] as? [Int])?.first == licensed.position)
        }
    }

    @Test("the place counts what comes first: runs of the workflow, and turns of others")
    func place() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            var runs: [String] = []
            for _ in 0..<3 { runs.append(try await Self.execute(api, workflow)) }
            let urgent = try await Self.execute(api, workflow, #"{"priority":9}"#)
            let other = try await api.waitingWorkflow()
            let turn = try await Self.execute(api, other)
            func place(_ run: String) async throws -> [Int?] {
                let cause = Self.causes(try await Self.why(api, run)).last ?? [:]
                return ["place", "turns_before", "teams_before"].map { cause[$0] as? Int }
            }
            #expect(try await place(urgent) == [1, 0, 0])
            // Ready before it: the workflow's lane of priority 9, and nothing of the same priority.
            #expect(try await place(runs[0]) == [2, 1, 0])
            #expect(try await place(runs[2]) == [4, 1, 0])
            #expect(try await place(turn) == [1, 2, 0])
        }
    }

    @Test("a pause, of the service or of the workflow, is named with its entry")
    func pauses() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let run = try await Self.execute(api, workflow)
            let paused = try await api.call(
                .patch, "/workflows/\(workflow)", #"{"paused":true}"#)
            _ = try await api.call(.patch, "/workflows/\(workflow)", #"{"name":"other"}"#)
            let service = try await api.call(.post, "/pause")
            let why = try await Self.why(api, run)
            #expect(
                Self.reasons(why) == ["service_paused", "workflow_paused", "no_worker", "turn"])
            #expect(Self.causes(why)[0]["positions"] as? [Int] == [try #require(service.position)])
            #expect(Self.causes(why)[1]["positions"] as? [Int] == [try #require(paused.position)])
        }
    }

    @Test("a run that waits for its next try says when and why")
    func notBefore() async throws {
        try await TestAPI.run { api in
            let made = try await api.call(
                .post, "/workflows",
                #"{"name":"n","definition":{"executor":{"type":"worker","queue":"nobody"}},"retry":{"max_attempts":2,"initial_backoff_seconds":600,"max_backoff_seconds":600}}"#
            )
            let run = try await Self.execute(api, made.id)
            #expect(try await Self.claim(api) == 1)
            let failed = try await api.call(
                .post, "/workflow-runs/\(run)/fail", #"{"attempt":1,"message":"busy"}"#)
            let why = try await Self.why(api, run)
            #expect(Self.reasons(why) == ["not_before"])
            #expect(
                Self.causes(why)[0]["not_before"] as? String == failed.json["not_before"] as? String
            )
            #expect(Self.causes(why)[0]["positions"] as? [Int] == [try #require(failed.position)])
        }
    }

    @Test("a run in progress, and each end, says by whom and by which entry")
    func ends() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let completed = try await Self.execute(api, workflow)
            let failed = try await Self.execute(api, workflow)
            #expect(try await Self.claim(api) == 2)
            let running = try await Self.why(api, completed)
            #expect(Self.causes(running).isEmpty)
            #expect((running.json["running"] as? Object)?["worker"] as? String == "w")
            let done = try await api.call(
                .post, "/workflow-runs/\(completed)/complete", #"{"attempt":1}"#)
            let broken = try await api.call(
                .post, "/workflow-runs/\(failed)/fail",
                #"{"attempt":1,"message":"no answer","retryable":false}"#)
            let cancelled = try await Self.execute(api, workflow)
            let cancel = try await api.call(.post, "/workflow-runs/\(cancelled)/cancel")
            for (run, command, answer) in [
                (completed, "complete", done), (failed, "fail", broken),
                (cancelled, "cancel_run", cancel),
            ] {
                let why = try await Self.why(api, run)
                #expect(Self.causes(why).isEmpty)
                let ended = try #require(why.json["ended"] as? Object)
                #expect(ended["command"] as? String == command)
                #expect((ended["by"] as? String)?.hasPrefix("key:") == true)
                #expect(ended["positions"] as? [Int] == [try #require(answer.position)])
            }
            #expect(try await Self.why(api, failed).text.contains(#""message":"no answer""#))
        }
    }

    @Test("a reaped run says whether its lease or its deadline ended it")
    func reaped() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let workflow = try await api.waitingWorkflow()
            let run = try await Self.execute(api, workflow)
            #expect(try await Self.claim(api) == 1)
            await clock.waitForSleepers(1)
            clock.advance(seconds: 61)
            while try await api.call(.get, "/workflow-runs/\(run)").json["status"] as? String
                == "in_progress"
            { await Task.yield() }
            let why = try await Self.why(api, run)
            #expect((why.json["ended"] as? Object)?["command"] as? String == "reap")
            #expect((why.json["summary"] as? String)?.contains("lease ran out") == true)
        }
    }
}
