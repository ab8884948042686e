import DaybookCore
import DaybookStore
import Logging
import ServiceLifecycle
import Synchronization

/// Which runs of the inner queues to claim next.
package enum DispatchStep {
    /// Claims for up to `limit` runs: the teams in turn, each for no more than it has room for.
    /// A claim is a request only: `decide` picks the run, or finds none.
    package static func claims(
        _ view: borrowing View, limit: Int
    ) throws -> [(team: TeamID, queue: Queue)] {
        guard limit > 0, try !view.service().isPaused else { return [] }
        var rows: [(team: TeamID, queue: Queue, wanted: Int)] = []
        for queue in Queue.inner {
            for id in try view.turns(in: queue, limit: limit) {
                guard let team = try view.team(id) else { continue }
                let usage = try view.usage(of: id)
                let wanted = min(team.maxConcurrentRuns - usage.inProgress, usage.queued)
                if wanted > 0 { rows.append((id, queue, wanted)) }
            }
        }
        var claims: [(team: TeamID, queue: Queue)] = []
        while claims.count < limit {
            let before = claims.count
            for index in rows.indices where rows[index].wanted > 0 && claims.count < limit {
                rows[index].wanted -= 1
                claims.append((rows[index].team, rows[index].queue))
            }
            if claims.count == before { break }
        }
        return claims
    }
}

