import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Synchronization

/// How the service is, what the team may use, and the administrator's words to it.
enum OperationRoutes {
    static let all: [Route] = [
        Route(.get, "/healthz", .open, health),
        Route(.get, "/readyz", .open, readiness),
        Route(.get, "/openapi.yaml", .open, description),
        Route(.get, "/metrics", .role(.admin), metrics),
        Route(.get, "/license", .role(.read), license),
        Route(.post, "/pause", .role(.admin), body: .json, pause),
        Route(.post, "/resume", .role(.admin), body: .json, resume),
        Route(.post, "/clock/trust", .role(.admin), body: .json, trustClock),
        Route(.post, "/rebuild", .role(.admin), body: .json, rebuild),
        Route(.get, "/rebuild", .role(.admin), rebuildStatus),
    ]

    /// Alive: the process answers.
    private static func health(_ call: Call, _ api: API) async throws -> Reply {
        Reply.json { $0.object { $0.field("status", "ok") } }
    }

    /// Ready: commands are taken, promises are kept. The reasons why not are shown to who has a key.
    private static func readiness(_ call: Call, _ api: API) async throws -> Reply {
        let reasons = try reasons(api)
        let showsReasons = call.principal != nil
        return Reply.json(reasons.isEmpty ? .ok : .serviceUnavailable) { writer in
            writer.object { writer in
                writer.field("status", reasons.isEmpty ? "ready" : "not_ready")
                if showsReasons {
                    writer.array("reasons") { writer in
                        for reason in reasons { writer.string(reason) }
                    }
                    writer.array("warnings") { writer in
                        let percent = api.engine.diskWarning
                        if percent > 0 {
                            writer.string("disk or map are in use by \(percent) % or more")
                        }
                    }
                }
            }
        }
    }

    private static func reasons(_ api: API) throws -> [String] {
        let engine = api.engine
        var reasons: [String] = []
        switch engine.currentPhase {
        case .replaying(let percent): return ["replaying (\(percent) %)"]
        case .stopping: reasons.append("stopping")
        case .serving: break
        }
        switch engine.clockJudgement {
        case .good: break
        case .ahead: reasons.append("clock_suspect (ahead): nothing is written")
        case .behind: reasons.append("clock_suspect (behind): nothing fires")
        }
        if engine.hasDiskFull { reasons.append("disk_full: new work is refused") }
        if let mismatch = engine.mismatch {
            reasons.append(
                "inconsistent: nothing fires or starts until POST /rebuild has ended: \(mismatch)"
            )
        }
        if engine.isCopy { reasons.append("copy: serves reads until POST /resume") }
        if try engine.service().isPaused { reasons.append("paused: nothing fires or starts") }
        return reasons
    }

    /// The API's description. Its media type is that of RFC 9512.
    private static func description(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        var reply = Reply(status: .ok, body: Array(EmbeddedFiles.openAPI.utf8))
        reply.headers[.contentType] = "application/yaml"
        return reply
    }

    /// Prometheus' text format, version 0.0.4.
    private static func metrics(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        let engine = api.engine
        var text = api.metrics.text
        let counts = try engine.counts()
        let space = try engine.space()
        let audit = engine.lastAudit
        let gauges: [(name: String, value: Int)] = [
            ("log_position", Int(counts.position)), ("due_moments", counts.dueMoments),
            ("runs_in_progress", counts.inProgress), ("runs_queued", counts.queued),
            ("mailbox_commands", engine.mailboxDepth), ("waiting_claims", engine.claimants.count),
            ("waiting_endpoints", counts.waitingEndpoints),
            (
                "oldest_delivery_seconds",
                counts.oldestDelivery.map {
                    Int(max(0, engine.clock.now().milliseconds(since: $0)) / 1_000)
                } ?? 0
            ),
            ("executions_under_way", engine.executionsUnderWay.load(ordering: .relaxed)),
            ("paused", counts.isPaused ? 1 : 0), ("copy", engine.isCopy ? 1 : 0),
            ("clock_suspect", engine.clockJudgement == .good ? 0 : 1),
            ("disk_full", engine.hasDiskFull ? 1 : 0),
            ("inconsistent", engine.mismatch == nil ? 0 : 1),
            ("log_followers", engine.openStreams.load(ordering: .relaxed)),
            ("oldest_reader_commits", engine.oldestReaderLag),
            ("mailbox_oldest_microseconds", Int(engine.mailboxAge)),
            ("disk_bytes", space.diskBytes), ("disk_available_bytes", space.diskAvailableBytes),
            ("map_bytes", space.mapBytes), ("map_used_bytes", space.mapUsedBytes),
            ("audit_overdue", audit?.overdue ?? 0),
            ("audit_disagrees", audit.map { $0.agrees ? 0 : 1 } ?? 0),
            (
                "audit_age_seconds",
                audit.map { Int(max(0, engine.clock.now().milliseconds(since: $0.at)) / 1_000) }
                    ?? 0
            ),
        ]
        for gauge in gauges {
            text += "# TYPE daybook_\(gauge.name) gauge\ndaybook_\(gauge.name) \(gauge.value)\n"
        }
        var reply = Reply(status: .ok, body: Array(text.utf8))
        reply.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
        return reply
    }

    private static func license(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        guard let (team, usage) = try api.engine.license(of: call.team) else {
            throw Problem.notFound("team")
        }
        return Reply.json { writer in
            writer.object { writer in
                writer.field("team_id", team.id)
                writer.field("max_concurrent_runs", team.maxConcurrentRuns)
                writer.field("in_progress", usage.inProgress)
                writer.field("queued", usage.queued)
            }
        }.with(revision: team.revision)
    }

    private static func pause(_ call: Call, _ api: API) async throws -> Reply {
        try await tell(.pause, call, api)
    }

    private static func resume(_ call: Call, _ api: API) async throws -> Reply {
        try await tell(.resume, call, api)
    }

    private static func trustClock(_ call: Call, _ api: API) async throws -> Reply {
        try await tell(.trustClock, call, api)
    }

    /// Begins a rebuild beside the running service. Asked again while one is under way, it tells how that
    /// one stands: it changes nothing that the log knows, so there is no entry.
    private static func rebuild(_ call: Call, _ api: API) async throws -> Reply {
        try call.fields(mayBeEmpty: true).throwMistakes()
        do throws(Unavailable) {
            return reply(.accepted, try api.engine.startRebuild())
        } catch {
            throw Problem(error)
        }
    }

    private static func rebuildStatus(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        guard let status = api.engine.rebuildStatus else { throw Problem.notFound("rebuild") }
        return reply(.ok, status)
    }

    private static func reply(_ status: HTTPResponse.Status, _ rebuild: RebuildStatus) -> Reply {
        Reply.json(status) { $0.rebuild(rebuild) }
    }

    private static func tell(_ command: Command, _ call: Call, _ api: API) async throws -> Reply {
        try call.fields(mayBeEmpty: true).throwMistakes()
        let accepted = try await api.submit(command, for: call)
        let service = try api.engine.service()
        var reply = Reply.json { $0.object { $0.field("paused", service.isPaused) } }
            .with(accepted)
        // The service has no row that knows its last entry: of no change, the log's is told.
        if accepted.position == 0 { reply.headers[.daybookPosition] = String(service.position) }
        return reply
    }
}
