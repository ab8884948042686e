func applyRun<S: State & ~Copyable>(
    _ event: Event, _ team: TeamID, _ location: PayloadLocation, _ header: EntryHeader,
    to state: inout S
) {
    switch event {
    case .runQueued(let queued):
        let run = Run(queued, team, location, header)
        state.write(run, over: nil)
        state.enqueue(run)
        state.note(queued.deduplication, as: .run(run.id))
    case .runStarted(let started):
        guard let old = state.run(started.run, of: team) else { return }
        var new = old
        new.status = .inProgress
        new.attempt = started.attempt
        new.tries = started.tries
        new.firstStartedAt = old.firstStartedAt ?? header.recordedAt
        new.startedAt = header.recordedAt
        new.startedPosition = header.position
        new.deadline = started.deadline
        new.leaseEndsAt = started.lease?.endsAt
        new.leaseSeconds = started.lease?.seconds
        new.worker = started.worker
        new.isAccepted = false
        new.touched.update(by: header)
        state.write(new, over: old)
        state.takeSlot(old, at: header.position)
    case .leaseRenewed(let renewed):
        change(renewed.run, team, header, in: &state) { $0.leaseEndsAt = renewed.endsAt }
    case .runAccepted(let accepted):
        change(accepted.run, team, header, in: &state) { $0.isAccepted = true }
    case .runReleased(let released):
        guard
            let run = stop(
                released.run, team, header, in: &state,
                { run in
                    run.status = .queued
                    run.tries -= 1
                })
        else { return }
        state.enqueue(run)
    case .runCompleted(let completed):
        stop(completed.run, team, header, in: &state) { run in
            run.status = .completed
            run.output = completed.output.map { _ in location }
            run.error = nil
            run.finishedAt = header.recordedAt
        }
        applyEnd(.completed, nil, of: completed.schedule, team, header, in: &state)
    case .runRetryScheduled(let scheduled):
        let run = stop(scheduled.run, team, header, in: &state) { run in
            run.status = .queued
            run.notBefore = scheduled.notBefore
            run.error = RunError(
                reason: scheduled.reason, message: scheduled.message.map { _ in location },
                attempt: scheduled.attempt)
        }
        if let run { state.countQueued(of: run, by: 1) }
    case .runRequeued(let requeued):
        guard let old = state.run(requeued.run, of: team) else { return }
        var new = old
        new.notBefore = nil
        new.touched.update(by: header)
        state.write(new, over: old)
        state.countQueued(of: old, by: -1)
        state.enqueue(new)
    case .runFailed(let failed):
        let error = RunError(
            reason: failed.reason, message: failed.message.map { _ in location },
            attempt: failed.attempt)
        stop(failed.run, team, header, in: &state) { run in
            run.status = .failed
            run.error = error
            run.finishedAt = header.recordedAt
        }
        let failure: Schedule.Failure = failed.reason == .expired ? .expired : .run(error)
        applyEnd(.failed, failure, of: failed.schedule, team, header, in: &state)
    case .runCancelled(let cancelled):
        stop(cancelled.run, team, header, in: &state) { run in
            run.status = .cancelled
            run.finishedAt = header.recordedAt
        }
        applyEnd(.failed, .runCancelled, of: cancelled.schedule, team, header, in: &state)
    default: preconditionFailure("not an event about runs")
    }
}

/// Takes a run out of where it is, its slot or its place in the queue, and writes what it becomes.
@discardableResult
private func stop<S: State & ~Copyable>(
    _ id: RunID, _ team: TeamID, _ header: EntryHeader, in state: inout S,
    _ change: (inout Run) -> Void
) -> Run? {
    guard let old = state.run(id, of: team) else { return nil }
    var new = old
    change(&new)
    if new.status == .queued { new.deadline = nil } else { new.notBefore = nil }
    new.leaseEndsAt = nil
    new.leaseSeconds = nil
    new.isAccepted = false
    new.touched.update(by: header)
    state.write(new, over: old)
    switch old.status {
    case .inProgress: state.freeSlot(old)
    case .queued:
        if old.isStartable { state.dequeue(old) }
        state.countQueued(of: old, by: -1)
    case .completed, .failed, .cancelled: break
    }
    return new
}

private func change<S: State & ~Copyable>(
    _ id: RunID, _ team: TeamID, _ header: EntryHeader, in state: inout S,
    _ change: (inout Run) -> Void
) {
    guard let old = state.run(id, of: team) else { return }
    var new = old
    change(&new)
    new.touched.update(by: header)
    state.write(new, over: old)
}

extension Run {
    fileprivate init(
        _ queued: RunQueued, _ team: TeamID, _ location: PayloadLocation, _ header: EntryHeader
    ) {
        let input: PayloadLocation? =
            switch queued.input {
            case .none: nil
            case .brought: location
            case .stored(let stored): stored
            }
        self.init(
            id: queued.run, team: team, workflow: queued.workflow, version: queued.version,
            definitionLocation: queued.definitionLocation, queue: queued.queue,
            mode: queued.mode, status: .queued, schedule: queued.schedule,
            trigger: queued.trigger, scheduledTime: queued.scheduledTime, input: input,
            output: nil, error: nil, attempt: 0, tries: 0, priority: queued.priority,
            expiresAt: queued.expiresAt, timeoutSeconds: queued.timeoutSeconds,
            retry: queued.retry, queuedAt: header.recordedAt, queuedPosition: header.position,
            firstStartedAt: nil, startedAt: nil, startedPosition: 0, deadline: nil,
            leaseEndsAt: nil, leaseSeconds: nil, isAccepted: false, notBefore: nil,
            finishedAt: nil, worker: nil, touched: Touched(created: header))
    }
}
