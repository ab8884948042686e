import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import ServiceLifecycle
import Support
import Synchronization
import Testing

@testable import DaybookHTTP

/// The REST API over the router, with a real engine, timer and dispatcher on a real disk.
struct TestAPI: Sendable {
    struct Answer: Sendable {
        let status: Int
        let headers: HTTPFields
        let body: [UInt8]

        /// The body as Foundation reads it. It has no number as large as our payloads may have, so
        /// one of these is made smaller, where the body cannot be read as it is.
        var json: [String: any Sendable] {
            for readable in [text, text.replacing(":1e400", with: ":1")] {
                let value = try? JSONSerialization.jsonObject(with: Data(readable.utf8))
                if let value { return value as? [String: any Sendable] ?? [:] }
            }
            return [:]
        }
        var text: String { String(decoding: body, as: UTF8.self) }
        var code: String? { json["code"] as? String }
        var id: String { json["id"] as? String ?? "" }
        var position: Int? { headers[.daybookPosition].flatMap { Int($0) } }
        var items: [[String: any Sendable]] { json["items"] as? [[String: any Sendable]] ?? [] }
    }

    let engine: Engine
    let client: any TestClientProtocol
    let directory: String
    /// The text of an admin key of the team `default`.
    let adminKey: String
    let clock: any ServiceClock

    /// Settings for which the disk is never full.
    static var settings: Settings {
        var settings = Settings()
        settings.diskReserveBytes = 0
        settings.diskReserveFraction = 0
        // A manual clock moves in great steps.
        settings.standstillSeconds = 1_000_000
        return settings
    }

    /// Runs `body` against a fresh service.
    ///
    /// - Parameter commit: stands in for the commit of the writer's batches.
    static func run(
        limits: API.Limits = API.Limits(), settings: Settings = Self.settings,
        clock: any ServiceClock = SystemClock(),
        commit: @escaping @Sendable (consuming Batch) throws -> Void = { try $0.commit() },
        _ body: @escaping @Sendable (TestAPI) async throws -> Void
    ) async throws {
        let directory = try TestStore.makeDirectory()
        defer { TestStore.remove(directory) }
        let store = try Store(directory: directory, options: TestStore.options)
        defer { store.close() }
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let metrics = PrometheusRegistry()
        let engine = Engine(
            store: store, secrets: try SecretKeys(path: directory + "/secrets.keys"),
            settings: settings, clock: clock, logger: logger, metrics: metrics, commit: commit)
        let keyed = Keyed()
        let group = ServiceGroup(
            configuration: .init(
                services: Self.services(of: engine, logger) { keyed.set($0) }, logger: logger))
        let api = API(
            engine: engine, egress: EgressRules(), limits: limits, metrics: metrics,
            logger: logger)
        let application = Application(
            responder: Server(api: api).responder(), logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await group.run()
                } catch  where engine.failure != nil {
                    // A storage that was made to fail ends the service.
                }
            }
            await engine.ready()
            let result = await Result<Void, any Error>.catching {
                try await application.test(.router) { client in
                    try await body(
                        TestAPI(
                            engine: engine, client: client, directory: directory,
                            adminKey: keyed.text, clock: engine.clock))
                }
            }
            engine.endWaiting()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    /// What runs beside an edge: writer, timer, and executors that answer at once.
    static func services(
        of engine: Engine, _ logger: Logger, keepAdminKey: @escaping @Sendable (String) -> Void
    ) -> [any Service] {
        [
            WriterService(engine: engine) { id in
                let text = APIKeyText(id: id, randomBytes: engine.randomBytes(20))
                keepAdminKey(text.text)
                return text.secretDigest
            },
            TimerService(engine: engine, logger: logger),
            DispatcherService(
                engine: engine,
                executors: [
                    .echo: EchoExecutor(clock: engine.clock) { _ in 0 },
                    .http: EchoExecutor(clock: engine.clock) { _ in 0 },
                ], logger: logger),
        ]
    }

    /// What `makeAdminKey` left behind.
    private final class Keyed: Sendable {
        private let state = Mutex("")
        var text: String { state.withLock { $0 } }
        func set(_ text: String) { state.withLock { $0 = text } }
    }

