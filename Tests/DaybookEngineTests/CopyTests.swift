import DaybookCore
import DaybookEngine
import DaybookStore
import ServiceLifecycle
import Support
import Testing

@Suite("Copies", .timeLimit(.minutes(5)))
struct CopyTests {
    @Test("a copy answers questions, writes nothing and fires nothing until it is resumed")
    func copy() async throws {
        let disk = try TestStore()
        let clock = ManualClock()
        let made = Collected<(WorkflowID, ScheduleID, RunID)>()
        try await LiveEngine.run(on: disk, clock: clock) { live in
            let workflow = try await live.workflow()
            let run = try await live.execute(workflow)
            made.add((workflow, try await live.schedule(workflow, in: 5), run))
        }
        let (workflow, schedule, run) = made.all[0]
        try disk.store.markAsCopy()
        clock.advance(seconds: 60)
        let before = try disk.entries()
        try await LiveEngine.run(on: disk, clock: clock) { live in
            #expect(live.engine.isCopy && !live.engine.mayFire)
            #expect(try live.status(of: schedule) == .pending)
            for command in [
                Command.cancelSchedule(schedule), .cancelRun(run), .pause, .trustClock,
                .execute(workflow, NewRun()),
                .claim(.worker("nobody"), worker: nil, leaseSeconds: 60),
            ] {
                #expect(await live.submit(command).refusal == .copy)
            }
            let own = await live.engine.submitOwn([
                live.submission(.fire(schedule, revision: 1))
            ])
            #expect(own.map(\.refusal) == [.copy])
            // What the timer and the dispatcher would do, they do not.
            let group = ServiceGroup(
                configuration: .init(
                    services: [
                        TimerService(engine: live.engine, logger: LiveEngine.logger),
                        DispatcherService(
                            engine: live.engine, executors: [:], logger: LiveEngine.logger),
                    ], logger: LiveEngine.logger))
            let services = Task { try await group.run() }
            for _ in 0..<200 { await Task.yield() }
            let last = try live.engine.read { try $0.lastPosition() }
            #expect(last == Position(before.count))

            #expect(await live.submit(.resume).isAccepted)
            #expect(!live.engine.isCopy)
            while try live.status(of: schedule) == .pending { await Task.yield() }
            #expect(await live.submit(.cancelRun(run)).isAccepted)
            await group.triggerGracefulShutdown()
            try await services.value
        }
        let commands = try disk.entries().dropFirst(before.count).map(\.header.command)
        #expect(commands.prefix(3) == [.start, .pause, .resume])
        #expect(try disk.store.standing() == .original)
    }

    @Test("two who resume a copy at once, and a start after that, find it in order")
    func twice() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { _ in }
        try disk.store.markAsCopy()
        try await LiveEngine.run(on: disk) { live in
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 { group.addTask { await live.submit(.resume).isAccepted } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.allSatisfy { $0 })
            let commands = try live.engine.read { view in
                var commands: [CommandName] = []
                try view.entries(from: 1) { entry in
                    commands.append(entry.header.command)
                    return true
                }
                return commands
            }
            #expect(commands.suffix(3) == [.start, .pause, .resume], "\(commands)")
            #expect(!live.engine.isCopy)
            let isPaused = try live.engine.read { try $0.service().isPaused }
            #expect(!isPaused)
        }
        try await LiveEngine.run(on: disk) { live in #expect(!live.engine.isCopy) }
    }

    @Test("a stopped copy has no more entries than before")
    func stop() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { _ in }
        try disk.store.markAsCopy()
        let before = try disk.entries()
        try await LiveEngine.run(on: disk) { live in #expect(live.engine.isCopy) }
        #expect(try disk.entries() == before)
    }

    @Test("a start that is to be paused is paused before anything can fire")
    func startsPaused() async throws {
        let disk = try TestStore()
        let clock = ManualClock()
        let made = Collected<ScheduleID>()
        try await LiveEngine.run(on: disk, clock: clock) { live in
            made.add(try await live.schedule(try await live.workflow(), in: 5))
        }
        clock.advance(seconds: 60)
        var settings = Settings.stepped
        settings.startsPaused = true
        for _ in 0..<2 {
            try await LiveEngine.run(on: disk, clock: clock, settings: settings) { live in
                let isPaused = try live.engine.read { try $0.service().isPaused }
                let status = try live.status(of: made.all[0])
                #expect(isPaused && status == .pending)
            }
        }
        let commands = try disk.entries().suffix(5).map(\.header.command)
        #expect(commands == [.start, .pause, .stop, .start, .stop])
    }
}
