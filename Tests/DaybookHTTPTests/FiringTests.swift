import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// What can be read of promises and runs as time goes on.
@Suite("Over time", .timeLimit(.minutes(5)))
struct FiringTests {
    /// Reads the path after each entry until what it shows is as wanted.
    private static func read(
        _ api: TestAPI, _ path: String, until isWanted: (TestAPI.Answer) -> Bool
    ) async throws -> TestAPI.Answer {
        let (entries, entry) = AsyncStream.makeStream(of: Void.self)
        let follower = api.engine.feed.follow { _ in entry.yield() }
        defer { api.engine.feed.unfollow(follower) }
        var answer = try await api.call(.get, path)
        guard !isWanted(answer) else { return answer }
        for await _ in entries {
            answer = try await api.call(.get, path)
            if isWanted(answer) { break }
        }
        return answer
    }

    /// The path of a schedule that fires in a moment.
    private static func soon(
        _ api: TestAPI, _ workflow: String, more: String = ""
    ) async throws -> String {
        "/workflow-schedules/\(try await api.soon(workflow, more: more).id)"
    }

    @Test("a version that is not pinned is the one that is active at firing; a pinned one stays")
    func versionAtFiring() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            // Nothing fires before the new version is there.
            _ = try await api.call(.post, "/pause")
            let free = try await Self.soon(api, workflow)
            let pinned = try await Self.soon(api, workflow, more: #","version":0"#)
            let saved = try await api.call(
                .post, "/workflows/\(workflow)/versions", #"{"mark_as_active":true}"#)
            #expect(saved.status == 201)
            _ = try await api.call(.post, "/resume")
            for (path, version) in [(free, 1), (pinned, 0)] {
                let fired = try await Self.read(api, path) {
                    $0.json["status"] as? String == "in_progress"
                }
                let id = try #require(fired.json["run_id"] as? String)
                let run = try await api.call(.get, "/workflow-runs/\(id)")
                #expect(run.json["version"] as? Int == version)
                #expect(run.json["status"] as? String == "queued")
                #expect(
                    run.json["scheduled_time"] as? String
                        == fired.json["scheduled_time"] as? String)
                #expect("/workflow-schedules/\(run.json["schedule_id"] as? String ?? "")" == path)
                #expect(fired.json["fired_at"] is String)
            }
        }
    }

    @Test("a run that is cancelled after firing makes its schedule failed, and says why")
    func cancelledRun() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let path = try await Self.soon(api, workflow)
            let fired = try await Self.read(api, path) { $0.json["run_id"] is String }
            let run = "/workflow-runs/\(try #require(fired.json["run_id"] as? String))"
            let cancelled = try await api.call(.post, run + "/cancel")
            #expect(cancelled.status == 200)
            #expect(cancelled.json["status"] as? String == "cancelled")
            #expect(cancelled.json["finished_at"] is String)
            let failed = try await api.call(.get, path)
            #expect(failed.json["status"] as? String == "failed")
            #expect(failed.json["error_message"] as? String == "the run was cancelled")
            #expect(try await api.call(.post, run + "/cancel").status == 409)
        }
    }

    @Test("the history of runs: each filter alone and together, newest first")
    func runFilters() async throws {
        try await TestAPI.run { api in
            let waiting = try await api.waitingWorkflow()
            let echo = try await api.workflow()
            for _ in 0..<3 {
                _ = try await api.call(.post, "/workflows/\(waiting)/execute", "{}")
            }
            let done = try await api.call(.post, "/workflows/\(echo)/execute?wait=20", "{}")
            #expect(done.status == 200)
            let path = try await Self.soon(api, waiting)
            let fired = try await Self.read(api, path) { $0.json["run_id"] is String }
            let nobody = "0123456789abcdef01234567"
            for (query, count) in [
                ("", 5), ("?status=queued", 4), ("?status=completed", 1), ("?status=failed", 0),
                ("?mode=manual", 4), ("?mode=scheduled", 1), ("?workflow_id=\(waiting)", 4),
                ("?workflow_id=\(echo)&status=queued", 0), ("?workflow_id=\(nobody)", 0),
                ("?schedule_id=\(fired.id)", 1), ("?schedule_id=\(nobody)", 0),
                ("?trigger_id=\(nobody)", 0), ("?from=2999-01-01T00:00:00Z", 0),
                ("?to=2020-01-01T00:00:00Z", 0), ("?from=2020-01-01T00:00:00Z", 5),
                ("?mode=manual&status=queued&workflow_id=\(waiting)", 3),
            ] {
                let list = try await api.call(.get, "/workflow-runs\(query)")
                #expect(list.items.count == count, "\(query): \(list.text.prefix(200))")
                let ids = list.items.compactMap { $0["id"] as? String }
                #expect(ids == ids.sorted(by: >), "\(query)")
                #expect(list.json.keys.sorted() == ["items", "next_cursor"], "\(query)")
            }
            for query in [
                "status=open", "mode=magic", "order=created", "dedup_key=x", "limit=1e1",
                "limit=%2B5", "limit=", "from=2026-01-01", "cursor=", "cursor=0", "cursor=AB",
                "workflow_id=", "schedule_id=%00", "mode=manual&mode=manual",
            ] {
                let refused = try await api.call(.get, "/workflow-runs?\(query)")
                #expect(refused.status == 422, "\(query)")
            }
        }
    }

    @Test("a page ends at its bytes, and the pages together hold everything once")
    func pageBytes() async throws {
        var limits = API.Limits()
        limits.pageBytes = 1_000
        try await TestAPI.run(limits: limits) { api in
            let workflow = try await api.waitingWorkflow()
            let input = #","run_input":"\#(String(repeating: "x", count: 400))""#
            var made: [String] = []
            for _ in 0..<7 { made.append(try await api.schedule(workflow, more: input)) }
            for order in ["created", "scheduled_time"] {
                var seen: [String] = []
                var sizes: [Int] = []
                var cursor: String?
                repeat {
                    let page = try await api.call(
                        .get,
                        "/workflow-schedules?order=\(order)"
                            + (cursor.map { "&cursor=\($0)" } ?? ""))
                    sizes.append(page.items.count)
                    seen += page.items.compactMap { $0["id"] as? String }
                    cursor = page.json["next_cursor"] as? String
                } while cursor != nil && sizes.count < 20
                #expect(seen == (order == "created" ? made.reversed() : made), "\(order)")
                #expect(sizes.allSatisfy { $0 <= 3 }, "\(order): \(sizes)")
            }
        }
    }
}
