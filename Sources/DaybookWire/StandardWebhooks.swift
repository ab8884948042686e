import DaybookCore

/// A signing secret of Standard Webhooks 1.0: `whsec_` and the base 64 of 24 to 64 bytes.
package struct WebhookSecret: Equatable, Sendable {
    /// How many random bytes a new secret should take.
    package static let randomByteCount = 32

    private static let prefix = "whsec_"
    private static let byteCounts = 24...64

    /// The key itself. Seal it before it is stored.
    package let bytes: [UInt8]

    /// A key of 24 to 64 bytes; `nil` for any other count.
    package init?(bytes: [UInt8]) {
        guard Self.byteCounts.contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    /// Reads `whsec_…`. The error never repeats the text.
    package init(_ text: String) throws(WebhookSecretError) {
        guard text.utf8.starts(with: Self.prefix.utf8) else { throw .prefix }
        guard let bytes = Base64.decode(text.dropFirst(Self.prefix.count)) else { throw .base64 }
        guard Self.byteCounts.contains(bytes.count) else { throw .length(bytes.count) }
        self.bytes = bytes
    }

    /// The secret as its owner gets to see it, once.
    package var text: String { Self.prefix + Base64.encode(bytes) }
}

/// Why a text is no signing secret.
package enum WebhookSecretError: Error, Equatable, Sendable {
    case prefix
    case base64
    case length(Int)

    /// The end of a sentence about the field.
    package var message: String {
        switch self {
        case .prefix: "must begin with whsec_"
        case .base64: "must go on after whsec_ with base 64, padding included"
        case .length(let count): "must hold 24 to 64 bytes, not \(count)"
        }
    }
}

/// Why a signed request is not believed.
package enum WebhookRefusal: Error, Equatable, Sendable {
    /// A header is missing; its name is in lower case.
    case missingHeader(String)
    /// The id is empty, too long, or has a character that it must not have.
    case malformedID
    /// The timestamp is not a whole number of seconds since 1970.
    case malformedTimestamp
    /// The timestamp lies more than the tolerance before now.
    case tooOld
    /// The timestamp lies more than the tolerance after now.
    case tooNew
    /// No `v1` signature fits any of the keys.
    case noMatchingSignature
}

/// Signatures of requests, as Standard Webhooks 1.0 has them: scheme `v1`, HMAC-SHA256 over
/// `id.timestamp.body`, over the bytes of the body as they travel.
package enum StandardWebhooks {
    package static let idHeader = "webhook-id"
    package static let timestampHeader = "webhook-timestamp"
    package static let signatureHeader = "webhook-signature"
    /// How far a timestamp may lie before or after now; exactly as far is still accepted.
    package static let toleranceSeconds: Int64 = 300
    /// The longest id that is taken, in bytes.
    package static let maximumIDBytes = 256
    /// A header with more signatures than this is read only so far.
    package static let maximumSignatures = 32

    private static let version = "v1,"

    /// One signature, `v1,<base 64>`.
    ///
    /// The id is not the client's and has no full stop: with one, two requests could share the
    /// bytes that are signed. Traps where it is no id at all.
    package static func sign(
        id: String, timestamp: Int64, body: [UInt8], secret: WebhookSecret
    ) -> String {
        precondition(isID(id), "an id must be visible ASCII without a full stop")
        return signature(id: id, timestamp: String(timestamp), body: body, secret: secret)
    }

    /// The three headers of a request, signed at `now` with every secret that is in force: two
    /// while a rotation lasts, the newer one first.
    package static func headers(
        id: String, now: Instant, body: [UInt8], secrets: [WebhookSecret]
    ) -> [(name: String, value: String)] {
        let timestamp = seconds(now)
        let signatures = secrets.map {
            sign(id: id, timestamp: timestamp, body: body, secret: $0)
        }
        return [
            (idHeader, id), (timestampHeader, String(timestamp)),
            (signatureHeader, signatures.joined(separator: " ")),
        ]
    }

    /// Checks the headers of a request that came in, over the bytes of its body as they came.
    ///
    /// First the grammar of id and timestamp, then the time, then the signatures: one that fits one
    /// of the secrets is enough, and signatures of other versions are passed over. All comparisons
    /// of signatures take the same time, wherever they differ.
    package static func verify(
        id: String?, timestamp: String?, signature: String?, body: [UInt8],
        secrets: [WebhookSecret], now: Instant
    ) throws(WebhookRefusal) {
        guard let id else { throw .missingHeader(idHeader) }
        guard let timestamp else { throw .missingHeader(timestampHeader) }
        guard let signature else { throw .missingHeader(signatureHeader) }
        guard isID(id) else { throw .malformedID }
        guard let seconds = parseTimestamp(timestamp) else { throw .malformedTimestamp }
        let age = now.microseconds - seconds * 1_000_000
        guard age <= toleranceSeconds * 1_000_000 else { throw .tooOld }
        guard age >= -toleranceSeconds * 1_000_000 else { throw .tooNew }

        let offered =
            signature.utf8
            .split(separator: UInt8(ascii: " "), maxSplits: maximumSignatures)
            .prefix(maximumSignatures)
            .filter { $0.starts(with: version.utf8) }
            .map { Array($0) }
        var isMatch = false
        for secret in secrets {
            let expected = Array(
                Self.signature(id: id, timestamp: timestamp, body: body, secret: secret).utf8)
            for candidate in offered where areEqualInConstantTime(candidate, expected) {
                isMatch = true
            }
        }
        guard isMatch else { throw .noMatchingSignature }
    }

    private static func signature(
        id: String, timestamp: String, body: [UInt8], secret: WebhookSecret
    ) -> String {
        let code = hmacSHA256([Array("\(id).\(timestamp).".utf8), body], key: secret.bytes)
        return version + Base64.encode(code)
    }

    private static func isID(_ text: String) -> Bool {
        1...maximumIDBytes ~= text.utf8.count
            && text.utf8.allSatisfy { 0x21...0x7E ~= $0 && $0 != UInt8(ascii: ".") }
    }

    /// Decimal digits without a leading zero, few enough to be multiplied by a million.
    private static func parseTimestamp(_ text: String) -> Int64? {
        guard 1...12 ~= text.utf8.count, text.utf8.allSatisfy(isDigit) else { return nil }
        guard text == "0" || text.utf8.first != UInt8(ascii: "0") else { return nil }
        return Int64(text)
    }

    private static func seconds(_ instant: Instant) -> Int64 {
        max(0, instant.microseconds) / 1_000_000
    }
}
