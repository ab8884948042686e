import DaybookConnectors
import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Logging
import Support

/// What an executor is made of, on an engine that is there but not started.
final class Bench {
    let disk: TestStore
    let engine: Engine
    let clients: OutboundClients
    let executor: HTTPExecutor

    init(
        allowed: [String] = ["127.0.0.0/8"], resolver: any AddressResolver = SystemResolver(),
        limits: HTTPExecutor.Limits = HTTPExecutor.Limits()
    ) throws {
        disk = try TestStore()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        engine = Engine(
            store: disk.store, secrets: try SecretKeys(path: disk.directory + "/secrets.keys"),
            settings: Settings(), clock: SystemClock(), logger: logger)
        clients = OutboundClients(
            egress: EgressRules(allowed: try allowed.map { try CIDR($0) }), resolver: resolver,
            logger: logger)
        executor = HTTPExecutor(engine: engine, clients: clients, limits: limits, logger: logger)
    }

    static let secret = [UInt8](repeating: 7, count: 32)
    static let oldSecret = [UInt8](repeating: 8, count: 32)

    /// An attempt of a run that calls the URL: by hand, or of a schedule that was due at second 1.
    static func work(
        _ url: String, _ more: String = "", version: Int = 0, isScheduled: Bool = false,
        attempt: Int = 1, input: String? = nil, secrets: [[UInt8]] = [secret],
        isRedelivery: Bool = false, traceparent: String? = nil
    ) -> Work {
        let run = Run(
            id: .number(9), team: .number(1), workflow: .number(2), version: version,
            definitionLocation: .first(4), queue: .http, mode: isScheduled ? .scheduled : .manual,
            status: .inProgress, schedule: isScheduled ? .number(5) : nil, trigger: nil,
            scheduledTime: isScheduled ? .second(1) : nil, input: nil, output: nil,
            error: nil, attempt: attempt, tries: attempt, priority: 5, expiresAt: nil,
            timeoutSeconds: 60, retry: .once, queuedAt: .second(1), queuedPosition: 6,
            firstStartedAt: nil, startedAt: nil, startedPosition: 7, deadline: nil,
            leaseEndsAt: nil, leaseSeconds: nil, isAccepted: false, notBefore: nil,
            finishedAt: nil, worker: nil,
            touched: Touched(
                createdAt: .second(1), createdBy: .system(.timer), updatedAt: .second(1),
                updatedBy: .system(.timer), position: 7))
        let definition = #"{"executor":{"type":"http","url":"\#(url)"\#(more)}}"#
        return Work(
            run: run, definition: Definition(bytes: Array(definition.utf8), queue: .http),
            input: input.map { Array($0.utf8) }, secrets: secrets, isRedelivery: isRedelivery,
            traceparent: traceparent)
    }
}
