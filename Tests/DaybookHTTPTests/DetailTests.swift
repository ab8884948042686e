import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// What the objects of the API say, field by field, and what becomes of a promise in each case.
@Suite("Details", .timeLimit(.minutes(5)))
struct DetailTests {
    /// The names of the members of the body, in their order.
    private static func names(_ answer: TestAPI.Answer) throws -> [String] {
        JSONFields(try JSONScanner.scan(answer.body), body: answer.body).names
    }

    /// Reads the path after each entry until it has the status.
    private static func read(
        _ api: TestAPI, _ path: String, until status: String
    ) async throws -> TestAPI.Answer {
        let (entries, entry) = AsyncStream.makeStream(of: Void.self)
        let follower = api.engine.feed.follow { _ in entry.yield() }
        defer { api.engine.feed.unfollow(follower) }
        var answer = try await api.call(.get, path)
        guard answer.json["status"] as? String != status else { return answer }
        for await _ in entries {
            answer = try await api.call(.get, path)
            if answer.json["status"] as? String == status { break }
        }
        return answer
    }

    @Test("every object has its fields, always all of them, in one order")
    func fields() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let schedule = try await api.schedule(workflow)
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            let touched = ["created_at", "updated_at", "created_by", "updated_by"]
            for (path, fields) in [
                (
                    "/workflows/\(workflow)",
                    [
                        "id", "team_id", "name", "description", "active_version",
                        "latest_version", "run_timeout_seconds", "retry", "max_concurrent_runs",
                        "paused", "revision",
                    ]
                ),
                (
                    "/workflows/\(workflow)/versions/0",
                    [
                        "workflow_id", "team_id", "version_number", "version_name",
                        "source_version_number", "is_active", "definition",
                    ]
                ),
                (
                    "/workflow-schedules/\(schedule)",
                    [
                        "id", "team_id", "workflow_id", "scheduled_time", "status", "run_input",
                        "version", "scheduled_by_name", "expires_at", "priority", "dedup_key",
                        "run_id", "error_message", "fired_at", "lateness_ms", "revision",
                    ]
                ),
                (
                    "/workflow-runs/\(run.id)",
                    [
                        "id", "team_id", "workflow_id", "version", "mode", "status",
                        "schedule_id", "trigger_id", "scheduled_time", "run_input", "output",
                        "error", "attempt", "tries", "priority", "expires_at", "fired_at",
                        "queued_at", "not_before", "first_started_at", "started_at", "deadline",
                        "lease_expires_at", "finished_at", "durations", "worker",
                    ]
                ),
            ] {
                let answer = try await api.call(.get, path)
                #expect(try Self.names(answer) == fields + touched, "\(path)")
            }
            #expect(run.status == 202)
            #expect(
                try Self.names(run)
                    == Self.names(try await api.call(.get, "/workflow-runs/\(run.id)")))
            let license = try await api.call(.get, "/license")
            #expect(
                try Self.names(license)
                    == ["team_id", "max_concurrent_runs", "in_progress", "queued"])
            #expect(license.json["queued"] as? Int == 1)
        }
    }

    @Test("what is left out of a new workflow has its default, and what is said is kept")
    func defaults() async throws {
        try await TestAPI.run { api in
            let plain = try await api.call(
                .post, "/workflows", #"{"name":"n","definition":{"executor":{"type":"echo"}}}"#)
            #expect(plain.json["run_timeout_seconds"] as? Int == 3_600)
            #expect(plain.json["max_concurrent_runs"] as? Int == 0)
            #expect(plain.json["active_version"] as? Int == 0)
            #expect(plain.json["paused"] as? Bool == false)
            #expect(plain.text.contains(#""retry":{"max_attempts":1,"#))
            let full = try await api.call(
                .post, "/workflows",
                #"{"name":"n","description":"d","definition":{"executor":{"type":"echo"}},"run_timeout_seconds":7,"max_concurrent_runs":2,"retry":{"max_attempts":3,"initial_backoff_seconds":4,"max_backoff_seconds":5}}"#
            )
            #expect(full.json["description"] as? String == "d")
            #expect(full.json["run_timeout_seconds"] as? Int == 7)
            #expect(full.json["max_concurrent_runs"] as? Int == 2)
            #expect(
                full.text.contains(
                    #""retry":{"max_attempts":3,"initial_backoff_seconds":4,"max_backoff_seconds":5}"#
                ))
            let schedule = try await api.call(
                .get, "/workflow-schedules/\(try await api.schedule(full.id))")
            #expect(schedule.json["priority"] as? Int == 5)
            #expect(schedule.text.contains(#""run_input":null,"version":null,"#))
        }
    }

    @Test("execute takes the version that it names, and else the active one")
    func executedVersion() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let path = "/workflows/\(workflow)"
            _ = try await api.call(.post, path + "/versions", #"{"mark_as_active":true}"#)
            for (query, version) in [("", 1), ("?version=0", 0), ("?version=1&wait=0", 1)] {
                let run = try await api.call(
                    .post, path + "/execute" + query,
                    #"{"priority":9,"expires_at":"2999-01-01T00:00:00Z"}"#)
                #expect(run.status == 202, "\(run.text)")
                #expect(run.json["version"] as? Int == version, "\(query)")
                #expect(run.json["mode"] as? String == "manual")
                #expect(run.json["priority"] as? Int == 9)
                #expect(run.json["expires_at"] as? String == "2999-01-01T00:00:00Z")
            }
        }
    }

    @Test("a released run goes back to its place, and the try does not count")
    func release() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            let path = "/workflow-runs/\(run.id)"
            let claim = Command.claim(.worker("nobody"), worker: "w", leaseSeconds: 60)
            _ = try await api.submit(claim, team: try api.teamOfAdmin())
            let started = try await api.call(.get, path)
            #expect(started.json["worker"] as? String == "w")
            #expect(started.json["tries"] as? Int == 1)
            let released = try await api.call(.post, path + "/release", #"{"attempt":1}"#)
            #expect(released.json["status"] as? String == "queued")
            #expect(released.json["attempt"] as? Int == 1)
            #expect(released.json["tries"] as? Int == 0)
            #expect(released.json["queued_at"] as? String == run.json["queued_at"] as? String)
            _ = try await api.submit(claim, team: try api.teamOfAdmin())
            // The old attempt's answers come too late.
            for (end, body) in [
                ("/complete", #"{"attempt":1}"#), ("/fail", #"{"attempt":1}"#),
                ("/heartbeat", #"{"attempt":1}"#), ("/release", #"{"attempt":1}"#),
            ] {
                let stale = try await api.call(.post, path + end, body)
                #expect(stale.status == 409, "\(end)")
                #expect(stale.code == "stale_attempt", "\(end)")
                #expect(stale.json["attempt"] as? Int == 2, "\(end)")
            }
            let done = try await api.call(.post, path + "/complete", #"{"attempt":2}"#)
            #expect(done.json["status"] as? String == "completed")
        }
    }

    @Test("a failed run fails its schedule, which says why; a retried one does not yet")
    func failure() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let made = try await api.call(
                .post, "/workflows",
                #"{"name":"n","definition":{"executor":{"type":"worker","queue":"nobody"}},"retry":{"max_attempts":2,"initial_backoff_seconds":60,"max_backoff_seconds":60}}"#
            )
            let path = "/workflow-schedules/\(try await api.schedule(made.id))"
            clock.advance(seconds: 3_600)
            let fired = try await Self.read(api, path, until: "in_progress")
            let run = "/workflow-runs/\(try #require(fired.json["run_id"] as? String))"
            let claim = Command.claim(.worker("nobody"), worker: nil, leaseSeconds: 3_600)
            _ = try await api.submit(claim, team: try api.teamOfAdmin())
            let retried = try await api.call(
                .post, run + "/fail", #"{"attempt":1,"reason":"connection","message":"no \"é\""}"#)
            #expect(retried.json["status"] as? String == "queued")
            #expect(retried.json["not_before"] is String)
            #expect(
                retried.text.contains(#""error":{"reason":"connection","message":"no \"é\""}"#))
            #expect(
                try await api.call(.get, path).json["status"] as? String == "in_progress")
            clock.advance(seconds: 61)
            _ = try await Self.read(api, run, until: "queued")
            // The timer puts it back into the queue; until then a claim finds nothing.
            var attempt = 1
            while attempt == 1 {
                _ = try? await api.submit(claim, team: try api.teamOfAdmin())
                attempt = try await api.call(.get, run).json["attempt"] as? Int ?? 0
            }
            let failed = try await api.call(
                .post, run + "/fail", #"{"attempt":2,"message":"still not"}"#)
            #expect(failed.json["status"] as? String == "failed")
            #expect(failed.json["finished_at"] is String)
            let over = try await api.call(.get, path)
            #expect(over.json["status"] as? String == "failed")
            #expect(over.json["error_message"] as? String == "error: still not")
        }
    }

    @Test("a failure that is not to be tried again ends the run at once")
    func finalFailure() async throws {
        try await TestAPI.run { api in
            let made = try await api.call(
                .post, "/workflows",
                #"{"name":"n","definition":{"executor":{"type":"worker","queue":"nobody"}},"retry":{"max_attempts":9}}"#
            )
            let run = try await api.call(.post, "/workflows/\(made.id)/execute", "{}").id
            _ = try await api.submit(
                .claim(.worker("nobody"), worker: nil, leaseSeconds: 60),
                team: try api.teamOfAdmin())
            let failed = try await api.call(
                .post, "/workflow-runs/\(run)/fail", #"{"attempt":1,"retryable":false}"#)
            #expect(failed.json["status"] as? String == "failed")
            #expect(failed.text.contains(#""error":{"reason":"error","message":null}"#))
        }
    }

    @Test("a promise that could not be kept before it expired fails without a run")
    func expiry() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let workflow = try await api.waitingWorkflow()
            let id = try await api.schedule(
                workflow, more: #","expires_at":"\#(api.time(inSeconds: 3_601))""#)
            let path = "/workflow-schedules/\(id)"
            clock.advance(seconds: 3_601)
            let expired = try await Self.read(api, path, until: "failed")
            #expect(expired.json["error_message"] as? String == "expired before its run started")
            #expect(expired.text.contains(#""run_id":null,"#))
            #expect(expired.text.contains(#""fired_at":null,"lateness_ms":null"#))
            let late = try await api.call(.delete, path)
            #expect(late.status == 409)
            #expect(late.json["schedule_status"] as? String == "failed")
            #expect(late.json["run_id"] == nil)
            #expect(try await api.call(.get, "/workflow-runs").items.isEmpty)
        }
    }

    @Test("from counts itself in and to does not, in every zone")
    func bounds() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let time = "2999-01-01T00:00:00Z"
            let made = try await api.call(
                .post, "/workflows/\(workflow)/schedules", #"{"scheduled_time":"\#(time)"}"#)
            #expect(made.status == 201)
            for order in ["created", "scheduled_time"] {
                for (query, count) in [
                    ("from=\(time)", 1), ("to=\(time)", 0), ("from=\(time)&to=\(time)", 0),
                    ("to=2999-01-01T00:00:00.000001Z", 1),
                    ("from=2999-01-01T00:00:00.000001Z", 0),
                    ("to=2998-12-31T23:59:59.999999Z", 0),
                    ("from=2999-01-01T01:00:00%2B01:00", 1),
                    ("from=2999-01-02T00:00:00Z&to=2998-01-01T00:00:00Z", 0),
                ] {
                    let list = try await api.call(
                        .get, "/workflow-schedules?order=\(order)&\(query)")
                    #expect(list.items.count == count, "\(order) \(query): \(list.text)")
                }
            }
        }
    }

    @Test("pages of every list: of one, of a hundred, and the last has no next one")
    func pages() async throws {
        try await TestAPI.run { api in
            var workflows: [String] = []
            for _ in 0..<5 { workflows.append(try await api.waitingWorkflow()) }
            let first = workflows[0]
            for _ in 0..<4 { _ = try await api.call(.post, "/workflows/\(first)/versions") }
            for _ in 0..<5 { _ = try await api.call(.post, "/workflows/\(first)/execute", "{}") }
            for _ in 0..<5 { _ = try await api.schedule(first) }
            for list in [
                "/workflows", "/workflows/\(first)/versions", "/workflow-runs",
                "/workflow-schedules", "/workflows/\(first)/schedules",
            ] {
                let whole = try await api.call(.get, "\(list)?limit=100")
                #expect(whole.items.count == 5, "\(list)")
                #expect(whole.text.hasSuffix(#""next_cursor":null}"#), "\(list)")
                for limit in [1, 2, 5] {
                    var bodies: [String] = []
                    var cursor: String?
                    repeat {
                        let page = try await api.call(
                            .get, "\(list)?limit=\(limit)" + (cursor.map { "&cursor=\($0)" } ?? ""))
                        #expect(page.items.count <= limit, "\(list)")
                        let text = page.text.dropFirst(#"{"items":["#.count)
                        if let end = text.firstRange(of: #"],"next_cursor""#) {
                            bodies.append(String(text[..<end.lowerBound]))
                        }
                        cursor = page.json["next_cursor"] as? String
                    } while cursor != nil && bodies.count < 10
                    let joined = bodies.filter { !$0.isEmpty }.joined(separator: ",")
                    #expect(
                        whole.text == #"{"items":[\#(joined)],"next_cursor":null}"#,
                        "\(list) by \(limit)")
                }
                for limit in ["0", "101", "-1", "1.0", "1e1", "", "99999999999999999999"] {
                    let refused = try await api.call(.get, "\(list)?limit=\(limit)")
                    #expect(refused.status == 422, "\(list) limit=\(limit)")
                    #expect(refused.text.contains(#""pointer":"?limit""#), "\(refused.text)")
                }
            }
        }
    }
}
