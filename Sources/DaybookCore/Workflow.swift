/// Where startable runs wait for an executor.
package enum Queue: Hashable, Comparable, Sendable {
    /// Inside the process: completes with its input after a delay.
    case echo
    /// Inside the process: an HTTP request.
    case http
    /// A worker queue of the team, by name.
    case worker(String)

    /// The queues that the service itself serves.
    package static let inner: [Queue] = [.echo, .http]

    package var isInner: Bool {
        if case .worker = self { false } else { true }
    }

    /// `echo`, `http`, or the worker queue's name.
    package var name: String {
        switch self {
        case .echo: "echo"
        case .http: "http"
        case .worker(let name): name
        }
    }

    /// Inner queues first, then worker queues by the bytes of their names.
    package static func < (left: Queue, right: Queue) -> Bool {
        switch (left, right) {
        case (.worker(let left), .worker(let right)):
            left.utf8.lexicographicallyPrecedes(right.utf8)
        default: left.rank < right.rank
        }
    }

    private var rank: Int {
        switch self {
        case .echo: 0
        case .http: 1
        case .worker: 2
        }
    }

    /// Whether a worker queue may have this name: ASCII letters, digits, `.`, `_` and `-`.
    package static func isName(_ name: String) -> Bool {
        Limits.queueNameBytes.contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

/// How a workflow runs: the JSON object that its owner wrote, secrets in it sealed, and the queue
/// that its executor serves.
package struct Definition: Hashable, Sendable {
    package let bytes: [UInt8]
    package let queue: Queue

    package init(bytes: [UInt8], queue: Queue) {
        self.bytes = bytes
        self.queue = queue
    }
}

/// How often a run is tried, and how long it waits in between.
package struct RetryPolicy: Hashable, Sendable {
    package let maxAttempts: Int
    package let initialBackoffSeconds: Int
    package let maxBackoffSeconds: Int

    package init(
        maxAttempts: Int = 1, initialBackoffSeconds: Int = 10, maxBackoffSeconds: Int = 300
    ) {
        self.maxAttempts = maxAttempts
        self.initialBackoffSeconds = initialBackoffSeconds
        self.maxBackoffSeconds = maxBackoffSeconds
    }

    package static let once = RetryPolicy()
}

/// A named thing that can be run.
package struct Workflow: Hashable, Sendable {
    package let id: WorkflowID
    package let team: TeamID
    package var name: String
    package var description: String?
    package var runTimeoutSeconds: Int
    package var retry: RetryPolicy
    /// How many of its runs may be in progress at once; 0 sets no cap of its own.
    package var maxConcurrentRuns: Int
    package var isPaused: Bool
    package var activeVersion: Int
    package var lastVersion: Int
    /// Signs what is sent for it.
    package var secret: SealedSecret
    /// The secret before the last rotation, and until when it holds.
    package var previousSecret: PreviousSecret?
    /// The operation that ends what there is of it and deletes it: nothing new is taken meanwhile.
    package var deletion: OperationID?
    /// From then on there is no such workflow; the row stays for what happened before.
    package var deletedAt: Instant?
    package var revision: UInt64
    package var touched: Touched

    package struct PreviousSecret: Hashable, Sendable {
        package let secret: SealedSecret
        package let endsAt: Instant

        package init(secret: SealedSecret, endsAt: Instant) {
            self.secret = secret
            self.endsAt = endsAt
        }
    }

    package init(
        id: WorkflowID, team: TeamID, name: String, description: String?, runTimeoutSeconds: Int,
        retry: RetryPolicy, maxConcurrentRuns: Int, isPaused: Bool, activeVersion: Int,
        lastVersion: Int, secret: SealedSecret, previousSecret: PreviousSecret?,
        deletion: OperationID?, deletedAt: Instant?, revision: UInt64, touched: Touched
    ) {
        self.id = id
        self.team = team
        self.name = name
        self.description = description
        self.runTimeoutSeconds = runTimeoutSeconds
        self.retry = retry
        self.maxConcurrentRuns = maxConcurrentRuns
        self.isPaused = isPaused
        self.activeVersion = activeVersion
        self.lastVersion = lastVersion
        self.secret = secret
        self.previousSecret = previousSecret
        self.deletion = deletion
        self.deletedAt = deletedAt
        self.revision = revision
        self.touched = touched
    }
}

/// One numbered definition of a workflow. Number 0 is the draft; the others never change.
package struct Version: Hashable, Sendable {
    package let workflow: WorkflowID
    package let team: TeamID
    package let number: Int
    package var name: String?
    /// The event that carries the definition.
    package var definitionLocation: PayloadLocation
    package var queue: Queue
    /// The version that it was copied from; `nil` for the draft.
    package var source: Int?
    package var touched: Touched

    package init(
        workflow: WorkflowID, team: TeamID, number: Int, name: String?,
        definitionLocation: PayloadLocation, queue: Queue, source: Int?, touched: Touched
    ) {
        self.workflow = workflow
        self.team = team
        self.number = number
        self.name = name
        self.definitionLocation = definitionLocation
        self.queue = queue
        self.source = source
        self.touched = touched
    }
}
