import DaybookCore
import DaybookEngine
import DaybookStore
import Support
import Testing

@Suite("Mailbox", .timeLimit(.minutes(5)))
struct MailboxTests {
    @Test("requests alone are refused for load: a team's at a quarter, everybody's when it is full")
    func bounds() async throws {
        var settings = Settings()
        settings.mailboxCommands = 8
        let disk = try TestStore()
        try await LiveEngine.run(on: disk, settings: settings) { live in
            let workflow = try await live.workflow()
            let run = try await live.execute(workflow)
            let others = (1...4).map { TeamID.number($0) }
            let held = await live.hold(at: .execute(workflow, NewRun()))
            var waiting: [Task<Outcome, Never>] = []
            for team in [live.team] + others.prefix(3) {
                for _ in 0..<2 {
                    waiting.append(await live.leave(.execute(workflow, NewRun()), of: team))
                }
                let third = await live.submit(.execute(workflow, NewRun()), of: team)
                #expect(third.refusal == .overloaded)
            }
            #expect(live.engine.mailboxDepth == 8)
            let fifth = await live.submit(.execute(workflow, NewRun()), of: others[3])
            #expect(fifth.refusal == .overloaded)
            // What gives a slot back, and what the service says itself, still comes in.
            let ending = await live.leave(.cancelRun(run))
            let own = (0..<20).map { _ in live.submission(.execute(workflow, NewRun())) }
            let service = Task { await live.engine.submitOwn(own) }
            while live.engine.mailboxDepth < 29 { await Task.yield() }

            live.gate.open()
            #expect(await held.value.isAccepted)
            #expect(await ending.value.isAccepted)
            #expect(await service.value.count(where: \.isAccepted) == 20)
            for task in waiting.prefix(2) { #expect(await task.value.isAccepted) }
            for task in waiting.dropFirst(2) {
                // Teams that do not exist: heard, and refused by judgement.
                guard case .refused = await task.value else {
                    Issue.record("another team's command was not judged")
                    continue
                }
            }
            // The room is there again.
            #expect(await live.submit(.execute(workflow, NewRun())).isAccepted)
        }
    }

    @Test("payloads that wait are bounded too")
    func bytes() async throws {
        var settings = Settings()
        settings.mailboxBytes = 4_000
        let disk = try TestStore()
        try await LiveEngine.run(on: disk, settings: settings) { live in
            let workflow = try await live.workflow()
            let payload = live.engine.salted([UInt8](repeating: 0x20, count: 4_000))
            let command = Command.createSchedule(
                workflow,
                NewSchedule(
                    scheduledTime: live.clock.now().adding(seconds: 60), input: payload.payload))
            let held = await live.hold(at: .execute(workflow, NewRun()))
            let first = await live.leave(command, payload: payload)
            let second = await live.engine.submit(live.submission(command, payload: payload))
            #expect(second.refusal == .overloaded)
            live.gate.open()
            _ = await held.value
            #expect(await first.value.isAccepted)
            let third = await live.engine.submit(live.submission(command, payload: payload))
            #expect(third.isAccepted)
        }
    }

    @Test("a command whose caller is gone is dropped unheard, unless it ends something")
    func gone() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let workflow = try await live.workflow()
            let run = try await live.execute(workflow)
            let held = await live.hold(at: .execute(workflow, NewRun()))
            let request = await live.leave(.execute(workflow, NewRun()))
            let ending = await live.leave(.cancelRun(run))
            request.cancel()
            ending.cancel()
            live.gate.open()
            _ = await held.value
            #expect(await request.value.refusal == .overloaded)
            #expect(await ending.value.isAccepted)
            #expect(try live.status(of: run) == .cancelled)
        }
        #expect(try disk.entries().count { $0.header.command == .execute } == 2)
    }

    @Test("while the disk is held up, whoever has waited ten seconds is told so at once")
    func lateOnHeldDisk() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let workflow = try await live.workflow()
            let run = try await live.execute(workflow)
            let held = await live.hold(at: .execute(workflow, NewRun()))
            let late = await live.leave(.execute(workflow, NewRun()))
            let ending = await live.leave(.cancelRun(run))
            live.clock.advance(seconds: 10)
            live.engine.keepHouse()
            #expect(live.engine.mailboxDepth == 2)
            live.clock.advance(microseconds: 1)
            live.engine.keepHouse()
            #expect(await late.value.refusal == .overloaded)
            #expect(live.engine.mailboxDepth == 1)
            live.gate.open()
            _ = await held.value
            #expect(await ending.value.isAccepted)
        }
    }

    @Test("a request that has waited ten seconds is still heard, one that waited longer is not")
    func late() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let workflow = try await live.workflow()
            let run = try await live.execute(workflow)
            let held = await live.hold(at: .execute(workflow, NewRun()))
            let late = await live.leave(.execute(workflow, NewRun()))
            let ending = await live.leave(.cancelRun(run))
            live.clock.advance(microseconds: 1)
            let inTime = await live.leave(.execute(workflow, NewRun()))
            live.clock.advance(seconds: 10)
            live.gate.open()
            _ = await held.value
            #expect(await late.value.refusal == .overloaded)
            #expect(await inTime.value.isAccepted)
            #expect(await ending.value.isAccepted)
        }
        #expect(try disk.entries().count { $0.header.command == .execute } == 3)
    }

    @Test("what waits at a stop is served, and nothing is taken afterwards")
    func closed() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let workflow = try await live.workflow()
            let held = await live.hold(at: .execute(workflow, NewRun()))
            let waiting = await live.leave(.execute(workflow, NewRun()))
            let stop = Task { await live.engine.stop() }
            while live.engine.mailboxDepth < 2 { await Task.yield() }
            #expect(await live.submit(.execute(workflow, NewRun())).refusal == .stopping)
            live.gate.open()
            #expect(await held.value.isAccepted)
            #expect(await waiting.value.isAccepted)
            await stop.value
            let own = await live.engine.submitOwn([live.submission(.pause)])
            #expect(own.map(\.refusal) == [.stopping])
            #expect(live.engine.failure == nil)
        }
        let commands = try disk.entries().map(\.header.command)
        #expect(commands.count { $0 == .stop } == 1)
        #expect(commands.count { $0 == .execute } == 2)
    }
}
