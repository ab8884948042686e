import DaybookCore
import DaybookStore
import Logging
import Metrics
import Synchronization

/// The service without its edges: takes commands, keeps them, and answers questions about them.
package final class Engine: Sendable {
    package let settings: Settings
    package let clock: any ServiceClock
    package let feed = Feed()
    package let claimants: Claimants
    let flights = Flights()
    let keyUses = KeyUses()
    package let triggerActivity: TriggerActivity
    package let circuits = Circuits()
    let definitions = KnownDefinitions()
    private let secrets: SecretKeys
    let checkpointKey: CheckpointKey
    let store: Store
    let rebuilding = Rebuilding()
    let mailbox: Mailbox
    private let writer: Writer
    let metrics: EngineMetrics
    /// Attempts that executors inside the process carry out now.
    package let executionsUnderWay = Atomic<Int>(0)
    /// Followers of the log over HTTP.
    package let openStreams = Atomic<Int>(0)
    private let monitor: ClockMonitor
    let logger: Logger
    private let random: @Sendable () -> UInt64
    private let commit: @Sendable (consuming Batch) throws -> Void
    private let phase = Mutex(Phase.replaying(percent: 0))
    private let served = Atomic<Bool>(false)
    private let readiness = Signal()
    private let disk = DiskWatch()
    let keepsNoPromises = Atomic<Bool>(false)
    let resuming = Mutex<Task<Unavailable?, any Error>?>(nil)
    private let foundMismatch = Mutex<String?>(nil)
    private let foundByAudit = Mutex<Audit?>(nil)
    /// How often the projections were put in the place of others.
    private let rebuilds = Atomic<Int>(0)
    /// What the parts were last told of the clock; the writer has it judged too.
    private let knownJudgement = Mutex(ClockGuard.Judgement.good)

    package enum Phase: Hashable, Sendable {
        case replaying(percent: Int)
        case serving
        case stopping
    }

    /// - Parameter checkpointKey: signs checkpoints.
    /// - Parameter commit: lets a test see a commit fail.
    package init(
        store: Store, secrets: SecretKeys, checkpointKey: CheckpointKey = CheckpointKey(),
        settings: Settings, clock: any ServiceClock, logger: Logger,
        metrics: any MetricsFactory = MetricsSystem.factory,
        random: @escaping @Sendable () -> UInt64 = Engine.systemRandom,
        commit: @escaping @Sendable (consuming Batch) throws -> Void = { batch in
            try batch.commit()
        }
    ) {
        self.store = store
        self.secrets = secrets
        self.checkpointKey = checkpointKey
        self.settings = settings
        self.clock = clock
        self.logger = logger
        self.random = random
        self.commit = commit
        monitor = ClockMonitor(
            clock: clock, tolerance: Int64(settings.clockToleranceSeconds) * 1_000_000)
        mailbox = Mailbox(settings: settings)
        triggerActivity = TriggerActivity(since: clock.now())
        claimants = Claimants(maximum: settings.waitingClaims)
        self.metrics = EngineMetrics(metrics)
        writer = Writer(
            mailbox: mailbox, feed: feed, clock: clock, metrics: self.metrics, logger: logger)
        _ = feed.follow { [claimants] entries in claimants.notice(entries) }
    }

    package static let systemRandom: @Sendable () -> UInt64 = {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    // Its life

    /// Starts the writer: replays where that is needed, and on an empty log makes the first entries.
    ///
    /// - Parameter makeAdminKey: makes the first admin key's secret, keeps its text somewhere safe,
    ///   and returns the SHA-256 of the secret.
    package func start(makeAdminKey: @escaping @Sendable (KeyID) throws -> Digest256) {
        writer.start { [self] in
            try store.bringUpToDate { reached, last in
                phase.withLock { phase in
                    guard phase != .stopping else { return }
                    phase = .replaying(percent: Int(reached * 100 / max(last, 1)))
                }
            }
            let isCopy = try !standsFirst()
            let first = FirstEntries(
                store: store, clock: clock, random: random, newCommandID: newCommandID)
            try first.writeIfEmpty(makeAdminKey: makeAdminKey)
            // A clock that was set during a replay is the clock of this start.
            monitor.begin()
            var processor = try BatchProcessor(
                store: store, clock: clock, monitor: monitor, settings: settings,
                random: random, commit: commit)
            if !isCopy {
                var commands = [Command.start]
                if settings.startsPaused { commands.append(.pause) }
                let result = try processor.process(commands.map(own))
                guard case .accepted = result.outcomes[0] else { throw StartNotRecorded() }
                feed.publish(result.entries)
            }
            phase.withLock { phase in if phase != .stopping { phase = .serving } }
            served.store(true, ordering: .releasing)
            readiness.fire()
            return processor
        } onEnd: { [self] in
            readiness.fire()
        }
    }

    /// Returns when commands are served, or when the writer has ended without coming so far.
    package func ready() async { await readiness.wait() }

    /// Ends waiting with what there is, so that nothing holds up the stop.
    package func beginStopping() {
        phase.withLock { $0 = .stopping }
        endWaiting()
    }

    /// Ends what waits for something to happen: long polls and waits for a run's end.
    package func endWaiting() {
        feed.end()
        claimants.end()
    }

    /// Records the stop, serves what waits in the mailbox, and ends the writer.
    package func stop() async {
        beginStopping()
        await rebuilding.end()
        await recordKeyUses()
        _ = await submitOwn([own(.stop)])
        mailbox.close()
        await writer.waitForEnd()
    }

    /// Returns when the writer has ended, by `stop` or by a failure of the storage.
    package func waitForEnd() async { await writer.waitForEnd() }

    /// The failure of the storage that ended the writer.
    package var failure: (any Error)? { writer.failure }

    // How it is

    package var currentPhase: Phase { phase.withLock { $0 } }
    /// Whether the projections have been there since the start: before, nothing can be judged by them.
    package var hasServed: Bool { served.load(ordering: .acquiring) }
    package var clockJudgement: ClockGuard.Judgement { monitor.judgement }
    package var mailboxDepth: Int { mailbox.depth }

    /// How long the first of the clients' commands has waited, in microseconds.
    package var mailboxAge: Int64 { mailbox.oldest.map { max(0, clock.sinceBoot() - $0) } ?? 0 }

    /// By how many commits the oldest open snapshot lies behind.
    package var oldestReaderLag: Int { store.oldestReaderLag }

    /// What the last audit found.
    package var lastAudit: Audit? { foundByAudit.withLock { $0 } }

    func noteAudit(_ audit: Audit) { foundByAudit.withLock { $0 = audit } }
    package var hasDiskFull: Bool { disk.isFull }
    /// See `DiskWatch.warning`.
    package var diskWarning: Int { disk.warning }

    /// Whether due moments are acted on and runs are started: not while the clock is suspect, nor
    /// once the projections were found to disagree.
    package var mayFire: Bool { clockJudgement == .good && mismatch == nil && !isCopy }

    /// Whether this is a copy of a directory whose promises may be kept elsewhere: nothing is written,
    /// fired, started or sent.
    package var isCopy: Bool { keepsNoPromises.load(ordering: .acquiring) }

    /// The first disagreement of the projections that a recount found.
    package var mismatch: String? { foundMismatch.withLock { $0 } }

    var rebuildCount: Int { rebuilds.load(ordering: .acquiring) }

    /// Other projections are in use: what was found about the old ones is of the past.
    func projectionsWereRebuilt(_ report: RebuildReport) {
        foundMismatch.withLock { found in
            found = nil
            rebuilds.add(1, ordering: .acquiringAndReleasing)
        }
        logger.notice(
            "the projections were rebuilt",
            metadata: [
                "entries": "\(report.entries)",
                "differences": "\(report.differences.map(String.init) ?? "not compared")",
            ])
        feed.nudgeAll()
    }

    /// Stops firing and starting until the projections are rebuilt.
    ///
    /// - Parameter count: `rebuildCount` before the projections were looked at.
    func alarm(_ mismatch: String, seenAt count: Int) {
        let isFirst = foundMismatch.withLock { found in
            guard count == rebuildCount else { return false }
            defer { found = found ?? mismatch }
            return found == nil
        }
        guard isFirst else { return }
        logger.critical(
            """
            the projections disagree: nothing fires or starts any more until they were rebuilt, by \
            `daybook rebuild --online` or POST /rebuild
            """, metadata: ["mismatch": "\(mismatch)"])
        // Claims that wait are told now.
        feed.nudgeAll()
    }

    /// To be called about every second: looks at the disk, and has the clock judged.
    package func keepHouse() {
        disk.look(at: store, settings, logger)
        for ticket in mailbox.removeLate(at: clock.sinceBoot()) {
            ticket.complete(.unavailable(.overloaded))
        }
        _ = monitor.observe()
        let judgement = clockJudgement
        let isNew = knownJudgement.withLock { known in
            defer { known = judgement }
            return known != judgement
        }
        if isNew {
            logger.warning("clock judged anew", metadata: ["judgement": "\(clockJudgement)"])
            feed.nudgeAll()
        }
    }

    // Commands

    /// A command of the service's own.
    func own(_ command: Command) -> Submission {
        Submission(command, by: .system(.service), team: nil, id: newCommandID())
    }

    package func newCommandID() -> CommandID { CommandID(high: random(), low: random()) }

    /// Salts and digests a payload, on the caller's thread.
    package func salted(_ bytes: [UInt8]) -> SaltedPayload {
        let id = newCommandID()
        return SaltedPayload(bytes, salt: id.bytes)
    }

    /// Submits a client's command and returns its outcome once it is durable.
    package func submit(_ submission: Submission) async -> Outcome {
        if isCopy, case .resume = submission.command {
            if let refusal = refusal(of: submission.command, ofCopy: true) {
                return .unavailable(refusal)
            }
            do {
                if let reason = try await becomeOriginal() { return .unavailable(reason) }
            } catch {
                logger.error("the copy stays one", metadata: ["error": "\(error)"])
                return .unavailable(.outcomeUnknown)
            }
        }
        if let refusal = refusal(of: submission.command) { return .unavailable(refusal) }
        return await submit(
            submission, in: submission.command.endsSomething ? .ends : .requests)
    }

    /// Why a client's command is not taken now.
    ///
    /// - Parameter ofCopy: whether the command is the one that a copy takes.
    func refusal(of command: Command, ofCopy: Bool = false) -> Unavailable? {
        switch currentPhase {
        case .replaying(let percent): return .replaying(percent: percent)
        case .stopping: return .stopping
        case .serving: break
        }
        if isCopy, !ofCopy { return .copy }
        if command.startsSomething || ofCopy {
            if clockJudgement != .good { return .clockSuspect }
            if mismatch != nil { return .inconsistent }
        }
        return hasDiskFull && !command.endsSomething ? .diskFull : nil
    }

    func submit(_ submission: Submission, in lane: Mailbox.Lane) async -> Outcome {
        if isCopy { return .unavailable(.copy) }
        let caller = Caller()
        let deadline = deadline(in: lane)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ticket = Ticket(
                    submission: submission, deadline: deadline,
                    caller: lane == .requests ? caller : nil, putAt: clock.sinceBoot(),
                    complete: { continuation.resume(returning: $0) })
                if let refusal = mailbox.put([ticket], in: lane) {
                    continuation.resume(returning: .unavailable(refusal))
                }
            }
        } onCancel: {
            caller.leave()
        }
    }

    /// Submits commands of the service's own together and returns their outcomes in order.
    package func submitOwn(_ submissions: [Submission]) async -> [Outcome] {
        await submitTogether(submissions, in: .service)
    }

    /// Submits commands of one client together and returns their outcomes in order.
    package func submitRequests(_ submissions: [Submission]) async -> [Outcome] {
        if let first = submissions.first, let refusal = refusal(of: first.command) {
            return submissions.map { _ in .unavailable(refusal) }
        }
        return await submitTogether(submissions, in: .requests)
    }

    func submitTogether(_ submissions: [Submission], in lane: Mailbox.Lane) async -> [Outcome] {
        guard !isCopy else { return submissions.map { _ in .unavailable(.copy) } }
        return await put(together: submissions, in: lane)
    }

    func put(
        together submissions: [Submission], in lane: Mailbox.Lane
    ) async -> [Outcome] {
        guard !submissions.isEmpty else { return [] }
        let caller = Caller()
        let deadline = deadline(in: lane)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let collector = Collector(count: submissions.count, continuation)
                let tickets = submissions.enumerated().map { index, submission in
                    Ticket(
                        submission: submission, deadline: deadline,
                        caller: lane == .requests ? caller : nil,
                        putAt: clock.sinceBoot(), complete: { collector.set($0, at: index) })
                }
                if let refusal = mailbox.put(tickets, in: lane) {
                    for index in submissions.indices {
                        collector.set(.unavailable(refusal), at: index)
                    }
                }
            }
        } onCancel: {
            caller.leave()
        }
    }

    /// Puts commands into the mailbox whose outcome nobody waits for.
    func post(_ submissions: [Submission], in lane: Mailbox.Lane) {
        guard !isCopy else { return }
        _ = mailbox.put(
            submissions.map { submission in
                Ticket(
                    submission: submission, deadline: nil, caller: nil,
                    putAt: clock.sinceBoot(), complete: { _ in })
            }, in: lane)
    }

    /// Only clients give up waiting.
    private func deadline(in lane: Mailbox.Lane) -> Int64? {
        lane == .requests ? clock.sinceBoot() + Int64(settings.commandSeconds) * 1_000_000 : nil
    }

    // Secrets

    /// Encrypts a secret so that it can stand in the log.
    package func seal(
        _ secret: [UInt8], for purpose: SecretPurpose, of team: TeamID
    ) -> SealedSecret {
        secrets.seal(secret, for: purpose, of: team)
    }

    /// Decrypts a sealed secret; throws where its key is gone or it was changed.
    package func open(
        _ sealed: SealedSecret, for purpose: SecretPurpose, of team: TeamID
    ) throws -> [UInt8] {
        try secrets.open(sealed, for: purpose, of: team)
    }

    /// Bytes that nobody else can make from the seed; several where the sealing keys were rotated,
    /// those of the newest first. 32 each.
    package func derivedBytes(from seed: [UInt8]) -> [[UInt8]] { secrets.derive(from: seed) }

    /// Bytes that nobody can guess.
    package func randomBytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += newCommandID().bytes }
        return Array(bytes.prefix(count))
    }

    // Questions

    /// Runs `body` with a snapshot of what is durable. It must not wait for anything in it.
    package func read<Value>(_ body: (borrowing View) throws -> Value) throws -> Value {
        try store.read(body)
    }

    /// Whether a question failed because the disk did, and the process is about to stop.
    package func isStorageFailure(_ error: any Error) -> Bool {
        DaybookStore.isStorageFailure(error)
    }
}

/// The clock jumped while the service started: the next start takes it as it is then.
struct StartNotRecorded: Error, CustomStringConvertible {
    let description = "the start could not be recorded: the clock jumped"
}

/// Gathers the outcomes of commands that were submitted together.
private final class Collector: Sendable {
    private struct State {
        var outcomes: [Outcome?]
        var missing: Int
    }

    private let state: Mutex<State>
    private let continuation: CheckedContinuation<[Outcome], Never>

    init(count: Int, _ continuation: CheckedContinuation<[Outcome], Never>) {
        state = Mutex(State(outcomes: Array(repeating: nil, count: count), missing: count))
        self.continuation = continuation
    }

    func set(_ outcome: Outcome, at index: Int) {
        let all = state.withLock { state -> [Outcome]? in
            state.outcomes[index] = outcome
            state.missing -= 1
            return state.missing == 0 ? state.outcomes.compactMap { $0 } : nil
        }
        if let all { continuation.resume(returning: all) }
    }
}
