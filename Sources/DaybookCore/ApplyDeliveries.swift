func applySubscription<S: State & ~Copyable>(
    _ event: Event, _ teamID: TeamID, _ header: EntryHeader, to state: inout S
) {
    switch event {
    case .subscriptionCreated(let created):
        state.set(
            Subscription(
                id: created.subscription, team: teamID, number: created.number,
                name: created.name, url: created.url, actions: created.actions,
                workflows: created.workflows, isEnabled: created.isEnabled, isGone: false,
                timeoutSeconds: created.timeoutSeconds, maxRetries: created.maxRetries,
                retryBackoffSeconds: created.retryBackoffSeconds,
                bearerToken: created.bearerToken, secret: created.secret, previousSecret: nil,
                revision: 1, touched: Touched(created: header)))
        guard var team = state.team(teamID) else { return }
        team.subscriptions += 1
        team.lastSubscription = created.number
        state.set(team)
    case .subscriptionModified(let modified):
        change(modified.subscription, teamID, header, in: &state) { subscription in
            subscription.take(modified.changes)
        }
    case .subscriptionSecretRotated(let rotated):
        change(rotated.subscription, teamID, header, in: &state) { subscription in
            subscription.previousSecret = Workflow.PreviousSecret(
                secret: subscription.secret, endsAt: rotated.oldEndsAt)
            subscription.secret = rotated.secret
        }
    case .subscriptionDeleted(let deleted):
        state.removeSubscription(deleted.subscription, of: teamID)
        guard var team = state.team(teamID) else { return }
        team.subscriptions = max(0, team.subscriptions - 1)
        state.set(team)
    default: preconditionFailure("not an event about subscriptions")
    }
}

func applyDelivery<S: State & ~Copyable>(
    _ event: Event, _ team: TeamID, _ header: EntryHeader, to state: inout S
) {
    switch event {
    case .deliverySucceeded(let succeeded):
        change(succeeded.delivery, team, header, in: &state) { delivery in
            delivery.note(succeeded.attempt)
            delivery.end(as: .delivered, at: header.recordedAt)
        }
    case .deliveryRetryScheduled(let scheduled):
        change(scheduled.delivery, team, header, in: &state) { delivery in
            delivery.note(scheduled.attempt)
            delivery.status = .retrying
            delivery.notBefore = scheduled.notBefore
        }
    case .deliveryFailed(let failed):
        change(failed.delivery, team, header, in: &state) { delivery in
            delivery.note(failed.attempt)
            delivery.end(as: .failed, at: header.recordedAt)
        }
    case .deliveryRequeued(let requeued):
        change(requeued.delivery, team, header, in: &state) { delivery in
            delivery.requeue(at: requeued.notBefore)
        }
    case .deliveriesRequeued(let requeued):
        for link in requeued.deliveries {
            change(link.delivery, team, header, in: &state) { delivery in
                delivery.requeue(at: requeued.notBefore)
            }
        }
    default: preconditionFailure("not an event about deliveries")
    }
}

/// Makes a delivery for each subscription that wants to be told of the event, which has been applied.
func tell<S: State & ~Copyable>(
    of event: Event, at index: Int, _ header: EntryHeader, in state: inout S
) {
    guard let action = event.action, let teamID = header.team, let team = state.team(teamID),
        team.subscriptions > 0
    else { return }
    let run = event.toldRun.flatMap { state.run($0, of: teamID) }
    let schedule = event.toldSchedule.flatMap { state.schedule($0, of: teamID) }
    guard
        let id = event.toldWorkflow ?? run?.workflow ?? schedule?.workflow,
        let workflow = state.workflow(id, of: teamID)
    else { return }
    for subscription in state.subscriptions(of: teamID)
    where subscription.wants(action, of: id) {
        state.write(
            Delivery(
                id: DeliveryID(
                    position: header.position, event: index,
                    subscription: subscription.number),
                team: teamID, subscription: subscription.id, action: action,
                occurredAt: header.recordedAt, workflow: Delivery.About(workflow), run: run,
                schedule: schedule, status: .pending, attempts: 0, tries: 0,
                notBefore: header.recordedAt, statusCode: nil, finishedAt: nil,
                touched: Touched(created: header)),
            over: nil)
    }
}

