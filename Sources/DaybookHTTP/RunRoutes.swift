import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// Runs: start by hand, list, read, end.
enum RunRoutes {
    static let all: [Route] = [
        Route(
            .post, "/workflows/{workflow_id}/execute", .role(.write), body: .json,
            takesQuery: true, execute),
        Route(.get, "/workflow-runs", .role(.read), list),
        Route(.get, "/workflow-runs/{run_id}", .role(.read), read),
        Route(.post, "/workflow-runs/{run_id}/complete", .role(.work), body: .json, complete),
        Route(.post, "/workflow-runs/{run_id}/fail", .role(.work), body: .json, fail),
        Route(.post, "/workflow-runs/{run_id}/heartbeat", .role(.work), body: .json, heartbeat),
        Route(.post, "/workflow-runs/{run_id}/release", .role(.work), body: .json, release),
        Route(.post, "/workflow-runs/{run_id}/cancel", .role(.write), body: .json, cancel),
    ]

    static let waitSeconds = 0...60

    private static func execute(_ call: Call, _ api: API) async throws -> Reply {
        let workflow: WorkflowID = try call.id("workflow_id", "workflow")
        let query = QueryFields(call)
        let version = query.integer("version", Limits.versionNumbers)
        let wait = query.integer("wait", waitSeconds) ?? 0
        try query.finish()
        let fields = try call.fields(opaque: ["run_input"], mayBeEmpty: true)
        let payload = try api.payload(fields, "run_input")
        let priority = fields.optional("priority", .integer(Limits.priorities))
        let end = fields.optional("expires_at", .instant)
        try fields.throwMistakes()
        let accepted = try await api.submit(
            .execute(
                workflow,
                NewRun(
                    input: payload?.payload, version: version,
                    priority: priority ?? Limits.defaultPriority, expiresAt: end)),
            for: call, payload: payload)
        guard case .run(let queued) = accepted.answer else { throw Problem.internal }
        guard wait > 0, let run = try await ended(queued, call, api, seconds: wait) else {
            return try reply(.accepted, queued, accepted, api)
        }
        return Reply.json { $0.run(run) }.with(accepted)
    }

    /// The run once it has ended; `nil` when it has not within so many seconds.
    private static func ended(
        _ run: Run, _ call: Call, _ api: API, seconds: Int
    ) async throws -> RunDetail? {
        let engine = api.engine
        let team = call.team
        try? await engine.feed.waitForEnd(
            of: run.id, until: engine.clock.now().adding(seconds: seconds), clock: engine.clock
        ) {
            try engine.run(run.id, of: team)?.run.status.isFinal ?? true
        }
        guard let detail = try engine.run(run.id, of: team), detail.run.status.isFinal else {
            return nil
        }
        return detail
    }

    private static func complete(_ call: Call, _ api: API) async throws -> Reply {
        let id: RunID = try call.id("run_id", "run")
        let fields = try call.fields(opaque: ["output"])
        let attempt = fields.required("attempt", .attempt)
        let output = try api.payload(fields, "output")
        try fields.throwMistakes()
        return try await answered(call, api, id) {
            try await api.submit(
                .complete(id, attempt: present(attempt), output: output?.payload), for: call,
                payload: output)
        } again: { detail in
            detail.run.status == .completed && detail.run.attempt == attempt
                && detail.output.bytes ?? Array("null".utf8)
                    == output?.bytes ?? Array("null".utf8)
        }
    }

    private static func fail(_ call: Call, _ api: API) async throws -> Reply {
        let id: RunID = try call.id("run_id", "run")
        let fields = try call.fields()
        let attempt = fields.required("attempt", .attempt)
        let reason = fields.optional("reason", .failureReason) ?? .error
        let text = fields.optional("message", .string(bytes: 0...messageBytes))
        let isRetryable = fields.optional("retryable", .bool) ?? true
        try fields.throwMistakes()
        let message = text.map { api.engine.salted(Array($0.utf8)) }
        return try await answered(call, api, id) {
            try await api.submit(
                .fail(
                    id, attempt: present(attempt),
                    Failure(
                        reason: reason, message: message?.payload, isRetryable: isRetryable)),
                for: call, payload: message)
        } again: { detail in
            detail.run.error?.attempt == attempt && detail.run.error?.reason == reason
                && detail.errorMessage.bytes == message?.bytes
        }
    }

    /// A message is for a person: what is longer belongs into a log.
    static let messageBytes = 16 << 10

