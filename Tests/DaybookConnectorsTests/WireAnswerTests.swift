import DaybookConnectors
import DaybookCore
import DaybookEngine
import Support
import Testing

/// What receivers put on the wire that no HTTP server would.
@Suite("Answers on the wire", .timeLimit(.minutes(5)))
struct WireAnswerTests {
    /// Runs one request against a receiver that answers with these bytes.
    private func execute(
        _ answer: String, then after: RawReceiver.After = .close, timeoutSeconds: Int = 30
    ) async throws -> Execution {
        let bench = try Bench()
        let receiver = try await RawReceiver(answer, then: after)
        let execution = await bench.executor.execute(
            Bench.work(
                "http://127.0.0.1:\(receiver.port)/", #","timeout_seconds":\#(timeoutSeconds)"#))
        await bench.clients.shutDown()
        try await receiver.stop()
        return execution
    }

    @Test(
        "odd answers that are HTTP are taken for what they say",
        arguments: [
            (
                "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7",
                "7"
            ),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7", "7"),
            ("HTTP/1.0 200 OK\r\n\r\n[1]", "[1]"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n",
                "[1]"
            ),
            ("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", nil),
            ("HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", nil),
            ("HTTP/1.1 204 No Content\r\n\r\n", nil),
        ] as [(String, String?)])
    func odd(_ answer: String, _ output: String?) async throws {
        #expect(try await execute(answer) == .completed(output.map { Array($0.utf8) }))
    }

    @Test(
        "what is not HTTP is no answer, and may be tried again",
        arguments: [
            "", "hello\r\n\r\n", "HTTP/1.1 xxx OK\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1]",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n[1]",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n11",
        ])
    func broken(_ answer: String) async throws {
        let execution = try await execute(answer)
        guard case .failed(.connection, let message, true, nil) = execution else {
            Issue.record("\(execution)")
            return
        }
        #expect(message.utf8.count < 1_000)
    }

    @Test("a head without end is not an answer either")
    func largeHead() async throws {
        let header = "A: \(String(repeating: "a", count: 8_000))\r\n"
        let head = "HTTP/1.1 200 OK\r\n" + String(repeating: header, count: 400)
        let execution = try await execute(head + "\r\n")
        guard case .failed(.connection, _, true, nil) = execution else {
            Issue.record("\(execution)")
            return
        }
    }

    @Test("bytes that drip for ever end with the time-out, in the head and in the body")
    func trickle() async throws {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "HTTP/1.1 200 OK\r\nA:",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
        ] {
            let clock = SystemClock()
            let begun = clock.sinceBoot()
            let execution = try await execute(answer, then: .trickle, timeoutSeconds: 1)
            guard case .failed(.timeout, _, true, nil) = execution else {
                Issue.record("\(execution)")
                continue
            }
            #expect(clock.sinceBoot() - begun < 15_000_000)
        }
    }

    @Test("a body without end is read no further than the limit")
    func endless() async throws {
        var limits = HTTPExecutor.Limits()
        limits.answerBytes = 20
        let bench = try Bench(limits: limits)
        let receiver = try await RawReceiver("HTTP/1.1 200 OK\r\n\r\n[", then: .trickle)
        let execution = await bench.executor.execute(
            Bench.work("http://127.0.0.1:\(receiver.port)/"))
        guard case .failed(.invalidOutput, _, _, nil) = execution else {
            Issue.record("\(execution)")
            return
        }
        await receiver.waitForDeparture()
        await bench.clients.shutDown()
        try await receiver.stop()
    }

    @Test("a run that ends otherwise closes its request, before the answer and in it")
    func cancelled() async throws {
        for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1"] {
            let bench = try Bench()
            let receiver = try await RawReceiver(answer, then: .silence)
            let work = Bench.work("http://127.0.0.1:\(receiver.port)/")
            let executor = bench.executor
            let task = Task { await executor.execute(work) }
            await receiver.waitForRequest()
            task.cancel()
            #expect(await task.value == .abandoned)
            await receiver.waitForDeparture()
            await bench.clients.shutDown()
            try await receiver.stop()
        }
    }

    @Test("a time-out closes its request too")
    func timeout() async throws {
        let bench = try Bench()
        let receiver = try await RawReceiver("", then: .silence)
        let execution = await bench.executor.execute(
            Bench.work("http://127.0.0.1:\(receiver.port)/", #","timeout_seconds":1"#))
        guard case .failed(.timeout, _, true, nil) = execution else {
            Issue.record("\(execution)")
            return
        }
        await receiver.waitForDeparture()
        await bench.clients.shutDown()
        try await receiver.stop()
    }
}
