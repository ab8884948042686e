import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// Completion webhooks: subscriptions, and what is delivered to them.
enum WebhookRoutes {
    static let all: [Route] = [
        Route(.post, "/workflow-webhooks", .role(.write), body: .json, create),
        Route(.get, "/workflow-webhooks", .role(.read), list),
        Route(.get, "/workflow-webhooks/events", .role(.read), events),
        Route(.get, "/workflow-webhooks/events/{delivery_id}", .role(.read), event),
        Route(.get, "/workflow-webhooks/events/{delivery_id}/attempts", .role(.read), attempts),
        Route(
            .post, "/workflow-webhooks/events/{delivery_id}/retry", .role(.write), body: .json,
            retry),
        Route(.get, "/workflow-webhooks/{subscription_id}", .role(.read), read),
        Route(.patch, "/workflow-webhooks/{subscription_id}", .role(.write), body: .json, modify),
        Route(.delete, "/workflow-webhooks/{subscription_id}", .role(.write), delete),
        Route(
            .post, "/workflow-webhooks/{subscription_id}/secret/rotate", .role(.write),
            body: .json, rotate),
        Route(
            .post, "/workflow-webhooks/{subscription_id}/replay", .role(.write), body: .json,
            replay),
    ]

    private static let bearerTokenBytes = 1...2_000
    /// Deliveries that one replay request looks at: one entry, and some milliseconds of the writer.
    private static let replayLimit = 500

    private static func create(_ call: Call, _ api: API) async throws -> Reply {
        let fields = try call.fields()
        let asked = asked(fields, isNew: true, call.team, api)
        try fields.throwMistakes()
        let token: SealedSecret? =
            if case .set(let token) = asked.bearerToken { token } else { nil }
        let accepted = try await api.submit(
            .createSubscription(
                NewSubscription(
                    name: present(asked.name), url: present(asked.url),
                    actions: present(asked.actions), workflows: asked.workflows ?? [],
                    isEnabled: asked.isEnabled ?? true,
                    timeoutSeconds: asked.timeoutSeconds
                        ?? Limits.defaultDeliveryTimeoutSeconds,
                    maxRetries: asked.maxRetries ?? Limits.defaultDeliveryRetries,
                    retryBackoffSeconds: asked.retryBackoffSeconds
                        ?? Limits.defaultDeliveryBackoffSeconds,
                    bearerToken: token, secret: newSecret(call.team, api))),
            for: call)
        return try replyWithSecret(.created, accepted, api)
    }

    /// What a request says of a subscription; of a new one some of it must be there.
    private static func asked(
        _ fields: JSONFields, isNew: Bool, _ team: TeamID, _ api: API
    ) -> SubscriptionChanges {
        func mustBeNew<Value>(_ name: String, _ type: JSONType<Value>) -> Value? {
            isNew ? fields.required(name, type) : fields.optional(name, type)
        }
        var asked = SubscriptionChanges()
        asked.name = mustBeNew("name", .normalised)
        let url = mustBeNew("url", .outboundURL)
        check(url, fields, api)
        asked.url = url?.text
        asked.actions = mustBeNew("actions", .actions)
        asked.workflows = fields.optional("workflow_ids", .workflows)
        asked.isEnabled = fields.optional("enabled", .bool)
        asked.timeoutSeconds = fields.optional(
            "timeout_seconds", .integer(Limits.deliveryTimeoutSeconds))
        asked.maxRetries = fields.optional("max_retries", .integer(Limits.deliveryRetries))
        asked.retryBackoffSeconds = fields.optional(
            "retry_backoff_seconds", .integer(Limits.deliveryBackoffSeconds))
        if let token = fields.optional("bearer_token", .bearerToken(bearerTokenBytes)) {
            asked.bearerToken = .set(seal(token, team, api))
        }
        return asked
    }

    private static func check(_ url: OutboundURL?, _ fields: JSONFields, _ api: API) {
        guard let url else { return }
        do throws(EgressRefusal) {
            try api.egress.checkForm(url)
        } catch {
            fields.refuse("url", error.message)
        }
    }

    private static func seal(_ token: String, _ team: TeamID, _ api: API) -> SealedSecret {
        api.engine.seal(Array(token.utf8), for: .bearerToken, of: team)
    }

