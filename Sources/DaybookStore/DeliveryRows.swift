import DaybookCore

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
