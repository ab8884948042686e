import DaybookCore
import SwiftProtobuf

/// Entries for people and for programs that read text.
package enum EntryText {
    /// Protobuf's JSON of an entry: names as in `docs/daybook.proto`, bytes as base64.
    package static func json(_ entryBytes: [UInt8]) throws -> String {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        return try Daybook_Entry(serializedBytes: entryBytes).jsonString(options: options)
    }

    /// An event as a short sentence.
    package static func sentence(_ event: Event) -> String {
        switch event {
        case .initialised(let id, let format):
            "log \(lowercaseHex(id)) initialised in format \(format)"
        case .started: "service started"
        case .stopped: "service stopped"
        case .paused: "service paused"
        case .resumed: "service resumed"
        case .clockTrusted: "clock trusted"
        case .teamCreated(let event): "team \(event.team) created"
        case .licenseSet(let event):
            "license of team \(event.team) set to \(event.maxConcurrentRuns)"
        case .keyCreated(let event): "key \(event.key) created with role \(event.role.name)"
        case .keyRevoked(let event): "key \(event.key) revoked"
        case .keysUsed(let uses): "use of \(uses.count) keys recorded"
        case .workflowCreated(let event): "workflow \(event.workflow) created"
        case .workflowModified(let event): "workflow \(event.workflow) modified"
        case .concurrencySet(let event):
            "cap of workflow \(event.workflow) set to \(event.maxConcurrentRuns)"
        case .secretRotated(let event): "secret of workflow \(event.workflow) rotated"
        case .workflowDeleted(let event): "workflow \(event.workflow) deleted"
        case .workflowClosed(let event):
            "workflow \(event.workflow) takes nothing new: operation \(event.operation) is to delete it"
        case .workflowReopened(let event):
            "workflow \(event.workflow) is open again: it was not deleted"
        case .draftEdited(let event): "draft of workflow \(event.workflow) edited"
        case .versionSaved(let event):
            "version \(event.number) of workflow \(event.workflow) saved from \(event.source)"
        case .versionRenamed(let event):
            "version \(event.number) of workflow \(event.workflow) renamed"
        case .versionActivated(let event):
            "version \(event.number) of workflow \(event.workflow) activated"
        case .versionDeleted(let event):
            "version \(event.number) of workflow \(event.workflow) deleted"
        case .versionImported(let event):
            "version \(event.version.number) of workflow \(event.workflow) imported"
        case .scheduleCreated(let event): "schedule \(event.schedule) created"
        case .scheduleModified(let event): "schedule \(event.schedule) modified"
        case .scheduleCancelled(let event): "schedule \(event.schedule) cancelled"
        case .scheduleFired(let event):
            "schedule \(event.schedule) fired as run \(event.run), "
                + "\(event.firedAt.milliseconds(since: event.scheduledTime)) ms late"
        case .scheduleExpired(let event): "schedule \(event.schedule) expired"
        case .runQueued(let event): "run \(event.run) queued"
        case .runStarted(let event): "run \(event.run) started, attempt \(event.attempt)"
        case .leaseRenewed(let event): "lease of run \(event.run) renewed"
        case .runAccepted(let event): "run \(event.run) accepted by its executor"
        case .runReleased(let event): "run \(event.run) released"
        case .runCompleted(let event): "run \(event.run) completed"
        case .runRetryScheduled(let event):
            "run \(event.run) failed (\(event.reason.name)), to be tried again"
        case .runFailed(let event): "run \(event.run) failed (\(event.reason.name))"
        case .runRequeued(let event): "run \(event.run) queued again"
        case .runCancelled(let event): "run \(event.run) cancelled"
        case .payloadsErased(let event):
            "\(event.payloads.count) payloads erased of "
                + [
                    event.schedule.map { "schedule \($0.schedule)" },
                    event.run.map { "run \($0.run)" },
                    event.refusal.map { "refusal \($0.refusal)" },
                ].compactMap(\.self).joined(separator: " and ")
        case .triggerCreated(let event):
            "\(event.source.name) trigger \(event.trigger) of workflow \(event.workflow) created"
        case .triggerModified(let event): "trigger \(event.trigger) modified"
        case .triggerDeleted(let event): "trigger \(event.trigger) deleted"
        case .triggerSecretRotated(let event): "secret of trigger \(event.trigger) rotated"
        case .messageRefused(let event):
            "message to trigger \(event.trigger) refused (\(event.reason.name)), kept as \(event.refusal)"
        case .refusalRetried(let event): "refusal \(event.refusal) became run \(event.run)"
        case .subscriptionCreated(let event): "subscription \(event.subscription) created"
        case .subscriptionModified(let event):
            event.changes.isGone == true
                ? "subscription \(event.subscription) disabled: its receiver is gone"
                : "subscription \(event.subscription) modified"
        case .subscriptionDeleted(let event): "subscription \(event.subscription) deleted"
        case .subscriptionSecretRotated(let event):
            "secret of subscription \(event.subscription) rotated"
        case .deliverySucceeded(let event):
            "delivery \(event.delivery) made at attempt \(event.attempt.number)"
        case .deliveryRetryScheduled(let event):
            "attempt \(event.attempt.number) of delivery \(event.delivery) failed, to be tried again"
        case .deliveryFailed(let event): "delivery \(event.delivery) failed"
        case .deliveriesRequeued(let event):
            "\(event.deliveries.count) deliveries to subscription \(event.subscription) are to be sent again"
        case .deliveryRequeued(let event): "delivery \(event.delivery) is to be sent again"
        case .operationStarted(let event):
            switch event.task {
            case .cancel:
                "operation \(event.operation) to cancel \(event.matched) schedules started"
            case .modify:
                "operation \(event.operation) to modify \(event.matched) schedules started"
            case .deleteWorkflow(let workflow):
                "operation \(event.operation) to delete workflow \(workflow) started"
            }
        case .operationAdvanced(let event):
            "operation \(event.operation) changed \(event.step.changed) more"
        case .operationFinished(let event):
            event.failure.map { "operation \(event.operation) failed (\($0.name))" }
                ?? "operation \(event.operation) completed"
        }
    }
}
