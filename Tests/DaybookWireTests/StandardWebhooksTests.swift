import DaybookCore
import Testing

@testable import DaybookWire

// The vector of the specification's reference libraries.
private let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
private let sent: Int64 = 1_614_265_330
private let body = Array(#"{"test": 2432232314}"#.utf8)
private let secretText = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
private let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

private func secret(_ byte: UInt8) throws -> WebhookSecret {
    try #require(WebhookSecret(bytes: Array(repeating: byte, count: 32)))
}

private func refusal(
    id: String? = id, timestamp: String? = String(sent), signature: String? = signature,
    body: [UInt8] = body, secrets: [WebhookSecret]? = nil, secondsLater: Int64 = 0,
    microsecondsLater: Int64 = 0
) throws -> WebhookRefusal? {
    let secrets = try secrets ?? [WebhookSecret(secretText)]
    let now = Instant(microseconds: (sent + secondsLater) * 1_000_000 + microsecondsLater)
    do throws(WebhookRefusal) {
        try StandardWebhooks.verify(
            id: id, timestamp: timestamp, signature: signature, body: body, secrets: secrets,
            now: now)
        return nil
    } catch {
        return error
    }
}

@Suite struct `Standard Webhooks` {
    @Test func `sign the published vector`() throws {
        let secret = try WebhookSecret(secretText)
        #expect(
            StandardWebhooks.sign(id: id, timestamp: sent, body: body, secret: secret) == signature)
        #expect(try refusal() == nil)
    }

    @Test func `send one signature for each secret, under the time of sending`() throws {
        let headers = StandardWebhooks.headers(
            id: "0123456789abcdef01234567-1",
            now: Instant(microseconds: sent * 1_000_000 + 999_999),
            body: body, secrets: [try secret(1), try secret(2)])
        #expect(headers.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
        #expect(headers[0].value == "0123456789abcdef01234567-1")
        #expect(headers[1].value == String(sent))
        let signatures = headers[2].value.split(separator: " ")
        #expect(signatures.count == 2)
        #expect(signatures.allSatisfy { $0.hasPrefix("v1,") })
        for byte: UInt8 in 1...3 {
            let refusal = try refusal(
                id: headers[0].value, signature: headers[2].value, secrets: [secret(byte)])
            #expect(refusal == (byte == 3 ? .noMatchingSignature : nil))
        }
    }

    @Test func `believe one fitting signature among others and one fitting secret among others`()
        throws
    {
        let right = try WebhookSecret(secretText)
        #expect(try refusal(signature: "v1,AAAA v2,x \(signature)") == nil)
        #expect(try refusal(signature: "v1a,AAAA \(signature) ") == nil)
        #expect(try refusal(secrets: [secret(1), right, secret(2)]) == nil)
        #expect(try refusal(secrets: [secret(1), secret(2)]) == .noMatchingSignature)
        #expect(try refusal(secrets: []) == .noMatchingSignature)
    }

    @Test(arguments: [
        "", " ", "v1", "v1,", "v1,AAAA", "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=",
        "v1,h0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ])
    func `believe no other signature`(signature: String) throws {
        #expect(try refusal(signature: signature) == .noMatchingSignature)
    }

    @Test func `are read only so far when there are very many signatures`() throws {
        let noise = Array(repeating: "v1,AAAA", count: StandardWebhooks.maximumSignatures - 1)
        let known = noise.joined(separator: " ")
        #expect(try refusal(signature: "\(known) \(signature)") == nil)
        #expect(try refusal(signature: "\(known) v1,A \(signature)") == .noMatchingSignature)
    }

    @Test func `notice every change of what was signed`() throws {
        #expect(try refusal(body: body + [0x20]) == .noMatchingSignature)
        #expect(try refusal(body: Array(#"{"test":2432232314}"#.utf8)) == .noMatchingSignature)
        #expect(try refusal(id: "msg_other") == .noMatchingSignature)
        #expect(try refusal(timestamp: String(sent + 1)) == .noMatchingSignature)
    }

    @Test func `take a timestamp up to five minutes before or after now`() throws {
        #expect(try refusal(secondsLater: 300) == nil)
        #expect(try refusal(secondsLater: 300, microsecondsLater: 1) == .tooOld)
        #expect(try refusal(secondsLater: -300) == nil)
        #expect(try refusal(secondsLater: -300, microsecondsLater: -1) == .tooNew)
        #expect(try refusal(timestamp: "0") == .tooOld)
        #expect(try refusal(timestamp: "999999999999") == .tooNew)
    }

    @Test func `check the grammar of id and timestamp before anything else`() throws {
        #expect(try refusal(id: nil) == .missingHeader("webhook-id"))
        #expect(try refusal(timestamp: nil) == .missingHeader("webhook-timestamp"))
        #expect(try refusal(signature: nil) == .missingHeader("webhook-signature"))
        for id in ["", "a.b", ".", "a b", "a\n", "é", String(repeating: "a", count: 257)] {
            #expect(try refusal(id: id, timestamp: "x") == .malformedID, "\(id)")
        }
        for timestamp in [
            "", "x", "-1", "+1", "1.5", " 1614265330", "1614265330 ", "01614265330", "1e9", "00",
            "9999999999999", "99999999999999999999999", "１",
        ] {
            #expect(try refusal(timestamp: timestamp) == .malformedTimestamp, "\(timestamp)")
        }
    }
}

@Suite struct `A signing secret` {
    @Test func `is read and written as whsec_ and base 64`() throws {
        #expect(try WebhookSecret(secretText).text == secretText)
        #expect(try WebhookSecret(secretText).bytes.count == 24)
        #expect(WebhookSecret(bytes: Array(repeating: 0, count: 64)) != nil)
        #expect(WebhookSecret(bytes: Array(repeating: 0, count: 23)) == nil)
        #expect(WebhookSecret(bytes: Array(repeating: 0, count: 65)) == nil)
    }

    @Test func `is refused in any other form, without being repeated`() {
        #expect(throws: WebhookSecretError.prefix) { try WebhookSecret("MfKQ9r8GKYqr") }
        #expect(throws: WebhookSecretError.prefix) { try WebhookSecret("WHSEC_MfKQ9r8GKYqr") }
        #expect(throws: WebhookSecretError.base64) { try WebhookSecret("whsec_MfKQ9r8GKYq") }
        #expect(throws: WebhookSecretError.base64) { try WebhookSecret("whsec_é") }
        #expect(throws: WebhookSecretError.length(9)) { try WebhookSecret("whsec_MfKQ9r8GKYqr") }
        #expect(throws: WebhookSecretError.length(0)) { try WebhookSecret("whsec_") }
        #expect(WebhookSecretError.length(9).message == "must hold 24 to 64 bytes, not 9")
    }
}
