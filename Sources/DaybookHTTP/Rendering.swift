import DaybookCore
import DaybookEngine
import DaybookWire

/// The objects of the API as JSON.
extension JSONWriter {
    mutating func schedule(_ detail: ScheduleDetail) {
        let schedule = detail.schedule
        object { writer in
            writer.field("id", schedule.id)
            writer.field("team_id", schedule.team)
            writer.field("workflow_id", schedule.workflow)
            writer.field("scheduled_time", schedule.scheduledTime)
            writer.field("status", schedule.status.name)
            writer.payload("run_input", detail.input)
            writer.field("version", schedule.version)
            writer.field("scheduled_by_name", schedule.scheduledByName)
            writer.field("expires_at", schedule.expiresAt)
            writer.field("priority", schedule.priority)
            writer.field("dedup_key", schedule.deduplicationKey?.text)
            writer.field("run_id", schedule.run)
            writer.field("error_message", detail.errorMessage)
            writer.field("fired_at", schedule.firedAt)
            writer.field(
                "lateness_ms",
                schedule.firedAt.map { $0.milliseconds(since: schedule.scheduledTime) })
            writer.field("revision", schedule.revision)
            writer.touched(schedule.touched)
            writer.erased([detail.input, detail.failureMessage])
        }
    }

    mutating func density(_ part: DensityPart) {
        object { writer in
            writer.field("from", part.from)
            writer.field("to", part.to)
            for status in Schedule.Status.allCases {
                writer.field(status.name, part.counts[status] ?? 0)
            }
            writer.field("max_lateness_ms", part.maximumLateness)
        }
    }

    mutating func run(_ detail: RunDetail) {
        let run = detail.run
        object { writer in
            writer.field("id", run.id)
            writer.field("team_id", run.team)
            writer.field("workflow_id", run.workflow)
            writer.field("version", run.version)
            writer.field("mode", run.mode.name)
            writer.field("status", run.status.name)
            writer.field("schedule_id", run.schedule)
            writer.field("trigger_id", run.trigger)
            writer.field("scheduled_time", run.scheduledTime)
            writer.payload("run_input", detail.input)
            writer.payload("output", detail.output)
            writer.name("error")
            if let error = run.error {
                writer.object { writer in
                    writer.field("reason", error.reason.name)
                    writer.field("message", detail.errorMessage.text)
                }
            } else {
                writer.null()
            }
            writer.field("attempt", run.attempt)
            writer.field("tries", run.tries)
            writer.field("priority", run.priority)
            writer.field("expires_at", run.expiresAt)
            writer.field("fired_at", run.firedAt)
            writer.field("queued_at", run.queuedAt)
            writer.field("not_before", run.notBefore)
            writer.field("first_started_at", run.firstStartedAt)
            writer.field("started_at", run.startedAt)
            writer.field("deadline", run.deadline)
            writer.field("lease_expires_at", run.leaseEndsAt)
            writer.field("finished_at", run.finishedAt)
            writer.object("durations") { writer in
                writer.field("timer_lag_ms", milliseconds(run.scheduledTime, run.firedAt))
                writer.field("slot_wait_ms", milliseconds(run.queuedAt, run.firstStartedAt))
                writer.field("run_ms", milliseconds(run.startedAt, run.finishedAt))
            }
            writer.field("worker", run.worker)
            writer.touched(run.touched)
            writer.erased([detail.input, detail.output, detail.errorMessage])
        }
    }

    /// - Parameter secret: the signing secret's text, where the answer is the one that shows it.
    mutating func workflow(_ workflow: Workflow, secret: String? = nil) {
        object { writer in
            writer.field("id", workflow.id)
            writer.field("team_id", workflow.team)
            writer.field("name", workflow.name)
            writer.field("description", workflow.description)
            writer.field("active_version", workflow.activeVersion)
            writer.field("latest_version", workflow.lastVersion)
            writer.field("run_timeout_seconds", workflow.runTimeoutSeconds)
            writer.retryPolicy(workflow.retry)
            writer.field("max_concurrent_runs", workflow.maxConcurrentRuns)
            writer.field("paused", workflow.isPaused)
            writer.field("revision", workflow.revision)
            writer.touched(workflow.touched)
            if let secret { writer.field("secret", secret) }
        }
    }

