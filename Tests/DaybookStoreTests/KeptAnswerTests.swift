import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Kept answers in the log")
struct KeptAnswerTests {
    private static func key(_ scope: UInt8, until end: Instant) -> Idempotency {
        Idempotency(scope: .filled(scope), request: .filled(7), endsAt: end)
    }

    @Test func `the answer that is kept is the row as it was after its command`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        try given.happened(
            .execute(workflow, NewRun()), idempotency: Self.key(1, until: .second(60)))
        let position = given.nextPosition - 1
        let run = try #require(given.state.allRuns.first)
        try given.start()
        let expected = KeptAnswer(
            request: .filled(7), endsAt: .second(60), position: position, answer: .run(run))
        #expect(run.status == .queued && given.state.keptAnswer(.filled(1)) == expected)
        #expect(given.state.run(run.id, of: given.team)?.status == .inProgress)
    }

    @Test func `a command of every kind keeps the object that it was about`() throws {
        var given = try Given()
        func answer(_ command: Command) throws -> Answer? {
            try given.happened(command, idempotency: Self.key(1, until: .latest))
            return given.state.keptAnswer(.filled(1))?.answer
        }
        let workflow = try given.newWorkflow()
        func row() -> Answer? {
            given.state.workflow(workflow, of: given.team).map { .workflow($0) }
        }
        func version(_ number: Int) -> Answer? {
            let active = given.state.workflow(workflow, of: given.team)?.activeVersion
            return given.state.version(number, of: workflow, team: given.team)
                .map { .version($0, isActive: number == active) }
        }
        #expect(try answer(.setConcurrency(workflow, maxConcurrentRuns: 2)) == row())
        #expect(try answer(.modifyWorkflow(workflow, WorkflowChanges(name: "n"))) == row())
        #expect(try answer(.rotateSecret(workflow, .number(2))) == row())
        #expect(try answer(.editDraft(workflow, .http)) == version(0))
        #expect(try answer(.saveVersion(workflow, NewVersion(markAsActive: true))) == version(1))
        #expect(try answer(.renameVersion(workflow, number: 1, name: "x")) == version(1))
        #expect(try answer(.activateVersion(workflow, number: 0)) == row())
        #expect(try answer(.stop) == Answer.none)
        let license = try answer(.setLicense(team: given.team, maxConcurrentRuns: 9))
        #expect(license == given.state.team(given.team).map { .team($0) })
        let id = ScheduleID(given.nextID)
        let created = try answer(
            .createSchedule(workflow, NewSchedule(scheduledTime: .second(60))))
        #expect(created == given.state.schedule(id, of: given.team).map { .schedule($0) })
        let cancelled = try answer(.cancelSchedule(id))
        #expect(cancelled == given.state.schedule(id, of: given.team).map { .schedule($0) })
    }

    @Test func `each entry clears away four answers that have ended, the oldest first`() throws {
        let disk = try TestStore()
        var memory = MemoryState()
        var number: UInt32 = 0
        func take(_ command: Command, at: Instant, _ key: Idempotency? = nil) throws {
            number += 1
            let asked = Asked(
                command, team: nil, at: at, newID: .number(number),
                commandID: .number(UInt64(number)), idempotency: key)
            guard case .events(let events) = try disk.commit([asked])[0] else {
                Issue.record("refused")
                return
            }
            apply(asked.entry(events, at: Position(number)), to: &memory)
            #expect(try disk.dump().firstDifference(from: memory.dump) == nil)
        }
        func left() -> [UInt8] { (1...9).filter { memory.keptAnswer(.filled($0)) != nil } }

        try take(.initialise(logID: []), at: .second(0))
        // The ends go against the order of the entries.
        for scope in UInt8(1)...9 {
            try take(.stop, at: .second(0), Self.key(scope, until: .second(20 - Int(scope))))
        }
        #expect(left().count == 9)
        try take(.stop, at: .second(10))
        #expect(left().count == 9)
        try take(.stop, at: .second(11))
        #expect(left() == [1, 2, 3, 4, 5, 6, 7, 8])
        try take(.stop, at: .second(18))
        #expect(left() == [1, 2, 3, 4])
        try take(.stop, at: .second(18))
        #expect(left() == [1])
        // The same scope again after its end: first the old answer goes, then the new one comes.
        try take(.stop, at: .second(19), Self.key(1, until: .second(30)))
        #expect(memory.keptAnswer(.filled(1))?.endsAt == .second(30))
        try take(.stop, at: .second(29))
        #expect(left() == [1])
        try take(.stop, at: .second(30))
        #expect(left().isEmpty)

        try disk.store.clearProjections()
        try disk.store.replay(batchSize: 3)
        #expect(try disk.dump().firstDifference(from: memory.dump) == nil)
    }

    @Test func `an answer that comes again before its end takes the place of the first`() throws {
        let disk = try TestStore()
        let commands = [(1, 50), (2, 20), (3, 90)].map { number, end in
            Asked(
                number == 1 ? .initialise(logID: []) : .stop, team: nil, at: .second(0),
                newID: .number(UInt32(number)), commandID: .number(UInt64(number)),
                idempotency: Self.key(1, until: .second(end)))
        }
        try disk.commit(commands)
        var batch = try disk.store.beginBatch()
        #expect(batch.keptAnswer(.filled(1))?.endsAt == .second(90))
        // No end of the earlier two is left behind.
        #expect(batch.removeOldestKeptAnswer(endedBy: .second(89)) == false)
        #expect(batch.removeOldestKeptAnswer(endedBy: .second(90)) == true)
        #expect(batch.removeOldestKeptAnswer(endedBy: .latest) == false)
        batch.abort()
    }
}
