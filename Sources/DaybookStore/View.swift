import DaybookCore
import LMDB

/// A snapshot of the store: what was committed when it began. It shows nothing that is not durable.
///
/// It lives inside the closure of `Store.read`, which must not wait for anything while it has it.
package struct View: ~Copyable {
    let transaction: ReadTransaction
    let tables: Tables

    init(_ transaction: consuming ReadTransaction, _ tables: Tables) {
        self.transaction = transaction
        self.tables = tables
    }

    package borrowing func service() throws -> ServiceState {
        try row(tables.meta, tables.serviceKey) ?? ServiceState()
    }

    package borrowing func team(_ id: TeamID) throws -> Team? {
        try row(tables.teams, Keys.id(id))
    }

    package borrowing func teams() throws -> [Team] {
        var teams: [Team] = []
        try transaction.scan(tables.teams, from: nil, to: nil) { _, value in
            teams.append(try Team(row: value))
            return true
        }
        return teams
    }

    package borrowing func apiKey(_ id: KeyID) throws -> APIKey? {
        try row(tables.apiKeys, Keys.id(id))
    }

    package borrowing func workflow(_ id: WorkflowID, of team: TeamID) throws -> Workflow? {
        try row(tables.workflows, Keys.row(team, id))
    }

    package borrowing func version(
        _ number: Int, of workflow: WorkflowID, team: TeamID
    ) throws -> Version? {
        guard Limits.versionNumbers.contains(number) else { return nil }
        return try row(tables.versions, Keys.version(team, workflow, number))
    }

    package borrowing func schedule(_ id: ScheduleID, of team: TeamID) throws -> Schedule? {
        try row(tables.schedules, Keys.row(team, id))
    }

    package borrowing func run(_ id: RunID, of team: TeamID) throws -> Run? {
        try row(tables.runs, Keys.row(team, id))
    }

    package borrowing func usage(of team: TeamID) throws -> Usage {
        try row(tables.usage, Keys.usage(team)) ?? Usage()
    }

    package borrowing func usage(of workflow: WorkflowID, team: TeamID) throws -> Usage {
        try row(tables.usage, Keys.usage(team, workflow)) ?? Usage()
    }

    package borrowing func keptAnswer(_ scope: Digest256) throws -> KeptAnswer? {
        try row(tables.keptAnswers, scope.bytes)
    }

    borrowing func metaValue(_ key: [UInt8]) throws -> [UInt8]? {
        try transaction.get(tables.meta, key)
    }

    borrowing func row<R: Row>(_ table: Table, _ key: [UInt8]) throws -> R? {
        guard let bytes = try transaction.get(table, key) else { return nil }
        do {
            return try R(row: bytes)
        } catch {
            throw LogError.damagedProjection(table.name)
        }
    }
}

// The log.
extension View {
    /// The position of the last entry; 0 for an empty log.
    package borrowing func lastPosition() throws -> Position {
        guard let last = try transaction.last(tables.log, before: nil) else { return 0 }
        var reader = ByteReader(last.key)
        guard last.key.count == 8 else { throw LogError.foreignRow }
        return try reader.uint64()
    }

    /// The chain hash of the entry at `position`; `chain(0)` is 32 zero bytes.
    package borrowing func chain(at position: Position) throws -> [UInt8] {
        guard position > 0 else { return Chain.start }
        return try record(at: position).chain
    }

    /// The entry at `position`, after its bytes, its chain hash and its position were verified.
    package borrowing func entry(at position: Position) throws -> Entry {
        try VerifiedEntry.decode(try entryBytes(at: position), at: position)
    }

    /// The verified entry bytes at `position`: what the leaf is made of.
    package borrowing func entryBytes(at position: Position) throws -> [UInt8] {
        var bytes: [UInt8]?
        try verifyChain(from: position, to: position) { bytes = Array(copying: $0) }
        guard let bytes else { throw LogError.missing(position) }
        return bytes
    }

    /// Verifies the chain hashes of these entries, without decoding them.
    ///
    /// - Parameter body: is given the bytes of each.
    borrowing func verifyChain(
        from first: Position, to last: Position, _ body: (Span<UInt8>) -> Void = { _ in }
    ) throws {
        try transaction.followChain(tables.log, from: first, to: last) { _, bytes, _ in
            body(bytes)
            return true
        }
    }

    /// Visits entries in order from `first` on, each verified; `body` returns false to stop.
    package borrowing func entries(
        from first: Position, _ body: (Entry) throws -> Bool
    ) throws {
        try records(from: first) { try body($0.entry) }
    }

    /// As `entries`, with the bytes and the leaf of each.
    borrowing func records(
        from first: Position, _ body: (VerifiedEntry) throws -> Bool
    ) throws {
        let first = max(first, 1)
        guard first <= (try lastPosition()) else { return }
        try transaction.records(tables.log, from: first, body)
    }

