import DaybookCore
import DaybookEngine
import DaybookStore
import LMDB
import Support
import Synchronization

/// What a campaign must have met at least once.
enum Sometimes: String, CaseIterable {
    case cancelBeatFire, fireBeatCancel, modifyBeatFire, completeBeatReap, reapBeatComplete
    case staleAttempt, duplicateKey, lostBeforeCommit, lostAfterCommit, redelivery
    case limitLoweredBelowUse, clockAhead, clockBehind, replayInterrupted, expired, retried
    case released, pausedService, sentAgainAfterLoss
    case messageCameAgain, messageRefused, toldAgain, tellingRetried, receiverGone,
        toldAfterDeletion
    case batchSplit, commandWithoutRoom, lostBetweenHalves, circuitOpen, circuitHalfOpen
}

/// The process as a simulator sees it: the writer's heart, the timer and the dispatcher over a real
/// store, driven step by step, with a clock that stands until it is moved.
struct Simulation {
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    /// A storage that dies at a commit, or has no room for so many of them.
    private final class Fault: Sendable {
        enum End: Equatable { case none, before, after }

        struct Kind: Equatable {
            /// So many batches are too large.
            var full = 0
            /// So many of the next commits go well.
            var well = 0
            var end = End.none
        }

        let kind = Mutex(Kind())
    }

    private struct Died: Error {}

    /// What a client knows: the command with its key, and what it was told.
    struct Asked {
        let submission: Submission
        var position: Position?
    }

    var numbers: SeededGenerator
    let disk: TestStore
    let clock = ManualClock()
    private let monitor: ClockMonitor
    private let fault = Fault()
    private var processor: BatchProcessor
    private(set) var counts: [Sometimes: Int] = [:]
    private(set) var memory = MemoryState()
    private(set) var entries: [Entry] = []
    private(set) var acknowledged: [Asked] = []
    private var cancelled: Set<ScheduleID> = []
    private var turnedAway: Set<CommandID> = []
    private var taken: Set<CommandID> = []
    /// Messages that senders want to be runs, each until it was deleted.
    var messages: [Digest256] = []
    /// How often each message was put into the queue.
    var sentMessages: Set<Digest256> = []
    /// What receivers got: the same for each delivery, however often.
    var told: [DeliveryID: Delivery] = [:]
    /// Of receivers: in memory, as in the process.
    var circuits = Circuits()
    var isReceiverDown = false
    var started: [Run] = []
    var old: [Run] = []
    private var settings = Settings()
    let team: TeamID
    var asked: UInt64 = 0

    init(_ numbers: SeededGenerator) throws {
        self.numbers = numbers
        disk = try TestStore()
        settings.clockToleranceSeconds = 60
        monitor = ClockMonitor(clock: clock, tolerance: 60_000_000)
        processor = try Self.processor(disk, clock, monitor, settings, fault, numbers.seed)
        team = try Self.firstEntries(&processor)
        try observe()
    }

    private static func processor(
        _ disk: TestStore, _ clock: ManualClock, _ monitor: ClockMonitor, _ settings: Settings,
        _ fault: Fault, _ seed: UInt64
    ) throws -> BatchProcessor {
        let chance = Mutex(SeededGenerator(seed: seed ^ 0x5EED))
        return try BatchProcessor(
            store: disk.store, clock: clock, monitor: monitor, settings: settings,
            random: { chance.withLock { $0.next() } },
            commit: { batch in
                let end = try fault.kind.withLock { kind throws -> Fault.End? in
                    if kind.full > 0 {
                        kind.full -= 1
                        return nil
                    }
                    if kind.well > 0 {
                        kind.well -= 1
                        return Fault.End.none
                    }
                    return kind.end
                }
                switch end {
                case nil:
                    batch.abort()
                    throw LMDBError(code: -30_792, operation: "put")
                case .some(.none): try batch.commit()
                case .before:
                    batch.abort()
                    throw Died()
                case .after:
                    try batch.commit()
                    throw Died()
                }
            })
    }

    private static func firstEntries(_ processor: inout BatchProcessor) throws -> TeamID {
        let own = { (command: Command, id: UInt64) in
            Submission(command, by: .system(.service), team: nil, id: .number(id))
        }
        let result = try processor.process([
            own(.initialise(logID: [UInt8](repeating: 1, count: 16)), 1),
            own(.createTeam(name: "default", maxConcurrentRuns: 3), 2), own(.start, 3),
        ])
        guard case .accepted(let accepted) = result.outcomes[1],
            case .team(let team) = accepted.answer
        else { throw Broken(description: "no first team") }
        return team.id
    }

    mutating func note(_ what: Sometimes) { counts[what, default: 0] += 1 }

    // Commands

    mutating func submission(
        _ command: Command, by actor: Actor = .system(.command), keyed: Bool = false,
        payload: SaltedPayload? = nil
    ) -> Submission {
        asked += 1
        var key: IdempotencyKey?
        if keyed {
            let scope = (0..<32).map { UInt8(truncatingIfNeeded: asked >> UInt64($0 % 8 * 8)) }
            key = Digest256(bytes: scope).map { IdempotencyKey(scope: $0, request: $0) }
        }
        return Submission(
            command, by: actor, team: team, id: .number(1_000 + asked), idempotency: key,
            payload: payload)
    }

