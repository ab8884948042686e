import DaybookConnectors
import DaybookWire
import Foundation
import NIOHTTP1
import Support
import Testing

/// The signature as somebody else's implementation of Standard Webhooks sees it.
@Suite("Foreign verifier")
struct ForeignVerifierTests {
    private static let isThere = Python.has("standardwebhooks")

    /// Ends with 0 where the request verifies, 3 where its body with a blank more does.
    private static let program = """
        import json, sys
        from standardwebhooks import Webhook, WebhookVerificationError
        request = json.load(sys.stdin)
        webhook = Webhook(request["secret"])
        webhook.verify(request["body"], request["headers"])
        try:
            webhook.verify(request["body"] + " ", request["headers"])
        except WebhookVerificationError:
            sys.exit(0)
        sys.exit(3)
        """

    @Test(
        "Python's standardwebhooks believes a request, and not a changed one",
        .enabled(if: isThere, "python3 or its package standardwebhooks is not installed"))
    func believed() async throws {
        let bench = try Bench()
        let receiver = try await Receiver { _ in .answer(204) }
        _ = await bench.executor.execute(
            Bench.work("http://127.0.0.1:\(receiver.port)/", input: #"{"é":1e400, "a":[1.50]}"#))
        await bench.clients.shutDown()
        try await receiver.stop()
        let request = try #require(receiver.received.first)
        let secret = try #require(WebhookSecret(bytes: Bench.secret))
        var headers: [String: String] = [:]
        for (name, value) in request.headers { headers[name] = value }
        let input: [String: Any] = [
            "secret": secret.text, "headers": headers,
            "body": String(decoding: request.body, as: UTF8.self),
        ]
        let text = String(
            decoding: try JSONSerialization.data(withJSONObject: input), as: UTF8.self)
        #expect(try Python.run(Self.program, text).status == 0)
    }
}
