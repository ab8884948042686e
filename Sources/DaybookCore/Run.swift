/// Why a run, or one attempt of it, failed.
package struct RunError: Hashable, Sendable {
    /// Raw values are stored for ever.
    package enum Reason: UInt8, Sendable, CaseIterable {
        case error = 1
        /// Reaped: past its deadline or its lease.
        case timeout = 2
        /// Not started before `expires_at`.
        case expired = 3
        /// The HTTP executor got a status that means failure.
        case httpStatus = 4
        /// The HTTP executor got no answer.
        case connection = 5
        /// The output was not JSON or too large.
        case invalidOutput = 6
    }

    package let reason: Reason
    package let message: PayloadLocation?
    /// The attempt that failed; 0 for a run that was never started.
    package let attempt: Int

    package init(reason: Reason, message: PayloadLocation?, attempt: Int) {
        self.reason = reason
        self.message = message
        self.attempt = attempt
    }
}

extension RunError.Reason {
    package var name: String {
        switch self {
        case .error: "error"
        case .timeout: "timeout"
        case .expired: "expired"
        case .httpStatus: "http_status"
        case .connection: "connection"
        case .invalidOutput: "invalid_output"
        }
    }

    package init?(name: String) {
        guard let reason = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = reason
    }
}

/// One execution of a workflow.
package struct Run: Hashable, Sendable {
    /// Raw values are stored in projections.
    package enum Status: UInt8, Sendable, CaseIterable {
        case queued = 1
        case inProgress = 2
        case completed = 3
        case failed = 4
        case cancelled = 5

        /// Whether nothing can happen to the run any more.
        package var isFinal: Bool {
            switch self {
            case .queued, .inProgress: false
            case .completed, .failed, .cancelled: true
            }
        }
    }

    /// Raw values are stored for ever.
    package enum Mode: UInt8, Sendable, CaseIterable {
        case manual = 1
        case scheduled = 2
        case triggered = 3
    }

    package let id: RunID
    package let team: TeamID
    package let workflow: WorkflowID
    package let version: Int
    /// The entry whose event carries the definition that the run was queued with.
    package let definitionLocation: PayloadLocation
    package let queue: Queue
    package let mode: Mode
    package var status: Status
    package let schedule: ScheduleID?
    package let trigger: TriggerID?
    /// When its schedule was due.
    package let scheduledTime: Instant?
    package let input: PayloadLocation?
    package var output: PayloadLocation?
    /// The end's reason for a failed run; the last attempt's for one that waits to be tried again.
    package var error: RunError?
    /// How often it was started: the fencing token of every answer about it.
    package var attempt: Int
    /// The attempts that count against the retry policy.
    package var tries: Int
    package let priority: Int
    package let expiresAt: Instant?
    package let timeoutSeconds: Int
    package let retry: RetryPolicy
    package let queuedAt: Instant
    /// Its place in the queue, which it keeps over retries and releases.
    package let queuedPosition: Position
    package var firstStartedAt: Instant?
    /// When the current attempt, or the last one, was started.
    package var startedAt: Instant?
    package var startedPosition: Position
    package var deadline: Instant?
    package var leaseEndsAt: Instant?
    package var leaseSeconds: Int?
    /// An HTTP executor answered 202 and will call back.
    package var isAccepted: Bool
    /// While it waits to be tried again.
    package var notBefore: Instant?
    package var finishedAt: Instant?
    package var worker: String?
    package var touched: Touched

    package init(
        id: RunID, team: TeamID, workflow: WorkflowID, version: Int,
        definitionLocation: PayloadLocation,
        queue: Queue, mode: Mode, status: Status, schedule: ScheduleID?, trigger: TriggerID?,
        scheduledTime: Instant?, input: PayloadLocation?, output: PayloadLocation?,
        error: RunError?, attempt: Int, tries: Int, priority: Int, expiresAt: Instant?,
        timeoutSeconds: Int, retry: RetryPolicy, queuedAt: Instant, queuedPosition: Position,
        firstStartedAt: Instant?, startedAt: Instant?, startedPosition: Position,
        deadline: Instant?, leaseEndsAt: Instant?, leaseSeconds: Int?, isAccepted: Bool,
        notBefore: Instant?, finishedAt: Instant?, worker: String?, touched: Touched
    ) {
        self.id = id
        self.team = team
        self.workflow = workflow
        self.version = version
        self.definitionLocation = definitionLocation
        self.queue = queue
        self.mode = mode
        self.status = status
        self.schedule = schedule
        self.trigger = trigger
        self.scheduledTime = scheduledTime
        self.input = input
        self.output = output
        self.error = error
        self.attempt = attempt
        self.tries = tries
        self.priority = priority
        self.expiresAt = expiresAt
        self.timeoutSeconds = timeoutSeconds
        self.retry = retry
        self.queuedAt = queuedAt
        self.queuedPosition = queuedPosition
        self.firstStartedAt = firstStartedAt
        self.startedAt = startedAt
        self.startedPosition = startedPosition
        self.deadline = deadline
        self.leaseEndsAt = leaseEndsAt
        self.leaseSeconds = leaseSeconds
        self.isAccepted = isAccepted
        self.notBefore = notBefore
        self.finishedAt = finishedAt
        self.worker = worker
        self.touched = touched
    }

    /// Whether it stands in the queue now: queued, and not waiting for its next try's time.
    package var isStartable: Bool { status == .queued && notBefore == nil }

    /// Whether its `expiresAt` still holds: only until the first start.
    package var canExpire: Bool { status == .queued && firstStartedAt == nil && expiresAt != nil }
}

extension Run.Status {
    package var name: String {
        switch self {
        case .queued: "queued"
        case .inProgress: "in_progress"
        case .completed: "completed"
        case .failed: "failed"
        case .cancelled: "cancelled"
        }
    }

    package init?(name: String) {
        guard let status = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = status
    }
}

extension Run.Mode {
    package var name: String {
        switch self {
        case .manual: "manual"
        case .scheduled: "scheduled"
        case .triggered: "triggered"
        }
    }

    package init?(name: String) {
        guard let mode = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = mode
    }
}
