import AsyncHTTPClient
import DaybookCore
import DaybookEngine
import DaybookWire
import Dispatch
import Logging
import NIOHTTP1
import Support
import Synchronization
import Testing

@testable import DaybookConnectors

/// Peers that do not answer hold up nobody but themselves.
@Suite("Slow peers", .timeLimit(.minutes(5)))
struct SlowPeerTests {
    @Test("requests that hang do not keep others of the same address from a connection")
    func connections() async throws {
        let receiver = try await Receiver { request in
            request.uri == "/hang" ? .silence : .answer(204)
        }
        let clients = OutboundClients(
            egress: EgressRules(allowed: [try CIDR("127.0.0.0/8")]), resolver: SystemResolver(),
            logger: LiveEdge.logger)
        let url = try OutboundURL("http://127.0.0.1:\(receiver.port)/")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    _ = try? await clients.exchange(
                        HTTPClientRequest(url: url.text + "hang"), with: url, seconds: 60
                    ) { _ in }
                }
            }
            for _ in 0..<40 { await receiver.waitForRequest() }
            let status = try await clients.exchange(
                HTTPClientRequest(url: url.text + "ok"), with: url, seconds: 10
            ) { $0.status.code }
            #expect(status == 204)
            group.cancelAll()
        }
        await clients.shutDown()
        try await receiver.stop()
    }

    @Test("a name whose servers do not answer holds up no other, and is looked up once at a time")
    func names() async throws {
        let gate = DispatchSemaphore(value: 0)
        let lookups = Mutex<[String: Int]>([:])
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let resolver = SystemResolver { name in
            lookups.withLock { $0[name, default: 0] += 1 }
            guard name.hasPrefix("slow") else { return [IPAddress("192.0.2.1")].compactMap(\.self) }
            begin.yield()
            gate.wait()
            return []
        }
        let waiting = (0..<20).map { index in
            Task { try await resolver.addresses(of: "slow\(index % 2).example") }
        }
        var slow = begun.makeAsyncIterator()
        for _ in 0..<2 { _ = await slow.next() }
        #expect(try await resolver.addresses(of: "fast.example").count == 1)
        // Who gives up is free at once, while the system still asks.
        for task in waiting.dropFirst(2) { task.cancel() }
        for task in waiting.dropFirst(2) {
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        for _ in 0..<2 { gate.signal() }
        for task in waiting.prefix(2) { #expect(try await task.value.isEmpty) }
        #expect(lookups.withLock { $0["slow0.example"] } == 1)
        // Asked anew later, it is looked up anew.
        gate.signal()
        _ = try await resolver.addresses(of: "slow0.example")
        #expect(lookups.withLock { $0["slow0.example"] } == 2)
    }

    @Test("a time-out holds while a name is looked up")
    func timeout() async throws {
        let gate = DispatchSemaphore(value: 0)
        let clients = OutboundClients(
            egress: EgressRules(),
            resolver: SystemResolver { _ in
                gate.wait()
                return []
            }, logger: LiveEdge.logger)
        let url = try OutboundURL("http://slow.example/")
        await #expect(throws: ExchangeTimeout.self) {
            try await clients.exchange(HTTPClientRequest(url: url.text), with: url, seconds: 1) {
                _ in
            }
        }
        gate.signal()
        await clients.shutDown()
    }

    @Test("a team whose receivers hang leaves room for the others")
    func teams() async throws {
        let dead = try await Receiver { _ in .silence }
        let alive = try await Receiver { _ in .answer(204) }
        try await LiveEdge.run(on: try TestStore()) { edge in
            for _ in 0..<30 {
                _ = try await edge.subscription("http://127.0.0.1:\(dead.port)/", timeout: 60)
            }
            _ = try await edge.workflow()
            var limits = DelivererService.Limits()
            limits.underWay = 16
            limits.perTeam = 2
            try await edge.delivering(limits) {
                // Half of sixteen, then half of what is left.
                for _ in 0..<5 { await dead.waitForRequest() }
                let other = try await edge.otherTeam()
                let mine = try await edge.subscription(
                    "http://127.0.0.1:\(alive.port)/", of: other)
                _ = try await edge.workflow(of: other)
                try await edge.until {
                    try edge.deliveries(of: mine, team: other).first?.status == .delivered
                }
            }
            #expect(dead.received.count < 16)
        }
        try await dead.stop()
        try await alive.stop()
    }

    @Test("what waits for a deleted subscription ends at once, whenever it was to be sent")
    func deleted() async throws {
        let receiver = try await Receiver { _ in .answer(503) }
        try await LiveEdge.run(on: try TestStore()) { edge in
            let subscription = try await edge.subscription(
                "http://127.0.0.1:\(receiver.port)/", backoff: 300)
            for _ in 0..<8 { _ = try await edge.workflow() }
            try await edge.delivering {
                try await edge.until {
                    edge.engine.circuits.state(of: subscription, at: edge.clock.now()) != .closed
                }
                try await edge.submit(.deleteSubscription(subscription))
                try await edge.until {
                    try edge.deliveries(of: subscription).allSatisfy { $0.status == .failed }
                }
            }
        }
        try await receiver.stop()
    }

    @Test(
        "Retry-After in each of its forms, held within bounds",
        arguments: [
            ("5", 5), ("0", 1), ("99999", 1_800), ("99999999999999999999999", 1_800),
            ("Thu, 01 Jan 2026 00:01:00 GMT", 60), ("Thursday, 01-Jan-26 00:01:00 GMT", 60),
            ("Thu Jan  1 00:01:00 2026", 60), ("Wed, 31 Dec 2025 00:00:00 GMT", 1),
            ("-1", nil), ("+30", nil), ("1e99", nil), ("", nil), ("5 s", nil),
        ] as [(String, Int?)])
    func retryAfter(_ text: String, _ seconds: Int?) {
        let found = AnswerRules.retryAfter(
            HTTPHeaders([("Retry-After", text)]), within: 1...1_800, now: .dayOne)
        #expect(found == seconds)
    }
}
