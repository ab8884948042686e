import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Many promises at once: given item by item, cancelled and changed by filter.
enum BulkRoutes {
    static let all: [Route] = [
        Route(
            .post, "/workflows/{workflow_id}/schedules/batch", .role(.write), body: .batch,
            create),
        Route(.post, "/workflow-schedules/cancel", .role(.write), body: .json, cancel),
        Route(.post, "/workflow-schedules/modify", .role(.write), body: .json, modify),
        Route(.get, "/operations/{operation_id}", .role(.read), read),
    ]

    private static func create(_ call: Call, _ api: API) async throws -> Reply {
        let workflow: WorkflowID = try call.id("workflow_id", "workflow")
        guard try api.engine.workflow(workflow, of: call.team) != nil else {
            throw Problem.notFound("workflow")
        }
        let batch = try ScheduleBatch(call, workflow, api)
        guard let place = api.batchPlaces.take(for: call.team) else { throw Problem.overloaded }
        var reply = Reply(status: .ok, body: [])
        reply.headers[.contentType] = "application/x-ndjson"
        reply.stream = { writer in
            defer { place.giveBack() }
            try await batch.write(to: &writer)
        }
        return reply
    }

    private static func cancel(_ call: Call, _ api: API) async throws -> Reply {
        let fields = try call.fields()
        let filter = fields.pendingFilter()
        let isDry = fields.optional("dry_run", .bool) ?? false
        try fields.throwMistakes()
        return try await start(.cancel(present(filter)), present(filter), isDry, call, api)
    }

    private static func modify(_ call: Call, _ api: API) async throws -> Reply {
        let fields = try call.fields()
        let filter = fields.pendingFilter()
        let changes = fields.bulkChanges()
        let isDry = fields.optional("dry_run", .bool) ?? false
        try fields.throwMistakes()
        return try await start(
            .modify(present(filter), present(changes)), present(filter), isDry, call, api)
    }

    private static func start(
        _ task: BulkOperation.Task, _ filter: PendingFilter, _ isDry: Bool, _ call: Call,
        _ api: API
    ) async throws -> Reply {
        let matched = try await api.engine.countPending(of: call.team, filter)
        guard !isDry else {
            return Reply.json { $0.object { $0.field("matched", matched) } }
        }
        return try reply(
            try await api.submit(.startOperation(task, matched: matched), for: call))
    }

    /// An operation that goes on after the answer.
    static func reply(_ accepted: Accepted) throws -> Reply {
        guard case .operation(let operation) = accepted.answer else { throw Problem.internal }
        var reply = Reply.json(.accepted) { $0.operation(operation) }.with(accepted)
        reply.headers[.location] = "/operations/\(operation.id)"
        return reply
    }

    private static func read(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        let id: OperationID = try call.id("operation_id", "operation")
        guard let operation = try api.engine.operation(id, of: call.team) else {
            throw Problem.notFound("operation")
        }
        return Reply.json { $0.operation(operation) }
    }
}

extension JSONFields {
    /// The object `filter`: the fields of the list's query. Only what is still to fire can be changed.
    fileprivate func pendingFilter() -> PendingFilter? {
        guard let fields = required("filter", .object) else { return nil }
        if let status = fields.optional("status", .string()), status != "pending" {
            fields.refuse("status", "must be pending: nothing else can be changed")
        }
        let filter = PendingFilter(
            workflow: fields.optional("workflow_id", .identifier()),
            deduplicationKey: fields.optional(
                "dedup_key", .string(bytes: Limits.deduplicationKeyBytes)
            ).map { DeduplicationKey($0) },
            from: fields.optional("from", .instant), to: fields.optional("to", .instant))
        // All promises of a team are meant only where that is said.
        if fields.names.isEmpty {
            refuse("filter", "must name something; {\"status\": \"pending\"} means all")
        }
        return filter
    }