    /// Has a batch processed. Where the process dies in it, it is started again, and clients ask
    /// again with the same keys, as they would.
    @discardableResult
    mutating func process(_ submissions: [Submission], mayDie: Bool = true) throws -> [Outcome] {
        let kind = mayDie ? nextFault() : Fault.Kind()
        fault.kind.withLock { $0 = kind }
        var parts: [BatchProcessor.Result] = []
        var hasDied = false
        do {
            try processor.processInParts(submissions[...]) { parts.append($0) }
        } catch is Died {
            hasDied = true
        }
        fault.kind.withLock { $0 = Fault.Kind() }
        if parts.count > 1 { note(.batchSplit) }
        if parts.contains(where: { $0.noRoom != nil }) { note(.commandWithoutRoom) }
        let outcomes = parts.flatMap(\.outcomes)
        for (submission, outcome) in zip(submissions, outcomes) { learn(submission, outcome) }
        guard hasDied else {
            try observe()
            return outcomes
        }
        note(kind.end == .before ? .lostBeforeCommit : .lostAfterCommit)
        if !parts.isEmpty { note(.lostBetweenHalves) }
        try restart()
        let again = submissions.filter { $0.idempotency != nil }
        if !again.isEmpty { note(.sentAgainAfterLoss) }
        return try process(again, mayDie: false)
    }

    private mutating func nextFault() -> Fault.Kind {
        var kind = Fault.Kind()
        switch Int.random(in: 0..<50, using: &numbers) {
        case 0: kind.end = .before
        case 1: kind.end = .after
        case 2, 3:
            // All halves of a few are too large, down to single ones; and it may die between two.
            kind.full = Int.random(in: 1...4, using: &numbers)
            kind.well = Int.random(in: 0...2, using: &numbers)
            kind.end = numbers.pick([.none, .before, .after])
        default: break
        }
        return kind
    }

    private mutating func learn(_ submission: Submission, _ outcome: Outcome) {
        guard case .accepted(let accepted) = outcome else {
            turnedAway.insert(submission.commandID)
            return
        }
        taken.insert(submission.commandID)
        if accepted.isReplayed { note(.duplicateKey) }
        if case .cancelSchedule(let id) = submission.command { cancelled.insert(id) }
        if submission.idempotency != nil, accepted.isChange || accepted.isReplayed {
            acknowledged.append(Asked(submission: submission, position: accepted.position))
        }
    }

    /// Follows the log, as the model does.
    private mutating func observe() throws {
        var new: [Entry] = []
        try disk.store.read { view in
            try view.entries(from: Position(entries.count + 1)) { entry in
                new.append(entry)
                return true
            }
        }
        for entry in new { apply(entry, to: &memory) }
        entries += new
    }

    mutating func restart() throws {
        fault.kind.withLock { $0 = Fault.Kind() }
        try disk.reopen()
        if numbers.chance(1, of: 3) {
            // Thrown away, replayed in part, and taken up again.
            try disk.store.clearProjections()
            try disk.store.replay(batchSize: 3) { _, _ in false }
            note(.replayInterrupted)
        }
        if try disk.store.needsReplay() { try disk.store.replay() }
        processor = try Self.processor(
            disk, clock, monitor, settings, fault, numbers.next())
        try observe()
        started = []
        old = []
        circuits = Circuits()
        try process([submission(.start, by: .system(.service))], mayDie: false)
        let open = try disk.store.read { view in try view.runsInProgress() }
        for run in open where run.queue.isInner && !run.isAccepted {
            started.append(run)
            note(.redelivery)
        }
    }

    func judge() -> ClockGuard.Judgement { monitor.judgement }

    func observeClock() { _ = monitor.observe() }

    // What must hold

    func check() throws {
        if let difference = try disk.dump().firstDifference(from: memory.dump) {
            throw Broken(description: "I10: \(difference)")
        }
        let violations = Invariants.check(memory: memory, entries: entries)
        if let first = violations.first { throw Broken(description: first) }
        for asked in acknowledged {
            guard let position = asked.position, position <= entries.count else {
                throw Broken(description: "I4: an acknowledged command is not in the log")
            }
            let header = entries[Int(position) - 1].header
            guard header.idempotency?.scope == asked.submission.idempotency?.scope else {
                throw Broken(description: "I29: position \(position) is another command's")
            }
        }
        // Asked again with its key, one may be turned away and taken.
        let never = turnedAway.subtracting(taken)
        if let entry = entries.first(where: { never.contains($0.header.commandID) }) {
            throw Broken(
                description: "I5: entry \(entry.header.position) is of a command turned away")
        }
        var scopes: [Digest256: Position] = [:]
        for entry in entries {
            guard let scope = entry.header.idempotency?.scope else { continue }
            if let first = scopes.updateValue(entry.header.position, forKey: scope) {
                throw Broken(description: "I29: one key, two entries: \(first) and another")
            }
        }
        for schedule in memory.allSchedules where cancelled.contains(schedule.id) {
            guard schedule.status == .cancelled, schedule.run == nil else {
                throw Broken(description: "I21: \(schedule.id) was said to be cancelled")
            }
        }
    }
}
