import DaybookCore
import DaybookEngine
import DaybookStore
import Dispatch
import Foundation
import Logging
import Support
import Synchronization

/// Holds the writer at its commits for as long as it is shut.
final class Gate: Sendable {
    private struct State {
        var isShut = false
        var isHolding = false
    }

    private let state = Mutex(State())
    private let opening = DispatchSemaphore(value: 0)

    /// Whether a commit waits for the gate to open.
    var isHolding: Bool { state.withLock { $0.isHolding } }

    func shut() { state.withLock { $0.isShut = true } }

    func open() {
        let wakes = state.withLock { state in
            state.isShut = false
            defer { state.isHolding = false }
            return state.isHolding
        }
        if wakes { opening.signal() }
    }

    /// To be called on the writer's thread.
    func pass() {
        let waits = state.withLock { state in
            state.isHolding = state.isShut
            return state.isShut
        }
        if waits { opening.wait() }
    }
}

/// An engine with its writer alone: what else is to run, a test starts itself.
struct LiveEngine: Sendable {
    struct Unexpected: Error {
        let outcome: Outcome
    }

    let engine: Engine
    let clock: ManualClock
    let gate: Gate
    let team: TeamID
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// An engine that has not been started.
    static func engine(
        on disk: TestStore, clock: ManualClock = ManualClock(), settings: Settings = .stepped,
        commit: @escaping @Sendable (consuming Batch) throws -> Void = { try $0.commit() }
    ) throws -> Engine {
        Engine(
            store: disk.store, secrets: try SecretKeys(path: disk.directory + "/secrets.keys"),
            settings: settings, clock: clock, logger: logger, commit: commit)
    }

    /// Runs `body` with the writer going, and stops it afterwards, whatever became of it.
    static func run(
        on disk: TestStore, clock: ManualClock = ManualClock(), settings: Settings = .stepped,
        _ body: @Sendable (LiveEngine) async throws -> Void
    ) async throws {
        let gate = Gate()
        let engine = try engine(on: disk, clock: clock, settings: settings) { batch in
            gate.pass()
            try batch.commit()
        }
        engine.start { _ in .filled(1) }
        await engine.ready()
        let team = try engine.read { view in try view.teams().first?.id } ?? .lowest
        var failure: (any Error)?
        do {
            try await body(LiveEngine(engine: engine, clock: clock, gate: gate, team: team))
        } catch {
            failure = error
        }
        gate.open()
        await engine.stop()
        if let failure { throw failure }
    }

    func submission(
        _ command: Command, of team: TeamID? = nil, payload: SaltedPayload? = nil
    ) -> Submission {
        Submission(
            command, by: .system(.command), team: team ?? self.team,
            id: engine.newCommandID(), payload: payload)
    }

    func submit(_ command: Command, of team: TeamID? = nil) async -> Outcome {
        await engine.submit(submission(command, of: team))
    }

    /// Submits the command and returns once it waits in the mailbox.
    func leave(
        _ command: Command, of team: TeamID? = nil, payload: SaltedPayload? = nil
    ) async -> Task<Outcome, Never> {
        let depth = engine.mailboxDepth
        let submission = submission(command, of: team, payload: payload)
        let task = Task { await engine.submit(submission) }
        while engine.mailboxDepth == depth { await Task.yield() }
        return task
    }

    /// Has the writer stand at the commit of the command, so that all others have to wait.
    func hold(at command: Command) async -> Task<Outcome, Never> {
        gate.shut()
        let submission = submission(command)
        let task = Task { await engine.submit(submission) }
        while !gate.isHolding { await Task.yield() }
        return task
    }

    func answer(to command: Command) async throws -> Answer {
        let outcome = await submit(command)
        guard case .accepted(let accepted) = outcome else { throw Unexpected(outcome: outcome) }
        return accepted.answer
    }

    func workflow(_ definition: Definition = .worker("nobody")) async throws -> WorkflowID {
        let secret = engine.seal([1], for: .workflowSecret, of: team)
        let answer = try await answer(
            to: .createWorkflow(NewWorkflow(name: "w", definition: definition, secret: secret)))
        guard case .workflow(let workflow) = answer else { throw CocoaError(.coderInvalidValue) }
        return workflow.id
    }

    func execute(_ workflow: WorkflowID) async throws -> RunID {
        guard case .run(let run) = try await answer(to: .execute(workflow, NewRun())) else {
            throw CocoaError(.coderInvalidValue)
        }
        return run.id
    }

    func schedule(_ workflow: WorkflowID, in seconds: Int) async throws -> ScheduleID {
        let new = NewSchedule(scheduledTime: clock.now().adding(seconds: seconds))
        guard case .schedule(let row) = try await answer(to: .createSchedule(workflow, new)) else {
            throw CocoaError(.coderInvalidValue)
        }
        return row.id
    }

    func status(of run: RunID) throws -> Run.Status? {
        try engine.run(run, of: team)?.run.status
    }

    func status(of schedule: ScheduleID) throws -> Schedule.Status? {
        try engine.schedule(schedule, of: team)?.schedule.status
    }
}

extension Outcome {
    var isAccepted: Bool {
        if case .accepted = self { true } else { false }
    }

    /// Why the service did not take the command.
    var refusal: Unavailable? {
        if case .unavailable(let reason) = self { reason } else { nil }
    }
}

/// What came in, in its order.
final class Collected<Element: Sendable>: Sendable {
    private let state = Mutex<[Element]>([])

    var all: [Element] { state.withLock { $0 } }

    func add(_ element: Element) { state.withLock { $0.append(element) } }
}
