import DaybookCore

/// A row of a projection and its bytes. Fields stand in a fixed order; a change of any of them
/// raises `Rows.layout`.
protocol Row {
    func write(to writer: inout ByteWriter)
    init(from reader: inout ByteReader) throws(MalformedRow)
}

package enum Rows {
    /// The number of the layout of all projections together, keys included.
    package static let layout: UInt32 = 7
}

extension Row {
    var rowBytes: [UInt8] {
        var writer = ByteWriter(capacity: 256)
        write(to: &writer)
        return writer.bytes
    }

    init(row bytes: [UInt8]) throws(MalformedRow) {
        var reader = ByteReader(bytes)
        try self.init(from: &reader)
        try reader.end()
    }
}

extension Actor: Row {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .system(let part):
            writer.byte(1)
            writer.byte(part.rawValue)
        case .key(let id):
            writer.byte(2)
            writer.id(id)
        case .trigger(let id):
            writer.byte(3)
            writer.id(id)
        }
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        switch try reader.byte() {
        case 1:
            guard let part = Part(rawValue: try reader.byte()) else { throw MalformedRow() }
            self = .system(part)
        case 2: self = .key(try reader.id())
        case 3: self = .trigger(try reader.id())
        default: throw MalformedRow()
        }
    }
}

extension Touched: Row {
    func write(to writer: inout ByteWriter) {
        writer.instant(createdAt)
        createdBy.write(to: &writer)
        writer.instant(updatedAt)
        updatedBy.write(to: &writer)
        writer.uint64(position)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(
            createdAt: try reader.instant(), createdBy: try Actor(from: &reader),
            updatedAt: try reader.instant(), updatedBy: try Actor(from: &reader),
            position: try reader.uint64())
    }
}

extension ServiceState: Row {
    func write(to writer: inout ByteWriter) {
        writer.counted(logID)
        writer.bool(isPaused)
        writer.uint64(pausePosition)
        writer.instant(reapFloor)
        writer.uint64(floorPosition)
        writer.uint64(position)
        writer.instant(recordedAt)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(
            logID: try reader.counted(), isPaused: try reader.bool(),
            pausePosition: try reader.uint64(), reapFloor: try reader.instant(),
            floorPosition: try reader.uint64(), position: try reader.uint64(),
            recordedAt: try reader.instant())
    }
}

extension Team: Row {
    func write(to writer: inout ByteWriter) {
        writer.id(id)
        writer.text(name)
        writer.int(maxConcurrentRuns)
        writer.int(triggers)
        writer.int(subscriptions)
        writer.int(lastSubscription)
        writer.int(operations)
        writer.uint64(revision)
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(
            id: try reader.id(), name: try reader.text(), maxConcurrentRuns: try reader.int(),
            triggers: try reader.int(), subscriptions: try reader.int(),
            lastSubscription: try reader.int(), operations: try reader.int(),
            revision: try reader.uint64(), touched: try Touched(from: &reader))
    }
}

extension APIKey: Row {
    func write(to writer: inout ByteWriter) {
        writer.id(id)
        writer.id(team)
        writer.byte(role.rawValue)
        writer.text(name)
        writer.raw(secretDigest.bytes)
        writer.optional(expiresAt) { $0.instant($1) }
        writer.optional(revokedAt) { $0.instant($1) }
        writer.optional(lastUsedAt) { $0.instant($1) }
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        let (id, team): (KeyID, TeamID) = (try reader.id(), try reader.id())
        guard let role = Role(rawValue: try reader.byte()) else { throw MalformedRow() }
        self.init(
            id: id, team: team, role: role, name: try reader.text(),
            secretDigest: try reader.digest(),
            expiresAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            revokedAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            lastUsedAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            touched: try Touched(from: &reader))
    }
}

extension SealedSecret: Row {
    func write(to writer: inout ByteWriter) {
        writer.uint32(keyNumber)
        writer.counted(nonce)
        writer.counted(ciphertext)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(
            keyNumber: try reader.uint32(), nonce: try reader.counted(),
            ciphertext: try reader.counted())
    }
}

extension RetryPolicy: Row {
    func write(to writer: inout ByteWriter) {
        writer.int(maxAttempts)
        writer.int(initialBackoffSeconds)
        writer.int(maxBackoffSeconds)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(
            maxAttempts: try reader.int(), initialBackoffSeconds: try reader.int(),
            maxBackoffSeconds: try reader.int())
    }
}

