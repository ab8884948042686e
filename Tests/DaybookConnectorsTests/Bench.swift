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

    init(limits: HTTPExecutor.Limits = HTTPExecutor.Limits()) throws {
        disk = try TestStore()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        engine = Engine(
            store: disk.store, secrets: try SecretKeys(path: disk.directory + "/secrets.keys"),
            settings: Settings(), clock: SystemClock(), logger: logger)
        clients = OutboundClients(
            egress: EgressRules(allowed: [try CIDR("127.0.0.0/8")]), resolver: SystemResolver(),
            logger: logger)
        executor = HTTPExecutor(engine: engine, clients: clients, limits: limits, logger: logger)
    }

    static let secret = [UInt8](repeating: 7, count: 32)

    /// A first attempt of a run by hand that calls the URL.
    static func work(_ url: String, _ more: String = "", input: String? = nil) -> Work {
        let run = Run(
            id: .number(9), team: .number(1), workflow: .number(2), version: 0,
            definitionPosition: 4, queue: .http, mode: .manual, status: .inProgress,
            schedule: nil, trigger: nil, scheduledTime: nil, input: nil, output: nil,
            error: nil, attempt: 1, tries: 1, priority: 5, expiresAt: nil,
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
            input: input.map { Array($0.utf8) }, secrets: [secret], isRedelivery: false)
    }
}
