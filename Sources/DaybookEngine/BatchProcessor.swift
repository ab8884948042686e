import DaybookCore
import DaybookStore

/// The heart of the writer: takes commands, judges, appends, applies and commits them together.
/// It is synchronous and has no thread of its own, so that a simulator can drive it step by step.
package struct BatchProcessor {
    private let store: Store
    private let clock: any ServiceClock
    private let settings: Settings
    private var ids: IDGenerator
    private let monitor: ClockMonitor
    /// Lets a test lose a batch before or after its commit.
    private let commit: (consuming Batch) throws -> Void
    package private(set) var lastRecorded: Instant

    /// - Throws: what `Store.verifyTail` throws.
    package init(
        store: Store, clock: any ServiceClock, monitor: ClockMonitor, settings: Settings,
        random: @escaping @Sendable () -> UInt64,
        commit: @escaping (consuming Batch) throws -> Void = { batch in try batch.commit() }
    ) throws {
        let tail = try store.verifyTail()
        self.store = store
        self.clock = clock
        self.settings = settings
        self.commit = commit
        ids = IDGenerator(after: tail.lastID, random: random)
        lastRecorded = tail.recordedAt
        self.monitor = monitor
        monitor.noteRecorded(tail.recordedAt)
        _ = monitor.observe()
    }

    package struct Result: Sendable {
        /// One for each submission, in order.
        package let outcomes: [Outcome]
        /// The entries that are now durable.
        package let entries: [Entry]
        /// Why a single command was turned away for which there is no room.
        package var noRoom: (any Error)?
    }

    /// Judges the submissions in order and commits what was accepted: in one batch, or, where that is too large for a
    /// transaction or the map is full, in halves, of which one may still fit.
    ///
    /// - Parameter told: is given the result of each part once it is durable. All results together have one outcome
    ///   for each submission, in order.
    /// - Throws: any other error of the storage. Whatever was not told by then has an unknown outcome.
    package mutating func processInParts(
        _ submissions: ArraySlice<Submission>, told: (Result) throws -> Void
    ) throws {
        let result: Result
        do {
            result = try process(submissions)
        } catch  where isNoRoom(error) && submissions.count > 1 {
            let middle = submissions.startIndex + submissions.count / 2
            try processInParts(submissions[..<middle], told: told)
            return try processInParts(submissions[middle...], told: told)
        } catch  where isNoRoom(error) {
            result = Result(
                outcomes: submissions.map { _ in .unavailable(.diskFull) }, entries: [],
                noRoom: error)
        }
        try told(result)
    }

    /// Judges the submissions in order and commits what was accepted.
    ///
    /// - Throws: a storage error. Nothing of the batch may be told to anybody as done; unless
    ///   `isNoRoom(error)`, whether it took effect is unknown and the process must stop.
    package mutating func process(_ submissions: some Collection<Submission>) throws -> Result {
        // A jump since the last look must not get into the log: it could never be undone.
        _ = monitor.observe()
        var batch = try store.beginBatch()
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(submissions.count)
        var entries: [Entry] = []
        var recorded = lastRecorded
        var isVouchedFor = false
        for submission in submissions {
            outcomes.append(process(submission, in: &batch, &recorded, &isVouchedFor, &entries))
            if let error = batch.failure {
                batch.abort()
                throw error
            }
        }
        if entries.isEmpty {
            batch.abort()
        } else {
            try commit(batch)
            try store.checkFiles()
            // Only now: an administrator's word counts where it is in the log.
            if isVouchedFor { monitor.trust() }
            lastRecorded = recorded
            monitor.noteRecorded(recorded)
        }
        return Result(outcomes: outcomes, entries: entries)
    }

    private mutating func process(
        _ submission: Submission, in batch: inout Batch, _ recorded: inout Instant,
        _ isVouchedFor: inout Bool, _ entries: inout [Entry]
    ) -> Outcome {
        let vouches = if case .trustClock = submission.command { true } else { false }
        guard vouches || isVouchedFor || monitor.judgement != .ahead else {
            return .unavailable(.clockSuspect)
        }
        let now = max(clock.now(), recorded)
        let newID = ids.next(at: now)
        if let key = submission.idempotency,
            let kept = batch.keptAnswer(key.scope), now < kept.endsAt
        {
            return kept.outcome(for: key)
        }
        let team = submission.entryTeam(newID)
        let context = Context(
            recordedAt: now, actor: submission.actor, team: team, newID: newID,
            expectedRevisions: submission.expectedRevisions)
        let events: [Event]
        do {
            events = try decide(submission.command, context, batch)
        } catch {
            return .refused(error)
        }
        guard !events.isEmpty else {
            let answer = unchangedAnswer(
                to: submission.command, team: team, at: now, batch)
            return .accepted(
                Accepted(
                    position: answer.position, answer: answer, isReplayed: false,
                    isChange: false))
        }
        let entry = Entry(
            header: EntryHeader(
                position: batch.nextPosition, recordedAt: now, team: team,
                actor: submission.actor, commandID: submission.commandID,
                causation: submission.causation,
                idempotency: submission.idempotency.map { key in
                    Idempotency(
                        scope: key.scope, request: key.request,
                        endsAt: now.adding(seconds: settings.idempotencySeconds))
                },
                traceparent: submission.traceparent, command: submission.command.name),
            events: events)
        batch.append(entry, payloads: submission.payloads(for: events))
        apply(entry, to: &batch)
        if vouches { isVouchedFor = true }
        recorded = now
        entries.append(entry)
        return .accepted(
            Accepted(
                position: entry.header.position, answer: answer(to: entry, batch),
                isReplayed: false, isChange: true))
    }
}

extension Submission {
    /// The team whose entry it will be: of a command about a whole team, that team.
    fileprivate func entryTeam(_ newID: AnyID) -> TeamID? {
        switch command {
        case .createTeam: TeamID(newID)
        case .setLicense(let team, _): team
        case .initialise, .start, .stop, .pause, .resume, .trustClock, .recordKeyUse: nil
        default: team
        }
    }

    fileprivate func payloads(for events: [Event]) -> [(event: Int, payload: SaltedPayload)] {
        guard let payload else { return [] }
        for (index, event) in events.enumerated() where event.payload == payload.payload {
            return [(index, payload)]
        }
        // The command turned out to bring nothing (a change to what is there already).
        return []
    }
}
