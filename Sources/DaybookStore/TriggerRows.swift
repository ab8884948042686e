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
