import DaybookCore
import DaybookEngine
import DaybookStore
import Foundation
import LMDB
import Logging
import Support
import Synchronization
import Testing

/// Commands processed one batch after the other, over a store of its own.
private struct Bench {
    let disk: TestStore
    let clock = ManualClock()
    let monitor: ClockMonitor
    var processor: BatchProcessor
    var team = TeamID.lowest
    private var count: UInt64 = 0

    init(random: @escaping @Sendable () -> UInt64 = { 5 }) throws {
        disk = try TestStore()
        monitor = ClockMonitor(clock: clock, tolerance: 60_000_000)
        processor = try BatchProcessor(
            store: disk.store, clock: clock, monitor: monitor, settings: Settings(),
            random: random)
        _ = try ask(.initialise(logID: [UInt8](repeating: 1, count: 16)))
        guard case .accepted(let made) = try ask(.createTeam(name: "t", maxConcurrentRuns: 3)),
            case .team(let row) = made.answer
        else { throw CocoaError(.featureUnsupported) }
        team = row.id
    }

    mutating func ask(
        _ command: Command, by actor: Actor = .system(.command), key: IdempotencyKey? = nil
    ) throws -> Outcome {
        count += 1
        return try processor.process([
            Submission(command, by: actor, team: team, id: .number(count), idempotency: key)
        ]).outcomes[0]
    }

    mutating func newWorkflow() throws -> WorkflowID {
        guard
            case .accepted(let made) = try ask(
                .createWorkflow(NewWorkflow(name: "w", definition: .echo, secret: .number(1)))),
            case .workflow(let row) = made.answer
        else { throw CocoaError(.featureUnsupported) }
        return row.id
    }
}

@Suite("Bugs that were found", .timeLimit(.minutes(10)))
struct RegressionTests {
    @Test("nothing is written ahead of time, also before the clock has been looked at again")
    func nothingIsWrittenAhead() throws {
        var bench = try Bench()
        bench.clock.jump(seconds: 74 * 365 * 86_400)
        guard case .unavailable(.clockSuspect) = try bench.ask(.pause) else {
            Issue.record("an entry was written at \(bench.processor.lastRecorded)")
            return
        }
    }

    @Test("who may not vouch for the clock does not")
    func onlyAnAdministratorVouches() throws {
        var bench = try Bench()
        bench.clock.jump(seconds: 3_600)
        _ = bench.monitor.observe()
        #expect(bench.monitor.judgement == .ahead)
        guard case .refused = try bench.ask(.trustClock, by: .key(.number(77))) else {
            Issue.record("an unknown key was not refused")
            return
        }
        #expect(bench.monitor.judgement == .ahead)
    }

    @Test("an administrator's word ends a suspicion that comes from the log")
    func vouchingHolds() throws {
        var bench = try Bench()
        bench.clock.jump(seconds: -3_600)
        _ = bench.monitor.observe()
        #expect(bench.monitor.judgement == .behind)
        _ = try bench.ask(.trustClock)
        bench.clock.advance(seconds: 1)
        _ = bench.monitor.observe()
        #expect(bench.monitor.judgement == .good)
    }

    @Test("an administrator's word that finds no room in the log does not count")
    func wordWithoutRoom() throws {
        var bench = try Bench()
        bench.processor = try BatchProcessor(
            store: bench.disk.store, clock: bench.clock, monitor: bench.monitor,
            settings: Settings(), random: { 5 },
            commit: { batch in
                batch.abort()
                throw LMDBError(code: -30_792, operation: "put")
            })
        bench.clock.jump(seconds: 3_600)
        let asked = [Command.pause, .trustClock].enumerated().map { number, command in
            Submission(
                command, by: .system(.command), team: nil, id: .number(UInt64(900 + number)))
        }
        var outcomes: [Outcome] = []
        try bench.processor.processInParts(asked[...]) { outcomes += $0.outcomes }
        #expect(outcomes.map(\.refusal) == [.clockSuspect, .diskFull])
        #expect(bench.monitor.judgement == .ahead)
    }

    @Test("ids rise over a restart in the same instant after 1,001 entries that made nothing")
    func idsRise() throws {
        var bench = try Bench(random: { 1 << 46 })
        let first = try bench.newWorkflow()
        for _ in 0..<1_001 { _ = try bench.ask(.stop) }
        try bench.disk.reopen()
        bench.processor = try BatchProcessor(
            store: bench.disk.store, clock: bench.clock, monitor: bench.monitor,
            settings: Settings(), random: { 5 })
        let second = try bench.newWorkflow()
        #expect(first < second)
    }

