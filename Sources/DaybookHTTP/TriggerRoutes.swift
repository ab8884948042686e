import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// Triggers: make, list, read, change, delete; what they refused.
enum TriggerRoutes {
    static let all: [Route] = [
        Route(.post, "/workflow-triggers", .role(.write), body: .json, create),
        Route(.get, "/workflow-triggers", .role(.read), list),
        Route(.get, "/workflow-triggers/{trigger_id}", .role(.read), read),
        Route(.patch, "/workflow-triggers/{trigger_id}", .role(.write), body: .json, modify),
        Route(.delete, "/workflow-triggers/{trigger_id}", .role(.write), delete),
        Route(
            .post, "/workflow-triggers/{trigger_id}/secret/rotate", .role(.write), body: .json,
            rotate),
        Route(.get, "/workflow-triggers/{trigger_id}/refusals", .role(.read), refusals),
        Route(
            .post, "/workflow-triggers/{trigger_id}/refusals/{refusal_id}/retry", .role(.write),
            body: .json, retry),
        Route(
            .post, "/workflow-triggers/{trigger_id}/refusals/{refusal_id}/erase", .role(.write),
            body: .json, erase),
    ]

    private static func create(_ call: Call, _ api: API) async throws -> Reply {
        let fields = try call.fields()
        let kind = fields.required("kind", .triggerKind)
        let workflow = fields.required("workflow_id", JSONType<WorkflowID>.identifier())
        let name = fields.required("name", .normalised)
        let version = fields.nullable("version", .integer(Limits.versionNumbers))
        let isEnabled = fields.optional("enabled", .bool)
        let configuration = kind.flatMap { TriggerConfiguration(fields, $0, changing: nil) }
        if let configuration { check(configuration, fields, api) }
        let brought = fields.optional("secret", .string(bytes: 1...512))
        let secret = configuration.flatMap { newSecret($0, brought, fields, api) }
        try fields.throwMistakes()
        let accepted = try await api.submit(
            .createTrigger(
                NewTrigger(
                    workflow: present(workflow), source: present(kind), name: present(name),
                    version: version, isEnabled: isEnabled ?? true,
                    configuration: present(configuration).bytes,
                    secret: secret.map { seal($0, call.team, api) })),
            for: call)
        return try replyWithSecret(.created, accepted, api)
    }

    /// Where requests of ours would go, by the form of the addresses.
    private static func check(
        _ configuration: TriggerConfiguration, _ fields: JSONFields, _ api: API
    ) {
        guard case .sqs(let queue) = configuration.source else { return }
        for (name, text) in [
            ("queue_url", queue.endpoint == nil ? queue.url : nil),
            ("endpoint", queue.endpoint),
        ] {
            guard let text, let url = try? OutboundURL(text) else { continue }
            do throws(EgressRefusal) {
                try api.egress.checkForm(url)
            } catch {
                fields.refuse(name, error.message)
            }
            if name == "endpoint", url.pathAndQuery != "/" {
                fields.refuse(name, "must not have a path: requests go to the root of its host")
            }
        }
    }

    /// The secret that the client brought, or a new one; none for a queue. Notes what is wrong with it.
    private static func newSecret(
        _ configuration: TriggerConfiguration, _ brought: String?, _ fields: JSONFields,
        _ api: API
    ) -> String? {
        guard case .webhook(let verification) = configuration.source else {
            if brought != nil { fields.refuse("secret", "is not for a queue") }
            return nil
        }
        guard let brought else {
            return verification.newSecret(api.engine.randomBytes(HookVerification.secretBytes))
        }
        if let mistake = verification.mistake(in: brought) { fields.refuse("secret", mistake) }
        return brought
    }

    private static func seal(_ secret: String, _ team: TeamID, _ api: API) -> SealedSecret {
        api.engine.seal(Array(secret.utf8), for: .triggerSecret, of: team)
    }

