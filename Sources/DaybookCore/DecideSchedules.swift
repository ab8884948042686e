func decideCreate<S: State & ~Copyable>(
    _ new: NewSchedule, of id: WorkflowID, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    try checkOpen(try find(id, team, state))
    var check = Check()
    check.promise(
        new.scheduledTime, expiresAt: new.expiresAt, now: context.recordedAt, isNew: true)
    check.pinned(new.version, of: id, team, state)
    check.range("priority", new.priority, Limits.priorities)
    if let name = new.scheduledByName { check.text("scheduled_by_name", name, Limits.labelBytes) }
    if let key = new.deduplicationKey {
        check.text("dedup_key", key.text, Limits.deduplicationKeyBytes)
    }
    try check.finish()
    if let key = new.deduplicationKey,
        let other = state.pendingSchedule(key, of: id, team: team)
    {
        throw .deduplicated(
            other, position: state.schedule(other, of: team)?.touched.position ?? 0)
    }
    return [
        .scheduleCreated(
            ScheduleCreated(
                schedule: ScheduleID(context.newID), workflow: id,
                scheduledTime: new.scheduledTime, input: new.input, version: new.version,
                scheduledByName: new.scheduledByName, expiresAt: new.expiresAt,
                priority: new.priority, deduplicationKey: new.deduplicationKey))
    ]
}

func decideModify<S: State & ~Copyable>(
    _ id: ScheduleID, _ asked: ScheduleChanges, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let schedule = try findPending(id, team, state)
    try expect(context.expectedRevisions, schedule.revision)
    var changes = asked
    if changes.scheduledTime == schedule.scheduledTime { changes.scheduledTime = nil }
    if changes.version == .set(schedule.version) { changes.version = .keep }
    if changes.expiresAt == .set(schedule.expiresAt) { changes.expiresAt = .keep }
    if changes.priority == schedule.priority { changes.priority = nil }
    var check = Check()
    let expiresAt: Instant? =
        if case .set(let value) = changes.expiresAt { value } else { schedule.expiresAt }
    if changes.scheduledTime != nil || changes.expiresAt != .keep {
        check.promise(
            changes.scheduledTime ?? schedule.scheduledTime, expiresAt: expiresAt,
            now: context.recordedAt, isNew: changes.scheduledTime != nil)
    }
    if case .set(let version) = changes.version {
        check.pinned(version, of: schedule.workflow, team, state)
    }
    if let priority = changes.priority { check.range("priority", priority, Limits.priorities) }
    try check.finish()
    guard !changes.isEmpty else { return [] }
    return [
        .scheduleModified(
            ScheduleModified(
                schedule: id, previous: schedule.touched.position, changes: changes))
    ]
}

func decideCancel<S: State & ~Copyable>(
    _ id: ScheduleID, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let schedule = try findPending(id, team, state)
    try expect(context.expectedRevisions, schedule.revision)
    return [
        .scheduleCancelled(
            ScheduleCancelled(schedule: id, previous: schedule.touched.position))
    ]
}

func decideFire<S: State & ~Copyable>(
    _ id: ScheduleID, _ revision: UInt64, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let schedule = try findPending(id, team, state)
    guard !state.service().isPaused else { throw .paused }
    guard schedule.revision == revision, schedule.scheduledTime <= context.recordedAt else {
        throw .notDue
    }
    let previous = schedule.touched.position
    if let expiresAt = schedule.expiresAt, expiresAt <= context.recordedAt {
        return [
            .scheduleExpired(
                ScheduleExpired(schedule: id, previous: previous, expiresAt: expiresAt))
        ]
    }
    let workflow = try find(schedule.workflow, team, state)
    let number = schedule.version ?? workflow.activeVersion
    guard let version = state.version(number, of: workflow.id, team: team) else {
        throw .notFound(.version)
    }
    let run = RunID(context.newID)
    return [
        .scheduleFired(
            ScheduleFired(
                schedule: id, previous: previous, run: run,
                scheduledTime: schedule.scheduledTime, firedAt: context.recordedAt)),
        .runQueued(
            RunQueued(
                run: run, workflow: workflow.id, version: number,
                definitionLocation: version.definitionLocation, queue: version.queue,
                mode: .scheduled, schedule: id, trigger: nil,
                scheduledTime: schedule.scheduledTime,
                input: schedule.input.map { .stored($0) } ?? .none,
                priority: schedule.priority, expiresAt: schedule.expiresAt,
                timeoutSeconds: workflow.runTimeoutSeconds, retry: workflow.retry)),
    ]
}

private func findPending<S: State & ~Copyable>(
    _ id: ScheduleID, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> Schedule {
    guard let schedule = state.schedule(id, of: team) else { throw .notFound(.schedule) }
    guard schedule.status == .pending else {
        throw .scheduleNotPending(
            schedule.status, run: schedule.run, position: schedule.touched.position)
    }
    return schedule
}

extension Check {
    mutating func promise(_ time: Instant, expiresAt: Instant?, now: Instant, isNew: Bool) {
        if isNew, time <= now { add("scheduled_time", "must lie in the future") }
        if isNew, time > .latest { add("scheduled_time", "must not lie beyond the year 9999") }
        if let expiresAt {
            if expiresAt <= time {
                add("expires_at", "must lie after scheduled_time")
            } else if expiresAt > .latest {
                add("expires_at", "must not lie beyond the year 9999")
            }
        }
    }

    mutating func pinned<S: State & ~Copyable>(
        _ version: Int?, of workflow: WorkflowID, _ team: TeamID, _ state: borrowing S
    ) {
        guard let version else { return }
        if state.version(version, of: workflow, team: team) == nil {
            add("version", "the workflow has no version \(version)")
        }
    }
}
