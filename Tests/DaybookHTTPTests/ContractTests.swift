import DaybookCore
import DaybookEngine
import DaybookWire
import Foundation
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

@Suite("Contract")
struct ContractTests {
    private static let input = #"{"a":12345678901234567890.10, "b":1e400,"é":"\u00e9"}"#

    @Test("a schedule has all its fields, its input byte for byte, position and revision")
    func createdSchedule() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let due = api.time(inSeconds: 60)
            let answer = try await api.call(
                .post, "/workflows/\(workflow)/schedules",
                #"{"scheduled_time":"\#(due)","run_input":\#(Self.input),"priority":9,"scheduled_by_name":"Ada","dedup_key":"k","version":0,"expires_at":"\#(api.time(inSeconds: 90))"}"#
            )
            #expect(answer.status == 201)
            #expect(answer.headers[.eTag] == "\"1\"")
            #expect(answer.position == Int(try api.position()))
            let fields = [
                "id", "team_id", "workflow_id", "scheduled_time", "status", "run_input", "version",
                "scheduled_by_name", "expires_at", "priority", "dedup_key", "run_id",
                "error_message", "fired_at", "lateness_ms", "revision", "created_at",
                "updated_at", "created_by", "updated_by",
            ]
            for field in fields { #expect(answer.text.contains("\"\(field)\":"), "\(field)") }
            #expect(answer.json["scheduled_time"] as? String == due)
            #expect(answer.json["status"] as? String == "pending")
            #expect(answer.text.contains("\"run_input\":\(Self.input),"))
            let read = try await api.call(.get, "/workflow-schedules/\(answer.id)")
            #expect(read.status == 200)
            #expect(read.body == answer.body)
        }
    }

    @Test("a promise is kept: fired, run with its input, completed, and the schedule with it")
    func keptPromise() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.workflow()
            let schedule = try await api.soon(workflow, more: ",\"run_input\":\(Self.input)")
            // Waits by the feed for a later run of its own, until the first has been.
            var read = schedule
            let deadline = api.clock.now().adding(seconds: 120)
            while read.json["status"] as? String != "completed", api.clock.now() < deadline {
                let other = try await api.call(
                    .post, "/workflows/\(workflow)/execute?wait=60", "{}")
                #expect(other.status == 200)
                read = try await api.call(.get, "/workflow-schedules/\(schedule.id)")
            }
            #expect(read.json["status"] as? String == "completed")
            #expect((read.json["lateness_ms"] as? Int).map { $0 >= 0 } == true)
            let run = try await api.call(
                .get, "/workflow-runs/\(try #require(read.json["run_id"] as? String))")
            #expect(run.text.contains("\"run_input\":\(Self.input),\"output\":\(Self.input),"))
            #expect(run.json["mode"] as? String == "scheduled")
            #expect(run.json["status"] as? String == "completed")
            // It can be neither changed nor cancelled any more, and is told with its run.
            for method in [HTTPRequest.Method.patch, .delete] {
                let late = try await api.call(
                    method, "/workflow-schedules/\(schedule.id)",
                    method == .patch ? #"{"priority":1}"# : nil)
                #expect(late.status == 409)
                #expect(late.code == "not_pending")
                #expect(late.json["run_id"] as? String == run.id)
            }
        }
    }

    @Test("PATCH: absent stays, null clears, the same again is no entry")
    func patching() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let id = try await api.schedule(
                workflow,
                more: #","run_input":[1],"version":0,"expires_at":"\#(api.time(inSeconds: 7_200))""#
            )
            let path = "/workflow-schedules/\(id)"
            let cleared = try await api.call(
                .patch, path, #"{"version":null,"expires_at":null,"priority":7}"#)
            #expect(cleared.status == 200)
            #expect(cleared.text.contains(#""run_input":[1],"version":null,"#))
            #expect(cleared.text.contains(#""expires_at":null,"priority":7"#))
            #expect(cleared.headers[.eTag] == "\"2\"")
            let again = try await api.call(.patch, path, #"{"priority":7,"run_input":[1]}"#)
            #expect(again.status == 200)
            #expect(again.position == cleared.position)
            #expect(try api.position() == Position(try #require(cleared.position)))
            let null = try await api.call(.patch, path, #"{"run_input":null}"#)
            #expect(null.text.contains(#""run_input":null"#))
            for body in [#"{"priority":null}"#, #"{"scheduled_time":null}"#] {
                let refused = try await api.call(.patch, path, body)
                #expect(refused.status == 422, "\(body)")
            }
        }
    }

    @Test("If-Match: the revision that was seen, a list, any; weak and foreign tags never match")
    func conditions() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let id = try await api.schedule(workflow)
            let table: [(String, Int)] = [
                ("\"9\"", 412), ("W/\"1\"", 412), ("\"abc\"", 412), ("\"01\"", 412), ("1", 400),
                ("\"1", 400),
                ("\"8\", \"1\"", 200), ("*", 200), ("\"1\"", 412),
            ]
            for (priority, row) in table.enumerated() {
                let answer = try await api.call(
                    .patch, "/workflow-schedules/\(id)", #"{"priority":\#(priority % 10)}"#,
                    headers: [.ifMatch: row.0])
                #expect(answer.status == row.1, "\(row.0): \(answer.text)")
            }
        }
    }

    @Test("a cancelled schedule stays so, and is cancelled once")
    func cancelling() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let id = try await api.schedule(workflow)
            let cancelled = try await api.call(.delete, "/workflow-schedules/\(id)")
            #expect(cancelled.status == 200)
            #expect(cancelled.json["status"] as? String == "cancelled")
            let again = try await api.call(.delete, "/workflow-schedules/\(id)")
            #expect(again.status == 409)
            #expect(again.json["schedule_status"] as? String == "cancelled")
        }
    }

    @Test("a dedup_key holds one pending schedule of a workflow")
    func deduplication() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let first = try await api.schedule(workflow, more: #","dedup_key":"k""#)
            let body = #"{"scheduled_time":"\#(api.time(inSeconds: 60))","dedup_key":"k"}"#
            let path = "/workflows/\(workflow)/schedules"
            let second = try await api.call(.post, path, body)
            #expect(second.status == 409)
            #expect(second.json["schedule_id"] as? String == first)
            _ = try await api.call(.delete, "/workflow-schedules/\(first)")
            #expect(try await api.call(.post, path, body).status == 201)
        }
    }

    @Test("lists: filters, both orders, pages that go on over inserts")
    func lists() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let other = try await api.waitingWorkflow()
            var ids: [String] = []
            for _ in 0..<7 { ids.append(try await api.schedule(workflow)) }
            _ = try await api.schedule(other)
            _ = try await api.call(.delete, "/workflow-schedules/\(ids[2])")
            for (query, expected) in [
                ("", 8), ("?status=pending", 7), ("?status=cancelled", 1),
                ("?workflow_id=\(workflow)", 7), ("?order=scheduled_time", 8),
                ("?workflow_id=\(workflow)&status=pending", 6),
                ("?from=2999-01-01T00:00:00Z", 0), ("?to=2999-01-01T00:00:00Z", 8),
            ] {
                let answer = try await api.call(.get, "/workflow-schedules\(query)")
                #expect(answer.status == 200)
                #expect(answer.items.count == expected, "\(query)")
            }
            for base in [
                "/workflow-schedules?status=pending&limit=2", "/workflow-schedules?limit=3",
                "/workflow-schedules?order=scheduled_time&limit=3",
                "/workflows/\(workflow)/schedules?limit=2",
            ] {
                var seen: [String] = []
                var cursor: String?
                repeat {
                    let page = try await api.call(
                        .get, base + (cursor.map { "&cursor=\($0)" } ?? ""))
                    seen += page.items.compactMap { $0["id"] as? String }
                    cursor = page.json["next_cursor"] as? String
                    _ = try await api.schedule(other)
                } while cursor != nil && seen.count < 100
                #expect(Set(seen).count == seen.count, "\(base) shows something twice")
                let missed = Set(ids).subtracting(seen)
                #expect(missed.isSubset(of: [ids[2]]), "\(base) misses \(missed)")
            }
            for query in [
                "limit=0", "limit=101", "limit=x", "status=open", "order=up", "cursor=zz",
                "from=yesterday", "workflow_id=7", "nonsense=1",
                "from=2026-01-01T00:00:00Z&from=2026-01-02T00:00:00Z",
                "status=pending&status=failed",
            ] {
                let answer = try await api.call(.get, "/workflow-schedules?\(query)")
                #expect(answer.status == 422, "\(query)")
            }
        }
    }

    @Test("complete and fail: once, the same again, another, and an attempt that is not current")
    func answersAboutRuns() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let team = try api.teamOfAdmin()
            let run = try await api.call(
                .post, "/workflows/\(workflow)/execute", #"{"run_input":1}"#)
            #expect(run.status == 202)
            #expect(run.json["status"] as? String == "queued")
            let path = "/workflow-runs/\(run.id)"
            #expect(try await api.call(.post, path + "/complete", #"{"attempt":1}"#).status == 409)
            _ = try await api.submit(
                .claim(.worker("nobody"), worker: "w", leaseSeconds: 60), team: team)
            let beat = try await api.call(.post, path + "/heartbeat", #"{"attempt":1}"#)
            #expect(beat.status == 200)
            #expect(beat.json["lease_expires_at"] is String)
            let stale = try await api.call(.post, path + "/fail", #"{"attempt":2}"#)
            #expect(stale.status == 409)
            #expect(stale.code == "stale_attempt")
            let body = #"{"attempt":1,"output":{"x":1.0}}"#
            let done = try await api.call(.post, path + "/complete", body)
            #expect(done.status == 200)
            #expect(done.text.contains(#""output":{"x":1.0}"#))
            let again = try await api.call(.post, path + "/complete", body)
            #expect(again.status == 200)
            #expect(again.position == done.position)
            for other in [#"{"attempt":1,"output":2}"#, #"{"attempt":1}"#] {
                #expect(try await api.call(.post, path + "/complete", other).status == 409)
            }
            #expect(try await api.call(.post, path + "/cancel", "{}").status == 409)
            #expect(try api.position() == Position(try #require(done.position)))
        }
    }

    @Test("versions: draft, snapshot, rename, activate; a run keeps what it was queued with")
    func versions() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let base = "/workflows/\(workflow)/versions"
            let saved = try await api.call(
                .post, base, #"{"version_name":"one","mark_as_active":true}"#)
            #expect(saved.status == 201)
            #expect(saved.json["version_number"] as? Int == 1)
            #expect(saved.json["is_active"] as? Bool == true)
            let edited = try await api.call(
                .put, base + "/0/definition", #"{"executor":{"type":"echo","delay_ms":1}}"#)
            #expect(edited.status == 200)
            #expect(edited.text.contains(#""delay_ms":1"#))
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            #expect(run.json["version"] as? Int == 1)
            #expect(run.json["status"] as? String == "queued")
            let active = try await api.call(.post, base + "/0/activate", "{}")
            #expect(active.json["active_version"] as? Int == 0)
            let echoed = try await api.call(
                .post, "/workflows/\(workflow)/execute?wait=60", #"{"run_input":3}"#)
            #expect(echoed.status == 200)
            #expect(echoed.text.contains(#""output":3"#))
            let renamed = try await api.call(.patch, base + "/1", #"{"version_name":"two"}"#)
            #expect(renamed.json["version_name"] as? String == "two")
            #expect(try await api.call(.get, base).items.count == 2)
            for path in ["/2", "/01", "/x", "/-1"] {
                #expect(try await api.call(.get, base + path).status == 404, "\(path)")
            }
            #expect(
                try await api.call(
                    .put, base + "/1/definition", #"{"executor":{"type":"echo"}}"#
                ).status == 404)
        }
    }

    @Test("secrets in headers are written, kept and never shown, nor stored in clear")
    func secrets() async throws {
        try await TestAPI.run { api in
            let canary = "canary-5f3a9"
            let workflow = try await api.workflow(
                #"{"executor":{"type":"http","url":"https://example.com/","headers":{"X-Token":{"secret":"\#(canary)"},"X-Plain":"p"}}}"#
            )
            let path = "/workflows/\(workflow)/versions/0"
            let shown = try await api.call(.get, path)
            #expect(shown.text.contains(#""X-Token":{"secret": true},"X-Plain":"p""#))
            let kept = try await api.call(
                .put, path + "/definition",
                #"{"executor":{"type":"http","url":"https://example.com/b","headers":{"x-token":{"secret":true}}}}"#
            )
            #expect(kept.status == 200)
            for definition in [
                #"{"executor":{"type":"http","url":"https://example.com/","headers":{"Y":{"secret":true}}}}"#,
                #"{"executor":{"type":"http","url":"https://example.com/","headers":{"Y":{"sealed":"1.x"}}}}"#,
                #"{"executor":{"type":"http","url":"http://127.0.0.1/"}}"#,
                #"{"executor":{"type":"http","url":"http://10.0.0.1:80/"}}"#,
                #"{"executor":{"type":"http","url":"ftp://example.com/"}}"#,
                #"{"executor":{"type":"http","url":"https://example.com/","headers":{"Host":"x"}}}"#,
                #"{"executor":{"type":"worker","queue":"a b"}}"#, #"{"executor":{"type":"magic"}}"#,
                #"{"executor":{"type":"echo","delay":1}}"#, "{}", "[]",
            ] {
                let refused = try await api.call(.put, path + "/definition", definition)
                #expect(refused.status == 422, "\(definition)")
            }
            let rotated = try await api.call(
                .post, "/workflows/\(workflow)/secret/rotate", "{}")
            let secret = try #require(rotated.json["secret"] as? String)
            #expect(secret.hasPrefix("whsec_"))
            #expect(try await !api.call(.get, "/workflows/\(workflow)").text.contains("whsec_"))
            let stored = try Data(contentsOf: URL(fileURLWithPath: api.directory + "/db/data.mdb"))
            #expect(stored.range(of: Data(canary.utf8)) == nil)
            let key = try #require(Data(base64Encoded: String(secret.dropFirst(6))))
            #expect(stored.range(of: key) == nil)
            #expect(stored.range(of: Data(api.adminKey.utf8.suffix(30))) == nil)
        }
    }

    @Test("while the service is paused a promise waits; the workflow's pause holds runs alone")
    func pausing() async throws {
        try await TestAPI.run { api in
            #expect(try await api.call(.post, "/pause", "{}").status == 200)
            let unready = try await api.call(.get, "/readyz")
            #expect(unready.status == 503)
            #expect(unready.text.contains("paused"))
            #expect(
                try await api.call(.get, "/readyz", key: "-").text == #"{"status":"not_ready"}"#)
            #expect(try await api.call(.post, "/resume", "{}").status == 200)
            #expect(try await api.call(.get, "/readyz").status == 200)
            let workflow = try await api.workflow()
            _ = try await api.call(.patch, "/workflows/\(workflow)", #"{"paused":true}"#)
            let held = try await api.call(
                .post, "/workflows/\(workflow)/execute?wait=1", "{}")
            #expect(held.status == 202)
            _ = try await api.call(.patch, "/workflows/\(workflow)", #"{"paused":false}"#)
            let license = try await api.call(.get, "/license")
            #expect(license.json["max_concurrent_runs"] as? Int == 50)
        }
    }
}
