func applyWorkflow<S: State & ~Copyable>(
    _ event: Event, _ team: TeamID, _ location: PayloadLocation, _ header: EntryHeader,
    to state: inout S
) {
    switch event {
    case .workflowCreated(let created): create(created, team, location, header, in: &state)
    case .workflowModified(let modified):
        change(modified.workflow, team, header, in: &state) { workflow in
            let changes = modified.changes
            if let name = changes.name { workflow.name = name }
            if case .set(let description) = changes.description {
                workflow.description = description
            }
            if let seconds = changes.runTimeoutSeconds { workflow.runTimeoutSeconds = seconds }
            if let retry = changes.retry { workflow.retry = retry }
            if let isPaused = changes.isPaused { workflow.isPaused = isPaused }
        }
    case .concurrencySet(let set):
        change(set.workflow, team, header, in: &state) { workflow in
            workflow.maxConcurrentRuns = set.maxConcurrentRuns
        }
    case .secretRotated(let rotated):
        change(rotated.workflow, team, header, in: &state) { workflow in
            workflow.previousSecret = Workflow.PreviousSecret(
                secret: workflow.secret, endsAt: rotated.oldEndsAt)
            workflow.secret = rotated.secret
        }
    case .workflowDeleted(let deleted):
        change(deleted.workflow, team, header, in: &state) { $0.deletedAt = header.recordedAt }
    case .workflowClosed(let closed):
        change(closed.workflow, team, header, in: &state) { $0.deletion = closed.operation }
    case .workflowReopened(let reopened):
        change(reopened.workflow, team, header, in: &state) { $0.deletion = nil }
    case .draftEdited(let edited):
        change(edited.workflow, team, header, in: &state) { _ in }
        guard var draft = state.version(0, of: edited.workflow, team: team) else { return }
        draft.definitionLocation = location
        draft.queue = edited.definition.queue
        draft.touched.update(by: header)
        state.set(draft)
    case .versionSaved(let saved):
        change(saved.workflow, team, header, in: &state) { workflow in
            workflow.lastVersion = saved.number
        }
        state.set(
            Version(
                workflow: saved.workflow, team: team, number: saved.number, name: saved.name,
                definitionLocation: saved.definitionLocation, queue: saved.queue,
                source: saved.source, touched: Touched(created: header)))
    case .versionRenamed(let renamed):
        change(renamed.workflow, team, header, in: &state) { _ in }
        guard var version = state.version(renamed.number, of: renamed.workflow, team: team) else {
            return
        }
        version.name = renamed.name
        version.touched.update(by: header)
        state.set(version)
    case .versionActivated(let activated):
        change(activated.workflow, team, header, in: &state) { workflow in
            workflow.activeVersion = activated.number
        }
    case .versionDeleted(let deleted):
        change(deleted.workflow, team, header, in: &state) { _ in }
        state.removeVersion(deleted.number, of: deleted.workflow, team: team)
    case .versionImported(let imported):
        let version = imported.version
        guard var workflow = state.workflow(imported.workflow, of: team) else { return }
        workflow.lastVersion = version.number
        state.set(workflow)
        state.set(
            Version(
                workflow: imported.workflow, team: team, number: version.number,
                name: version.name, definitionLocation: location,
                queue: version.definition.queue, source: nil, touched: Touched(created: header)))
    default: preconditionFailure("not an event about workflows")
    }
}

private func create<S: State & ~Copyable>(
    _ created: WorkflowCreated, _ team: TeamID, _ location: PayloadLocation,
    _ header: EntryHeader, in state: inout S
) {
    state.set(
        Workflow(
            id: created.workflow, team: team, name: created.name,
            description: created.description, runTimeoutSeconds: created.runTimeoutSeconds,
            retry: created.retry, maxConcurrentRuns: created.maxConcurrentRuns, isPaused: false,
            activeVersion: 0, lastVersion: 0, secret: created.secret, previousSecret: nil,
            deletion: nil, deletedAt: nil, revision: 1, touched: Touched(created: header)))
    state.set(
        Version(
            workflow: created.workflow, team: team, number: 0, name: nil,
            definitionLocation: location, queue: created.definition.queue, source: nil,
            touched: Touched(created: header)))
}

private func change<S: State & ~Copyable>(
    _ id: WorkflowID, _ team: TeamID, _ header: EntryHeader, in state: inout S,
    _ change: (inout Workflow) -> Void
) {
    guard let old = state.workflow(id, of: team) else { return }
    var new = old
    change(&new)
    new.revision += 1
    new.touched.update(by: header)
    guard old.isPaused != new.isPaused || old.maxConcurrentRuns != new.maxConcurrentRuns else {
        state.set(new)
        return
    }
    state.changingAdmission(of: id, team: team) { state in state.set(new) }
}