/// Claims startable runs for the executors inside the process, has them carried out, and submits
/// what became of them.
package struct DispatcherService: Service {
    private let engine: Engine
    private let executors: [Queue: any Executor]
    private let logger: Logger

    package init(engine: Engine, executors: [Queue: any Executor], logger: Logger) {
        self.engine = engine
        self.executors = executors
        self.logger = logger
    }

    package func run() async throws {
        let (nudges, nudge) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let running = Running(engine: engine, onRemoval: { nudge.yield() })
        let follower = engine.feed.follow { entries in
            var opens = entries.isEmpty
            for event in entries.lazy.flatMap(\.events) {
                // Ended runs are broken off, whether or not the dispatcher is busy.
                if let run = event.stoppedRun { running.cancel(run) }
                opens = opens || event.opensADoor
            }
            if opens { nudge.yield() }
        }
        defer { engine.feed.unfollow(follower) }
        await engine.ready()
        nudge.yield()
        await withDiscardingTaskGroup { group in
            var hasResent = false
            for await _ in nudges.cancelOnGracefulShutdown() {
                // While paused nothing is sent: the end of the pause nudges.
                if !hasResent { hasResent = resend(running, in: &group) }
                while hasResent, !Task.isShuttingDownGracefully, !Task.isCancelled,
                    await startSome(running, in: &group)
                {}
            }
            await finish(running)
        }
    }

    /// Gives open executions their time, then breaks them off: they are sent again at the next
    /// start.
    private func finish(_ running: Running) async {
        let end = engine.clock.now().adding(seconds: engine.settings.executionGraceSeconds)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await engine.clock.sleep(until: end) }
            group.addTask { await running.waitUntilEmpty() }
            await group.next()
            // Before the group ends: it waits until nothing is under way any more.
            running.cancelAll()
            group.cancelAll()
        }
    }

    /// Sends again what was in progress when the process ended: same run, same attempt. Does
    /// nothing, and says so, while the service is paused.
    private func resend(_ running: Running, in group: inout DiscardingTaskGroup) -> Bool {
        do {
            let now = engine.clock.now()
            let runs = try engine.read { view in
                try view.service().isPaused || engine.isCopy ? nil : view.runsInProgress()
            }
            guard let runs else { return false }
            for run in runs
            where run.queue.isInner && !run.isAccepted && run.deadline.map({ now < $0 }) ?? true {
                start(run, isRedelivery: true, running, in: &group)
            }
        } catch {
            logger.error("open runs cannot be read", metadata: ["error": "\(error)"])
        }
        return true
    }

    /// Claims what there is room for; tells whether it may be worth trying again at once.
    private func startSome(
        _ running: Running, in group: inout DiscardingTaskGroup
    ) async -> Bool {
        let free = engine.settings.executionsInFlight - running.count
        guard free > 0, engine.mayFire else { return false }
        do {
            let claims = try engine.read { view in
                try DispatchStep.claims(
                    view, limit: min(free, engine.settings.batchCommands / 2))
            }
            guard !claims.isEmpty else { return false }
            let outcomes = await engine.submitOwn(
                claims.map { claim in
                    Submission(
                        .claim(claim.queue, worker: nil, leaseSeconds: nil),
                        by: .system(.dispatcher), team: claim.team, id: engine.newCommandID())
                })
            var started = false
            for case .accepted(let accepted) in outcomes {
                guard case .run(let run) = accepted.answer else { continue }
                started = true
                start(run, isRedelivery: false, running, in: &group)
            }
            return started
        } catch {
            logger.error("startable runs cannot be read", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func start(
        _ run: Run, isRedelivery: Bool, _ running: Running, in group: inout DiscardingTaskGroup
    ) {
        guard let executor = executors[run.queue] else {
            preconditionFailure("no executor for the queue \(run.queue.name)")
        }
        let task = Task { await carryOut(run, isRedelivery, by: executor) }
        let ticket = running.add(run.id, task)
        // Its end may have been committed before it could be broken off.
        if (try? engine.isInProgress(run)) == false { task.cancel() }
        group.addTask {
            await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }
            running.remove(run.id, ticket)
        }
    }

    private func carryOut(_ run: Run, _ isRedelivery: Bool, by executor: any Executor) async {
        let work: Work
        do {
            work = try engine.work(for: run, isRedelivery: isRedelivery)
        } catch {
            logger.error(
                "a run cannot be carried out",
                metadata: ["run_id": "\(run.id)", "error": "\(error)"])
            await submitEnd(
                of: run,
                .failed(
                    .error, message: "the service cannot read what to do: \(error)",
                    isRetryable: true, retryAfterSeconds: nil))
            return
        }
        if !isRedelivery { engine.notePickUp(of: run) }
        let execution = await executor.execute(work)
        guard !Task.isCancelled else { return }
        await submitEnd(of: run, execution)
    }

    private func submitEnd(of run: Run, _ execution: Execution) async {
        let payload: SaltedPayload?
        let command: Command
        switch execution {
        case .abandoned: return
        case .accepted:
            payload = nil
            command = .accept(run.id, attempt: run.attempt)
        case .completed(let output):
            payload = output.map { engine.salted($0) }
            command = .complete(run.id, attempt: run.attempt, output: payload?.payload)
        case .failed(let reason, let message, let isRetryable, let retryAfter):
            payload = engine.salted(Array(message.utf8))
            command = .fail(
                run.id, attempt: run.attempt,
                Failure(
                    reason: reason, message: payload?.payload, isRetryable: isRetryable,
                    retryAfterSeconds: retryAfter))
        }
        let submission = Submission(
            command, by: .system(.dispatcher), team: run.team, id: engine.newCommandID(),
            causation: run.startedPosition, payload: payload)
        await engine.submitUntilDurable(submission)
    }
}

extension Engine {
    /// Submits the end of something that was done. A refusal means that it has ended otherwise: there is nothing
    /// left to say. Where the clock is suspect or the disk full, it waits until it can be said.
    ///
    /// - Returns: whether it was said; otherwise the process ends.
    @discardableResult
    func submitUntilDurable(_ submission: Submission) async -> Bool {
        while case .unavailable(let reason) = await submit(submission, in: .ends) {
            guard reason == .clockSuspect || reason == .diskFull, !Task.isCancelled else {
                return false
            }
            try? await clock.sleep(until: clock.now().adding(seconds: 1))
        }
        return true
    }
}

/// The executions that are under way.
private final class Running: Sendable {
    private struct State {
        var nextTicket = 0
        var tasks: [RunID: (ticket: Int, task: Task<Void, Never>)] = [:]
        var count = 0
        var emptyWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let engine: Engine
    private let onRemoval: @Sendable () -> Void

    init(engine: Engine, onRemoval: @escaping @Sendable () -> Void) {
        self.engine = engine
        self.onRemoval = onRemoval
    }

    var count: Int { state.withLock { $0.count } }

    func add(_ run: RunID, _ task: Task<Void, Never>) -> Int {
        engine.executionsUnderWay.add(1, ordering: .relaxed)
        return state.withLock { state in
            state.nextTicket += 1
            state.count += 1
            state.tasks[run] = (state.nextTicket, task)
            return state.nextTicket
        }
    }

    func remove(_ run: RunID, _ ticket: Int) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.count -= 1
            // A later attempt of the same run may have begun.
            if state.tasks[run]?.ticket == ticket { state.tasks[run] = nil }
            guard state.count == 0 else { return [] }
            defer { state.emptyWaiters = [] }
            return state.emptyWaiters
        }
        engine.executionsUnderWay.subtract(1, ordering: .relaxed)
        for waiter in waiters { waiter.resume() }
        onRemoval()
    }

    func cancel(_ run: RunID) { state.withLock { $0.tasks[run]?.task.cancel() } }

    func cancelAll() {
        for entry in state.withLock({ Array($0.tasks.values) }) { entry.task.cancel() }
    }

    func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.count > 0 { state.emptyWaiters.append(continuation) }
                return state.count == 0
            }
            if isEmpty { continuation.resume() }
        }
    }
}
