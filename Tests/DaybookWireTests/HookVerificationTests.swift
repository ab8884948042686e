import DaybookCore
import Support
import Testing

@testable import DaybookWire

/// Whether a call is let in, and why not.
private func refusal(
    _ verification: HookVerification, _ headers: [String: String] = [:], _ body: String = "{}",
    token: String? = nil, secrets: [String], now: Instant = .dayOne
) -> HookRefusal? {
    let call = HookCall(
        header: { name in headers.first { $0.key.lowercased() == name.lowercased() }?.value },
        pathToken: token, body: Array(body.utf8))
    do throws(HookRefusal) {
        try verification.verify(call, secrets: secrets, now: now)
        return nil
    } catch {
        return error
    }
}

@Suite("Verification of hooks")
struct HookVerificationTests {
    private static let secret = "hush-hush-hush-hush"
    private static let body = #"{"a":1.50}"#

    @Test("GitHub's published example is let in, and nothing beside it")
    func github() {
        // docs.github.com, "Validating webhook deliveries".
        let github = HookVerification.hmac(HMACVerification(.github))
        let secret = "It's a Secret to Everybody"
        let code = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        func refused(_ value: String?, body: String = "Hello, World!") -> HookRefusal? {
            refusal(
                github, value.map { ["X-Hub-Signature-256": $0] } ?? [:], body, secrets: [secret])
        }
        #expect(refused("sha256=" + code) == nil)
        #expect(refused("sha256=" + code.uppercased()) == nil)
        #expect(refused("sha256=" + code, body: "Hello, World! ") == .wrongSignature)
        #expect(refused(code) == .malformedSignature)
        #expect(refused("sha1=" + code) == .malformedSignature)
        #expect(refused("sha256=" + code.dropLast(2)) == .malformedSignature)
        #expect(refused(nil) == .missingSignature)
        #expect(refused("") == .malformedSignature)
    }

