import DaybookCore
import DaybookStore

/// A history of commands, each judged and applied in turn, and what a further command would do.
///
/// The history lives in memory; each `when` is judged over tables in an LMDB batch too, and what
/// the two say must be the same. Before it the invariants are checked.
package struct Given {
    package enum Surprise: Error {
        /// A command of the history was refused.
        case refused(CommandName, Rejection)
        /// A command of the history changed nothing.
        case changedNothing(CommandName)
        /// The tables came to another judgement than the dictionaries.
        case differs(tables: Judged, memory: Judged)
        case broken([String])
    }

    package private(set) var state = MemoryState()
    package private(set) var entries: [Entry] = []
    /// The time of the commands to come.
    package var now = Instant.dayOne
    /// The team of the commands to come.
    package var team = TeamID.lowest
    package private(set) var history: [Asked] = []
    private var lastID: UInt32 = 0

    /// An initialised log with one team.
    package init(teamLimit: Int = 50) throws {
        try happened(.initialise(logID: [UInt8](repeating: 1, count: 16)))
        team = try newTeam(limit: teamLimit)
    }

    /// The id that the next command will give to what it makes.
    package var nextID: AnyID { .number(lastID + 1) }

    /// The position that the next entry will have.
    package var nextPosition: Position { Position(entries.count + 1) }

    package func asked(
        _ command: Command, by actor: Actor = .system(.service), team: TeamID? = nil,
        ifMatch: Set<UInt64>? = nil, idempotency: Idempotency? = nil,
        payload: SaltedPayload? = nil
    ) -> Asked {
        Asked(
            command, by: actor, team: team ?? self.team, at: now, newID: nextID,
            commandID: .number(UInt64(history.count + 1)), ifMatch: ifMatch,
            idempotency: idempotency, payload: payload)
    }

    /// Makes a command part of the history.
    @discardableResult
    package mutating func happened(
        _ command: Command, by actor: Actor = .system(.service), team: TeamID? = nil,
        idempotency: Idempotency? = nil, payload: SaltedPayload? = nil
    ) throws -> [Event] {
        let asked = asked(
            command, by: actor, team: team, idempotency: idempotency, payload: payload)
        let events: [Event]
        switch asked.judged(by: state) {
        case .events(let judged): events = judged
        case .refused(let rejection): throw Surprise.refused(command.name, rejection)
        }
        guard !events.isEmpty else { throw Surprise.changedNothing(command.name) }
        let entry = asked.entry(events, at: nextPosition)
        apply(entry, to: &state)
        entries.append(entry)
        history.append(asked)
        lastID += 1
        return events
    }

    /// What the command would do now, by the dictionaries and by the tables.
    package func when(
        _ command: Command, by actor: Actor = .system(.service), team: TeamID? = nil,
        ifMatch: Set<UInt64>? = nil
    ) throws -> Judged {
        let violations = Invariants.check(memory: state, entries: entries)
        guard violations.isEmpty else { throw Surprise.broken(violations) }
        let asked = asked(command, by: actor, team: team, ifMatch: ifMatch)
        let judged = asked.judged(by: state)
        let twin = try ScratchStore.withBatch { batch in
            for asked in history { _ = batch.take(asked) }
            return asked.judged(by: batch)
        }
        guard twin == judged else { throw Surprise.differs(tables: twin, memory: judged) }
        return judged
    }
}

// Histories in short.
extension Given {
    @discardableResult
    package mutating func newTeam(_ name: String = "team", limit: Int = 50) throws -> TeamID {
        let id = TeamID(nextID)
        try happened(.createTeam(name: name, maxConcurrentRuns: limit))
        return id
    }

    package mutating func newKey(
        _ role: Role, expiresAt: Instant? = nil, team: TeamID? = nil
    ) throws -> KeyID {
        let id = KeyID(nextID)
        try happened(
            .createKey(
                NewKey(
                    role: role, name: "key", secretDigest: .filled(9), expiresAt: expiresAt)),
            team: team)
        return id
    }

    package mutating func newWorkflow(
        _ queue: Queue = .echo, retry: RetryPolicy = .once, timeoutSeconds: Int = 3_600,
        limit: Int = 0, team: TeamID? = nil
    ) throws -> WorkflowID {
        let id = WorkflowID(nextID)
        try happened(
            .createWorkflow(
                NewWorkflow(
                    name: "workflow", definition: .on(queue), runTimeoutSeconds: timeoutSeconds,
                    retry: retry, maxConcurrentRuns: limit, secret: .number(1))),
            team: team)
        return id
    }

    package mutating func newSchedule(
        of workflow: WorkflowID, at time: Instant, version: Int? = nil,
        expiresAt: Instant? = nil, priority: Int = 5, key: String? = nil,
        input: SaltedPayload? = nil
    ) throws -> ScheduleID {
        let id = ScheduleID(nextID)
        try happened(
            .createSchedule(
                workflow,
                NewSchedule(
                    scheduledTime: time, input: input?.payload, version: version,
                    expiresAt: expiresAt, priority: priority,
                    deduplicationKey: key.map { DeduplicationKey($0) })),
            payload: input)
        return id
    }

    package mutating func newRun(
        of workflow: WorkflowID, priority: Int = 5, expiresAt: Instant? = nil,
        version: Int? = nil, team: TeamID? = nil
    ) throws -> RunID {
        let id = RunID(nextID)
        try happened(
            .execute(
                workflow, NewRun(version: version, priority: priority, expiresAt: expiresAt)),
            team: team)
        return id
    }

    /// Lets the schedule fire as it stands.
    package mutating func fire(_ id: ScheduleID) throws -> RunID {
        let run = RunID(nextID)
        try happened(
            .fire(id, revision: state.schedule(id, of: team)?.revision ?? 0),
            by: .system(.timer))
        return run
    }

    /// Claims the next run of the queue.
    @discardableResult
    package mutating func start(
        _ queue: Queue = .echo, leaseSeconds: Int? = nil, team: TeamID? = nil
    ) throws -> RunID? {
        let events = try happened(
            .claim(queue, worker: nil, leaseSeconds: leaseSeconds), team: team)
        guard case .runStarted(let started)? = events.first else { return nil }
        return started.run
    }

    /// The position of the entry that touched the run last.
    package func position(of run: RunID) -> Position {
        state.run(run, of: team)?.touched.position ?? 0
    }

    package func position(of schedule: ScheduleID) -> Position {
        state.schedule(schedule, of: team)?.touched.position ?? 0
    }

    package func position(of workflow: WorkflowID) -> Position {
        state.workflow(workflow, of: team)?.touched.position ?? 0
    }
}
