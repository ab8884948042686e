func decideCreate<S: State & ~Copyable>(
    _ new: NewSubscription, _ teamID: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    guard let team = state.team(teamID) else { throw .notFound(.team) }
    var check = Check()
    check.name(new.name)
    check.actions(new.actions)
    check.workflows(new.workflows, teamID, state)
    check.delivery(new.timeoutSeconds, new.maxRetries, new.retryBackoffSeconds)
    try check.finish()
    guard team.subscriptions < Limits.subscriptions else {
        throw .tooMany(.subscription, limit: Limits.subscriptions)
    }
    guard team.lastSubscription < Limits.subscriptionNumbers.upperBound else {
        throw .tooMany(.subscription, limit: Limits.subscriptionNumbers.upperBound)
    }
    return [
        .subscriptionCreated(
            SubscriptionCreated(
                subscription: SubscriptionID(context.newID), number: team.lastSubscription + 1,
                name: new.name, url: new.url, actions: new.actions, workflows: new.workflows,
                isEnabled: new.isEnabled, timeoutSeconds: new.timeoutSeconds,
                maxRetries: new.maxRetries, retryBackoffSeconds: new.retryBackoffSeconds,
                bearerToken: new.bearerToken, secret: new.secret))
    ]
}

func decideModify<S: State & ~Copyable>(
    _ id: SubscriptionID, _ asked: SubscriptionChanges, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let subscription = try find(id, team, context, state)
    var check = Check()
    if let name = asked.name { check.name(name) }
    if let actions = asked.actions { check.actions(actions) }
    if let workflows = asked.workflows { check.workflows(workflows, team, state) }
    check.delivery(
        asked.timeoutSeconds ?? subscription.timeoutSeconds,
        asked.maxRetries ?? subscription.maxRetries,
        asked.retryBackoffSeconds ?? subscription.retryBackoffSeconds)
    try check.finish()
    var changes = asked
    if changes.name == subscription.name { changes.name = nil }
    if changes.url == subscription.url { changes.url = nil }
    if changes.actions == subscription.actions { changes.actions = nil }
    if changes.workflows == subscription.workflows { changes.workflows = nil }
    if changes.isEnabled == subscription.isEnabled { changes.isEnabled = nil }
    if changes.timeoutSeconds == subscription.timeoutSeconds { changes.timeoutSeconds = nil }
    if changes.maxRetries == subscription.maxRetries { changes.maxRetries = nil }
    if changes.retryBackoffSeconds == subscription.retryBackoffSeconds {
        changes.retryBackoffSeconds = nil
    }
    if changes.bearerToken == .set(nil), subscription.bearerToken == nil {
        changes.bearerToken = .keep
    }
    // Who enables it again believes that its receiver is back.
    if changes.isEnabled == true, subscription.isGone { changes.isGone = false }
    guard changes != SubscriptionChanges() else { return [] }
    return [
        .subscriptionModified(
            SubscriptionModified(
                subscription: id, previous: subscription.touched.position, changes: changes))
    ]
}

func decideDelete<S: State & ~Copyable>(
    _ id: SubscriptionID, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let subscription = try find(id, team, context, state)
    return [
        .subscriptionDeleted(
            SubscriptionDeleted(subscription: id, previous: subscription.touched.position))
    ]
}

func decideRotation<S: State & ~Copyable>(
    _ id: SubscriptionID, _ secret: SealedSecret, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let subscription = try find(id, team, context, state)
    return [
        .subscriptionSecretRotated(
            SubscriptionSecretRotated(
                subscription: id, previous: subscription.touched.position, secret: secret,
                oldEndsAt: context.recordedAt.adding(seconds: Limits.secretOverlapSeconds)))
    ]
}

