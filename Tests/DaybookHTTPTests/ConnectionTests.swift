import DaybookCore
import DaybookEngine
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// Clients that are slow, many, or both.
@Suite("Connections", .timeLimit(.minutes(5)))
struct ConnectionTests {
    @Test("a head that trickles in, or never comes, ends the connection")
    func slowHead() async throws {
        try await LiveAPI.run(connections: .with { $0.headSeconds = 1 }) { live in
            let silent = try RawClient(port: live.port)
            let trickling = try RawClient(port: live.port)
            await trickling.send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            #expect(await silent.read() == "")
            #expect(await trickling.read() == "")
            #expect(try await live.isAlive())
        }
    }

    @Test(
        "a body that comes too slowly, or takes too long, ends the connection, and nothing is done")
    func slowBody() async throws {
        let limits = ConnectionLimits.with {
            $0.rateSeconds = 1
            $0.bodyBytesPerSecond = 100
        }
        try await LiveAPI.run(connections: limits) { live in
            let before = try live.engine.service().position
            let slow = try RawClient(port: live.port)
            await slow.send(
                live.request("POST", "/workflows", nil, "Content-Length: 5000\r\n") + "{\"na")
            let answer = await slow.read() ?? ""
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
            #expect(try live.engine.service().position == before)
        }
    }

    @Test("a body may come in pieces, a byte at a time")
    func steadyBody() async throws {
        // However slow the machine is.
        let limits = ConnectionLimits.with {
            $0.headSeconds = 3_600
            $0.bodySeconds = 3_600
            $0.rateSeconds = 3_600
        }
        try await LiveAPI.run(connections: limits) { live in
            let body = #"{"name":"n","definition":{"executor":{"type":"echo"}}}"#
            let steady = try RawClient(port: live.port)
            let request = live.request("POST", "/workflows", body, "Connection: close\r\n")
            for character in request { await steady.send(String(character)) }
            #expect(await steady.read()?.hasPrefix("HTTP/1.1 201") == true)
        }
    }

    @Test("one connection too many hears so, and there is room again when others go")
    func tooMany() async throws {
        try await LiveAPI.run(connections: .with { $0.perAddress = 3 }) { live in
            do {
                var open: [RawClient] = []
                for _ in 0..<3 {
                    let client = try RawClient(port: live.port)
                    await client.send(live.request("GET", "/healthz"))
                    #expect(
                        await client.read { $0.contains("ok") }?.hasPrefix("HTTP/1.1 200") == true)
                    open.append(client)
                }
                let fourth = try RawClient(port: live.port)
                let answer = await fourth.read() ?? ""
                #expect(answer.hasPrefix("HTTP/1.1 503"), "\(answer)")
                #expect(answer.lowercased().contains("retry-after: 1"))
                withExtendedLifetime(open) {}
            }
            while try await !live.isAlive() {}
        }
    }

    @Test("a client that does not read its answers is let go")
    func doesNotRead() async throws {
        let limits = ConnectionLimits.with {
            $0.perAddress = 2
            $0.stallSeconds = 1
        }
        try await LiveAPI.run(connections: limits) { live in
            let deaf = try RawClient(port: live.port)
            // Far more than the system keeps for somebody.
            await deaf.send(String(repeating: live.request("GET", "/openapi.yaml"), count: 300))
            let idle = try RawClient(port: live.port)
            await idle.send(live.request("GET", "/healthz"))
            #expect(await idle.read { $0.contains("ok") }?.hasPrefix("HTTP/1.1 200") == true)
            // There is no third place until the first one is free again.
            while try await !live.isAlive() {}
            withExtendedLifetime((deaf, idle)) {}
        }
    }

    @Test("a team that asks too much is told so, and another is not touched")
    func rates() async throws {
        var limits = API.Limits()
        limits.requestsPerSecond = 5
        let clock = ManualClock()
        try await TestAPI.run(limits: limits, settings: .stepped, clock: clock) { api in
            let other = try await api.newKey(.read, of: try await api.newTeam())
            var statuses: [Int] = []
            for _ in 0..<12 { statuses.append(try await api.call(.get, "/license").status) }
            #expect(statuses == Array(repeating: 200, count: 10) + [429, 429])
            #expect(try await api.call(.get, "/license", key: other).status == 200)
            // What needs no key is not counted.
            #expect(try await api.call(.get, "/healthz").status == 200)
            let refused = try await api.call(.get, "/license")
            #expect(refused.code == "rate_limited" && refused.headers[.retryAfter] == "1")
            clock.advance(seconds: 1)
            for _ in 0..<5 { #expect(try await api.call(.get, "/license").status == 200) }
            #expect(try await api.call(.get, "/license").status == 429)
        }
    }
}

extension ConnectionLimits {
    static func with(_ change: (inout ConnectionLimits) -> Void) -> ConnectionLimits {
        var limits = ConnectionLimits()
        change(&limits)
        return limits
    }
}
