import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

@Suite("The log and the past", .timeLimit(.minutes(5)))
struct LogTests {
    private typealias Object = [String: any Sendable]

    private static func commands(_ answer: TestAPI.Answer) -> [String] {
        answer.items.compactMap { $0["command"] as? String }
    }

    @Test("an administrator reads every entry, page by page, without a gap")
    func pages() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            for _ in 0..<5 { _ = try await api.schedule(workflow) }
            var after = 0
            var seen: [Int] = []
            while true {
                let page = try await api.call(.get, "/log?after=\(after)&limit=3")
                #expect(page.status == 200)
                let positions = page.items.compactMap { $0["position"] as? Int }
                if positions.isEmpty { break }
                seen += positions
                after = try #require(page.json["through"] as? Int)
            }
            #expect(seen == Array(1...Int(try api.position())))
            let beyond = try await api.call(.get, "/log?after=999999")
            #expect(beyond.status == 422)
            #expect(beyond.text.contains("the log ends at \(try api.position())"))
            let end = try await api.call(.get, "/log?after=\(try api.position())")
            #expect(end.status == 200)
            #expect(end.items.isEmpty)
        }
    }

    @Test("an entry says who asked, when, by which request, and what happened")
    func entry() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let made = try await api.call(
                .post, "/workflows/\(workflow)/schedules",
                #"{"scheduled_time":"2999-01-01T00:00:00Z","run_input":{"a":1},"priority":7}"#)
            let position = try #require(made.position)
            let entry = try await api.call(.get, "/log/\(position)")
            #expect(entry.json["command"] as? String == "create_schedule")
            #expect(entry.json["request_id"] as? String == made.headers[.requestID])
            let key = try #require(APIKeyText(api.adminKey)).id
            #expect(entry.json["actor"] as? String == "key:\(key)")
            let event = try #require((entry.json["events"] as? [Object])?.first)
            #expect(event["event"] as? String == "schedule_created")
            #expect(event["schedule_id"] as? String == made.id)
            #expect(event["scheduled_time"] as? String == "2999-01-01T00:00:00Z")
            #expect(event["priority"] as? Int == 7)
            #expect((event["run_input"] as? Object)?["bytes"] as? Int == 7)
            #expect(event["previous"] as? Int == 0)
            let bytes = try await api.call(
                .get, "/log/\(position)", headers: [.accept: "application/protobuf"])
            #expect(bytes.headers[.contentType] == "application/protobuf")
            let stored = try api.engine.read { view in
                try view.entryBytes(at: Position(position))
            }
            #expect(bytes.body == stored)
            for path in ["/log/0", "/log/x", "/log/007", "/log/999999"] {
                #expect(try await api.call(.get, path).status == 404, "\(path)")
            }
        }
    }

    @Test("a page of large entries ends early, and the next ones have the rest")
    func largeEntries() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let values = (0..<40).map { "\"x-\($0)\":\"\(String(repeating: "x", count: 4_000))\"" }
            let definition =
                #"{"executor":{"type":"http","url":"https://example.com/","headers":{"#
                + values.joined(separator: ",") + "}}}"
            for _ in 0..<20 {
                let answer = try await api.call(
                    .put, "/workflows/\(workflow)/versions/0/definition", definition)
                try #require(answer.status == 200, "\(answer.text)")
            }
            let limit = api.engine.settings.logPageBytes
            func walk(_ path: String, next: (TestAPI.Answer) -> String?) async throws -> [Int] {
                var seen: [Int] = []
                var path: String? = path
                while let here = path {
                    let page = try await api.call(.get, here)
                    try #require(page.status == 200, "\(page.text)")
                    // One entry more than the limit at most.
                    #expect(page.body.count < limit + 2 * definition.utf8.count)
                    seen += page.items.compactMap { $0["position"] as? Int }
                    path = page.items.isEmpty ? nil : next(page)
                }
                return seen
            }
            let log = try await walk("/log?limit=100") { page in
                (page.json["through"] as? Int).map { "/log?limit=100&after=\($0)" }
            }
            #expect(log == Array(1...Int(try api.position())))
            let history = "/workflows/\(workflow)/history?limit=100"
            let ofWorkflow = try await walk(history) { page in
                (page.json["next_cursor"] as? String).map { history + "&cursor=\($0)" }
            }
            #expect(ofWorkflow.count == 21)
            #expect(ofWorkflow == ofWorkflow.sorted(by: >))
        }
    }

    @Test("a team sees its own entries and nothing of others or of the service")
    func apart() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let team = try await api.newTeam()
            let key = try await api.newKey(.read, of: team)
            let mine = try await api.newKey(.read, of: try api.teamOfAdmin())
            let theirs = try await api.call(.get, "/log?limit=100", key: key)
            #expect(Self.commands(theirs) == ["create_team", "create_key"])
            #expect(theirs.json["through"] as? Int == Int(try api.position()))
            let own = try await api.call(.get, "/log?limit=100", key: mine)
            #expect(Self.commands(own).contains("create_workflow"))
            #expect(!Self.commands(own).contains("start"))
            for item in own.items { #expect(item["team_id"] as? String != team.description) }
            // Entry 1 is the service's, and a workflow's entry is its team's.
            #expect(try await api.call(.get, "/log/1", key: mine).status == 404)
            let made = try #require(
                own.items.first { $0["command"] as? String == "create_workflow" }?["position"]
                    as? Int)
            #expect(try await api.call(.get, "/log/\(made)", key: mine).status == 200)
            #expect(try await api.call(.get, "/log/\(made)", key: key).status == 404)
            // Nor by asking for another team.
            #expect(try await api.call(.get, "/log?team_id=\(team)", key: mine).status == 422)
            #expect(
                try await api.call(.get, "/workflows/\(workflow)/history", key: key).status == 404)
        }
    }

    @Test("filters name what they let pass")
    func filters() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let other = try await api.waitingWorkflow()
            let schedule = try await api.schedule(workflow)
            _ = try await api.call(.patch, "/workflow-schedules/\(schedule)", #"{"priority":8}"#)
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id
            _ = try await api.call(.post, "/queues/nobody/claim", #"{"worker":"w"}"#)
            _ = try await api.call(.post, "/workflows/\(other)/execute", "{}")
            func commands(_ query: String) async throws -> [String] {
                Self.commands(try await api.call(.get, "/log?" + query))
            }
            #expect(
                try await commands("schedule_id=\(schedule)")
                    == ["create_schedule", "modify_schedule"])
            #expect(try await commands("run_id=\(run)") == ["execute", "claim"])
            #expect(
                try await commands("workflow_id=\(workflow)")
                    == [
                        "create_workflow", "create_schedule", "modify_schedule", "execute", "claim",
                    ])
            #expect(try await commands("event=run_queued") == ["execute", "execute"])
            #expect(try await commands("command=claim") == ["claim"])
            #expect(
                try await commands("actor=system").allSatisfy {
                    !["claim", "execute"].contains($0)
                })
            #expect(try await commands("from=2999-01-01T00:00:00Z").isEmpty)
            #expect(try await commands("to=2000-01-01T00:00:00Z").isEmpty)
            for query in [
                "event=x", "command=x", "run_id=x", "after=-1", "limit=0", "from=x", "x=1",
            ] {
                #expect(try await api.call(.get, "/log?" + query).status == 422, "\(query)")
            }
        }
    }

    @Test("a history is walked back, in pages, over everything that happened to the thing")
    func history() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let schedule = try await api.schedule(workflow)
            for priority in [1, 2, 3] {
                _ = try await api.call(
                    .patch, "/workflow-schedules/\(schedule)", #"{"priority":\#(priority)}"#)
            }
            _ = try await api.call(.delete, "/workflow-schedules/\(schedule)")
            let path = "/workflow-schedules/\(schedule)/history"
            let whole = try await api.call(.get, path)
            #expect(
                Self.commands(whole) == [
                    "cancel_schedule", "modify_schedule", "modify_schedule", "modify_schedule",
                    "create_schedule",
                ])
            #expect(whole.json["next_cursor"] is String == false)
            var pages: [Object] = []
            var cursor: String?
            repeat {
                let page = try await api.call(
                    .get, path + "?limit=2" + (cursor.map { "&cursor=\($0)" } ?? ""))
                #expect(page.items.count <= 2)
                pages += page.items
                cursor = page.json["next_cursor"] as? String
            } while cursor != nil
            #expect(
                pages.compactMap { $0["position"] as? Int }
                    == whole.items.compactMap { $0["position"] as? Int })
            // A position that is not about it leads nowhere.
            #expect(try await api.call(.get, path + "?cursor=1").items.isEmpty)
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id
            _ = try await api.call(.post, "/workflow-runs/\(run)/cancel")
            #expect(
                Self.commands(try await api.call(.get, "/workflow-runs/\(run)/history"))
                    == ["cancel_run", "execute"])
            #expect(
                Self.commands(try await api.call(.get, "/workflows/\(workflow)/history"))
                    == ["create_workflow"])
        }
    }

    @Test("a thing is shown as it was at a position or a time")
    func asOf() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let workflow = try await api.waitingWorkflow()
            let before = try api.position()
            let path = "/workflows/\(workflow)/schedules"
            let first = try await api.call(
                .post, path, #"{"scheduled_time":"2999-01-01T00:00:00Z","run_input":{"n":1.50}}"#)
            let shown = "/workflow-schedules/\(first.id)"
            let firstTime = RFC3339.format(clock.now())
            clock.advance(seconds: 1)
            let second = try await api.call(
                .patch, shown, #"{"scheduled_time":"2999-01-02T00:00:00Z","run_input":2}"#)
            clock.advance(seconds: 1)
            _ = try await api.call(.delete, shown)
            let past = try await api.call(
                .get, shown + "?as_of=\(try #require(first.position))")
            #expect(past.status == 200)
            #expect(past.body == first.body)
            #expect(try await api.call(.get, shown + "?as_of=\(firstTime)").body == first.body)
            #expect(
                try await api.call(.get, shown + "?as_of=\(try #require(second.position))").body
                    == second.body)
            #expect(
                try await api.call(.get, shown + "?as_of=\(try api.position())").body
                    == (try await api.call(.get, shown).body))
            #expect(try await api.call(.get, shown + "?as_of=\(before)").status == 404)
            for bad in ["0", "999999", "x", "2999-01-01T00:00:00Z", "2020-01-01"] {
                #expect(try await api.call(.get, shown + "?as_of=\(bad)").status == 422, "\(bad)")
            }
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            _ = try await api.call(.post, "/queues/nobody/claim", #"{"worker":"w"}"#)
            let done = try await api.call(
                .post, "/workflow-runs/\(run.id)/complete", #"{"attempt":1,"output":7}"#)
            #expect(done.status == 200)
            let queued = try await api.call(
                .get, "/workflow-runs/\(run.id)?as_of=\(try #require(run.position))")
            #expect(queued.body == run.body)
            let started = try await api.call(
                .get, "/workflow-runs/\(run.id)?as_of=\(try #require(run.position) + 1)")
            #expect(started.json["status"] as? String == "in_progress")
        }
    }

    /// Everything that ever was an answer of a schedule or a run is what `as_of` shows for it.
    @Test("after random commands the past is what was answered then")
    func randomPast() async throws {
        for numbers in RandomCases(1) {
            let seed = numbers.seed
            try await TestAPI.run { api in
                var numbers = SeededGenerator(seed: seed)
                let workflow = try await api.waitingWorkflow()
                var answers: [(path: String, position: Int, body: [UInt8])] = []
                var schedules: [String] = []
                var runs: [String] = []
                func note(_ path: String, _ answer: TestAPI.Answer) {
                    guard (200..<300).contains(answer.status), let position = answer.position else {
                        return
                    }
                    answers.append((path + answer.id, position, answer.body))
                }
                for _ in 0..<80 {
                    switch Int.random(in: 0..<7, using: &numbers) {
                    case 0:
                        let id = try await api.schedule(workflow)
                        schedules.append(id)
                    case 1, 2:
                        guard let id = schedules.randomElement(using: &numbers) else { continue }
                        let priority = Int.random(in: 0...9, using: &numbers)
                        note(
                            "/workflow-schedules/",
                            try await api.call(
                                .patch, "/workflow-schedules/\(id)",
                                #"{"priority":\#(priority),"run_input":\#(priority)}"#))
                    case 3:
                        guard let id = schedules.randomElement(using: &numbers) else { continue }
                        note(
                            "/workflow-schedules/",
                            try await api.call(.delete, "/workflow-schedules/\(id)"))
                    case 4:
                        let made = try await api.call(
                            .post, "/workflows/\(workflow)/execute", "{}")
                        runs.append(made.id)
                        note("/workflow-runs/", made)
                    case 5:
                        _ = try await api.call(
                            .post, "/queues/nobody/claim", #"{"worker":"w"}"#)
                    default:
                        guard let id = runs.randomElement(using: &numbers) else { continue }
                        let what = numbers.pick(["release", "complete", "cancel", "fail"])
                        note(
                            "/workflow-runs/",
                            try await api.call(
                                .post, "/workflow-runs/\(id)/\(what)",
                                what == "cancel" ? "{}" : #"{"attempt":1}"#))
                    }
                }
                for answer in answers {
                    let past = try await api.call(
                        .get, answer.path + "?as_of=\(answer.position)")
                    #expect(
                        past.body == answer.body,
                        "\(past.text) is not \(String(decoding: answer.body, as: UTF8.self)) \(numbers.hint)"
                    )
                }
            }
        }
    }
}
