import DaybookCore
import DaybookEngine
import DaybookWire

extension Delivery {
    /// What is sent: the same bytes at every attempt, but for what was erased meanwhile.
    func body(output: StoredPayload?, errorMessage: StoredPayload?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("event", action.name)
            writer.field("occurred_at", occurredAt)
            writer.field("position", position)
            writer.object("workflow") { writer in
                writer.field("id", workflow.id)
                writer.field("team_id", team)
                writer.field("name", workflow.name)
                writer.field("active_version", workflow.activeVersion)
                writer.field("paused", workflow.isPaused)
                writer.field("revision", workflow.revision)
            }
            if let run { writer.run(run, output, errorMessage) }
            if let schedule {
                writer.object("schedule") { writer in
                    writer.field("id", schedule.id)
                    writer.field("status", "failed")
                    writer.field("scheduled_time", schedule.scheduledTime)
                    writer.field("expires_at", schedule.expiresAt)
                }
            }
        }
        return writer.finish()
    }
}

extension JSONWriter {
    fileprivate mutating func run(
        _ run: Run, _ output: StoredPayload?, _ errorMessage: StoredPayload?
    ) {
        object("run") { writer in
            writer.field("id", run.id)
            writer.field("version", run.version)
            writer.field("mode", run.mode.name)
            writer.field("status", run.status.name)
            writer.field("schedule_id", run.schedule)
            writer.field("trigger_id", run.trigger)
            writer.field("attempt", run.attempt)
            writer.field("queued_at", run.queuedAt)
            writer.field("started_at", run.startedAt)
            writer.field("completed_at", run.finishedAt)
            writer.field("output", raw: output.bytes)
            writer.name("error")
            guard let error = run.error else { return writer.null() }
            writer.object { writer in
                writer.field("reason", error.reason.name)
                writer.field(
                    "message", errorMessage.bytes.map { String(decoding: $0, as: UTF8.self) })
            }
        }
    }
}

extension StoredPayload? {
    fileprivate var bytes: [UInt8]? {
        if case .bytes(let bytes) = self { bytes } else { nil }
    }
}
