import DaybookCore

extension Schedule.Failure: Row {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .expired: writer.byte(1)
        case .run(let error):
            writer.byte(2)
            error.write(to: &writer)
        case .runCancelled: writer.byte(3)
        }
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        switch try reader.byte() {
        case 1: self = .expired
        case 2: self = .run(try RunError(from: &reader))
        case 3: self = .runCancelled
        default: throw MalformedRow()
        }
    }
}

extension Schedule: Row {
    func write(to writer: inout ByteWriter) {
        // The status first: lists filter on it without reading the rest.
        writer.byte(status.rawValue)
        writer.id(id)
        writer.id(team)
        writer.id(workflow)
        writer.instant(scheduledTime)
        writer.optional(input) { $1.write(to: &$0) }
        writer.optional(version) { $0.int($1) }
        writer.optional(scheduledByName) { $0.text($1) }
        writer.optional(expiresAt) { $0.instant($1) }
        writer.byte(UInt8(priority))
        writer.optional(deduplicationKey) { $0.counted($1.bytes) }
        writer.optional(run) { $0.id($1) }
        writer.optional(failure) { $1.write(to: &$0) }
        writer.optional(firedAt) { $0.instant($1) }
        writer.uint64(revision)
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        guard let status = Status(rawValue: try reader.byte()) else { throw MalformedRow() }
        self.init(
            id: try reader.id(), team: try reader.id(), workflow: try reader.id(),
            scheduledTime: try reader.instant(), status: status,
            input: try reader.optional { r throws(MalformedRow) in
                try PayloadLocation(from: &r)
            },
            version: try reader.optional { r throws(MalformedRow) in try r.int() },
            scheduledByName: try reader.optional { r throws(MalformedRow) in try r.text() },
            expiresAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            priority: Int(try reader.byte()),
            deduplicationKey: try reader.optional { r throws(MalformedRow) in
                DeduplicationKey(bytes: try r.counted())
            },
            run: try reader.optional { r throws(MalformedRow) in try r.id() },
            failure: try reader.optional { r throws(MalformedRow) in try Failure(from: &r) },
            firedAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            revision: try reader.uint64(), touched: try Touched(from: &reader))
    }
}

extension Run: Row {
    func write(to writer: inout ByteWriter) {
        writer.byte(status.rawValue)
        writer.byte(mode.rawValue)
        writer.id(id)
        writer.id(team)
        writer.id(workflow)
        writer.int(version)
        definitionLocation.write(to: &writer)
        writer.queue(queue)
        writer.optional(schedule) { $0.id($1) }
        writer.optional(trigger) { $0.id($1) }
        writer.optional(scheduledTime) { $0.instant($1) }
        writer.optional(input) { $1.write(to: &$0) }
        writer.optional(output) { $1.write(to: &$0) }
        writer.optional(error) { $1.write(to: &$0) }
        writer.int(attempt)
        writer.int(tries)
        writer.byte(UInt8(priority))
        writer.optional(expiresAt) { $0.instant($1) }
        writer.int(timeoutSeconds)
        retry.write(to: &writer)
        writer.instant(queuedAt)
        writer.uint64(queuedPosition)
        writer.optional(firstStartedAt) { $0.instant($1) }
        writer.optional(startedAt) { $0.instant($1) }
        writer.uint64(startedPosition)
        writer.optional(deadline) { $0.instant($1) }
        writer.optional(leaseEndsAt) { $0.instant($1) }
        writer.optional(leaseSeconds) { $0.int($1) }
        writer.bool(isAccepted)
        writer.optional(notBefore) { $0.instant($1) }
        writer.optional(finishedAt) { $0.instant($1) }
        writer.optional(worker) { $0.text($1) }
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        guard let status = Status(rawValue: try reader.byte()),
            let mode = Mode(rawValue: try reader.byte())
        else { throw MalformedRow() }
        self.init(
            id: try reader.id(), team: try reader.id(), workflow: try reader.id(),
            version: try reader.int(), definitionLocation: try PayloadLocation(from: &reader),
            queue: try reader.queue(), mode: mode, status: status,
            schedule: try reader.optional { r throws(MalformedRow) in try r.id() },
            trigger: try reader.optional { r throws(MalformedRow) in try r.id() },
            scheduledTime: try reader.optional { r throws(MalformedRow) in try r.instant() },
            input: try reader.optional { r throws(MalformedRow) in
                try PayloadLocation(from: &r)
            },
            output: try reader.optional { r throws(MalformedRow) in
                try PayloadLocation(from: &r)
            },
            error: try reader.optional { r throws(MalformedRow) in try RunError(from: &r) },
            attempt: try reader.int(), tries: try reader.int(), priority: Int(try reader.byte()),
            expiresAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            timeoutSeconds: try reader.int(), retry: try RetryPolicy(from: &reader),
            queuedAt: try reader.instant(), queuedPosition: try reader.uint64(),
            firstStartedAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            startedAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            startedPosition: try reader.uint64(),
            deadline: try reader.optional { r throws(MalformedRow) in try r.instant() },
            leaseEndsAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            leaseSeconds: try reader.optional { r throws(MalformedRow) in try r.int() },
            isAccepted: try reader.bool(),
            notBefore: try reader.optional { r throws(MalformedRow) in try r.instant() },
            finishedAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            worker: try reader.optional { r throws(MalformedRow) in try r.text() },
            touched: try Touched(from: &reader))
    }
}

extension Answer: Row {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .none: writer.byte(0)
        case .team(let row):
            writer.byte(1)
            row.write(to: &writer)
        case .apiKey(let row):
            writer.byte(2)
            row.write(to: &writer)
        case .workflow(let row):
            writer.byte(3)
            row.write(to: &writer)
        case .version(let row, let isActive):
            writer.byte(4)
            row.write(to: &writer)
            writer.bool(isActive)
        case .schedule(let row):
            writer.byte(5)
            row.write(to: &writer)
        case .run(let row):
            writer.byte(6)
            row.write(to: &writer)
        case .trigger(let row):
            writer.byte(7)
            row.write(to: &writer)
        case .refusal(let row):
            writer.byte(8)
            row.write(to: &writer)
        case .subscription(let row):
            writer.byte(9)
            row.write(to: &writer)
        case .delivery(let row):
            writer.byte(10)
            row.write(to: &writer)
        case .operation(let row):
            writer.byte(11)
            row.write(to: &writer)
        }
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        switch try reader.byte() {
        case 0: self = .none
        case 1: self = .team(try Team(from: &reader))
        case 2: self = .apiKey(try APIKey(from: &reader))
        case 3: self = .workflow(try Workflow(from: &reader))
        case 4: self = .version(try Version(from: &reader), isActive: try reader.bool())
        case 5: self = .schedule(try Schedule(from: &reader))
        case 6: self = .run(try Run(from: &reader))
        case 7: self = .trigger(try Trigger(from: &reader))
        case 8: self = .refusal(try Refusal(from: &reader))
        case 9: self = .subscription(try Subscription(from: &reader))
        case 10: self = .delivery(try Delivery(from: &reader))
        case 11: self = .operation(try BulkOperation(from: &reader))
        default: throw MalformedRow()
        }
    }
}

extension KeptAnswer: Row {
    func write(to writer: inout ByteWriter) {
        writer.raw(request.bytes)
        writer.instant(endsAt)
        writer.uint64(position)
        answer.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(
            request: try reader.digest(), endsAt: try reader.instant(),
            position: try reader.uint64(), answer: try Answer(from: &reader))
    }
}