    private func engine(_ disk: TestStore, _ clock: ManualClock) throws -> Engine {
        Engine(
            store: disk.store, secrets: try SecretKeys(path: disk.directory + "/secrets.keys"),
            settings: Settings(), clock: clock,
            logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("a stop that is asked for during a replay stays a stop")
    func stopDuringReplay() async throws {
        var bench = try Bench()
        for _ in 0..<1_200 { _ = try bench.ask(.stop) }
        try bench.disk.store.clearProjections()
        let engine = try engine(bench.disk, bench.clock)
        engine.beginStopping()
        engine.start { _ in .filled(1) }
        await engine.ready()
        #expect(engine.currentPhase == .stopping)
        await engine.stop()
    }

    @Test("nothing is sent again while the service is paused, and all of it after the pause")
    func pausedSendsNothing() async throws {
        var bench = try Bench()
        let (clock, disk) = (bench.clock, bench.disk)
        let keys = try SecretKeys(path: disk.directory + "/secrets.keys")
        _ = try bench.ask(
            .createWorkflow(
                NewWorkflow(
                    name: "w", definition: .echo,
                    secret: keys.seal([1], for: .workflowSecret, of: bench.team))))
        let workflow = try #require(
            try disk.store.read { try $0.workflows(of: bench.team, after: nil, limit: 1) }
                .items.first)
        _ = try bench.ask(.execute(workflow.id, NewRun()))
        _ = try bench.ask(.claim(.echo, worker: nil, leaseSeconds: nil))
        _ = try bench.ask(.pause)
        let engine = try engine(disk, clock)
        engine.start { _ in .filled(1) }
        await engine.ready()
        let executor = RecordingExecutor()
        let dispatcher = Task {
            try await DispatcherService(
                engine: engine, executors: [.echo: executor, .http: executor],
                logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }
            ).run()
        }
        // Time enough for it: many turns of everything else in the process.
        for _ in 0..<20_000 { await Task.yield() }
        #expect(executor.works.isEmpty, "sent while paused")
        dispatcher.cancel()
        _ = await dispatcher.result
        await engine.stop()
    }

    @Test("an end that comes between the question and the waiting is not missed")
    func noEndIsMissed() async throws {
        let disk = try TestStore()
        let clock = ManualClock()
        let engine = try engine(disk, clock)
        engine.start { _ in .filled(1) }
        await engine.ready()
        let team = try #require(try engine.read { try $0.teams() }.first).id
        @Sendable func submit(_ command: Command) async throws -> Answer {
            guard
                case .accepted(let accepted) = await engine.submit(
                    Submission(
                        command, by: .system(.command), team: team, id: engine.newCommandID()))
            else { throw CocoaError(.featureUnsupported) }
            return accepted.answer
        }
        guard
            case .workflow(let workflow) = try await submit(
                .createWorkflow(
                    NewWorkflow(name: "w", definition: .worker("w"), secret: .number(1))))
        else { return }
        let missed = Mutex(0)
        await withTaskGroup(of: Void.self) { group in
            // Something else to do for both threads, as in a busy service.
            for _ in 0..<4 {
                group.addTask { while !Task.isCancelled { await Task.yield() } }
            }
            for _ in 0..<150 {
                guard case .run(let run)? = try? await submit(.execute(workflow.id, NewRun()))
                else { return }
                let hasReturned = Mutex(false)
                let asked = DispatchSemaphore(value: 0)
                let isOver = DispatchSemaphore(value: 0)
                let follower = engine.feed.follow { entries in
                    if entries.contains(where: { $0.header.command == .cancelRun }) {
                        isOver.signal()
                    }
                }
                async let waiting: Void = {
                    await engine.feed.waitForEnd(
                        of: run.id, until: clock.now().adding(seconds: 1), clock: clock
                    ) {
                        // The answer is "not ended", and while it is on its way the run ends.
                        Task { _ = try? await submit(.cancelRun(run.id)) }
                        asked.signal()
                        return false
                    }
                    hasReturned.withLock { $0 = true }
                }()
                while ((try? engine.run(run.id, of: team)?.run.status.isFinal) ?? false) != true {
                    await Task.yield()
                }
                for _ in 0..<200_000 where !hasReturned.withLock({ $0 }) { await Task.yield() }
                if !hasReturned.withLock({ $0 }) {
                    missed.withLock { $0 += 1 }
                    clock.advance(seconds: 1)
                }
                engine.feed.unfollow(follower)
                await waiting
            }
            group.cancelAll()
        }
        #expect(missed.withLock { $0 } == 0)
        await engine.stop()
    }
}
