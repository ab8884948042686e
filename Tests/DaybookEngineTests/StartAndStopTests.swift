import DaybookCore
import DaybookEngine
import DaybookStore
import Foundation
import Support
import Testing

@Suite("Start and stop", .timeLimit(.minutes(5)))
struct StartAndStopTests {
    @Test("the first entries are made once, and the first admin key with them")
    func firstEntries() async throws {
        let disk = try TestStore()
        let keys = Collected<KeyID>()
        for _ in 0..<2 {
            let engine = try LiveEngine.engine(on: disk)
            engine.start { id in
                keys.add(id)
                return .filled(3)
            }
            await engine.ready()
            #expect(engine.currentPhase == .serving)
            await engine.stop()
            try disk.reopen()
        }
        let entries = try disk.entries()
        #expect(
            entries.map(\.header.command) == [
                .initialise, .createTeam, .createKey, .start, .stop, .start, .stop,
            ])
        guard case .keyCreated(let key)? = entries[2].events.first else {
            Issue.record("the third entry makes no key")
            return
        }
        #expect(keys.all == [key.key])
        #expect(key.role == .admin)
        #expect(entries[1].header.team == entries[2].header.team)
    }

    @Test("where the first admin key cannot be kept nothing is written, and the next start does it")
    func keyNotKept() async throws {
        let disk = try TestStore()
        let first = try LiveEngine.engine(on: disk)
        first.start { _ in throw CocoaError(.fileWriteNoPermission) }
        await first.ready()
        await first.waitForEnd()
        #expect(first.failure != nil)
        #expect(try disk.entries().isEmpty)
        try disk.reopen()
        try await LiveEngine.run(on: disk) { live in _ = try await live.workflow() }
        #expect(try disk.entries().first?.header.command == .initialise)
    }

    @Test("before the start nothing is taken")
    func notStarted() async throws {
        let disk = try TestStore()
        let engine = try LiveEngine.engine(on: disk)
        let outcome = await engine.submit(
            Submission(.pause, by: .system(.command), team: nil, id: .number(1)))
        #expect(outcome.refusal == .replaying(percent: 0))
    }

    @Test("what the other side took is not sent again: it calls back")
    func takenIsNotSentAgain() async throws {
        let disk = try TestStore()
        let clock = ManualClock()
        let taken = Collected<RunID>()
        try await LiveEngine.run(on: disk, clock: clock) { live in
            let workflow = try await live.workflow(.echo)
            let run = try await live.execute(workflow)
            _ = try await live.answer(to: .claim(.echo, worker: nil, leaseSeconds: nil))
            _ = try await live.answer(to: .accept(run, attempt: 1))
            taken.add(run)
        }
        try disk.reopen()
        try await LiveEngine.run(on: disk, clock: clock) { live in
            let executor = RecordingExecutor()
            let dispatcher = Task {
                try await DispatcherService(
                    engine: live.engine, executors: [.echo: executor, .http: executor],
                    logger: LiveEngine.logger
                ).run()
            }
            // One that is new comes after all that would be sent again.
            let workflow = try #require(
                try live.engine.workflows(of: live.team, after: nil, limit: 1).items.first)
            let new = try await live.execute(workflow.id)
            await executor.waitForWorks(1)
            #expect(executor.works.map(\.run.id) == [new])
            #expect(executor.works.first?.isRedelivery == false)
            _ = try await live.answer(to: .complete(taken.all[0], attempt: 1, output: nil))
            #expect(try live.status(of: taken.all[0]) == .completed)
            executor.end(0, .completed(nil))
            while try live.status(of: new) != .completed { await Task.yield() }
            dispatcher.cancel()
            _ = await dispatcher.result
        }
    }
}

@Suite("The clock and the pause", .timeLimit(.minutes(5)))
struct SuspectClockTests {
    /// Runs `body` with the timer going.
    private func withTimer(
        _ body: @escaping @Sendable (LiveEngine) async throws -> Void
    ) async throws -> [Entry] {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let timer = Task {
                try await TimerService(engine: live.engine, logger: LiveEngine.logger).run()
            }
            await live.clock.waitForSleepers(1)
            do {
                try await body(live)
            } catch {
                Issue.record(error)
            }
            timer.cancel()
            _ = await timer.result
        }
        return try disk.entries()
    }

    /// Lets the clocks agree for long enough, looking at them every second as housekeeping does.
    private func agree(_ live: LiveEngine) {
        for _ in 0...10 {
            live.clock.advance(seconds: 1)
            live.engine.keepHouse()
        }
    }

    @Test("a clock far ahead fires nothing and writes nothing until it is right again")
    func ahead() async throws {
        let entries = try await withTimer { live in
            let workflow = try await live.workflow()
            let schedule = try await live.schedule(workflow, in: 600)
            live.clock.jump(seconds: 3_600)
            live.engine.keepHouse()
            #expect(!live.engine.mayFire)
            await live.clock.waitForSleepers(1)
            #expect(try live.status(of: schedule) == .pending)
            #expect(await live.submit(.execute(workflow, NewRun())).refusal == .clockSuspect)
            #expect(await live.submit(.cancelSchedule(schedule)).refusal == .clockSuspect)
            live.clock.jump(seconds: -3_600)
            agree(live)
            #expect(live.engine.mayFire)
            #expect(try live.status(of: schedule) == .pending)
            live.clock.advance(seconds: 600)
            while try live.status(of: schedule) == .pending { await Task.yield() }
        }
        #expect(entries.allSatisfy { $0.header.recordedAt < .second(700) })
    }

    @Test("a clock far behind fires nothing; clients are served, at times that never go back")
    func behind() async throws {
        let entries = try await withTimer { live in
            let workflow = try await live.workflow()
            live.clock.advance(seconds: 5)
            _ = try await live.execute(workflow)
            let schedule = try await live.schedule(workflow, in: 60)
            live.clock.jump(seconds: -3_600)
            live.engine.keepHouse()
            #expect(live.engine.clockJudgement == .behind)
            _ = try await live.execute(workflow)
            #expect(try live.status(of: schedule) == .pending)
            // An administrator's word ends the suspicion.
            _ = try await live.answer(to: .trustClock)
            #expect(live.engine.mayFire)
        }
        let times = entries.map(\.header.recordedAt)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test("while the service is paused nothing fires, and all of it at once after the pause")
    func paused() async throws {
        let entries = try await withTimer { live in
            let workflow = try await live.workflow()
            let schedules = [
                try await live.schedule(workflow, in: 10), try await live.schedule(workflow, in: 5),
            ]
            _ = try await live.answer(to: .pause)
            live.clock.advance(seconds: 20)
            let run = try await live.execute(workflow)
            await live.clock.waitForSleepers(1)
            #expect(try schedules.allSatisfy { try live.status(of: $0) == .pending })
            #expect(try live.status(of: run) == .queued)
            _ = try await live.answer(to: .resume)
            for schedule in schedules {
                while try live.status(of: schedule) == .pending { await Task.yield() }
            }
        }
        let commands = entries.map(\.header.command)
        let resumed = try #require(commands.firstIndex(of: .resume))
        #expect(commands.prefix(resumed).allSatisfy { $0 != .fire })
        let fired = entries.flatMap(\.events).compactMap { event -> Instant? in
            guard case .scheduleFired(let event) = event else { return nil }
            return event.scheduledTime
        }
        #expect(fired == [.second(5), .second(10)])
    }
}
