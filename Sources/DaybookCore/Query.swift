/// Which schedules a list holds.
package struct ScheduleFilter: Hashable, Sendable {
    package enum Order: Hashable, Sendable {
        /// Newest first.
        case created
        /// Soonest first.
        case scheduledTime
    }

    package var status: Schedule.Status?
    package var workflow: WorkflowID?
    package var deduplicationKey: DeduplicationKey?
    /// Of the scheduled time; inclusive.
    package var from: Instant?
    /// Of the scheduled time; exclusive.
    package var to: Instant?
    package var order = Order.created

    package init() {}

    package func matches(_ schedule: Schedule) -> Bool {
        (status.map { schedule.status == $0 } ?? true)
            && (workflow.map { schedule.workflow == $0 } ?? true)
            && (deduplicationKey.map { schedule.deduplicationKey == $0 } ?? true)
            && (from.map { $0 <= schedule.scheduledTime } ?? true)
            && (to.map { schedule.scheduledTime < $0 } ?? true)
    }
}

/// Which runs a list holds; newest first.
package struct RunFilter: Hashable, Sendable {
    package var status: Run.Status?
    package var mode: Run.Mode?
    package var workflow: WorkflowID?
    package var schedule: ScheduleID?
    package var trigger: TriggerID?
    /// Of the time it was queued; inclusive.
    package var from: Instant?
    /// Of the time it was queued; exclusive.
    package var to: Instant?

    package init() {}

    package func matches(_ run: Run) -> Bool {
        (status.map { run.status == $0 } ?? true) && (mode.map { run.mode == $0 } ?? true)
            && (workflow.map { run.workflow == $0 } ?? true)
            && (schedule.map { run.schedule == $0 } ?? true)
            && (trigger.map { run.trigger == $0 } ?? true)
            && (from.map { $0 <= run.queuedAt } ?? true)
            && (to.map { run.queuedAt < $0 } ?? true)
    }
}

/// Which deliveries a list holds; newest first.
package struct DeliveryFilter: Hashable, Sendable {
    package var subscription: SubscriptionID?
    package var workflow: WorkflowID?
    package var action: Action?
    package var status: Delivery.Status?

    package init() {}

    package func matches(_ delivery: Delivery) -> Bool {
        (subscription.map { delivery.subscription == $0 } ?? true)
            && (workflow.map { delivery.workflow.id == $0 } ?? true)
            && (action.map { delivery.action == $0 } ?? true)
            && (status.map { delivery.status == $0 } ?? true)
    }
}

/// A part of a list.
package struct Page<Item: Sendable>: Sendable {
    package let items: [Item]
    /// Where the next part begins; `nil` at the end of the list. Stays good over inserts and restarts.
    package let next: [UInt8]?

    package init(items: [Item], next: [UInt8]?) {
        self.items = items
        self.next = next
    }
}

/// Which entries of the log are wanted; what is absent does not matter.
package struct LogFilter: Hashable, Sendable {
    package var team: TeamID?
    /// Entries about the workflow, its schedules and its runs.
    package var workflow: WorkflowID?
    package var schedule: ScheduleID?
    package var run: RunID?
    /// `key:<id>`, `system:timer`, …, or a kind alone: `key`, `system`, `trigger`.
    package var actor: String?
    package var command: CommandName?
    /// The name of one of its events.
    package var event: String?
    /// Of the recorded time; inclusive.
    package var from: Instant?
    /// Of the recorded time; exclusive.
    package var to: Instant?

    package init() {}
}
