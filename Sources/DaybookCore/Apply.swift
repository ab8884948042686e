/// Changes the state by what happened. Total: an event that happened cannot be refused, and nothing
/// but the entry and the state is read, so that a replay gives the same bytes.
package func apply<S: State & ~Copyable>(_ entry: Entry, to state: inout S) {
    let header = entry.header
    clearEndedRows(by: header.recordedAt, in: &state)
    for (index, event) in entry.events.enumerated() {
        apply(event, at: index, header, to: &state)
        tell(of: event, at: index, header, in: &state)
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

private func clearEndedRows<S: State & ~Copyable>(by now: Instant, in state: inout S) {
    for _ in 0..<Limits.expiredRowsPerEntry {
        guard state.removeOldestKeptAnswer(endedBy: now) else { break }
    }
    for _ in 0..<Limits.expiredRowsPerEntry {
        guard state.removeOldestSeenMessage(endedBy: now) else { break }
    }
}

private func apply<S: State & ~Copyable>(
    _ event: Event, at index: Int, _ header: EntryHeader, to state: inout S
) {
    let location = PayloadLocation(position: header.position, event: index)
    switch event {
    case .initialised, .started, .stopped, .paused, .resumed, .clockTrusted:
        applyService(event, header, to: &state)
    case .teamCreated, .licenseSet, .keyCreated, .keyRevoked, .keysUsed:
        applyTeam(event, header, to: &state)
    case .workflowCreated, .workflowModified, .concurrencySet, .secretRotated, .draftEdited,
        .versionSaved, .versionRenamed, .versionActivated, .workflowDeleted, .workflowClosed,
        .workflowReopened, .versionDeleted, .versionImported:
        guard let team = header.team else { return }
        applyWorkflow(event, team, location, header, to: &state)
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
    case .triggerCreated, .triggerModified, .triggerDeleted, .triggerSecretRotated,
        .messageRefused, .refusalRetried:
        guard let team = header.team else { return }
        applyTrigger(event, team, location, header, to: &state)
    case .subscriptionCreated, .subscriptionModified, .subscriptionDeleted,
        .subscriptionSecretRotated:
        guard let team = header.team else { return }
        applySubscription(event, team, header, to: &state)
    case .deliverySucceeded, .deliveryRetryScheduled, .deliveryFailed, .deliveryRequeued,
        .deliveriesRequeued:
        guard let team = header.team else { return }
        applyDelivery(event, team, header, to: &state)
    case .operationStarted, .operationAdvanced, .operationFinished:
        guard let team = header.team else { return }
        applyOperation(event, team, header, to: &state)
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
                maxConcurrentRuns: created.maxConcurrentRuns, triggers: 0, subscriptions: 0,
                lastSubscription: 0, operations: 0, revision: 1, touched: Touched(created: header)))
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
                lastUsedAt: nil, touched: Touched(created: header)))
    case .keyRevoked(let revoked):
        guard var key = state.apiKey(revoked.key) else { return }
        key.revokedAt = header.recordedAt
        key.touched.update(by: header)
        state.set(key)
    case .keysUsed(let uses):
        for use in uses {
            guard var key = state.apiKey(use.key) else { continue }
            key.lastUsedAt = use.usedAt
            state.set(key)
        }
    default: preconditionFailure("not an event about teams")
    }
}
