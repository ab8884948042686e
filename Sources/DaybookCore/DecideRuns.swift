func decideExecute<S: State & ~Copyable>(
    _ id: WorkflowID, _ new: NewRun, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let workflow = try find(id, team, state)
    try checkOpen(workflow)
    var check = Check()
    let number = new.version ?? workflow.activeVersion
    check.pinned(new.version, of: id, team, state)
    check.range("priority", new.priority, Limits.priorities)
    if let end = new.expiresAt {
        if end <= context.recordedAt { check.add("expires_at", "must lie in the future") }
        if end > .latest { check.add("expires_at", "must not lie beyond the year 9999") }
    }
    try check.finish()
    guard let version = state.version(number, of: id, team: team) else {
        throw .notFound(.version)
    }
    return [
        .runQueued(
            RunQueued(
                run: RunID(context.newID), workflow: id, version: number,
                definitionLocation: version.definitionLocation, queue: version.queue,
                mode: .manual, schedule: nil, trigger: nil, scheduledTime: nil,
                input: new.input.map { .brought($0) } ?? .none, priority: new.priority,
                expiresAt: new.expiresAt, timeoutSeconds: workflow.runTimeoutSeconds,
                retry: workflow.retry))
    ]
}

func decideClaim<S: State & ~Copyable>(
    _ queue: Queue, _ worker: String?, _ leaseSeconds: Int?, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    guard !state.service().isPaused else { throw .paused }
    var check = Check()
    check.queue("queue", queue)
    if let worker { check.text("worker", worker, Limits.labelBytes) }
    if let seconds = leaseSeconds { check.range("lease_seconds", seconds, Limits.leaseSeconds) }
    try check.finish()
    let now = context.recordedAt
    guard let id = state.nextToStart(of: team, in: queue), let run = state.run(id, of: team),
        // Past its `expires_at` it does not start, even where the timer has not yet come to it.
        !run.canExpire || run.expiresAt.map({ now < $0 }) ?? true
    else { throw .nothingStartable }
    return [
        .runStarted(
            RunStarted(
                run: id, previous: run.touched.position, attempt: run.attempt + 1,
                tries: run.tries + 1, deadline: now.adding(seconds: run.timeoutSeconds),
                lease: leaseSeconds.map { Lease(endsAt: now.adding(seconds: $0), seconds: $0) },
                worker: worker))
    ]
}

func decideRenewal<S: State & ~Copyable>(
    _ id: RunID, _ attempt: Int, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let run = try findInProgress(id, attempt, team, state)
    guard let end = run.leaseEndsAt, let seconds = run.leaseSeconds else { return [] }
    // At most one entry in half a lease.
    let remaining = end.microseconds(since: context.recordedAt)
    guard remaining < Int64(seconds) * 500_000 else { return [] }
    return [
        .leaseRenewed(
            LeaseRenewed(
                run: id, previous: run.touched.position, attempt: attempt,
                endsAt: context.recordedAt.adding(seconds: seconds)))
    ]
}

func decideAccept<S: State & ~Copyable>(
    _ id: RunID, _ attempt: Int, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let run = try findInProgress(id, attempt, team, state)
    guard !run.isAccepted else { return [] }
    return [
        .runAccepted(RunAccepted(run: id, previous: run.touched.position, attempt: attempt))
    ]
}

func decideRelease<S: State & ~Copyable>(
    _ id: RunID, _ attempt: Int, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let run = try findInProgress(id, attempt, team, state)
    return [
        .runReleased(RunReleased(run: id, previous: run.touched.position, attempt: attempt))
    ]
}

func decideComplete<S: State & ~Copyable>(
    _ id: RunID, _ attempt: Int, _ output: Payload?, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let run = try findInProgress(id, attempt, team, state)
    return [
        .runCompleted(
            RunCompleted(
                run: id, previous: run.touched.position, attempt: attempt, output: output,
                schedule: link(run, state)))
    ]
}

func decideFail<S: State & ~Copyable>(
    _ id: RunID, _ attempt: Int, _ failure: Failure, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let run = try findInProgress(id, attempt, team, state)
    guard failure.isRetryable else {
        return [.runFailed(failed(run, failure.reason, failure.message, state))]
    }
    return [retryOrFail(run, failure, context, state)]
}

func decideReap<S: State & ~Copyable>(
    _ id: RunID, _ attempt: Int, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let run = try findInProgress(id, attempt, team, state)
    let service = state.service()
    guard !service.isPaused else { throw .paused }
    guard isReapable(run, service, at: context.recordedAt) else { throw .notDue }
    return [retryOrFail(run, Failure(reason: .timeout), context, state)]
}

