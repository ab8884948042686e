import Crypto
import DaybookCore
import DaybookWire
import Foundation

/// What AWS knows a caller by.
struct AWSCredentials: Hashable, Sendable {
    let accessKeyID: String
    let secretAccessKey: String
    let sessionToken: String?
    let expiresAt: Instant?

    init(
        accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil,
        expiresAt: Instant? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiresAt = expiresAt
    }
}

/// AWS Signature Version 4 of requests with a POST to the root of a host, which is all that the JSON protocols
/// need ("Create a signed AWS API request", AWS Identity and Access Management User Guide).
struct SigV4: Sendable {
    private static let algorithm = "AWS4-HMAC-SHA256"

    let credentials: AWSCredentials
    let region: String
    let service: String

    /// The headers to send: those given, and date, session token and signature. `host` must be among them;
    /// everything given is signed.
    func sign(
        headers: [(name: String, value: String)], body: [UInt8], at instant: Instant
    ) -> [(name: String, value: String)] {
        let time = Self.time(instant)
        let scope = "\(time.prefix(8))/\(region)/\(service)/aws4_request"
        var headers = headers + [("x-amz-date", time)]
        if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
        let canonical = headers.map { (name: $0.name.lowercased(), value: Self.trimmed($0.value)) }
            .sorted { $0.name < $1.name }
        let names = canonical.map(\.name).joined(separator: ";")
        let request =
            (["POST", "/", ""] + canonical.map { "\($0.name):\($0.value)" }
            + ["", names, Self.hex(SHA256.hash(data: body))]).joined(separator: "\n")
        let text = [Self.algorithm, time, scope, Self.hex(SHA256.hash(data: Data(request.utf8)))]
            .joined(separator: "\n")
        var key = SymmetricKey(data: Data("AWS4\(credentials.secretAccessKey)".utf8))
        for part in scope.split(separator: "/") { key = Self.code(String(part), key) }
        let signature = Self.hex(
            HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
        headers.append(
            (
                "authorization",
                "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope), "
                    + "SignedHeaders=\(names), Signature=\(signature)"
            ))
        return headers
    }

    private static func code(_ text: String, _ key: SymmetricKey) -> SymmetricKey {
        SymmetricKey(
            data: Data(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key)))
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String { lowercaseHex(Array(bytes)) }

    /// Without spaces at its ends, and with one space where there are several.
    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }

    /// `20261125T090501Z`: ISO 8601's basic form.
    private static func time(_ instant: Instant) -> String {
        let seconds =
            instant.microseconds
            - instant.microseconds.quotientAndRemainder(
                dividingBy: 1_000_000
            ).remainder
        return RFC3339.format(Instant(microseconds: seconds)).filter { $0 != "-" && $0 != ":" }
    }
}
