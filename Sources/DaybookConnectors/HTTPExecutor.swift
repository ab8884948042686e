import AsyncHTTPClient
import DaybookCore
import DaybookEngine
import DaybookWire
import Logging
import NIOCore
import NIOHTTP1

/// Carries out runs by HTTP requests, signed with the workflow's secret (Standard Webhooks 1.0).
package struct HTTPExecutor: Executor {
    package struct Limits: Sendable {
        /// What is read of an answer.
        package var answerBytes = 1 << 20
        /// What an output may be.
        package var outputBytes = 256 << 10
        package var retryAfterSeconds = 1...3_600

        package init() {}
    }

    private let engine: Engine
    private let clients: OutboundClients
    private let limits: Limits
    private let logger: Logger

    package init(
        engine: Engine, clients: OutboundClients, limits: Limits = Limits(), logger: Logger
    ) {
        self.engine = engine
        self.clients = clients
        self.limits = limits
        self.logger = logger
    }

    package func execute(_ work: Work) async -> Execution {
        guard let definition = WorkflowDefinition(stored: work.definition.bytes),
            case .http(let http) = definition.executor
        else { return .failure(.error, "the workflow's definition does not read") }
        guard !work.isRedelivery || http.resends else {
            return .failure(
                .connection, "the service stopped while the request was open, and redelivery is off"
            )
        }
        do {
            let request = try request(for: work, http)
            return try await clients.exchange(
                request, with: http.url, seconds: http.timeoutSeconds
            ) { response in
                await execution(from: response)
            }
        } catch {
            return Task.isCancelled ? .abandoned : Self.failure(error, http)
        }
    }

    private func request(
        for work: Work, _ http: WorkflowDefinition.HTTPExecution
    ) throws -> HTTPClientRequest {
        let run = work.run
        let body = Self.body(for: work)
        var request = HTTPClientRequest(url: http.url.text)
        request.method = HTTPMethod(rawValue: http.method.rawValue)
        for header in http.headers {
            switch header.value {
            case .plain(let text): request.headers.add(name: header.name, value: text)
            case .sealed(let text):
                guard let sealed = SealedSecret(text: text) else {
                    throw Unreadable(header: header.name)
                }
                let secret = try engine.open(sealed, for: .header, of: run.team)
                request.headers.add(
                    name: header.name, value: String(decoding: secret, as: UTF8.self))
            case .secret, .keptSecret: throw Unreadable(header: header.name)
            }
        }
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "Daybook")
        request.headers.add(name: "Idempotency-Key", value: run.id.description)
        let signed = StandardWebhooks.headers(
            id: "\(run.id)-\(run.attempt)", now: engine.clock.now(), body: body,
            secrets: work.secrets.compactMap { WebhookSecret(bytes: $0) })
        for (name, value) in signed { request.headers.add(name: name, value: value) }
        if let trace = work.traceparent, !request.headers.contains(name: "traceparent") {
            request.headers.add(name: "traceparent", value: trace)
        }
        request.body = .bytes(ByteBuffer(bytes: body))
        return request
    }

    /// A stored header that is not one: only damage can bring it about.
    private struct Unreadable: Error {
        let header: String
    }

    private static func body(for work: Work) -> [UInt8] {
        let run = work.run
        var writer = JSONWriter(reservingBytes: 512 + (work.input?.count ?? 0))
        writer.object { writer in
            writer.field("run_id", run.id)
            writer.field("attempt", run.attempt)
            writer.field("workflow_id", run.workflow)
            writer.field("version", run.version)
            writer.field("mode", run.mode.name)
            writer.field("scheduled_time", run.scheduledTime)
            writer.field("run_input", raw: work.input)
        }
        return writer.finish()
    }

    private func execution(from response: HTTPClientResponse) async -> Execution {
        let status = Int(response.status.code)
        if status == 202 { return .accepted }
        guard (200..<300).contains(status) else {
            return .failed(
                .httpStatus, message: "the answer was \(status)",
                isRetryable: !(400..<500).contains(status) || AnswerRules.mayPass(status),
                retryAfterSeconds: AnswerRules.retryAfter(
                    response.headers, within: limits.retryAfterSeconds, now: engine.clock.now()))
        }
        let body: [UInt8]
        do {
            body = Array(
                (try await response.body.collect(upTo: limits.answerBytes)).readableBytesView)
        } catch is NIOTooManyBytesError {
            return .failure(
                .invalidOutput, "the answer has more than \(limits.answerBytes) bytes")
        } catch {
            return Task.isCancelled
                ? .abandoned : .failure(.connection, "the answer broke off: \(error)")
        }
        guard !body.isEmpty else { return .completed(nil) }
        guard body.count <= limits.outputBytes else {
            return .failure(
                .invalidOutput, "the output has more than \(limits.outputBytes) bytes")
        }
        do {
            try JSONScanner.validate(body)
            return .completed(body)
        } catch {
            return .failure(.invalidOutput, "the output is not JSON: \(error)")
        }
    }

    private static func failure(
        _ error: any Error, _ http: WorkflowDefinition.HTTPExecution
    ) -> Execution {
        .failure(
            AnswerRules.isTimeout(error) ? .timeout : .connection,
            AnswerRules.message(of: error, seconds: http.timeoutSeconds))
    }
}

extension Execution {
    fileprivate static func failure(_ reason: RunError.Reason, _ message: String) -> Execution {
        .failed(reason, message: message, isRetryable: true, retryAfterSeconds: nil)
    }
}
