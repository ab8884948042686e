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
    /// Promises of the workflow are still to fire, or runs are unfinished.
    case workflowInUse(pending: Int, unfinishedRuns: Int, position: Position)
    /// The workflow is being deleted by this operation.
    case workflowClosed(OperationID, position: Position)
    /// The version is the draft, is active, or is still needed by promises or runs.
    case versionInUse(isDraft: Bool, isActive: Bool, Usage.VersionUse, position: Position)
    /// The team has so many already.
    case tooMany(Kind, limit: Int)
    /// The log was initialised before.
    case alreadyInitialised

    package enum Kind: Hashable, Sendable {
        case team, key, workflow, version, schedule, run, trigger, refusal, subscription, delivery,
            operation
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
        case .operation: "operation"
        }
    }
}

// What a client is told: the code is stable, for programs, and the detail is for people.
extension Rejection {
    package var code: String {
        switch self {
        case .notAuthenticated: "unauthorized"
        case .notFound: "not_found"
        case .notAllowed: "forbidden"
        case .scheduleNotPending: "not_pending"
        case .runState: "run_state"
        case .notFinished: "not_finished"
        case .staleAttempt: "stale_attempt"
        case .revisionMismatch: "revision_mismatch"
        case .invalid: "invalid"
        case .idempotencyKeyReused: "idempotency_key_reused"
        case .deduplicated: "duplicate"
        case .refusalRetried: "refusal_retried"
        case .deliveryState: "delivery_state"
        case .workflowInUse: "workflow_in_use"
        case .workflowClosed: "workflow_closed"
        case .versionInUse: "version_in_use"
        case .tooMany: "limit_reached"
        case .paused: "paused"
        // Answers to the service's own commands.
        case .nothingStartable, .notDue, .changedMeanwhile, .alreadyInitialised: "internal"
        }
    }

    package var detail: String {
        switch self {
        case .notAuthenticated: "the key has been revoked or has expired"
        case .notFound(let kind): "there is no such \(kind.name)"
        case .notAllowed(let needed): "this needs a key of the role \(needed.name)"
        case .scheduleNotPending(let status, let run, _):
            "the schedule is \(status.name)" + (run.map { "; it fired as run \($0)" } ?? "")
        case .runState(let status, _): "the run is \(status.name)"
        case .notFinished: "cancel it first, or erase it with force"
        case .staleAttempt(let current, _): "the run is at attempt \(current)"
        case .revisionMismatch(let current): "its revision is \(current)"
        case .invalid(let violations):
            violations.map { "/\($0.field) \($0.message)" }.joined(separator: "; ")
        case .idempotencyKeyReused: "use a new Idempotency-Key for a new request"
        case .deduplicated(let schedule, _):
            "the pending schedule \(schedule) has this dedup_key"
        case .refusalRetried(let run, _): "it became run \(run)"
        case .deliveryState(let status, _): "the delivery is \(status.name)"
        case .workflowInUse(let pending, let unfinished, _):
            "\(pending) promises are still to fire and \(unfinished) runs are not finished; "
                + "?cancel_pending=true cancels them"
        case .workflowClosed(let operation, _): "operation \(operation) deletes it"
        case .versionInUse(isDraft: true, _, _, _): "it is the draft"
        case .versionInUse(_, isActive: true, _, _): "it is the active one"
        case .versionInUse(_, _, let use, _):
            "\(use.pinned) pending promises ask for it, and \(use.unfinishedRuns) of its runs are "
                + "not finished"
        case .tooMany(let kind, let limit): "at most \(limit) of the kind \(kind.name)"
        case .paused: "the service is paused"
        case .nothingStartable, .notDue, .changedMeanwhile, .alreadyInitialised:
            "the service's own command was refused"
        }
    }
}
