import DaybookCore
import DaybookEngine
import DaybookStore
import Support
import Testing

@testable import DaybookHTTP

@Suite("Claims over a socket", .timeLimit(.minutes(2)))
struct LiveClaimTests {
    private static func waitForClaims(_ count: Int, _ live: LiveAPI) async {
        while live.engine.claimants.count != count { await Task.yield() }
    }

    @Test("a waiting worker that leaves is forgotten, and the run goes to the next")
    func leavesWhileWaiting() async throws {
        try await LiveAPI.run { live in
            let workflow = try await live.workflow()
            let claim = live.request(
                "POST", "/queues/nobody/claim", #"{"worker":"w","wait_seconds":60}"#)
            do {
                let gone = try RawClient(port: live.port)
                await gone.send(claim)
                await Self.waitForClaims(1, live)
            }
            await Self.waitForClaims(0, live)
            // Half closed is gone too: it does not wait for an answer.
            let half = try RawClient(port: live.port)
            await half.send(claim)
            await Self.waitForClaims(1, live)
            half.finish()
            await Self.waitForClaims(0, live)
            let before = try live.engine.service().position
            let made = try await live.ask("POST", "/workflows/\(workflow)/execute", "{}")
            let answer = try await live.ask(
                "POST", "/queues/nobody/claim", #"{"worker":"w"}"#)
            #expect(answer.contains(try #require(LiveAPI.id(made))))
            #expect(answer.contains(#""attempt":1"#))
            #expect(try live.engine.service().position == before + 2)
        }
    }

    @Test("a connection goes on to be used after a long poll")
    func keepAlive() async throws {
        try await LiveAPI.run { live in
            let workflow = try await live.workflow()
            let client = try RawClient(port: live.port)
            let claim = live.request(
                "POST", "/queues/nobody/claim", #"{"worker":"w","wait_seconds":60}"#)
            for round in 1...3 {
                await client.send(claim)
                await Self.waitForClaims(1, live)
                let made = try await live.ask("POST", "/workflows/\(workflow)/execute", "{}")
                let id = try #require(LiveAPI.id(made))
                let answer = await client.read { $0.contains("]}") }
                #expect(answer?.contains(id) == true, "round \(round)")
            }
        }
    }

    /// Workers that vanish at any moment: whatever they were given comes back, or its lease ends it.
    /// Here the leases are long, so everything must have come back.
    @Test("what a worker was given that left before the answer is queued again, no try counted")
    func leavesBeforeTheAnswer() async throws {
        try await LiveAPI.run { live in
            var told = 0
            for step in 0..<40 {
                let workflow = try await live.workflow(
                    #"{"type":"worker","queue":"q\#(step)"}"#)
                let client = try RawClient(port: live.port)
                await client.send(
                    live.request(
                        "POST", "/queues/q\(step)/claim", #"{"worker":"w","wait_seconds":60}"#))
                await Self.waitForClaims(1, live)
                // The run that wakes the claim and the end of the connection race.
                async let made = live.ask("POST", "/workflows/\(workflow)/execute", "{}")
                client.finish()
                let id = try #require(LiveAPI.id(try await made))
                await Self.waitForClaims(0, live)
                let answer = try #require(await client.read())
                if answer.contains(id) {
                    // The answer was written first: a real worker would have had it.
                    told += 1
                    _ = try await live.ask("POST", "/workflow-runs/\(id)/cancel")
                }
            }
            let team = try #require(try live.engine.read { view in try view.teams().first }).id
            while try live.engine.usage(of: team).inProgress > 0 { await Task.yield() }
            #expect(try live.engine.usage(of: team).queued == 40 - told)
            let runs = try live.engine.runs(
                of: team, RunFilter(), after: nil, limit: 50, maximumBytes: .max
            ).items
            for run in runs where run.run.status == .queued { #expect(run.run.tries == 0) }
        }
    }

    @Test("a worker that is killed right after it asked is forgotten, and gets nothing")
    func resets() async throws {
        try await LiveAPI.run { live in
            let claim = live.request(
                "POST", "/queues/nobody/claim", #"{"worker":"w","wait_seconds":60}"#)
            for round in 0..<60 {
                let client = try RawClient(port: live.port)
                client.resetAtTheEnd()
                await client.send(claim)
                if round % 3 == 0 { for _ in 0..<round { await Task.yield() } }
            }
            // Those that were never read, and those that were.
            await Self.waitForClaims(0, live)
            let workflow = try await live.workflow()
            for _ in 0..<5 {
                _ = try await live.ask("POST", "/workflows/\(workflow)/execute", "{}")
            }
            let team = try #require(try live.engine.read { view in try view.teams().first }).id
            while try live.engine.usage(of: team).inProgress > 0 { await Task.yield() }
            let answer = try await live.ask(
                "POST", "/queues/nobody/claim", #"{"worker":"w","max":9}"#)
            #expect(answer.matches(of: /"run_id"/).count == 5)
        }
    }

    @Test("of pipelined claims none that was not written keeps its runs when the client goes")
    func pipelined() async throws {
        try await LiveAPI.run { live in
            let workflow = try await live.workflow()
            let team = try #require(try live.engine.read { view in try view.teams().first }).id
            let id = try #require(WorkflowID(hex: workflow))
            let input = live.engine.salted(
                Array("\"\(String(repeating: "x", count: 200_000))\"".utf8))
            for _ in 0..<60 {
                _ = await live.engine.submit(
                    Submission(
                        .execute(id, NewRun(input: input.payload)), by: .system(.command),
                        team: team, id: live.engine.newCommandID(), payload: input))
            }
            do {
                let client = try RawClient(port: live.port, receiveBytes: 4_096)
                client.resetAtTheEnd()
                let claim = live.request(
                    "POST", "/queues/nobody/claim", #"{"worker":"w","max":30}"#)
                await client.send(claim + claim)
                while try live.engine.usage(of: team).inProgress < 50 { await Task.yield() }
            }
            // Each answer is larger than what the sockets hold: neither was written whole.
            while try live.engine.usage(of: team).inProgress > 0 { await Task.yield() }
            #expect(try live.engine.usage(of: team).queued == 60)
        }
    }

    @Test("a run that was delivered stays with its worker, however soon that closes the connection")
    func closesAfterReading() async throws {
        try await LiveAPI.run { live in
            let workflow = try await live.workflow()
            let claim = live.request("POST", "/queues/nobody/claim", #"{"worker":"w"}"#)
            var told: Set<String> = []
            for round in 0..<100 {
                _ = try await live.ask("POST", "/workflows/\(workflow)/execute", "{}")
                let client = try RawClient(port: live.port)
                if round % 2 == 0 { client.resetAtTheEnd() }
                await client.send(claim)
                let answer = try #require(await client.read { $0.contains("]}") })
                let id = try #require(
                    answer.firstMatch(of: /"run_id":"([0-9a-f]{24})"/).map { String($0.1) })
                #expect(told.insert(id).inserted, "\(id) was given twice")
                if round % 50 == 49 {
                    // Everything that was told is still in progress, in its first attempt.
                    let team = try #require(try live.engine.read { try $0.teams().first }).id
                    #expect(try live.engine.usage(of: team).inProgress == 50)
                    for id in told {
                        _ = try await live.ask(
                            "POST", "/workflow-runs/\(id)/complete", #"{"attempt":1}"#)
                    }
                    #expect(try live.engine.usage(of: team).inProgress == 0)
                }
            }
        }
    }
}
