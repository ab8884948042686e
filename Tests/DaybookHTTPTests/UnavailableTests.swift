import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Support
import Synchronization
import Testing

@testable import DaybookHTTP

/// Every reason why the service does not take a command now: 503, a code, and when to come again.
@Suite("Not now", .timeLimit(.minutes(5)))
struct UnavailableTests {
    private static func expect(
        _ answer: TestAPI.Answer, _ code: String, retryAfter: String, _ what: String = ""
    ) {
        #expect(answer.status == 503, "\(what): \(answer.text)")
        #expect(answer.code == code, "\(what): \(answer.text)")
        #expect(answer.headers[.retryAfter] == retryAfter, "\(what)")
        #expect(answer.headers[.contentType] == "application/problem+json", "\(what)")
        #expect(answer.headers[.daybookPosition] == nil, "\(what)")
    }

    @Test("while the log is replayed every route that needs a key says so, whatever the key is")
    func replaying() async throws {
        let disk = try TestStore()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        // An engine that has not been started is still at the beginning of its replay.
        let engine = Engine(
            store: disk.store, secrets: try SecretKeys(path: disk.directory + "/secrets.keys"),
            settings: TestAPI.settings, clock: SystemClock(), logger: logger)
        let server = Server(
            api: API(engine: engine, egress: .init(), logger: logger))
        try await Application(responder: server.responder(), logger: logger).test(.router) {
            client in
            for route in Route.all {
                for key in ["", "Bearer x"] {
                    let status = try await client.execute(
                        uri: route.path, method: route.method,
                        headers: key.isEmpty ? [:] : [.authorization: key]
                    ) { response in
                        if case .role = route.access {
                            #expect(response.headers[.retryAfter] == "2", "\(route.path)")
                            let text = String(buffer: response.body)
                            #expect(text.contains(#""code":"replaying""#), "\(text)")
                            #expect(text.contains(#""percent":0"#), "\(text)")
                        }
                        return response.status.code
                    }
                    #expect(status == Self.replayStatus(of: route), "\(route.path)")
                }
            }
        }
    }

    /// What needs nothing of the log is there from the beginning.
    private static func replayStatus(of route: Route) -> Int {
        switch (route.method, route.path) {
        case (_, "/healthz"), (_, "/openapi.yaml"), (_, "/"): 200
        case (.delete, "/session"): 204
        // The braces are no file's name.
        case (_, "/page/{file}"): 404
        default: 503
        }
    }

