/// A command refused: an answer, not a failure. Nothing of it is written. The codes are public.
///
/// Where several apply, this order decides: not authenticated, not found, not allowed, wrong state,
/// wrong revision, invalid value, limit.
package enum Rejection: Error, Hashable, Sendable {
    /// The key that asked has been revoked or has expired.
    case notAuthenticated
    case notFound(Kind)
    /// The key's role is less than this one.
    case notAllowed(needs: Role)
    /// Only a pending schedule can be changed, cancelled or fired.
    case scheduleNotPending(Schedule.Status, run: RunID?, position: Position)
    /// The run's state does not allow it.
    case runState(Run.Status, position: Position)
    /// A schedule that is still to fire; it is erased only where that is asked for.
    case notFinished(position: Position)
    /// The answer is about an attempt that is not the current one.
    case staleAttempt(current: Int, position: Position)
    /// `If-Match` named another revision.
    case revisionMismatch(current: UInt64)
    /// Each value that is wrong, with its place.
    case invalid([Violation])
    /// The same idempotency key came with another request.
    case idempotencyKeyReused
    /// A pending schedule of the workflow has this deduplication key.
    case deduplicated(ScheduleID, position: Position)
    /// A claim found no run that may start.
    case nothingStartable
    /// The service is paused: nothing fires, starts or is reaped.
    case paused
    /// A command of the timer came for a moment that is not there, or not there any more.
    case notDue
    /// What a command was made from has changed: it is to be made anew.
    case changedMeanwhile
    /// The refused message has become this run.
    case refusalRetried(RunID, position: Position)
    /// The delivery's state does not allow it: it still waits, or it has ended.
    case deliveryState(Delivery.Status, position: Position)
    /// The team has so many already.
    case tooMany(Kind, limit: Int)
    /// The log was initialised before.
    case alreadyInitialised

    package enum Kind: Hashable, Sendable {
        case team, key, workflow, version, schedule, run, trigger, refusal, subscription, delivery
    }

    package struct Violation: Hashable, Sendable {
        /// The field as the REST API names it.
        package let field: String
        package let message: String

        package init(_ field: String, _ message: String) {
            self.field = field
            self.message = message
        }
    }
}

extension Rejection.Kind {
    package var name: String {
        switch self {
        case .team: "team"
        case .key: "key"
        case .workflow: "workflow"
        case .version: "version"
        case .schedule: "schedule"
        case .run: "run"
        case .trigger: "trigger"
        case .refusal: "refusal"
        case .subscription: "subscription"
        case .delivery: "delivery"
        }
    }
}
