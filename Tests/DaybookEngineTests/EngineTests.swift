import DaybookCore
import DaybookEngine
import DaybookStore
import Foundation
import Glibc
import Logging
import ServiceLifecycle
import Support
import Synchronization
import Testing

/// A running engine under a clock that stands until it is moved.
private struct Bench: Sendable {
    let engine: Engine
    let clock: ManualClock
    let executor: RecordingExecutor
    let team: TeamID

    /// Runs `body` with writer, timer and dispatcher going.
    static func run(
        on disk: TestStore, clock: ManualClock = ManualClock(), settings: Settings = .stepped,
        commit: @escaping @Sendable (consuming Batch) throws -> Void = { batch in
            try batch.commit()
        },
        _ body: @escaping @Sendable (Bench) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let engine = Engine(
            store: disk.store, secrets: try SecretKeys(path: disk.directory + "/secrets.keys"),
            settings: settings, clock: clock, logger: logger, commit: commit)
        let executor = RecordingExecutor()
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(
                        service: WriterService(engine: engine) { _ in .filled(1) },
                        failureTerminationBehavior: .cancelGroup),
                    .init(service: TimerService(engine: engine, logger: logger)),
                    .init(
                        service: DispatcherService(
                            engine: engine, executors: [.echo: executor, .http: executor],
                            logger: logger)),
                ], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await group.run() }
            await engine.ready()
            let team = try engine.read { view in try view.teams().first?.id } ?? .lowest
            try await body(Bench(engine: engine, clock: clock, executor: executor, team: team))
            // What is still open gets its time by the clock, which stands.
            for index in executor.works.indices { executor.end(index, .abandoned) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    func submit(_ command: Command) async -> Outcome {
        await engine.submit(
            Submission(command, by: .system(.command), team: team, id: engine.newCommandID()))
    }

    func accepted(_ command: Command) async throws -> Answer {
        guard case .accepted(let accepted) = await submit(command) else {
            throw CocoaError(.featureUnsupported)
        }
        return accepted.answer
    }

    func workflow(_ definition: Definition = .echo) async throws -> WorkflowID {
        guard
            case .workflow(let workflow) = try await accepted(
                .createWorkflow(
                    NewWorkflow(
                        name: "call", definition: definition,
                        secret: engine.seal([1], for: .workflowSecret, of: team))))
        else { throw CocoaError(.featureUnsupported) }
        return workflow.id
    }

    func schedule(_ workflow: WorkflowID, in seconds: Int) async throws -> ScheduleID {
        guard
            case .schedule(let schedule) = try await accepted(
                .createSchedule(
                    workflow,
                    NewSchedule(scheduledTime: clock.now().adding(seconds: seconds))))
        else { throw CocoaError(.featureUnsupported) }
        return schedule.id
    }

    func execute(_ workflow: WorkflowID) async throws -> RunID {
        guard case .run(let run) = try await accepted(.execute(workflow, NewRun())) else {
            throw CocoaError(.featureUnsupported)
        }
        return run.id
    }

    func run(_ id: RunID) throws -> Run {
        try #require(try engine.run(id, of: team)).run
    }

    func ended(_ id: RunID) async throws {
        try await engine.feed.waitForEnd(of: id, until: .latest, clock: clock) {
            try engine.run(id, of: team)?.run.status.isFinal ?? true
        }
    }
}

/// The threads on which something happened.
private final class Threads: Sendable {
    private let state = Mutex<Set<pthread_t>>([])

    var all: Set<pthread_t> { state.withLock { $0 } }

    func note() { state.withLock { _ = $0.insert(pthread_self()) } }
}

