import DaybookCore
import LMDB
import Support
import Testing

@testable import DaybookStore

@Suite("Recount")
struct RecountTests {
    private func recount(_ disk: TestStore, rows: Int) throws -> String? {
        var cursor: RecountCursor? = RecountCursor()
        while let here = cursor {
            let step = try disk.store.read { view in try view.recount(here, rows: rows) }
            if let mismatch = step.mismatch { return mismatch }
            cursor = step.next
        }
        return nil
    }

    @Test("after random commands everything agrees, in pieces of any size")
    func agrees() throws {
        for numbers in RandomCases(15) {
            let disk = try TestStore()
            var workload = Workload(numbers)
            var memory = MemoryState()
            for round in 0..<20 {
                var commands: [Asked] = []
                for _ in 0..<15 {
                    let asked = workload.next(memory)
                    commands.append(asked)
                    if case .events(let events) = asked.judged(by: memory), !events.isEmpty {
                        apply(
                            asked.entry(events, at: memory.service().position + 1), to: &memory)
                    }
                }
                try disk.commit(commands)
                let mismatch = try recount(disk, rows: [1, 3, 1_000][round % 3])
                try #require(mismatch == nil, "\(mismatch ?? "") \(numbers.hint)")
            }
        }
    }

    /// A world with a pending schedule, a run in progress, one queued and one waiting to be tried.
    private struct World {
        let disk: TestStore
        let given: Given
        let team: TeamID
        let workflow: WorkflowID
        let schedule: Schedule
        let started: Run
        let queued: Run
        let retrying: Run
    }

