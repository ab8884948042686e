import DaybookCore

// Triggers, subscriptions and deliveries, as the log tells of them.
extension Ledger {
    struct TriggerRecord {
        let team: TeamID
        let workflow: WorkflowID
        let source: Trigger.Source
        var version: Int?
        var isEnabled: Bool
        var revision: UInt64 = 1
        var touched: Position
    }

    struct RefusalRecord {
        let team: TeamID
        let trigger: TriggerID
        var run: RunID?
        var touched: Position
    }

    struct SubscriptionRecord {
        let team: TeamID
        let number: Int
        var actions: [Action]
        var workflows: [WorkflowID]
        var isEnabled: Bool
        var isDeleted = false
        var maxRetries: Int
        var touched: Position
    }

    struct DeliveryRecord {
        let team: TeamID
        let subscription: SubscriptionID
        let action: Action
        var status = Delivery.Status.pending
        var attempts = 0
        var tries = 0
        var notBefore: Instant?
        var touched: Position
    }

    mutating func readTrigger(_ event: Event, _ team: TeamID, _ header: EntryHeader) {
        switch event {
        case .triggerCreated(let created):
            expect(triggers[created.trigger] == nil, "I16: a trigger is made twice")
            expect(
                workflows[created.workflow]?.team == team, "I34: a trigger of a foreign workflow")
            triggers[created.trigger] = TriggerRecord(
                team: team, workflow: created.workflow, source: created.source,
                version: created.version, isEnabled: created.isEnabled, touched: header.position)
        case .triggerModified(let modified):
            changeTrigger(modified.trigger, modified.previous, team, header) { trigger in
                if case .set(let version) = modified.changes.version { trigger.version = version }
                if let isEnabled = modified.changes.isEnabled { trigger.isEnabled = isEnabled }
            }
        case .triggerSecretRotated(let rotated):
            changeTrigger(rotated.trigger, rotated.previous, team, header) { _ in }
        case .triggerDeleted(let deleted):
            changeTrigger(deleted.trigger, deleted.previous, team, header) { _ in }
            triggers[deleted.trigger] = nil
        case .messageRefused(let refused):
            expect(refusals[refused.refusal] == nil, "I16: a refusal is made twice")
            noteArrival(refused.deduplication, at: refused.trigger, team, header)
            refusals[refused.refusal] = RefusalRecord(
                team: team, trigger: refused.trigger, run: nil, touched: header.position)
        case .refusalRetried(let retried):
            guard var refusal = refusals[retried.refusal] else {
                return expect(false, "I16: a refusal is retried that is not there")
            }
            expect(refusal.team == team, "I34: another team's refusal is retried")
            expect(refusal.run == nil, "I30: a refusal is retried twice")
            expect(refusal.touched == retried.previous, "I5h: the refusal's previous")
            expect(
                runs[retried.run]?.queuedAt == header.position, "I30: a retry without its run")
            refusal.run = retried.run
            refusal.touched = header.position
            refusals[retried.refusal] = refusal
        default: break
        }
    }

    /// What a trigger lets in comes once under each of its ids.
    mutating func noteArrival(
        _ deduplication: Deduplication?, at id: TriggerID, _ team: TeamID, _ header: EntryHeader
    ) {
        guard let trigger = triggers[id] else {
            return expect(false, "I16: a message came by a trigger that is not there")
        }
        expect(trigger.team == team, "I34: a message came by another team's trigger")
        if case .trigger(let actor) = header.actor {
            expect(actor == id, "I35: a message came by one trigger in another's name")
            expect(trigger.isEnabled, "I35: a message came by a disabled trigger")
        }
        guard let deduplication else { return }
        for digest in deduplication.digests {
            let key = SeenMessage.Key(scope: deduplication.scope, digest: digest)
            expect(
                seen[key].map { $0 <= header.recordedAt } ?? true,
                "I30: a message came a second time by \(id)")
            seen[key] = deduplication.endsAt
        }
    }

