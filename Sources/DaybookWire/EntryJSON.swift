import DaybookCore
import Foundation

/// Entries as JSON, as `GET /log` and `daybook log show --json` give them. The names of the fields are
/// the API's; `docs/data-format.md` lists them.
///
/// Payloads appear as `{"bytes": n, "sha256": "<digest of salt and bytes>"}`: what they say stands in
/// the objects. Sealed secrets do not appear.
/// A field of an object that an entry changed, old and new as JSON.
package struct EntryChange: Sendable {
    package let field: String
    package let old: [UInt8]
    package let new: [UInt8]

    package init(field: String, old: [UInt8], new: [UInt8]) {
        self.field = field
        self.old = old
        self.new = new
    }
}

extension JSONWriter {
    /// - Parameters:
    ///   - actorName: the name of the key that asked, where one did.
    ///   - payloads: what the events brought, each by the event's index; `nil` shows none.
    ///   - changes: what the entry changed of the object whose history is shown.
    package mutating func entry(
        _ entry: Entry, actorName: String?, payloads: [BroughtPayload]? = nil,
        changes: [EntryChange]? = nil
    ) {
        let header = entry.header
        object { writer in
            writer.field("position", header.position)
            writer.field("recorded_at", header.recordedAt)
            writer.field("team_id", header.team)
            writer.field("actor", header.actor.description)
            writer.field("actor_name", actorName)
            writer.field("command", header.command.text)
            writer.field("request_id", header.commandID.description)
            writer.field("causation", header.causation == 0 ? nil : header.causation)
            writer.field("traceparent", header.traceparent)
            writer.array("events") { writer in
                for event in entry.events {
                    writer.object { writer in
                        writer.field("event", event.name)
                        for touch in event.touches.prefix(1) {
                            writer.field("previous", touch.previous)
                        }
                        writer.fields(of: event)
                    }
                }
            }
            if let changes {
                writer.array("changes") { writer in
                    for change in changes {
                        writer.object { writer in
                            writer.field("field", change.field)
                            writer.field("old", raw: change.old)
                            writer.field("new", raw: change.new)
                        }
                    }
                }
            }
            guard let payloads else { return }
            writer.array("payloads") { writer in
                for brought in payloads {
                    writer.object { writer in
                        writer.field("event_index", brought.event)
                        switch brought.payload {
                        case .erased: writer.field("erased", true)
                        case .bytes(let bytes):
                            writer.field("salt", Data(brought.salt).base64EncodedString())
                            writer.field("base64", Data(bytes).base64EncodedString())
                        }
                    }
                }
            }
        }
    }

    private mutating func fields(of event: Event) {
        switch event {
        case .initialised(let id, let format):
            field("log_id", lowercaseHex(id))
            field("format", format)
        case .started(let floor), .resumed(let floor): field("reap_floor", floor)
        case .stopped, .paused, .clockTrusted: break
        case .teamCreated(let event):
            field("team_id", event.team)
            field("name", event.name)
            field("max_concurrent_runs", event.maxConcurrentRuns)
        case .licenseSet(let event):
            field("team_id", event.team)
            field("max_concurrent_runs", event.maxConcurrentRuns)
        case .keyCreated(let event):
            field("key_id", event.key)
            field("role", event.role.name)
            field("name", event.name)
            field("expires_at", event.expiresAt)
        case .keyRevoked(let event): field("key_id", event.key)
        case .keysUsed(let uses):
            array("uses") { writer in
                for use in uses {
                    writer.object { writer in
                        writer.field("key_id", use.key)
                        writer.field("used_at", use.usedAt)
                    }
                }
            }
        case .workflowCreated, .workflowModified, .concurrencySet, .secretRotated, .draftEdited,
            .versionSaved, .versionRenamed, .versionActivated, .workflowDeleted,
            .workflowClosed, .workflowReopened, .versionDeleted, .versionImported:
            workflowFields(of: event)
        case .scheduleCreated, .scheduleModified, .scheduleCancelled, .scheduleFired,
            .scheduleExpired:
            scheduleFields(of: event)
        case .runQueued, .runStarted, .leaseRenewed, .runAccepted, .runReleased, .runCompleted,
            .runRetryScheduled, .runFailed, .runRequeued, .runCancelled:
            runFields(of: event)
        case .payloadsErased(let event):
            field("schedule_id", event.schedule?.schedule)
            field("run_id", event.run?.run)
            if let link = event.refusal { field("refusal_id", link.refusal) }
            array("payloads") { writer in
                for location in event.payloads {
                    writer.object { writer in
                        writer.field("position", location.position)
                        writer.field("event_index", location.event)
                    }
                }
            }
        case .triggerCreated, .triggerModified, .triggerDeleted, .triggerSecretRotated,
            .messageRefused, .refusalRetried:
            triggerFields(of: event)
        case .subscriptionCreated, .subscriptionModified, .subscriptionDeleted,
            .subscriptionSecretRotated:
            subscriptionFields(of: event)
        case .deliverySucceeded, .deliveryRetryScheduled, .deliveryFailed, .deliveryRequeued,
            .deliveriesRequeued:
            deliveryFields(of: event)
        case .operationStarted, .operationAdvanced, .operationFinished:
            operationFields(of: event)
        }
    }

