import DaybookCore
import Foundation
import SwiftProtobuf

/// Why bytes are not an entry that this binary understands.
package enum EntryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not protobuf, or not an entry.
    case malformed(String)
    /// Written by a newer binary: an event, a command or a field that this one does not know.
    case unknown(String)

    package var description: String {
        switch self {
        case .malformed(let what): "malformed entry: \(what)"
        case .unknown(let what): "an entry of a newer format: \(what)"
        }
    }
}

extension EntryCodec {
    /// Decodes an entry strictly: what it does not know, it refuses.
    package static func decode(_ bytes: [UInt8]) throws(EntryError) -> Entry {
        try decode(bytes.span.bytes)
    }

    static func decode(_ bytes: RawSpan) throws(EntryError) -> Entry {
        let message: Daybook_Entry
        do {
            message = try Daybook_Entry(serializedBytes: bytes)
        } catch {
            throw .malformed("not protobuf")
        }
        try known(message)
        guard let command = CommandName(rawValue: UInt16(clamping: message.command.rawValue))
        else { throw .unknown("command \(message.command.rawValue)") }
        guard let commandID = CommandID(span: message.commandID.span) else {
            throw .malformed("command_id")
        }
        var idempotency: Idempotency?
        if message.hasIdempotency {
            try known(message.idempotency)
            idempotency = Idempotency(
                scope: try digest(message.idempotency.scope),
                request: try digest(message.idempotency.request),
                endsAt: Instant(microseconds: message.idempotency.endsAt))
        }
        var events: [Event] = []
        events.reserveCapacity(message.events.count)
        for event in message.events { events.append(try decode(event)) }
        return Entry(
            header: EntryHeader(
                position: message.position,
                recordedAt: Instant(microseconds: message.recordedAt),
                team: try optionalID(message.team), actor: try decode(message.actor),
                commandID: commandID, causation: message.causation, idempotency: idempotency,
                traceparent: message.traceparent.isEmpty ? nil : message.traceparent,
                command: command),
            events: events)
    }

    private static func decode(_ event: Daybook_Event) throws(EntryError) -> Event {
        try known(event)
        switch event.kind {
        case nil: throw .unknown("an event without a known kind")
        case .initialised(let event):
            try known(event)
            return .initialised(logID: Array(event.logID), format: Int(event.format))
        case .started(let event):
            try known(event)
            return .started(reapFloor: Instant(microseconds: event.reapFloor))
        case .stopped(let event):
            try known(event)
            return .stopped
        case .paused(let event):
            try known(event)
            return .paused
        case .resumed(let event):
            try known(event)
            return .resumed(reapFloor: Instant(microseconds: event.reapFloor))
        case .clockTrusted(let event):
            try known(event)
            return .clockTrusted
        case .teamCreated(let event):
            try known(event)
            return .teamCreated(
                TeamCreated(
                    team: try id(event.team), name: event.name,
                    maxConcurrentRuns: Int(event.maxConcurrentRuns)))
        case .licenseSet(let event):
            try known(event)
            return .licenseSet(
                LicenseSet(
                    team: try id(event.team), previous: event.previous,
                    maxConcurrentRuns: Int(event.maxConcurrentRuns)))
        case .keyCreated(let event):
            try known(event)
            guard let role = Role(rawValue: UInt8(clamping: event.role.rawValue)) else {
                throw .unknown("role \(event.role.rawValue)")
            }
            return .keyCreated(
                KeyCreated(
                    key: try id(event.key), role: role, name: event.name,
                    secretDigest: try digest(event.secretDigest),
                    expiresAt: event.hasExpiresAt
                        ? Instant(microseconds: event.expiresAt) : nil))
        case .keyRevoked(let event):
            try known(event)
            return .keyRevoked(KeyRevoked(key: try id(event.key), previous: event.previous))
        case .keysUsed(let event):
            try known(event)
            var uses: [KeyUse] = []
            for use in event.uses {
                try known(use)
                uses.append(
                    KeyUse(key: try id(use.key), usedAt: Instant(microseconds: use.usedAt)))
            }
            return .keysUsed(uses)
        case .workflowCreated, .workflowModified, .concurrencySet, .secretRotated, .draftEdited,
            .versionSaved, .versionRenamed, .versionActivated, .workflowDeleted,
            .workflowClosed, .workflowReopened, .versionDeleted, .versionImported:
            return try decodeWorkflow(event)
        case .scheduleCreated, .scheduleModified, .scheduleCancelled, .scheduleFired,
            .scheduleExpired:
            return try decodeSchedule(event)
        case .runQueued, .runStarted, .leaseRenewed, .runAccepted, .runReleased, .runCompleted,
            .runRetryScheduled, .runFailed, .runRequeued, .runCancelled:
            return try decodeRun(event)
        case .payloadsErased(let event): return .payloadsErased(try decode(event))
        case .triggerCreated, .triggerModified, .triggerDeleted, .triggerSecretRotated,
            .messageRefused, .refusalRetried:
            return try decodeTrigger(event)
        case .subscriptionCreated, .subscriptionModified, .subscriptionDeleted,
            .subscriptionSecretRotated:
            return try decodeSubscription(event)
        case .deliverySucceeded, .deliveryRetryScheduled, .deliveryFailed, .deliveryRequeued,
            .deliveriesRequeued:
            return try decodeDelivery(event)
        case .operationStarted, .operationAdvanced, .operationFinished:
            return try decodeOperation(event)
        }
    }