/// - Parameter attempt: numbered by the delivery's attempts so far; another number is one that was
///   recorded already.
func decideRecord<S: State & ~Copyable>(
    _ id: DeliveryID, _ attempt: DeliveryAttempt, _ verdict: DeliveryVerdict, _ team: TeamID,
    _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    guard let delivery = state.delivery(id, of: team) else { throw .notFound(.delivery) }
    let isNext = attempt.number == (verdict == .cancelled ? 0 : delivery.attempts + 1)
    guard delivery.status.isWaiting, isNext else {
        throw .deliveryState(delivery.status, position: delivery.touched.position)
    }
    let previous = delivery.touched.position
    let failed = Event.deliveryFailed(
        DeliveryFailed(delivery: id, previous: previous, attempt: attempt))
    let subscription = state.subscription(delivery.subscription, of: team)
    switch verdict {
    case .delivered:
        return [
            .deliverySucceeded(
                DeliverySucceeded(delivery: id, previous: previous, attempt: attempt))
        ]
    case .failedForGood: return [failed]
    case .cancelled:
        guard subscription == nil else {
            throw .deliveryState(delivery.status, position: previous)
        }
        return [failed]
    case .gone:
        guard let subscription, subscription.isEnabled else { return [failed] }
        return [
            failed,
            .subscriptionModified(
                SubscriptionModified(
                    subscription: subscription.id, previous: subscription.touched.position,
                    changes: SubscriptionChanges(isEnabled: false, isGone: true))),
        ]
    case .failedForNow(let retryAfter):
        guard let subscription, delivery.tries < subscription.maxRetries else { return [failed] }
        let now = context.recordedAt
        return [
            .deliveryRetryScheduled(
                DeliveryRetryScheduled(
                    delivery: id, previous: previous, attempt: attempt,
                    notBefore: max(
                        now.adding(seconds: min(retryAfter ?? 0, Limits.deliveryBackoffCap)),
                        now.adding(
                            microseconds: backoff(
                                doublings: delivery.tries,
                                from: subscription.retryBackoffSeconds,
                                to: Limits.deliveryBackoffCap, AnyID(id), attempt.number)))))
        ]
    }
}

func decideRedelivery<S: State & ~Copyable>(
    _ id: DeliveryID, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    guard let delivery = state.delivery(id, of: team) else { throw .notFound(.delivery) }
    guard state.subscription(delivery.subscription, of: team) != nil else {
        throw .notFound(.subscription)
    }
    guard !delivery.status.isWaiting else {
        throw .deliveryState(delivery.status, position: delivery.touched.position)
    }
    return [
        .deliveryRequeued(
            DeliveryRequeued(
                delivery: id, previous: delivery.touched.position,
                notBefore: context.recordedAt))
    ]
}

func decideReplay<S: State & ~Copyable>(
    _ id: SubscriptionID, _ deliveries: [DeliveryID], _ nextAfter: Position?, _ team: TeamID,
    _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    _ = try find(id, team, context, state)
    var links: [DeliveriesRequeued.Link] = []
    for delivery in deliveries {
        // What waits is sent anyway.
        guard let row = state.delivery(delivery, of: team), row.subscription == id,
            !row.status.isWaiting
        else { continue }
        links.append(
            DeliveriesRequeued.Link(delivery: delivery, previous: row.touched.position))
    }
    guard !links.isEmpty else { return [] }
    return [
        .deliveriesRequeued(
            DeliveriesRequeued(
                subscription: id, deliveries: links, notBefore: context.recordedAt,
                nextAfter: nextAfter))
    ]
}

private func find<S: State & ~Copyable>(
    _ id: SubscriptionID, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> Subscription {
    guard let subscription = state.subscription(id, of: team) else {
        throw .notFound(.subscription)
    }
    try expect(context.expectedRevisions, subscription.revision)
    return subscription
}

extension Check {
    fileprivate mutating func actions(_ actions: Actions) {
        if actions.all.isEmpty { add("actions", "must name at least one") }
    }

    fileprivate mutating func workflows<S: State & ~Copyable>(
        _ workflows: [WorkflowID], _ team: TeamID, _ state: borrowing S
    ) {
        if workflows.count > Limits.subscriptionWorkflows {
            add("workflow_ids", "must have at most \(Limits.subscriptionWorkflows) elements")
            return
        }
        for (index, id) in workflows.enumerated() where !state.hasWorkflow(id, of: team) {
            add("workflow_ids/\(index)", "there is no such workflow")
        }
    }

    fileprivate mutating func delivery(_ timeout: Int, _ retries: Int, _ backoff: Int) {
        range("timeout_seconds", timeout, Limits.deliveryTimeoutSeconds)
        range("max_retries", retries, Limits.deliveryRetries)
        range("retry_backoff_seconds", backoff, Limits.deliveryBackoffSeconds)
    }
}
