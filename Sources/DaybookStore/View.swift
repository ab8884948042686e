import DaybookCore
import LMDB

/// A snapshot of the store: what was committed when it began. It shows nothing that is not durable.
///
/// It lives inside the closure of `Store.read`, which must not wait for anything while it has it.
package struct View: ~Copyable {
    private let transaction: ReadTransaction
    private let tables: Tables

    init(_ transaction: consuming ReadTransaction, _ tables: Tables) {
        self.transaction = transaction
        self.tables = tables
    }

    package borrowing func service() throws -> ServiceState {
        try row(tables.meta, Keys.service) ?? ServiceState()
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

    borrowing func metaValue(_ key: [UInt8]) throws -> [UInt8]? {
        try transaction.get(tables.meta, key)
    }

    private borrowing func row<R: Row>(_ table: Table, _ key: [UInt8]) throws -> R? {
        guard let bytes = try transaction.get(table, key) else { return nil }
        do {
            return try R(row: bytes)
        } catch {
            throw LogError.damagedProjection(table.name)
        }
    }
}

// What is due, and whose turn it is.
extension View {
    /// The moments up to and including `now`, in due order; at most `limit`.
    ///
    /// - Parameter isSkipped: leaves out a moment that must not be acted on yet.
    package borrowing func due(
        upTo now: Instant, limit: Int, except isSkipped: (Due) throws -> Bool
    ) throws -> [Due] {
        var found: [Due] = []
        try transaction.scanKeys(tables.due, from: nil, to: nil) { key in
            let due = try Keys.readDue(key)
            guard due.instant <= now, found.count < limit else { return false }
            if try !isSkipped(due) { found.append(due) }
            return true
        }
        return found
    }

    /// The first moment after `instant`.
    package borrowing func firstDue(after instant: Instant) throws -> Instant? {
        var writer = ByteWriter()
        writer.instant(Instant(microseconds: instant.microseconds + 1))
        return try transaction.first(tables.due, atOrAfter: writer.bytes)
            .map { try Keys.readDue($0.key).instant }
    }

    /// The number of moments in the due index.
    package borrowing func dueCount() throws -> Int { try transaction.count(tables.due) }

    /// The teams whose turn is next in an inner queue, in turn; at most `limit`.
    package borrowing func turns(in queue: Queue, limit: Int) throws -> [TeamID] {
        let prefix = Keys.queue(queue)
        var teams: [TeamID] = []
        try transaction.scanKeys(tables.turn, from: prefix, to: Keys.end(of: prefix)) { key in
            teams.append(try Keys.readTurn(key).team)
            return teams.count < limit
        }
        return teams
    }

    /// The runs that are in progress, over all teams.
    package borrowing func runsInProgress() throws -> [Run] {
        var runs: [Run] = []
        for team in try teams() where try usage(of: team.id).inProgress > 0 {
            let prefix: [UInt8] = [1] + team.id.bytes
            var ids: [RunID] = []
            try transaction.scanKeys(
                tables.runLists, from: prefix, to: Keys.end(of: prefix)
            ) { key in
                ids.append(try Keys.trailingID(key))
                return true
            }
            for id in ids {
                if let run = try run(id, of: team.id), run.status == .inProgress {
                    runs.append(run)
                }
            }
        }
        return runs
    }
}

// The log.
extension View {
    /// The position of the last entry; 0 for an empty log.
    package borrowing func lastPosition() throws -> Position {
        guard let last = try transaction.last(tables.log, before: nil) else { return 0 }
        var reader = ByteReader(last.key)
        return try reader.uint64()
    }

    /// The chain hash of the entry at `position`; `chain(0)` is 32 zero bytes.
    package borrowing func chain(at position: Position) throws -> [UInt8] {
        guard position > 0 else { return Chain.start }
        return try record(at: position).chain
    }

    /// The entry at `position`, after its bytes, its chain hash and its position were verified.
    package borrowing func entry(at position: Position) throws -> Entry {
        let record = try verifiedRecord(at: position, after: try chain(at: position - 1))
        return try Self.decode(record, at: position)
    }

    /// The verified entry bytes at `position`: what the leaf is made of.
    package borrowing func entryBytes(at position: Position) throws -> [UInt8] {
        try verifiedRecord(at: position, after: try chain(at: position - 1)).entry
    }

    /// Visits entries in order from `first` on, each verified; `body` returns false to stop.
    package borrowing func entries(
        from first: Position, _ body: (Entry) throws -> Bool
    ) throws {
        guard first > 0 else { return try entries(from: 1, body) }
        var position = first
        var previous = try first == 1 ? Chain.start : chain(at: first - 1)
        try transaction.scan(tables.log, from: Keys.position(first), to: nil) { key, value in
            let entry = try Self.verify(key, value, at: position, after: &previous)
            position += 1
            return try body(entry)
        }
    }

    /// Verifies a row of the log that should be the one at `position`, and moves `chain` on to it.
    static func verify(
        _ key: [UInt8], _ value: [UInt8], at position: Position, after chain: inout [UInt8]
    ) throws(LogError) -> Entry {
        guard key == Keys.position(position) else { throw .missing(position) }
        guard let record = LogRecord(value: value), record.follows(chain) else {
            throw .damaged(position)
        }
        chain = record.chain
        return try decode(record, at: position)
    }

    private borrowing func record(at position: Position) throws -> LogRecord {
        guard let value = try transaction.get(tables.log, Keys.position(position)) else {
            throw LogError.missing(position)
        }
        guard let record = LogRecord(value: value) else { throw LogError.damaged(position) }
        return record
    }

    private borrowing func verifiedRecord(
        at position: Position, after previous: [UInt8]
    ) throws -> LogRecord {
        let record = try record(at: position)
        guard record.follows(previous) else { throw LogError.damaged(position) }
        return record
    }

    private static func decode(
        _ record: LogRecord, at position: Position
    ) throws(LogError) -> Entry {
        let entry: Entry
        do {
            entry = try EntryCodec.decode(record.entry)
        } catch {
            throw .unknown(position, error)
        }
        guard entry.header.position == position else { throw .damaged(position) }
        return entry
    }

    /// The payload that an event brought, after its digest was verified.
    package borrowing func payload(at location: PayloadLocation) throws -> StoredPayload {
        let entry = try entry(at: location.position)
        guard entry.events.indices.contains(location.event),
            let payload = entry.events[location.event].payload
        else { throw LogError.damagedPayload(location) }
        var stored: [UInt8] = []
        var chunk = 0
        while let value = try transaction.get(
            tables.payloads, Keys.payload(location, chunk: chunk))
        {
            stored.append(contentsOf: value)
            chunk += 1
        }
        guard chunk > 0 else { return .erased }
        let salt = Array(stored.prefix(SaltedPayload.saltByteCount))
        let bytes = Array(stored.dropFirst(SaltedPayload.saltByteCount))
        guard salt.count == SaltedPayload.saltByteCount,
            SaltedPayload.digest(salt, bytes) == payload.digest
        else { throw LogError.damagedPayload(location) }
        return .bytes(bytes)
    }

    /// The definition that the entry at `position` set.
    package borrowing func definition(at position: Position) throws -> Definition {
        for event in try entry(at: position).events {
            switch event {
            case .workflowCreated(let created): return created.definition
            case .draftEdited(let edited): return edited.definition
            default: break
            }
        }
        throw LogError.damagedProjection("no definition at \(position)")
    }

    borrowing func touchEverything() throws {
        for name in TableName.allCases {
            try transaction.scan(tables[name], from: nil, to: nil) { _, _ in true }
        }
    }

    /// All rows of all projections.
    package borrowing func dump() throws -> ProjectionDump {
        var dump = ProjectionDump()
        for name in TableName.allCases where name.isProjection {
            try transaction.scan(tables[name], from: nil, to: nil) { key, value in
                dump.add(name, key, value)
                return true
            }
        }
        dump.add(.meta, Keys.service, try service().rowBytes)
        return dump
    }
}

// Lists.
extension View {
    /// A page of the team's schedules. Looks at no more than `work` rows, so a page can hold fewer
    /// than `limit` and still have a next one.
    package borrowing func schedules(
        of team: TeamID, _ filter: ScheduleFilter, after cursor: [UInt8]?, limit: Int, work: Int
    ) throws -> Page<Schedule> {
        let range: ListRange
        if filter.order == .scheduledTime {
            range = ListRange(
                prefix: [2] + team.bytes, descending: false,
                from: filter.from.map { Self.bytes(of: $0) },
                to: filter.to.map { Self.bytes(of: $0) })
        } else if let workflow = filter.workflow {
            range = ListRange(prefix: [3] + team.bytes + workflow.bytes, descending: true)
        } else if let status = filter.status {
            range = ListRange(prefix: [1] + team.bytes + [status.rawValue], descending: true)
        } else {
            return try page(
                tables.schedules, ListRange(prefix: team.bytes, descending: true), cursor, limit,
                work
            ) { _, value in
                let schedule = try Schedule(row: value)
                return filter.matches(schedule) ? schedule : nil
            }
        }
        return try page(tables.scheduleLists, range, cursor, limit, work) { key, _ in
            guard let schedule = try schedule(try Keys.trailingID(key), of: team) else {
                throw LogError.damagedProjection(tables.scheduleLists.name)
            }
            return filter.matches(schedule) ? schedule : nil
        }
    }

    /// A page of the team's runs, newest first; `work` as with schedules.
    package borrowing func runs(
        of team: TeamID, _ filter: RunFilter, after cursor: [UInt8]?, limit: Int, work: Int
    ) throws -> Page<Run> {
        let range: ListRange
        if let status = filter.status, !status.isFinal {
            range = ListRange(prefix: [1] + team.bytes, descending: true)
        } else if let workflow = filter.workflow {
            range = ListRange(prefix: [2] + team.bytes + workflow.bytes, descending: true)
        } else {
            return try page(
                tables.runs, ListRange(prefix: team.bytes, descending: true), cursor, limit, work
            ) { _, value in
                let run = try Run(row: value)
                return filter.matches(run) ? run : nil
            }
        }
        return try page(tables.runLists, range, cursor, limit, work) { key, _ in
            guard let run = try run(try Keys.trailingID(key), of: team) else {
                throw LogError.damagedProjection(tables.runLists.name)
            }
            return filter.matches(run) ? run : nil
        }
    }

    /// A page of the team's workflows, newest first.
    package borrowing func workflows(
        of team: TeamID, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<Workflow> {
        try page(
            tables.workflows, ListRange(prefix: team.bytes, descending: true), cursor, limit, .max
        ) { _, value in try Workflow(row: value) }
    }

    /// A page of a workflow's versions, newest first.
    package borrowing func versions(
        of workflow: WorkflowID, team: TeamID, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<Version> {
        try page(
            tables.versions, ListRange(prefix: team.bytes + workflow.bytes, descending: true),
            cursor, limit, .max
        ) { _, value in try Version(row: value) }
    }

    /// Walks a range of keys with a common prefix. A cursor is what follows the prefix in the key
    /// of the last row that was looked at, so it can name no row outside the range.
    private borrowing func page<Item: Sendable>(
        _ table: Table, _ range: ListRange, _ cursor: [UInt8]?, _ limit: Int, _ work: Int,
        _ item: (_ key: [UInt8], _ value: [UInt8]) throws -> Item?
    ) throws -> Page<Item> {
        let prefix = range.prefix
        var from = prefix + (range.from ?? [])
        var to = range.to.map { prefix + $0 } ?? Keys.end(of: prefix)
        if let cursor {
            // Ascending: from just behind the cursor's key. Descending: up to, not with, it.
            if range.descending { to = prefix + cursor } else { from = prefix + cursor + [0] }
        }
        var items: [Item] = []
        var lastKey: [UInt8]?
        var looked = 0
        var hasMore = false
        try transaction.scan(table, from: from, to: to, descending: range.descending) {
            key, value in
            guard items.count < limit, looked < work else {
                hasMore = true
                return false
            }
            looked += 1
            lastKey = key
            if let found = try item(key, value) { items.append(found) }
            return true
        }
        return Page(
            items: items, next: hasMore ? lastKey.map { Array($0.dropFirst(prefix.count)) } : nil)
    }

    /// The cursor behind this schedule in the list that the filter asks for.
    package static func cursor(of schedule: Schedule, in filter: ScheduleFilter) -> [UInt8] {
        switch filter.order {
        case .created: schedule.id.bytes
        case .scheduledTime: bytes(of: schedule.scheduledTime) + schedule.id.bytes
        }
    }

    /// The cursor behind this run in any list of runs.
    package static func cursor(of run: Run) -> [UInt8] { run.id.bytes }

    /// The cursor behind this version in the list of its workflow's.
    package static func cursor(of version: Version) -> [UInt8] {
        var writer = ByteWriter()
        writer.int(version.number)
        return writer.bytes
    }

    private static func bytes(of instant: Instant) -> [UInt8] {
        var writer = ByteWriter()
        writer.instant(instant)
        return writer.bytes
    }
}

private struct ListRange {
    let prefix: [UInt8]
    let descending: Bool
    var from: [UInt8]?
    var to: [UInt8]?
}
