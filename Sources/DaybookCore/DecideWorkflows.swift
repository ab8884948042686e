func decideCreate(_ new: NewWorkflow, _ context: Context) throws(Rejection) -> [Event] {
    var check = Check()
    check.workflow(new)
    try check.finish()
    return [.workflowCreated(created(new, context))]
}

/// A workflow with all that it was elsewhere, in one entry.
func decideImport(
    _ new: NewWorkflow, _ versions: [ImportedVersion], _ activeVersion: Int, _ context: Context
) throws(Rejection) -> [Event] {
    var check = Check()
    check.workflow(new)
    check.range("versions", versions.count, 0...Limits.importedVersions)
    for (index, version) in versions.enumerated() {
        let place = "versions/\(index)"
        check.range(
            "\(place)/version_number", version.number, 1...Limits.versionNumbers.upperBound)
        if index > 0, version.number <= versions[index - 1].number {
            check.add("\(place)/version_number", "must be greater than the one before")
        }
        if let name = version.name { check.text("\(place)/version_name", name, Limits.labelBytes) }
        check.queue("\(place)/definition/executor/queue", version.definition.queue)
    }
    if activeVersion != 0, !versions.contains(where: { $0.number == activeVersion }) {
        check.add("active_version", "the bundle has no version \(activeVersion)")
    }
    try check.finish()
    let workflow = WorkflowID(context.newID)
    var events = [Event.workflowCreated(created(new, context))]
    events += versions.map {
        .versionImported(VersionImported(workflow: workflow, version: $0))
    }
    if activeVersion != 0 {
        events.append(
            .versionActivated(
                VersionActivated(workflow: workflow, previous: 0, number: activeVersion)))
    }
    return events
}

private func created(_ new: NewWorkflow, _ context: Context) -> WorkflowCreated {
    WorkflowCreated(
        workflow: WorkflowID(context.newID), name: new.name, description: new.description,
        definition: new.definition, runTimeoutSeconds: new.runTimeoutSeconds,
        retry: new.retry, maxConcurrentRuns: new.maxConcurrentRuns, secret: new.secret)
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
            definitionLocation: source.definitionLocation, queue: source.queue))
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

/// Ends it, where nothing of it is still to happen.
func decideDelete<S: State & ~Copyable>(
    _ id: WorkflowID, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let workflow = try find(id, team, state)
    let usage = state.usage(of: id, team: team)
    guard usage.pending == 0, usage.unfinishedRuns == 0 else {
        throw .workflowInUse(
            pending: usage.pending, unfinishedRuns: usage.unfinishedRuns,
            position: workflow.touched.position)
    }
    try expect(context.expectedRevisions, workflow.revision)
    return [
        .workflowDeleted(WorkflowDeleted(workflow: id, previous: workflow.touched.position))
    ]
}

func decideDelete<S: State & ~Copyable>(
    _ number: Int, of id: WorkflowID, _ team: TeamID, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let workflow = try find(id, team, state)
    guard state.version(number, of: id, team: team) != nil else { throw .notFound(.version) }
    let use = state.usage(of: id, team: team).use(of: number)
    let (isDraft, isActive) = (number == 0, workflow.activeVersion == number)
    guard !isDraft, !isActive, use.pinned == 0, use.unfinishedRuns == 0 else {
        throw .versionInUse(
            isDraft: isDraft, isActive: isActive, use, position: workflow.touched.position)
    }
    try expect(context.expectedRevisions, workflow.revision)
    return [
        .versionDeleted(
            VersionDeleted(
                workflow: id, previous: workflow.touched.position, number: number))
    ]
}

/// A workflow that is being deleted takes nothing new.
func checkOpen(_ workflow: Workflow) throws(Rejection) {
    if let operation = workflow.deletion {
        throw .workflowClosed(operation, position: workflow.touched.position)
    }
}

extension State where Self: ~Copyable {
    /// Whether it is there, and was not deleted.
    borrowing func hasWorkflow(_ id: WorkflowID, of team: TeamID) -> Bool {
        workflow(id, of: team).map { $0.deletedAt == nil } ?? false
    }
}

extension Check {
    fileprivate mutating func workflow(_ new: NewWorkflow) {
        name(new.name)
        if let description = new.description {
            text("description", description, Limits.descriptionBytes)
        }
        queue("definition/executor/queue", new.definition.queue)
        range("run_timeout_seconds", new.runTimeoutSeconds, Limits.runTimeoutSeconds)
        retry(new.retry)
        range("max_concurrent_runs", new.maxConcurrentRuns, Limits.concurrentRuns)
    }
}

func find<S: State & ~Copyable>(
    _ id: WorkflowID, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> Workflow {
    guard let workflow = state.workflow(id, of: team), workflow.deletedAt == nil else {
        throw .notFound(.workflow)
    }
    return workflow
}