    /// The same without decoding: position, bytes and leaf of each entry; what `body` keeps, it copies.
    borrowing func verifiedBytes(
        from first: Position,
        _ body: (Position, _ entry: Span<UInt8>, _ leaf: Span<UInt8>) throws -> Bool
    ) throws {
        guard first <= (try lastPosition()) else { return }
        try transaction.followChain(tables.log, from: first, body)
    }

    /// The id that the first entry gave the log; `nil` where there is no entry.
    borrowing func logID() throws -> [UInt8]? {
        guard try lastPosition() > 0, case .initialised(let id, _)? = try entry(at: 1).events.first
        else { return nil }
        return id
    }

    borrowing func record(at position: Position) throws -> LogRecord {
        guard let value = try transaction.get(tables.log, Keys.position(position)) else {
            throw LogError.missing(position)
        }
        guard let record = LogRecord(value: value) else { throw LogError.damaged(position) }
        return record
    }

    /// Visits the entries that touched an object, the last one first, from the one at `position` on;
    /// `body` returns false to stop.
    package borrowing func history(
        of object: AnyID, from position: Position, _ body: (Entry) throws -> Bool
    ) throws {
        var position = position
        while position > 0 {
            let entry = try entry(at: position)
            guard try body(entry) else { return }
            let touches = entry.events.flatMap(\.touches).filter { $0.object == object }
            // Two events of one entry may touch it: the first knows the entry before.
            position = touches.map(\.previous).min() ?? 0
        }
    }

    /// The payload that an event brought, after its digest was verified.
    ///
    /// The digest is taken from the entry as it stands: whether that follows the chain is asked where the log is read.
    package borrowing func payload(at location: PayloadLocation) throws -> StoredPayload {
        let entry = try VerifiedEntry.decode(
            try record(at: location.position).entry, at: location.position)
        guard entry.events.indices.contains(location.event),
            let payload = entry.events[location.event].payload
        else { throw LogError.damagedPayload(location) }
        return try storedPayload(at: location, as: payload).brought.payload
    }

    /// The payloads that the entry's events brought, each verified.
    package borrowing func payloads(of entry: Entry) throws -> [BroughtPayload] {
        var brought: [BroughtPayload] = []
        for (index, event) in entry.events.enumerated() {
            guard let payload = event.payload else { continue }
            let location = PayloadLocation(position: entry.header.position, event: index)
            brought.append(try storedPayload(at: location, as: payload).brought)
        }
        return brought
    }

    /// The payload, after the digest that its event declares was verified, and how many rows hold it.
    borrowing func storedPayload(
        at location: PayloadLocation, as payload: Payload
    ) throws -> (brought: BroughtPayload, rows: Int) {
        var stored: [UInt8] = []
        var rows = 0
        let prefix = Keys.payload(location)
        try transaction.scan(tables.payloads, from: prefix, to: Keys.end(of: prefix)) {
            key, value in
            guard key == Keys.payload(location, chunk: rows) else {
                throw LogError.damagedPayload(location)
            }
            stored.append(contentsOf: value)
            rows += 1
            return true
        }
        if rows == 1, stored.count == PayloadChunks.erasedByteCount {
            let erased = BroughtPayload(event: location.event, payload: .erased, salt: [])
            return (erased, rows)
        }
        let salt = Array(stored.prefix(SaltedPayload.saltByteCount))
        let bytes = Array(stored.dropFirst(SaltedPayload.saltByteCount))
        guard salt.count == SaltedPayload.saltByteCount, bytes.count == payload.byteCount,
            SaltedPayload.digest(salt, bytes) == payload.digest
        else { throw LogError.damagedPayload(location) }
        return (BroughtPayload(event: location.event, payload: .bytes(bytes), salt: salt), rows)
    }

    /// The definition that the event brought.
    package borrowing func definition(at location: PayloadLocation) throws -> Definition {
        let events = try entry(at: location.position).events
        if events.indices.contains(location.event) {
            switch events[location.event] {
            case .workflowCreated(let created): return created.definition
            case .draftEdited(let edited): return edited.definition
            case .versionImported(let imported): return imported.version.definition
            default: break
            }
        }
        throw LogError.damagedProjection("no definition at \(location.position)")
    }

    borrowing func touchEverything() throws {
        for name in TableName.allCases {
            try transaction.scan(tables[name], from: nil, to: nil) { _, _ in true }
        }
    }

    /// All rows of what `apply` writes: all projections but the tree.
    package borrowing func dump() throws -> ProjectionDump {
        var dump = ProjectionDump()
        for name in TableName.allCases where name.isProjection && name != .tree {
            try transaction.scan(tables[name], from: nil, to: nil) { key, value in
                dump.add(name, key, value)
                return true
            }
        }
        dump.add(.meta, Keys.service, try service().rowBytes)
        return dump
    }
}
