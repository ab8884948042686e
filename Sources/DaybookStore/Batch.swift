import DaybookCore
import LMDB

/// A write transaction as state: what `decide` reads and `apply` writes, and the log it appends to.
///
/// Its first storage error is kept. From then on reads find nothing and writes do nothing, so that
/// the error never becomes a rejection; the owner looks at `failure` after each command and drops
/// the batch. What the log is given is written, and may fail, at the commit. To be used on the thread that began it.
package struct Batch: ~Copyable {
    var transaction: WriteTransaction
    let tables: Tables
    let firstError = FirstError()
    /// Written once, at the commit: every entry changes it.
    var serviceState: ServiceState
    var serviceChanged = false
    private let tail: LogTail
    /// Entries that the tail was not given yet.
    private var unencoded: [Entry] = []
    /// The position of the last entry in the log; the service row may lag behind it in a replay.
    private var lastPosition: Position
    /// Of the entries before, those that no row of table `tree` covers.
    private var openLeaves: OpenLeaves
    private let keptLeaves: KeptLeaves?
    /// No kept answer ends before; `nil` where that is not known yet.
    var firstAnswerEnd: Instant?
    /// The same of messages that were seen.
    var firstSeenEnd: Instant?
    let known = KnownRows()

    /// The first error of the storage in this batch; whatever came after it means nothing.
    package var failure: (any Error)? { firstError.error }

    static func begin(
        _ transaction: consuming WriteTransaction, _ tables: Tables, readsService: Bool = true,
        leaves: KeptLeaves? = nil
    ) throws -> Batch {
        let head = try LogHead(transaction, tables, readsService: readsService)
        return Batch(transaction, tables, head, leaves)
    }

    private init(
        _ transaction: consuming WriteTransaction, _ tables: Tables, _ head: LogHead,
        _ leaves: KeptLeaves?
    ) {
        keptLeaves = leaves
        openLeaves = leaves?.leaves(after: head.chain) ?? OpenLeaves(after: head.chain)
        self.transaction = transaction
        self.tables = tables
        serviceState = head.service
        tail = LogTail(after: head.chain)
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
        known.forgetAll()
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
    mutating func compare(
        _ name: TableName, with live: Tables, after: [UInt8]?, rows: Int
    ) throws -> (findings: [Finding], next: [UInt8]?) {
        writeUsage()
        return try RowComparison.step(
            name, after: after, rows: rows, transaction, live[name], transaction, tables[name])
    }

    /// The position that the next entry will have.
    package var nextPosition: Position { lastPosition + 1 }

    /// Appends an entry and the payloads that its events brought, each by the event's index.
    package mutating func append(_ entry: Entry, payloads: [(event: Int, payload: SaltedPayload)]) {
        put(
            payloads.map { event, payload in
                KeptPayload(
                    event: event, content: .bytes(salt: payload.salt, bytes: payload.bytes))
            }, of: entry)
        unencoded.append(entry)
        guard unencoded.count == LogTail.piece else { return }
        tail.encodeBeside(unencoded)
        unencoded.removeAll(keepingCapacity: true)
    }

    /// Appends an entry whose bytes are there already.
    mutating func append(_ kept: KeptEntry) {
        put(kept.payloads, of: kept.entry)
        if !unencoded.isEmpty { tail.encodeBeside(unencoded) }
        unencoded = []
        tail.add(kept.bytes, at: kept.entry.header.position)
    }

    /// Puts the payloads of the next entry, and takes away those that it erases.
    private mutating func put(_ payloads: [KeptPayload], of entry: Entry) {
        let position = entry.header.position
        precondition(position == nextPosition, "entries have no gap")
        lastPosition = position
        attempt { batch in
            for payload in payloads {
                let location = PayloadLocation(position: position, event: payload.event)
                for (chunk, value) in PayloadChunks.values(payload.content).enumerated() {
                    try batch.transaction.append(
                        batch.tables.payloads, Keys.payload(location, chunk: chunk), value)
                }
            }
            for case .payloadsErased(let erased) in entry.events {
                try batch.erase(erased.payloads, by: position)
            }
        }
    }

    /// Writes the entries that were appended since the last time.
    private mutating func writeLog() {
        let rows = tail.takeRows(and: unencoded)
        unencoded = []
        attempt { batch in
            for row in rows {
                try batch.transaction.append(
                    batch.tables.log, Keys.position(row.position), row.record.value)
                batch.openLeaves.add(row.leaf, chain: row.record.chain, at: row.position)
                try StoredTree.complete(
                    row.position, batch.tables, &batch.transaction,
                    known: batch.openLeaves.leaves)
            }
        }
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
        writeUsage()
        writeLog()
        if let error = firstError.error {
            transaction.abort()
            throw error
        }
        if serviceChanged {
            try transaction.put(tables.meta, tables.serviceKey, serviceState.rowBytes)
        }
        try transaction.commit()
        keptLeaves?.keep(openLeaves)
    }

    package consuming func abort() { transaction.abort() }

    /// Throws all projections away, and notes the layout that a replay is going to write.
    mutating func clearProjections() {
        known.forgetAll()
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

    borrowing func row<R: Row>(_ table: Table, _ key: [UInt8]) -> R? {
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
    borrowing func firstKey(
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

    borrowing func read<Value>(
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

    mutating func put(_ table: Table, _ key: [UInt8], _ value: [UInt8]) {
        guard firstError.error == nil else { return }
        do { try transaction.put(table, key, value) } catch { firstError.keep(error) }
    }

    mutating func delete(_ table: Table, _ key: [UInt8]) {
        guard firstError.error == nil else { return }
        do { _ = try transaction.delete(table, key) } catch { firstError.keep(error) }
    }

    borrowing func damaged(_ table: Table) -> LogError { .damagedProjection(table.name) }
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

/// Rows that nearly every command needs, as the batch has them, so that none is read twice.
///
/// Usage changes with nearly every command: its rows are written once, by `Batch.writeUsage`. All others are
/// as they are in the tables.
final class KnownRows {
    var teams: [TeamID: Team] = [:]
    var apiKeys: [KeyID: APIKey] = [:]
    /// Those of other teams are not found by their id alone.
    var workflows: [WorkflowID: Workflow] = [:]
    /// The same of versions.
    var versions: [VersionOfWorkflow: Version] = [:]
    var subscriptions: [TeamID: [Subscription]] = [:]
    var teamUsage: [TeamID: Usage] = [:]
    var workflowUsage: [WorkflowOfTeam: Usage] = [:]
    /// Whose usage is to be written.
    var changedTeams: Set<TeamID> = []
    var changedWorkflows: Set<WorkflowOfTeam> = []

    struct VersionOfWorkflow: Hashable {
        let workflow: WorkflowID
        let number: Int
    }

    struct WorkflowOfTeam: Hashable {
        let workflow: WorkflowID
        let team: TeamID
    }

    /// For a batch whose tables are emptied.
    func forgetAll() {
        teams = [:]
        apiKeys = [:]
        workflows = [:]
        versions = [:]
        subscriptions = [:]
        teamUsage = [:]
        workflowUsage = [:]
        changedTeams = []
        changedWorkflows = []
    }
}

/// Keeps the first of several errors, also where the batch is only borrowed.
final class FirstError {
    private(set) var error: (any Error)?

    func keep(_ new: any Error) {
        if error == nil { error = new }
    }
}
