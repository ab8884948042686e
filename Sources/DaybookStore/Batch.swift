import DaybookCore
import LMDB

/// A write transaction as state: what `decide` reads and `apply` writes, and the log it appends to.
///
/// Its first storage error is kept. From then on reads find nothing and writes do nothing, so that
/// the error never becomes a rejection; the owner looks at `failure` after each command and drops
/// the batch. To be used on the thread that began it.
package struct Batch: ~Copyable {
    var transaction: WriteTransaction
    let tables: Tables
    let firstError = FirstError()
    /// Written once, at the commit: every entry changes it.
    private(set) var serviceState: ServiceState
    private var serviceChanged = false
    private var chain: [UInt8]
    /// The position of the last entry in the log; the service row may lag behind it in a replay.
    private var lastPosition: Position
    /// No kept answer ends before; `nil` where that is not known yet.
    private var firstAnswerEnd: Instant?

    /// The first error of the storage in this batch; whatever came after it means nothing.
    package var failure: (any Error)? { firstError.error }

    static func begin(
        _ transaction: consuming WriteTransaction, _ tables: Tables, readsService: Bool = true
    ) throws -> Batch {
        let head = try LogHead(transaction, tables, readsService: readsService)
        return Batch(transaction, tables, head)
    }

    private init(
        _ transaction: consuming WriteTransaction, _ tables: Tables, _ head: LogHead
    ) {
        self.transaction = transaction
        self.tables = tables
        serviceState = head.service
        chain = head.chain
        lastPosition = head.position
    }

    var set: TableSet { tables.set }

    /// From the commit on, this set of projections is in use.
    mutating func becomeLive() {
        attempt {
            try $0.transaction.put($0.tables.meta, Keys.live, [$0.tables.set.rawValue])
        }
    }

    /// Deletes up to so many rows; tells whether there may be more.
    mutating func deleteRows(_ name: TableName, _ count: Int) -> Bool {
        var keys: [[UInt8]] = []
        attempt { batch in
            let table = batch.tables[name]
            try batch.transaction.scanKeys(table, from: nil, to: nil) { key in
                keys.append(key)
                return keys.count < count
            }
            for key in keys { _ = try batch.transaction.delete(table, key) }
        }
        return keys.count == count && failure == nil
    }

    /// Whether the row of the service is the same in the set that is in use.
    func agreesOnService(with live: Tables) throws -> Bool {
        try transaction.get(live.meta, live.serviceKey) == serviceState.rowBytes
    }

    /// Compares rows with those of the other set, which is in use.
    borrowing func compare(
        _ name: TableName, with live: Tables, after: [UInt8]?, rows: Int
    ) throws -> (findings: [Finding], next: [UInt8]?) {
        try RowComparison.step(
            name, after: after, rows: rows, transaction, live[name], transaction, tables[name])
    }

    /// The position that the next entry will have.
    package var nextPosition: Position { lastPosition + 1 }

    /// Appends an entry and the payloads that its events brought, each by the event's index.
    package mutating func append(_ entry: Entry, payloads: [(event: Int, payload: SaltedPayload)]) {
        append(
            KeptEntry(
                entry: entry, bytes: EntryCodec.encode(entry),
                payloads: payloads.map { event, payload in
                    KeptPayload(
                        event: event, content: .bytes(salt: payload.salt, bytes: payload.bytes))
                }))
    }

    /// Appends an entry whose bytes are there already.
    mutating func append(_ kept: KeptEntry) {
        let entry = kept.entry
        precondition(entry.header.position == nextPosition, "entries have no gap")
        guard firstError.error == nil else { return }
        let record = LogRecord(entry: kept.bytes, after: chain)
        do {
            try transaction.append(
                tables.log, Keys.position(entry.header.position), record.value)
            for payload in kept.payloads {
                let location = PayloadLocation(
                    position: entry.header.position, event: payload.event)
                for (chunk, value) in PayloadChunks.values(payload.content).enumerated() {
                    try transaction.append(
                        tables.payloads, Keys.payload(location, chunk: chunk), value)
                }
            }
            for case .payloadsErased(let erased) in entry.events {
                try erase(erased.payloads, by: entry.header.position)
            }
            try StoredTree.complete(entry.header.position, tables, &transaction)
        } catch {
            firstError.keep(error)
        }
        chain = record.chain
        lastPosition = entry.header.position
    }

    /// Notes which data file promises are kept from; nothing for none.
    mutating func note(home: [UInt8]) {
        attempt { try $0.transaction.put($0.tables.meta, Keys.home, home) }
    }

    /// Notes that payloads were erased by entries that this log does not have.
    mutating func noteErasedElsewhere(_ locations: some Sequence<PayloadLocation>) {
        attempt { try $0.erase(Array(locations), by: PayloadChunks.elsewhere) }
    }

    /// Puts in the place of each payload which entry erased it.
    private mutating func erase(_ locations: [PayloadLocation], by position: Position) throws {
        for location in locations {
            var chunk = 0
            while try transaction.delete(
                tables.payloads, Keys.payload(location, chunk: chunk))
            { chunk += 1 }
            try transaction.put(
                tables.payloads, Keys.payload(location, chunk: 0),
                PayloadChunks.values(.erased(by: position))[0])
        }
    }

    /// Commits; when it returns, the disk has everything. Throws the storage error, and
    /// `failure` where there was one before.
    package consuming func commit() throws {
        if let error = firstError.error {
            transaction.abort()
            throw error
        }
        if serviceChanged {
            try transaction.put(tables.meta, tables.serviceKey, serviceState.rowBytes)
        }
        try transaction.commit()
    }

    package consuming func abort() { transaction.abort() }

    /// Throws all projections away, and notes the layout that a replay is going to write.
    mutating func clearProjections() {
        attempt { batch in
            for name in TableName.allCases where name.isProjection {
                try batch.transaction.deleteAll(batch.tables[name])
            }
            var layout = ByteWriter()
            layout.uint32(Rows.layout)
            try batch.transaction.put(batch.tables.meta, batch.tables.layoutKey, layout.bytes)
        }
        serviceState = ServiceState()
        serviceChanged = true
    }

    mutating func attempt(_ body: (inout Batch) throws -> Void) {
        guard firstError.error == nil else { return }
        do { try body(&self) } catch { firstError.keep(error) }
    }

    private borrowing func row<R: Row>(_ table: Table, _ key: [UInt8]) -> R? {
        guard firstError.error == nil else { return nil }
        do {
            guard let bytes = try transaction.get(table, key) else { return nil }
            return try R(row: bytes)
        } catch {
            firstError.keep(error is MalformedRow ? damaged(table) : error)
            return nil
        }
    }

    /// The first key with this prefix at or after `start`.
    private borrowing func firstKey(
        _ table: Table, prefix: [UInt8], from start: [UInt8]? = nil
    ) -> [UInt8]? {
        guard firstError.error == nil else { return nil }
        do {
            guard let found = try transaction.first(table, atOrAfter: start ?? prefix),
                found.key.starts(with: prefix)
            else { return nil }
            return found.key
        } catch {
            firstError.keep(error)
            return nil
        }
    }

    private borrowing func read<Value>(
        _ table: Table, _ key: [UInt8]?, _ decode: ([UInt8]) throws -> Value
    ) -> Value? {
        guard let key else { return nil }
        do {
            return try decode(key)
        } catch {
            firstError.keep(damaged(table))
            return nil
        }
    }

    private mutating func put(_ table: Table, _ key: [UInt8], _ value: [UInt8]) {
        guard firstError.error == nil else { return }
        do { try transaction.put(table, key, value) } catch { firstError.keep(error) }
    }

    private mutating func delete(_ table: Table, _ key: [UInt8]) {
        guard firstError.error == nil else { return }
        do { _ = try transaction.delete(table, key) } catch { firstError.keep(error) }
    }

    private borrowing func damaged(_ table: Table) -> LogError { .damagedProjection(table.name) }
}

