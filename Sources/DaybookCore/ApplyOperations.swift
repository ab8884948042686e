func applyOperation<S: State & ~Copyable>(
    _ event: Event, _ team: TeamID, _ header: EntryHeader, to state: inout S
) {
    switch event {
    case .operationStarted(let started):
        state.set(
            BulkOperation(
                id: started.operation, team: team, task: started.task, matched: started.matched,
                startedPosition: header.position, status: .running, failure: nil, cursor: nil,
                changed: 0, unchanged: 0, refused: 0, refusals: [], finishedAt: nil,
                touched: Touched(created: header)))
        state.insert(.operation(.running(team, started.operation)))
        state.countOperations(of: team, by: 1)
    case .operationAdvanced(let advanced):
        guard var operation = state.operation(advanced.operation, of: team) else { return }
        let step = advanced.step
        operation.cursor = step.cursor
        operation.changed += step.changed
        operation.unchanged += step.unchanged
        operation.refused += step.refused
        operation.refusals += step.refusals
        operation.touched.update(by: header)
        state.set(operation)
    case .operationFinished(let finished):
        guard var operation = state.operation(finished.operation, of: team) else { return }
        operation.status = finished.failure == nil ? .completed : .failed
        operation.failure = finished.failure
        operation.finishedAt = header.recordedAt
        operation.touched.update(by: header)
        state.set(operation)
        state.remove(.operation(.running(team, operation.id)))
        state.countOperations(of: team, by: -1)
    default: preconditionFailure("not an event about operations")
    }
}

extension State where Self: ~Copyable {
    fileprivate mutating func countOperations(of id: TeamID, by count: Int) {
        guard var team = team(id) else { return }
        team.operations = max(0, team.operations + count)
        set(team)
    }
}
