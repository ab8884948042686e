/// An object that an event is about, and the entry that touched it before.
package struct Touch: Hashable, Sendable {
    package let object: AnyID
    /// 0 where the event made the object.
    package let previous: Position
}

extension Event {
    /// What the event is about. An object's history is walked back along these.
    package var touches: [Touch] {
        switch self {
        // A key's history tells what was done to it, not with it.
        case .initialised, .started, .stopped, .paused, .resumed, .clockTrusted, .keysUsed:
            return []
        case .teamCreated(let event): return [touch(event.team, 0)]
        case .licenseSet(let event): return [touch(event.team, event.previous)]
        case .keyCreated(let event): return [touch(event.key, 0)]
        case .keyRevoked(let event): return [touch(event.key, event.previous)]
        case .workflowCreated(let event): return [touch(event.workflow, 0)]
        case .workflowModified(let event): return [touch(event.workflow, event.previous)]
        case .concurrencySet(let event): return [touch(event.workflow, event.previous)]
        case .secretRotated(let event): return [touch(event.workflow, event.previous)]
        case .draftEdited(let event): return [touch(event.workflow, event.previous)]
        case .versionSaved(let event): return [touch(event.workflow, event.previous)]
        case .versionRenamed(let event): return [touch(event.workflow, event.previous)]
        case .versionActivated(let event): return [touch(event.workflow, event.previous)]
        case .workflowDeleted(let event): return [touch(event.workflow, event.previous)]
        case .workflowClosed(let event): return [touch(event.workflow, event.previous)]
        case .workflowReopened(let event): return [touch(event.workflow, event.previous)]
        case .versionDeleted(let event): return [touch(event.workflow, event.previous)]
        // Of the entry that made the workflow.
        case .versionImported(let event): return [touch(event.workflow, 0)]
        case .scheduleCreated(let event): return [touch(event.schedule, 0)]
        case .scheduleModified(let event): return [touch(event.schedule, event.previous)]
        case .scheduleCancelled(let event): return [touch(event.schedule, event.previous)]
        case .scheduleFired(let event): return [touch(event.schedule, event.previous)]
        case .scheduleExpired(let event): return [touch(event.schedule, event.previous)]
        case .runQueued(let event): return [touch(event.run, 0)]
        case .runStarted(let event): return [touch(event.run, event.previous)]
        case .leaseRenewed(let event): return [touch(event.run, event.previous)]
        case .runAccepted(let event): return [touch(event.run, event.previous)]
        case .runReleased(let event): return [touch(event.run, event.previous)]
        case .runRetryScheduled(let event): return [touch(event.run, event.previous)]
        case .runRequeued(let event): return [touch(event.run, event.previous)]
        case .runCompleted(let event):
            return [touch(event.run, event.previous)] + touch(event.schedule)
        case .runFailed(let event):
            return [touch(event.run, event.previous)] + touch(event.schedule)
        case .runCancelled(let event):
            return [touch(event.run, event.previous)] + touch(event.schedule)
        case .payloadsErased(let event):
            return event.namesRun
                ? touch(event.run) + touch(event.schedule)
                : touch(event.schedule) + touch(event.run) + touch(event.refusal)
        case .triggerCreated(let event): return [touch(event.trigger, 0)]
        case .triggerModified(let event): return [touch(event.trigger, event.previous)]
        case .triggerDeleted(let event): return [touch(event.trigger, event.previous)]
        case .triggerSecretRotated(let event): return [touch(event.trigger, event.previous)]
        case .messageRefused(let event): return [touch(event.refusal, 0)]
        case .refusalRetried(let event): return [touch(event.refusal, event.previous)]
        case .subscriptionCreated(let event): return [touch(event.subscription, 0)]
        case .subscriptionModified(let event): return [touch(event.subscription, event.previous)]
        case .subscriptionDeleted(let event): return [touch(event.subscription, event.previous)]
        case .subscriptionSecretRotated(let event):
            return [touch(event.subscription, event.previous)]
        case .deliverySucceeded(let event): return [touch(event.delivery, event.previous)]
        case .deliveryRetryScheduled(let event): return [touch(event.delivery, event.previous)]
        case .deliveryFailed(let event): return [touch(event.delivery, event.previous)]
        case .deliveryRequeued(let event): return [touch(event.delivery, event.previous)]
        case .deliveriesRequeued(let event):
            return event.deliveries.map { touch($0.delivery, $0.previous) }
        case .operationStarted(let event): return [touch(event.operation, 0)]
        case .operationAdvanced(let event): return [touch(event.operation, event.previous)]
        case .operationFinished(let event): return [touch(event.operation, event.previous)]
        }
    }

    private func touch(_ link: RunLink?) -> [Touch] {
        link.map { [touch($0.run, $0.previous)] } ?? []
    }

    private func touch(_ link: RefusalLink?) -> [Touch] {
        link.map { [touch($0.refusal, $0.previous)] } ?? []
    }

    private func touch<Kind>(_ object: Identifier<Kind>, _ previous: Position) -> Touch {
        Touch(object: AnyID(object), previous: previous)
    }

    private func touch(_ link: ScheduleLink?) -> [Touch] {
        link.map { [touch($0.schedule, $0.previous)] } ?? []
    }
}
