import DaybookCore

extension BulkOperation: Row {
    func write(to writer: inout ByteWriter) {
        writer.id(id)
        writer.id(team)
        switch task {
        case .cancel(let filter):
            writer.byte(1)
            filter.write(to: &writer)
        case .modify(let filter, let changes):
            writer.byte(2)
            filter.write(to: &writer)
            changes.write(to: &writer)
        case .deleteWorkflow(let workflow):
            writer.byte(3)
            writer.id(workflow)
        }
        writer.int(matched)
        writer.uint64(startedPosition)
        writer.byte(status.rawValue)
        writer.optional(failure) { $0.byte($1.rawValue) }
        writer.optional(cursor) { $0.id($1) }
        writer.int(changed)
        writer.int(unchanged)
        writer.int(refused)
        writer.int(refusals.count)
        for refused in refusals {
            writer.id(refused.object)
            writer.text(refused.code)
            writer.text(refused.detail)
        }
        writer.optional(finishedAt) { $0.instant($1) }
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        let (id, team): (OperationID, TeamID) = (try reader.id(), try reader.id())
        let task: Task
        switch try reader.byte() {
        case 1: task = .cancel(try PendingFilter(from: &reader))
        case 2: task = .modify(try PendingFilter(from: &reader), try BulkChanges(from: &reader))
        case 3: task = .deleteWorkflow(try reader.id())
        default: throw MalformedRow()
        }
        let (matched, startedPosition) = (try reader.int(), try reader.uint64())
        guard let status = Status(rawValue: try reader.byte()) else { throw MalformedRow() }
        let failure = try reader.optional { r throws(MalformedRow) -> Failure in
            guard let failure = Failure(rawValue: try r.byte()) else { throw MalformedRow() }
            return failure
        }
        let cursor: AnyID? = try reader.optional { r throws(MalformedRow) in try r.id() }
        let (changed, unchanged, refused) = (
            try reader.int(), try reader.int(), try reader.int()
        )
        var refusals: [Refused] = []
        for _ in 0..<(try reader.int()) {
            refusals.append(
                Refused(
                    object: try reader.id(), code: try reader.text(), detail: try reader.text()))
        }
        self.init(
            id: id, team: team, task: task, matched: matched, startedPosition: startedPosition,
            status: status, failure: failure, cursor: cursor, changed: changed,
            unchanged: unchanged, refused: refused, refusals: refusals,
            finishedAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            touched: try Touched(from: &reader))
    }
}

extension PendingFilter: Row {
    func write(to writer: inout ByteWriter) {
        writer.optional(workflow) { $0.id($1) }
        writer.optional(deduplicationKey) { $0.counted($1.bytes) }
        writer.optional(from) { $0.instant($1) }
        writer.optional(to) { $0.instant($1) }
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(
            workflow: try reader.optional { r throws(MalformedRow) in try r.id() },
            deduplicationKey: try reader.optional { r throws(MalformedRow) in
                DeduplicationKey(bytes: try r.counted())
            },
            from: try reader.optional { r throws(MalformedRow) in try r.instant() },
            to: try reader.optional { r throws(MalformedRow) in try r.instant() })
    }
}

extension BulkChanges: Row {
    func write(to writer: inout ByteWriter) {
        switch time {
        case .keep: writer.byte(0)
        case .set(let instant):
            writer.byte(1)
            writer.instant(instant)
        case .shift(let seconds):
            writer.byte(seconds < 0 ? 3 : 2)
            writer.int(abs(seconds))
        }
        writer.change(version) { $0.int($1) }
        writer.change(expiresAt) { $0.instant($1) }
        writer.optional(priority) { $0.int($1) }
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        let time: Time
        switch try reader.byte() {
        case 0: time = .keep
        case 1: time = .set(try reader.instant())
        case 2: time = .shift(seconds: try reader.int())
        case 3: time = .shift(seconds: -(try reader.int()))
        default: throw MalformedRow()
        }
        self.init(
            time: time, version: try reader.change { r throws(MalformedRow) in try r.int() },
            expiresAt: try reader.change { r throws(MalformedRow) in try r.instant() },
            priority: try reader.optional { r throws(MalformedRow) in try r.int() })
    }
}

extension ByteWriter {
    fileprivate mutating func change<Value>(
        _ change: Change<Value?>, _ write: (inout ByteWriter, Value) -> Void
    ) {
        switch change {
        case .keep: bool(false)
        case .set(let value):
            bool(true)
            optional(value, write)
        }
    }
}

extension ByteReader {
    fileprivate mutating func change<Value>(
        _ read: (inout ByteReader) throws(MalformedRow) -> Value
    ) throws(MalformedRow) -> Change<Value?> {
        try bool() ? .set(try optional(read)) : .keep
    }
}