    @Test("Shopify's is base 64, others are what the trigger says; computed with Python's hmac")
    func shapes() {
        let shopify = HookVerification.hmac(HMACVerification(.shopify))
        let code = "gOjxB8bxjmCP0qkKVB85G7Hrj43TMaHdRRR9RERr5Ek="
        #expect(
            refusal(shopify, ["x-shopify-hmac-sha256": code], Self.body, secrets: [Self.secret])
                == nil)
        #expect(
            refusal(shopify, ["x-shopify-hmac-sha256": code], Self.body, secrets: ["x"])
                == .wrongSignature)
        let sha1 = HookVerification.hmac(
            HMACVerification(header: "X-Sig", algorithm: .sha1, prefix: "v=", encoding: .hex))
        let headers = ["X-Sig": "v=8c0730cbf36dec94215342de9f723c628170cad4"]
        #expect(refusal(sha1, headers, Self.body, secrets: [Self.secret]) == nil)
        #expect(refusal(sha1, headers, Self.body, secrets: ["other", Self.secret]) == nil)
        #expect(refusal(sha1, headers, Self.body, secrets: []) == .wrongSignature)
    }

    @Test("Stripe's timestamp is signed, and holds for five minutes both ways")
    func stripe() {
        let stripe = HookVerification.hmac(HMACVerification(.stripe))
        let code = "f6ef300ec2c3f1ea8e4bc6d2a62975f58477d6fcd4bd03529a148873f625b1ca"
        let seconds = Instant.dayOne.microseconds / 1_000_000
        func refused(_ value: String, _ now: Instant = .dayOne) -> HookRefusal? {
            refusal(
                stripe, ["Stripe-Signature": value], #"{"id":"evt_1"}"#,
                secrets: ["whsec_test_secret"], now: now)
        }
        let good = "t=\(seconds),v1=\(code),v0=6ffbb59b2300aae63f272406069a9788598b792a"
        #expect(refused(good) == nil)
        #expect(refused("t=\(seconds),v1=\(String(repeating: "0", count: 64)),v1=\(code)") == nil)
        #expect(refused(good, .second(300)) == nil)
        #expect(refused(good, .second(301)) == .tooOld)
        #expect(refused(good, .second(-300)) == nil)
        #expect(refused(good, .second(-301)) == .tooNew)
        #expect(refused("t=\(seconds + 1),v1=\(code)") == .wrongSignature)
        #expect(refused("t=\(seconds),t=\(seconds),v1=\(code)") == .malformedSignature)
        #expect(refused("v1=\(code)") == .malformedSignature)
        #expect(refused("t=99999999999999999999,v1=\(code)") == .malformedSignature)
        #expect(refused("t=\(seconds),v0=\(code)") == .malformedSignature)
        #expect(refused("t=,v1=") == .malformedSignature)
    }

    @Test("Standard Webhooks with two secrets while they rotate")
    func standard() throws {
        let old = try #require(WebhookSecret(bytes: [UInt8](repeating: 1, count: 32)))
        let new = try #require(WebhookSecret(bytes: [UInt8](repeating: 2, count: 32)))
        let body = Array(Self.body.utf8)
        let headers = Dictionary(
            StandardWebhooks.headers(id: "m1", now: .dayOne, body: body, secrets: [old]).map {
                ($0.name, $0.value)
            }, uniquingKeysWith: { $1 })
        #expect(refusal(.standard, headers, Self.body, secrets: [new.text, old.text]) == nil)
        #expect(refusal(.standard, headers, Self.body, secrets: [new.text]) == .wrongSignature)
        #expect(
            refusal(.standard, headers, Self.body, secrets: [old.text], now: .second(301))
                == .tooOld)
        #expect(
            refusal(.standard, [:], Self.body, secrets: [old.text]) == .missingSignature)
        var newer = headers
        newer["webhook-signature"] = "v2,AAAA"
        #expect(refusal(.standard, newer, Self.body, secrets: [old.text]) == .wrongSignature)
        var dotted = headers
        dotted["webhook-id"] = "m.1"
        #expect(
            refusal(.standard, dotted, Self.body, secrets: [old.text]) == .malformedSignature)
    }

    @Test("a bearer's token and a path's are compared whole")
    func tokens() {
        let secrets = [Self.secret]
        #expect(
            refusal(.bearer, ["Authorization": "Bearer \(Self.secret)"], secrets: secrets) == nil)
        #expect(
            refusal(.bearer, ["authorization": "bearer \(Self.secret)"], secrets: secrets) == nil)
        for wrong in ["Bearer ", "Bearer \(Self.secret) ", "Basic \(Self.secret)", Self.secret] {
            #expect(refusal(.bearer, ["Authorization": wrong], secrets: secrets) == .wrongToken)
        }
        #expect(refusal(.bearer, secrets: secrets) == .missingSignature)
        #expect(refusal(.none, token: Self.secret, secrets: secrets) == nil)
        #expect(refusal(.none, token: "", secrets: secrets) == .wrongToken)
        #expect(refusal(.none, secrets: secrets) == .wrongToken)
    }

    @Test("a secret that is made is one that may be brought")
    func newSecrets() {
        let bytes = [UInt8](0..<32)
        for verification in [HookVerification.standard, .hmac(HMACVerification(.github)), .bearer] {
            let secret = verification.newSecret(bytes)
            #expect(verification.mistake(in: secret) == nil, "\(secret)")
            #expect(secret != verification.newSecret(bytes.reversed()))
        }
        #expect(HookVerification.none.newSecret(bytes).utf8.count == 64)
        #expect(HookVerification.none.mistake(in: "x") != nil)
        #expect(HookVerification.bearer.mistake(in: "short") != nil)
        #expect(HookVerification.bearer.mistake(in: "sixteen and a\nbreak") != nil)
        #expect(HookVerification.standard.mistake(in: "whsec_") != nil)
    }
}

@Suite("Inbound messages")
struct InboundMessageTests {
    private func input(
        _ body: [UInt8], _ type: String?, text: Bool = false, limit: Int = 1_000
    ) -> Result<[UInt8]?, UnusableMessage> {
        let message = InboundMessage(contentType: type, body: body)
        return Result { () throws(UnusableMessage) in
            try message.input(acceptsText: text, maximumBytes: limit)
        }
    }

    private func reason(_ result: Result<[UInt8]?, UnusableMessage>) -> Refusal.Reason? {
        if case .failure(let error) = result { error.reason } else { nil }
    }