    fileprivate func bulkChanges() -> BulkChanges? {
        guard let fields = required("changes", .object) else { return nil }
        var changes = BulkChanges()
        let time = fields.optional("scheduled_time", .instant)
        let shift = fields.optional("shift_seconds", .integer(Limits.shiftSeconds))
        switch (time, shift) {
        case (nil, nil): break
        case (let time?, nil): changes.time = .set(time)
        case (nil, let seconds?): changes.time = .shift(seconds: seconds)
        case (_?, _?): fields.refuse("shift_seconds", "contradicts scheduled_time")
        }
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
        if fields.has("run_input") {
            fields.refuse("run_input", "cannot be changed of many at once")
            _ = fields.optional("run_input", .raw)
        }
        if fields.names.isEmpty { refuse("changes", "must change something") }
        return changes
    }
}

extension JSONWriter {
    fileprivate mutating func operation(_ operation: BulkOperation) {
        object { writer in
            writer.field("id", operation.id)
            writer.field("team_id", operation.team)
            writer.operationTask(operation.task)
            writer.field("status", operation.status.name)
            writer.field("failure", operation.failure?.name)
            writer.field("matched", operation.matched)
            writer.field("changed", operation.changed)
            writer.field("unchanged", operation.unchanged)
            writer.field("refused", operation.refused)
            writer.operationRefusals(operation.refusals)
            writer.field("started_position", operation.startedPosition)
            writer.field("finished_at", operation.finishedAt)
            writer.touched(operation.touched)
        }
    }
}

/// How many batches are served at once, and how many of them for one team: whoever does not read his answers keeps
/// nobody else from theirs.
final class BatchPlaces: Sendable {
    private let count: Int
    private let countOfTeam: Int
    private let taken = Mutex<[TeamID: Int]>([:])

    init(_ count: Int, ofTeam countOfTeam: Int) {
        self.count = count
        self.countOfTeam = countOfTeam
    }

    /// A place that was taken, and is given back once.
    final class Place: Sendable {
        private let places: BatchPlaces
        private let team: TeamID
        private let isHeld = Atomic<Bool>(true)

        fileprivate init(_ places: BatchPlaces, _ team: TeamID) {
            self.places = places
            self.team = team
        }

        deinit { giveBack() }

        func giveBack() {
            guard isHeld.exchange(false, ordering: .relaxed) else { return }
            places.taken.withLock { taken in
                let rest = taken[team, default: 0] - 1
                taken[team] = rest > 0 ? rest : nil
            }
        }
    }

    func take(for team: TeamID) -> Place? {
        let isThere = taken.withLock { taken in
            guard taken.values.reduce(0, +) < count, taken[team, default: 0] < countOfTeam else {
                return false
            }
            taken[team, default: 0] += 1
            return true
        }
        return isThere ? Place(self, team) : nil
    }
}

/// The items of a request that gives many promises, and the answers to them.
struct ScheduleBatch: Sendable {
    static let maximumItems = 10_000
    /// Items of one commit.
    private static let part = 500

    private let call: Call
    private let workflow: WorkflowID
    private let api: API
    private let items: [Range<Int>]
    private let keys: [IdempotencyKey]

    /// - Throws: the problem of the request as a whole.
    init(_ call: Call, _ workflow: WorkflowID, _ api: API) throws {
        self.call = call
        self.workflow = workflow
        self.api = api
        let type = call.mediaType
        switch type {
        case "application/json": items = try Self.elements(of: call.body)
        case "application/x-ndjson", "application/jsonl": items = Self.lines(of: call.body)
        default:
            throw Problem(
                status: .unsupportedMediaType, code: "unsupported_media_type",
                title: "The body must be JSON",
                detail: "send application/json with an array, or application/x-ndjson")
        }
        guard !items.isEmpty else { throw Problem.malformed("the batch has no items") }
        guard items.count <= Self.maximumItems else {
            throw Problem.invalid([
                FieldError(
                    pointer: "",
                    message: "must have at most \(Self.maximumItems) items, not \(items.count)")
            ])
        }
        keys = try call.idempotencyKeys(parts: items.count)
    }