    private static func find(_ call: Call, _ api: API) throws -> Trigger {
        let id: TriggerID = try call.id("trigger_id", "trigger")
        guard let trigger = try api.engine.trigger(id, of: call.team) else {
            throw Problem.notFound("trigger")
        }
        return trigger
    }

    private static func modify(_ call: Call, _ api: API) async throws -> Reply {
        let accepted = try await api.submitFresh(for: call) {
            let trigger = try find(call, api)
            let fields = try call.fields()
            var changes = TriggerChanges()
            changes.name = fields.optional("name", .normalised)
            switch fields.field("version", .integer(Limits.versionNumbers)) {
            case .absent: break
            case .null: changes.version = .set(nil)
            case .value(let version): changes.version = .set(version)
            }
            changes.isEnabled = fields.optional("enabled", .bool)
            guard
                let old = TriggerConfiguration(stored: trigger.configuration, trigger.source)
            else { throw Problem.internal }
            let configuration = TriggerConfiguration(fields, trigger.source, changing: old)
            if let configuration { check(configuration, fields, api) }
            try fields.throwMistakes()
            changes.configuration = present(configuration).bytes
            return (.modifyTrigger(SeenTrigger(trigger), changes), nil)
        }
        return try reply(.ok, accepted, api)
    }

    private static func delete(_ call: Call, _ api: API) async throws -> Reply {
        let id: TriggerID = try call.id("trigger_id", "trigger")
        let accepted = try await api.submitFresh(for: call) {
            (.deleteTrigger(SeenTrigger(try find(call, api))), nil)
        }
        api.engine.triggerActivity.forget(id)
        return Reply.deleted(id).with(accepted)
    }

    private static func rotate(_ call: Call, _ api: API) async throws -> Reply {
        let accepted = try await api.submitFresh(for: call) {
            let trigger = try find(call, api)
            let fields = try call.fields(mayBeEmpty: true)
            let brought = fields.optional("secret", .string(bytes: 1...512))
            guard
                let configuration = TriggerConfiguration(
                    stored: trigger.configuration, trigger.source)
            else { throw Problem.internal }
            let secret = newSecret(configuration, brought, fields, api)
            if secret == nil { fields.refuse("a trigger that reads a queue has no secret") }
            try fields.throwMistakes()
            return (
                .rotateTriggerSecret(
                    SeenTrigger(trigger), seal(present(secret), call.team, api)), nil
            )
        }
        return try replyWithSecret(.ok, accepted, api)
    }

    private static func read(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        return reply(.ok, try find(call, api), api)
    }

    private static func list(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let parameters = ListParameters(query)
        try query.finish()
        let page = try api.engine.triggers(
            of: call.team, after: parameters.cursor, limit: parameters.limit)
        return .list(page.items, next: page.next) { writer, trigger in
            writer.trigger(trigger, health: health(of: trigger, api))
        }
    }

    private static func health(of trigger: Trigger, _ api: API) -> TriggerActivity.Health {
        let isHeld = (try? api.engine.mayFetch(1, for: trigger.team)) == false
        return isHeld ? .held : api.engine.triggerActivity.health(of: trigger.id)
    }

    private static func reply(
        _ status: HTTPResponse.Status, _ accepted: Accepted, _ api: API
    ) throws -> Reply {
        guard case .trigger(let trigger) = accepted.answer else { throw Problem.internal }
        return reply(status, trigger, api).with(accepted)
    }

    private static func reply(
        _ status: HTTPResponse.Status, _ trigger: Trigger, _ api: API, secret: String? = nil
    ) -> Reply {
        Reply.json(status) { writer in
            writer.trigger(trigger, health: health(of: trigger, api), secret: secret)
        }.with(revision: trigger.revision)
    }

    /// The answers that made a secret are the ones that show it, also when they are given again.
    private static func replyWithSecret(
        _ status: HTTPResponse.Status, _ accepted: Accepted, _ api: API
    ) throws -> Reply {
        guard case .trigger(let trigger) = accepted.answer else { throw Problem.internal }
        return reply(status, trigger, api, secret: try api.engine.secret(of: trigger))
            .with(accepted)
    }

