import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// The log, and the history of one thing. A team sees its own entries, an administrator all.
enum LogRoutes {
    static let all: [Route] = [
        Route(.get, "/log", .role(.read), list),
        Route(.get, "/log/stream", .role(.read), takesTime: true, stream),
        Route(.get, "/log/checkpoint", .role(.read), checkpoint),
        Route(.get, "/log/consistency", .role(.read), consistency),
        Route(.get, "/log/public-key", .open, publicKey),
        Route(.get, "/log/{position}", .role(.read), read),
        Route(.get, "/log/{position}/proof", .role(.read), proof),
        Route(.get, "/workflow-schedules/{schedule_id}/history", .role(.read), ofSchedule),
        Route(.get, "/workflow-runs/{run_id}/history", .role(.read), ofRun),
        Route(.get, "/workflows/{workflow_id}/history", .role(.read), ofWorkflow),
    ]

    /// The log by position, oldest first. `through` says how far it was looked at: the next page begins
    /// after it, whether or not this one is full.
    private static func list(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let (filter, after) = try filter(query, call, api)
        let payloads = query.boolean("payloads") ?? false
        let limit = query.integer("limit", ListParameters.limits) ?? ListParameters.defaultLimit
        try query.finish()
        let page = try await api.engine.log(
            after: after ?? 0, filter, limit: limit, payloads: payloads)
        return try Reply.json { writer in
            try writer.object { writer in
                try writer.array("items") { writer in
                    for entry in page.entries {
                        writer.entry(
                            entry, actorName: try api.engine.name(of: entry.header.actor),
                            payloads: payloads ? try api.engine.payloads(of: entry) : nil)
                    }
                }
                writer.field("through", page.through)
            }
        }
    }

    /// What of the log is asked for, and from where on.
    private static func filter(
        _ query: QueryFields, _ call: Call, _ api: API
    ) throws -> (filter: LogFilter, after: Position?) {
        var filter = LogFilter()
        let team: TeamID? = call.seesWholeLog ? query.id("team_id") : call.team
        filter.team = team
        filter.workflow = query.id("workflow_id")
        filter.schedule = query.id("schedule_id")
        filter.run = query.id("run_id")
        filter.actor = query.value(
            "actor", "must be a kind or key:<id>, system:<part>, trigger:<id>"
        ) {
            $0.isEmpty ? nil : $0
        }
        filter.command = query.value("command", "is not the name of a command") {
            CommandName(text: $0)
        }
        filter.event = query.value("event", "is not the name of an event") {
            Event.names.contains($0) ? $0 : nil
        }
        filter.from = query.instant("from")
        filter.to = query.instant("to")
        let after = query.value("after", "must be a position of the log") {
            Position(exactly: $0)
        }
        let last = try api.engine.service().position
        if let after, after > last {
            query.refuse("after", "lies beyond the log: the log ends at \(last)")
        }
        return (filter, after)
    }

    /// The log as it grows, as server-sent events (WHATWG HTML, section 9.2). Begins after the
    /// position in `Last-Event-ID` or `after`, otherwise at the end of the log.
    private static func stream(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let (filter, asked) = try filter(query, call, api)
        let payloads = query.boolean("payloads") ?? false
        try query.finish()
        var after = asked
        if let text = call.headers[.lastEventID] {
            guard let position = Position(exactly: text),
                position <= (try api.engine.service().position)
            else { throw Problem.malformed("Last-Event-ID is not a position of this log") }
            after = position
        }
        guard let principal = call.principal else { throw Problem.unauthorized }
        let stream = LogStream(
            engine: api.engine, filter: filter, payloads: payloads,
            after: try after ?? api.engine.service().position, client: call.client
        ) {
            guard try api.engine.validKey(principal.key) != nil else { return false }
            return principal.session.map { api.sessions.isOpen($0) } ?? true
        }
        guard stream.begin() else { throw Problem(Unavailable.overloaded) }
        var reply = Reply(status: .ok, body: [])
        reply.headers[.contentType] = "text/event-stream"
        reply.stream = { writer in try await stream.write(to: &writer) }
        return reply
    }

    /// One entry: as JSON, or its exact bytes where the client asks for protobuf.
    private static func read(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let payloads = query.boolean("payloads") ?? false
        let isBinary = call.accepts("application/protobuf")
        if payloads, isBinary {
            query.refuse("payloads", "are shown in JSON alone: ask for application/json")
        }
        try query.finish()
        let found = try entry(call, api)
        if isBinary {
            var reply = Reply(status: .ok, body: found.bytes)
            reply.headers[.contentType] = "application/protobuf"
            return reply
        }
        let brought = payloads ? try api.engine.payloads(of: found.entry) : nil
        let name = try api.engine.name(of: found.entry.header.actor)
        return Reply.json { $0.entry(found.entry, actorName: name, payloads: brought) }
    }