    private static func newSecret(_ team: TeamID, _ api: API) -> SealedSecret {
        api.engine.seal(
            api.engine.randomBytes(WebhookSecret.randomByteCount), for: .subscriptionSecret,
            of: team)
    }

    private static func modify(_ call: Call, _ api: API) async throws -> Reply {
        let id: SubscriptionID = try call.id("subscription_id", "subscription")
        let fields = try call.fields()
        var changes = asked(fields, isNew: false, call.team, api)
        if fields.optional("clear_bearer_token", .bool) ?? false {
            if fields.has("bearer_token") {
                fields.refuse("clear_bearer_token", "contradicts bearer_token")
            }
            changes.bearerToken = .set(nil)
        }
        try fields.throwMistakes()
        return try reply(
            .ok, try await api.submit(.modifySubscription(id, changes), for: call), api)
    }

    private static func delete(_ call: Call, _ api: API) async throws -> Reply {
        let id: SubscriptionID = try call.id("subscription_id", "subscription")
        return Reply.deleted(id).with(try await api.submit(.deleteSubscription(id), for: call))
    }

    private static func rotate(_ call: Call, _ api: API) async throws -> Reply {
        let id: SubscriptionID = try call.id("subscription_id", "subscription")
        try call.fields(mayBeEmpty: true).throwMistakes()
        return try replyWithSecret(
            .ok,
            try await api.submit(
                .rotateSubscriptionSecret(id, newSecret(call.team, api)), for: call), api)
    }

    private static func read(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        let id: SubscriptionID = try call.id("subscription_id", "subscription")
        guard let subscription = try api.engine.subscription(id, of: call.team) else {
            throw Problem.notFound("subscription")
        }
        return reply(.ok, subscription, api)
    }

    private static func list(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let parameters = ListParameters(query)
        try query.finish()
        let page = try api.engine.subscriptions(
            of: call.team, after: parameters.cursor, limit: parameters.limit)
        return .list(page.items, next: page.next) { writer, subscription in
            writer.subscription(subscription, circuit: circuit(of: subscription, api))
        }
    }

    private static func circuit(of subscription: Subscription, _ api: API) -> Circuits.State {
        api.engine.circuits.state(of: subscription.id, at: api.engine.clock.now())
    }

    private static func reply(
        _ status: HTTPResponse.Status, _ accepted: Accepted, _ api: API
    ) throws -> Reply {
        guard case .subscription(let subscription) = accepted.answer else {
            throw Problem.internal
        }
        return reply(status, subscription, api).with(accepted)
    }

    private static func reply(
        _ status: HTTPResponse.Status, _ subscription: Subscription, _ api: API,
        secret: String? = nil
    ) -> Reply {
        Reply.json(status) { writer in
            writer.subscription(
                subscription, circuit: circuit(of: subscription, api), secret: secret)
        }.with(revision: subscription.revision)
    }

    /// The answers that made a secret are the ones that show it, also when they are given again.
    private static func replyWithSecret(
        _ status: HTTPResponse.Status, _ accepted: Accepted, _ api: API
    ) throws -> Reply {
        guard case .subscription(let subscription) = accepted.answer else {
            throw Problem.internal
        }
        let secret = WebhookSecret(
            bytes: try api.engine.open(
                subscription.secret, for: .subscriptionSecret, of: subscription.team))
        return reply(status, subscription, api, secret: secret?.text).with(accepted)
    }

    // Deliveries

    private static func events(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        var filter = DeliveryFilter()
        filter.subscription = query.id("subscription_id")
        filter.workflow = query.id("workflow_id")
        let actions = Action.allCases.map(\.name).joined(separator: ", ")
        filter.action = query.value("action", "must be one of \(actions)") { Action(name: $0) }
        let statuses = Delivery.Status.allCases.map(\.name).joined(separator: ", ")
        filter.status = query.value("status", "must be one of \(statuses)") {
            Delivery.Status(name: $0)
        }
        let parameters = ListParameters(query)
        try query.finish()
        let page = try api.engine.deliveries(
            of: call.team, filter, after: parameters.cursor, limit: parameters.limit,
            maximumBytes: api.limits.pageBytes)
        return .list(page.items, next: page.next) { $0.delivery($1) }
    }

    private static func find(_ call: Call, _ api: API) throws -> Delivery {
        let id: DeliveryID = try call.id("delivery_id", "delivery")
        guard let delivery = try api.engine.delivery(id, of: call.team) else {
            throw Problem.notFound("delivery")
        }
        return delivery
    }