    private static func decodeWorkflow(_ event: Daybook_Event) throws(EntryError) -> Event {
        switch event.kind {
        case .workflowCreated(let event):
            try known(event)
            return .workflowCreated(
                WorkflowCreated(
                    workflow: try id(event.workflow), name: event.name,
                    description: event.hasDescription_p ? event.description_p : nil,
                    definition: try decode(event.definition),
                    runTimeoutSeconds: Int(event.runTimeoutSeconds),
                    retry: try decode(event.retry),
                    maxConcurrentRuns: Int(event.maxConcurrentRuns),
                    secret: try decode(event.secret)))
        case .workflowModified(let event):
            try known(event)
            var changes = WorkflowChanges()
            if event.hasName { changes.name = event.name }
            if event.hasDescription_p { changes.description = .set(event.description_p) }
            if event.clearsDescription { changes.description = .set(nil) }
            if event.hasRunTimeoutSeconds {
                changes.runTimeoutSeconds = Int(event.runTimeoutSeconds)
            }
            if event.hasRetry { changes.retry = try decode(event.retry) }
            if event.hasIsPaused { changes.isPaused = event.isPaused }
            return .workflowModified(
                WorkflowModified(
                    workflow: try id(event.workflow), previous: event.previous, changes: changes))
        case .concurrencySet(let event):
            try known(event)
            return .concurrencySet(
                ConcurrencySet(
                    workflow: try id(event.workflow), previous: event.previous,
                    maxConcurrentRuns: Int(event.maxConcurrentRuns)))
        case .secretRotated(let event):
            try known(event)
            return .secretRotated(
                SecretRotated(
                    workflow: try id(event.workflow), previous: event.previous,
                    secret: try decode(event.secret),
                    oldEndsAt: Instant(microseconds: event.oldEndsAt)))
        case .draftEdited(let event):
            try known(event)
            return .draftEdited(
                DraftEdited(
                    workflow: try id(event.workflow), previous: event.previous,
                    definition: try decode(event.definition)))
        case .versionSaved(let event):
            try known(event)
            return .versionSaved(
                VersionSaved(
                    workflow: try id(event.workflow), previous: event.previous,
                    number: Int(event.number), source: Int(event.source),
                    name: event.hasName ? event.name : nil,
                    definitionLocation: PayloadLocation(
                        position: event.definitionPosition, event: Int(event.definitionEvent)),
                    queue: try decode(event.queue)))
        case .versionRenamed(let event):
            try known(event)
            return .versionRenamed(
                VersionRenamed(
                    workflow: try id(event.workflow), previous: event.previous,
                    number: Int(event.number), name: event.name))
        case .versionActivated(let event):
            try known(event)
            return .versionActivated(
                VersionActivated(
                    workflow: try id(event.workflow), previous: event.previous,
                    number: Int(event.number)))
        case .workflowDeleted(let event):
            try known(event)
            return .workflowDeleted(
                WorkflowDeleted(workflow: try id(event.workflow), previous: event.previous))
        case .workflowClosed(let event):
            try known(event)
            return .workflowClosed(
                WorkflowClosed(
                    workflow: try id(event.workflow), previous: event.previous,
                    operation: try id(event.operation)))
        case .workflowReopened(let event):
            try known(event)
            return .workflowReopened(
                WorkflowReopened(workflow: try id(event.workflow), previous: event.previous))
        case .versionDeleted(let event):
            try known(event)
            return .versionDeleted(
                VersionDeleted(
                    workflow: try id(event.workflow), previous: event.previous,
                    number: Int(event.number)))
        case .versionImported(let event):
            try known(event)
            return .versionImported(
                VersionImported(
                    workflow: try id(event.workflow),
                    version: ImportedVersion(
                        number: Int(event.number), name: event.hasName ? event.name : nil,
                        definition: try decode(event.definition))))
        default: preconditionFailure("not an event about workflows")
        }
    }