    @Test("with the disk nearly full new work is refused, and what ends something passes")
    func diskFull() async throws {
        var settings = TestAPI.settings
        // No disk has so much room; nobody looks before the test has made its things.
        settings.diskReserveBytes = .max
        try await TestAPI.run(settings: settings) { api in
            let workflow = try await api.waitingWorkflow()
            let path = "/workflow-schedules/\(try await api.schedule(workflow))"
            let runs = [
                try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id,
                try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id,
            ]
            _ = try await api.submit(
                .claim(.worker("nobody"), worker: "w", leaseSeconds: 60),
                team: try api.teamOfAdmin())
            api.engine.keepHouse()
            let before = try api.position()
            for (method, path, body) in [
                (HTTPRequest.Method.post, "/workflows/\(workflow)/execute", "{}"),
                (.patch, path, #"{"priority":1}"#),
                (.post, "/workflows/\(workflow)/versions", "{}"),
            ] {
                Self.expect(
                    try await api.call(method, path, body), "disk_full", retryAfter: "60", path)
            }
            #expect(try api.position() == before)
            #expect(try await api.call(.get, path).status == 200)
            let unready = try await api.call(.get, "/readyz")
            #expect(unready.status == 503)
            #expect(unready.text.contains("disk_full"))
            #expect(try await api.call(.delete, path).status == 200)
            let beat = try await api.call(
                .post, "/workflow-runs/\(runs[0])/heartbeat", #"{"attempt":1}"#)
            #expect(beat.status == 200)
            let done = try await api.call(
                .post, "/workflow-runs/\(runs[0])/complete", #"{"attempt":1}"#)
            #expect(done.status == 200)
            #expect(try await api.call(.post, "/workflow-runs/\(runs[1])/cancel").status == 200)
        }
    }

    @Test("a wall clock that jumped ahead stops all writing, until an administrator trusts it")
    func clockAhead() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let workflow = try await api.waitingWorkflow()
            clock.jump(seconds: 3_600)
            let before = try api.position()
            let path = "/workflows/\(workflow)/execute"
            Self.expect(
                try await api.call(.post, path, "{}"), "clock_suspect", retryAfter: "10")
            let unready = try await api.call(.get, "/readyz")
            #expect(unready.status == 503)
            #expect(unready.text.contains("ahead"))
            #expect(try await api.call(.get, "/workflows/\(workflow)").status == 200)
            #expect(try api.position() == before)
            let trusted = try await api.call(.post, "/clock/trust")
            #expect(trusted.status == 200, "\(trusted.text)")
            #expect(trusted.position.map { Position($0) } == before + 1)
            #expect(try await api.call(.post, path, "{}").status == 202)
            #expect(try await api.call(.get, "/readyz").status == 200)
        }
    }

    @Test("a wall clock that fell behind takes commands, and says that nothing fires")
    func clockBehind() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let workflow = try await api.workflow()
            clock.jump(seconds: -3_600)
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            #expect(run.status == 202, "\(run.text)")
            #expect(run.json["queued_at"] as? String == "2026-01-01T00:00:00Z")
            let unready = try await api.call(.get, "/readyz")
            #expect(unready.status == 503)
            #expect(unready.text.contains("behind"))
        }
    }

    @Test("a mailbox without room is told at once, while what ends something is taken")
    func overloaded() async throws {
        var settings = TestAPI.settings
        settings.mailboxCommands = 0
        try await TestAPI.run(settings: settings) { api in
            let made = try await api.submit(
                .createWorkflow(
                    NewWorkflow(name: "w", definition: .worker("nobody"), secret: .number(1))),
                team: try api.teamOfAdmin())
            guard case .workflow(let workflow) = made.answer else {
                Issue.record("\(made)")
                return
            }
            let queued = try await api.submit(
                .execute(workflow.id, NewRun()), team: try api.teamOfAdmin())
            guard case .run(let run) = queued.answer else {
                Issue.record("\(queued)")
                return
            }
            let before = try api.position()
            Self.expect(
                try await api.call(.post, "/workflows/\(workflow.id)/execute", "{}"),
                "overloaded", retryAfter: "1")
            #expect(try api.position() == before)
            #expect(try await api.call(.post, "/workflow-runs/\(run.id)/cancel").status == 200)
        }
    }

    @Test("a commit that failed promises nothing: the outcome is unknown, and the service ends")
    func outcomeUnknown() async throws {
        let fails = Atomic(false)
        struct Broken: Error {}
        try await TestAPI.run(commit: { batch in
            if fails.load(ordering: .relaxed) { throw Broken() }
            try batch.commit()
        }) { api in
            let workflow = try await api.waitingWorkflow()
            let before = try api.position()
            fails.store(true, ordering: .relaxed)
            let path = "/workflows/\(workflow)/execute"
            Self.expect(
                try await api.call(.post, path, "{}"), "outcome_unknown", retryAfter: "2")
            await api.engine.waitForEnd()
            let late = try await api.call(.post, path, "{}")
            #expect(late.status == 503, "\(late.text)")
            #expect(late.headers[.retryAfter] != nil)
            #expect(try api.position() == before)
        }
    }

    @Test("a service that stops takes no command, says when to come again, and still answers")
    func stopping() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            api.engine.beginStopping()
            let refused = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            Self.expect(refused, "stopping", retryAfter: "5")
            #expect(try await api.call(.get, "/workflows/\(workflow)").status == 200)
            let unready = try await api.call(.get, "/readyz")
            #expect(unready.status == 503)
            #expect(unready.text == #"{"status":"not_ready","reasons":["stopping"],"warnings":[]}"#)
            #expect(try await api.call(.get, "/healthz").status == 200)
        }
    }

    @Test("what comes due during a pause fires when it ends, once, and never before")
    func paused() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let workflow = try await api.waitingWorkflow()
            let id = try await api.schedule(workflow)
            let path = "/workflow-schedules/\(id)"
            #expect(try await api.call(.post, "/pause").text == #"{"paused":true}"#)
            let again = try await api.call(.post, "/pause")
            #expect(again.status == 200)
            #expect(try api.position() == Position(again.position ?? 0))
            clock.advance(seconds: 7_200)
            // A command's entry wakes the timer, which finds the pause.
            let other = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            #expect(other.status == 202)
            #expect(try await api.call(.get, path).json["status"] as? String == "pending")
            let (entries, entry) = AsyncStream.makeStream(of: Void.self)
            let follower = api.engine.feed.follow { _ in entry.yield() }
            defer { api.engine.feed.unfollow(follower) }
            #expect(try await api.call(.post, "/resume").text == #"{"paused":false}"#)
            var fired = try await api.call(.get, path)
            for await _ in entries {
                fired = try await api.call(.get, path)
                if fired.json["status"] as? String != "pending" { break }
            }
            #expect(fired.json["status"] as? String == "in_progress")
            #expect(fired.json["lateness_ms"] as? Int == 3_600_000)
        }
    }
}
