import AsyncHTTPClient
import DaybookCore
import DaybookEngine
import DaybookWire
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// Finds the process's own AWS credentials, in the order of AWS's tools: environment, shared credentials file,
/// container endpoint, instance metadata.
///
/// The endpoints are link-local addresses that nothing else may call: they are asked here, with a client of its
/// own, and the answers go nowhere but into signatures.
package final class AWSCredentialChain: Sendable {
    package struct NotFound: Error, CustomStringConvertible {
        package let description: String
    }

    /// Credentials are renewed so long before they end.
    private static let marginSeconds = 300
    private static let answerBytes = 64 << 10
    private static let requestSeconds = 5
    /// ECS and EKS (Amazon ECS Developer Guide, "Task IAM role"; Amazon EKS User Guide, "EKS Pod Identity").
    private static let containerHosts = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"]

    private let environment: [String: String]
    private let clock: any ServiceClock
    private let client: HTTPClient
    private let kept = Mutex<AWSCredentials?>(nil)

    package init(environment: [String: String], clock: any ServiceClock) {
        self.environment = environment
        self.clock = clock
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(2)
        configuration.proxy = nil
        configuration.httpVersion = .http1Only
        client = HTTPClient(
            eventLoopGroupProvider: .shared(HTTPClient.defaultEventLoopGroup),
            configuration: configuration)
    }

    package func shutDown() async { try? await client.shutdown() }

    func credentials() async throws -> AWSCredentials {
        let limit = clock.now().adding(seconds: Self.marginSeconds)
        if let known = kept.withLock({ $0 }), known.expiresAt.map({ limit < $0 }) ?? true {
            return known
        }
        do {
            let found = try await find()
            kept.withLock { $0 = found }
            return found
        } catch {
            // Those that are known hold to their end.
            let now = clock.now()
            guard let known = kept.withLock({ $0 }), known.expiresAt.map({ now < $0 }) ?? true
            else {
                throw error
            }
            return known
        }
    }

    /// They were refused: the next ones are looked for anew.
    func forget() { kept.withLock { $0 = nil } }

    private func find() async throws -> AWSCredentials {
        if let known = try fromEnvironment() { return known }
        guard variable("AWS_WEB_IDENTITY_TOKEN_FILE") == nil else {
            // To take other credentials instead would be to act as somebody else.
            throw NotFound(
                description: "web identities (AWS_WEB_IDENTITY_TOKEN_FILE) are not supported")
        }
        if let known = try fromFile() { return known }
        if let known = try await fromContainer() { return known }
        if let known = try await fromInstance() { return known }
        throw NotFound(
            description:
                "no AWS credentials in environment, credentials file, container or instance")
    }

    private func variable(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private func fromEnvironment() throws -> AWSCredentials? {
        guard let id = variable("AWS_ACCESS_KEY_ID") else { return nil }
        guard let secret = variable("AWS_SECRET_ACCESS_KEY") else {
            throw NotFound(description: "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY")
        }
        return AWSCredentials(
            accessKeyID: id, secretAccessKey: secret, sessionToken: variable("AWS_SESSION_TOKEN"))
    }

    // The shared credentials file

    private func fromFile() throws -> AWSCredentials? {
        let profile = variable("AWS_PROFILE") ?? "default"
        guard
            let path = variable("AWS_SHARED_CREDENTIALS_FILE")
                ?? variable("HOME").map({ $0 + "/.aws/credentials" }),
            FileManager.default.fileExists(atPath: path)
        else {
            guard variable("AWS_PROFILE") != nil else { return nil }
            throw NotFound(description: "there is no credentials file for the profile \(profile)")
        }
        let text: String
        do {
            text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
        } catch {
            throw NotFound(description: "the credentials file cannot be read")
        }
        let values = Self.section(profile, of: text).filter { !$0.value.isEmpty }
        guard let id = values["aws_access_key_id"], let secret = values["aws_secret_access_key"]
        else {
            guard variable("AWS_PROFILE") != nil else { return nil }
            throw NotFound(
                description: "the credentials file has no keys for the profile \(profile)")
        }
        return AWSCredentials(
            accessKeyID: id, secretAccessKey: secret, sessionToken: values["aws_session_token"])
    }

    /// The values of one section of an INI file; comments begin with `#` or `;`.
    static func section(_ name: String, of text: String) -> [String: String] {
        var values: [String: String] = [:]
        var isInside = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), line.hasSuffix("]") {
                let section = line.dropFirst().dropLast().trimmingCharacters(in: .whitespaces)
                isInside = section == name
            } else if isInside, let equals = line.firstIndex(of: "=") {
                let key = line[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
                values[key] = line[line.index(after: equals)...]
                    .trimmingCharacters(in: .whitespaces)
            }
        }
        return values
    }

    // The endpoints

    private struct Answer: Decodable {
        let AccessKeyId: String
        let SecretAccessKey: String
        let Token: String?
        let Expiration: String?

        var credentials: AWSCredentials {
            AWSCredentials(
                accessKeyID: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token,
                expiresAt: Expiration.flatMap { try? RFC3339.parse($0) })
        }
    }

    private func fromContainer() async throws -> AWSCredentials? {
        let url: String
        if let path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            url = "http://169.254.170.2" + path
        } else if let full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            guard Self.isTrusted(full) else {
                throw NotFound(
                    description: "AWS_CONTAINER_CREDENTIALS_FULL_URI leads to no container endpoint"
                )
            }
            url = full
        } else {
            return nil
        }
        var headers: [(String, String)] = []
        if let path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            guard let token = try? String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
            else { throw NotFound(description: "the container's token cannot be read") }
            headers.append(("Authorization", token.trimmingCharacters(in: .whitespacesAndNewlines)))
        } else if let token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
            headers.append(("Authorization", token))
        }
        return try Self.decode(try await ask(.GET, url, headers))
    }

    /// Over TLS anywhere, else only to loopback and the container endpoints.
    private static func isTrusted(_ text: String) -> Bool {
        guard let url = try? OutboundURL(text) else { return false }
        if url.scheme == .https { return true }
        let host = url.host.description
        return containerHosts.contains(host) || ["127.0.0.1", "[::1]", "localhost"].contains(host)
    }

    /// IMDSv2 ("Use the Instance Metadata Service to access instance metadata", Amazon EC2 User Guide).
    private func fromInstance() async throws -> AWSCredentials? {
        guard variable("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else { return nil }
        var base = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254"
        while base.hasSuffix("/") { base.removeLast() }
        let token: String
        do {
            token = Self.text(
                try await ask(
                    .PUT, base + "/latest/api/token",
                    [("X-aws-ec2-metadata-token-ttl-seconds", "21600")]))
        } catch is NotFound {
            throw NotFound(description: "the instance metadata service gives no token")
        } catch {
            // Nobody there: this is no instance.
            return nil
        }
        let headers = [("X-aws-ec2-metadata-token", token)]
        let roles = base + "/latest/meta-data/iam/security-credentials/"
        let role = Self.text(try await ask(.GET, roles, headers))
            .split(whereSeparator: \.isNewline).first
        guard let role else { throw NotFound(description: "the instance has no role") }
        return try Self.decode(try await ask(.GET, roles + role, headers))
    }

    private func ask(
        _ method: HTTPMethod, _ url: String, _ headers: [(String, String)]
    ) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: url)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let prepared = request
        return try await within(seconds: Self.requestSeconds) { [client] in
            let response = try await client.execute(
                prepared, timeout: .seconds(Int64(Self.requestSeconds)))
            guard response.status == .ok else {
                throw NotFound(
                    description: "a credentials endpoint answered \(response.status.code)")
            }
            return Array(
                try await response.body.collect(upTo: Self.answerBytes).readableBytesView)
        }
    }

    private static func decode(_ bytes: [UInt8]) throws -> AWSCredentials {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(bytes)).credentials
        } catch {
            // The answer holds secrets: nothing of it is repeated.
            throw NotFound(description: "a credentials endpoint answered with no credentials")
        }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