    // What was refused

    /// Messages that are kept, and calls that were turned away since the process started.
    private static func refusals(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let parameters = ListParameters(query)
        try query.finish()
        let id: TriggerID = try call.id("trigger_id", "trigger")
        let page = try api.engine.refusals(
            of: id, team: call.team, after: parameters.cursor, limit: parameters.limit,
            maximumBytes: api.limits.pageBytes)
        // What was kept outlives its trigger.
        if page.items.isEmpty { _ = try find(call, api) }
        let activity = api.engine.triggerActivity
        let summary = activity.summary(of: id)
        return Reply.json { writer in
            writer.object { writer in
                writer.array("items") { writer in
                    for item in page.items { writer.refusal(item) }
                }
                writer.field("next_cursor", page.next.map(Cursor.text))
                writer.object("turned_away") { writer in
                    writer.field("since", activity.since)
                    writer.object("counts") { writer in
                        for (reason, count) in summary.counts.sorted(by: { $0.key < $1.key }) {
                            writer.field(reason, count)
                        }
                    }
                    writer.array("recent") { writer in
                        for call in summary.recent.reversed() {
                            writer.object { writer in
                                writer.field("at", call.at)
                                writer.field("reason", call.reason)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Makes a run of a refused message, as the trigger takes it now.
    private static func retry(_ call: Call, _ api: API) async throws -> Reply {
        let id: RefusalID = try call.id("refusal_id", "refusal")
        let accepted = try await api.submitFresh(for: call) {
            try call.fields(mayBeEmpty: true).throwMistakes()
            let trigger = try find(call, api)
            guard let detail = try api.engine.refusal(id, of: trigger.id, team: call.team),
                let configuration = TriggerConfiguration(
                    stored: trigger.configuration, trigger.source)
            else { throw Problem.notFound("refusal") }
            guard case .bytes(let body) = detail.body else {
                throw Problem(
                    status: .conflict, code: "erased", title: "The message is gone",
                    detail: "its body was erased")
            }
            let message = InboundMessage(contentType: detail.refusal.contentType, body: body)
            let input: [UInt8]?
            do throws(UnusableMessage) {
                input = try message.input(
                    acceptsText: configuration.acceptsText,
                    maximumBytes: api.limits.payloadBytes)
            } catch {
                // A run that came of it is the better answer.
                if let run = detail.refusal.run {
                    throw Problem(
                        Rejection.refusalRetried(run, position: detail.refusal.touched.position))
                }
                throw Problem(error, refusal: nil)
            }
            let payload = input.map { api.engine.salted($0) }
            return (
                .retryRefusal(id, of: SeenTrigger(trigger), input: payload?.payload), payload
            )
        }
        guard case .run(let run) = accepted.answer else { throw Problem.internal }
        return try RunRoutes.reply(.accepted, run, accepted, api)
    }

    private static func erase(_ call: Call, _ api: API) async throws -> Reply {
        let id: RefusalID = try call.id("refusal_id", "refusal")
        try call.fields(mayBeEmpty: true).throwMistakes()
        let trigger: TriggerID = try call.id("trigger_id", "trigger")
        let accepted = try await api.erase(.refusal(trigger, id), force: false, for: call)
        guard case .refusal(let refusal) = accepted.answer else { throw Problem.internal }
        let detail = try api.engine.refusal(refusal.id, of: trigger, team: call.team)
        return Reply.json { $0.refusal(present(detail)) }.with(accepted)
    }
}

extension JSONType where Value == Trigger.Source {
    fileprivate static var triggerKind: Self {
        JSONType<String>.string().checked { text throws(JSONMismatch) in
            guard let source = Trigger.Source(name: text) else {
                throw JSONMismatch("must be one of webhook, sqs")
            }
            return source
        }
    }
}