    private static func event(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        let delivery = try find(call, api)
        return Reply.json { $0.delivery(delivery) }
    }

    /// The last one first. The cursor is a position, as in a history.
    private static func attempts(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let limit = query.integer("limit", ListParameters.limits) ?? ListParameters.defaultLimit
        let cursor = query.value("cursor", "is not a cursor of this list") {
            Position(exactly: $0)
        }
        try query.finish()
        let delivery = try find(call, api)
        let last = delivery.touched.position
        let (items, next) = try api.engine.attempts(
            of: delivery.id, from: min(cursor ?? last, last), limit: limit)
        return Reply.json { writer in
            writer.object { writer in
                writer.array("items") { writer in
                    for item in items { writer.attempt(item) }
                }
                writer.field("next_cursor", next.map { String($0) })
            }
        }
    }

    private static func retry(_ call: Call, _ api: API) async throws -> Reply {
        let id: DeliveryID = try call.id("delivery_id", "delivery")
        try call.fields(mayBeEmpty: true).throwMistakes()
        let accepted = try await api.submit(.redeliver(id), for: call)
        guard case .delivery(let delivery) = accepted.answer else { throw Problem.internal }
        return Reply.json { $0.delivery(delivery) }.with(accepted)
    }

    /// Sends again what has ended of a range of the log, with the same ids. What still waits is passed over.
    private static func replay(_ call: Call, _ api: API) async throws -> Reply {
        let id: SubscriptionID = try call.id("subscription_id", "subscription")
        let fields = try call.fields()
        let after = fields.required("after", .moment)
        let until = fields.optional("until", .moment)
        try fields.throwMistakes()
        let from = try position(present(after), api)
        let last = try until.map { try position($0, api) } ?? .max
        let (ended, next) = try api.engine.ended(
            of: id, team: call.team, after: from, upTo: last, limit: replayLimit)
        let accepted = try await api.submit(.replay(id, ended, nextAfter: next), for: call)
        // What an earlier request with the same key did stands in its entry.
        let entry =
            try accepted.isChange || accepted.isReplayed
            ? api.engine.entry(at: accepted.position)?.entry : nil
        var (requeued, nextAfter) = (0, next)
        if case .deliveriesRequeued(let event)? = entry?.events.first {
            (requeued, nextAfter) = (event.deliveries.count, event.nextAfter)
        }
        return Reply.json { writer in
            writer.object { writer in
                writer.field("requeued", requeued)
                writer.field("next_after", nextAfter)
            }
        }.with(accepted)
    }

    private static func position(_ moment: AsOf, _ api: API) throws -> Position {
        switch moment {
        case .position(let position): position
        case .instant(let instant): try api.engine.position(recordedBy: instant)
        }
    }
}

extension JSONType where Value == Actions {
    fileprivate static var actions: Self {
        JSONType<[String]>.array(of: .string(), count: 1...Action.allCases.count).checked {
            names throws(JSONMismatch) in
            var actions: [Action] = []
            for name in names {
                guard let action = Action(name: name) else {
                    let known = Action.allCases.map(\.name).joined(separator: ", ")
                    throw JSONMismatch("must name only \(known)")
                }
                actions.append(action)
            }
            return Actions(actions)
        }
    }
}

extension JSONType where Value == [WorkflowID] {
    fileprivate static var workflows: Self {
        .array(of: .identifier(), count: 0...Limits.subscriptionWorkflows)
    }
}

extension JSONType where Value == String {
    /// A text that can stand in a header: a line break would begin another one.
    fileprivate static func bearerToken(_ bytes: ClosedRange<Int>) -> Self {
        JSONType<String>.string(bytes: bytes).checked { text throws(JSONMismatch) in
            do throws(HeaderRefusal) {
                try HeaderRules.check(value: text)
            } catch {
                throw JSONMismatch(error.message)
            }
            return text
        }
    }
}

extension JSONType where Value == AsOf {
    /// A position of the log, or a time.
    fileprivate static var moment: Self {
        Self { node, place in
            if case .number = node.kind {
                return JSONType<Int>.integer(0...Int.max).read(node, place).map {
                    .position(Position($0))
                }
            }
            return JSONType<Instant>.instant.read(node, place).map { .instant($0) }
        }
    }
}