/// Whether the run is past its deadline or its lease, and not spared after a start or a resume.
package func isReapable(_ run: Run, _ service: ServiceState, at now: Instant) -> Bool {
    let isOver = [run.deadline, run.leaseEndsAt].contains { end in end.map { $0 <= now } ?? false }
    return isOver && (run.startedPosition > service.floorPosition || service.reapFloor <= now)
}

func decideRetry<S: State & ~Copyable>(
    _ id: RunID, _ attempt: Int, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    guard let run = state.run(id, of: team) else { throw .notFound(.run) }
    guard run.status == .queued, let notBefore = run.notBefore else {
        throw .runState(run.status, position: run.touched.position)
    }
    guard run.attempt == attempt, notBefore <= context.recordedAt else { throw .notDue }
    return [
        .runRequeued(RunRequeued(run: id, previous: run.touched.position, attempt: attempt))
    ]
}

func decideExpire<S: State & ~Copyable>(
    _ id: RunID, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    guard let run = state.run(id, of: team) else { throw .notFound(.run) }
    guard run.canExpire, let end = run.expiresAt else {
        throw .runState(run.status, position: run.touched.position)
    }
    guard !state.service().isPaused else { throw .paused }
    guard end <= context.recordedAt else { throw .notDue }
    return [.runFailed(failed(run, .expired, nil, state))]
}

func decideCancel<S: State & ~Copyable>(
    _ id: RunID, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> [Event] {
    guard let run = state.run(id, of: team) else { throw .notFound(.run) }
    guard !run.status.isFinal else {
        throw .runState(run.status, position: run.touched.position)
    }
    return [
        .runCancelled(
            RunCancelled(
                run: id, previous: run.touched.position, schedule: link(run, state)))
    ]
}

private func findInProgress<S: State & ~Copyable>(
    _ id: RunID, _ attempt: Int, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> Run {
    guard let run = state.run(id, of: team) else { throw .notFound(.run) }
    guard run.status == .inProgress else {
        throw .runState(run.status, position: run.touched.position)
    }
    guard run.attempt == attempt else {
        throw .staleAttempt(current: run.attempt, position: run.touched.position)
    }
    return run
}

private func retryOrFail<S: State & ~Copyable>(
    _ run: Run, _ failure: Failure, _ context: Context, _ state: borrowing S
) -> Event {
    guard run.tries < run.retry.maxAttempts else {
        return .runFailed(failed(run, failure.reason, failure.message, state))
    }
    let now = context.recordedAt
    return .runRetryScheduled(
        RunRetryScheduled(
            run: run.id, previous: run.touched.position, attempt: run.attempt,
            reason: failure.reason, message: failure.message,
            notBefore: max(
                now.adding(seconds: failure.retryAfterSeconds ?? 0),
                now.adding(microseconds: backoff(of: run)))))
}

/// Microseconds until the next try: doubling from the first wait up to the longest, less up to a
/// fifth that is derived from run and attempt, so that runs which failed together part.
func backoff(of run: Run) -> Int64 {
    backoff(
        doublings: max(run.tries - 1, 0), from: run.retry.initialBackoffSeconds,
        to: run.retry.maxBackoffSeconds, AnyID(run.id), run.attempt)
}

/// The same of anything that is tried again.
func backoff(
    doublings: Int, from initialSeconds: Int, to maximumSeconds: Int, _ id: AnyID, _ attempt: Int
) -> Int64 {
    let full = min(initialSeconds << min(doublings, 30), maximumSeconds) * 1_000_000
    // The finaliser of SplitMix64: spreads neighbouring ids evenly.
    var mixed = id.high ^ UInt64(id.low) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(attempt)
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return Int64(full) - Int64(full / 5) * Int64(mixed % 1_000) / 1_000
}

private func failed<S: State & ~Copyable>(
    _ run: Run, _ reason: RunError.Reason, _ message: Payload?, _ state: borrowing S
) -> RunFailed {
    RunFailed(
        run: run.id, previous: run.touched.position, attempt: run.attempt, reason: reason,
        message: message, schedule: link(run, state))
}

private func link<S: State & ~Copyable>(_ run: Run, _ state: borrowing S) -> ScheduleLink? {
    guard let id = run.schedule, let schedule = state.schedule(id, of: run.team) else {
        return nil
    }
    return ScheduleLink(schedule: id, previous: schedule.touched.position)
}
