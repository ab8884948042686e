/// A change of many promises, asked for at once and carried out one by one, each as a command of whoever
/// asked. It goes on where it was after a restart.
package struct BulkOperation: Hashable, Sendable {
    /// What is to be done.
    package enum Task: Hashable, Sendable {
        case cancel(PendingFilter)
        case modify(PendingFilter, BulkChanges)
        /// Cancels what the workflow still has to do, and deletes it.
        case deleteWorkflow(WorkflowID)
    }

    /// Raw values are stored in projections.
    package enum Status: UInt8, Sendable, CaseIterable {
        case running = 1
        case completed = 2
        case failed = 3
    }

    /// Why it came to an early end. Raw values are stored for ever.
    package enum Failure: UInt8, Sendable, CaseIterable {
        /// The key that asked has been revoked or has expired.
        case keyInvalid = 1
    }

    /// Something that could not be changed.
    package struct Refused: Hashable, Sendable {
        package let object: AnyID
        /// The code of the problem that the command alone would have had.
        package let code: String
        package let detail: String

        package init(object: AnyID, code: String, detail: String) {
            self.object = object
            self.code = code
            self.detail = detail
        }
    }

    /// What became of the next few.
    package struct Step: Hashable, Sendable {
        /// The last one that was looked at; `nil` where a list begins anew.
        package let cursor: AnyID?
        package let changed: Int
        /// They were already as asked.
        package let unchanged: Int
        package let refused: Int
        /// Those of the refused that are named.
        package let refusals: [Refused]

        package init(
            cursor: AnyID?, changed: Int, unchanged: Int, refused: Int, refusals: [Refused]
        ) {
            self.cursor = cursor
            self.changed = changed
            self.unchanged = unchanged
            self.refused = refused
            self.refusals = refusals
        }
    }

    package let id: OperationID
    package let team: TeamID
    package let task: Task
    /// How many matched when it was asked for.
    package let matched: Int
    /// The entry that started it; what it does names it as its cause.
    package let startedPosition: Position
    package var status: Status
    package var failure: Failure?
    package var cursor: AnyID?
    package var changed: Int
    package var unchanged: Int
    package var refused: Int
    package var refusals: [Refused]
    package var finishedAt: Instant?
    package var touched: Touched

    package init(
        id: OperationID, team: TeamID, task: Task, matched: Int, startedPosition: Position,
        status: Status, failure: Failure?, cursor: AnyID?, changed: Int, unchanged: Int,
        refused: Int, refusals: [Refused], finishedAt: Instant?, touched: Touched
    ) {
        self.id = id
        self.team = team
        self.task = task
        self.matched = matched
        self.startedPosition = startedPosition
        self.status = status
        self.failure = failure
        self.cursor = cursor
        self.changed = changed
        self.unchanged = unchanged
        self.refused = refused
        self.refusals = refusals
        self.finishedAt = finishedAt
        self.touched = touched
    }
}

/// Which promises that are still to fire are meant; what is absent does not matter.
package struct PendingFilter: Hashable, Sendable {
    package var workflow: WorkflowID?
    package var deduplicationKey: DeduplicationKey?
    /// Of the scheduled time; inclusive.
    package var from: Instant?
    /// Of the scheduled time; exclusive.
    package var to: Instant?

    package init(
        workflow: WorkflowID? = nil, deduplicationKey: DeduplicationKey? = nil,
        from: Instant? = nil, to: Instant? = nil
    ) {
        self.workflow = workflow
        self.deduplicationKey = deduplicationKey
        self.from = from
        self.to = to
    }

    package func matches(_ schedule: Schedule) -> Bool {
        schedule.status == .pending && (workflow.map { schedule.workflow == $0 } ?? true)
            && (deduplicationKey.map { schedule.deduplicationKey == $0 } ?? true)
            && (from.map { $0 <= schedule.scheduledTime } ?? true)
            && (to.map { schedule.scheduledTime < $0 } ?? true)
    }
}

/// What is to be changed of many promises. Their inputs are their own and cannot be.
package struct BulkChanges: Hashable, Sendable {
    package var time: Time
    package var version: Change<Int?>
    package var expiresAt: Change<Instant?>
    package var priority: Int?

    package enum Time: Hashable, Sendable {
        case keep
        case set(Instant)
        /// Earlier or later by so many seconds, and with it the end of the promise.
        case shift(seconds: Int)
    }

    package init(
        time: Time = .keep, version: Change<Int?> = .keep, expiresAt: Change<Instant?> = .keep,
        priority: Int? = nil
    ) {
        self.time = time
        self.version = version
        self.expiresAt = expiresAt
        self.priority = priority
    }

    /// What that is for one of them.
    package func changes(of schedule: Schedule) -> ScheduleChanges {
        var changes = ScheduleChanges(
            version: version, expiresAt: expiresAt, priority: priority)
        switch time {
        case .keep: break
        case .set(let instant): changes.scheduledTime = instant
        case .shift(let seconds):
            changes.scheduledTime = schedule.scheduledTime.adding(seconds: seconds)
            if expiresAt == .keep, let end = schedule.expiresAt {
                changes.expiresAt = .set(end.adding(seconds: seconds))
            }
        }
        return changes
    }
}

/// The lists of operations beside the one by id.
package enum OperationIndex: Hashable, Comparable, Sendable {
    case running(TeamID, OperationID)
}

extension BulkOperation.Status {
    package var name: String {
        switch self {
        case .running: "running"
        case .completed: "completed"
        case .failed: "failed"
        }
    }
}

extension BulkOperation.Failure {
    package var name: String {
        switch self {
        case .keyInvalid: "key_invalid"
        }
    }
}

package struct OperationStarted: Hashable, Sendable {
    package let operation: OperationID
    package let task: BulkOperation.Task
    package let matched: Int

    package init(operation: OperationID, task: BulkOperation.Task, matched: Int) {
        self.operation = operation
        self.task = task
        self.matched = matched
    }
}

package struct OperationAdvanced: Hashable, Sendable {
    package let operation: OperationID
    package let previous: Position
    package let step: BulkOperation.Step

    package init(operation: OperationID, previous: Position, step: BulkOperation.Step) {
        self.operation = operation
        self.previous = previous
        self.step = step
    }
}

package struct OperationFinished: Hashable, Sendable {
    package let operation: OperationID
    package let previous: Position
    package let failure: BulkOperation.Failure?

    package init(operation: OperationID, previous: Position, failure: BulkOperation.Failure?) {
        self.operation = operation
        self.previous = previous
        self.failure = failure
    }
}
