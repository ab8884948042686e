/// Changes the state by what happened. Total: an event that happened cannot be refused, and nothing
/// but the entry and the state is read, so that a replay gives the same bytes.
package func apply<S: State & ~Copyable>(_ entry: Entry, to state: inout S) {
    let header = entry.header
    clearKeptAnswers(endedBy: header.recordedAt, in: &state)
    for (index, event) in entry.events.enumerated() {
        apply(event, at: index, header, to: &state)
    }
    if let idempotency = header.idempotency {
        state.set(
            KeptAnswer(
                request: idempotency.request, endsAt: idempotency.endsAt,
                position: header.position, answer: answer(to: entry, state)),
            for: idempotency.scope)
    }
    var service = state.service()
    service.position = header.position
    service.recordedAt = header.recordedAt
    state.set(service)
}

private func clearKeptAnswers<S: State & ~Copyable>(
    endedBy now: Instant, in state: inout S
) {
    for _ in 0..<Limits.expiredRowsPerEntry {
        guard state.removeOldestKeptAnswer(endedBy: now) else { return }
    }
}

private func apply<S: State & ~Copyable>(
    _ event: Event, at index: Int, _ header: EntryHeader, to state: inout S
) {
    let location = PayloadLocation(position: header.position, event: index)
    switch event {
    case .initialised, .started, .stopped, .paused, .resumed, .clockTrusted:
        applyService(event, header, to: &state)
    case .teamCreated, .licenseSet, .keyCreated, .keyRevoked:
        applyTeam(event, header, to: &state)
    case .workflowCreated, .workflowModified, .concurrencySet, .secretRotated, .draftEdited,
        .versionSaved, .versionRenamed, .versionActivated:
        guard let team = header.team else { return }
        applyWorkflow(event, team, header, to: &state)
    case .scheduleCreated, .scheduleModified, .scheduleCancelled, .scheduleFired,
        .scheduleExpired:
        guard let team = header.team else { return }
        applySchedule(event, team, location, header, to: &state)
    case .runQueued, .runStarted, .leaseRenewed, .runAccepted, .runReleased, .runCompleted,
        .runRetryScheduled, .runFailed, .runRequeued, .runCancelled:
        guard let team = header.team else { return }
        applyRun(event, team, location, header, to: &state)
    case .payloadsErased(let erased):
        guard let team = header.team else { return }
        applyErasure(erased, team, header, to: &state)
    }
}

private func applyService<S: State & ~Copyable>(
    _ event: Event, _ header: EntryHeader, to state: inout S
) {
    var service = state.service()
    switch event {
    case .initialised(let logID, _): service.logID = logID
    case .started(let floor):
        service.reapFloor = floor
        service.floorPosition = header.position
    case .paused:
        service.isPaused = true
        service.pausePosition = header.position
    case .resumed(let floor):
        service.isPaused = false
        service.pausePosition = 0
        service.reapFloor = floor
        service.floorPosition = header.position
    case .stopped, .clockTrusted: return
    default: preconditionFailure("not an event of the service")
    }
    state.set(service)
}

private func applyTeam<S: State & ~Copyable>(
    _ event: Event, _ header: EntryHeader, to state: inout S
) {
    switch event {
    case .teamCreated(let created):
        state.set(
            Team(
                id: created.team, name: created.name,
                maxConcurrentRuns: created.maxConcurrentRuns, revision: 1,
                touched: Touched(created: header)))
    case .licenseSet(let set):
        guard var team = state.team(set.team) else { return }
        team.maxConcurrentRuns = set.maxConcurrentRuns
        team.revision += 1
        team.touched.update(by: header)
        state.changingAdmission(of: nil, team: team.id) { state in state.set(team) }
    case .keyCreated(let created):
        guard let team = header.team else { return }
        state.set(
            APIKey(
                id: created.key, team: team, role: created.role, name: created.name,
                secretDigest: created.secretDigest, expiresAt: created.expiresAt, revokedAt: nil,
                touched: Touched(created: header)))
    case .keyRevoked(let revoked):
        guard var key = state.apiKey(revoked.key) else { return }
        key.revokedAt = header.recordedAt
        key.touched.update(by: header)
        state.set(key)
    default: preconditionFailure("not an event about teams")
    }
}