    private func world() throws -> World {
        var given = try Given(teamLimit: 5)
        let workflow = try given.newWorkflow(.echo, retry: .thrice)
        let schedule = try given.newSchedule(of: workflow, at: given.now.adding(seconds: 60))
        let retrying = try given.newRun(of: workflow)
        try given.start()
        try given.happened(.fail(retrying, attempt: 1, Failure(reason: .error)))
        let started = try given.newRun(of: workflow)
        try given.start()
        let queued = try given.newRun(of: workflow)
        let disk = try TestStore()
        var batch = try disk.store.beginBatch()
        for entry in given.entries {
            batch.append(entry, payloads: [])
            apply(entry, to: &batch)
        }
        try batch.commit()
        func run(_ id: RunID) throws -> Run { try #require(given.state.run(id, of: given.team)) }
        return World(
            disk: disk, given: given, team: given.team, workflow: workflow,
            schedule: try #require(given.state.schedule(schedule, of: given.team)),
            started: try run(started), queued: try run(queued), retrying: try run(retrying))
    }

    @Test("a row or a count that is missing, wrong or left over is found")
    func finds() throws {
        typealias Damage = @Sendable (World, inout Batch) -> Void
        let damages: [(String, Damage)] = [
            ("a due schedule missing", { $1.remove(.due($0.schedule.dueMoment!)) }),
            ("a deadline missing", { $1.remove(.due($0.started.dueMoments[0])) }),
            ("a retry missing", { $1.remove(.due($0.retrying.dueMoments[0])) }),
            (
                "a moment left over",
                {
                    $1.insert(
                        .due(
                            Due(
                                instant: .dayOne, kind: .leaseEnd, team: $0.team,
                                id: AnyID($0.started.id), revision: 1)))
                }
            ),
            (
                "an old moment of a schedule",
                {
                    $1.insert(
                        .due(
                            Due(
                                instant: .dayOne, kind: .schedule, team: $0.team,
                                id: AnyID($0.schedule.id), revision: 1)))
                }
            ),
            ("a queued run missing", { $1.remove(.startable($0.queued.startable)) }),
            ("a run queued twice", { $1.insert(.startable($0.started.startable)) }),
            ("an unfinished run missing", { $1.remove(.run(.unfinished($0.team, $0.queued.id))) }),
            (
                "a holder missing",
                { $1.remove(.run(.inProgress($0.team, $0.workflow, $0.started.id))) }
            ),
            (
                "a holder that is none",
                { $1.insert(.run(.inProgress($0.team, $0.workflow, $0.queued.id))) }
            ),
            (
                "a turn of a workflow missing",
                { world, batch in
                    for row in world.given.state.allReady { batch.remove(.ready(row)) }
                }
            ),
            (
                "a turn of a workflow left over",
                {
                    $1.insert(
                        .ready(
                            Ready(
                                team: $0.team, lane: Lane(queue: .http, priority: 5),
                                lastStart: 0, workflow: $0.workflow)))
                }
            ),
            (
                "a turn of a team missing",
                { world, batch in
                    for row in world.given.state.allTurns { batch.remove(.turn(row)) }
                }
            ),
            (
                "a turn of a team left over",
                { $1.insert(.turn(Turn(queue: .http, lastStart: 0, team: $0.team))) }
            ),
            (
                "a leaked slot of the team",
                { world, batch in
                    var usage = batch.usage(of: world.team)
                    usage.inProgress += 1
                    batch.set(usage, of: world.team)
                }
            ),
            (
                "a leaked slot of the workflow",
                { world, batch in
                    var usage = batch.usage(of: world.workflow, team: world.team)
                    usage.inProgress += 1
                    batch.set(usage, of: world.workflow, team: world.team)
                }
            ),
            (
                "a slot not counted",
                { world, batch in
                    var usage = batch.usage(of: world.team)
                    usage.inProgress = 0
                    batch.set(usage, of: world.team)
                }
            ),
            (
                "a wrong count of what waits",
                { world, batch in
                    var usage = batch.usage(of: world.team)
                    usage.queued += 1
                    batch.set(usage, of: world.team)
                }
            ),
            (
                "a team whose count is gone",
                { world, batch in batch.set(Usage(), of: world.team) }
            ),
            (
                "a run whose end was not written everywhere",
                { world, batch in
                    var run = world.started
                    run.status = .completed
                    batch.set(run)
                }
            ),
        ]
        for (name, damage) in damages {
            let world = try world()
            #expect(try recount(world.disk, rows: 2) == nil, "before: \(name)")
            var batch = try world.disk.store.beginBatch()
            damage(world, &batch)
            try batch.commit()
            #expect(try recount(world.disk, rows: 2) != nil, "\(name)")
            // What repairs it.
            try world.disk.store.clearProjections()
            try world.disk.store.replay()
            #expect(try recount(world.disk, rows: 2) == nil, "rebuilt after: \(name)")
        }
    }

    @Test("a row that does not read, and a key that is none, break the recount off with an error")
    func unreadable() throws {
        for table in [TableName.runs, .startable, .due, .usage] {
            let world = try world()
            let disk = world.disk
            try disk.reopen { directory in
                try RawRows.edit(directory) { transaction, tables in
                    let first = try transaction.first(tables[table], atOrAfter: [])
                    let key = try #require(first).key
                    try transaction.put(
                        tables[table],
                        table == .runs || table == .usage
                            ? key : key + [1], [1])
                }
            }
            #expect(throws: LogError.self, "\(table)") { try recount(disk, rows: 2) }
        }
    }

    @Test("a count that was lost ends nothing: commands about what it counted are still taken")
    func lostCounts() throws {
        let world = try world()
        var batch = try world.disk.store.beginBatch()
        batch.set(Usage(), of: world.team)
        batch.set(Usage(), of: world.workflow, team: world.team)
        try batch.commit()
        var id: UInt64 = 1 << 40
        func take(_ command: Command) throws {
            id += 1
            let judged = try world.disk.commit([
                Asked(
                    command, team: world.team, at: world.given.now, newID: .number(1 << 20),
                    commandID: .number(id))
            ])
            guard case .events? = judged.first else {
                Issue.record("\(judged)")
                return
            }
        }
        try take(.complete(world.started.id, attempt: 1, output: nil))
        try take(.claim(.echo, worker: nil, leaseSeconds: nil))
        try take(.cancelRun(world.queued.id))
        try take(.cancelRun(world.retrying.id))
        try world.disk.store.clearProjections()
        try world.disk.store.replay()
        #expect(try recount(world.disk, rows: 3) == nil)
    }
}
