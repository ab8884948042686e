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
        case .workflowDeleted(let event): return workflow(event.workflow)
        case .workflowClosed(let event): return workflow(event.workflow)
        case .workflowReopened(let event): return workflow(event.workflow)
        case .versionDeleted(let event): return workflow(event.workflow)
        case .versionImported(let event): return workflow(event.workflow)
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
            if let link = event.refusal { return refusal(link.refusal, link.trigger) }
            return event.namesRun
                ? event.run.map { run($0.run) } ?? .none
                : event.schedule.map { schedule($0.schedule) } ?? .none
        case .triggerCreated(let event): return trigger(event.trigger)
        case .triggerModified(let event): return trigger(event.trigger)
        case .triggerSecretRotated(let event): return trigger(event.trigger)
        case .messageRefused(let event): return refusal(event.refusal, event.trigger)
        case .refusalRetried(let event): return refusal(event.refusal, event.trigger)
        case .subscriptionCreated(let event): return subscription(event.subscription)
        case .subscriptionModified(let event): return subscription(event.subscription)
        case .subscriptionSecretRotated(let event): return subscription(event.subscription)
        case .deliverySucceeded(let event): return delivery(event.delivery)
        case .deliveryRetryScheduled(let event): return delivery(event.delivery)
        case .deliveryFailed(let event): return delivery(event.delivery)
        case .deliveryRequeued(let event): return delivery(event.delivery)
        case .deliveriesRequeued(let event): return subscription(event.subscription)
        // What is gone has no row that could be shown.
        case .triggerDeleted, .subscriptionDeleted: return .none
        case .operationStarted(let event): return operation(event.operation)
        case .operationAdvanced(let event): return operation(event.operation)
        case .operationFinished(let event): return operation(event.operation)
        case .initialised, .started, .stopped, .paused, .resumed, .clockTrusted, .keysUsed:
            return .none
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
    func trigger(_ id: TriggerID) -> Answer {
        state.trigger(id, of: team).map { .trigger($0) } ?? .none
    }
    func refusal(_ id: RefusalID, _ trigger: TriggerID) -> Answer {
        state.refusal(id, of: trigger, team: team).map { .refusal($0) } ?? .none
    }
    func subscription(_ id: SubscriptionID) -> Answer {
        state.subscription(id, of: team).map { .subscription($0) } ?? .none
    }
    func operation(_ id: OperationID) -> Answer {
        state.operation(id, of: team).map { .operation($0) } ?? .none
    }
    func delivery(_ id: DeliveryID) -> Answer {
        state.delivery(id, of: team).map { .delivery($0) } ?? .none
    }
}

/// The object that a granted command would have changed, but left as it was.
package func unchangedAnswer<S: State & ~Copyable>(
    to command: Command, team: TeamID?, at now: Instant, _ state: borrowing S
) -> Answer {
    let team = team ?? .lowest
    switch command {
    case .setLicense(let id, _): return state.team(id).map { .team($0) } ?? .none
    case .revokeKey(let id, _): return state.apiKey(id).map { .apiKey($0) } ?? .none
    case .modifyWorkflow(let id, _), .setConcurrency(let id, _), .activateVersion(let id, _):
        return state.workflow(id, of: team).map { .workflow($0) } ?? .none
    case .renameVersion(let id, let number, _):
        return versionAnswer(number, of: id, team: team, state)
    case .modifySchedule(let id, _), .erase(.schedule(let id), _):
        return state.schedule(id, of: team).map { .schedule($0) } ?? .none
    case .renewLease(let id, _), .accept(let id, _), .erase(.run(let id), _):
        return state.run(id, of: team).map { .run($0) } ?? .none
    case .erase(.refusal(let trigger, let id), _):
        return state.refusal(id, of: trigger, team: team).map { .refusal($0) } ?? .none
    case .modifyTrigger(let seen, _):
        return state.trigger(seen.id, of: team).map { .trigger($0) } ?? .none
    case .modifySubscription(let id, _), .replay(let id, _, _):
        return state.subscription(id, of: team).map { .subscription($0) } ?? .none
    case .arrive(let arrival, _), .refuse(let arrival, _):
        switch state.outcome(of: arrival, at: now) {
        case nil: return .none
        case .run(let id): return state.run(id, of: team).map { .run($0) } ?? .none
        case .refusal(let trigger, let id):
            return state.refusal(id, of: trigger, team: team).map { .refusal($0) }
                ?? .none
        }
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
