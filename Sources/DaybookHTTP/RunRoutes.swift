import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// Runs: start by hand, list, read, end.
enum RunRoutes {
    static let all: [Route] = [
        Route(
            .post, "/workflows/{workflow_id}/execute", .role(.write), body: .json,
            takesQuery: true, takesTime: true, execute),
        Route(.get, "/workflow-runs", .role(.read), list),
        Route(.get, "/workflow-runs/{run_id}", .role(.read), read),
        Route(.get, "/workflow-runs/{run_id}/why", .role(.read), why),
        Route(.post, "/workflow-runs/{run_id}/cancel", .role(.write), body: .json, cancel),
        Route(.post, "/workflow-runs/{run_id}/erase", .role(.write), body: .json, erase),
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
        let new = NewRun(
            input: payload?.payload, version: version,
            priority: priority ?? Limits.defaultPriority, expiresAt: end)
        let accepted: Accepted
        do {
            accepted = try await api.submit(.execute(workflow, new), for: call, payload: payload)
        } catch let problem as Problem where !problem.errors.isEmpty {
            // The version came in the query.
            throw Problem.invalid(
                problem.errors.map { error in
                    error.pointer == "/version"
                        ? FieldError(pointer: "?version", message: error.message) : error
                })
        }
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
        await call.whileConnected {
            try? await engine.feed.waitForEnd(
                of: run.id, until: engine.clock.now().adding(seconds: seconds),
                clock: engine.clock
            ) {
                try engine.run(run.id, of: team)?.run.status.isFinal ?? true
            }
        }
        guard let detail = try engine.run(run.id, of: team), detail.run.status.isFinal else {
            return nil
        }
        return detail
    }

    private static func cancel(_ call: Call, _ api: API) async throws -> Reply {
        let id: RunID = try call.id("run_id", "run")
        try call.fields(mayBeEmpty: true).throwMistakes()
        let accepted = try await api.submit(.cancelRun(id), for: call)
        guard case .run(let run) = accepted.answer else { throw Problem.internal }
        return try reply(.ok, run, accepted, api)
    }

    /// Erases what the run and its schedule brought: input, output, messages.
    private static func erase(_ call: Call, _ api: API) async throws -> Reply {
        let id: RunID = try call.id("run_id", "run")
        let force = try call.force()
        let accepted = try await api.erase(.run(id), force: force, for: call)
        guard case .run(let run) = accepted.answer else { throw Problem.internal }
        return try reply(.ok, run, accepted, api)
    }

    private static func read(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let past = try query.asOf(api.engine)
        try query.finish()
        let id: RunID = try call.id("run_id", "run")
        let detail =
            try past.map { try api.engine.run(id, of: call.team, asOf: $0) }
            ?? api.engine.run(id, of: call.team)
        guard let detail else { throw Problem.notFound("run") }
        return Reply.json { $0.run(detail) }
    }

    private static func why(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        let id: RunID = try call.id("run_id", "run")
        guard let why = try api.engine.why(id, of: call.team) else {
            throw Problem.notFound("run")
        }
        let message = try api.engine.detail(why.run).errorMessage.text
        return Reply.json { $0.why(why, errorMessage: message) }
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
        let moment = try query.asOf(api.engine)
        try query.finish()
        let page =
            if let moment {
                try api.engine.runs(
                    of: call.team, filter, asOf: moment, after: parameters.cursor,
                    limit: parameters.limit, maximumBytes: api.limits.pageBytes)
            } else {
                try api.engine.runs(
                    of: call.team, filter, after: parameters.cursor, limit: parameters.limit,
                    maximumBytes: api.limits.pageBytes)
            }
        return .list(page.items, next: page.next) { $0.run($1) }
    }

    static func reply(
        _ status: HTTPResponse.Status, _ run: Run, _ accepted: Accepted, _ api: API,
        output: [UInt8]? = nil
    ) throws -> Reply {
        let detail = try api.engine.detail(run, knownOutput: accepted.isReplayed ? nil : output)
        return Reply.json(status) { $0.run(detail) }.with(accepted)
    }
}