    private static func decodeSchedule(_ event: Daybook_Event) throws(EntryError) -> Event {
        switch event.kind {
        case .scheduleCreated(let event):
            try known(event)
            return .scheduleCreated(
                ScheduleCreated(
                    schedule: try id(event.schedule), workflow: try id(event.workflow),
                    scheduledTime: Instant(microseconds: event.scheduledTime),
                    input: event.hasInput ? try decode(event.input) : nil,
                    version: event.hasVersion ? Int(event.version) : nil,
                    scheduledByName: event.hasScheduledByName ? event.scheduledByName : nil,
                    expiresAt: event.hasExpiresAt
                        ? Instant(microseconds: event.expiresAt) : nil,
                    priority: Int(event.priority),
                    deduplicationKey: event.hasDedupKey
                        ? DeduplicationKey(bytes: Array(event.dedupKey)) : nil))
        case .scheduleModified(let event):
            try known(event)
            var changes = ScheduleChanges()
            if event.hasScheduledTime {
                changes.scheduledTime = Instant(microseconds: event.scheduledTime)
            }
            if event.hasInput { changes.input = try decode(event.input) }
            if event.hasVersion { changes.version = .set(Int(event.version)) }
            if event.clearsVersion { changes.version = .set(nil) }
            if event.hasExpiresAt {
                changes.expiresAt = .set(Instant(microseconds: event.expiresAt))
            }
            if event.clearsExpiresAt { changes.expiresAt = .set(nil) }
            if event.hasPriority { changes.priority = Int(event.priority) }
            return .scheduleModified(
                ScheduleModified(
                    schedule: try id(event.schedule), previous: event.previous, changes: changes))
        case .scheduleCancelled(let event):
            try known(event)
            return .scheduleCancelled(
                ScheduleCancelled(schedule: try id(event.schedule), previous: event.previous))
        case .scheduleFired(let event):
            try known(event)
            return .scheduleFired(
                ScheduleFired(
                    schedule: try id(event.schedule), previous: event.previous,
                    run: try id(event.run),
                    scheduledTime: Instant(microseconds: event.scheduledTime),
                    firedAt: Instant(microseconds: event.firedAt)))
        case .scheduleExpired(let event):
            try known(event)
            return .scheduleExpired(
                ScheduleExpired(
                    schedule: try id(event.schedule), previous: event.previous,
                    expiresAt: Instant(microseconds: event.expiresAt)))
        default: preconditionFailure("not an event about schedules")
        }
    }