/// The object that the entry's command is answered with, as it stands now.
package func answer<S: State & ~Copyable>(to entry: Entry, _ state: borrowing S) -> Answer {
    let team = entry.header.team ?? .lowest
    for event in entry.events {
        switch event {
        case .teamCreated(let event): return state.team(event.team).map { .team($0) } ?? .none
        case .licenseSet(let event): return state.team(event.team).map { .team($0) } ?? .none
        case .keyCreated(let event): return state.apiKey(event.key).map { .apiKey($0) } ?? .none
        case .keyRevoked(let event): return state.apiKey(event.key).map { .apiKey($0) } ?? .none
        case .workflowCreated(let event): return workflow(event.workflow)
        case .workflowModified(let event): return workflow(event.workflow)
        case .concurrencySet(let event): return workflow(event.workflow)
        case .secretRotated(let event): return workflow(event.workflow)
        case .versionActivated(let event): return workflow(event.workflow)
        case .draftEdited(let event): return version(0, event.workflow)
        case .versionSaved(let event): return version(event.number, event.workflow)
        case .versionRenamed(let event): return version(event.number, event.workflow)
        case .scheduleCreated(let event): return schedule(event.schedule)
        case .scheduleModified(let event): return schedule(event.schedule)
        case .scheduleCancelled(let event): return schedule(event.schedule)
        case .scheduleFired(let event): return schedule(event.schedule)
        case .scheduleExpired(let event): return schedule(event.schedule)
        case .runQueued(let event): return run(event.run)
        case .runStarted(let event): return run(event.run)
        case .leaseRenewed(let event): return run(event.run)
        case .runAccepted(let event): return run(event.run)
        case .runReleased(let event): return run(event.run)
        case .runCompleted(let event): return run(event.run)
        case .runRetryScheduled(let event): return run(event.run)
        case .runFailed(let event): return run(event.run)
        case .runRequeued(let event): return run(event.run)
        case .runCancelled(let event): return run(event.run)
        case .payloadsErased(let event):
            return event.namesRun
                ? event.run.map { run($0.run) } ?? .none
                : event.schedule.map { schedule($0.schedule) } ?? .none
        case .initialised, .started, .stopped, .paused, .resumed, .clockTrusted: return .none
        }
    }
    return .none

    func workflow(_ id: WorkflowID) -> Answer {
        state.workflow(id, of: team).map { .workflow($0) } ?? .none
    }
    func version(_ number: Int, _ id: WorkflowID) -> Answer {
        versionAnswer(number, of: id, team: team, state)
    }
    func schedule(_ id: ScheduleID) -> Answer {
        state.schedule(id, of: team).map { .schedule($0) } ?? .none
    }
    func run(_ id: RunID) -> Answer {
        state.run(id, of: team).map { .run($0) } ?? .none
    }
}

/// The object that a granted command would have changed, but left as it was.
package func unchangedAnswer<S: State & ~Copyable>(
    to command: Command, team: TeamID?, _ state: borrowing S
) -> Answer {
    let team = team ?? .lowest
    switch command {
    case .setLicense(let id, _): return state.team(id).map { .team($0) } ?? .none
    case .revokeKey(let id): return state.apiKey(id).map { .apiKey($0) } ?? .none
    case .modifyWorkflow(let id, _), .setConcurrency(let id, _), .activateVersion(let id, _):
        return state.workflow(id, of: team).map { .workflow($0) } ?? .none
    case .renameVersion(let id, let number, _):
        return versionAnswer(number, of: id, team: team, state)
    case .modifySchedule(let id, _), .erase(.schedule(let id), _):
        return state.schedule(id, of: team).map { .schedule($0) } ?? .none
    case .renewLease(let id, _), .accept(let id, _), .erase(.run(let id), _):
        return state.run(id, of: team).map { .run($0) } ?? .none
    default: return .none
    }
}

private func versionAnswer<S: State & ~Copyable>(
    _ number: Int, of workflow: WorkflowID, team: TeamID, _ state: borrowing S
) -> Answer {
    guard let version = state.version(number, of: workflow, team: team) else { return .none }
    let active = state.workflow(workflow, of: team)?.activeVersion
    return .version(version, isActive: active == number)
}
