import DaybookConnectors
import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Foundation
import NIOHTTP1
import Support
import Synchronization
import Testing

@Suite("Deliverer", .timeLimit(.minutes(5)))
struct DelivererTests {
    private func isBelieved(_ request: Receiver.Received, at now: Instant) -> Bool {
        guard let secret = WebhookSecret(bytes: Bench.secret) else { return false }
        do {
            try StandardWebhooks.verify(
                id: request.headers.first(name: "webhook-id"),
                timestamp: request.headers.first(name: "webhook-timestamp"),
                signature: request.headers.first(name: "webhook-signature"),
                body: request.body, secrets: [secret], now: now)
            return true
        } catch {
            return false
        }
    }

    @Test("an end is told with what it was, signed, with the bearer token, and recorded")
    func told() async throws {
        let receiver = try await Receiver { _ in .answer(200, body: Array("thanks".utf8)) }
        try await LiveEdge.run(on: try TestStore()) { edge in
            let workflow = try await edge.workflow()
            let subscription = try await edge.subscription(
                "http://127.0.0.1:\(receiver.port)/hook?x=1", [.workflowRunCompleted],
                token: "t0k3n")
            // A promise was asked for within a trace, and what it leads to belongs to it.
            let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            guard
                case .schedule(let promise) = try await edge.submit(
                    .createSchedule(workflow, NewSchedule(scheduledTime: .second(1))),
                    traceparent: trace)
            else { throw LiveEdge.Refused(outcome: nil) }
            edge.clock.advance(seconds: 2)
            try await edge.submit(.fire(promise.id, revision: 1))
            guard
                case .run(let run) = try await edge.submit(
                    .claim(.worker("q"), worker: "w", leaseSeconds: nil))
            else { throw LiveEdge.Refused(outcome: nil) }
            #expect(try edge.engine.traceparent(of: run) == trace)
            let output = edge.engine.salted(Array(#"{"a":1e400, "é":[1.50]}"#.utf8))
            try await edge.submit(
                .complete(run.id, attempt: 1, output: output.payload), payload: output)
            try await edge.delivering {
                try await edge.until {
                    try edge.deliveries(of: subscription).first?.status == .delivered
                }
            }
            let request = try #require(receiver.received.first)
            let delivery = try #require(try edge.deliveries(of: subscription).first)
            #expect(receiver.received.count == 1)
            #expect(request.method == "POST" && request.uri == "/hook?x=1")
            #expect(request.headers.first(name: "authorization") == "Bearer t0k3n")
            #expect(request.headers.first(name: "webhook-id") == delivery.id.description)
            #expect(request.headers.first(name: "traceparent") == trace)
            #expect(isBelieved(request, at: edge.clock.now()))
            let body = String(decoding: request.body, as: UTF8.self)
            #expect(body.contains(#""output":{"a":1e400, "é":[1.50]}"#), "\(body)")
            for part in [
                #""event":"workflow_run_completed""#, #""position":\#(delivery.position)"#,
                #""id":"\#(run.id)""#, #""status":"completed""#, #""name":"w""#,
                #""error":null"#, #""completed_at":"2026-01-01T00:00:02Z""#,
            ] { #expect(body.contains(part), "\(part) in \(body)") }
            let attempts = try edge.engine.attempts(
                of: delivery.id, from: delivery.touched.position, limit: 10
            ).items
            #expect(attempts.count == 1 && attempts[0].attempt.statusCode == 200)
            #expect(attempts[0].answer == .bytes(Array("thanks".utf8)))
        }
        try await receiver.stop()
    }

    @Test("what failed for now is sent again in its time: the same id, the same body")
    func retries() async throws {
        let count = Mutex(0)
        let receiver = try await Receiver { _ in
            switch count.withLock({
                $0 += 1
                return $0
            }) {
            case 1: .answer(503, headers: [("Retry-After", "50")])
            case 2: .reset
            case 3: .half
            default: .answer(204)
            }
        }
        let clock = ManualClock()
        try await LiveEdge.run(on: try TestStore(), clock: clock) { edge in
            let subscription = try await edge.subscription("http://127.0.0.1:\(receiver.port)/")
            _ = try await edge.workflow()
            try await edge.delivering {
                try await edge.until {
                    try edge.deliveries(of: subscription).first?.status == .retrying
                }
                let first = try #require(try edge.deliveries(of: subscription).first)
                #expect(first.notBefore == clock.now().adding(seconds: 50))
                clock.advance(seconds: 50)
                try await edge.until { try edge.deliveries(of: subscription).first?.attempts == 2 }
                let second = try #require(try edge.deliveries(of: subscription).first)
                let wait = try #require(second.notBefore).microseconds(since: clock.now())
                #expect((16_000_000...20_000_000).contains(wait), "\(wait)")
                clock.advance(microseconds: wait)
                // 200 is an answer, however much of its body comes.
                try await edge.until {
                    try edge.deliveries(of: subscription).first?.status == .delivered
                }
            }
            let received = receiver.received
            #expect(received.count == 3)
            #expect(Set(received.map { $0.headers.first(name: "webhook-id") }).count == 1)
            #expect(Set(received.map(\.body)).count == 1)
        }
        try await receiver.stop()
    }

    @Test(
        "answers that will not change end it at once",
        arguments: [301, 302, 307, 400, 401, 404, 422])
    func failsForGood(_ status: Int) async throws {
        let elsewhere = try await Receiver { _ in .answer(200) }
        let port = elsewhere.port
        let receiver = try await Receiver { _ in
            .answer(status, headers: [("Location", "http://127.0.0.1:\(port)/")])
        }
        try await LiveEdge.run(on: try TestStore()) { edge in
            let subscription = try await edge.subscription("http://127.0.0.1:\(receiver.port)/")
            _ = try await edge.workflow()
            try await edge.delivering {
                try await edge.until {
                    try edge.deliveries(of: subscription).first?.status == .failed
                }
            }
            #expect(receiver.received.count == 1 && elsewhere.received.isEmpty)
            #expect(try edge.deliveries(of: subscription).first?.statusCode == status)
        }
        try await receiver.stop()
        try await elsewhere.stop()
    }

    @Test("410 disables the subscription, and what waits is held")
    func gone() async throws {
        let receiver = try await Receiver { _ in .answer(410) }
        try await LiveEdge.run(on: try TestStore()) { edge in
            let subscription = try await edge.subscription("http://127.0.0.1:\(receiver.port)/")
            _ = try await edge.workflow()
            try await edge.delivering {
                try await edge.until {
                    try edge.engine.subscription(subscription, of: edge.team)?.isGone == true
                }
            }
            #expect(
                try edge.engine.subscription(subscription, of: edge.team)?.isEnabled == false)
            #expect(try edge.deliveries(of: subscription).first?.status == .failed)
        }
        try await receiver.stop()
    }

    @Test("a dead endpoint gets two at a time, and delays no other")
    func deadEndpoint() async throws {
        let dead = try await Receiver { _ in .silence }
        let alive = try await Receiver { _ in .answer(204) }
        try await LiveEdge.run(on: try TestStore()) { edge in
            _ = try await edge.subscription("http://127.0.0.1:\(dead.port)/", timeout: 60)
            let other = try await edge.subscription("http://127.0.0.1:\(alive.port)/")
            for _ in 0..<10 { _ = try await edge.workflow() }
            try await edge.delivering {
                try await edge.until {
                    try edge.deliveries(of: other).allSatisfy { $0.status == .delivered }
                }
                await dead.waitForRequest()
            }
            #expect(alive.received.count == 10)
            #expect(dead.received.count <= 2)
        }
        try await dead.stop()
        try await alive.stop()
    }

    @Test("a circuit opens after five failures, and tries one delivery when its time is over")
    func circuit() async throws {
        let isUp = Mutex(false)
        let receiver = try await Receiver { _ in .answer(isUp.withLock { $0 } ? 200 : 500) }
        let clock = ManualClock()
        try await LiveEdge.run(on: try TestStore(), clock: clock) { edge in
            let subscription = try await edge.subscription("http://127.0.0.1:\(receiver.port)/")
            for _ in 0..<12 { _ = try await edge.workflow() }
            func attempts() throws -> Int {
                try edge.deliveries(of: subscription).reduce(0) { $0 + $1.attempts }
            }
            try await edge.delivering {
                try await edge.until { try attempts() >= Circuits.failures }
                guard
                    case .open(let end) = edge.engine.circuits.state(
                        of: subscription, at: clock.now())
                else {
                    Issue.record("the circuit is closed")
                    return
                }
                #expect(end == clock.now().adding(seconds: 30))
                // The sixth may have been under way.
                #expect(receiver.received.count <= Circuits.failures + 1)
                try await edge.until { try attempts() == receiver.received.count }
                isUp.withLock { $0 = true }
                clock.advance(seconds: 30)
                try await edge.until {
                    try edge.deliveries(of: subscription).allSatisfy { $0.status == .delivered }
                }
                #expect(
                    edge.engine.circuits.state(of: subscription, at: clock.now()) == .closed)
            }
        }
        try await receiver.stop()
    }

    @Test("a name that leads somewhere private is not called, and the delivery says so")
    func egress() async throws {
        struct Inside: AddressResolver {
            func addresses(of name: String) async throws -> [IPAddress] {
                [IPAddress("10.0.0.1")].compactMap(\.self)
            }
        }
        try await LiveEdge.run(on: try TestStore(), resolver: Inside()) { edge in
            let subscription = try await edge.subscription(
                "http://rebound.example.com/", retries: 0)
            _ = try await edge.workflow()
            try await edge.delivering {
                try await edge.until {
                    try edge.deliveries(of: subscription).first?.status == .failed
                }
            }
            let delivery = try #require(try edge.deliveries(of: subscription).first)
            let attempt = try edge.engine.attempts(
                of: delivery.id, from: delivery.touched.position, limit: 1
            ).items.first?.attempt
            #expect(attempt?.error?.contains("must not lead to 10.0.0.1") == true)
            #expect(attempt?.statusCode == nil)
        }
    }

    @Test(
        "a body without end is read no further than what is kept; one that is too slow changes nothing"
    )
    func endless() async throws {
        let head = "HTTP/1.1 500 No\r\nContent-Length: 10000000000\r\n\r\n"
        let large = try await RawReceiver(
            head + String(repeating: "x", count: 20_000), then: .silence)
        let slow = try await RawReceiver(
            "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", then: .trickle)
        try await LiveEdge.run(on: try TestStore()) { edge in
            let first = try await edge.subscription(
                "http://127.0.0.1:\(large.port)/", retries: 0)
            let second = try await edge.subscription(
                "http://127.0.0.1:\(slow.port)/", retries: 0, timeout: 1)
            _ = try await edge.workflow()
            try await edge.delivering {
                try await edge.until {
                    try edge.deliveries(of: first).first?.status == .failed
                        && edge.deliveries(of: second).first?.status == .delivered
                }
            }
            let delivery = try #require(try edge.deliveries(of: first).first)
            let attempt = try edge.engine.attempts(
                of: delivery.id, from: delivery.touched.position, limit: 1
            ).items.first
            guard case .bytes(let kept)? = attempt?.answer else {
                Issue.record("nothing was kept of the answer")
                return
            }
            #expect(kept.count == 4 << 10)
        }
        try await large.stop()
        try await slow.stop()
    }

    @Test("a process that dies between the answer and its record sends the same again, once")
    func crash() async throws {
        struct Died: Error {}
        let disk = try TestStore()
        let dies = Mutex(false)
        let clock = ManualClock()
        let receiver = try await Receiver { _ in
            dies.withLock { $0 = true }
            return .answer(200)
        }
        try await LiveEdge.run(
            on: disk, clock: clock,
            commit: { batch in
                guard dies.withLock({ $0 }) else { return try batch.commit() }
                batch.abort()
                throw Died()
            }
        ) { edge in
            _ = try await edge.subscription("http://127.0.0.1:\(receiver.port)/")
            _ = try await edge.workflow()
            try await edge.delivering { await edge.engine.waitForEnd() }
        }
        #expect(receiver.received.count == 1)
        try disk.reopen()
        try await LiveEdge.run(on: disk, clock: clock) { edge in
            let subscription = try #require(
                try edge.engine.subscriptions(of: edge.team, after: nil, limit: 1).items.first)
            try await edge.delivering {
                try await edge.until {
                    try edge.deliveries(of: subscription.id).first?.status == .delivered
                }
            }
        }
        let received = receiver.received
        #expect(received.count == 2)
        #expect(received[0].body == received[1].body)
        #expect(
            received[0].headers.first(name: "webhook-id")
                == received[1].headers.first(name: "webhook-id"))
        try await receiver.stop()
    }

    @Test("while paused nothing is sent, and all of it after the pause; what was deleted ends")
    func pauseAndDeletion() async throws {
        let receiver = try await Receiver { _ in .answer(204) }
        try await LiveEdge.run(on: try TestStore()) { edge in
            let subscription = try await edge.subscription("http://127.0.0.1:\(receiver.port)/")
            let doomed = try await edge.subscription("http://127.0.0.1:\(receiver.port)/doomed")
            try await edge.submit(.pause)
            _ = try await edge.workflow()
            try await edge.submit(.deleteSubscription(doomed))
            try await edge.delivering {
                // A commit that concerns deliveries makes it look.
                _ = try await edge.workflow()
                #expect(receiver.received.isEmpty)
                try await edge.submit(.resume)
                try await edge.until {
                    try edge.deliveries(of: subscription).allSatisfy { $0.status == .delivered }
                        && edge.deliveries(of: doomed).allSatisfy { $0.status == .failed }
                }
            }
            #expect(receiver.received.allSatisfy { $0.uri == "/" })
            #expect(receiver.received.count == 2)
        }
        try await receiver.stop()
    }
}
