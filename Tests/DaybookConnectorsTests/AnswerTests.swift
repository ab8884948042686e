import DaybookConnectors
import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Foundation
import Logging
import NIOHTTP1
import Support
import Synchronization
import Testing

/// Says what it was asked, and answers from a table; a name that is not in it cannot be resolved.
private final class TableResolver: AddressResolver {
    struct Unknown: Error {}

    private let table: [String: [String]]
    private let asked = Mutex<[String]>([])

    init(_ table: [String: [String]]) {
        self.table = table
    }

    var names: [String] { asked.withLock { $0 } }

    func addresses(of name: String) async throws -> [IPAddress] {
        asked.withLock { $0.append(name) }
        guard let addresses = table[name] else { throw Unknown() }
        return addresses.compactMap { IPAddress($0) }
    }
}

@Suite("Answers of receivers", .timeLimit(.minutes(5)))
struct AnswerTests {
    @Test("a run by hand without input sends null for what it does not have")
    func nulls() async throws {
        let bench = try Bench()
        let receiver = try await Receiver { _ in .answer(200) }
        let url = "http://127.0.0.1:\(receiver.port)/"
        #expect(await bench.executor.execute(Bench.work(url)) == .completed(nil))
        let body = try #require(receiver.received.first?.body)
        let text = String(decoding: body, as: UTF8.self)
        let ids = (run: RunID.number(9), workflow: WorkflowID.number(2))
        #expect(text.hasPrefix(#"{"run_id":"\#(ids.run)","attempt":1,"#))
        #expect(text.contains(#","workflow_id":"\#(ids.workflow)","version":0,"mode":"manual","#))
        #expect(text.hasSuffix(#","scheduled_time":null,"run_input":null}"#))
        await bench.clients.shutDown()
        try await receiver.stop()
    }

