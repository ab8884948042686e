import DaybookCore

extension Trigger: Row {
    func write(to writer: inout ByteWriter) {
        writer.id(id)
        writer.id(team)
        writer.id(workflow)
        writer.byte(source.rawValue)
        writer.text(name)
        writer.optional(version) { $0.int($1) }
        writer.bool(isEnabled)
        writer.counted(configuration)
        writer.optional(secret) { $1.write(to: &$0) }
        writer.optional(previousSecret) { $1.write(to: &$0) }
        writer.uint64(revision)
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        let (id, team): (TriggerID, TeamID) = (try reader.id(), try reader.id())
        let workflow: WorkflowID = try reader.id()
        guard let source = Source(rawValue: try reader.byte()) else { throw MalformedRow() }
        self.init(
            id: id, team: team, workflow: workflow, source: source, name: try reader.text(),
            version: try reader.optional { r throws(MalformedRow) in try r.int() },
            isEnabled: try reader.bool(), configuration: try reader.counted(),
            secret: try reader.optional { r throws(MalformedRow) in try SealedSecret(from: &r) },
            previousSecret: try reader.optional { r throws(MalformedRow) in
                try Workflow.PreviousSecret(from: &r)
            },
            revision: try reader.uint64(), touched: try Touched(from: &reader))
    }
}

extension Refusal: Row {
    func write(to writer: inout ByteWriter) {
        writer.id(id)
        writer.id(team)
        writer.id(trigger)
        writer.byte(reason.rawValue)
        writer.text(detail)
        writer.optional(contentType) { $0.text($1) }
        body.write(to: &writer)
        writer.optional(run) { $0.id($1) }
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        let (id, team): (RefusalID, TeamID) = (try reader.id(), try reader.id())
        let trigger: TriggerID = try reader.id()
        guard let reason = Reason(rawValue: try reader.byte()) else { throw MalformedRow() }
        self.init(
            id: id, team: team, trigger: trigger, reason: reason, detail: try reader.text(),
            contentType: try reader.optional { r throws(MalformedRow) in try r.text() },
            body: try PayloadLocation(from: &reader),
            run: try reader.optional { r throws(MalformedRow) in try r.id() },
            touched: try Touched(from: &reader))
    }
}

extension SeenMessage: Row {
    func write(to writer: inout ByteWriter) {
        switch outcome {
        case .run(let id):
            writer.byte(1)
            writer.id(id)
        case .refusal(let trigger, let id):
            writer.byte(2)
            writer.id(trigger)
            writer.id(id)
        }
        writer.instant(endsAt)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        let outcome: Outcome
        switch try reader.byte() {
        case 1: outcome = .run(try reader.id())
        case 2: outcome = .refusal(try reader.id(), try reader.id())
        default: throw MalformedRow()
        }
        self.init(outcome: outcome, endsAt: try reader.instant())
    }
}

extension Subscription: Row {
    func write(to writer: inout ByteWriter) {
        writer.id(id)
        writer.id(team)
        writer.int(number)
        writer.text(name)
        writer.text(url)
        writer.uint32(actions.bits)
        writer.int(workflows.count)
        for workflow in workflows { writer.id(workflow) }
        writer.bool(isEnabled)
        writer.bool(isGone)
        writer.int(timeoutSeconds)
        writer.int(maxRetries)
        writer.int(retryBackoffSeconds)
        writer.optional(bearerToken) { $1.write(to: &$0) }
        secret.write(to: &writer)
        writer.optional(previousSecret) { $1.write(to: &$0) }
        writer.uint64(revision)
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        let (id, team): (SubscriptionID, TeamID) = (try reader.id(), try reader.id())
        let (number, name, url) = (try reader.int(), try reader.text(), try reader.text())
        let actions = Actions(bits: try reader.uint32())
        var workflows: [WorkflowID] = []
        for _ in 0..<(try reader.int()) { workflows.append(try reader.id()) }
        self.init(
            id: id, team: team, number: number, name: name, url: url, actions: actions,
            workflows: workflows, isEnabled: try reader.bool(), isGone: try reader.bool(),
            timeoutSeconds: try reader.int(), maxRetries: try reader.int(),
            retryBackoffSeconds: try reader.int(),
            bearerToken: try reader.optional { r throws(MalformedRow) in
                try SealedSecret(from: &r)
            },
            secret: try SealedSecret(from: &reader),
            previousSecret: try reader.optional { r throws(MalformedRow) in
                try Workflow.PreviousSecret(from: &r)
            },
            revision: try reader.uint64(), touched: try Touched(from: &reader))
    }
}

extension Delivery.About: Row {
    func write(to writer: inout ByteWriter) {
        writer.id(id)
        writer.text(name)
        writer.int(activeVersion)
        writer.bool(isPaused)
        writer.uint64(revision)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(
            id: try reader.id(), name: try reader.text(), activeVersion: try reader.int(),
            isPaused: try reader.bool(), revision: try reader.uint64())
    }
}

extension Delivery: Row {
    func write(to writer: inout ByteWriter) {
        writer.byte(status.rawValue)
        writer.byte(action.rawValue)
        writer.id(id)
        writer.id(team)
        writer.id(subscription)
        writer.instant(occurredAt)
        workflow.write(to: &writer)
        writer.optional(run) { $1.write(to: &$0) }
        writer.optional(schedule) { $1.write(to: &$0) }
        writer.int(attempts)
        writer.int(tries)
        writer.optional(notBefore) { $0.instant($1) }
        writer.optional(statusCode) { $0.int($1) }
        writer.optional(finishedAt) { $0.instant($1) }
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        guard let status = Status(rawValue: try reader.byte()),
            let action = Action(rawValue: try reader.byte())
        else { throw MalformedRow() }
        self.init(
            id: try reader.id(), team: try reader.id(), subscription: try reader.id(),
            action: action, occurredAt: try reader.instant(),
            workflow: try About(from: &reader),
            run: try reader.optional { r throws(MalformedRow) in try Run(from: &r) },
            schedule: try reader.optional { r throws(MalformedRow) in try Schedule(from: &r) },
            status: status, attempts: try reader.int(), tries: try reader.int(),
            notBefore: try reader.optional { r throws(MalformedRow) in try r.instant() },
            statusCode: try reader.optional { r throws(MalformedRow) in try r.int() },
            finishedAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            touched: try Touched(from: &reader))
    }
}
