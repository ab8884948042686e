import ArgumentParser
import AsyncHTTPClient
import DaybookWire
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Asks a running server, again where that is safe and may help.
package struct Client: Sendable {
    package struct Options: ParsableArguments {
        @Option(help: "The server. (default: DAYBOOK_SERVER, http://127.0.0.1:8080)")
        package var server: String?
        @Option(
            help: "An API key. (default: DAYBOOK_KEY, admin.key in the data directory)")
        package var key: String?
        @Option(
            help: ArgumentHelp(
                "Certificates (PEM) to trust beside the system's. (default: DAYBOOK_CA_CERT)",
                valueName: "file"))
        package var caCert: String?

        package init() {}
    }

    /// How often a request is sent at most.
    private static let sendings = 4
    /// The longest time that a server is waited for before a request is sent again.
    private static let longestPause = 10

    private let server: String
    private let key: String
    private let client: HTTPClient

    /// Runs `body` with a client; what it throws beside exit codes becomes one.
    ///
    /// - Parameter dataDir: the directory that was named, for its `admin.key`.
    package static func with(
        _ options: Options, dataDir: String?, _ body: (Client) async throws -> Void
    ) async throws {
        let environment = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
        let server = options.server ?? environment["DAYBOOK_SERVER"] ?? "http://127.0.0.1:8080"
        guard let url = URLComponents(string: server), let host = url.host, !host.isEmpty,
            ["http", "https"].contains(url.scheme ?? "")
        else {
            throw ValidationError("\(server) is not a server: write http://… or https://…")
        }
        let directory = dataDir ?? environment["DAYBOOK_DATA_DIR"]
        let isHere =
            ["localhost", "::1", "[::1]"].contains(host) || host.hasPrefix("127.0.0.")
        let key =
            try options.key ?? environment["DAYBOOK_KEY"]
            ?? localKey(directory, isHere: isHere, server)
        guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !key.isEmpty else {
            throw Failure.exit(
                Exits.notAllowed, "the key has characters that no key has: is it one line?")
        }
        if !isHere, url.scheme == "http" {
            Failure.tell("daybook: \(host) is asked without encryption; who listens sees the key")
        }
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: try configuration(options.caCert ?? environment["DAYBOOK_CA_CERT"]))
        do {
            try await body(
                Client(
                    server: server.hasSuffix("/") ? String(server.dropLast()) : server,
                    key: key, client: client))
            try await client.shutdown()
        } catch {
            try? await client.shutdown()
            if error is ExitCode || error is ValidationError { throw error }
            throw Failure.exit(Exits.unavailable, "\(server): \(word(of: error))")
        }
    }

    /// The key in the data directory. It is for the server of that directory, so it goes to no other machine
    /// unless the directory was named.
    private static func localKey(
        _ directory: String?, isHere: Bool, _ server: String
    ) throws -> String {
        guard directory != nil || isHere else {
            throw Failure.exit(
                Exits.notAllowed,
                "no key for \(server): give --key or DAYBOOK_KEY, or name the --data-dir whose admin.key it is"
            )
        }
        let file = (directory ?? "./daybook-data") + "/admin.key"
        guard let key = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw Failure.exit(
                Exits.notAllowed,
                "no key: give --key or DAYBOOK_KEY, or a data directory that has admin.key")
        }
        return key.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Why the server was not reached, and what may help.
    private static func word(of error: any Error) -> String {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return
                "its certificate is not trusted.\n--ca-cert or DAYBOOK_CA_CERT names more to trust."
        }
        return
            "\(text)\nIs `daybook serve` running there? --server or DAYBOOK_SERVER names another."
    }

    private static func configuration(_ caFile: String?) throws -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(10)
        configuration.redirectConfiguration = .disallow
        if let caFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            do {
                tls.additionalTrustRoots = [
                    .certificates(try NIOSSLCertificate.fromPEMFile(caFile))
                ]
            } catch {
                throw Failure.exit(Exits.noInput, "--ca-cert \(caFile): \(error)")
            }
            configuration.tlsConfiguration = tls
        }
        return configuration
    }

    package struct Answer: Sendable {
        package let status: Int
        package let headers: HTTPHeaders
        package let body: [UInt8]

        package var isSuccess: Bool { (200..<300).contains(status) }

        /// Whether the same request may be answered otherwise in a moment.
        fileprivate var invitesRetry: Bool { status == 503 || status == 429 }

        /// What a problem says, or the body's beginning.
        package var detail: String {
            guard let problem = try? JSONDocument(body), let code = problem["code"]?.text else {
                return "\(status) \(String(decoding: body.prefix(200), as: UTF8.self))"
            }
            let mistakes = problem["errors"]?.elements.map { mistake in
                let pointer = mistake["pointer"]?.text ?? ""
                return "\n  \(pointer.isEmpty ? "the request" : pointer) "
                    + (mistake["message"]?.text ?? "")
            }
            let said = mistakes?.joined() ?? " " + (problem["detail"]?.text ?? "")
            let members = ["run_id", "schedule_id", "schedule_status", "run_status", "position"]
                .compactMap { name in problem[name].map { "\(name) \($0.shown)" } }
            return "\(status) \(code):\(said)"
                + (members.isEmpty ? "" : " (\(members.joined(separator: ", ")))")
        }

        /// The exit code and a word on what to do.
        package var failure: ExitCode {
            let (code, hint): (ExitCode, String?) =
                switch status {
                case 401:
                    (
                        Exits.notAllowed,
                        "Name a key with --key or DAYBOOK_KEY; it may be revoked or expired."
                    )
                case 403: (Exits.notAllowed, "The key's role is too low, or its team another.")
                case 404:
                    (
                        Exits.refused,
                        "Ids have 24 hex digits; the list commands show them. A key sees its own team alone."
                    )
                case 412: (Exits.refused, "It was changed meanwhile: look at it again.")
                case 429, 500...: (Exits.unavailable, nil)
                default: (Exits.refused, nil)
                }
            return Failure.exit(code, detail + (hint.map { "\n\($0)" } ?? ""))
        }
    }

    /// Asks, and asks again where the server is busy or the connection breaks: a command carries an
    /// idempotency key, so it takes effect once.
    ///
    /// - Parameter seconds: how long an answer may take.
    package func ask(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8]? = nil,
        type: String = "application/json", idempotencyKey: String? = nil, seconds: Int = 60
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: server + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        request.headers.add(name: "User-Agent", value: "daybook")
        if method != .GET {
            request.headers.add(
                name: "Idempotency-Key", value: idempotencyKey ?? Self.newIdempotencyKey())
        }
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        var sent = 1
        while true {
            do {
                let answer = try await client.execute(
                    request, timeout: .seconds(Int64(seconds)))
                let bytes = try await answer.body.collect(upTo: 256 << 20)
                let whole = Answer(
                    status: Int(answer.status.code), headers: answer.headers,
                    body: Array(bytes.readableBytesView))
                guard whole.invitesRetry, sent < Self.sendings else { return whole }
                let pause = Int(answer.headers.first(name: "Retry-After") ?? "") ?? sent
                guard pause <= Self.longestPause else { return whole }
                try await Task.sleep(for: .seconds(pause))
            } catch  where Self.isWorthRetrying(error, sent) {
                guard sent < Self.sendings else {
                    if method != .GET {
                        let key = request.headers.first(name: "Idempotency-Key") ?? ""
                        Failure.tell(
                            "It may have been done. The same with --idempotency-key \(key) has no second effect."
                        )
                    }
                    throw error
                }
                try await Task.sleep(for: .milliseconds(300 << sent))
            }
            sent += 1
        }
    }

    /// Whether the connection broke under way. One that never came about is told at once, but not when the
    /// server was there before: it may be starting again.
    private static func isWorthRetrying(_ error: any Error, _ sent: Int) -> Bool {
        switch error {
        case let error as IOError where error.errnoCode == ECONNREFUSED: sent > 1
        case is IOError, is HTTPParserError: true
        case let error as HTTPClientError: error == .remoteConnectionClosed
        default: false
        }
    }

    package static func newIdempotencyKey() -> String {
        var generator = SystemRandomNumberGenerator()
        return "cli-" + String(generator.next(), radix: 16) + String(generator.next(), radix: 16)
    }

    /// The answer as JSON; any other status than 2xx ends the command with what it says.
    package func document(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8]? = nil,
        idempotencyKey: String? = nil, seconds: Int = 60
    ) async throws -> JSONDocument {
        let answer = try await ask(
            method, path, body, idempotencyKey: idempotencyKey, seconds: seconds)
        guard answer.isSuccess else { throw answer.failure }
        return try JSONDocument(answer.body)
    }

    /// As ``document(_:_:_:idempotencyKey:seconds:)``, into a type.
    package func json<Value: Decodable>(
        _ method: HTTPMethod, _ path: String, _ body: String? = nil
    ) async throws -> Value {
        let answer = try await ask(method, path, body.map { Array($0.utf8) })
        guard answer.isSuccess else { throw answer.failure }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Value.self, from: Data(answer.body))
    }

    /// A path with a query: parameters without a value are left out.
    package static func path(_ path: String, _ parameters: [(String, String?)]) -> String {
        var components = URLComponents()
        components.path = path
        let items = parameters.compactMap { name, value in
            value.map { URLQueryItem(name: name, value: $0) }
        }
        if !items.isEmpty { components.queryItems = items }
        // In a query a plus is a space.
        return (components.string ?? path).replacing("+", with: "%2B")
    }
}
