func decideStart<S: State & ~Copyable>(
    _ task: BulkOperation.Task, matched: Int, _ teamID: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    let id = OperationID(context.newID)
    var events: [Event] = [
        .operationStarted(OperationStarted(operation: id, task: task, matched: matched))
    ]
    switch task {
    case .cancel: break
    case .modify(_, let changes):
        var check = Check()
        check.changes(changes, now: context.recordedAt)
        try check.finish()
    case .deleteWorkflow(let workflowID):
        let workflow = try find(workflowID, teamID, state)
        try checkOpen(workflow)
        try expect(context.expectedRevisions, workflow.revision)
        events.append(
            .workflowClosed(
                WorkflowClosed(
                    workflow: workflowID, previous: workflow.touched.position, operation: id)))
    }
    guard state.team(teamID)?.operations ?? 0 < Limits.operations else {
        throw .tooMany(.operation, limit: Limits.operations)
    }
    return events
}

func decideAdvance<S: State & ~Copyable>(
    _ id: OperationID, _ step: BulkOperation.Step, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let operation = try findRunning(id, team, state)
    return [
        .operationAdvanced(
            OperationAdvanced(
                operation: id, previous: operation.touched.position, step: step))
    ]
}

func decideFinish<S: State & ~Copyable>(
    _ id: OperationID, _ failure: BulkOperation.Failure?, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let operation = try findRunning(id, team, state)
    var events: [Event] = [
        .operationFinished(
            OperationFinished(
                operation: id, previous: operation.touched.position, failure: failure))
    ]
    if case .deleteWorkflow(let workflowID) = operation.task,
        let workflow = state.workflow(workflowID, of: team), workflow.deletion == id,
        workflow.deletedAt == nil
    {
        events.append(
            .workflowReopened(
                WorkflowReopened(workflow: workflowID, previous: workflow.touched.position)))
    }
    return events
}

private func findRunning<S: State & ~Copyable>(
    _ id: OperationID, _ team: TeamID, _ state: borrowing S
) throws(Rejection) -> BulkOperation {
    guard let operation = state.operation(id, of: team), operation.status == .running else {
        throw .notFound(.operation)
    }
    return operation
}

extension Check {
    /// What is wrong with them whichever promise they are for.
    fileprivate mutating func changes(_ changes: BulkChanges, now: Instant) {
        switch changes.time {
        case .keep: break
        case .set(let time):
            if time <= now { add("changes/scheduled_time", "must lie in the future") }
            if case .set(let end?) = changes.expiresAt, end <= time {
                add("changes/expires_at", "must lie after scheduled_time")
            }
        case .shift(let seconds):
            range("changes/shift_seconds", seconds, Limits.shiftSeconds)
        }
        if let priority = changes.priority {
            range("changes/priority", priority, Limits.priorities)
        }
    }
}