@Suite("Engine")
struct EngineTests {
    @Test("a promise fires at its moment and not before; an earlier one wakes the timer")
    func firesAtItsMoment() async throws {
        let disk = try TestStore()
        try await Bench.run(on: disk) { bench in
            let workflow = try await bench.workflow()
            let later = try await bench.schedule(workflow, in: 50)
            let sooner = try await bench.schedule(workflow, in: 10)
            bench.clock.advance(microseconds: 9_999_999)
            _ = try await bench.execute(workflow)
            await bench.executor.waitForWorks(1)
            #expect(
                try bench.engine.schedule(sooner, of: bench.team)?.schedule.status == .pending)
            bench.clock.advance(microseconds: 1)
            await bench.executor.waitForWorks(2)
            let fired = try #require(try bench.engine.schedule(sooner, of: bench.team)).schedule
            #expect(fired.firedAt == fired.scheduledTime)
            #expect(
                try bench.engine.schedule(later, of: bench.team)?.schedule.status == .pending)
            bench.executor.end(1, .completed([0x31]))
            try await bench.ended(try #require(fired.run))
            #expect(
                try bench.engine.schedule(sooner, of: bench.team)?.schedule.status == .completed)
        }
    }

    @Test("two thousand due at one instant all fire once, in due order, and clients are heard")
    func herd() async throws {
        let disk = try TestStore()
        try await Bench.run(on: disk) { bench in
            let workflow = try await bench.workflow(.worker("nobody"))
            let time = bench.clock.now().adding(seconds: 5)
            let outcomes = await bench.engine.submitOwn(
                (0..<2_000).map { number in
                    Submission(
                        .createSchedule(workflow, NewSchedule(scheduledTime: time)),
                        by: .system(.command), team: bench.team,
                        id: bench.engine.newCommandID())
                })
            #expect(outcomes.count == 2_000)
            bench.clock.advance(seconds: 5)
            let run = try await bench.execute(workflow)
            #expect(try bench.run(run).status == .queued)
            while try bench.engine.usage(of: bench.team).queued < 2_001 { await Task.yield() }
        }
        var fired: [ScheduleID: Int] = [:]
        for event in try disk.entries().flatMap(\.events) {
            if case .scheduleFired(let event) = event { fired[event.schedule, default: 0] += 1 }
        }
        #expect(fired.count == 2_000)
        #expect(fired.values.allSatisfy { $0 == 1 })
    }

    @Test("a run that is cancelled is broken off, and its late answer changes nothing")
    func cancelled() async throws {
        let disk = try TestStore()
        try await Bench.run(on: disk) { bench in
            let run = try await bench.execute(try await bench.workflow())
            await bench.executor.waitForWorks(1)
            _ = try await bench.accepted(.cancelRun(run))
            while bench.executor.cancelled.isEmpty { await Task.yield() }
            guard
                case .refused(.runState) = await bench.submit(
                    .complete(run, attempt: 1, output: nil))
            else {
                Issue.record("a late answer was taken")
                return
            }
            #expect(try bench.engine.usage(of: bench.team).inProgress == 0)
        }
    }

    @Test("the license holds, and raising it lets the others start at once")
    func license() async throws {
        let disk = try TestStore()
        try await Bench.run(on: disk) { bench in
            _ = try await bench.accepted(.setLicense(team: bench.team, maxConcurrentRuns: 2))
            let workflow = try await bench.workflow()
            for _ in 0..<5 { _ = try await bench.execute(workflow) }
            await bench.executor.waitForWorks(2)
            #expect(try bench.engine.usage(of: bench.team).inProgress == 2)
            #expect(bench.executor.works.count == 2)
            _ = try await bench.accepted(.setLicense(team: bench.team, maxConcurrentRuns: 4))
            await bench.executor.waitForWorks(4)
            bench.executor.end(0, .completed(nil))
            await bench.executor.waitForWorks(5)
            #expect(try bench.engine.usage(of: bench.team).inProgress == 4)
        }
    }

    @Test("no more executions are open than there is room for; a 202 makes room")
    func capacity() async throws {
        var settings = Settings.stepped
        settings.executionsInFlight = 2
        let disk = try TestStore()
        try await Bench.run(on: disk, settings: settings) { bench in
            let workflow = try await bench.workflow()
            for _ in 0..<4 { _ = try await bench.execute(workflow) }
            await bench.executor.waitForWorks(2)
            bench.executor.end(0, .accepted)
            await bench.executor.waitForWorks(3)
            let first = bench.executor.works[0].run.id
            #expect(try bench.run(first).isAccepted)
            #expect(try bench.run(first).status == .inProgress)
            bench.executor.end(
                1, .failed(.error, message: "no", isRetryable: true, retryAfterSeconds: nil))
            await bench.executor.waitForWorks(4)
            #expect(try bench.run(bench.executor.works[1].run.id).status == .failed)
        }
    }

    @Test("what was open when the process ended is sent again: same run, same attempt")
    func sentAgain() async throws {
        let disk = try TestStore()
        let clock = ManualClock()
        try await Bench.run(on: disk, clock: clock) { bench in
            _ = try await bench.execute(try await bench.workflow())
            await bench.executor.waitForWorks(1)
        }
        try disk.reopen()
        try await Bench.run(on: disk, clock: clock) { bench in
            await bench.executor.waitForWorks(1)
            let work = try #require(bench.executor.works.first)
            #expect(work.isRedelivery)
            #expect(work.run.attempt == 1)
            bench.executor.end(0, .completed(nil))
            try await bench.ended(work.run.id)
            #expect(try bench.run(work.run.id).status == .completed)
        }
        let kinds = try disk.entries().map(\.header.command)
        #expect(kinds.filter { $0 == .initialise }.count == 1)
        #expect(kinds.filter { $0 == .start }.count == 2)
        #expect(kinds.last == .stop)
    }

    @Test("a failed try waits for its time and is tried again, with the next attempt")
    func triedAgain() async throws {
        let disk = try TestStore()
        try await Bench.run(on: disk) { bench in
            let workflow = try await bench.workflow()
            _ = try await bench.accepted(
                .modifyWorkflow(workflow, WorkflowChanges(retry: .thrice)))
            let run = try await bench.execute(workflow)
            await bench.executor.waitForWorks(1)
            bench.executor.end(
                0, .failed(.error, message: "no", isRetryable: true, retryAfterSeconds: nil))
            while try bench.run(run).notBefore == nil { await Task.yield() }
            #expect(try bench.engine.usage(of: bench.team).inProgress == 0)
            bench.clock.advance(seconds: 10)
            await bench.executor.waitForWorks(2)
            #expect(bench.executor.works[1].run.attempt == 2)
        }
    }

    @Test("a commit whose effect is unknown: nobody is told yes, and nothing is taken any more")
    func failStop() async throws {
        let disk = try TestStore()
        let fails = Mutex(false)
        try await Bench.run(
            on: disk,
            commit: { batch in
                guard fails.withLock({ $0 }) else { return try batch.commit() }
                batch.abort()
                throw CocoaError(.fileWriteUnknown)
            }
        ) { bench in
            let workflow = try await bench.workflow()
            fails.withLock { $0 = true }
            let outcomes = await withTaskGroup(of: Outcome.self) { group in
                for _ in 0..<5 {
                    group.addTask { await bench.submit(.execute(workflow, NewRun())) }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for outcome in outcomes {
                guard case .unavailable(let reason) = outcome else {
                    Issue.record("told \(outcome)")
                    continue
                }
                #expect(reason == .outcomeUnknown || reason == .stopping)
            }
            await bench.engine.waitForEnd()
            #expect(bench.engine.failure != nil)
            fails.withLock { $0 = false }
            guard case .unavailable = await bench.submit(.execute(workflow, NewRun())) else {
                Issue.record("a command was taken after the storage failed")
                return
            }
        }
    }

    @Test("commits happen on one thread, which is none of the pool's")
    func ownThread() async throws {
        let disk = try TestStore()
        let writers = Threads()
        let pool = Threads()
        try await Bench.run(
            on: disk,
            commit: { batch in
                writers.note()
                try batch.commit()
            }
        ) { bench in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        pool.note()
                        _ = try? await bench.workflow()
                        pool.note()
                    }
                }
            }
        }
        #expect(writers.all.count == 1)
        #expect(writers.all.isDisjoint(with: pool.all))
    }

    @Test("an idempotency key holds over a restart and a rebuild, and ends when it says")
    func idempotency() async throws {
        let disk = try TestStore()
        let clock = ManualClock()
        var settings = Settings.stepped
        settings.idempotencySeconds = 100
        let key = IdempotencyKey(scope: .filled(1), request: .filled(2))
        let first = Mutex<Position>(0)
        try await Bench.run(on: disk, clock: clock, settings: settings) { bench in
            let workflow = try await bench.workflow(.worker("nobody"))
            guard
                case .accepted(let accepted) = await bench.engine.submit(
                    Submission(
                        .execute(workflow, NewRun()), by: .system(.command), team: bench.team,
                        id: bench.engine.newCommandID(), idempotency: key))
            else { throw CocoaError(.featureUnsupported) }
            first.withLock { $0 = accepted.position }
        }
        try disk.store.clearProjections()
        try disk.reopen()
        for (seconds, isReplayed) in [(99, true), (1, false)] {
            clock.advance(seconds: seconds)
            try await Bench.run(on: disk, clock: clock, settings: settings) { bench in
                let workflow = try #require(
                    try bench.engine.workflows(of: bench.team, after: nil, limit: 1).items.first)
                guard
                    case .accepted(let again) = await bench.engine.submit(
                        Submission(
                            .execute(workflow.id, NewRun()), by: .system(.command),
                            team: bench.team, id: bench.engine.newCommandID(), idempotency: key))
                else { throw CocoaError(.featureUnsupported) }
                #expect(again.isReplayed == isReplayed)
                #expect((again.position == first.withLock { $0 }) == isReplayed)
            }
            try disk.reopen()
        }
    }
}

