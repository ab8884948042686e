import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Asks a running server.
struct Client: Sendable {
    struct Options: ParsableArguments {
        @Option(help: "The server. (default: DAYBOOK_SERVER, http://127.0.0.1:8080)")
        var server: String?
        @Option(help: "An API key. (default: DAYBOOK_KEY, admin.key in the data directory)")
        var key: String?
    }

    private let server: String
    private let key: String
    private let client: HTTPClient

    /// Runs `body` with a client; what it throws beside exit codes becomes one.
    static func with(
        _ options: Options, dataDirectory: String, _ body: (Client) async throws -> Void
    ) async throws {
        let environment = ProcessInfo.processInfo.environment
        let server = options.server ?? environment["DAYBOOK_SERVER"] ?? "http://127.0.0.1:8080"
        let file = dataDirectory + "/admin.key"
        guard
            let key = options.key ?? environment["DAYBOOK_KEY"]
                ?? (try? String(contentsOfFile: file, encoding: .utf8))
        else {
            throw ValidationError(
                "no key: give --key or DAYBOOK_KEY, or a data directory with admin.key")
        }
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        do {
            try await body(
                Client(
                    server: server.hasSuffix("/") ? String(server.dropLast()) : server,
                    key: key.trimmingCharacters(in: .whitespacesAndNewlines), client: client))
            try await client.shutdown()
        } catch {
            try? await client.shutdown()
            if error is ExitCode || error is ValidationError { throw error }
            throw Failure.exit(Exits.unavailable, "\(server): \(error)")
        }
    }

    struct Answer: Sendable {
        let status: Int
        let body: Data

        /// What a problem says, or the body's beginning.
        var detail: String {
            struct Problem: Decodable {
                let code: String
                let detail: String
            }
            if let problem = try? JSONDecoder().decode(Problem.self, from: body) {
                return "\(status) \(problem.code): \(problem.detail)"
            }
            return "\(status) \(String(decoding: body.prefix(200), as: UTF8.self))"
        }
    }

    func ask(
        _ method: HTTPMethod, _ path: String, _ body: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: server + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let answer = try await client.execute(request, timeout: .seconds(60))
        let bytes = try await answer.body.collect(upTo: 64 << 20)
        return Answer(status: Int(answer.status.code), body: Data(bytes.readableBytesView))
    }

    /// The answer as JSON; any other status than 2xx ends the command with what it says.
    func json<Value: Decodable>(
        _ method: HTTPMethod, _ path: String, _ body: String? = nil
    ) async throws -> Value {
        let answer = try await ask(method, path, body)
        guard (200..<300).contains(answer.status) else {
            throw Failure.exit(Exits.unavailable, answer.detail)
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Value.self, from: answer.body)
    }
}
