/// What happened. Each event names the object it is about and, as `previous`, the position of the
/// entry that touched that object last, so that a history can be walked back through the log.
package enum Event: Hashable, Sendable {
    case initialised(logID: [UInt8], format: Int)
    case started(reapFloor: Instant)
    case stopped
    case paused
    case resumed(reapFloor: Instant)
    case clockTrusted
    case teamCreated(TeamCreated)
    case licenseSet(LicenseSet)
    case keyCreated(KeyCreated)
    case keyRevoked(KeyRevoked)
    case keysUsed([KeyUse])
    case workflowCreated(WorkflowCreated)
    case workflowModified(WorkflowModified)
    case concurrencySet(ConcurrencySet)
    case secretRotated(SecretRotated)
    case workflowDeleted(WorkflowDeleted)
    case workflowClosed(WorkflowClosed)
    case workflowReopened(WorkflowReopened)
    case draftEdited(DraftEdited)
    case versionSaved(VersionSaved)
    case versionRenamed(VersionRenamed)
    case versionActivated(VersionActivated)
    case versionDeleted(VersionDeleted)
    case versionImported(VersionImported)
    case scheduleCreated(ScheduleCreated)
    case scheduleModified(ScheduleModified)
    case scheduleCancelled(ScheduleCancelled)
    case scheduleFired(ScheduleFired)
    case scheduleExpired(ScheduleExpired)
    case runQueued(RunQueued)
    case runStarted(RunStarted)
    case leaseRenewed(LeaseRenewed)
    case runAccepted(RunAccepted)
    case runReleased(RunReleased)
    case runCompleted(RunCompleted)
    case runRetryScheduled(RunRetryScheduled)
    case runFailed(RunFailed)
    case runRequeued(RunRequeued)
    case runCancelled(RunCancelled)
    case payloadsErased(PayloadsErased)
    case triggerCreated(TriggerCreated)
    case triggerModified(TriggerModified)
    case triggerDeleted(TriggerDeleted)
    case triggerSecretRotated(TriggerSecretRotated)
    case messageRefused(MessageRefused)
    case refusalRetried(RefusalRetried)
    case subscriptionCreated(SubscriptionCreated)
    case subscriptionModified(SubscriptionModified)
    case subscriptionDeleted(SubscriptionDeleted)
    case subscriptionSecretRotated(SubscriptionSecretRotated)
    case deliverySucceeded(DeliverySucceeded)
    case deliveryRetryScheduled(DeliveryRetryScheduled)
    case deliveryFailed(DeliveryFailed)
    case deliveryRequeued(DeliveryRequeued)
    case deliveriesRequeued(DeliveriesRequeued)
    case operationStarted(OperationStarted)
    case operationAdvanced(OperationAdvanced)
    case operationFinished(OperationFinished)
}

package struct TeamCreated: Hashable, Sendable {
    package let team: TeamID
    package let name: String
    package let maxConcurrentRuns: Int

    package init(team: TeamID, name: String, maxConcurrentRuns: Int) {
        self.team = team
        self.name = name
        self.maxConcurrentRuns = maxConcurrentRuns
    }
}

package struct LicenseSet: Hashable, Sendable {
    package let team: TeamID
    package let previous: Position
    package let maxConcurrentRuns: Int

    package init(team: TeamID, previous: Position, maxConcurrentRuns: Int) {
        self.team = team
        self.previous = previous
        self.maxConcurrentRuns = maxConcurrentRuns
    }
}

package struct KeyCreated: Hashable, Sendable {
    package let key: KeyID
    package let role: Role
    package let name: String
    package let secretDigest: Digest256
    package let expiresAt: Instant?

    package init(key: KeyID, role: Role, name: String, secretDigest: Digest256, expiresAt: Instant?)
    {
        self.key = key
        self.role = role
        self.name = name
        self.secretDigest = secretDigest
        self.expiresAt = expiresAt
    }
}

package struct KeyRevoked: Hashable, Sendable {
    package let key: KeyID
    package let previous: Position

    package init(key: KeyID, previous: Position) {
        self.key = key
        self.previous = previous
    }
}

/// When a key was used last.
package struct KeyUse: Hashable, Sendable {
    package let key: KeyID
    package let usedAt: Instant

    package init(key: KeyID, usedAt: Instant) {
        self.key = key
        self.usedAt = usedAt
    }
}

package struct WorkflowCreated: Hashable, Sendable {
    package let workflow: WorkflowID
    package let name: String
    package let description: String?
    package let definition: Definition
    package let runTimeoutSeconds: Int
    package let retry: RetryPolicy
    package let maxConcurrentRuns: Int
    package let secret: SealedSecret

    package init(
        workflow: WorkflowID, name: String, description: String?, definition: Definition,
        runTimeoutSeconds: Int, retry: RetryPolicy, maxConcurrentRuns: Int, secret: SealedSecret
    ) {
        self.workflow = workflow
        self.name = name
        self.description = description
        self.definition = definition
        self.runTimeoutSeconds = runTimeoutSeconds
        self.retry = retry
        self.maxConcurrentRuns = maxConcurrentRuns
        self.secret = secret
    }
}

package struct WorkflowModified: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position
    package let changes: WorkflowChanges

    package init(workflow: WorkflowID, previous: Position, changes: WorkflowChanges) {
        self.workflow = workflow
        self.previous = previous
        self.changes = changes
    }
}

package struct ConcurrencySet: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position
    package let maxConcurrentRuns: Int

    package init(workflow: WorkflowID, previous: Position, maxConcurrentRuns: Int) {
        self.workflow = workflow
        self.previous = previous
        self.maxConcurrentRuns = maxConcurrentRuns
    }
}