    private mutating func changeTrigger(
        _ id: TriggerID, _ previous: Position, _ team: TeamID, _ header: EntryHeader,
        _ change: (inout TriggerRecord) -> Void
    ) {
        guard var trigger = triggers[id] else {
            return expect(false, "I16: something happens to trigger \(id), which is not there")
        }
        expect(trigger.team == team, "I34: trigger \(id) is another team's")
        expect(trigger.touched == previous, "I5h: trigger \(id) was touched at \(trigger.touched)")
        change(&trigger)
        trigger.revision += 1
        trigger.touched = header.position
        triggers[id] = trigger
    }

    mutating func readSubscription(_ event: Event, _ team: TeamID, _ header: EntryHeader) {
        switch event {
        case .subscriptionCreated(let created):
            expect(subscriptions[created.subscription] == nil, "I16: a subscription is made twice")
            let numbers = subscriptions.values.filter { $0.team == team }.map(\.number)
            expect(
                created.number > numbers.max() ?? 0, "I32: a subscription's number is used again")
            subscriptions[created.subscription] = SubscriptionRecord(
                team: team, number: created.number, actions: created.actions.all,
                workflows: created.workflows, isEnabled: created.isEnabled,
                maxRetries: created.maxRetries, touched: header.position)
        case .subscriptionModified(let modified):
            changeSubscription(modified.subscription, modified.previous, team, header) {
                let changes = modified.changes
                if let actions = changes.actions { $0.actions = actions.all }
                if let workflows = changes.workflows { $0.workflows = workflows }
                if let isEnabled = changes.isEnabled { $0.isEnabled = isEnabled }
                if let retries = changes.maxRetries { $0.maxRetries = retries }
            }
        case .subscriptionSecretRotated(let rotated):
            changeSubscription(rotated.subscription, rotated.previous, team, header) { _ in }
        case .subscriptionDeleted(let deleted):
            changeSubscription(deleted.subscription, deleted.previous, team, header) {
                $0.isDeleted = true
            }
        default: break
        }
    }

    private mutating func changeSubscription(
        _ id: SubscriptionID, _ previous: Position, _ team: TeamID, _ header: EntryHeader,
        _ change: (inout SubscriptionRecord) -> Void
    ) {
        guard var subscription = subscriptions[id], !subscription.isDeleted else {
            return expect(false, "I16: something happens to subscription \(id), which is not there")
        }
        expect(subscription.team == team, "I34: subscription \(id) is another team's")
        expect(subscription.touched == previous, "I5h: subscription \(id)'s previous")
        change(&subscription)
        subscription.touched = header.position
        subscriptions[id] = subscription
    }

    /// Each subscription that wants to know of an event owes exactly one delivery from then on.
    mutating func owe(_ event: Event, at index: Int, _ header: EntryHeader) {
        guard let team = header.team, let (action, workflow) = told(event) else { return }
        for (id, subscription) in subscriptions
        where subscription.team == team && subscription.isEnabled && !subscription.isDeleted
            && subscription.actions.contains(action)
            && (subscription.workflows.isEmpty || subscription.workflows.contains(workflow))
        {
            let delivery = DeliveryID(
                high: header.position, low: UInt32(index << 24 + subscription.number))
            expect(deliveries[delivery] == nil, "I32: a delivery is owed twice")
            deliveries[delivery] = DeliveryRecord(
                team: team, subscription: id, action: action, notBefore: header.recordedAt,
                touched: header.position)
        }
    }

