/// Where the input of a run comes from.
package enum RunInput: Hashable, Sendable {
    case none
    /// Brought by this very event.
    case brought(Payload)
    /// Brought earlier, by the schedule.
    case stored(PayloadLocation)
}

package struct RunQueued: Hashable, Sendable {
    package let run: RunID
    package let workflow: WorkflowID
    package let version: Int
    package let definitionLocation: PayloadLocation
    package let queue: Queue
    package let mode: Run.Mode
    package let schedule: ScheduleID?
    package let trigger: TriggerID?
    package let scheduledTime: Instant?
    package let input: RunInput
    package let priority: Int
    package let expiresAt: Instant?
    package let timeoutSeconds: Int
    package let retry: RetryPolicy
    /// Of the message that it was made from.
    package let deduplication: Deduplication?

    package init(
        run: RunID, workflow: WorkflowID, version: Int, definitionLocation: PayloadLocation,
        queue: Queue,
        mode: Run.Mode, schedule: ScheduleID?, trigger: TriggerID?, scheduledTime: Instant?,
        input: RunInput, priority: Int, expiresAt: Instant?, timeoutSeconds: Int,
        retry: RetryPolicy, deduplication: Deduplication? = nil
    ) {
        self.run = run
        self.workflow = workflow
        self.version = version
        self.definitionLocation = definitionLocation
        self.queue = queue
        self.mode = mode
        self.schedule = schedule
        self.trigger = trigger
        self.scheduledTime = scheduledTime
        self.input = input
        self.priority = priority
        self.expiresAt = expiresAt
        self.timeoutSeconds = timeoutSeconds
        self.retry = retry
        self.deduplication = deduplication
    }
}

package struct RunStarted: Hashable, Sendable {
    package let run: RunID
    package let previous: Position
    package let attempt: Int
    package let tries: Int
    package let deadline: Instant
    package let lease: Lease?
    package let worker: String?

    package init(
        run: RunID, previous: Position, attempt: Int, tries: Int, deadline: Instant, lease: Lease?,
        worker: String?
    ) {
        self.run = run
        self.previous = previous
        self.attempt = attempt
        self.tries = tries
        self.deadline = deadline
        self.lease = lease
        self.worker = worker
    }
}

package struct Lease: Hashable, Sendable {
    package let endsAt: Instant
    package let seconds: Int

    package init(endsAt: Instant, seconds: Int) {
        self.endsAt = endsAt
        self.seconds = seconds
    }
}

package struct LeaseRenewed: Hashable, Sendable {
    package let run: RunID
    package let previous: Position
    package let attempt: Int
    package let endsAt: Instant

    package init(run: RunID, previous: Position, attempt: Int, endsAt: Instant) {
        self.run = run
        self.previous = previous
        self.attempt = attempt
        self.endsAt = endsAt
    }
}

package struct RunAccepted: Hashable, Sendable {
    package let run: RunID
    package let previous: Position
    package let attempt: Int

    package init(run: RunID, previous: Position, attempt: Int) {
        self.run = run
        self.previous = previous
        self.attempt = attempt
    }
}

package struct RunReleased: Hashable, Sendable {
    package let run: RunID
    package let previous: Position
    package let attempt: Int

    package init(run: RunID, previous: Position, attempt: Int) {
        self.run = run
        self.previous = previous
        self.attempt = attempt
    }
}

/// The schedule whose end follows from a run's, with the entry that touched it last.
package struct ScheduleLink: Hashable, Sendable {
    package let schedule: ScheduleID
    package let previous: Position

    package init(schedule: ScheduleID, previous: Position) {
        self.schedule = schedule
        self.previous = previous
    }
}

package struct RunCompleted: Hashable, Sendable {
    package let run: RunID
    package let previous: Position
    package let attempt: Int
    package let output: Payload?
    package let schedule: ScheduleLink?

    package init(
        run: RunID, previous: Position, attempt: Int, output: Payload?, schedule: ScheduleLink?
    ) {
        self.run = run
        self.previous = previous
        self.attempt = attempt
        self.output = output
        self.schedule = schedule
    }
}

package struct RunRetryScheduled: Hashable, Sendable {
    package let run: RunID
    package let previous: Position
    package let attempt: Int
    package let reason: RunError.Reason
    package let message: Payload?
    package let notBefore: Instant

    package init(
        run: RunID, previous: Position, attempt: Int, reason: RunError.Reason, message: Payload?,
        notBefore: Instant
    ) {
        self.run = run
        self.previous = previous
        self.attempt = attempt
        self.reason = reason
        self.message = message
        self.notBefore = notBefore
    }
}

package struct RunFailed: Hashable, Sendable {
    package let run: RunID
    package let previous: Position
    package let attempt: Int
    package let reason: RunError.Reason
    package let message: Payload?
    package let schedule: ScheduleLink?

    package init(
        run: RunID, previous: Position, attempt: Int, reason: RunError.Reason, message: Payload?,
        schedule: ScheduleLink?
    ) {
        self.run = run
        self.previous = previous
        self.attempt = attempt
        self.reason = reason
        self.message = message
        self.schedule = schedule
    }
}

package struct RunRequeued: Hashable, Sendable {
    package let run: RunID
    package let previous: Position
    package let attempt: Int

    package init(run: RunID, previous: Position, attempt: Int) {
        self.run = run
        self.previous = previous
        self.attempt = attempt
    }
}

package struct RunCancelled: Hashable, Sendable {
    package let run: RunID
    package let previous: Position
    package let schedule: ScheduleLink?

    package init(run: RunID, previous: Position, schedule: ScheduleLink?) {
        self.run = run
        self.previous = previous
        self.schedule = schedule
    }
}
