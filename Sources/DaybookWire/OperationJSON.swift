import DaybookCore

/// Operations, in the log and in answers.
extension JSONWriter {
    mutating func operationFields(of event: Event) {
        switch event {
        case .operationStarted(let event):
            field("operation_id", event.operation)
            operationTask(event.task)
            field("matched", event.matched)
        case .operationAdvanced(let event):
            field("operation_id", event.operation)
            field("changed", event.step.changed)
            field("unchanged", event.step.unchanged)
            field("refused", event.step.refused)
            operationRefusals(event.step.refusals)
        case .operationFinished(let event):
            field("operation_id", event.operation)
            field("failure", event.failure?.name)
        default: break
        }
    }

    /// The fields `task`, and `filter`, `changes` or `workflow_id` as the task has them.
    package mutating func operationTask(_ task: BulkOperation.Task) {
        field("task", task.name)
        switch task {
        case .cancel(let filter): pendingFilter(filter)
        case .modify(let filter, let changes):
            pendingFilter(filter)
            bulkChanges(changes)
        case .deleteWorkflow(let workflow): field("workflow_id", workflow)
        }
    }

    package mutating func operationRefusals(_ refusals: [BulkOperation.Refused]) {
        array("refusals") { writer in
            for refused in refusals {
                writer.object { writer in
                    writer.field("id", refused.object)
                    writer.field("code", refused.code)
                    writer.field("detail", refused.detail)
                }
            }
        }
    }

    private mutating func pendingFilter(_ filter: PendingFilter) {
        object("filter") { writer in
            if let workflow = filter.workflow { writer.field("workflow_id", workflow) }
            if let key = filter.deduplicationKey { writer.field("dedup_key", key.text) }
            if let from = filter.from { writer.field("from", from) }
            if let to = filter.to { writer.field("to", to) }
        }
    }

    private mutating func bulkChanges(_ changes: BulkChanges) {
        object("changes") { writer in
            switch changes.time {
            case .keep: break
            case .set(let time): writer.field("scheduled_time", time)
            case .shift(let seconds): writer.field("shift_seconds", seconds)
            }
            if case .set(let version) = changes.version { writer.field("version", version) }
            if case .set(let end) = changes.expiresAt { writer.field("expires_at", end) }
            if let priority = changes.priority { writer.field("priority", priority) }
        }
    }
}

extension BulkOperation.Task {
    package var name: String {
        switch self {
        case .cancel: "cancel"
        case .modify: "modify"
        case .deleteWorkflow: "delete_workflow"
        }
    }
}
