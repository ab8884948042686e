/// One event on its way to one subscription. What is sent is made from what stands here, so that it is the same
/// at every attempt.
package struct Delivery: Hashable, Sendable {
    /// Raw values are stored in projections.
    package enum Status: UInt8, Sendable, CaseIterable {
        case pending = 1
        case retrying = 2
        case delivered = 3
        case failed = 4

        /// Whether it stands in the queue of its subscription.
        package var isWaiting: Bool { self == .pending || self == .retrying }
    }

    /// What of a workflow is told.
    package struct About: Hashable, Sendable {
        package let id: WorkflowID
        package let name: String
        package let activeVersion: Int
        package let isPaused: Bool
        package let revision: UInt64

        package init(
            id: WorkflowID, name: String, activeVersion: Int, isPaused: Bool, revision: UInt64
        ) {
            self.id = id
            self.name = name
            self.activeVersion = activeVersion
            self.isPaused = isPaused
            self.revision = revision
        }

        init(_ workflow: Workflow) {
            self.init(
                id: workflow.id, name: workflow.name, activeVersion: workflow.activeVersion,
                isPaused: workflow.isPaused, revision: workflow.revision)
        }
    }

    package let id: DeliveryID
    package let team: TeamID
    package let subscription: SubscriptionID
    package let action: Action
    package let occurredAt: Instant
    package let workflow: About
    /// The run as the event left it.
    package let run: Run?
    /// The schedule as the event left it.
    package let schedule: Schedule?
    package var status: Status
    /// How often it was sent.
    package var attempts: Int
    /// The attempts that count against the subscription's `maxRetries`.
    package var tries: Int
    /// When it is sent, or sent again.
    package var notBefore: Instant?
    /// Of the last answer.
    package var statusCode: Int?
    package var finishedAt: Instant?
    package var touched: Touched

    package init(
        id: DeliveryID, team: TeamID, subscription: SubscriptionID, action: Action,
        occurredAt: Instant, workflow: About, run: Run?, schedule: Schedule?, status: Status,
        attempts: Int, tries: Int, notBefore: Instant?, statusCode: Int?, finishedAt: Instant?,
        touched: Touched
    ) {
        self.id = id
        self.team = team
        self.subscription = subscription
        self.action = action
        self.occurredAt = occurredAt
        self.workflow = workflow
        self.run = run
        self.schedule = schedule
        self.status = status
        self.attempts = attempts
        self.tries = tries
        self.notBefore = notBefore
        self.statusCode = statusCode
        self.finishedAt = finishedAt
        self.touched = touched
    }

    /// The entry whose event it tells of.
    package var position: Position { id.high }

    /// Its place in the queue of its subscription, while it has one.
    package var waitingPlace: DeliveryIndex? {
        guard status.isWaiting, let notBefore else { return nil }
        return .waiting(team, subscription, notBefore, id)
    }
}

extension Delivery.Status {
    package var name: String {
        switch self {
        case .pending: "pending"
        case .retrying: "retrying"
        case .delivered: "delivered"
        case .failed: "failed"
        }
    }

    package init?(name: String) {
        guard let status = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = status
    }
}

extension DeliveryID {
    /// The same for the same event and subscription, and in the order of the log.
    package init(position: Position, event: Int, subscription number: Int) {
        precondition(event < 256, "an entry has few events")
        self.init(
            high: position, low: UInt32(event) << 24 | UInt32(number))
    }
}

/// How an attempt to deliver went.
package struct DeliveryAttempt: Hashable, Sendable {
    /// Counts from 1; 0 where nothing was sent.
    package let number: Int
    package let startedAt: Instant
    package let latencyMilliseconds: Int
    package let statusCode: Int?
    /// Why there was no answer, or why it is no success; for a person to read.
    package let error: String?
    /// The beginning of the answer's body.
    package let answer: Payload?

    package init(
        number: Int, startedAt: Instant, latencyMilliseconds: Int, statusCode: Int?,
        error: String?, answer: Payload?
    ) {
        self.number = number
        self.startedAt = startedAt
        self.latencyMilliseconds = latencyMilliseconds
        self.statusCode = statusCode
        self.error = error
        self.answer = answer
    }
}

/// What follows from an attempt.
package enum DeliveryVerdict: Hashable, Sendable {
    case delivered
    /// Worth another try, no sooner than the receiver asked for.
    case failedForNow(retryAfterSeconds: Int?)
    case failedForGood
    /// The receiver wants nothing any more (410).
    case gone
    /// Its subscription was deleted; nothing was sent.
    case cancelled
}

// Events

package struct DeliverySucceeded: Hashable, Sendable {
    package let delivery: DeliveryID
    package let previous: Position
    package let attempt: DeliveryAttempt

    package init(delivery: DeliveryID, previous: Position, attempt: DeliveryAttempt) {
        self.delivery = delivery
        self.previous = previous
        self.attempt = attempt
    }
}

package struct DeliveryRetryScheduled: Hashable, Sendable {
    package let delivery: DeliveryID
    package let previous: Position
    package let attempt: DeliveryAttempt
    package let notBefore: Instant

    package init(
        delivery: DeliveryID, previous: Position, attempt: DeliveryAttempt, notBefore: Instant
    ) {
        self.delivery = delivery
        self.previous = previous
        self.attempt = attempt
        self.notBefore = notBefore
    }
}

package struct DeliveryFailed: Hashable, Sendable {
    package let delivery: DeliveryID
    package let previous: Position
    package let attempt: DeliveryAttempt

    package init(delivery: DeliveryID, previous: Position, attempt: DeliveryAttempt) {
        self.delivery = delivery
        self.previous = previous
        self.attempt = attempt
    }
}

/// A delivery that had ended is to be sent again.
package struct DeliveryRequeued: Hashable, Sendable {
    package let delivery: DeliveryID
    package let previous: Position
    package let notBefore: Instant

    package init(delivery: DeliveryID, previous: Position, notBefore: Instant) {
        self.delivery = delivery
        self.previous = previous
        self.notBefore = notBefore
    }
}

/// Deliveries of a range of the log that had ended are to be sent again.
package struct DeliveriesRequeued: Hashable, Sendable {
    package struct Link: Hashable, Sendable {
        package let delivery: DeliveryID
        package let previous: Position

        package init(delivery: DeliveryID, previous: Position) {
            self.delivery = delivery
            self.previous = previous
        }
    }

    package let subscription: SubscriptionID
    package let deliveries: [Link]
    package let notBefore: Instant
    /// Where the range goes on; `nil` where this was all of it.
    package let nextAfter: Position?

    package init(
        subscription: SubscriptionID, deliveries: [Link], notBefore: Instant, nextAfter: Position?
    ) {
        self.subscription = subscription
        self.deliveries = deliveries
        self.notBefore = notBefore
        self.nextAfter = nextAfter
    }
}

/// The lists of deliveries beside the one by id.
package enum DeliveryIndex: Hashable, Comparable, Sendable {
    /// The queue of a subscription, by when each is to be sent.
    case waiting(TeamID, SubscriptionID, Instant, DeliveryID)
    case bySubscription(TeamID, SubscriptionID, DeliveryID)
}
