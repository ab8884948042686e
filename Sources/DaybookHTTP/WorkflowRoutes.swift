import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// Workflows: make, list, read, change.
enum WorkflowRoutes {
    static let all: [Route] = [
        Route(.post, "/workflows", .role(.write), body: .json, create),
        Route(.get, "/workflows", .role(.read), list),
        Route(.get, "/workflows/{workflow_id}", .role(.read), read),
        Route(.patch, "/workflows/{workflow_id}", .role(.write), body: .json, modify),
        Route(
            .patch, "/workflows/{workflow_id}/concurrency", .role(.write), body: .json,
            setConcurrency),
        Route(
            .post, "/workflows/{workflow_id}/secret/rotate", .role(.write), body: .json, rotate),
        Route(.delete, "/workflows/{workflow_id}", .role(.write), takesQuery: true, delete),
    ]

    private static func create(_ call: Call, _ api: API) async throws -> Reply {
        let fields = try call.fields()
        let name = fields.required("name", .normalised)
        let description = fields.nullable("description", .normalised)
        let definition = fields.required("definition", .definition)
        let timeout = fields.optional(
            "run_timeout_seconds", .integer(Limits.runTimeoutSeconds))
        let retry = fields.optional("retry", .retryPolicy)
        let maximum = fields.optional("max_concurrent_runs", .integer(Limits.concurrentRuns))
        let sealed = try definition.flatMap {
            try SealedDefinition(fields, "definition", $0, keeping: nil, call.team, api)
        }
        try fields.throwMistakes()
        let accepted = try await api.submit(
            .createWorkflow(
                NewWorkflow(
                    name: present(name), description: description,
                    definition: present(sealed).definition,
                    runTimeoutSeconds: timeout ?? Limits.defaultRunTimeoutSeconds,
                    retry: retry ?? .once, maxConcurrentRuns: maximum ?? 0,
                    secret: newSecret(call.team, api))),
            for: call)
        return try replyWithSecret(.created, accepted, call, api)
    }

    private static func rotate(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        try call.fields(mayBeEmpty: true).throwMistakes()
        let accepted = try await api.submit(
            .rotateSecret(id, newSecret(call.team, api)), for: call)
        return try replyWithSecret(.ok, accepted, call, api)
    }

    static func newSecret(_ team: TeamID, _ api: API) -> SealedSecret {
        api.engine.seal(
            api.engine.randomBytes(WebhookSecret.randomByteCount), for: .workflowSecret, of: team)
    }

    /// The answers that made a secret are the ones that show it, also when they are given again.
    static func replyWithSecret(
        _ status: HTTPResponse.Status, _ accepted: Accepted, _ call: Call, _ api: API
    ) throws -> Reply {
        guard case .workflow(let workflow) = accepted.answer else { throw Problem.internal }
        let secret = WebhookSecret(
            bytes: try api.engine.open(workflow.secret, for: .workflowSecret, of: call.team))
        return Reply.json(status) { $0.workflow(workflow, secret: secret?.text) }
            .with(accepted).with(revision: workflow.revision)
    }

    private static func modify(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let fields = try call.fields()
        var changes = WorkflowChanges()
        changes.name = fields.optional("name", .normalised)
        switch fields.field("description", .normalised) {
        case .absent: break
        case .null: changes.description = .set(nil)
        case .value(let text): changes.description = .set(text)
        }
        changes.runTimeoutSeconds = fields.optional(
            "run_timeout_seconds", .integer(Limits.runTimeoutSeconds))
        changes.retry = fields.optional("retry", .retryPolicy)
        changes.isPaused = fields.optional("paused", .bool)
        try fields.throwMistakes()
        return try reply(try await api.submit(.modifyWorkflow(id, changes), for: call))
    }