    mutating func version(_ detail: VersionDetail) {
        let version = detail.version
        object { writer in
            writer.field("workflow_id", version.workflow)
            writer.field("team_id", version.team)
            writer.field("version_number", version.number)
            writer.field("version_name", version.name)
            writer.field("source_version_number", version.source)
            writer.field("is_active", detail.isActive)
            writer.field("definition", raw: WorkflowDefinition.shown(detail.definition.bytes))
            writer.touched(version.touched)
        }
    }

    mutating func team(_ team: Team) {
        object { writer in
            writer.field("id", team.id)
            writer.field("team_id", team.id)
            writer.field("name", team.name)
            writer.field("max_concurrent_runs", team.maxConcurrentRuns)
            writer.field("revision", team.revision)
            writer.touched(team.touched)
        }
    }

    /// - Parameters:
    ///   - lastUsedAt: of the key, as it is known now.
    ///   - text: the key itself, where the answer is the one that shows it.
    mutating func apiKey(_ key: APIKey, lastUsedAt: Instant?, text: String? = nil) {
        object { writer in
            writer.field("id", key.id)
            writer.field("team_id", key.team)
            writer.field("role", key.role.name)
            writer.field("name", key.name)
            writer.field("expires_at", key.expiresAt)
            writer.field("revoked_at", key.revokedAt)
            writer.field("last_used_at", lastUsedAt)
            writer.touched(key.touched)
            if let text { writer.field("key", text) }
        }
    }

    /// A run as a worker is told of it. Secrets of the definition are left out.
    mutating func assignment(_ assignment: Assignment) {
        let run = assignment.run
        object { writer in
            writer.field("run_id", run.id)
            writer.field("attempt", run.attempt)
            writer.field("lease_expires_at", run.leaseEndsAt)
            writer.field("heartbeat_every_seconds", run.leaseSeconds.map { max(1, $0 / 5) })
            writer.field("deadline", run.deadline)
            writer.field("workflow_id", run.workflow)
            writer.field("version", run.version)
            writer.field("definition", raw: WorkflowDefinition.shown(assignment.definition.bytes))
            writer.field("mode", run.mode.name)
            writer.field("scheduled_time", run.scheduledTime)
            writer.payload("run_input", assignment.input)
            writer.erased([assignment.input])
        }
    }

    mutating func touched(_ touched: Touched) {
        field("created_at", touched.createdAt)
        field("updated_at", touched.updatedAt)
        field("created_by", touched.createdBy.description)
        field("updated_by", touched.updatedBy.description)
    }

    private mutating func payload(_ name: String, _ payload: StoredPayload?) {
        field(name, raw: payload.bytes)
    }

    private mutating func erased(_ payloads: [StoredPayload?]) {
        if payloads.contains(.erased) { field("erased", true) }
    }
}

extension Run {
    /// When its schedule was fired: with that it was queued.
    fileprivate var firedAt: Instant? { schedule == nil ? nil : queuedAt }
}

/// Whole milliseconds from one instant to another, where there are both.
private func milliseconds(_ from: Instant?, _ to: Instant?) -> Int64? {
    guard let from, let to else { return nil }
    return to.milliseconds(since: from)
}

extension StoredPayload? {
    /// The bytes, where there are some and they were not erased.
    var bytes: [UInt8]? {
        if case .bytes(let bytes) = self { bytes } else { nil }
    }

    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
}

extension ScheduleDetail {
    /// Why the schedule is `failed`, for a person to read.
    var errorMessage: String? {
        switch schedule.failure {
        case nil: nil
        case .expired: "expired before its run started"
        case .run(let error):
            failureMessage.text.map { "\(error.reason.name): \($0)" } ?? error.reason.name
        case .runCancelled: "the run was cancelled"
        }
    }
}