    private static func heartbeat(_ call: Call, _ api: API) async throws -> Reply {
        let id: RunID = try call.id("run_id", "run")
        let attempt = try attempt(of: call)
        let accepted = try await api.submit(.renewLease(id, attempt: attempt), for: call)
        guard case .run(let run) = accepted.answer else { throw Problem.internal }
        return Reply.json { writer in
            writer.object { writer in
                writer.field("run_id", run.id)
                writer.field("attempt", run.attempt)
                writer.field("lease_expires_at", run.leaseEndsAt)
                writer.field("deadline", run.deadline)
            }
        }.with(accepted)
    }

    private static func release(_ call: Call, _ api: API) async throws -> Reply {
        let id: RunID = try call.id("run_id", "run")
        let attempt = try attempt(of: call)
        let accepted = try await api.submit(.release(id, attempt: attempt), for: call)
        guard case .run(let run) = accepted.answer else { throw Problem.internal }
        return try reply(.ok, run, accepted, api)
    }

    private static func cancel(_ call: Call, _ api: API) async throws -> Reply {
        let id: RunID = try call.id("run_id", "run")
        try call.fields(mayBeEmpty: true).throwMistakes()
        let accepted = try await api.submit(.cancelRun(id), for: call)
        guard case .run(let run) = accepted.answer else { throw Problem.internal }
        return try reply(.ok, run, accepted, api)
    }

    private static func attempt(of call: Call) throws -> Int {
        let fields = try call.fields()
        let attempt = fields.required("attempt", .attempt)
        try fields.throwMistakes()
        return present(attempt)
    }

    /// Submits an answer about a run. The same answer again, for the same attempt, is no mistake:
    /// it changes nothing and is answered with the run as it is.
    private static func answered(
        _ call: Call, _ api: API, _ id: RunID, submit: () async throws -> Accepted,
        again isSame: (RunDetail) -> Bool
    ) async throws -> Reply {
        do {
            let accepted = try await submit()
            guard case .run(let run) = accepted.answer else { throw Problem.internal }
            return try reply(.ok, run, accepted, api)
        } catch let problem as Problem where Problem.aboutTheRunsState.contains(problem.code) {
            guard let detail = try api.engine.run(id, of: call.team), isSame(detail) else {
                throw problem
            }
            var reply = Reply.json { $0.run(detail) }
            reply.headers[.daybookPosition] = String(detail.run.touched.position)
            return reply
        }
    }

    private static func read(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        let id: RunID = try call.id("run_id", "run")
        guard let detail = try api.engine.run(id, of: call.team) else {
            throw Problem.notFound("run")
        }
        return Reply.json { $0.run(detail) }
    }

    private static func list(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        var filter = RunFilter()
        let statuses = Run.Status.allCases.map(\.name).joined(separator: ", ")
        filter.status = query.value("status", "must be one of \(statuses)") {
            Run.Status(name: $0)
        }
        let modes = Run.Mode.allCases.map(\.name).joined(separator: ", ")
        filter.mode = query.value("mode", "must be one of \(modes)") { Run.Mode(name: $0) }
        filter.workflow = query.id("workflow_id")
        filter.schedule = query.id("schedule_id")
        filter.trigger = query.id("trigger_id")
        filter.from = query.instant("from")
        filter.to = query.instant("to")
        let parameters = ListParameters(query)
        try query.finish()
        let page = try api.engine.runs(
            of: call.team, filter, after: parameters.cursor, limit: parameters.limit,
            maximumBytes: api.limits.pageBytes)
        return .list(page.items, next: page.next) { $0.run($1) }
    }

    private static func reply(
        _ status: HTTPResponse.Status, _ run: Run, _ accepted: Accepted, _ api: API
    ) throws -> Reply {
        let detail = try api.engine.detail(run)
        return Reply.json(status) { $0.run(detail) }.with(accepted)
    }
}

extension JSONType where Value == Int {
    /// An attempt's number.
    static var attempt: Self { .integer(1...Int(Int32.max)) }
}

extension JSONType where Value == RunError.Reason {
    /// The reasons that a worker may give for a failure.
    static var failureReason: Self {
        JSONType<String>.string().checked { text throws(JSONMismatch) in
            guard let reason = RunError.Reason(name: text), reason != .expired else {
                let names = RunError.Reason.allCases.filter { $0 != .expired }.map(\.name)
                throw JSONMismatch("must be one of \(names.joined(separator: ", "))")
            }
            return reason
        }
    }
}
