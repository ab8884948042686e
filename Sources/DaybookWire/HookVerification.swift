import DaybookCore

/// How the caller of an inbound webhook proves itself.
package enum HookVerification: Hashable, Sendable {
    /// Standard Webhooks 1.0.
    case standard
    /// An HMAC of the body in a header.
    case hmac(HMACVerification)
    /// `Authorization: Bearer <secret>`.
    case bearer
    /// By nothing but the path, whose last segment nobody can guess.
    case none

    package enum Kind: String, CaseIterable, Sendable {
        case standard, hmac, bearer, none
    }

    package var kind: Kind {
        switch self {
        case .standard: .standard
        case .hmac: .hmac
        case .bearer: .bearer
        case .none: .none
        }
    }
}

/// An HMAC of the bytes of the body, in a header, in the way of one sender or another.
package struct HMACVerification: Hashable, Sendable {
    package enum Preset: String, CaseIterable, Sendable {
        case github, shopify, stripe
    }

    package enum Algorithm: String, CaseIterable, Sendable {
        case sha256, sha1
    }

    package enum Encoding: String, CaseIterable, Sendable {
        case hex, base64
    }

    package let preset: Preset?
    package let header: String
    package let algorithm: Algorithm
    /// What stands before the code in the header.
    package let prefix: String
    package let encoding: Encoding

    package init(
        header: String, algorithm: Algorithm = .sha256, prefix: String = "",
        encoding: Encoding = .hex
    ) {
        preset = nil
        self.header = header
        self.algorithm = algorithm
        self.prefix = prefix
        self.encoding = encoding
    }

    /// As the sender's documentation has it (GitHub: "Validating webhook deliveries", Shopify: "Verify
    /// the webhook", Stripe: "Verify webhook signatures manually").
    package init(_ preset: Preset) {
        self.preset = preset
        algorithm = .sha256
        switch preset {
        case .github: (header, prefix, encoding) = ("X-Hub-Signature-256", "sha256=", .hex)
        case .shopify: (header, prefix, encoding) = ("X-Shopify-Hmac-Sha256", "", .base64)
        case .stripe: (header, prefix, encoding) = ("Stripe-Signature", "", .hex)
        }
    }

    /// Whether the header is a list `t=<seconds>,v1=<code>,…` and `<seconds>.` is signed with the body.
    var isTimestamped: Bool { preset == .stripe }

    package static let maximumPrefixBytes = 64
}

/// Why a call is not let in. What it says is for the trigger's owner: callers hear nothing of it.
package enum HookRefusal: Error, Hashable, Sendable {
    case unknownTrigger
    case disabled
    case missingSignature
    case malformedSignature
    case tooOld
    case tooNew
    case wrongSignature
    case wrongToken
    /// Its secret or its configuration cannot be read: the keys of the service are gone.
    case unreadable

    package var name: String {
        switch self {
        case .unknownTrigger: "unknown_trigger"
        case .disabled: "disabled"
        case .missingSignature: "missing_signature"
        case .malformedSignature: "malformed_signature"
        case .tooOld: "timestamp_too_old"
        case .tooNew: "timestamp_too_new"
        case .wrongSignature: "wrong_signature"
        case .wrongToken: "wrong_token"
        case .unreadable: "unreadable"
        }
    }
}

/// A call to an inbound webhook, as far as it is looked at before it is let in.
package struct HookCall {
    /// A header's value by its name, whatever its case; `nil` where it did not come once.
    package let header: (String) -> String?
    /// The last segment of the path, of triggers that are known by it.
    package let pathToken: String?
    package let body: [UInt8]

    package init(header: @escaping (String) -> String?, pathToken: String?, body: [UInt8]) {
        self.header = header
        self.pathToken = pathToken
        self.body = body
    }
}

extension HookVerification {
    /// A timestamp in a signature may lie so far from now; exactly as far is still accepted.
    private static let toleranceSeconds = StandardWebhooks.toleranceSeconds

    /// What a new secret is, of 32 random bytes.
    package func newSecret(_ randomBytes: [UInt8]) -> String {
        precondition(randomBytes.count == Self.secretBytes)
        switch self {
        case .standard:
            guard let secret = WebhookSecret(bytes: randomBytes) else {
                preconditionFailure("32 bytes are a secret")
            }
            return secret.text
        case .hmac, .bearer: return base62(randomBytes, digits: 43)
        case .none: return lowercaseHex(randomBytes)
        }
    }

    package static let secretBytes = 32

    /// What is wrong with a secret that a client brought, as the end of a sentence about it.
    package func mistake(in secret: String) -> String? {
        switch self {
        case .standard:
            do throws(WebhookSecretError) {
                _ = try WebhookSecret(secret)
                return nil
            } catch {
                return error.message
            }
        case .hmac, .bearer:
            guard 16...256 ~= secret.utf8.count, secret.utf8.allSatisfy({ 0x21...0x7E ~= $0 })
            else {
                return "must have 16 to 256 visible ASCII characters"
            }
            return nil
        case .none: return "is made by Daybook: it is the last segment of the path"
        }
    }