package struct SecretRotated: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position
    package let secret: SealedSecret
    /// Until when the secret before it holds.
    package let oldEndsAt: Instant

    package init(
        workflow: WorkflowID, previous: Position, secret: SealedSecret, oldEndsAt: Instant
    ) {
        self.workflow = workflow
        self.previous = previous
        self.secret = secret
        self.oldEndsAt = oldEndsAt
    }
}

package struct WorkflowDeleted: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position

    package init(workflow: WorkflowID, previous: Position) {
        self.workflow = workflow
        self.previous = previous
    }
}

/// From then on it takes nothing new: the operation ends what there is, and deletes it.
package struct WorkflowClosed: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position
    package let operation: OperationID

    package init(workflow: WorkflowID, previous: Position, operation: OperationID) {
        self.workflow = workflow
        self.previous = previous
        self.operation = operation
    }
}

/// The operation that was to delete it failed.
package struct WorkflowReopened: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position

    package init(workflow: WorkflowID, previous: Position) {
        self.workflow = workflow
        self.previous = previous
    }
}

package struct DraftEdited: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position
    package let definition: Definition

    package init(workflow: WorkflowID, previous: Position, definition: Definition) {
        self.workflow = workflow
        self.previous = previous
        self.definition = definition
    }
}

package struct VersionSaved: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position
    package let number: Int
    package let source: Int
    package let name: String?
    /// The event that carries the definition that both versions share.
    package let definitionLocation: PayloadLocation
    package let queue: Queue

    package init(
        workflow: WorkflowID, previous: Position, number: Int, source: Int, name: String?,
        definitionLocation: PayloadLocation, queue: Queue
    ) {
        self.workflow = workflow
        self.previous = previous
        self.number = number
        self.source = source
        self.name = name
        self.definitionLocation = definitionLocation
        self.queue = queue
    }
}

package struct VersionRenamed: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position
    package let number: Int
    package let name: String

    package init(workflow: WorkflowID, previous: Position, number: Int, name: String) {
        self.workflow = workflow
        self.previous = previous
        self.number = number
        self.name = name
    }
}

package struct VersionActivated: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position
    package let number: Int

    package init(workflow: WorkflowID, previous: Position, number: Int) {
        self.workflow = workflow
        self.previous = previous
        self.number = number
    }
}

package struct VersionDeleted: Hashable, Sendable {
    package let workflow: WorkflowID
    package let previous: Position
    package let number: Int

    package init(workflow: WorkflowID, previous: Position, number: Int) {
        self.workflow = workflow
        self.previous = previous
        self.number = number
    }
}

/// A version that came along with an imported workflow.
package struct VersionImported: Hashable, Sendable {
    package let workflow: WorkflowID
    package let version: ImportedVersion

    package init(workflow: WorkflowID, version: ImportedVersion) {
        self.workflow = workflow
        self.version = version
    }
}

package struct ImportedVersion: Hashable, Sendable {
    package let number: Int
    package let name: String?
    package let definition: Definition

    package init(number: Int, name: String?, definition: Definition) {
        self.number = number
        self.name = name
        self.definition = definition
    }
}

package struct ScheduleCreated: Hashable, Sendable {
    package let schedule: ScheduleID
    package let workflow: WorkflowID
    package let scheduledTime: Instant
    package let input: Payload?
    package let version: Int?
    package let scheduledByName: String?
    package let expiresAt: Instant?
    package let priority: Int
    package let deduplicationKey: DeduplicationKey?

    package init(
        schedule: ScheduleID, workflow: WorkflowID, scheduledTime: Instant, input: Payload?,
        version: Int?, scheduledByName: String?, expiresAt: Instant?, priority: Int,
        deduplicationKey: DeduplicationKey?
    ) {
        self.schedule = schedule
        self.workflow = workflow
        self.scheduledTime = scheduledTime
        self.input = input
        self.version = version
        self.scheduledByName = scheduledByName
        self.expiresAt = expiresAt
        self.priority = priority
        self.deduplicationKey = deduplicationKey
    }
}

package struct ScheduleModified: Hashable, Sendable {
    package let schedule: ScheduleID
    package let previous: Position
    package let changes: ScheduleChanges

    package init(schedule: ScheduleID, previous: Position, changes: ScheduleChanges) {
        self.schedule = schedule
        self.previous = previous
        self.changes = changes
    }
}

package struct ScheduleCancelled: Hashable, Sendable {
    package let schedule: ScheduleID
    package let previous: Position

    package init(schedule: ScheduleID, previous: Position) {
        self.schedule = schedule
        self.previous = previous
    }
}

package struct ScheduleFired: Hashable, Sendable {
    package let schedule: ScheduleID
    package let previous: Position
    package let run: RunID
    package let scheduledTime: Instant
    /// The entry's recorded time: `firedAt - scheduledTime` is how late the promise was kept.
    package let firedAt: Instant

    package init(
        schedule: ScheduleID, previous: Position, run: RunID, scheduledTime: Instant,
        firedAt: Instant
    ) {
        self.schedule = schedule
        self.previous = previous
        self.run = run
        self.scheduledTime = scheduledTime
        self.firedAt = firedAt
    }
}

package struct ScheduleExpired: Hashable, Sendable {
    package let schedule: ScheduleID
    package let previous: Position
    package let expiresAt: Instant

    package init(schedule: ScheduleID, previous: Position, expiresAt: Instant) {
        self.schedule = schedule
        self.previous = previous
        self.expiresAt = expiresAt
    }
}