    private mutating func workflowFields(of event: Event) {
        switch event {
        case .workflowCreated(let event):
            field("workflow_id", event.workflow)
            field("name", event.name)
            field("description", event.description)
            field("definition", raw: WorkflowDefinition.shown(event.definition.bytes))
            field("run_timeout_seconds", event.runTimeoutSeconds)
            retryPolicy(event.retry)
            field("max_concurrent_runs", event.maxConcurrentRuns)
        case .workflowModified(let event):
            field("workflow_id", event.workflow)
            if let name = event.changes.name { field("name", name) }
            if case .set(let text) = event.changes.description { field("description", text) }
            if let seconds = event.changes.runTimeoutSeconds {
                field("run_timeout_seconds", seconds)
            }
            if let policy = event.changes.retry { retryPolicy(policy) }
            if let isPaused = event.changes.isPaused { field("paused", isPaused) }
        case .concurrencySet(let event):
            field("workflow_id", event.workflow)
            field("max_concurrent_runs", event.maxConcurrentRuns)
        case .secretRotated(let event):
            field("workflow_id", event.workflow)
            field("old_secret_ends_at", event.oldEndsAt)
        case .draftEdited(let event):
            field("workflow_id", event.workflow)
            field("definition", raw: WorkflowDefinition.shown(event.definition.bytes))
        case .versionSaved(let event):
            field("workflow_id", event.workflow)
            field("version_number", event.number)
            field("source_version_number", event.source)
            field("version_name", event.name)
        case .versionRenamed(let event):
            field("workflow_id", event.workflow)
            field("version_number", event.number)
            field("version_name", event.name)
        case .versionActivated(let event):
            field("workflow_id", event.workflow)
            field("version_number", event.number)
        case .workflowDeleted(let event): field("workflow_id", event.workflow)
        case .workflowClosed(let event):
            field("workflow_id", event.workflow)
            field("operation_id", event.operation)
        case .workflowReopened(let event): field("workflow_id", event.workflow)
        case .versionDeleted(let event):
            field("workflow_id", event.workflow)
            field("version_number", event.number)
        case .versionImported(let event):
            field("workflow_id", event.workflow)
            field("version_number", event.version.number)
            field("version_name", event.version.name)
            field("definition", raw: WorkflowDefinition.shown(event.version.definition.bytes))
        default: break
        }
    }

    private mutating func scheduleFields(of event: Event) {
        switch event {
        case .scheduleCreated(let event):
            field("schedule_id", event.schedule)
            field("workflow_id", event.workflow)
            field("scheduled_time", event.scheduledTime)
            payload("run_input", event.input)
            field("version", event.version)
            field("scheduled_by_name", event.scheduledByName)
            field("expires_at", event.expiresAt)
            field("priority", event.priority)
            field("dedup_key", event.deduplicationKey?.text)
        case .scheduleModified(let event):
            field("schedule_id", event.schedule)
            if let time = event.changes.scheduledTime { field("scheduled_time", time) }
            if let input = event.changes.input { payload("run_input", input) }
            if case .set(let version) = event.changes.version { field("version", version) }
            if case .set(let end) = event.changes.expiresAt { field("expires_at", end) }
            if let priority = event.changes.priority { field("priority", priority) }
        case .scheduleCancelled(let event): field("schedule_id", event.schedule)
        case .scheduleFired(let event):
            field("schedule_id", event.schedule)
            field("run_id", event.run)
            field("scheduled_time", event.scheduledTime)
            field("fired_at", event.firedAt)
            field("lateness_ms", event.firedAt.milliseconds(since: event.scheduledTime))
        case .scheduleExpired(let event):
            field("schedule_id", event.schedule)
            field("expires_at", event.expiresAt)
        default: break
        }
    }

    private mutating func runFields(of event: Event) {
        switch event {
        case .runQueued(let event):
            field("run_id", event.run)
            field("workflow_id", event.workflow)
            field("version", event.version)
            field("mode", event.mode.name)
            field("queue", event.queue.name)
            field("schedule_id", event.schedule)
            field("trigger_id", event.trigger)
            field("scheduled_time", event.scheduledTime)
            if case .brought(let input) = event.input { payload("run_input", input) }
            field("priority", event.priority)
            field("expires_at", event.expiresAt)
        case .runStarted(let event):
            field("run_id", event.run)
            field("attempt", event.attempt)
            field("tries", event.tries)
            field("deadline", event.deadline)
            field("lease_expires_at", event.lease?.endsAt)
            field("worker", event.worker)
        case .leaseRenewed(let event):
            field("run_id", event.run)
            field("attempt", event.attempt)
            field("lease_expires_at", event.endsAt)
        case .runAccepted(let event): attempt(event.run, event.attempt)
        case .runReleased(let event): attempt(event.run, event.attempt)
        case .runRequeued(let event): attempt(event.run, event.attempt)
        case .runCompleted(let event):
            attempt(event.run, event.attempt)
            payload("output", event.output)
            field("schedule_id", event.schedule?.schedule)
        case .runRetryScheduled(let event):
            attempt(event.run, event.attempt)
            field("reason", event.reason.name)
            payload("message", event.message)
            field("not_before", event.notBefore)
        case .runFailed(let event):
            attempt(event.run, event.attempt)
            field("reason", event.reason.name)
            payload("message", event.message)
            field("schedule_id", event.schedule?.schedule)
        case .runCancelled(let event):
            field("run_id", event.run)
            field("schedule_id", event.schedule?.schedule)
        default: break
        }
    }

    private mutating func attempt(_ run: RunID, _ attempt: Int) {
        field("run_id", run)
        field("attempt", attempt)
    }

    /// The field `retry`.
    package mutating func retryPolicy(_ policy: RetryPolicy) {
        object("retry") { writer in
            writer.field("max_attempts", policy.maxAttempts)
            writer.field("initial_backoff_seconds", policy.initialBackoffSeconds)
            writer.field("max_backoff_seconds", policy.maxBackoffSeconds)
        }
    }

    mutating func payload(_ name: String, _ payload: Payload?) {
        self.name(name)
        guard let payload else { return null() }
        object { writer in
            writer.field("bytes", payload.byteCount)
            writer.field("sha256", lowercaseHex(payload.digest.bytes))
        }
    }
}
