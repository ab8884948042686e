import DaybookCore
import Foundation
import SwiftProtobuf

/// The bytes of an entry, as `docs/daybook.proto` has them.
package enum EntryCodec {
    /// Encodes an entry. What comes out is stored and hashed; it is never made a second time.
    package static func encode(_ entry: Entry) -> [UInt8] {
        let header = entry.header
        var message = Daybook_Entry()
        message.position = header.position
        message.recordedAt = header.recordedAt.microseconds
        if let team = header.team { message.team = team.data }
        message.actor = encode(header.actor)
        message.commandID = header.commandID.data
        message.causation = header.causation
        if let idempotency = header.idempotency {
            message.idempotency = .with {
                $0.scope = idempotency.scope.data
                $0.request = idempotency.request.data
                $0.endsAt = idempotency.endsAt.microseconds
            }
        }
        message.traceparent = header.traceparent ?? ""
        message.command =
            Daybook_Command(rawValue: Int(header.command.rawValue)) ?? .unspecified
        message.events = entry.events.map { event in
            Daybook_Event.with { $0.kind = encode(event) }
        }
        do {
            return try message.serializedBytes()
        } catch {
            // Only a missing proto2 field can fail, or more than 2 GiB.
            preconditionFailure("an entry could not be encoded: \(error)")
        }
    }

    private static func encode(_ event: Event) -> Daybook_Event.OneOf_Kind {
        switch event {
        case .initialised(let logID, let format):
            .initialised(
                .with {
                    $0.logID = Data(logID)
                    $0.format = UInt32(format)
                })
        case .started(let floor): .started(.with { $0.reapFloor = floor.microseconds })
        case .stopped: .stopped(Daybook_Stopped())
        case .paused: .paused(Daybook_Paused())
        case .resumed(let floor): .resumed(.with { $0.reapFloor = floor.microseconds })
        case .clockTrusted: .clockTrusted(Daybook_ClockTrusted())
        case .teamCreated(let event):
            .teamCreated(
                .with {
                    $0.team = event.team.data
                    $0.name = event.name
                    $0.maxConcurrentRuns = UInt32(event.maxConcurrentRuns)
                })
        case .licenseSet(let event):
            .licenseSet(
                .with {
                    $0.team = event.team.data
                    $0.previous = event.previous
                    $0.maxConcurrentRuns = UInt32(event.maxConcurrentRuns)
                })
        case .keyCreated(let event):
            .keyCreated(
                .with {
                    $0.key = event.key.data
                    $0.role = Daybook_Role(rawValue: Int(event.role.rawValue)) ?? .unspecified
                    $0.name = event.name
                    $0.secretDigest = event.secretDigest.data
                    if let end = event.expiresAt { $0.expiresAt = end.microseconds }
                })
        case .keyRevoked(let event):
            .keyRevoked(
                .with {
                    $0.key = event.key.data
                    $0.previous = event.previous
                })
        case .keysUsed(let uses):
            .keysUsed(
                .with {
                    $0.uses = uses.map { use in
                        .with {
                            $0.key = use.key.data
                            $0.usedAt = use.usedAt.microseconds
                        }
                    }
                })
        case .workflowCreated, .workflowModified, .concurrencySet, .secretRotated, .draftEdited,
            .versionSaved, .versionRenamed, .versionActivated, .workflowDeleted,
            .workflowClosed, .workflowReopened, .versionDeleted, .versionImported:
            encodeWorkflow(event)
        case .scheduleCreated, .scheduleModified, .scheduleCancelled, .scheduleFired,
            .scheduleExpired:
            encodeSchedule(event)
        case .runQueued, .runStarted, .leaseRenewed, .runAccepted, .runReleased, .runCompleted,
            .runRetryScheduled, .runFailed, .runRequeued, .runCancelled:
            encodeRun(event)
        case .payloadsErased(let event): .payloadsErased(encode(event))
        case .triggerCreated, .triggerModified, .triggerDeleted, .triggerSecretRotated,
            .messageRefused, .refusalRetried:
            encodeTrigger(event)
        case .subscriptionCreated, .subscriptionModified, .subscriptionDeleted,
            .subscriptionSecretRotated:
            encodeSubscription(event)
        case .deliverySucceeded, .deliveryRetryScheduled, .deliveryFailed, .deliveryRequeued,
            .deliveriesRequeued:
            encodeDelivery(event)
        case .operationStarted, .operationAdvanced, .operationFinished: encodeOperation(event)
        }
    }

    private static func encodeWorkflow(_ event: Event) -> Daybook_Event.OneOf_Kind {
        switch event {
        case .workflowCreated(let event):
            .workflowCreated(
                .with {
                    $0.workflow = event.workflow.data
                    $0.name = event.name
                    if let description = event.description { $0.description_p = description }
                    $0.definition = encode(event.definition)
                    $0.runTimeoutSeconds = UInt32(event.runTimeoutSeconds)
                    $0.retry = encode(event.retry)
                    $0.maxConcurrentRuns = UInt32(event.maxConcurrentRuns)
                    $0.secret = encode(event.secret)
                })
        case .workflowModified(let event):
            .workflowModified(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                    if let name = event.changes.name { $0.name = name }
                    switch event.changes.description {
                    case .keep: break
                    case .set(let description?): $0.description_p = description
                    case .set(nil): $0.clearsDescription = true
                    }
                    if let seconds = event.changes.runTimeoutSeconds {
                        $0.runTimeoutSeconds = UInt32(seconds)
                    }
                    if let retry = event.changes.retry { $0.retry = encode(retry) }
                    if let isPaused = event.changes.isPaused { $0.isPaused = isPaused }
                })
        case .concurrencySet(let event):
            .concurrencySet(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                    $0.maxConcurrentRuns = UInt32(event.maxConcurrentRuns)
                })
        case .secretRotated(let event):
            .secretRotated(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                    $0.secret = encode(event.secret)
                    $0.oldEndsAt = event.oldEndsAt.microseconds
                })
        case .draftEdited(let event):
            .draftEdited(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                    $0.definition = encode(event.definition)
                })
        case .versionSaved(let event):
            .versionSaved(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                    $0.number = UInt32(event.number)
                    $0.source = UInt32(event.source)
                    if let name = event.name { $0.name = name }
                    $0.definitionPosition = event.definitionLocation.position
                    $0.definitionEvent = UInt32(event.definitionLocation.event)
                    $0.queue = encode(event.queue)
                })
        case .versionRenamed(let event):
            .versionRenamed(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                    $0.number = UInt32(event.number)
                    $0.name = event.name
                })
        case .versionActivated(let event):
            .versionActivated(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                    $0.number = UInt32(event.number)
                })
        case .workflowDeleted(let event):
            .workflowDeleted(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                })
        case .workflowClosed(let event):
            .workflowClosed(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                    $0.operation = event.operation.data
                })
        case .workflowReopened(let event):
            .workflowReopened(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                })
        case .versionDeleted(let event):
            .versionDeleted(
                .with {
                    $0.workflow = event.workflow.data
                    $0.previous = event.previous
                    $0.number = UInt32(event.number)
                })
        case .versionImported(let event):
            .versionImported(
                .with {
                    $0.workflow = event.workflow.data
                    $0.number = UInt32(event.version.number)
                    if let name = event.version.name { $0.name = name }
                    $0.definition = encode(event.version.definition)
                })
        default: preconditionFailure("not an event about workflows")
        }
    }

    private static func encodeSchedule(_ event: Event) -> Daybook_Event.OneOf_Kind {
        switch event {
        case .scheduleCreated(let event):
            .scheduleCreated(
                .with {
                    $0.schedule = event.schedule.data
                    $0.workflow = event.workflow.data
                    $0.scheduledTime = event.scheduledTime.microseconds
                    if let input = event.input { $0.input = encode(input) }
                    if let version = event.version { $0.version = UInt32(version) }
                    if let name = event.scheduledByName { $0.scheduledByName = name }
                    if let end = event.expiresAt { $0.expiresAt = end.microseconds }
                    $0.priority = UInt32(event.priority)
                    if let key = event.deduplicationKey { $0.dedupKey = Data(key.bytes) }
                })
        case .scheduleModified(let event):
            .scheduleModified(
                .with {
                    $0.schedule = event.schedule.data
                    $0.previous = event.previous
                    let changes = event.changes
                    if let time = changes.scheduledTime { $0.scheduledTime = time.microseconds }
                    if let input = changes.input { $0.input = encode(input) }
                    switch changes.version {
                    case .keep: break
                    case .set(let version?): $0.version = UInt32(version)
                    case .set(nil): $0.clearsVersion = true
                    }
                    switch changes.expiresAt {
                    case .keep: break
                    case .set(let end?): $0.expiresAt = end.microseconds
                    case .set(nil): $0.clearsExpiresAt = true
                    }
                    if let priority = changes.priority { $0.priority = UInt32(priority) }
                })
        case .scheduleCancelled(let event):
            .scheduleCancelled(
                .with {
                    $0.schedule = event.schedule.data
                    $0.previous = event.previous
                })
        case .scheduleFired(let event):
            .scheduleFired(
                .with {
                    $0.schedule = event.schedule.data
                    $0.previous = event.previous
                    $0.run = event.run.data
                    $0.scheduledTime = event.scheduledTime.microseconds
                    $0.firedAt = event.firedAt.microseconds
                })
        case .scheduleExpired(let event):
            .scheduleExpired(
                .with {
                    $0.schedule = event.schedule.data
                    $0.previous = event.previous
                    $0.expiresAt = event.expiresAt.microseconds
                })
        default: preconditionFailure("not an event about schedules")
        }
    }

    private static func encodeRun(_ event: Event) -> Daybook_Event.OneOf_Kind {
        switch event {
        case .runQueued(let event): .runQueued(encode(event))
        case .runStarted(let event):
            .runStarted(
                .with {
                    $0.run = event.run.data
                    $0.previous = event.previous
                    $0.attempt = UInt32(event.attempt)
                    $0.tries = UInt32(event.tries)
                    $0.deadline = event.deadline.microseconds
                    if let lease = event.lease {
                        $0.lease = .with {
                            $0.endsAt = lease.endsAt.microseconds
                            $0.seconds = UInt32(lease.seconds)
                        }
                    }
                    if let worker = event.worker { $0.worker = worker }
                })
        case .leaseRenewed(let event):
            .leaseRenewed(
                .with {
                    $0.run = event.run.data
                    $0.previous = event.previous
                    $0.attempt = UInt32(event.attempt)
                    $0.endsAt = event.endsAt.microseconds
                })
        case .runAccepted(let event):
            .runAccepted(
                .with {
                    $0.run = event.run.data
                    $0.previous = event.previous
                    $0.attempt = UInt32(event.attempt)
                })
        case .runReleased(let event):
            .runReleased(
                .with {
                    $0.run = event.run.data
                    $0.previous = event.previous
                    $0.attempt = UInt32(event.attempt)
                })
        case .runCompleted(let event):
            .runCompleted(
                .with {
                    $0.run = event.run.data
                    $0.previous = event.previous
                    $0.attempt = UInt32(event.attempt)
                    if let output = event.output { $0.output = encode(output) }
                    if let link = event.schedule { $0.schedule = encode(link) }
                })
        case .runRetryScheduled(let event):
            .runRetryScheduled(
                .with {
                    $0.run = event.run.data
                    $0.previous = event.previous
                    $0.attempt = UInt32(event.attempt)
                    $0.reason = encode(event.reason)
                    if let message = event.message { $0.message = encode(message) }
                    $0.notBefore = event.notBefore.microseconds
                })
        case .runFailed(let event):
            .runFailed(
                .with {
                    $0.run = event.run.data
                    $0.previous = event.previous
                    $0.attempt = UInt32(event.attempt)
                    $0.reason = encode(event.reason)
                    if let message = event.message { $0.message = encode(message) }
                    if let link = event.schedule { $0.schedule = encode(link) }
                })
        case .runRequeued(let event):
            .runRequeued(
                .with {
                    $0.run = event.run.data
                    $0.previous = event.previous
                    $0.attempt = UInt32(event.attempt)
                })
        case .runCancelled(let event):
            .runCancelled(
                .with {
                    $0.run = event.run.data
                    $0.previous = event.previous
                    if let link = event.schedule { $0.schedule = encode(link) }
                })
        default: preconditionFailure("not an event about runs")
        }
    }

    private static func encode(_ event: RunQueued) -> Daybook_RunQueued {
        .with {
            $0.run = event.run.data
            $0.workflow = event.workflow.data
            $0.version = UInt32(event.version)
            $0.definitionPosition = event.definitionLocation.position
            $0.definitionEvent = UInt32(event.definitionLocation.event)
            $0.queue = encode(event.queue)
            $0.mode = Daybook_RunQueued.Mode(rawValue: Int(event.mode.rawValue)) ?? .unspecified
            if let schedule = event.schedule { $0.schedule = schedule.data }
            if let trigger = event.trigger { $0.trigger = trigger.data }
            if let time = event.scheduledTime { $0.scheduledTime = time.microseconds }
            switch event.input {
            case .none: break
            case .brought(let payload): $0.input = encode(payload)
            case .stored(let location):
                $0.storedInput = encode(location)
            }
            $0.priority = UInt32(event.priority)
            if let end = event.expiresAt { $0.expiresAt = end.microseconds }
            $0.timeoutSeconds = UInt32(event.timeoutSeconds)
            $0.retry = encode(event.retry)
            if let ids = event.deduplication { $0.deduplication = encode(ids) }
        }
    }
}