/// Where log and projections stood when the batch began.
private struct LogHead {
    let position: Position
    let chain: [UInt8]
    let service: ServiceState

    init(
        _ transaction: borrowing WriteTransaction, _ tables: Tables, readsService: Bool
    ) throws {
        if readsService, let row = try transaction.get(tables.meta, tables.serviceKey) {
            service = try ServiceState(row: row)
        } else {
            service = ServiceState()
        }
        guard let last = try transaction.last(tables.log, before: nil) else {
            position = 0
            chain = Chain.start
            return
        }
        var reader = ByteReader(last.key)
        position = try reader.uint64()
        guard let record = LogRecord(value: last.value) else { throw LogError.damaged(position) }
        chain = record.chain
    }
}

/// Keeps the first of several errors, also where the batch is only borrowed.
final class FirstError {
    private(set) var error: (any Error)?

    func keep(_ new: any Error) {
        if error == nil { error = new }
    }
}

extension Batch: State {
    package borrowing func service() -> ServiceState { serviceState }

    package mutating func set(_ service: ServiceState) {
        serviceState = service
        serviceChanged = true
    }

    package borrowing func team(_ id: TeamID) -> Team? { row(tables.teams, Keys.id(id)) }

    package mutating func set(_ team: Team) {
        put(tables.teams, Keys.id(team.id), team.rowBytes)
    }

    package borrowing func apiKey(_ id: KeyID) -> APIKey? { row(tables.apiKeys, Keys.id(id)) }

    package mutating func set(_ key: APIKey) {
        put(tables.apiKeys, Keys.id(key.id), key.rowBytes)
    }

    package borrowing func workflow(_ id: WorkflowID, of team: TeamID) -> Workflow? {
        row(tables.workflows, Keys.row(team, id))
    }

    package mutating func set(_ workflow: Workflow) {
        put(tables.workflows, Keys.row(workflow.team, workflow.id), workflow.rowBytes)
    }

