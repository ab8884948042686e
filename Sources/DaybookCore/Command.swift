/// What can be asked.
package enum Command: Sendable {
    // The system's own
    case initialise(logID: [UInt8])
    case start
    case stop
    case pause
    case resume
    case trustClock
    // Teams
    case createTeam(name: String, maxConcurrentRuns: Int)
    case setLicense(team: TeamID, maxConcurrentRuns: Int)
    case createKey(NewKey)
    /// Only while the other key, where one is named, can administer for ever: somebody must.
    case revokeKey(KeyID, besides: KeyID? = nil)
    case recordKeyUse([KeyUse])
    // Workflows and their versions
    case createWorkflow(NewWorkflow)
    case modifyWorkflow(WorkflowID, WorkflowChanges)
    case setConcurrency(WorkflowID, maxConcurrentRuns: Int)
    case deleteWorkflow(WorkflowID)
    case importWorkflow(NewWorkflow, versions: [ImportedVersion], activeVersion: Int)
    case rotateSecret(WorkflowID, SealedSecret)
    case editDraft(WorkflowID, Definition)
    case saveVersion(WorkflowID, NewVersion)
    case renameVersion(WorkflowID, number: Int, name: String)
    case activateVersion(WorkflowID, number: Int)
    case deleteVersion(WorkflowID, number: Int)
    // Schedules
    case createSchedule(WorkflowID, NewSchedule)
    case modifySchedule(ScheduleID, ScheduleChanges)
    case cancelSchedule(ScheduleID)
    case fire(ScheduleID, revision: UInt64)
    // Runs
    case execute(WorkflowID, NewRun)
    case claim(Queue, worker: String?, leaseSeconds: Int?)
    case renewLease(RunID, attempt: Int)
    case accept(RunID, attempt: Int)
    case release(RunID, attempt: Int)
    case complete(RunID, attempt: Int, output: Payload?)
    case fail(RunID, attempt: Int, Failure)
    case reap(RunID, attempt: Int)
    case retry(RunID, attempt: Int)
    case expire(RunID)
    case cancelRun(RunID)
    case erase(ErasureTarget, Erasure)
    // Triggers
    case createTrigger(NewTrigger)
    case modifyTrigger(SeenTrigger, TriggerChanges)
    case deleteTrigger(SeenTrigger)
    case rotateTriggerSecret(SeenTrigger, SealedSecret)
    case arrive(Arrival, input: Payload?)
    case refuse(Arrival, NewRefusal)
    case retryRefusal(RefusalID, of: SeenTrigger, input: Payload?)
    // Completion webhooks
    case createSubscription(NewSubscription)
    case modifySubscription(SubscriptionID, SubscriptionChanges)
    case deleteSubscription(SubscriptionID)
    case rotateSubscriptionSecret(SubscriptionID, SealedSecret)
    case recordDelivery(DeliveryID, DeliveryAttempt, DeliveryVerdict)
    case redeliver(DeliveryID)
    /// With where a range goes on that has more.
    case replay(SubscriptionID, [DeliveryID], nextAfter: Position?)
    // Changes of many schedules at once
    case startOperation(BulkOperation.Task, matched: Int)
    case advanceOperation(OperationID, BulkOperation.Step)
    case finishOperation(OperationID, BulkOperation.Failure?)
}

/// The names under which commands are stored, for ever; numbers are given by hand and never again.
package enum CommandName: UInt16, Sendable, CaseIterable {
    case initialise = 1
    case start = 2
    case stop = 3
    case pause = 4
    case resume = 5
    case trustClock = 6
    case createTeam = 10
    case setLicense = 11
    case createKey = 12
    case revokeKey = 13
    case recordKeyUse = 14
    case createWorkflow = 20
    case modifyWorkflow = 21
    case setConcurrency = 22
    case deleteWorkflow = 23
    case rotateSecret = 24
    case importWorkflow = 25
    case editDraft = 30
    case saveVersion = 31
    case renameVersion = 32
    case activateVersion = 33
    case deleteVersion = 34
    case createSchedule = 40
    case modifySchedule = 41
    case cancelSchedule = 42
    case fire = 43
    case execute = 50
    case acceptHook = 51
    case acceptMessage = 52
    case refuseMessage = 53
    case retryRefusal = 54
    case claim = 60
    case renewLease = 61
    case accept = 62
    case release = 63
    case complete = 64
    case fail = 65
    case reap = 66
    case retry = 67
    case expire = 68
    case cancelRun = 69
    case createTrigger = 80
    case modifyTrigger = 81
    case deleteTrigger = 82
    case createSubscription = 85
    case modifySubscription = 86
    case deleteSubscription = 87
    case recordDelivery = 90
    case redeliver = 91
    case replayDeliveries = 92
    case startOperation = 95
    case finishOperation = 96
    case advanceOperation = 97
    case erase = 100
}

