import DaybookCore
import DaybookStore
import Support
import Testing

/// A schedule in every state that it can be in, due at `Instant.second(60)`.
enum ScheduleScene: CaseIterable, CustomTestStringConvertible {
    case pending
    /// Fired, its run still queued.
    case inProgress
    case completed
    case failed
    case failedByCancelledRun
    case failedByExpiredRun
    case expired
    case cancelled

    struct Setting {
        var given: Given
        let id: ScheduleID
        let workflow: WorkflowID
    }

    var status: Schedule.Status {
        switch self {
        case .pending: .pending
        case .inProgress: .inProgress
        case .completed: .completed
        case .failed, .failedByCancelledRun, .failedByExpiredRun, .expired: .failed
        case .cancelled: .cancelled
        }
    }

    var testDescription: String { "\(self)" }

    func setting() throws -> Setting {
        var given = try Given()
        let workflow = try given.newWorkflow()
        let id = try given.newSchedule(
            of: workflow, at: .second(60), expiresAt: .second(120), key: "promise")
        given.now = .second(60)
        switch self {
        case .pending: given.now = .dayOne
        case .inProgress: _ = try given.fire(id)
        case .completed:
            let run = try given.fire(id)
            try given.start()
            try given.happened(.complete(run, attempt: 1, output: nil))
        case .failed:
            let run = try given.fire(id)
            try given.start()
            try given.happened(.fail(run, attempt: 1, Failure(reason: .error)))
        case .failedByCancelledRun: try given.happened(.cancelRun(try given.fire(id)))
        case .failedByExpiredRun:
            let run = try given.fire(id)
            given.now = .second(120)
            try given.happened(.expire(run))
        case .expired:
            given.now = .second(120)
            try given.happened(.fire(id, revision: 1))
        case .cancelled: try given.happened(.cancelSchedule(id))
        }
        return Setting(given: given, id: id, workflow: workflow)
    }
}

/// A run in every state that it can be in. Queued at 0 s, started at 10 s, with a time-out of an
/// hour; where it has a lease, of a minute; where it has ended, at 20 s.
enum RunScene: CaseIterable, CustomTestStringConvertible {
    case queued
    /// Its first attempt failed at 20 s; the next may be made 10 s later, less up to a fifth.
    case waiting
    /// Given back at 20 s after a first start.
    case released
    case inProgress
    case leased
    /// An HTTP executor answered 202.
    case accepted
    case completed
    case failed
    case cancelled

    struct Setting {
        var given: Given
        let id: RunID
        let workflow: WorkflowID

        var run: Run? { given.state.run(id, of: given.team) }
    }

    var status: Run.Status {
        switch self {
        case .queued, .waiting, .released: .queued
        case .inProgress, .leased, .accepted: .inProgress
        case .completed: .completed
        case .failed: .failed
        case .cancelled: .cancelled
        }
    }

    /// The attempt that is, or was, the current one.
    var attempt: Int { self == .queued ? 0 : 1 }

    static let startedOnes: [RunScene] = allCases.filter { $0.status == .inProgress }

    var testDescription: String { "\(self)" }

    func setting(retry: RetryPolicy = .thrice, expiresAt: Instant? = nil) throws -> Setting {
        var given = try Given()
        let workflow = try given.newWorkflow(retry: retry)
        let id = try given.newRun(of: workflow, expiresAt: expiresAt)
        given.now = .second(10)
        if self != .queued { try given.start(leaseSeconds: self == .leased ? 60 : nil) }
        if self == .accepted { try given.happened(.accept(id, attempt: 1)) }
        if status != .inProgress && self != .queued { given.now = .second(20) }
        switch self {
        case .queued, .inProgress, .leased, .accepted: break
        case .waiting: try given.happened(.fail(id, attempt: 1, Failure(reason: .error)))
        case .released: try given.happened(.release(id, attempt: 1))
        case .completed: try given.happened(.complete(id, attempt: 1, output: nil))
        case .failed:
            try given.happened(
                .fail(id, attempt: 1, Failure(reason: .error, isRetryable: false)))
        case .cancelled: try given.happened(.cancelRun(id))
        }
        return Setting(given: given, id: id, workflow: workflow)
    }
}

extension Judged {
    /// The only event, where there is one and no other.
    var onlyEvent: Event? {
        guard case .events(let events) = self, events.count == 1 else { return nil }
        return events.first
    }

    /// The fields that a rejection finds wrong; `nil` for anything else.
    var wrongFields: [String]? {
        guard case .refused(.invalid(let violations)) = self else { return nil }
        return violations.map(\.field)
    }
}