    private static func elements(of body: [UInt8]) throws -> [Range<Int>] {
        do {
            let root = try JSONScanner.scan(body, opaque: ["run_input"], opaqueDepth: 2)
            guard case .array(let elements) = root.kind else {
                throw Problem.malformed("the body is not an array")
            }
            return elements.map(\.range)
        } catch let error as JSONSyntaxError {
            throw Problem.malformed("the body is not JSON: \(error)")
        }
    }

    /// Lines that hold something. A line that is not JSON spoils itself alone.
    private static func lines(of body: [UInt8]) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        for end in body.indices where body[end] == UInt8(ascii: "\n") {
            add(start..<end)
            start = end + 1
        }
        add(start..<body.count)
        return lines

        func add(_ line: Range<Int>) {
            let isBlank = body[line].allSatisfy {
                $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r")
            }
            if !isBlank { lines.append(line) }
        }
    }

    /// Takes the items in parts, and writes a line for each as soon as its part is durable. While a part waits for
    /// the disk, the answers to the one before are written and the next one is read.
    func write(to writer: inout any ResponseBodyWriter) async throws {
        var next: Part? = part(from: 0)
        var done: (part: Part, outcomes: [Outcome])?
        while let current = next {
            async let outcomes = api.engine.submitRequests(current.submissions)
            if let done {
                try await writer.write(ByteBuffer(bytes: lines(of: done.part, done.outcomes)))
            }
            next = part(from: current.end)
            done = (current, await outcomes)
        }
        if let done {
            try await writer.write(ByteBuffer(bytes: lines(of: done.part, done.outcomes)))
        }
        try await writer.finish(nil)
    }

    /// Items of one commit as commands.
    private struct Part: Sendable {
        /// By item: the place of its command, or why it has none.
        var items: [(index: Int, command: Result<Int, Problem>)] = []
        var submissions: [Submission] = []
        var end = 0
    }

    /// The items from this one on; `nil` where there are none.
    private func part(from start: Int) -> Part? {
        guard start < items.count else { return nil }
        var part = Part()
        part.end = min(start + Self.part, items.count)
        for index in start..<part.end {
            do {
                part.submissions.append(try submission(of: index))
                part.items.append((index, .success(part.submissions.count - 1)))
            } catch {
                part.items.append((index, .failure(error as? Problem ?? .internal)))
            }
        }
        return part
    }

    private func lines(of part: Part, _ outcomes: [Outcome]) -> [UInt8] {
        var text: [UInt8] = []
        for (index, command) in part.items {
            var writer = JSONWriter()
            do {
                let place = try command.get()
                let accepted = try api.accepted(outcomes[place])
                let detail = try ScheduleRoutes.detail(
                    accepted, api, knownInput: part.submissions[place].payload?.bytes)
                writer.object { writer in
                    writer.field("index", index)
                    writer.field("status", 201)
                    writer.field("position", accepted.position)
                    writer.field("replayed", accepted.isReplayed)
                    writer.name("schedule")
                    writer.schedule(detail)
                }
            } catch {
                let problem = error as? Problem ?? .internal
                writer = JSONWriter()
                writer.object { writer in
                    writer.field("index", index)
                    writer.field("status", problem.status.code)
                    writer.field("problem", raw: problem.body(requestID: call.requestID))
                }
            }
            text += writer.finishLine()
            text.append(UInt8(ascii: "\n"))
        }
        return text
    }

    private func submission(of index: Int) throws -> Submission {
        let item = Array(call.body[items[index]])
        let fields: JSONFields
        do {
            fields = JSONFields(try JSONScanner.scan(item, opaque: ["run_input"]), body: item)
        } catch {
            throw Problem.malformed("the item is not JSON: \(error)")
        }
        let (new, payload) = try ScheduleRoutes.newSchedule(fields, api)
        return try api.submission(
            .createSchedule(workflow, new), for: call,
            idempotency: keys.isEmpty ? nil : keys[index], payload: payload)
    }
}