    func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil,
        key: String? = nil, headers: [HTTPField.Name: String] = [:], bytes: [UInt8]? = nil
    ) async throws -> Answer {
        var fields = HTTPFields()
        let key = key ?? adminKey
        if !key.isEmpty { fields[.authorization] = "Bearer \(key)" }
        if body != nil || bytes != nil { fields[.contentType] = "application/json" }
        for (name, value) in headers { fields[name] = value.isEmpty ? nil : value }
        let content = bytes ?? body.map { Array($0.utf8) }
        return try await client.execute(
            uri: path, method: method, headers: fields,
            body: content.map { ByteBuffer(bytes: $0) }
        ) { response in
            Answer(
                status: response.status.code, headers: response.headers,
                body: Array(response.body.readableBytesView))
        }
    }

    /// A new workflow's id.
    func workflow(_ definition: String = #"{"executor":{"type":"echo"}}"#) async throws -> String {
        let answer = try await call(
            .post, "/workflows", #"{"name":"call","definition":\#(definition)}"#)
        try #require(answer.status == 201, "\(answer.text)")
        return answer.id
    }

    /// A workflow whose runs wait for a worker that never comes.
    func waitingWorkflow() async throws -> String {
        try await workflow(#"{"executor":{"type":"worker","queue":"nobody"}}"#)
    }

    func time(inSeconds seconds: Int) -> String {
        RFC3339.format(clock.now().adding(seconds: seconds))
    }

    /// A new pending schedule's id.
    func schedule(_ workflow: String, more: String = "") async throws -> String {
        let answer = try await call(
            .post, "/workflows/\(workflow)/schedules",
            #"{"scheduled_time":"\#(time(inSeconds: 3_600))"\#(more)}"#)
        try #require(answer.status == 201, "\(answer.text)")
        return answer.id
    }

    /// A new trigger of the workflow with a refused message, and a new subscription with a delivery that has
    /// ended: their ids by the names that paths have for them.
    /// An operation that nobody carries out.
    func operation() async throws -> String {
        let answer = try await call(
            .post, "/workflow-schedules/cancel", #"{"filter":{"dedup_key":"none"}}"#)
        try #require(answer.status == 202, "\(answer.text)")
        return answer.id
    }

    func edges(of workflow: String) async throws -> [String: String] {
        let trigger = try await call(
            .post, "/workflow-triggers",
            #"{"kind":"webhook","workflow_id":"\#(workflow)","name":"t","verification":{"type":"bearer"},"accepts_text":false}"#
        )
        try #require(trigger.status == 201, "\(trigger.text)")
        let secret = try #require(trigger.json["secret"] as? String)
        let refused = try await call(
            .post, "/hooks/\(trigger.id)", "a text", key: secret,
            headers: [.contentType: "text/plain"])
        try #require(refused.status == 415, "\(refused.text)")
        // Now it would be taken.
        _ = try await call(.patch, "/workflow-triggers/\(trigger.id)", #"{"accepts_text":true}"#)
        let subscription = try await call(
            .post, "/workflow-webhooks",
            #"{"name":"s","url":"https://example.com/","actions":["workflow_updated"]}"#)
        try #require(subscription.status == 201, "\(subscription.text)")
        _ = try await call(.patch, "/workflows/\(workflow)", #"{"description":"told"}"#)
        let deliveries = try await call(
            .get, "/workflow-webhooks/events?subscription_id=\(subscription.id)"
        ).items
        let delivery = try #require(deliveries.first?["id"] as? String)
        _ = try await submit(
            .recordDelivery(
                try #require(DeliveryID(hex: delivery)),
                DeliveryAttempt(
                    number: 1, startedAt: clock.now(), latencyMilliseconds: 1, statusCode: 200,
                    error: nil, answer: nil), .delivered), team: try teamOfAdmin())
        return [
            "trigger_id": trigger.id, "subscription_id": subscription.id,
            "delivery_id": delivery,
            "refusal_id": try #require(refused.json["refusal_id"] as? String),
        ]
    }

    /// The answer to a new schedule that fires in a moment.
    func soon(_ workflow: String, more: String = "") async throws -> Answer {
        while true {
            let due = RFC3339.format(clock.now().adding(microseconds: 300_000))
            let answer = try await call(
                .post, "/workflows/\(workflow)/schedules", #"{"scheduled_time":"\#(due)"\#(more)}"#)
            // On a busy machine the moment may have come before it was asked for.
            guard answer.status != 422 else { continue }
            try #require(answer.status == 201, "\(answer.text)")
            return answer
        }
    }

    /// The position of the last entry.
    func position() throws -> Position { try engine.service().position }

    /// Submits a command as the service itself.
    func submit(_ command: Command, team: TeamID? = nil) async throws -> Accepted {
        let outcomes = await engine.submitOwn([
            Submission(
                command, by: .system(.command), team: team, id: engine.newCommandID())
        ])
        guard case .accepted(let accepted)? = outcomes.first else {
            throw Problem.malformed("\(outcomes)")
        }
        return accepted
    }

    func teamOfAdmin() throws -> TeamID {
        let id = try #require(APIKeyText(adminKey)).id
        return try #require(try engine.validKey(id)).team
    }

    func newTeam() async throws -> TeamID {
        let accepted = try await submit(.createTeam(name: "other", maxConcurrentRuns: 5))
        guard case .team(let team) = accepted.answer else { throw Problem.internal }
        return team.id
    }

    /// The text of a new key.
    func newKey(_ role: Role, of team: TeamID, expiresAt: Instant? = nil) async throws -> String {
        let bytes = engine.randomBytes(20)
        // The secret does not depend on the id.
        let digest = APIKeyText(id: .lowest, randomBytes: bytes).secretDigest
        let accepted = try await submit(
            .createKey(
                NewKey(role: role, name: "key", secretDigest: digest, expiresAt: expiresAt)),
            team: team)
        guard case .apiKey(let key) = accepted.answer else { throw Problem.internal }
        return APIKeyText(id: key.id, randomBytes: bytes).text
    }
}

extension Result where Failure == any Error {
    static func catching(_ body: () async throws -> Success) async -> Self {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}
