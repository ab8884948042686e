/// One promise: run this workflow at that time.
package struct Schedule: Hashable, Sendable {
    /// Raw values are stored in projections.
    package enum Status: UInt8, Sendable, CaseIterable {
        case pending = 1
        case inProgress = 2
        case completed = 3
        case failed = 4
        case cancelled = 5

        /// Whether nothing can happen to the schedule any more.
        package var isFinal: Bool {
            switch self {
            case .pending, .inProgress: false
            case .completed, .failed, .cancelled: true
            }
        }
    }

    /// Why a schedule is `failed`.
    package enum Failure: Hashable, Sendable {
        /// Its `expiresAt` had passed when it was to fire; there is no run.
        case expired
        /// Its run failed.
        case run(RunError)
        /// Its run was cancelled after firing.
        case runCancelled
    }

    package let id: ScheduleID
    package let team: TeamID
    package let workflow: WorkflowID
    package var scheduledTime: Instant
    package var status: Status
    package var input: PayloadLocation?
    /// The pinned version; `nil` takes the one that is active at firing.
    package var version: Int?
    package let scheduledByName: String?
    /// The promise holds until then: its run must have started first.
    package var expiresAt: Instant?
    package var priority: Int
    package let deduplicationKey: DeduplicationKey?
    package var run: RunID?
    package var failure: Failure?
    package var firedAt: Instant?
    package var revision: UInt64
    package var touched: Touched

    package init(
        id: ScheduleID, team: TeamID, workflow: WorkflowID, scheduledTime: Instant, status: Status,
        input: PayloadLocation?, version: Int?, scheduledByName: String?, expiresAt: Instant?,
        priority: Int, deduplicationKey: DeduplicationKey?, run: RunID?, failure: Failure?,
        firedAt: Instant?, revision: UInt64, touched: Touched
    ) {
        self.id = id
        self.team = team
        self.workflow = workflow
        self.scheduledTime = scheduledTime
        self.status = status
        self.input = input
        self.version = version
        self.scheduledByName = scheduledByName
        self.expiresAt = expiresAt
        self.priority = priority
        self.deduplicationKey = deduplicationKey
        self.run = run
        self.failure = failure
        self.firedAt = firedAt
        self.revision = revision
        self.touched = touched
    }
}

extension Schedule.Status {
    package var name: String {
        switch self {
        case .pending: "pending"
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

/// A client's own name for a promise. Compared by its bytes: two spellings of é are two keys.
package struct DeduplicationKey: Hashable, Comparable, Sendable {
    package let bytes: [UInt8]

    package init(_ text: String) {
        bytes = Array(text.utf8)
    }

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    package static func < (left: Self, right: Self) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