extension Event {
    /// What subscriptions are told of the event, if anything.
    package var action: Action? {
        switch self {
        case .workflowCreated: .workflowCreated
        case .workflowModified, .concurrencySet, .secretRotated, .draftEdited, .versionSaved,
            .versionRenamed, .versionActivated, .workflowClosed, .workflowReopened,
            .versionDeleted:
            .workflowUpdated
        case .workflowDeleted: .workflowDeleted
        case .runStarted(let event): event.attempt == 1 ? .workflowRunStarted : nil
        case .runCompleted, .runFailed, .runCancelled: .workflowRunCompleted
        case .scheduleExpired: .workflowScheduleExpired
        default: nil
        }
    }

    fileprivate var toldRun: RunID? {
        switch self {
        case .runStarted(let event): event.run
        case .runCompleted(let event): event.run
        case .runFailed(let event): event.run
        case .runCancelled(let event): event.run
        default: nil
        }
    }

    fileprivate var toldSchedule: ScheduleID? {
        if case .scheduleExpired(let event) = self { event.schedule } else { nil }
    }

    fileprivate var toldWorkflow: WorkflowID? {
        switch self {
        case .workflowCreated(let event): event.workflow
        case .workflowModified(let event): event.workflow
        case .concurrencySet(let event): event.workflow
        case .secretRotated(let event): event.workflow
        case .draftEdited(let event): event.workflow
        case .versionSaved(let event): event.workflow
        case .versionRenamed(let event): event.workflow
        case .versionActivated(let event): event.workflow
        case .workflowClosed(let event): event.workflow
        case .workflowReopened(let event): event.workflow
        case .versionDeleted(let event): event.workflow
        case .workflowDeleted(let event): event.workflow
        default: nil
        }
    }
}

extension Delivery {
    /// An attempt without a number is none: nothing was sent.
    fileprivate mutating func note(_ attempt: DeliveryAttempt) {
        guard attempt.number > 0 else { return }
        attempts = attempt.number
        tries += 1
        statusCode = attempt.statusCode
    }

    fileprivate mutating func requeue(at instant: Instant) {
        status = .pending
        tries = 0
        notBefore = instant
        finishedAt = nil
    }

    fileprivate mutating func end(as status: Status, at instant: Instant) {
        self.status = status
        notBefore = nil
        finishedAt = instant
    }
}

extension Subscription {
    fileprivate mutating func take(_ changes: SubscriptionChanges) {
        if let new = changes.name { name = new }
        if let new = changes.url { url = new }
        if let new = changes.actions { actions = new }
        if let new = changes.workflows { workflows = new }
        if let new = changes.isEnabled { isEnabled = new }
        if let new = changes.isGone { isGone = new }
        if let new = changes.timeoutSeconds { timeoutSeconds = new }
        if let new = changes.maxRetries { maxRetries = new }
        if let new = changes.retryBackoffSeconds { retryBackoffSeconds = new }
        if case .set(let new) = changes.bearerToken { bearerToken = new }
    }
}

private func change<S: State & ~Copyable>(
    _ id: SubscriptionID, _ team: TeamID, _ header: EntryHeader, in state: inout S,
    _ change: (inout Subscription) -> Void
) {
    guard var subscription = state.subscription(id, of: team) else { return }
    change(&subscription)
    subscription.revision += 1
    subscription.touched.update(by: header)
    state.set(subscription)
}

private func change<S: State & ~Copyable>(
    _ id: DeliveryID, _ team: TeamID, _ header: EntryHeader, in state: inout S,
    _ change: (inout Delivery) -> Void
) {
    guard let old = state.delivery(id, of: team) else { return }
    var new = old
    change(&new)
    new.touched.update(by: header)
    state.write(new, over: old)
}
