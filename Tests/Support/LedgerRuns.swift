import DaybookCore

// Runs, as the log tells of them.
extension Ledger {
    mutating func readRun(
        _ event: Event, _ team: TeamID, _ location: PayloadLocation, _ header: EntryHeader
    ) {
        switch event {
        case .runQueued(let queued): readQueued(queued, team, location, header)
        case .runStarted(let started): readStarted(started, team, header)
        case .leaseRenewed(let renewed):
            change(renewed.run, renewed.previous, renewed.attempt, team, header) { run in
                run.leaseEndsAt = renewed.endsAt
            }
            expect(renewed.endsAt > header.recordedAt, "I25: a lease renewed into the past")
        case .runAccepted(let accepted):
            change(accepted.run, accepted.previous, accepted.attempt, team, header) { run in
                run.isAccepted = true
            }
        case .runReleased(let released):
            change(released.run, released.previous, released.attempt, team, header) { run in
                run.status = .queued
                run.tries -= 1
            }
        case .runCompleted(let completed):
            change(completed.run, completed.previous, completed.attempt, team, header) { run in
                run.status = .completed
            }
            endSchedule(of: completed.run, completed.schedule, as: .completed, header)
        case .runRetryScheduled(let scheduled):
            checkReap(scheduled.run, scheduled.reason, isLast: false, header)
            change(scheduled.run, scheduled.previous, scheduled.attempt, team, header) { run in
                run.status = .waiting
                run.notBefore = scheduled.notBefore
            }
            expect(scheduled.notBefore >= header.recordedAt, "I19: a next try in the past")
        case .runFailed(let failed): readFailed(failed, team, header)
        case .runRequeued(let requeued):
            guard var run = find(requeued.run, requeued.previous, team) else { return }
            expect(run.status == .waiting, "I16: run \(requeued.run) waits for no next try")
            expect(run.attempt == requeued.attempt, "I24: run \(requeued.run) is at \(run.attempt)")
            expect(
                run.notBefore.map { $0 <= header.recordedAt } ?? false,
                "I19: run \(requeued.run) was queued again early")
            run.status = .queued
            run.notBefore = nil
            set(run, requeued.run, header)
        case .runCancelled(let cancelled):
            guard var run = find(cancelled.run, cancelled.previous, team) else { return }
            if run.status == .inProgress { freeSlot(of: run) }
            run.end(as: .cancelled)
            set(run, cancelled.run, header)
            endSchedule(of: cancelled.run, cancelled.schedule, as: .failed, header)
        default: break
        }
    }

    private mutating func readQueued(
        _ queued: RunQueued, _ team: TeamID, _ location: PayloadLocation, _ header: EntryHeader
    ) {
        let id = queued.run
        expect(runs[id] == nil, "I17: run \(id) is queued a second time")
        guard let workflow = workflows[queued.workflow] else {
            return expect(false, "I28: run \(id) of a workflow that is not there")
        }
        expect(workflow.team == team, "I34: run \(id) of a foreign workflow")
        let version = workflow.versions[queued.version]
        expect(
            version?.definition == queued.definitionLocation && version?.queue == queued.queue,
            "I22: run \(id) has another definition than version \(queued.version)")
        expect(
            queued.timeoutSeconds == workflow.timeoutSeconds && queued.retry == workflow.retry,
            "I22: run \(id) has another time-out or retry than its workflow")
        let isTriggered = [.acceptHook, .acceptMessage, .retryRefusal].contains(header.command)
        expect(
            (queued.mode == .triggered) == isTriggered && (queued.trigger != nil) == isTriggered,
            "I30: run \(id) comes of \(header.command) and of a trigger or not")
        if let trigger = queued.trigger {
            expect(
                triggers[trigger]?.workflow == queued.workflow
                    && queued.version == triggers[trigger]?.version ?? workflow.activeVersion,
                "I22: run \(id) is not what its trigger said last")
            noteArrival(queued.deduplication, at: trigger, team, header)
        }
        let schedule = queued.schedule.flatMap { schedules[$0] }
        expect(
            (queued.schedule == nil) == (header.command != .fire)
                && (queued.mode == .scheduled) == (header.command == .fire),
            "I17: run \(id) comes of \(header.command) and of a schedule or not")
        if let schedule {
            expect(schedule.run == id, "I17: run \(id) was not fired")
            let input = schedule.input.map { RunInput.stored($0) } ?? .none
            expect(
                queued.input == input && queued.priority == schedule.priority
                    && queued.expiresAt == schedule.expiresAt
                    && queued.scheduledTime == schedule.time
                    && queued.workflow == schedule.workflow
                    && queued.version == schedule.version ?? workflow.activeVersion,
                "I22: run \(id) is not what its schedule said last")
        }
        runs[id] = RunRecord(
            team: team, workflow: queued.workflow, queue: queued.queue,
            priority: queued.priority, schedule: queued.schedule, expiresAt: queued.expiresAt,
            timeoutSeconds: queued.timeoutSeconds, retry: queued.retry,
            queuedAt: header.position, touched: header.position)
    }

