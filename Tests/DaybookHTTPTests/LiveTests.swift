import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Dispatch
import Foundation
import Logging
import ServiceLifecycle
import Support
import Synchronization
import Testing

@testable import DaybookHTTP

/// The REST API over a socket: what a router without one cannot show.
@Suite("Over a socket", .timeLimit(.minutes(2)))
struct LiveTests {
    @Test("a promise over a socket is kept; pipelined requests are answered in their order")
    func promise() async throws {
        try await LiveAPI.run { live in
            let workflow = try await live.workflow(#"{"type":"echo"}"#)
            let made = try await live.ask(
                "POST", "/workflows/\(workflow)/execute?wait=60", #"{"run_input":{"a":1e400}}"#)
            #expect(made.hasPrefix("HTTP/1.1 200 "), "\(made)")
            #expect(made.contains(#""output":{"a":1e400}"#))
            #expect(made.lowercased().contains("\r\ndaybook-position: "))
            let client = try RawClient(port: live.port)
            await client.send(
                live.request("GET", "/healthz") + live.request("GET", "/license")
                    + live.request("GET", "/nothing", nil, "Connection: close\r\n"))
            let answers = try #require(await client.read())
            let statuses = answers.matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.1) }
            #expect(statuses == ["200", "200", "404"])
        }
    }

