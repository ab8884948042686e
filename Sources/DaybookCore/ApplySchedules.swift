func applySchedule<S: State & ~Copyable>(
    _ event: Event, _ team: TeamID, _ location: PayloadLocation, _ header: EntryHeader,
    to state: inout S
) {
    switch event {
    case .scheduleCreated(let created):
        state.write(
            Schedule(
                id: created.schedule, team: team, workflow: created.workflow,
                scheduledTime: created.scheduledTime, status: .pending,
                input: created.input.map { _ in location }, version: created.version,
                scheduledByName: created.scheduledByName, expiresAt: created.expiresAt,
                priority: created.priority, deduplicationKey: created.deduplicationKey, run: nil,
                failure: nil, firedAt: nil, revision: 1, touched: Touched(created: header)),
            over: nil)
    case .scheduleModified(let modified):
        change(modified.schedule, team, header, in: &state) { schedule in
            let changes = modified.changes
            if let time = changes.scheduledTime { schedule.scheduledTime = time }
            if changes.input != nil { schedule.input = location }
            if case .set(let version) = changes.version { schedule.version = version }
            if case .set(let end) = changes.expiresAt { schedule.expiresAt = end }
            if let priority = changes.priority { schedule.priority = priority }
        }
    case .scheduleCancelled(let cancelled):
        change(cancelled.schedule, team, header, in: &state) { $0.status = .cancelled }
    case .scheduleFired(let fired):
        change(fired.schedule, team, header, in: &state) { schedule in
            schedule.status = .inProgress
            schedule.run = fired.run
            schedule.firedAt = fired.firedAt
        }
    case .scheduleExpired(let expired):
        change(expired.schedule, team, header, in: &state) { schedule in
            schedule.status = .failed
            schedule.failure = .expired
        }
    default: preconditionFailure("not an event about schedules")
    }
}

/// The end of a schedule follows from its run's.
func applyEnd<S: State & ~Copyable>(
    _ status: Schedule.Status, _ failure: Schedule.Failure?, of link: ScheduleLink?,
    _ team: TeamID, _ header: EntryHeader, in state: inout S
) {
    guard let link else { return }
    change(link.schedule, team, header, in: &state) { schedule in
        schedule.status = status
        schedule.failure = failure
    }
}

private func change<S: State & ~Copyable>(
    _ id: ScheduleID, _ team: TeamID, _ header: EntryHeader, in state: inout S,
    _ change: (inout Schedule) -> Void
) {
    guard let old = state.schedule(id, of: team) else { return }
    var new = old
    change(&new)
    new.revision += 1
    new.touched.update(by: header)
    state.write(new, over: old)
}