    /// Deletes the workflow, or starts what ends all that is still to happen and deletes it then.
    private static func delete(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let query = QueryFields(call)
        let cancels = query.boolean("cancel_pending") ?? false
        try query.finish()
        guard cancels else {
            return Reply.deleted(id).with(try await api.submit(.deleteWorkflow(id), for: call))
        }
        let usage = try api.engine.usage(of: id, team: call.team)
        return try BulkRoutes.reply(
            try await api.submit(
                .startOperation(
                    .deleteWorkflow(id), matched: usage.pending + usage.unfinishedRuns),
                for: call))
    }

    private static func setConcurrency(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let fields = try call.fields()
        let maximum = fields.required("max_concurrent_runs", .integer(Limits.concurrentRuns))
        try fields.throwMistakes()
        return try reply(
            try await api.submit(
                .setConcurrency(id, maxConcurrentRuns: present(maximum)), for: call))
    }

    private static func read(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        guard let workflow = try api.engine.workflow(id, of: call.team) else {
            throw Problem.notFound("workflow")
        }
        return Reply.json { $0.workflow(workflow) }.with(revision: workflow.revision)
    }

    private static func list(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let parameters = ListParameters(query)
        try query.finish()
        let page = try api.engine.workflows(
            of: call.team, after: parameters.cursor, limit: parameters.limit)
        return .list(page.items, next: page.next) { $0.workflow($1) }
    }

    static func reply(_ accepted: Accepted) throws -> Reply {
        guard case .workflow(let workflow) = accepted.answer else { throw Problem.internal }
        return Reply.json { $0.workflow(workflow) }
            .with(accepted).with(revision: workflow.revision)
    }
}

extension JSONType where Value == RetryPolicy {
    /// A whole policy; what is left out has its default.
    static var retryPolicy: Self {
        JSONType<JSONFields>.object.checked { fields throws(JSONMismatch) in
            let standard = RetryPolicy.once
            return RetryPolicy(
                maxAttempts: fields.optional("max_attempts", .integer(Limits.attempts))
                    ?? standard.maxAttempts,
                initialBackoffSeconds: fields.optional(
                    "initial_backoff_seconds", .integer(Limits.backoffSeconds))
                    ?? standard.initialBackoffSeconds,
                maxBackoffSeconds: fields.optional(
                    "max_backoff_seconds", .integer(Limits.backoffSeconds))
                    ?? standard.maxBackoffSeconds)
        }
    }
}

/// A definition with its secrets sealed, ready to be stored.
struct SealedDefinition {
    let definition: Definition

    /// Seals the secrets that came in clear, and takes over those that the client wants kept from
    /// the definition that is there. Notes what cannot be; `nil` then.
    ///
    /// - Parameter field: the name of the definition in `fields`; `nil` where it is the body itself.
    init?(
        _ fields: JSONFields, _ field: String?, _ read: WorkflowDefinition,
        keeping stored: Definition?, _ team: TeamID, _ api: API
    ) throws {
        func refuse(_ message: String) {
            if let field { fields.refuse(field, message) } else { fields.refuse(message) }
        }
        if case .http(let execution) = read.executor {
            do throws(EgressRefusal) {
                try api.egress.checkForm(execution.url)
            } catch {
                refuse("has a url that may not be called: \(error.message)")
                return nil
            }
        }
        let kept = stored.flatMap { WorkflowDefinition(stored: $0.bytes) }?.headers ?? []
        var sealed: [String: String] = [:]
        for header in read.headers {
            let name = HeaderRules.canonicalName(header.name)
            switch header.value {
            case .plain, .sealed: break
            case .secret(let secret):
                sealed[name] = api.engine.seal(Array(secret.utf8), for: .header, of: team).text
            case .keptSecret:
                let old = kept.first { HeaderRules.canonicalName($0.name) == name }
                guard case .sealed(let text) = old?.value else {
                    refuse("keeps a secret for the header \(header.name), which has none")
                    return nil
                }
                sealed[name] = text
            }
        }
        let bytes = read.bytes(in: fields.body) { header in
            guard let text = sealed[HeaderRules.canonicalName(header.name)] else { return nil }
            var writer = JSONWriter()
            writer.object { $0.field("sealed", text) }
            return writer.finish()
        }
        definition = Definition(bytes: bytes, queue: read.queue)
    }
}