    /// The entry that the path names, where the key may see it.
    private static func entry(
        _ call: Call, _ api: API
    ) throws -> (entry: Entry, bytes: [UInt8]) {
        guard let position = call.parameters["position"].flatMap({ Position(exactly: $0) }),
            let found = try api.engine.entry(at: position),
            call.seesWholeLog || found.entry.header.team == call.team
        else { throw Problem.notFound("entry") }
        return found
    }

    // Proofs

    private static func checkpoint(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        return Reply.text(try api.engine.signedCheckpoint())
    }

    private static func publicKey(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        guard let key = try api.engine.checkpointVerifier() else {
            throw Problem(Unavailable.replaying(percent: 0))
        }
        return Reply.text(key + "\n")
    }

    /// That an entry is in the log, as it is or as it was at an earlier size.
    private static func proof(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let size = query.value("tree_size", "must be a size that the log has or had") {
            Position(exactly: $0)
        }
        try query.finish()
        let position = try entry(call, api).entry.header.position
        guard let proof = try api.engine.inclusionProof(of: position, in: size) else {
            let last = try api.engine.service().position
            query.refuse("tree_size", "must be between \(position) and \(last)")
            try query.finish()
            throw Problem.internal
        }
        return Reply.json { $0.proof(proof) }
    }

    /// That the log of an earlier size is the beginning of a later one.
    private static func consistency(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let from = query.value("from", "must be a size that the log had") { Position(exactly: $0) }
        let to = query.value("to", "must be a size that the log has or had") {
            Position(exactly: $0)
        }
        query.require("from")
        try query.finish()
        guard let proof = try api.engine.consistencyProof(from: present(from), to: to) else {
            let last = try api.engine.service().position
            query.refuse(
                "from", "must lie between 1 and \(to ?? last), and the log ends at \(last)")
            try query.finish()
            throw Problem.internal
        }
        return Reply.json { $0.proof(proof) }
    }

    private static func ofSchedule(_ call: Call, _ api: API) async throws -> Reply {
        let id: ScheduleID = try call.id("schedule_id", "schedule")
        let detail = try api.engine.schedule(id, of: call.team)
        return try history(
            AnyID(id), detail?.schedule.touched.position, "schedule", call, api)
    }

    private static func ofRun(_ call: Call, _ api: API) async throws -> Reply {
        let id: RunID = try call.id("run_id", "run")
        let detail = try api.engine.run(id, of: call.team)
        return try history(AnyID(id), detail?.run.touched.position, "run", call, api)
    }

    private static func ofWorkflow(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let workflow = try api.engine.workflowEverMade(id, of: call.team)
        return try history(AnyID(id), workflow?.touched.position, "workflow", call, api)
    }

    /// The entries about one thing, the last first. The cursor is a position; one that is not about
    /// the thing leads nowhere.
    private static func history(
        _ object: AnyID, _ last: Position?, _ what: String, _ call: Call, _ api: API
    ) throws -> Reply {
        let query = QueryFields(call)
        let limit = query.integer("limit", ListParameters.limits) ?? ListParameters.defaultLimit
        let cursor = query.value("cursor", "is not a cursor of this list") {
            Position(exactly: $0)
        }
        try query.finish()
        guard let last else { throw Problem.notFound(what) }
        let page = try api.engine.history(
            of: object, from: min(cursor ?? last, last), limit: limit)
        return try Reply.json { writer in
            try writer.object { writer in
                try writer.array("items") { writer in
                    for item in page.items {
                        let changes = page.showsObjects ? changes(of: item) : nil
                        let name = try api.engine.name(of: item.entry.header.actor)
                        writer.entry(item.entry, actorName: name, changes: changes)
                    }
                }
                writer.field("next_cursor", page.next.map { String($0) })
            }
        }
    }
}

extension Call {
    /// Whether `Accept` names this media type (RFC 9110, section 12.5.1; without weighing).
    fileprivate func accepts(_ type: String) -> Bool {
        (headers[.accept] ?? "").split(separator: ",").contains { range in
            let parts = range.lowercased().split(separator: ";").map {
                $0.filter { !$0.isWhitespace }
            }
            let isRefused = parts.contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
            return parts.first == type && !isRefused
        }
    }

    /// Whether the key may see the entries of all teams and of the service.
    fileprivate var seesWholeLog: Bool { principal?.role == .admin }
}

extension Position {
    /// Decimal digits without a leading zero.
    init?(exactly text: String) {
        guard let position = Position(text), String(position) == text else { return nil }
        self = position
    }
}

extension QueryFields {
    /// What the past is asked for by: a position, or an RFC 3339 time. Neither may lie beyond the log.
    func asOf(_ engine: Engine) throws -> AsOf? {
        let position = try engine.service().position
        let moment = value("as_of", "must be a position of the log or an RFC 3339 time") { text in
            if let position = Position(exactly: text) { return AsOf.position(position) }
            return AsOf.instant(try RFC3339.parse(text))
        }
        switch moment {
        case .position(let asked) where asked > position || asked == 0:
            refuse("as_of", "must be between 1 and \(position)")
        case .instant(let asked) where asked > engine.clock.now():
            refuse("as_of", "must not lie in the future")
        default: break
        }
        return moment
    }
}