    private func told(_ event: Event) -> (Action, WorkflowID)? {
        func ended(_ run: RunID) -> (Action, WorkflowID)? {
            runs[run].map { (.workflowRunCompleted, $0.workflow) }
        }
        switch event {
        case .workflowCreated(let event): return (.workflowCreated, event.workflow)
        case .workflowModified(let event): return (.workflowUpdated, event.workflow)
        case .concurrencySet(let event): return (.workflowUpdated, event.workflow)
        case .secretRotated(let event): return (.workflowUpdated, event.workflow)
        case .draftEdited(let event): return (.workflowUpdated, event.workflow)
        case .versionSaved(let event): return (.workflowUpdated, event.workflow)
        case .versionRenamed(let event): return (.workflowUpdated, event.workflow)
        case .versionActivated(let event): return (.workflowUpdated, event.workflow)
        case .versionDeleted(let event): return (.workflowUpdated, event.workflow)
        case .workflowClosed(let event): return (.workflowUpdated, event.workflow)
        case .workflowReopened(let event): return (.workflowUpdated, event.workflow)
        case .workflowDeleted(let event): return (.workflowDeleted, event.workflow)
        case .runStarted(let event) where event.attempt == 1:
            return runs[event.run].map { (.workflowRunStarted, $0.workflow) }
        case .runCompleted(let event): return ended(event.run)
        case .runFailed(let event): return ended(event.run)
        case .runCancelled(let event): return ended(event.run)
        case .scheduleExpired(let event):
            return schedules[event.schedule].map { (.workflowScheduleExpired, $0.workflow) }
        default: return nil
        }
    }

    mutating func readDelivery(_ event: Event, _ team: TeamID, _ header: EntryHeader) {
        switch event {
        case .deliverySucceeded(let event):
            attempt(event.delivery, event.previous, event.attempt, team, header) {
                $0.status = .delivered
                $0.notBefore = nil
            }
        case .deliveryRetryScheduled(let event):
            let most = deliveries[event.delivery].flatMap { subscriptions[$0.subscription] }
            attempt(event.delivery, event.previous, event.attempt, team, header) {
                $0.status = .retrying
                $0.notBefore = event.notBefore
            }
            expect(
                event.notBefore > header.recordedAt, "I32: a delivery is tried again at once")
            expect(
                (deliveries[event.delivery]?.tries ?? 0) <= most?.maxRetries ?? 0,
                "I32: a delivery is tried too often")
        case .deliveryFailed(let event):
            attempt(event.delivery, event.previous, event.attempt, team, header) {
                $0.status = .failed
                $0.notBefore = nil
            }
        case .deliveryRequeued(let event):
            requeue(event.delivery, event.previous, event.notBefore, team, header)
        case .deliveriesRequeued(let event):
            expect(!event.deliveries.isEmpty, "I16: nothing is replayed")
            for link in event.deliveries {
                expect(
                    deliveries[link.delivery]?.subscription == event.subscription,
                    "I32: another subscription's delivery is replayed")
                requeue(link.delivery, link.previous, event.notBefore, team, header)
            }
        default: break
        }
    }

    private mutating func requeue(
        _ id: DeliveryID, _ previous: Position, _ notBefore: Instant, _ team: TeamID,
        _ header: EntryHeader
    ) {
        guard var delivery = deliveries[id] else {
            return expect(false, "I32: a delivery is sent again that nobody owes")
        }
        expect(delivery.team == team, "I34: another team's delivery is sent again")
        expect(!delivery.status.isWaiting, "I32: what waits is sent again")
        expect(delivery.touched == previous, "I5h: the delivery's previous")
        delivery.status = .pending
        delivery.tries = 0
        delivery.notBefore = notBefore
        delivery.touched = header.position
        deliveries[id] = delivery
    }

    private mutating func attempt(
        _ id: DeliveryID, _ previous: Position, _ attempt: DeliveryAttempt, _ team: TeamID,
        _ header: EntryHeader, _ change: (inout DeliveryRecord) -> Void
    ) {
        guard var delivery = deliveries[id] else {
            return expect(false, "I32: a delivery is recorded that nobody owes")
        }
        expect(delivery.team == team, "I34: another team's delivery is recorded")
        expect(delivery.status.isWaiting, "I32: a delivery is recorded after its end")
        expect(delivery.touched == previous, "I5h: the delivery's previous")
        let isDeleted = subscriptions[delivery.subscription]?.isDeleted ?? true
        expect(
            attempt.number == delivery.attempts + 1 || (attempt.number == 0 && isDeleted),
            "I32: attempt \(attempt.number) of a delivery at \(delivery.attempts)")
        if attempt.number > 0 {
            delivery.attempts = attempt.number
            delivery.tries += 1
        }
        change(&delivery)
        delivery.touched = header.position
        deliveries[id] = delivery
    }
}
