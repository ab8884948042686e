func decideCreate(_ new: NewWorkflow, _ context: Context) throws(Rejection) -> [Event] {
    var check = Check()
    check.name(new.name)
    if let description = new.description {
        check.text("description", description, Limits.descriptionBytes)
    }
    check.queue("definition/executor/queue", new.definition.queue)
    check.range("run_timeout_seconds", new.runTimeoutSeconds, Limits.runTimeoutSeconds)
    check.retry(new.retry)
    check.range("max_concurrent_runs", new.maxConcurrentRuns, Limits.concurrentRuns)
    try check.finish()
    return [
        .workflowCreated(
            WorkflowCreated(
                workflow: WorkflowID(context.newID), name: new.name, description: new.description,
                definition: new.definition, runTimeoutSeconds: new.runTimeoutSeconds,
                retry: new.retry, maxConcurrentRuns: new.maxConcurrentRuns, secret: new.secret))
    ]
}

func decideModify<S: State & ~Copyable>(
    _ id: WorkflowID, _ asked: WorkflowChanges, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let workflow = try find(id, team, state)
    try expect(context.expectedRevisions, workflow.revision)
    var check = Check()
    if let name = asked.name { check.name(name) }
    if case .set(let description?) = asked.description {
        check.text("description", description, Limits.descriptionBytes)
    }
    if let seconds = asked.runTimeoutSeconds {
        check.range("run_timeout_seconds", seconds, Limits.runTimeoutSeconds)
    }
    if let retry = asked.retry { check.retry(retry) }
    try check.finish()
    var changes = asked
    if changes.name == workflow.name { changes.name = nil }
    if changes.description == .set(workflow.description) { changes.description = .keep }
    if changes.runTimeoutSeconds == workflow.runTimeoutSeconds { changes.runTimeoutSeconds = nil }
    if changes.retry == workflow.retry { changes.retry = nil }
    if changes.isPaused == workflow.isPaused { changes.isPaused = nil }
    guard changes != WorkflowChanges() else { return [] }
    return [
        .workflowModified(
            WorkflowModified(
                workflow: id, previous: workflow.touched.position, changes: changes))
    ]
}

func decideConcurrency<S: State & ~Copyable>(
    _ id: WorkflowID, _ maximum: Int, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let workflow = try find(id, team, state)
    try expect(context.expectedRevisions, workflow.revision)
    var check = Check()
    check.range("max_concurrent_runs", maximum, Limits.concurrentRuns)
    try check.finish()
    guard workflow.maxConcurrentRuns != maximum else { return [] }
    return [
        .concurrencySet(
            ConcurrencySet(
                workflow: id, previous: workflow.touched.position, maxConcurrentRuns: maximum))
    ]
}

func decideRotation<S: State & ~Copyable>(
    _ id: WorkflowID, _ secret: SealedSecret, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let workflow = try find(id, team, state)
    try expect(context.expectedRevisions, workflow.revision)
    return [
        .secretRotated(
            SecretRotated(
                workflow: id, previous: workflow.touched.position, secret: secret,
                oldEndsAt: context.recordedAt.adding(seconds: Limits.secretOverlapSeconds)))
    ]
}

func decideEdit<S: State & ~Copyable>(
    _ id: WorkflowID, _ definition: Definition, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let workflow = try find(id, team, state)
    try expect(context.expectedRevisions, workflow.revision)
    var check = Check()
    check.queue("executor/queue", definition.queue)
    try check.finish()
    return [
        .draftEdited(
            DraftEdited(
                workflow: id, previous: workflow.touched.position, definition: definition))
    ]
}

func decideSave<S: State & ~Copyable>(
    _ id: WorkflowID, _ new: NewVersion, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let workflow = try find(id, team, state)
    try expect(context.expectedRevisions, workflow.revision)
    var check = Check()
    if let name = new.name { check.text("version_name", name, Limits.labelBytes) }
    let source = state.version(new.source, of: id, team: team)
    if source == nil { check.add("source_version_number", "there is no version \(new.source)") }
    if workflow.lastVersion >= Limits.versionNumbers.upperBound {
        check.add("source_version_number", "the workflow has no numbers left for versions")
    }
    try check.finish()
    guard let source else { return [] }
    let number = workflow.lastVersion + 1
    let previous = workflow.touched.position
    let saved = Event.versionSaved(
        VersionSaved(
            workflow: id, previous: previous, number: number, source: new.source, name: new.name,
            definitionPosition: source.definitionPosition, queue: source.queue))
    guard new.markAsActive else { return [saved] }
    return [
        saved,
        .versionActivated(VersionActivated(workflow: id, previous: previous, number: number)),
    ]
}

func decideRename<S: State & ~Copyable>(
    _ id: WorkflowID, _ number: Int, _ name: String, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let workflow = try find(id, team, state)
    guard let version = state.version(number, of: id, team: team) else {
        throw .notFound(.version)
    }
    try expect(context.expectedRevisions, workflow.revision)
    var check = Check()
    check.text("version_name", name, Limits.labelBytes)
    try check.finish()
    guard version.name != name else { return [] }
    return [
        .versionRenamed(
            VersionRenamed(
                workflow: id, previous: workflow.touched.position, number: number, name: name))
    ]
}

func decideActivate<S: State & ~Copyable>(
    _ id: WorkflowID, _ number: Int, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let workflow = try find(id, team, state)
    guard state.version(number, of: id, team: team) != nil else { throw .notFound(.version) }
    try expect(context.expectedRevisions, workflow.revision)
    guard workflow.activeVersion != number else { return [] }
    return [
        .versionActivated(
            VersionActivated(
                workflow: id, previous: workflow.touched.position, number: number))
    ]
}

func find<S: State & ~Copyable>(
    _ id: WorkflowID, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> Workflow {
    guard let workflow = state.workflow(id, of: team) else { throw .notFound(.workflow) }
    return workflow
}