    /// What breaks the framing of HTTP/1.1 gets a 4xx, or no answer, and the connection ends.
    private static let broken: [(String, String)] = [
        ("garbage", "hello\r\n\r\n"), ("a TLS hello", "\u{16}\u{03}\u{01}\u{02}\u{00}\u{01}"),
        ("HTTP/0.9", "GET /healthz\r\n\r\n"), ("HTTP/3.0", "GET /healthz HTTP/3.0\r\n\r\n"),
        (
            "two lengths",
            "POST /pause HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"
        ),
        ("a negative length", "POST /pause HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
        ("a length with a sign", "POST /pause HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}"),
        (
            "a length beyond 64 bits",
            "POST /pause HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}"
        ),
        (
            "length and chunks",
            "POST /pause HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        (
            "a bad chunk",
            "POST /pause HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"
        ),
        (
            "a chunk beyond 64 bits",
            "POST /pause HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}"
        ),
        ("an unknown coding", "POST /pause HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"),
        ("a space before the colon", "GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n"),
        ("a folded header", "GET /healthz HTTP/1.1\r\nHost: x\r\nA: 1\r\n 2\r\n\r\n"),
        ("NUL in a header", "GET /healthz HTTP/1.1\r\nHost: x\r\nA: \u{0}\r\n\r\n"),
        ("a bare CR in a header", "GET /healthz HTTP/1.1\r\nHost: x\r\nA: 1\rB: 2\r\n\r\n"),
        ("a header without a name", "GET /healthz HTTP/1.1\r\nHost: x\r\n: 1\r\n\r\n"),
        ("a control character in the path", "GET /heal\u{1}thz HTTP/1.1\r\nHost: x\r\n\r\n"),
        (
            "a header of 20 KiB",
            "GET /healthz HTTP/1.1\r\nHost: x\r\nA: \(String(repeating: "a", count: 20 << 10))\r\n\r\n"
        ),
        (
            "101 headers",
            "GET /healthz HTTP/1.1\r\nHost: x\r\n\(String(repeating: "A: 1\r\n", count: 101))\r\n"
        ),
        (
            "40 KiB of headers",
            "GET /healthz HTTP/1.1\r\nHost: x\r\n\(String(repeating: "A: \(String(repeating: "a", count: 1_000))\r\n", count: 40))\r\n"
        ),
        (
            "a path of 100 KiB",
            "GET /\(String(repeating: "a", count: 100 << 10)) HTTP/1.1\r\nHost: x\r\n\r\n"
        ),
    ]

    @Test("what is not HTTP/1.1 is refused with its connection, and nothing is written")
    func framing() async throws {
        try await LiveAPI.run { live in
            let before = try live.engine.service().position
            for (what, text) in Self.broken {
                let client = try RawClient(port: live.port)
                await client.send(text)
                client.finish()
                let answer = try #require(await client.read(), "\(what): nothing within 20 s")
                // A request without a key is answered before its body; what follows is refused too.
                let statuses = answer.matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.1) }
                #expect(
                    statuses.allSatisfy { $0.hasPrefix("4") }, "\(what): \(answer.prefix(300))")
            }
            #expect(try live.engine.service().position == before)
            #expect(try await live.isAlive())
        }
    }

    @Test("a body that breaks off or whose chunks are none is the client's mistake, not ours")
    func brokenBodies() async throws {
        try await LiveAPI.run { live in
            let workflow = try await live.workflow()
            let path = "/workflows/\(workflow)/execute"
            let before = try live.engine.service().position
            for (what, header, body) in [
                ("no chunk", "Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"),
                ("a huge chunk", "Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n{}"),
                ("a chunk too short", "Transfer-Encoding: chunked\r\n", "1\r\n{}\r\n0\r\n\r\n"),
                ("an end in a chunk", "Transfer-Encoding: chunked\r\n", "9\r\n{}"),
                ("half a body", "Content-Length: 9\r\n", "{}"),
                ("no body", "Content-Length: 9\r\n", ""),
            ] {
                let client = try RawClient(port: live.port)
                await client.send(live.request("POST", path, nil, header) + body)
                client.finish()
                let answer = try #require(await client.read(), "\(what): nothing within 20 s")
                #expect(
                    answer.isEmpty || answer.hasPrefix("HTTP/1.1 400 "),
                    "\(what): \(answer.prefix(300))")
            }
            #expect(try live.engine.service().position == before)
            #expect(try await live.isAlive())
        }
    }

    @Test("a body that is too large is a 413 by its length alone, and by its chunks as they come")
    func largeBodies() async throws {
        try await LiveAPI.run { live in
            let workflow = try await live.workflow()
            let path = "/workflows/\(workflow)/execute"
            let before = try live.engine.service().position
            let announced = try RawClient(port: live.port)
            await announced.send(
                live.request("POST", path, nil, "Content-Length: 5000000000\r\n"))
            let early = await announced.read { $0.contains("\r\n\r\n") }
            #expect(early?.hasPrefix("HTTP/1.1 413 ") == true, "\(early ?? "nothing")")
            let chunked = try RawClient(port: live.port)
            await chunked.send(
                live.request("POST", path, nil, "Transfer-Encoding: chunked\r\n"))
            let chunk = "10000\r\n" + String(repeating: " ", count: 65_536) + "\r\n"
            for _ in 0..<20 { await chunked.send(chunk) }
            let late = await chunked.read { $0.contains("\r\n\r\n") }
            #expect(late?.hasPrefix("HTTP/1.1 413 ") == true, "\(late ?? "nothing")")
            #expect(try live.engine.service().position == before)
            #expect(try await live.isAlive())
        }
    }

    @Test("a body in chunks is one body, whatever its pieces")
    func chunks() async throws {
        try await LiveAPI.run { live in
            let workflow = try await live.workflow()
            let client = try RawClient(port: live.port)
            await client.send(
                live.request(
                    "POST", "/workflows/\(workflow)/execute", nil,
                    "Transfer-Encoding: chunked\r\nConnection: close\r\n"))
            for byte in #"{"run_input":"é"}"#.utf8 {
                await client.send(Array("1\r\n".utf8) + [byte] + Array("\r\n".utf8))
            }
            await client.send("0\r\nIdempotency-Key: trailer\r\n\r\n")
            let answer = try #require(await client.read())
            #expect(answer.hasPrefix("HTTP/1.1 202 "), "\(answer)")
            #expect(answer.contains(#""run_input":"é""#))
        }
    }

    @Test("a client that leaves before its answer finds it under its key")
    func goneClient() async throws {
        try await LiveAPI.run { live in
            let workflow = try await live.workflow()
            let path = "/workflows/\(workflow)/execute"
            for index in 0..<20 {
                let before = try live.engine.service().position
                let key = "Idempotency-Key: gone-\(index)\r\n"
                do {
                    let client = try RawClient(port: live.port)
                    await client.send(live.request("POST", path, "{}", key))
                    client.finish()
                }
                let answer = try await live.ask("POST", path, "{}", key)
                #expect(answer.hasPrefix("HTTP/1.1 202 "), "\(answer)")
                #expect(try live.engine.service().position == before + 1)
            }
        }
    }

    @Test("a connection on which nothing moves is closed")
    func idle() async throws {
        try await LiveAPI.run(connections: .with { $0.idleSeconds = 1 }) { live in
            for beginning in [
                "", "GET /healthz HT", live.request("POST", "/pause", nil, "Content-Length: 9\r\n"),
            ] {
                let client = try RawClient(port: live.port)
                await client.send(beginning)
                #expect(await client.read() != nil, "\(beginning.prefix(20)) stays open")
            }
            #expect(try await live.isAlive())
        }
    }

    @Test("who waits for a run is answered as soon as the service stops")
    func stopWhileWaiting() async throws {
        try await LiveAPI.run { live in
            let workflow = try await live.workflow()
            let client = try RawClient(port: live.port)
            let before = try live.engine.service().position
            let (entries, entry) = AsyncStream.makeStream(of: Void.self)
            let follower = live.engine.feed.follow { _ in entry.yield() }
            await client.send(
                live.request("POST", "/workflows/\(workflow)/execute?wait=60", "{}"))
            for await _ in entries { break }
            live.engine.feed.unfollow(follower)
            #expect(try live.engine.service().position == before + 1)
            let begun = live.engine.clock.sinceBoot()
            live.engine.endWaiting()
            await live.group.triggerGracefulShutdown()
            let answer = try #require(await client.read())
            #expect(answer.hasPrefix("HTTP/1.1 202 "), "\(answer)")
            #expect(answer.contains(#""status":"queued""#))
            #expect(live.engine.clock.sinceBoot() - begun < 20_000_000)
        }
    }
}
