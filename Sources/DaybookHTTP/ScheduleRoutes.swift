import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Foundation

/// Promises: give, list, read, change, cancel.
enum ScheduleRoutes {
    static let all: [Route] = [
        Route(
            .post, "/workflows/{workflow_id}/schedules", .role(.write), body: .json, create),
        Route(.get, "/workflows/{workflow_id}/schedules", .role(.read), listOfWorkflow),
        Route(.get, "/workflow-schedules", .role(.read), list),
        Route(.get, "/workflow-schedules/density", .role(.read), density),
        Route(.get, "/workflow-schedules/{schedule_id}", .role(.read), read),
        Route(.patch, "/workflow-schedules/{schedule_id}", .role(.write), body: .json, modify),
        Route(.delete, "/workflow-schedules/{schedule_id}", .role(.write), cancel),
        Route(
            .post, "/workflow-schedules/{schedule_id}/erase", .role(.write), body: .json, erase),
    ]

    private static func create(_ call: Call, _ api: API) async throws -> Reply {
        let workflow: WorkflowID = try call.id("workflow_id", "workflow")
        let (new, payload) = try newSchedule(try call.fields(opaque: ["run_input"]), api)
        let accepted = try await api.submit(
            .createSchedule(workflow, new), for: call, payload: payload)
        return try reply(.created, accepted, api, knownInput: payload?.bytes)
    }

    /// What a request or an item of a batch promises.
    static func newSchedule(
        _ fields: JSONFields, _ api: API
    ) throws -> (NewSchedule, SaltedPayload?) {
        let time = fields.required("scheduled_time", .instant)
        let payload = try api.payload(fields, "run_input")
        let version = fields.optional("version", .integer(Limits.versionNumbers))
        let name = fields.optional("scheduled_by_name", .normalised)
        let end = fields.optional("expires_at", .instant)
        let priority = fields.optional("priority", .integer(Limits.priorities))
        let key = fields.optional("dedup_key", .string(bytes: Limits.deduplicationKeyBytes))
        try fields.throwMistakes()
        return (
            NewSchedule(
                scheduledTime: present(time), input: payload?.payload, version: version,
                scheduledByName: name, expiresAt: end,
                priority: priority ?? Limits.defaultPriority,
                deduplicationKey: key.map { DeduplicationKey($0) }), payload
        )
    }

    private static func modify(_ call: Call, _ api: API) async throws -> Reply {
        let id: ScheduleID = try call.id("schedule_id", "schedule")
        let fields = try call.fields(opaque: ["run_input"])
        var changes = ScheduleChanges()
        changes.scheduledTime = fields.optional("scheduled_time", .instant)
        let payload = try api.payload(fields, "run_input")
        switch fields.field("version", .integer(Limits.versionNumbers)) {
        case .absent: break
        case .null: changes.version = .set(nil)
        case .value(let version): changes.version = .set(version)
        }
        switch fields.field("expires_at", .instant) {
        case .absent: break
        case .null: changes.expiresAt = .set(nil)
        case .value(let end): changes.expiresAt = .set(end)
        }
        changes.priority = fields.optional("priority", .integer(Limits.priorities))
        try fields.throwMistakes()
        if let payload {
            // The same bytes again are no change. They were read at one moment, and the answer is
            // that of this moment.
            let current = try api.engine.schedule(id, of: call.team)
            if current?.input.bytes ?? Array("null".utf8) != payload.bytes {
                changes.input = payload.payload
            }
        }
        let accepted = try await api.submit(
            .modifySchedule(id, changes), for: call,
            payload: changes.input == nil ? nil : payload)
        return try reply(.ok, accepted, api)
    }

    private static func cancel(_ call: Call, _ api: API) async throws -> Reply {
        let id: ScheduleID = try call.id("schedule_id", "schedule")
        return try reply(.ok, try await api.submit(.cancelSchedule(id), for: call), api)
    }

    private static func read(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let past = try query.asOf(api.engine)
        try query.finish()
        let id: ScheduleID = try call.id("schedule_id", "schedule")
        let detail =
            try past.map { try api.engine.schedule(id, of: call.team, asOf: $0) }
            ?? api.engine.schedule(id, of: call.team)
        guard let detail else { throw Problem.notFound("schedule") }
        return Reply.json { $0.schedule(detail) }.with(revision: detail.schedule.revision)
    }