    package borrowing func version(
        _ number: Int, of workflow: WorkflowID, team: TeamID
    ) -> Version? {
        guard Limits.versionNumbers.contains(number) else { return nil }
        return row(tables.versions, Keys.version(team, workflow, number))
    }

    package mutating func set(_ version: Version) {
        put(
            tables.versions, Keys.version(version.team, version.workflow, version.number),
            version.rowBytes)
    }

    package borrowing func schedule(_ id: ScheduleID, of team: TeamID) -> Schedule? {
        row(tables.schedules, Keys.row(team, id))
    }

    package mutating func set(_ schedule: Schedule) {
        put(tables.schedules, Keys.row(schedule.team, schedule.id), schedule.rowBytes)
    }

    package borrowing func pendingSchedule(
        _ key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) -> ScheduleID? {
        guard firstError.error == nil else { return nil }
        do {
            let bytes = try transaction.get(
                tables.pendingKeys, Keys.pending(team, workflow, key))
            return bytes.flatMap { ScheduleID(bytes: $0) }
        } catch {
            firstError.keep(error)
            return nil
        }
    }

    package mutating func setPendingSchedule(
        _ schedule: ScheduleID?, for key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) {
        let row = Keys.pending(team, workflow, key)
        if let schedule {
            put(tables.pendingKeys, row, schedule.bytes)
        } else {
            delete(tables.pendingKeys, row)
        }
    }

    package borrowing func run(_ id: RunID, of team: TeamID) -> Run? {
        row(tables.runs, Keys.row(team, id))
    }

    package mutating func set(_ run: Run) {
        put(tables.runs, Keys.row(run.team, run.id), run.rowBytes)
    }

    package borrowing func usage(of team: TeamID) -> Usage {
        row(tables.usage, Keys.usage(team)) ?? Usage()
    }

    package mutating func set(_ usage: Usage, of team: TeamID) {
        put(tables.usage, Keys.usage(team), usage.rowBytes)
    }

    package borrowing func usage(of workflow: WorkflowID, team: TeamID) -> Usage {
        row(tables.usage, Keys.usage(team, workflow)) ?? Usage()
    }

    package mutating func set(_ usage: Usage, of workflow: WorkflowID, team: TeamID) {
        put(tables.usage, Keys.usage(team, workflow), usage.rowBytes)
    }

    package mutating func insert(_ entry: IndexEntry) {
        let (name, key) = Keys.entry(entry)
        put(tables[name], key, [])
    }

    package mutating func remove(_ entry: IndexEntry) {
        let (name, key) = Keys.entry(entry)
        delete(tables[name], key)
    }

    package borrowing func firstReady(of team: TeamID, in queue: Queue) -> Ready? {
        read(
            tables.ready, firstKey(tables.ready, prefix: Keys.ready(team, queue)), Keys.readReady)
    }

    package borrowing func firstStartable(
        of workflow: WorkflowID, team: TeamID, in lane: Lane
    ) -> Startable? {
        read(
            tables.startable,
            firstKey(tables.startable, prefix: Keys.lane(team, workflow, lane)),
            Keys.readStartable)
    }

    package borrowing func nextLane(
        of workflow: WorkflowID, team: TeamID, after lane: Lane?
    ) -> Lane? {
        let prefix = Keys.row(team, workflow)
        var start = prefix
        if let lane {
            guard let end = Keys.end(of: Keys.lane(team, workflow, lane)) else { return nil }
            start = end
        }
        return read(
            tables.startable, firstKey(tables.startable, prefix: prefix, from: start),
            Keys.readStartable)?.lane
    }

    package borrowing func keptAnswer(_ scope: Digest256) -> KeptAnswer? {
        row(tables.keptAnswers, scope.bytes)
    }

    package mutating func set(_ answer: KeptAnswer, for scope: Digest256) {
        // An ended answer under the same key may still be there, with its own end.
        if let old = keptAnswer(scope) {
            delete(tables.keptAnswerEnds, Keys.keptAnswerEnd(old.endsAt, scope))
        }
        if let end = firstAnswerEnd { firstAnswerEnd = min(end, answer.endsAt) }
        put(tables.keptAnswers, scope.bytes, answer.rowBytes)
        put(tables.keptAnswerEnds, Keys.keptAnswerEnd(answer.endsAt, scope), [])
    }

    package mutating func removeOldestKeptAnswer(endedBy now: Instant) -> Bool {
        if let end = firstAnswerEnd, now < end { return false }
        let key = firstKey(tables.keptAnswerEnds, prefix: [])
        guard let key, let row = read(tables.keptAnswerEnds, key, Keys.readKeptAnswerEnd) else {
            firstAnswerEnd = .latest
            return false
        }
        firstAnswerEnd = row.end
        guard row.end <= now else { return false }
        delete(tables.keptAnswerEnds, key)
        delete(tables.keptAnswers, row.scope.bytes)
        return true
    }
}