    private static func decodeRun(_ event: Daybook_Event) throws(EntryError) -> Event {
        switch event.kind {
        case .runQueued(let event): return .runQueued(try decode(event))
        case .runStarted(let event):
            try known(event)
            var lease: Lease?
            if event.hasLease {
                try known(event.lease)
                lease = Lease(
                    endsAt: Instant(microseconds: event.lease.endsAt),
                    seconds: Int(event.lease.seconds))
            }
            return .runStarted(
                RunStarted(
                    run: try id(event.run), previous: event.previous,
                    attempt: Int(event.attempt), tries: Int(event.tries),
                    deadline: Instant(microseconds: event.deadline), lease: lease,
                    worker: event.hasWorker ? event.worker : nil))
        case .leaseRenewed(let event):
            try known(event)
            return .leaseRenewed(
                LeaseRenewed(
                    run: try id(event.run), previous: event.previous,
                    attempt: Int(event.attempt), endsAt: Instant(microseconds: event.endsAt)))
        case .runAccepted(let event):
            try known(event)
            return .runAccepted(
                RunAccepted(
                    run: try id(event.run), previous: event.previous,
                    attempt: Int(event.attempt)))
        case .runReleased(let event):
            try known(event)
            return .runReleased(
                RunReleased(
                    run: try id(event.run), previous: event.previous,
                    attempt: Int(event.attempt)))
        case .runCompleted(let event):
            try known(event)
            return .runCompleted(
                RunCompleted(
                    run: try id(event.run), previous: event.previous,
                    attempt: Int(event.attempt),
                    output: event.hasOutput ? try decode(event.output) : nil,
                    schedule: event.hasSchedule ? try decode(event.schedule) : nil))
        case .runRetryScheduled(let event):
            try known(event)
            return .runRetryScheduled(
                RunRetryScheduled(
                    run: try id(event.run), previous: event.previous,
                    attempt: Int(event.attempt), reason: try decode(event.reason),
                    message: event.hasMessage ? try decode(event.message) : nil,
                    notBefore: Instant(microseconds: event.notBefore)))
        case .runFailed(let event):
            try known(event)
            return .runFailed(
                RunFailed(
                    run: try id(event.run), previous: event.previous,
                    attempt: Int(event.attempt), reason: try decode(event.reason),
                    message: event.hasMessage ? try decode(event.message) : nil,
                    schedule: event.hasSchedule ? try decode(event.schedule) : nil))
        case .runRequeued(let event):
            try known(event)
            return .runRequeued(
                RunRequeued(
                    run: try id(event.run), previous: event.previous,
                    attempt: Int(event.attempt)))
        case .runCancelled(let event):
            try known(event)
            return .runCancelled(
                RunCancelled(
                    run: try id(event.run), previous: event.previous,
                    schedule: event.hasSchedule ? try decode(event.schedule) : nil))
        default: preconditionFailure("not an event about runs")
        }
    }

    private static func decode(_ event: Daybook_RunQueued) throws(EntryError) -> RunQueued {
        try known(event)
        guard let mode = Run.Mode(rawValue: UInt8(clamping: event.mode.rawValue)) else {
            throw .unknown("mode \(event.mode.rawValue)")
        }
        let input: RunInput
        if event.hasStoredInput {
            input = .stored(try decode(event.storedInput))
        } else if event.hasInput {
            input = .brought(try decode(event.input))
        } else {
            input = .none
        }
        return RunQueued(
            run: try id(event.run), workflow: try id(event.workflow), version: Int(event.version),
            definitionLocation: PayloadLocation(
                position: event.definitionPosition, event: Int(event.definitionEvent)),
            queue: try decode(event.queue),
            mode: mode, schedule: try optionalID(event.schedule),
            trigger: try optionalID(event.trigger),
            scheduledTime: event.hasScheduledTime
                ? Instant(microseconds: event.scheduledTime) : nil,
            input: input, priority: Int(event.priority),
            expiresAt: event.hasExpiresAt ? Instant(microseconds: event.expiresAt) : nil,
            timeoutSeconds: Int(event.timeoutSeconds), retry: try decode(event.retry),
            deduplication: event.hasDeduplication ? try decode(event.deduplication) : nil)
    }
}