    @Test("JSON is the input as it came")
    func json() {
        let body = Array(#" {"a":1e400, "b":[1.50]}"#.utf8)
        for type in [
            nil, "application/json", "Application/JSON; charset=utf-8",
            "application/cloudevents+json",
        ] {
            #expect(input(body, type) == .success(body), "\(type ?? "-")")
        }
        #expect(input([], "application/json") == .success(nil))
        #expect(input([], "text/plain") == .success(nil))
        for bad in ["{", #"{"a":1,"a":2}"#, String(repeating: "[", count: 70), "\u{FEFF}{}", "nul"]
        {
            #expect(reason(input(Array(bad.utf8), "application/json")) == .invalidJSON, "\(bad)")
        }
        #expect(reason(input([0xFF], nil)) == .invalidJSON)
        #expect(reason(input(body, nil, limit: body.count - 1)) == .tooLarge)
        #expect(input(body, nil, limit: body.count) == .success(body))
    }

    @Test("forms and texts are taken where the trigger says so")
    func texts() {
        let form = Array("a=1&b=%C3%A9".utf8)
        let type = "application/x-www-form-urlencoded"
        #expect(reason(input(form, type)) == .unsupportedContentType)
        #expect(
            input(form, type, text: true)
                == .success(
                    Array(#"{"content_type":"\#(type)","body":"a=1&b=%C3%A9"}"#.utf8)))
        #expect(
            input(Array("say \"é\"\n".utf8), "text/plain", text: true)
                == .success(
                    Array(#"{"content_type":"text/plain","body":"say \"é\"\n"}"#.utf8)))
        #expect(
            input(Array("no json".utf8), nil, text: true)
                == .success(Array(#"{"content_type":null,"body":"no json"}"#.utf8)))
        #expect(reason(input([0xFF], "text/plain", text: true)) == .invalidJSON)
        #expect(reason(input([0x00, 0xFF], nil, text: true)) == .invalidJSON)
        for other in [
            "application/octet-stream", "multipart/form-data; boundary=x", "application/xml",
        ] {
            #expect(reason(input(form, other, text: true)) == .unsupportedContentType, "\(other)")
        }
        // What says that it is JSON must be.
        #expect(reason(input(form, "application/json", text: true)) == .invalidJSON)
    }

    @Test("a pointer finds texts and numbers, by the examples of RFC 6901")
    func pointers() {
        let body = Array(
            #"{"foo":["bar","baz"],"":"empty","a/b":1,"c%d":2.50,"m~n":"8","n":null,"o":{"id":"x"}}"#
                .utf8)
        let message = InboundMessage(contentType: nil, body: body)
        let found: [(String, JSONPointer.Scalar?)] = [
            ("/foo/0", .string("bar")), ("/foo/1", .string("baz")), ("/foo/2", nil),
            ("/foo/01", nil),
            ("/foo/-", nil), ("/foo", nil), ("/", .string("empty")), ("/a~1b", .number("1")),
            ("/c%d", .number("2.50")),
            ("/\u{301}x", nil), ("/m~0n", .string("8")), ("/n", nil), ("/o/id", .string("x")),
            ("/o/id/x", nil),
            ("/missing", nil),
        ]
        for (text, value) in found {
            #expect(
                JSONPointer(text).flatMap { message.id(at: $0) } == value, "\(text)")
        }
        for bad in ["", "foo", "/~", "/~2", "/" + String(repeating: "x", count: 256)] {
            #expect(JSONPointer(bad) == nil, "\(bad)")
        }
    }
}

@Suite("Ids of messages")
struct MessageIDTests {
    @Test("kinds, queues and ids are apart; an empty id is none")
    func digests() throws {
        let ids: [MessageID?] = [
            MessageID("1"), MessageID(.number("1")), MessageID(ofSQS: "1"), MessageID("2"),
        ]
        var digests = ids.compactMap { $0?.digest() }
        digests += ["q", "r"].compactMap { MessageID("1")?.digest(inQueue: $0) }
        #expect(Set(digests).count == 6)
        #expect(MessageID(.string("1")) == MessageID("1"))
        #expect(MessageID("") == nil && MessageID(.string("")) == nil)
        // Lengths stand before the parts: none can be moved into its neighbour.
        #expect(
            MessageID("bc")?.digest(inQueue: "a") != MessageID("c")?.digest(inQueue: "ab"))
    }
}

@Suite("Configuration of triggers")
struct TriggerConfigurationTests {
    private func read(
        _ text: String, _ kind: Trigger.Source = .webhook, changing old: TriggerConfiguration? = nil
    ) throws -> (TriggerConfiguration?, [String]) {
        let body = Array(text.utf8)
        let fields = JSONFields(try JSONScanner.scan(body), body: body)
        let configuration = TriggerConfiguration(fields, kind, changing: old)
        return (configuration, fields.finish().map { "\($0.pointer) \($0.message)" })
    }

    @Test("what is read is written so that it reads the same")
    func roundTrip() throws {
        let texts: [(String, Trigger.Source)] = [
            (#"{"verification":{"type":"standard"}}"#, .webhook),
            (#"{"verification":{"type":"hmac","preset":"github"}}"#, .webhook),
            (
                #"{"verification":{"type":"hmac","preset":"shopify"},"deduplicate_by":null}"#,
                .webhook
            ),
            (
                #"{"verification":{"type":"hmac","preset":"stripe"},"deduplication_days":3}"#,
                .webhook
            ),
            (
                #"{"verification":{"type":"hmac","header":"X-S","algorithm":"sha1","prefix":"s=","encoding":"base64"},"deduplicate_by":{"header":"X-I"}}"#,
                .webhook
            ),
            (#"{"verification":{"type":"bearer"},"accepts_text":true}"#, .webhook),
            (
                #"{"verification":{"type":"none"},"deduplicate_by":{"pointer":"/a~1b/0"}}"#,
                .webhook
            ),
            (
                #"{"queue_url":"https://sqs.eu-central-1.amazonaws.com/1/q","region":"eu-central-1"}"#,
                .sqs
            ),
            (
                #"{"queue_url":"http://localhost:1/1/q","region":"x-1","endpoint":"http://localhost:1","max_receive_count":2,"deduplicate_by":{"attribute":"é"}}"#,
                .sqs
            ),
        ]
        for (text, kind) in texts {
            let (read, errors) = try read(text, kind)
            let configuration = try #require(read, "\(text) \(errors)")
            #expect(errors.isEmpty)
            #expect(TriggerConfiguration(stored: configuration.bytes, kind) == configuration)
            #expect(try self.read("{}", kind, changing: configuration).0 == configuration)
        }
    }

    @Test("the presets know where ids stand, and null switches it off")
    func idPlaces() throws {
        let places: [(String, TriggerConfiguration.IDPlace?)] = [
            (#"{"verification":{"type":"standard"}}"#, .header("webhook-id")),
            (
                #"{"verification":{"type":"hmac","preset":"github"}}"#,
                .header("X-GitHub-Delivery")
            ),
            (
                #"{"verification":{"type":"hmac","preset":"shopify"}}"#,
                .header("X-Shopify-Webhook-Id")
            ),
            (
                #"{"verification":{"type":"hmac","preset":"stripe"}}"#,
                JSONPointer("/id").map { .pointer($0) }
            ),
            (#"{"verification":{"type":"hmac","header":"X"}}"#, nil),
            (#"{"verification":{"type":"bearer"}}"#, nil),
            (#"{"verification":{"type":"standard"},"deduplicate_by":null}"#, nil),
        ]
        for (text, place) in places { #expect(try read(text).0?.idPlace == place, "\(text)") }
    }

    @Test("mistakes are told with their places")
    func mistakes() throws {
        let wrong: [(String, Trigger.Source, String)] = [
            ("{}", .webhook, "/verification is required"),
            (#"{"verification":{}}"#, .webhook, "/verification/type is required"),
            (#"{"verification":{"type":"jwt"}}"#, .webhook, "/verification/type must be one of"),
            (#"{"verification":{"type":"hmac"}}"#, .webhook, "/verification needs a header"),
            (
                #"{"verification":{"type":"hmac","preset":"github","prefix":"x"}}"#, .webhook,
                "/verification has other values than its preset"
            ),
            (
                #"{"verification":{"type":"standard","header":"x"}}"#, .webhook,
                "/verification/header is not a known field"
            ),
            (
                #"{"verification":{"type":"none"},"deduplicate_by":{"header":"a","pointer":"/b"}}"#,
                .webhook, "/deduplicate_by must have one of"
            ),
            (
                #"{"verification":{"type":"none"},"deduplicate_by":{"attribute":"a"}}"#, .webhook,
                "/deduplicate_by"
            ),
            (
                #"{"verification":{"type":"none"},"deduplication_days":0}"#, .webhook,
                "/deduplication_days must be between 1 and 90"
            ),
            (#"{"queue_url":"ftp://x","region":"eu"}"#, .sqs, "/queue_url must begin with"),
            (#"{"queue_url":"http://x/1/q","region":"E"}"#, .sqs, "/region must be a region"),
            (#"{"queue_url":"http://x/1/q"}"#, .sqs, "/region is required"),
        ]
        for (text, kind, message) in wrong {
            let (_, errors) = try read(text, kind)
            #expect(errors.contains { $0.hasPrefix(message) }, "\(text): \(errors)")
        }
        let standard = try #require(try read(#"{"verification":{"type":"standard"}}"#).0)
        let (_, errors) = try read(#"{"verification":{"type":"none"}}"#, changing: standard)
        #expect(errors.first?.hasPrefix("/verification cannot change its type") == true)
    }
}