    /// Erases what the schedule and its run brought: input, output, messages.
    private static func erase(_ call: Call, _ api: API) async throws -> Reply {
        let id: ScheduleID = try call.id("schedule_id", "schedule")
        let force = try call.force()
        return try reply(
            .ok, try await api.erase(.schedule(id), force: force, for: call), api)
    }

    private static func list(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let workflow: WorkflowID? = query.id("workflow_id")
        return try list(call, api, query, workflow: workflow)
    }

    private static let densityParts = 1...500

    /// How many fall into each part of a span of time. An answer counts a bounded number; the next one may go
    /// on within the same part, whose counts are then to be added.
    private static func density(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let from = query.instant("from")
        let to = query.instant("to")
        let count = query.integer("buckets", densityParts)
        let workflow: WorkflowID? = query.id("workflow_id")
        let cursor = query.value("cursor", "is not a cursor of this list") { Cursor.bytes($0) }
        for name in ["from", "to", "buckets"] { query.require(name) }
        if let from, let to, to <= from { query.refuse("to", "must lie after from") }
        try query.finish()
        let page = try await api.engine.density(
            of: call.team, workflow: workflow,
            in: TimeParts(from: present(from), to: present(to), count: present(count)),
            after: cursor)
        return .list(page.items, next: page.next) { $0.density($1) }
    }

    private static func listOfWorkflow(_ call: Call, _ api: API) async throws -> Reply {
        let workflow: WorkflowID = try call.id("workflow_id", "workflow")
        guard try api.engine.workflow(workflow, of: call.team) != nil else {
            throw Problem.notFound("workflow")
        }
        return try list(call, api, QueryFields(call), workflow: workflow)
    }

    private static func list(
        _ call: Call, _ api: API, _ query: QueryFields, workflow: WorkflowID?
    ) throws -> Reply {
        var filter = ScheduleFilter()
        filter.workflow = workflow
        let statuses = Schedule.Status.allCases.map(\.name).joined(separator: ", ")
        filter.status = query.value("status", "must be one of \(statuses)") {
            Schedule.Status(name: $0)
        }
        filter.deduplicationKey = query.value("dedup_key", "") { DeduplicationKey($0) }
        filter.from = query.instant("from")
        filter.to = query.instant("to")
        let order = query.value("order", "must be created or scheduled_time") { text in
            switch text {
            case "created": ScheduleFilter.Order.created
            case "scheduled_time": ScheduleFilter.Order.scheduledTime
            default: nil
            }
        }
        filter.order = order ?? .created
        let parameters = ListParameters(query)
        let moment = try query.asOf(api.engine)
        if moment != nil, filter.order == .scheduledTime {
            query.refuse("order", "must be created together with as_of")
        }
        try query.finish()
        let page =
            if let moment {
                try api.engine.schedules(
                    of: call.team, filter, asOf: moment, after: parameters.cursor,
                    limit: parameters.limit, maximumBytes: api.limits.pageBytes)
            } else {
                try api.engine.schedules(
                    of: call.team, filter, after: parameters.cursor, limit: parameters.limit,
                    maximumBytes: api.limits.pageBytes)
            }
        return .list(page.items, next: page.next) { $0.schedule($1) }
    }

    private static func reply(
        _ status: HTTPResponse.Status, _ accepted: Accepted, _ api: API, knownInput: [UInt8]? = nil
    ) throws -> Reply {
        let detail = try detail(accepted, api, knownInput: knownInput)
        return Reply.json(status) { $0.schedule(detail) }
            .with(accepted).with(revision: detail.schedule.revision)
    }

    /// The schedule that a command left.
    ///
    /// - Parameter knownInput: the input as it was sent, which saves reading it back.
    static func detail(
        _ accepted: Accepted, _ api: API, knownInput: [UInt8]?
    ) throws -> ScheduleDetail {
        guard case .schedule(let schedule) = accepted.answer else { throw Problem.internal }
        guard !accepted.isReplayed, let knownInput else { return try api.engine.detail(schedule) }
        return ScheduleDetail(
            schedule: schedule, input: .bytes(knownInput), failureMessage: nil)
    }
}

extension JSONType where Value == String {
    /// A text for people, in Unicode's normal form C, so that one spelling of é is stored.
    static var normalised: Self {
        JSONType<String>.string().checked { text throws(JSONMismatch) in
            text.precomposedStringWithCanonicalMapping
        }
    }
}