/// An optional part of a change: left as it is, or set.
package enum Change<Value: Sendable & Hashable>: Hashable, Sendable {
    case keep
    case set(Value)
}

package struct NewKey: Sendable {
    package let role: Role
    package let name: String
    package let secretDigest: Digest256
    package let expiresAt: Instant?

    package init(role: Role, name: String, secretDigest: Digest256, expiresAt: Instant?) {
        self.role = role
        self.name = name
        self.secretDigest = secretDigest
        self.expiresAt = expiresAt
    }
}

package struct NewWorkflow: Sendable {
    package let name: String
    package let description: String?
    package let definition: Definition
    package let runTimeoutSeconds: Int
    package let retry: RetryPolicy
    package let maxConcurrentRuns: Int
    package let secret: SealedSecret

    package init(
        name: String, description: String? = nil, definition: Definition,
        runTimeoutSeconds: Int = Limits.defaultRunTimeoutSeconds, retry: RetryPolicy = .once,
        maxConcurrentRuns: Int = 0, secret: SealedSecret
    ) {
        self.name = name
        self.description = description
        self.definition = definition
        self.runTimeoutSeconds = runTimeoutSeconds
        self.retry = retry
        self.maxConcurrentRuns = maxConcurrentRuns
        self.secret = secret
    }
}

package struct WorkflowChanges: Hashable, Sendable {
    package var name: String?
    package var description: Change<String?>
    package var runTimeoutSeconds: Int?
    package var retry: RetryPolicy?
    package var isPaused: Bool?

    package init(
        name: String? = nil, description: Change<String?> = .keep, runTimeoutSeconds: Int? = nil,
        retry: RetryPolicy? = nil, isPaused: Bool? = nil
    ) {
        self.name = name
        self.description = description
        self.runTimeoutSeconds = runTimeoutSeconds
        self.retry = retry
        self.isPaused = isPaused
    }
}

package struct NewVersion: Sendable {
    package let source: Int
    package let name: String?
    package let markAsActive: Bool

    package init(source: Int = 0, name: String? = nil, markAsActive: Bool = false) {
        self.source = source
        self.name = name
        self.markAsActive = markAsActive
    }
}

package struct NewSchedule: Sendable {
    package let scheduledTime: Instant
    package let input: Payload?
    package let version: Int?
    package let scheduledByName: String?
    package let expiresAt: Instant?
    package let priority: Int
    package let deduplicationKey: DeduplicationKey?

    package init(
        scheduledTime: Instant, input: Payload? = nil, version: Int? = nil,
        scheduledByName: String? = nil, expiresAt: Instant? = nil,
        priority: Int = Limits.defaultPriority, deduplicationKey: DeduplicationKey? = nil
    ) {
        self.scheduledTime = scheduledTime
        self.input = input
        self.version = version
        self.scheduledByName = scheduledByName
        self.expiresAt = expiresAt
        self.priority = priority
        self.deduplicationKey = deduplicationKey
    }
}

package struct ScheduleChanges: Hashable, Sendable {
    package var scheduledTime: Instant?
    package var input: Payload?
    package var version: Change<Int?>
    package var expiresAt: Change<Instant?>
    package var priority: Int?

    package init(
        scheduledTime: Instant? = nil, input: Payload? = nil, version: Change<Int?> = .keep,
        expiresAt: Change<Instant?> = .keep, priority: Int? = nil
    ) {
        self.scheduledTime = scheduledTime
        self.input = input
        self.version = version
        self.expiresAt = expiresAt
        self.priority = priority
    }

    package var isEmpty: Bool { self == ScheduleChanges() }
}

package struct NewRun: Sendable {
    package let input: Payload?
    package let version: Int?
    package let priority: Int
    package let expiresAt: Instant?

    package init(
        input: Payload? = nil, version: Int? = nil, priority: Int = Limits.defaultPriority,
        expiresAt: Instant? = nil
    ) {
        self.input = input
        self.version = version
        self.priority = priority
        self.expiresAt = expiresAt
    }
}

