import DaybookConnectors
import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Foundation
import Logging
import NIOHTTP1
import Support
import Testing

/// Gives the addresses it is told, one list after the other.
private actor FakeResolver: AddressResolver {
    private var answers: [[String]]

    init(_ answers: [[String]]) {
        self.answers = answers
    }

    func addresses(of name: String) async throws -> [IPAddress] {
        (answers.count > 1 ? answers.removeFirst() : answers[0]).compactMap { IPAddress($0) }
    }
}

@Suite("HTTP executor")
struct HTTPExecutorTests {
    /// Small bounds, so that a test need not send much to pass them.
    private static var limits: HTTPExecutor.Limits {
        var limits = HTTPExecutor.Limits()
        limits.answerBytes = 4_096
        limits.outputBytes = 1_024
        return limits
    }

    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    /// Runs one request against a receiver that answers so.
    private func execute(
        _ more: String = "", redelivery: Bool = false,
        _ reply: @escaping @Sendable (Receiver.Received) -> Receiver.Reply
    ) async throws -> (Execution, [Receiver.Received]) {
        let bench = try Bench(limits: Self.limits)
        let receiver = try await Receiver(reply)
        let execution = await bench.executor.execute(
            Bench.work(
                "http://127.0.0.1:\(receiver.port)/hook?x=1", more, version: 3, isScheduled: true,
                attempt: 2, input: #"{"a":1.50}"#, secrets: [Bench.secret, Bench.oldSecret],
                isRedelivery: redelivery, traceparent: Self.trace))
        await bench.clients.shutDown()
        try await receiver.stop()
        return (execution, receiver.received)
    }

