import DaybookCore
import DaybookEngine
import DaybookStore
import Foundation
import LMDB
import Logging
import ServiceLifecycle
import Support
import Synchronization
import Testing

/// A dispatcher that can be asked to stop.
private struct Shutdown: Sendable {
    private let group: ServiceGroup
    init(_ service: DispatcherService) {
        group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service)],
                logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() }))
    }
    func run() async { try? await group.run() }
    func stop() async { await group.triggerGracefulShutdown() }
}

@Suite("Starts, stops and failures that went wrong", .timeLimit(.minutes(10)))
struct FailureTests {
    @Test("at a stop, open executions get their time and are then broken off")
    func grace() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let executor = RecordingExecutor()
            _ = try await live.execute(try await live.workflow(.echo))
            let group = Shutdown(
                DispatcherService(
                    engine: live.engine, executors: [.echo: executor, .http: executor],
                    logger: LiveEngine.logger))
            let running = Task { await group.run() }
            await executor.waitForWorks(1)
            await group.stop()
            await live.clock.waitForSleepers(1)
            #expect(executor.cancelled.isEmpty)
            live.clock.advance(seconds: live.engine.settings.executionGraceSeconds)
            for _ in 0..<50_000 where executor.cancelled.isEmpty { await Task.yield() }
            #expect(executor.cancelled.count == 1, "the stop waits for the executor")
            executor.end(0, .abandoned)
            await running.value
        }
    }

    @Test("where the data file is replaced under it, the engine confirms nothing more and stops")
    func replacedFile() async throws {
        let disk = try TestStore()
        let path = disk.directory + "/db/data.mdb"
        try await LiveEngine.run(on: disk) { live in
            let workflow = try await live.workflow()
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            try FileManager.default.copyItem(atPath: path + ".away", toPath: path)
            let outcome = await live.submit(.execute(workflow, NewRun()))
            #expect(outcome.refusal == .outcomeUnknown)
            await live.engine.waitForEnd()
            #expect("\(live.engine.failure as Any)".contains("was removed or replaced"))
        }
    }

    @Test("when half of a batch dies, the other half is told that its outcome is unknown")
    func halves() async throws {
        let full = try mapIsFull()
        #expect(isNoRoom(full))
        let disk = try TestStore()
        let plan = Mutex<[(any Error)?]>([])
        let gate = Gate()
        let engine = try LiveEngine.engine(on: disk) { batch in
            gate.pass()
            let error = plan.withLock { plan -> (any Error)? in
                plan.isEmpty ? nil : plan.removeFirst()
            }
            guard let error else { return try batch.commit() }
            batch.abort()
            throw error
        }
        engine.start { _ in .filled(1) }
        await engine.ready()
        let team = try #require(try engine.read { try $0.teams() }.first).id
        let live = LiveEngine(engine: engine, clock: ManualClock(), gate: gate, team: team)
        let workflow = try await live.workflow()
        let held = await live.hold(at: .execute(workflow, NewRun()))
        let told = Collected<Unavailable?>()
        for _ in 0..<4 {
            let task = await live.leave(.execute(workflow, NewRun()))
            Task { told.add(await task.value.refusal) }
        }
        // The plan begins with the commit after the one that is held.
        plan.withLock { plan in plan = [nil, full, CocoaError(.fileWriteUnknown)] }
        gate.open()
        _ = await held.value
        await engine.waitForEnd()
        for _ in 0..<50_000 where told.all.count < 4 { await Task.yield() }
        #expect(told.all.count == 4, "\(4 - told.all.count) wait for ever")
        #expect(told.all.allSatisfy { $0 == .outcomeUnknown })
    }

    @Test("an error of the store that is not about room stops the engine")
    func otherErrors() async throws {
        let disk = try TestStore()
        let fails = Atomic(false)
        let engine = try LiveEngine.engine(on: disk) { batch in
            guard fails.load(ordering: .relaxed) else { return try batch.commit() }
            batch.abort()
            // MDB_KEYEXIST: a position that is taken.
            throw LMDBError(code: -30_799, operation: "append")
        }
        engine.start { _ in .filled(1) }
        await engine.ready()
        let team = try #require(try engine.read { try $0.teams() }.first).id
        let live = LiveEngine(engine: engine, clock: ManualClock(), gate: Gate(), team: team)
        let workflow = try await live.workflow()
        fails.store(true, ordering: .relaxed)
        #expect(await live.submit(.execute(workflow, NewRun())).refusal == .outcomeUnknown)
        await engine.waitForEnd()
        #expect(engine.failure is LMDBError)
    }

    @Test("the start is in the log, also where the clock was set before the writer came to it")
    func startIsRecorded() async throws {
        let disk = try TestStore()
        let clock = ManualClock()
        try await LiveEngine.run(on: disk, clock: clock) { _ in }
        try disk.reopen()
        clock.advance(seconds: 100)
        let engine = try LiveEngine.engine(on: disk, clock: clock)
        clock.jump(seconds: 61)  // During a replay, say.
        engine.start { _ in .filled(1) }
        await engine.ready()
        await engine.stop()
        let phase = engine.currentPhase
        let starts = try disk.entries().count { $0.header.command == .start }
        #expect(starts == 2, "\(phase)")
    }

    private func mapIsFull() throws -> any Error {
        let directory = try TestStore.makeDirectory()
        defer { TestStore.remove(directory) }
        var options = Store.Options()
        options.mapSize = 1 << 20
        let store = try Store(directory: directory, options: options)
        defer { store.close() }
        try store.replay()
        let clock = ManualClock()
        var processor = try BatchProcessor(
            store: store, clock: clock, monitor: ClockMonitor(clock: clock, tolerance: 60_000_000),
            settings: Settings(), random: { 5 })
        var count: UInt64 = 0
        func own(_ command: Command, _ team: TeamID?, _ payload: SaltedPayload? = nil)
            -> Submission
        {
            count += 1
            return Submission(
                command, by: .system(.service), team: team, id: .number(count), payload: payload)
        }
        do {
            let first = try processor.process([
                own(.initialise(logID: [UInt8](repeating: 1, count: 16)), nil),
                own(.createTeam(name: "t", maxConcurrentRuns: 3), nil),
            ])
            guard case .accepted(let made) = first.outcomes[1], case .team(let team) = made.answer
            else { throw CocoaError(.coderInvalidValue) }
            let second = try processor.process([
                own(
                    .createWorkflow(
                        NewWorkflow(name: "w", definition: .echo, secret: .number(1))), team.id)
            ])
            guard case .accepted(let made) = second.outcomes[0],
                case .workflow(let workflow) = made.answer
            else { throw CocoaError(.coderInvalidValue) }
            for number in 0..<100 {
                let payload = SaltedPayload(
                    [UInt8](repeating: 0x31, count: 60_000),
                    salt: [UInt8](repeating: UInt8(number), count: 16))
                _ = try processor.process([
                    own(
                        .createSchedule(
                            workflow.id,
                            NewSchedule(
                                scheduledTime: clock.now().adding(seconds: 5),
                                input: payload.payload)), team.id, payload)
                ])
            }
        } catch  where isNoRoom(error) {
            return error
        }
        throw CocoaError(.coderInvalidValue)
    }
}
