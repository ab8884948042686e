import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// Workers: take runs from their team's queues, and say what became of them.
enum WorkerRoutes {
    static let all: [Route] = [
        Route(
            .post, "/queues/{queue}/claim", .role(.work), body: .json, takesTime: true, claim),
        Route(.post, "/workflow-runs/{run_id}/complete", .role(.work), body: .json, complete),
        Route(.post, "/workflow-runs/{run_id}/fail", .role(.work), body: .json, fail),
        Route(.post, "/workflow-runs/{run_id}/heartbeat", .role(.work), body: .json, heartbeat),
        Route(.post, "/workflow-runs/{run_id}/release", .role(.work), body: .json, release),
    ]

    static let claimedRuns = 1...100

    private static func claim(_ call: Call, _ api: API) async throws -> Reply {
        let queue = try queueName(of: call)
        let fields = try call.fields()
        let worker = fields.required("worker", .string(bytes: Limits.labelBytes))
        let maximum = fields.optional("max", .integer(claimedRuns)) ?? 1
        let wait = fields.optional("wait_seconds", .integer(RunRoutes.waitSeconds)) ?? 0
        let lease =
            fields.optional("lease_seconds", .integer(Limits.leaseSeconds))
            ?? Limits.defaultLeaseSeconds
        try fields.throwMistakes()
        guard let principal = call.principal else { throw Problem.unauthorized }
        // A claim has no revision, but a header that is not one is a mistake here as elsewhere.
        _ = try call.expectedRevisions()
        let request = ClaimRequest(
            team: call.team, actor: .key(principal.key), queue: queue, worker: present(worker),
            maximum: maximum, leaseSeconds: lease, waitSeconds: wait, requestID: call.requestID,
            traceparent: call.traceparent,
            idempotency: try call.idempotencyKeys(parts: maximum))
        switch await call.whileConnected({ await api.engine.claim(request) }) {
        case .runs(let started): return try handOver(started, request, call, api)
        case .refused(let rejection): throw Problem(rejection)
        case .unavailable(let reason): throw Problem(reason)
        }
    }

    private static func queueName(of call: Call) throws -> String {
        let name = call.parameters["queue"] ?? ""
        guard Queue.isName(name) else {
            throw Problem.invalid([
                FieldError(
                    pointer: "{queue}",
                    message: "must have 1 to 64 letters, digits, '.', '_' or '-'")
            ])
        }
        return name
    }

    /// Tells the worker of its runs. Those that it cannot be told of any more are given back at once,
    /// unless it can ask again with the same key.
    private static func handOver(
        _ started: [Accepted], _ request: ClaimRequest, _ call: Call, _ api: API
    ) throws -> Reply {
        let runs = started.compactMap { accepted in
            if case .run(let run) = accepted.answer { run } else { nil }
        }
        let engine = api.engine
        let isNew = started.first?.isReplayed == false
        let new = isNew && request.idempotency.isEmpty ? runs : []
        call.client?.hold(call.requestID) {
            if isNew { for run in runs { engine.notePickUp(of: run) } }
        } undelivered: {
            engine.release(new)
        }
        let assignments: [Assignment]
        do {
            assignments = try engine.assignments(of: runs)
        } catch {
            // What cannot be read cannot be done: as with the executors inside the process.
            call.client?.letGo(call.requestID)
            if isNew { engine.fail(runs, because: error) }
            throw error
        }
        let reply = Reply.json { writer in
            writer.object { writer in
                writer.array("runs") { writer in
                    for assignment in assignments { writer.assignment(assignment) }
                }
            }
        }
        return started.last.map { reply.with($0) } ?? reply
    }

    private static func complete(_ call: Call, _ api: API) async throws -> Reply {
        let id: RunID = try call.id("run_id", "run")
        let fields = try call.fields(opaque: ["output"])
        let attempt = fields.required("attempt", .attempt)
        let output = try api.payload(fields, "output")
        try fields.throwMistakes()
        return try await answered(call, api, id, output: output?.bytes) {
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
        return try RunRoutes.reply(.ok, run, accepted, api)
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
        _ call: Call, _ api: API, _ id: RunID, output: [UInt8]? = nil,
        submit: () async throws -> Accepted,
        again isSame: (RunDetail) -> Bool
    ) async throws -> Reply {
        do {
            let accepted = try await submit()
            guard case .run(let run) = accepted.answer else { throw Problem.internal }
            return try RunRoutes.reply(.ok, run, accepted, api, output: output)
        } catch let problem as Problem where Problem.aboutTheRunsState.contains(problem.code) {
            guard let detail = try api.engine.run(id, of: call.team), isSame(detail) else {
                throw problem
            }
            var reply = Reply.json { $0.run(detail) }
            reply.headers[.daybookPosition] = String(detail.run.touched.position)
            return reply
        }
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