    /// Lets the call in, or throws.
    ///
    /// - Parameter secrets: the texts of the secrets in force.
    package func verify(
        _ call: HookCall, secrets: [String], now: Instant
    ) throws(HookRefusal) {
        switch self {
        case .standard:
            do throws(WebhookRefusal) {
                try StandardWebhooks.verify(
                    id: call.header(StandardWebhooks.idHeader),
                    timestamp: call.header(StandardWebhooks.timestampHeader),
                    signature: call.header(StandardWebhooks.signatureHeader), body: call.body,
                    secrets: secrets.compactMap { try? WebhookSecret($0) }, now: now)
            } catch {
                if error != .noMatchingSignature { Self.takeTime(over: call.body) }
                throw HookRefusal(error)
            }
        case .hmac(let hmac): try hmac.verify(call, secrets, now)
        case .bearer:
            Self.takeTime(over: call.body)
            guard let header = call.header("authorization") else { throw .missingSignature }
            let token = header.dropFirst(7)
            guard header.prefix(7).lowercased() == "bearer ", Self.isOne(String(token), of: secrets)
            else { throw .wrongToken }
        case .none:
            Self.takeTime(over: call.body)
            guard let token = call.pathToken, Self.isOne(token, of: secrets) else {
                throw .wrongToken
            }
        }
    }

    /// The work of a verification, where there is nothing to verify with.
    package static func takeTime(over body: [UInt8]) {
        _ = hmacSHA256([Array("nobody".utf8), body], key: Array("nobody's secret".utf8))
    }

    private static func isOne(_ token: String, of secrets: [String]) -> Bool {
        // Digests have one length: the time tells nothing of the secret's.
        let offered = sha256(Array(token.utf8))
        var isMatch = false
        for secret in secrets
        where areEqualInConstantTime(sha256(Array(secret.utf8)), offered) {
            isMatch = true
        }
        return isMatch
    }
}

extension HookRefusal {
    fileprivate init(_ refusal: WebhookRefusal) {
        switch refusal {
        case .missingHeader: self = .missingSignature
        case .malformedID, .malformedTimestamp: self = .malformedSignature
        case .tooOld: self = .tooOld
        case .tooNew: self = .tooNew
        case .noMatchingSignature: self = .wrongSignature
        }
    }
}

extension HMACVerification {
    private static let maximumSignatures = 32

    fileprivate func verify(
        _ call: HookCall, _ secrets: [String], _ now: Instant
    ) throws(HookRefusal) {
        guard let value = call.header(header) else {
            HookVerification.takeTime(over: call.body)
            throw .missingSignature
        }
        var signed = [call.body]
        var offered: [[UInt8]] = []
        if isTimestamped {
            let parts = value.split(separator: ",", maxSplits: Self.maximumSignatures)
                .prefix(Self.maximumSignatures).map { $0.split(separator: "=", maxSplits: 1) }
            let times = parts.filter { $0.count == 2 && $0[0] == "t" }.map { $0[1] }
            offered = parts.filter { $0.count == 2 && $0[0] == "v1" }.compactMap {
                decoded(String($0[1]))
            }
            guard times.count == 1, 1...12 ~= times[0].utf8.count,
                times[0].utf8.allSatisfy(isDigit), let seconds = Int64(times[0])
            else {
                HookVerification.takeTime(over: call.body)
                throw .malformedSignature
            }
            let age = now.microseconds - seconds * 1_000_000
            let tolerance = StandardWebhooks.toleranceSeconds * 1_000_000
            guard abs(age) <= tolerance else {
                HookVerification.takeTime(over: call.body)
                throw age > 0 ? .tooOld : .tooNew
            }
            signed.insert(Array("\(times[0]).".utf8), at: 0)
        } else if value.hasPrefix(prefix) {
            offered = [decoded(String(value.dropFirst(prefix.count)))].compactMap(\.self)
        }
        var isMatch = false
        for secret in secrets {
            let expected = code(of: signed, key: Array(secret.utf8))
            for candidate in offered where areEqualInConstantTime(candidate, expected) {
                isMatch = true
            }
        }
        guard !offered.isEmpty else { throw .malformedSignature }
        guard isMatch else { throw .wrongSignature }
    }

    private func code(of parts: [[UInt8]], key: [UInt8]) -> [UInt8] {
        switch algorithm {
        case .sha256: hmacSHA256(parts, key: key)
        case .sha1: hmacSHA1(parts, key: key)
        }
    }

    private func decoded(_ text: String) -> [UInt8]? {
        switch encoding {
        case .hex:
            // Either case: senders differ.
            bytesOfLowercaseHex(text.lowercased(), count: algorithm == .sha256 ? 32 : 20)
        case .base64: Base64.decode(text)
        }
    }
}