@Suite("Clock and ids")
struct ClockAndIDTests {
    @Test("the clock is judged by drift and by the last entry, and forgiven after ten seconds")
    func clockGuard() {
        let start = Instant.dayOne
        var judge = ClockGuard(tolerance: 60_000_000, wall: start, boot: 0, lastRecorded: start)
        func observe(_ second: Int, drift: Int) -> ClockGuard.Judgement {
            judge.observe(
                wall: start.adding(seconds: second + drift), boot: Int64(second) * 1_000_000,
                lastRecorded: start)
            return judge.judgement
        }
        #expect(observe(1, drift: 60) == .good)
        #expect(observe(2, drift: 61) == .ahead)
        #expect(observe(3, drift: 0) == .ahead)
        #expect(observe(12, drift: 0) == .ahead)
        #expect(observe(13, drift: 0) == .good)
        #expect(observe(14, drift: -61) == .behind)
        #expect(observe(15, drift: 0) == .behind)
        #expect(observe(16, drift: -61) == .behind)
        #expect(observe(17, drift: 0) == .behind)
        #expect(observe(27, drift: 0) == .good)
        #expect(observe(28, drift: 4_000) == .ahead)
        judge.trust(
            wall: start.adding(seconds: 4_028), boot: 28_000_000, lastRecorded: start)
        #expect(observe(29, drift: 4_000) == .good)
        let late = ClockGuard(
            tolerance: 60_000_000, wall: start, boot: 0, lastRecorded: start.adding(seconds: 61))
        #expect(late.judgement == .behind)
    }

    @Test("ids rise: within a millisecond, over a clock that stands, and after a restart")
    func ids() {
        var numbers = IDGenerator(after: .lowest, random: { .max })
        var last = AnyID.lowest
        for microseconds in [0, 0, 1, 999, 1_000, 1_000, 5_000] as [Int64] {
            let id = numbers.next(at: .dayOne.adding(microseconds: microseconds))
            #expect(id > last)
            #expect(id.high >> 16 == Instant.dayOne.milliseconds + UInt64(microseconds / 1_000))
            last = id
        }
        var restarted = IDGenerator(after: last, random: { 0 })
        #expect(restarted.next(at: .dayOne) > last)
        let edge = AnyID(high: last.high, low: .max)
        var carried = IDGenerator(after: edge, random: { 0 })
        #expect(carried.next(at: .dayOne) == AnyID(high: last.high + 1, low: 0))
    }
}
