func decideCreate<S: State & ~Copyable>(
    _ new: NewTrigger, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    _ = try find(new.workflow, team, state)
    var check = Check()
    check.name(new.name)
    check.pinned(new.version, of: new.workflow, team, state)
    try check.finish()
    guard state.team(team)?.triggers ?? 0 < Limits.triggers else {
        throw .tooMany(.trigger, limit: Limits.triggers)
    }
    return [
        .triggerCreated(
            TriggerCreated(
                trigger: TriggerID(context.newID), workflow: new.workflow, source: new.source,
                name: new.name, version: new.version, isEnabled: new.isEnabled,
                configuration: new.configuration, secret: new.secret))
    ]
}

func decideModify<S: State & ~Copyable>(
    _ seen: SeenTrigger, _ asked: TriggerChanges, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let trigger = try find(seen, team, context, state)
    var check = Check()
    if let name = asked.name { check.name(name) }
    if case .set(let version) = asked.version {
        check.pinned(version, of: trigger.workflow, team, state)
    }
    try check.finish()
    var changes = asked
    if changes.name == trigger.name { changes.name = nil }
    if changes.version == .set(trigger.version) { changes.version = .keep }
    if changes.isEnabled == trigger.isEnabled { changes.isEnabled = nil }
    if changes.configuration == trigger.configuration { changes.configuration = nil }
    guard changes != TriggerChanges() else { return [] }
    return [
        .triggerModified(
            TriggerModified(
                trigger: trigger.id, previous: trigger.touched.position, changes: changes))
    ]
}

func decideDelete<S: State & ~Copyable>(
    _ seen: SeenTrigger, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let trigger = try find(seen, team, context, state)
    return [
        .triggerDeleted(
            TriggerDeleted(trigger: trigger.id, previous: trigger.touched.position))
    ]
}

func decideRotation<S: State & ~Copyable>(
    _ seen: SeenTrigger, _ secret: SealedSecret, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let trigger = try find(seen, team, context, state)
    return [
        .triggerSecretRotated(
            TriggerSecretRotated(
                trigger: trigger.id, previous: trigger.touched.position, secret: secret,
                oldEndsAt: context.recordedAt.adding(seconds: Limits.secretOverlapSeconds)))
    ]
}

/// A message becomes a run, once: one that was seen before changes nothing.
func decideArrival<S: State & ~Copyable>(
    _ arrival: Arrival, _ input: Payload?, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let trigger = try findOpen(arrival, team, state)
    guard state.outcome(of: arrival, at: context.recordedAt) == nil else { return [] }
    return [
        .runQueued(
            try triggered(
                trigger, input, deduplication(arrival, context), team, context, state))
    ]
}

func decideRefusal<S: State & ~Copyable>(
    _ arrival: Arrival, _ new: NewRefusal, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let trigger = try findOpen(arrival, team, state)
    guard state.outcome(of: arrival, at: context.recordedAt) == nil else { return [] }
    return [
        .messageRefused(
            MessageRefused(
                refusal: RefusalID(context.newID), trigger: trigger.id, reason: new.reason,
                detail: new.detail, contentType: new.contentType, body: new.body,
                deduplication: deduplication(arrival, context)))
    ]
}

func decideRetry<S: State & ~Copyable>(
    _ id: RefusalID, of seen: SeenTrigger, _ input: Payload?, _ team: TeamID,
    _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let trigger = try find(seen, team, context, state)
    guard let refusal = state.refusal(id, of: trigger.id, team: team) else {
        throw .notFound(.refusal)
    }
    if let run = refusal.run {
        throw .refusalRetried(run, position: refusal.touched.position)
    }
    let queued = try triggered(trigger, input, nil, team, context, state)
    return [
        .runQueued(queued),
        .refusalRetried(
            RefusalRetried(
                refusal: id, trigger: trigger.id, previous: refusal.touched.position,
                run: queued.run)),
    ]
}

private func triggered<S: State & ~Copyable>(
    _ trigger: Trigger, _ input: Payload?, _ deduplication: Deduplication?, _ team: TeamID,
    _ context: Context, _ state: borrowing S
) throws(Rejection) -> RunQueued {
    let workflow = try find(trigger.workflow, team, state)
    // Its messages are kept, as those of one that is gone.
    guard workflow.deletion == nil else { throw .notFound(.workflow) }
    let number = trigger.version ?? workflow.activeVersion
    guard let version = state.version(number, of: workflow.id, team: team) else {
        throw .notFound(.version)
    }
    return RunQueued(
        run: RunID(context.newID), workflow: workflow.id, version: number,
        definitionLocation: version.definitionLocation, queue: version.queue, mode: .triggered,
        schedule: nil, trigger: trigger.id, scheduledTime: nil,
        input: input.map { .brought($0) } ?? .none, priority: Limits.defaultPriority,
        expiresAt: nil, timeoutSeconds: workflow.runTimeoutSeconds, retry: workflow.retry,
        deduplication: deduplication)
}

private func deduplication(_ arrival: Arrival, _ context: Context) -> Deduplication? {
    guard !arrival.digests.isEmpty else { return nil }
    return Deduplication(
        scope: arrival.scope, digests: arrival.digests,
        endsAt: context.recordedAt.adding(seconds: arrival.keptSeconds))
}

extension State where Self: ~Copyable {
    /// What became of the message when it came before.
    borrowing func outcome(of arrival: Arrival, at now: Instant) -> SeenMessage.Outcome? {
        for digest in arrival.digests {
            let key = SeenMessage.Key(scope: arrival.scope, digest: digest)
            if let seen = seenMessage(key), now < seen.endsAt { return seen.outcome }
        }
        return nil
    }
}

/// The trigger as a message was let in by it. One that was changed since lets it in anew.
private func findOpen<S: State & ~Copyable>(
    _ arrival: Arrival, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> Trigger {
    guard let trigger = state.trigger(arrival.trigger.id, of: team), trigger.isEnabled else {
        throw .notFound(.trigger)
    }
    guard trigger.revision == arrival.trigger.revision else { throw .changedMeanwhile }
    return trigger
}

private func find<S: State & ~Copyable>(
    _ seen: SeenTrigger, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> Trigger {
    guard let trigger = state.trigger(seen.id, of: team) else { throw .notFound(.trigger) }
    try expect(context.expectedRevisions, trigger.revision)
    guard trigger.revision == seen.revision, trigger.source == seen.source else {
        throw .changedMeanwhile
    }
    return trigger
}
