import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import HTTPTypes
import Hummingbird
import NIOCore
import Support
import Synchronization
import Testing

@testable import DaybookHTTP

@Suite("The log as a stream", .timeLimit(.minutes(2)))
struct LogStreamTests {
    /// Opens a stream, and returns once the server has said where it begins.
    private static func open(
        _ live: LiveAPI, _ query: String = "", _ more: String = ""
    ) async throws -> RawClient {
        let client = try RawClient(port: live.port)
        await client.send(live.request("GET", "/log/stream" + query, nil, more))
        let head = try #require(await client.read { $0.contains("event: through") })
        #expect(head.hasPrefix("HTTP/1.1 200 "), "\(head)")
        #expect(head.lowercased().contains("content-type: text/event-stream"))
        return client
    }

    private static func positions(_ text: String) -> [Int] {
        text.matches(of: /id: (\d+)\r?\nevent: entry/).compactMap { Int($0.1) }
    }

    @Test("each new entry is one event with its position, and a lost connection goes on from it")
    func entries() async throws {
        try await LiveAPI.run { live in
            let client = try await Self.open(live)
            let before = Int(try live.engine.service().position)
            let workflow = try await live.workflow()
            _ = try await live.ask("POST", "/workflows/\(workflow)/execute", "{}")
            let text = try #require(await client.read { Self.positions($0).count >= 2 })
            #expect(Self.positions(text) == [before + 1, before + 2])
            #expect(text.contains(#""command":"create_workflow""#))
            _ = try await live.ask("POST", "/workflows/\(workflow)/execute", "{}")
            let again = try RawClient(port: live.port)
            await again.send(
                live.request("GET", "/log/stream", nil, "Last-Event-ID: \(before + 1)\r\n"))
            let rest = try #require(await again.read { Self.positions($0).count >= 2 })
            #expect(Self.positions(rest) == [before + 2, before + 3])
            let whole = try RawClient(port: live.port)
            await whole.send(live.request("GET", "/log/stream?after=0"))
            let all = try #require(
                await whole.read { Self.positions($0).count >= before + 3 })
            #expect(Self.positions(all) == Array(1...before + 3))
        }
    }

    @Test("a stream ends when its browser signs out")
    func signedOut() async throws {
        var settings = TestAPI.settings
        settings.streamHeartbeatSeconds = 1
        try await LiveAPI.run(settings: settings) { live in
            let signIn = try RawClient(port: live.port)
            await signIn.send(
                live.request(
                    "POST", "/session", #"{"key":"\#(live.key)"}"#, "Connection: close\r\n"))
            let answer = try #require(await signIn.read())
            let cookie = try #require(answer.firstMatch(of: /daybook_session=[0-9a-f]+/)).0
            let token = try #require(answer.firstMatch(of: /"csrf_token":"([0-9a-f]+)"/)).1
            func request(_ method: String, _ path: String, _ more: String = "") -> String {
                "\(method) \(path) HTTP/1.1\r\nHost: x\r\nCookie: \(cookie)\r\n\(more)\r\n"
            }
            let stream = try RawClient(port: live.port)
            await stream.send(request("GET", "/log/stream"))
            _ = try #require(await stream.read { $0.contains("event: through") })
            let signOut = try RawClient(port: live.port)
            await signOut.send(
                request("DELETE", "/session", "Daybook-CSRF: \(token)\r\nConnection: close\r\n"))
            #expect(await signOut.read()?.hasPrefix("HTTP/1.1 204") == true)
            // The end of a chunked body.
            #expect(await stream.read { $0.hasSuffix("0\r\n\r\n") } != nil)
        }
    }

    @Test("an event is one line of data, also where a definition came with line ends")
    func lineEnds() async throws {
        try await LiveAPI.run { live in
            let client = try await Self.open(live)
            _ = try await live.ask(
                "POST", "/workflows",
                "{\"name\":\"n\",\"definition\":{\"executor\":\r\n {\"type\":\n\"echo\"}}}")
            let text = try #require(await client.read { $0.contains("max_backoff_seconds") })
            #expect(text.contains(#""definition":{"executor":   {"type": "echo"}}"#), "\(text)")
        }
    }

    @Test("a filter lets through what it names, and through says how far it was looked at")
    func filtered() async throws {
        var settings = TestAPI.settings
        settings.streamHeartbeatSeconds = 1
        try await LiveAPI.run(settings: settings) { live in
            let workflow = try await live.workflow()
            let client = try await Self.open(live, "?event=run_cancelled")
            for _ in 0..<3 {
                _ = try await live.ask("POST", "/workflows/\(workflow)/execute", "{}")
            }
            let last = Int(try live.engine.service().position)
            let text = try #require(await client.read { $0.contains("{\"through\":\(last)}") })
            #expect(Self.positions(text).isEmpty)
            let id = try #require(
                LiveAPI.id(try await live.ask("POST", "/workflows/\(workflow)/execute", "{}")))
            _ = try await live.ask("POST", "/workflow-runs/\(id)/cancel")
            let found = try #require(await client.read { !Self.positions($0).isEmpty })
            #expect(Self.positions(found) == [last + 2])
        }
    }

    @Test(
        "it ends when its key is revoked, when the service stops, and is forgotten with its client")
    func ends() async throws {
        try await LiveAPI.run { live in
            let team = try #require(try live.engine.read { try $0.teams().first }).id
            let made = try await live.ask(
                "POST", "/api-keys", #"{"team_id":"\#(team)","role":"read","name":"r"}"#)
            let key = try #require(
                made.firstMatch(of: /"key":"(dbk_[0-9A-Za-z_]+)"/).map { String($0.1) })
            let reader = LiveAPI(
                engine: live.engine, port: live.port, key: key, group: live.group)
            let client = try await Self.open(reader)
            do {
                _ = try await Self.open(live)
                #expect(live.engine.openStreams.load(ordering: .relaxed) == 2)
            }
            while live.engine.openStreams.load(ordering: .relaxed) != 1 { await Task.yield() }
            let id = try #require(APIKeyText(key)).id
            _ = await live.engine.submitOwn([
                Submission(
                    .revokeKey(id), by: .system(.command), team: team,
                    id: live.engine.newCommandID())
            ])
            // The end of the answer is the end of its last chunk.
            #expect(
                await client.read { $0.hasSuffix("\r\n0\r\n\r\n") || $0.hasSuffix("0\r\n\r\n") }
                    != nil)
            while live.engine.openStreams.load(ordering: .relaxed) != 0 { await Task.yield() }
            let other = try await Self.open(live)
            live.engine.endWaiting()
            #expect(await other.read { $0.hasSuffix("0\r\n\r\n") } != nil)
        }
    }

    @Test("a position that is none, and one follower too many, are refused")
    func refused() async throws {
        var settings = TestAPI.settings
        settings.logStreams = 1
        try await LiveAPI.run(settings: settings) { live in
            for id in ["x", "999999", "-1"] {
                let answer = try await live.ask(
                    "GET", "/log/stream", nil, "Last-Event-ID: \(id)\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
            }
            #expect(try await live.ask("GET", "/log/stream?event=x").hasPrefix("HTTP/1.1 422 "))
            let client = try await Self.open(live)
            #expect(try await live.ask("GET", "/log/stream").hasPrefix("HTTP/1.1 503 "))
            client.finish()
            while live.engine.openStreams.load(ordering: .relaxed) != 0 { await Task.yield() }
            _ = try await Self.open(live)
        }
    }

    /// A connection that takes nothing, until it is cut.
    private struct StuckWriter: ResponseBodyWriter {
        struct Cut: Error {}

        let cut: Bell

        mutating func write(_ buffer: ByteBuffer) async throws {
            await cut.wait()
            throw Cut()
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    @Test("a client that takes nothing is cut off")
    func stuck() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let cut = Bell()
            let isCut = Mutex(false)
            let client = Client {
                isCut.withLock { $0 = true }
                cut.ring()
            }
            let stream = LogStream(
                engine: api.engine, filter: LogFilter(), payloads: false, after: 0,
                client: client, isAllowed: { true })
            #expect(stream.begin())
            let writing = Task {
                var writer: any ResponseBodyWriter = StuckWriter(cut: cut)
                try await stream.write(to: &writer)
            }
            let begun = clock.now()
            while !isCut.withLock({ $0 }) {
                clock.advance(microseconds: 100_000)
                await Task.yield()
            }
            let patience = Int64(api.engine.settings.streamPatienceSeconds) * 1_000_000
            #expect(clock.now().microseconds(since: begun) >= patience)
            await #expect(throws: StuckWriter.Cut.self) { try await writing.value }
        }
    }
}