/// How an executor or a worker says that an attempt failed.
package struct Failure: Sendable {
    package let reason: RunError.Reason
    package let message: Payload?
    package let isRetryable: Bool
    /// The least time until the next try that the other side asked for (`Retry-After`).
    package let retryAfterSeconds: Int?

    package init(
        reason: RunError.Reason, message: Payload? = nil, isRetryable: Bool = true,
        retryAfterSeconds: Int? = nil
    ) {
        self.reason = reason
        self.message = message
        self.isRetryable = isRetryable
        self.retryAfterSeconds = retryAfterSeconds
    }
}

extension Command {
    package var name: CommandName {
        switch self {
        case .initialise: .initialise
        case .start: .start
        case .stop: .stop
        case .pause: .pause
        case .resume: .resume
        case .trustClock: .trustClock
        case .createTeam: .createTeam
        case .setLicense: .setLicense
        case .createKey: .createKey
        case .revokeKey: .revokeKey
        case .recordKeyUse: .recordKeyUse
        case .createWorkflow: .createWorkflow
        case .modifyWorkflow: .modifyWorkflow
        case .setConcurrency: .setConcurrency
        case .deleteWorkflow: .deleteWorkflow
        case .importWorkflow: .importWorkflow
        case .rotateSecret: .rotateSecret
        case .editDraft: .editDraft
        case .saveVersion: .saveVersion
        case .renameVersion: .renameVersion
        case .activateVersion: .activateVersion
        case .deleteVersion: .deleteVersion
        case .createSchedule: .createSchedule
        case .modifySchedule: .modifySchedule
        case .cancelSchedule: .cancelSchedule
        case .fire: .fire
        case .execute: .execute
        case .claim: .claim
        case .renewLease: .renewLease
        case .accept: .accept
        case .release: .release
        case .complete: .complete
        case .fail: .fail
        case .reap: .reap
        case .retry: .retry
        case .expire: .expire
        case .cancelRun: .cancelRun
        case .erase: .erase
        case .createTrigger: .createTrigger
        case .modifyTrigger: .modifyTrigger
        case .deleteTrigger: .deleteTrigger
        case .rotateTriggerSecret, .rotateSubscriptionSecret: .rotateSecret
        case .arrive(let arrival, _):
            arrival.trigger.source == .webhook ? .acceptHook : .acceptMessage
        case .refuse: .refuseMessage
        case .retryRefusal: .retryRefusal
        case .createSubscription: .createSubscription
        case .modifySubscription: .modifySubscription
        case .deleteSubscription: .deleteSubscription
        case .recordDelivery: .recordDelivery
        case .redeliver: .redeliver
        case .replay: .replayDeliveries
        case .startOperation: .startOperation
        case .advanceOperation: .advanceOperation
        case .finishOperation: .finishOperation
        }
    }

    /// The least role of a key that may ask for this; `nil` where only the service itself may.
    package var requiredRole: Role? {
        switch self {
        case .initialise, .start, .stop, .fire, .accept, .reap, .retry, .expire, .arrive, .refuse,
            .recordDelivery, .recordKeyUse, .advanceOperation, .finishOperation:
            nil
        case .pause, .resume, .trustClock, .createTeam, .setLicense, .createKey, .revokeKey: .admin
        case .createWorkflow, .modifyWorkflow, .setConcurrency, .deleteWorkflow,
            .importWorkflow, .rotateSecret, .editDraft, .saveVersion, .renameVersion,
            .activateVersion, .deleteVersion, .startOperation, .createSchedule, .modifySchedule,
            .cancelSchedule, .execute, .cancelRun, .erase, .retryRefusal, .createSubscription,
            .modifySubscription, .deleteSubscription, .rotateSubscriptionSecret, .redeliver,
            .replay:
            .write
        // The process reads queues with its own credentials: no team may name another's.
        case .createTrigger(let new): new.source == .sqs ? .admin : .write
        case .modifyTrigger(let seen, _), .deleteTrigger(let seen),
            .rotateTriggerSecret(let seen, _):
            seen.source == .sqs ? .admin : .write
        case .claim, .renewLease, .release, .complete, .fail: .work
        }
    }

    /// Whether it starts a run.
    package var startsSomething: Bool {
        if case .claim = self { true } else { false }
    }

    /// Whether it ends something or gives a slot back: such a command is never refused for load.
    package var endsSomething: Bool {
        switch self {
        case .complete, .fail, .release, .renewLease, .accept, .cancelRun, .cancelSchedule,
            .recordDelivery, .advanceOperation, .finishOperation:
            true
        default: false
        }
    }
}