    @Test("all attempts of a run have one Idempotency-Key, and each its own webhook-id")
    func attempts() async throws {
        let bench = try Bench()
        let receiver = try await Receiver { _ in .answer(500) }
        let url = "http://127.0.0.1:\(receiver.port)/"
        for attempt in 1...3 {
            _ = await bench.executor.execute(Bench.work(url, attempt: attempt))
        }
        let heads = receiver.received.map(\.headers)
        let id = RunID.number(9).description
        #expect(heads.map { $0.first(name: "Idempotency-Key") } == [id, id, id])
        #expect(
            heads.map { $0.first(name: "webhook-id") } == ["\(id)-1", "\(id)-2", "\(id)-3"])
        for (name, count) in [("Content-Type", 1), ("webhook-signature", 1), ("Host", 1)] {
            #expect(heads.allSatisfy { $0[name].count == count }, "\(name)")
        }
        await bench.clients.shutDown()
        try await receiver.stop()
    }

    @Test(
        "a signature holds for these bytes, this id and this secret alone",
        arguments: ["body", "id", "timestamp", "secret", "nothing"])
    func signature(_ changed: String) async throws {
        let bench = try Bench()
        let receiver = try await Receiver { _ in .answer(204) }
        _ = await bench.executor.execute(
            Bench.work("http://127.0.0.1:\(receiver.port)/", input: #"{"a":1.50}"#))
        await bench.clients.shutDown()
        try await receiver.stop()
        let request = try #require(receiver.received.first)
        let id = try #require(request.headers.first(name: "webhook-id"))
        let time = try #require(request.headers.first(name: "webhook-timestamp"))
        let next = String(try #require(Int(time)) + 1)
        let secret = [UInt8](repeating: changed == "secret" ? 9 : 7, count: 32)
        let verify: () throws -> Void = {
            try StandardWebhooks.verify(
                id: changed == "id" ? id + "0" : id,
                timestamp: changed == "timestamp" ? next : time,
                signature: request.headers.first(name: "webhook-signature"),
                body: request.body + (changed == "body" ? [0x20] : []),
                secrets: [try #require(WebhookSecret(bytes: secret))], now: SystemClock().now())
        }
        if changed == "nothing" {
            try verify()
        } else {
            #expect(throws: WebhookRefusal.noMatchingSignature) { try verify() }
        }
    }

    @Test(
        "any JSON is an output, byte for byte, whatever its type is said to be",
        arguments: [
            "null", "0", "-0.0", "1e400", "\"\"", "[]", " {\"b\": 1,\"a\":2}\n",
            "12345678901234567890.10",
        ])
    func outputs(_ text: String) async throws {
        let bench = try Bench()
        for status in [200, 201, 299] {
            let receiver = try await Receiver { _ in
                .answer(
                    status, headers: [("Content-Type", "text/plain")], body: Array(text.utf8))
            }
            let execution = await bench.executor.execute(
                Bench.work("http://127.0.0.1:\(receiver.port)/"))
            #expect(execution == .completed(Array(text.utf8)), "\(status)")
            try await receiver.stop()
        }
        await bench.clients.shutDown()
    }

    @Test(
        "what is no JSON of ours is no output",
        arguments: [
            [0xEF, 0xBB, 0xBF, 0x31], [0x22, 0xC3, 0x28, 0x22], Array("{\"a\":1,\"a\":2}".utf8),
            Array("NaN".utf8), Array("01".utf8), Array("[1,]".utf8), [0x20],
            [0x1F, 0x8B, 0x08, 0x00], [UInt8](repeating: 0x5B, count: 1_000),
        ] as [[UInt8]])
    func badOutputs(_ body: [UInt8]) async throws {
        let bench = try Bench()
        let receiver = try await Receiver { _ in .answer(200, body: body) }
        let execution = await bench.executor.execute(
            Bench.work("http://127.0.0.1:\(receiver.port)/"))
        guard case .failed(.invalidOutput, let message, _, nil) = execution else {
            Issue.record("\(execution)")
            return
        }
        #expect(message.hasPrefix("the output is not JSON"))
        await bench.clients.shutDown()
        try await receiver.stop()
    }

    @Test("the limit of an output is the last byte that fits")
    func outputLimit() async throws {
        var limits = HTTPExecutor.Limits()
        limits.answerBytes = 2_000
        limits.outputBytes = 1_000
        let bench = try Bench(limits: limits)
        for (count, fits) in [(1_000, true), (1_001, false), (2_000, false), (2_001, false)] {
            let body = Array("\"\(String(repeating: "x", count: count - 2))\"".utf8)
            let receiver = try await Receiver { _ in .answer(200, body: body) }
            let execution = await bench.executor.execute(
                Bench.work("http://127.0.0.1:\(receiver.port)/"))
            if case .completed = execution {
                #expect(fits, "\(count)")
            } else {
                #expect(!fits, "\(count): \(execution)")
            }
            try await receiver.stop()
        }
        await bench.clients.shutDown()
    }

    @Test("a redirect leads nowhere: the place that it names is not called")
    func redirects() async throws {
        let bench = try Bench()
        let other = try await Receiver { _ in .answer(200) }
        let location = "http://127.0.0.1:\(other.port)/"
        for status in [301, 302, 303, 307, 308] {
            let receiver = try await Receiver { _ in
                .answer(status, headers: [("Location", location)])
            }
            let execution = await bench.executor.execute(
                Bench.work("http://127.0.0.1:\(receiver.port)/"))
            guard case .failed(.httpStatus, "the answer was \(status)", _, nil) = execution else {
                Issue.record("\(execution)")
                continue
            }
            try await receiver.stop()
        }
        #expect(other.received.isEmpty)
        await bench.clients.shutDown()
        try await other.stop()
    }

    @Test("a name is resolved once for each call, and an address never")
    func resolution() async throws {
        let resolver = TableResolver(["hook.example": ["127.0.0.1"]])
        let bench = try Bench(resolver: resolver)
        let receiver = try await Receiver { _ in .answer(204) }
        for host in ["hook.example", "127.0.0.1", "hook.example"] {
            let execution = await bench.executor.execute(
                Bench.work("http://\(host):\(receiver.port)/"))
            #expect(execution == .completed(nil))
        }
        #expect(resolver.names == ["hook.example", "hook.example"])
        #expect(receiver.received.count == 3)
        let unknown = await bench.executor.execute(Bench.work("http://nobody.example/"))
        guard case .failed(.connection, _, true, nil) = unknown else {
            Issue.record("\(unknown)")
            return
        }
        await bench.clients.shutDown()
        try await receiver.stop()
    }

    @Test(
        "an address in the URL is judged at connect too, whatever was allowed at save",
        arguments: [
            "127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "[::1]", "[fe80::1]",
            "[::ffff:127.0.0.1]", "[64:ff9b::a00:1]", "100.64.0.1", "224.0.0.1",
        ])
    func literals(_ host: String) async throws {
        let resolver = TableResolver([:])
        let bench = try Bench(allowed: ["192.0.2.0/24"], resolver: resolver)
        let execution = await bench.executor.execute(Bench.work("http://\(host):8080/"))
        guard case .failed(.connection, let message, _, _) = execution else {
            Issue.record("\(execution)")
            return
        }
        #expect(message.hasPrefix("the url must not lead to"), "\(message)")
        #expect(resolver.names.isEmpty)
        await bench.clients.shutDown()
    }

    @Test("a range that is allowed opens itself and nothing beside it")
    func allowedRanges() async throws {
        let receiver = try await Receiver { _ in .answer(204) }
        for (addresses, opens) in [
            (["127.0.0.1"], true), (["::ffff:127.0.0.1"], true),
            (["127.0.0.1", "127.0.0.9"], false), (["127.0.0.1", "::1"], false),
            (["127.0.0.1", "169.254.169.254"], false),
        ] {
            let bench = try Bench(
                allowed: ["127.0.0.1/32"],
                resolver: TableResolver(["hook.example": addresses]))
            let execution = await bench.executor.execute(
                Bench.work("http://hook.example:\(receiver.port)/"))
            #expect((execution == .completed(nil)) == opens, "\(addresses): \(execution)")
            await bench.clients.shutDown()
        }
        #expect(receiver.received.count == 2)
        try await receiver.stop()
    }

    @Test("a sealed header of another team does not open, and nothing is sent")
    func foreignSeal() async throws {
        let bench = try Bench()
        let receiver = try await Receiver { _ in .answer(204) }
        let sealed = bench.engine.seal(Array("canary".utf8), for: .header, of: .number(2)).text
        let execution = await bench.executor.execute(
            Bench.work(
                "http://127.0.0.1:\(receiver.port)/",
                #","headers":{"X-Token":{"sealed":"\#(sealed)"}}"#))
        guard case .failed(_, let message, _, _) = execution else {
            Issue.record("\(execution)")
            return
        }
        #expect(!message.contains("canary"))
        #expect(receiver.received.isEmpty)
        await bench.clients.shutDown()
        try await receiver.stop()
    }
}