extension Workflow.PreviousSecret: Row {
    func write(to writer: inout ByteWriter) {
        secret.write(to: &writer)
        writer.instant(endsAt)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(secret: try SealedSecret(from: &reader), endsAt: try reader.instant())
    }
}

extension Workflow: Row {
    func write(to writer: inout ByteWriter) {
        writer.id(id)
        writer.id(team)
        writer.text(name)
        writer.optional(description) { $0.text($1) }
        writer.int(runTimeoutSeconds)
        retry.write(to: &writer)
        writer.int(maxConcurrentRuns)
        writer.bool(isPaused)
        writer.int(activeVersion)
        writer.int(lastVersion)
        secret.write(to: &writer)
        writer.optional(previousSecret) { $1.write(to: &$0) }
        writer.optional(deletion) { $0.id($1) }
        writer.optional(deletedAt) { $0.instant($1) }
        writer.uint64(revision)
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(
            id: try reader.id(), team: try reader.id(), name: try reader.text(),
            description: try reader.optional { r throws(MalformedRow) in try r.text() },
            runTimeoutSeconds: try reader.int(), retry: try RetryPolicy(from: &reader),
            maxConcurrentRuns: try reader.int(), isPaused: try reader.bool(),
            activeVersion: try reader.int(), lastVersion: try reader.int(),
            secret: try SealedSecret(from: &reader),
            previousSecret: try reader.optional { r throws(MalformedRow) in
                try PreviousSecret(from: &r)
            },
            deletion: try reader.optional { r throws(MalformedRow) in try r.id() },
            deletedAt: try reader.optional { r throws(MalformedRow) in try r.instant() },
            revision: try reader.uint64(), touched: try Touched(from: &reader))
    }
}

extension Version: Row {
    func write(to writer: inout ByteWriter) {
        writer.id(workflow)
        writer.id(team)
        writer.int(number)
        writer.optional(name) { $0.text($1) }
        definitionLocation.write(to: &writer)
        writer.queue(queue)
        writer.optional(source) { $0.int($1) }
        touched.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(
            workflow: try reader.id(), team: try reader.id(), number: try reader.int(),
            name: try reader.optional { r throws(MalformedRow) in try r.text() },
            definitionLocation: try PayloadLocation(from: &reader), queue: try reader.queue(),
            source: try reader.optional { r throws(MalformedRow) in try r.int() },
            touched: try Touched(from: &reader))
    }
}

extension PayloadLocation: Row {
    func write(to writer: inout ByteWriter) {
        writer.uint64(position)
        writer.uint16(event)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        self.init(position: try reader.uint64(), event: try reader.uint16())
    }
}

extension RunError: Row {
    func write(to writer: inout ByteWriter) {
        writer.byte(reason.rawValue)
        writer.optional(message) { $1.write(to: &$0) }
        writer.int(attempt)
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        guard let reason = Reason(rawValue: try reader.byte()) else { throw MalformedRow() }
        self.init(
            reason: reason,
            message: try reader.optional { r throws(MalformedRow) in
                try PayloadLocation(from: &r)
            }, attempt: try reader.int())
    }
}

extension Usage: Row {
    func write(to writer: inout ByteWriter) {
        writer.int(inProgress)
        writer.int(queued)
        writer.int(pending)
        writer.int(versionUses.count)
        for use in versionUses {
            writer.int(use.number)
            writer.int(use.pinned)
            writer.int(use.unfinishedRuns)
        }
        writer.int(lastStarts.count)
        for start in lastStarts {
            writer.queue(start.queue)
            writer.uint64(start.position)
        }
    }

    init(from reader: inout ByteReader) throws(MalformedRow) {
        let (inProgress, queued, pending) = (
            try reader.int(), try reader.int(), try reader.int()
        )
        var versionUses: [VersionUse] = []
        for _ in 0..<(try reader.int()) {
            versionUses.append(
                VersionUse(
                    number: try reader.int(), pinned: try reader.int(),
                    unfinishedRuns: try reader.int()))
        }
        var lastStarts: [LastStart] = []
        for _ in 0..<(try reader.int()) {
            lastStarts.append(
                LastStart(queue: try reader.queue(), position: try reader.uint64()))
        }
        self.init(
            inProgress: inProgress, queued: queued, pending: pending, versionUses: versionUses,
            lastStarts: lastStarts)
    }
}