    private mutating func readStarted(
        _ started: RunStarted, _ team: TeamID, _ header: EntryHeader
    ) {
        let id = started.run
        guard var run = find(id, started.previous, team) else { return }
        expect(run.status == .queued, "I16: run \(id) starts though it is \(run.status)")
        expect(!isPaused, "I16: run \(id) starts while paused")
        expect(
            run.wasStarted || run.expiresAt.map { header.recordedAt < $0 } ?? true,
            "I19: run \(id) starts after it has expired")
        expect(
            nextToStart(of: team, in: run.queue) == id, "I27: it was not the turn of run \(id)")
        expect(teams[team]?.hasRoom ?? false, "I26: team \(team) is at its limit")
        expect(workflows[run.workflow]?.hasRoom ?? false, "I26: the workflow of \(id) is full")
        expect(started.attempt == run.attempt + 1, "I24: run \(id) counts its starts wrongly")
        expect(started.tries == run.tries + 1, "I24: run \(id) counts its tries wrongly")
        expect(
            started.deadline == header.recordedAt.adding(seconds: run.timeoutSeconds),
            "I25: run \(id) has another deadline than its time-out says")
        run.status = .inProgress
        run.attempt = started.attempt
        run.tries = started.tries
        run.wasStarted = true
        run.startedAt = header.position
        run.deadline = started.deadline
        run.leaseEndsAt = started.lease?.endsAt
        run.isAccepted = false
        set(run, id, header)
        teams[team]?.active += 1
        teams[team]?.lastStarts[run.queue] = header.position
        workflows[run.workflow]?.active += 1
        workflows[run.workflow]?.lastStarts[run.queue] = header.position
    }

    private mutating func readFailed(_ failed: RunFailed, _ team: TeamID, _ header: EntryHeader) {
        if failed.reason == .expired {
            guard var run = find(failed.run, failed.previous, team) else { return }
            expect(
                run.status == .queued && !run.wasStarted && !isPaused,
                "I16: run \(failed.run) cannot expire")
            expect(
                run.expiresAt.map { $0 <= header.recordedAt } ?? false,
                "I19: run \(failed.run) expired early")
            expect(header.command == .expire, "I5: expired by \(header.command)")
            run.end(as: .failed)
            set(run, failed.run, header)
        } else {
            checkReap(failed.run, failed.reason, isLast: true, header)
            change(failed.run, failed.previous, failed.attempt, team, header) { run in
                run.status = .failed
            }
        }
        endSchedule(of: failed.run, failed.schedule, as: .failed, header)
    }

    /// Whether a run that is reaped is over, and whether it should be tried again.
    private func checkReap(
        _ id: RunID, _ reason: RunError.Reason, isLast: Bool, _ header: EntryHeader
    ) {
        guard let run = runs[id] else { return }
        expect(
            isLast || run.tries < run.retry.maxAttempts, "I16: run \(id) has no tries left")
        guard header.command == .reap else { return }
        expect(reason == .timeout, "I25: reaped for \(reason)")
        expect(!isPaused, "I25: run \(id) is reaped while paused")
        expect(
            !isLast || run.tries >= run.retry.maxAttempts, "I16: run \(id) has a try left")
        let isOver = [run.deadline, run.leaseEndsAt].contains { end in
            end.map { $0 <= header.recordedAt } ?? false
        }
        expect(isOver, "I25: run \(id) is reaped before its time")
        expect(
            run.startedAt > floorPosition || reapFloor <= header.recordedAt,
            "I25: run \(id) is reaped before the floor")
    }

    /// A change by whoever runs it, under the current attempt.
    private mutating func change(
        _ id: RunID, _ previous: Position, _ attempt: Int, _ team: TeamID, _ header: EntryHeader,
        _ change: (inout RunRecord) -> Void
    ) {
        guard var run = find(id, previous, team) else { return }
        expect(
            run.status == .inProgress, "I24: an answer about run \(id), which is \(run.status)")
        expect(attempt == run.attempt, "I24: attempt \(attempt) of run \(id), at \(run.attempt)")
        let hadSlot = run.status == .inProgress
        change(&run)
        if run.status != .inProgress {
            if hadSlot { freeSlot(of: run) }
            run.end(as: run.status)
        }
        set(run, id, header)
    }

    private func find(
        _ id: RunID, _ previous: Position, _ team: TeamID
    ) -> RunRecord? {
        guard let run = runs[id] else {
            expect(false, "I16: run \(id) is not there")
            return nil
        }
        expect(run.team == team, "I34: run \(id) is another team's")
        expect(!run.isFinal, "I23: something happens to run \(id), which is \(run.status)")
        expect(
            run.touched == previous, "I5h: run \(id) was touched at \(run.touched), not \(previous)"
        )
        return run
    }

    private mutating func set(_ run: RunRecord, _ id: RunID, _ header: EntryHeader) {
        runs[id] = run
        runs[id]?.touched = header.position
    }

    private mutating func freeSlot(of run: RunRecord) {
        teams[run.team]?.active -= 1
        workflows[run.workflow]?.active -= 1
    }

    /// The run whose turn it is: the highest priority, then the workflow whose last start in the queue lies
    /// furthest back, then the one queued first.
    func nextToStart(of team: TeamID, in queue: Queue) -> RunID? {
        guard teams[team]?.hasRoom ?? false else { return nil }
        return
            runs.filter { _, run in
                run.team == team && run.queue == queue && run.status == .queued
                    && workflows[run.workflow]?.hasRoom ?? false
            }
            .min { left, right in order(left.value) < order(right.value) }?.key
    }

    private func order(_ run: RunRecord) -> (Int, Position, WorkflowID, Position) {
        (
            -run.priority, workflows[run.workflow]?.lastStarts[run.queue] ?? 0, run.workflow,
            run.queuedAt
        )
    }
}

extension Ledger.RunRecord {
    /// What only a run in progress has goes.
    fileprivate mutating func end(as status: Status) {
        self.status = status
        leaseEndsAt = nil
        isAccepted = false
        if status == .cancelled { notBefore = nil }
    }
}
