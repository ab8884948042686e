func applyTrigger<S: State & ~Copyable>(
    _ event: Event, _ team: TeamID, _ location: PayloadLocation, _ header: EntryHeader,
    to state: inout S
) {
    switch event {
    case .triggerCreated(let created):
        state.set(
            Trigger(
                id: created.trigger, team: team, workflow: created.workflow,
                source: created.source, name: created.name, version: created.version,
                isEnabled: created.isEnabled, configuration: created.configuration,
                secret: created.secret, previousSecret: nil, revision: 1,
                touched: Touched(created: header)))
        state.countTriggers(of: team, by: 1)
    case .triggerModified(let modified):
        change(modified.trigger, team, header, in: &state) { trigger in
            let changes = modified.changes
            if let name = changes.name { trigger.name = name }
            if case .set(let version) = changes.version { trigger.version = version }
            if let isEnabled = changes.isEnabled { trigger.isEnabled = isEnabled }
            if let configuration = changes.configuration { trigger.configuration = configuration }
        }
    case .triggerSecretRotated(let rotated):
        change(rotated.trigger, team, header, in: &state) { trigger in
            trigger.previousSecret = trigger.secret.map {
                Workflow.PreviousSecret(secret: $0, endsAt: rotated.oldEndsAt)
            }
            trigger.secret = rotated.secret
        }
    case .triggerDeleted(let deleted):
        state.removeTrigger(deleted.trigger, of: team)
        state.countTriggers(of: team, by: -1)
    case .messageRefused(let refused):
        state.set(
            Refusal(
                id: refused.refusal, team: team, trigger: refused.trigger,
                reason: refused.reason, detail: refused.detail,
                contentType: refused.contentType, body: location, run: nil,
                touched: Touched(created: header)))
        state.note(
            refused.deduplication, as: .refusal(refused.trigger, refused.refusal))
    case .refusalRetried(let retried):
        guard
            var refusal = state.refusal(retried.refusal, of: retried.trigger, team: team)
        else { return }
        refusal.run = retried.run
        refusal.touched.update(by: header)
        state.set(refusal)
    default: preconditionFailure("not an event about triggers")
    }
}

extension State where Self: ~Copyable {
    fileprivate mutating func countTriggers(of id: TeamID, by count: Int) {
        guard var team = team(id) else { return }
        team.triggers = max(0, team.triggers + count)
        set(team)
    }

    /// Remembers a message under each of its ids.
    mutating func note(
        _ deduplication: Deduplication?, as outcome: SeenMessage.Outcome
    ) {
        guard let deduplication else { return }
        for digest in deduplication.digests {
            set(
                SeenMessage(outcome: outcome, endsAt: deduplication.endsAt),
                for: SeenMessage.Key(scope: deduplication.scope, digest: digest))
        }
    }
}

private func change<S: State & ~Copyable>(
    _ id: TriggerID, _ team: TeamID, _ header: EntryHeader, in state: inout S,
    _ change: (inout Trigger) -> Void
) {
    guard var trigger = state.trigger(id, of: team) else { return }
    change(&trigger)
    trigger.revision += 1
    trigger.touched.update(by: header)
    state.set(trigger)
}