    @Test("the request says which run it is, and is signed with both secrets while they rotate")
    func request() async throws {
        let (execution, received) = try await execute(#","headers":{"X-Plain":"p"}"#) { _ in
            .answer(200, body: Array(#"{"ok": 1e400}"#.utf8))
        }
        #expect(execution == .completed(Array(#"{"ok": 1e400}"#.utf8)))
        let request = try #require(received.first)
        let id = RunID.number(9)
        #expect(received.count == 1)
        #expect(request.method == "POST")
        #expect(request.uri == "/hook?x=1")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"run_id":"\#(id)","attempt":2,"workflow_id":"\#(WorkflowID.number(2))","version":3,"mode":"scheduled","scheduled_time":"2026-01-01T00:00:01Z","run_input":{"a":1.50}}"#
        )
        #expect(request.headers.first(name: "Content-Type") == "application/json")
        #expect(request.headers.first(name: "Idempotency-Key") == id.description)
        #expect(request.headers.first(name: "X-Plain") == "p")
        #expect(request.headers.first(name: "traceparent") == Self.trace)
        #expect(request.headers.first(name: "webhook-id") == "\(id)-2")
        for secret in [Bench.secret, Bench.oldSecret] {
            try StandardWebhooks.verify(
                id: request.headers.first(name: "webhook-id"),
                timestamp: request.headers.first(name: "webhook-timestamp"),
                signature: request.headers.first(name: "webhook-signature"), body: request.body,
                secrets: [try #require(WebhookSecret(bytes: secret))], now: SystemClock().now())
        }
    }

    @Test("a sealed header goes out in clear, to the receiver alone")
    func sealedHeader() async throws {
        let bench = try Bench()
        let sealed = bench.engine.seal(Array("canary".utf8), for: .header, of: .number(1)).text
        let receiver = try await Receiver { _ in .answer(204) }
        let execution = await bench.executor.execute(
            Bench.work(
                "http://127.0.0.1:\(receiver.port)/",
                #","method":"PUT","headers":{"X-Token":{"sealed":"\#(sealed)"}}"#))
        #expect(execution == .completed(nil))
        #expect(receiver.received.first?.headers.first(name: "X-Token") == "canary")
        #expect(receiver.received.first?.method == "PUT")
        await bench.clients.shutDown()
        try await receiver.stop()
    }

    @Test("202 is accepted; a body that is not JSON or too large is no output")
    func outputs() async throws {
        let (accepted, _) = try await execute { _ in .answer(202) }
        #expect(accepted == .accepted)
        for body in [
            Array("hello".utf8), Array("{}x".utf8), [UInt8](repeating: 0x20, count: 2_000),
            [UInt8](repeating: 0x31, count: 2_000), [UInt8](repeating: 0x31, count: 5_000),
        ] {
            let (execution, _) = try await execute { _ in .answer(200, body: body) }
            guard case .failed(.invalidOutput, _, _, _) = execution else {
                Issue.record("\(body.count) bytes: \(execution)")
                continue
            }
        }
    }

    @Test(
        "which statuses may be tried again; redirects are not followed",
        arguments: [
            (301, true), (302, true), (400, false), (401, false), (404, false), (408, true),
            (409, true), (410, false), (425, true), (429, true), (500, true), (503, true),
        ])
    func statuses(_ status: Int, _ isRetryable: Bool) async throws {
        let (execution, received) = try await execute { _ in
            .answer(status, headers: [("Location", "http://127.0.0.1:1/other")])
        }
        #expect(received.count == 1)
        #expect(
            execution
                == .failed(
                    .httpStatus, message: "the answer was \(status)", isRetryable: isRetryable,
                    retryAfterSeconds: nil))
    }

    @Test(
        "Retry-After is held within bounds, and nonsense is passed over",
        arguments: [
            ("7", 7), ("0", 1), ("99999999", 3_600), ("-1", nil), ("1e99", nil), ("soon", nil),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 1), ("Fri, 31 Dec 2999 23:59:59 GMT", 3_600),
        ] as [(String, Int?)])
    func retryAfter(_ text: String, _ seconds: Int?) async throws {
        let (execution, _) = try await execute { _ in
            .answer(503, headers: [("Retry-After", text)])
        }
        guard case .failed(_, _, _, let found) = execution else {
            Issue.record("\(execution)")
            return
        }
        #expect(found == seconds)
    }

    @Test("no answer: reset, broken off, late, refused")
    func noAnswer() async throws {
        for (reply, reason) in [
            (Receiver.Reply.reset, RunError.Reason.connection), (.half, .connection),
            (.silence, .timeout), (.stall, .timeout),
        ] {
            let (execution, _) = try await execute(#","timeout_seconds":1"#) { _ in reply }
            guard case .failed(reason, _, true, nil) = execution else {
                Issue.record("\(reply): \(execution)")
                continue
            }
        }
        let bench = try Bench()
        let refused = await bench.executor.execute(
            Bench.work("http://127.0.0.1:1/"))
        guard case .failed(.connection, _, true, nil) = refused else {
            Issue.record("\(refused)")
            return
        }
        await bench.clients.shutDown()
    }

    @Test("a cancelled task breaks the request off")
    func cancelled() async throws {
        let bench = try Bench()
        let receiver = try await Receiver { _ in .silence }
        let work = Bench.work("http://127.0.0.1:\(receiver.port)/")
        let executor = bench.executor
        let task = Task { await executor.execute(work) }
        await receiver.waitForRequest()
        task.cancel()
        #expect(await task.value == .abandoned)
        await bench.clients.shutDown()
        try await receiver.stop()
    }

    @Test("what was open at the end of a process is sent again, unless the definition says not to")
    func redelivery() async throws {
        let (again, received) = try await execute(redelivery: true) { _ in .answer(200) }
        #expect(again == .completed(nil))
        #expect(received.count == 1)
        let (failed, none) = try await execute(#","redelivery":"fail""#, redelivery: true) { _ in
            .answer(200)
        }
        guard case .failed(.connection, _, _, _) = failed else {
            Issue.record("\(failed)")
            return
        }
        #expect(none.isEmpty)
    }

    @Test("a name that leads somewhere private, or only sometimes, or nowhere, is not called")
    func egress() async throws {
        let receiver = try await Receiver { _ in .answer(200) }
        let url = "http://hook.example:\(receiver.port)/"
        for answers in [
            [["127.0.0.1"]], [["93.184.216.34", "10.0.0.1"]], [["::ffff:127.0.0.1"]],
            [["169.254.169.254"]], [["fd00::1"]], [["64:ff9b::7f00:1"]], [[]],
        ] {
            let bench = try Bench(allowed: [], resolver: FakeResolver(answers))
            let execution = await bench.executor.execute(Bench.work(url))
            guard case .failed(.connection, let message, _, _) = execution else {
                Issue.record("\(answers): \(execution)")
                continue
            }
            #expect(message.contains("must"), "\(message)")
            await bench.clients.shutDown()
        }
        #expect(receiver.received.isEmpty)
        // A name that changes its mind: each call is judged by what it resolves to then, and goes
        // to the address that was judged.
        let rebinding = try Bench(
            allowed: ["127.0.0.1/32"], resolver: FakeResolver([["127.0.0.1"], ["127.0.0.2"]]))
        #expect(
            await rebinding.executor.execute(Bench.work(url)) == .completed(nil))
        guard
            case .failed(.connection, _, _, _) = await rebinding.executor.execute(
                Bench.work(url))
        else {
            Issue.record("the second answer was trusted")
            return
        }
        #expect(
            receiver.received.first?.headers.first(name: "Host")?.hasPrefix("hook.example") == true)
        await rebinding.clients.shutDown()
        try await receiver.stop()
    }
}
