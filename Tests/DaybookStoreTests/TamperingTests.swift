import DaybookCore
import LMDB
import Support
import Testing

@testable import DaybookStore

/// The database of a small store, opened without the store.
private final class BareDatabase {
    let environment: Environment
    let tables: Tables
    /// The entries as they were written.
    let entries: [Entry]
    private let disk: TestStore

    init() throws {
        disk = try TestStore()
        let payload = SaltedPayload.text(String(repeating: "payload ", count: 300))
        let asked: [(Command, TeamID?, SaltedPayload?)] = [
            (.initialise(logID: [UInt8](repeating: 1, count: 16)), nil, nil),
            (.createTeam(name: "team", maxConcurrentRuns: 5), nil, nil),
            (
                .createWorkflow(
                    NewWorkflow(name: "w", definition: .echo, secret: .number(1))), .number(2), nil
            ),
            (.execute(.number(3), NewRun(input: payload.payload)), .number(2), payload),
            (.claim(.echo, worker: nil, leaseSeconds: nil), .number(2), nil),
            (.complete(.number(4), attempt: 1, output: nil), .number(2), nil),
        ]
        for (index, (command, team, payload)) in asked.enumerated() {
            try disk.commit([
                Asked(
                    command, team: team, at: .second(index), newID: .number(UInt32(index + 1)),
                    commandID: .number(UInt64(index)), payload: payload)
            ])
        }
        entries = try disk.entries()
        disk.store.close()
        environment = try Environment(
            directory: disk.directory + "/db", tables: Tables.names,
            options: Environment.Options(
                mapSize: 64 << 20, maximumTables: 64, maximumReaders: 8))
        tables = Tables(environment)
    }

    deinit { environment.close() }

    func read<Value>(_ body: (borrowing View) throws -> Value) throws -> Value {
        try body(View(try environment.beginRead(), tables))
    }

    func rows(of table: Table) throws -> [(key: [UInt8], value: [UInt8])] {
        try environment.read { transaction in
            var rows: [(key: [UInt8], value: [UInt8])] = []
            try transaction.scan(table, from: nil, to: nil) { key, value in
                rows.append((key, value))
                return true
            }
            return rows
        }
    }

    func put(_ table: Table, _ key: [UInt8], _ value: [UInt8]) throws {
        try environment.write { try $0.put(table, key, value) }
    }

    /// Whatever can be read of the log is as it was written, and not all of it can be.
    func expectDamage(at position: Position, _ what: @autoclosure () -> String) throws {
        var walked: [Entry] = []
        let whole: Result<Void, any Error> = Result {
            try read { view in
                try view.entries(from: 1) { entry in
                    walked.append(entry)
                    return true
                }
            }
        }
        guard case .failure(let error) = whole, error is LogError else {
            Issue.record("the walk ends with \(whole): \(what())")
            return
        }
        try #require(walked == Array(entries.prefix(Int(position) - 1)), "\(what())")
        for entry in entries {
            let one: Result<Entry, any Error> = Result {
                try read { view in try view.entry(at: entry.header.position) }
            }
            let bytes: Result<[UInt8], any Error> = Result {
                try read { view in try view.entryBytes(at: entry.header.position) }
            }
            switch one {
            case .success(let found):
                try #require(found == entry && entry.header.position != position, "\(what())")
                try #require(try bytes.get() == EntryCodec.encode(entry), "\(what())")
            case .failure(let error):
                try #require(error is LogError, "\(error): \(what())")
                if case .success(let bytes) = bytes {
                    try #require(bytes == EntryCodec.encode(entry), "\(what())")
                }
            }
        }
    }
}

private func failureOfCommit(_ batch: consuming Batch) -> (any Error)? {
    do {
        try batch.commit()
        return nil
    } catch {
        return error
    }
}

@Suite("Tampering")
struct TamperingTests {
    @Test func `with any byte of any record changed, no wrong entry is ever read`() throws {
        let database = try BareDatabase()
        let log = database.tables.log
        var bit: UInt8 = 1
        for (index, row) in try database.rows(of: log).enumerated() {
            for place in row.value.indices {
                var changed = row.value
                changed[place] ^= bit
                bit = bit == 128 ? 1 : bit << 1
                try database.put(log, row.key, changed)
                try database.expectDamage(
                    at: Position(index + 1), "byte \(place) of record \(index + 1)")
            }
            try database.put(log, row.key, row.value)
        }
        #expect(try database.read { try $0.entry(at: 6) } == database.entries[5])
    }

    @Test func `a record that is longer or shorter, or empty, is damaged`() throws {
        let database = try BareDatabase()
        let log = database.tables.log
        let row = try database.rows(of: log)[3]
        let versions: [[UInt8]] = [
            [], [1], Array(row.value.prefix(33)), row.value.dropLast(), row.value + [0],
            [0] + row.value, [2] + row.value.dropFirst(),
        ]
        for value in versions {
            try database.put(log, row.key, value)
            try database.expectDamage(at: 4, "\(value.count) bytes")
        }
    }

    @Test func `entries do not change places, and a whole record does not stand in for another`()
        throws
    {
        let database = try BareDatabase()
        let log = database.tables.log
        let rows = try database.rows(of: log)
        try database.put(log, rows[3].key, rows[4].value)
        try database.put(log, rows[4].key, rows[3].value)
        try database.expectDamage(at: 4, "4 and 5 changed places")
    }

    @Test func `an entry under a chain made for it, but with another's position, is damaged`()
        throws
    {
        let database = try BareDatabase()
        let log = database.tables.log
        let rows = try database.rows(of: log)
        let chain = try database.read { try $0.chain(at: 5) }
        let forged = LogRecord(entry: EntryCodec.encode(database.entries[2]), after: chain)
        try database.put(log, rows[5].key, forged.value)
        #expect(throws: LogError.damaged(6)) { try database.read { try $0.entry(at: 6) } }
        #expect(throws: LogError.damaged(6)) {
            try database.read { view in try view.entries(from: 1) { _ in true } }
        }
    }

    @Test func `a gap is told by its position`() throws {
        let database = try BareDatabase()
        try database.environment.write {
            _ = try $0.delete(database.tables.log, Keys.position(3))
        }
        #expect(throws: LogError.missing(3)) {
            try database.read { view in try view.entries(from: 1) { _ in true } }
        }
        #expect(throws: LogError.missing(3)) { try database.read { try $0.entry(at: 3) } }
        #expect(throws: LogError.missing(3)) { try database.read { try $0.entry(at: 4) } }
        #expect(throws: LogError.missing(7)) { try database.read { try $0.entry(at: 7) } }
        #expect(try database.read { try $0.entry(at: 5) } == database.entries[4])
        #expect(try database.read { try $0.lastPosition() } == 6)
    }

    @Test func `a replay over damage applies nothing behind it`() throws {
        let database = try BareDatabase()
        var value = try database.rows(of: database.tables.log)[3].value
        value[60] ^= 1
        try database.put(database.tables.log, Keys.position(4), value)
        var batch = try Batch.begin(try database.environment.beginWrite(), database.tables)
        batch.clearProjections()
        _ = batch.replay(count: 100)
        #expect(batch.failure as? LogError == .damaged(4))
        #expect(failureOfCommit(batch) as? LogError == .damaged(4))
    }

    @Test func `with any byte of a payload changed, nothing else is read for it`() throws {
        let database = try BareDatabase()
        let payloads = database.tables.payloads
        let location = PayloadLocation(position: 4, event: 0)
        let rows = try database.rows(of: payloads)
        #expect(rows.map(\.value.count) == [1_950, 466])
        for row in rows {
            for place in stride(from: 0, to: row.value.count, by: 17) {
                var changed = row.value
                changed[place] ^= 4
                try database.put(payloads, row.key, changed)
                #expect(throws: LogError.damagedPayload(location)) {
                    try database.read { try $0.payload(at: location) }
                }
            }
            try database.put(payloads, row.key, row.value)
        }
        #expect(try database.read { try $0.payload(at: location) } != .erased)
        // A chunk too many, one too few, and none.
        try database.put(payloads, Keys.payload(location, chunk: 2), [0])
        #expect(throws: LogError.damagedPayload(location)) {
            try database.read { try $0.payload(at: location) }
        }
        try database.environment.write { transaction in
            for chunk in [1, 2] {
                _ = try transaction.delete(payloads, Keys.payload(location, chunk: chunk))
            }
        }
        #expect(throws: LogError.damagedPayload(location)) {
            try database.read { try $0.payload(at: location) }
        }
        try database.environment.write {
            _ = try $0.delete(payloads, Keys.payload(location, chunk: 0))
        }
        #expect(throws: LogError.damagedPayload(location)) {
            try database.read { try $0.payload(at: location) }
        }
    }

    @Test func `where no event brought a payload there is none to read`() throws {
        let database = try BareDatabase()
        for location in [
            PayloadLocation(position: 4, event: 1), PayloadLocation(position: 5, event: 0),
        ] {
            #expect(throws: LogError.damagedPayload(location)) {
                try database.read { try $0.payload(at: location) }
            }
        }
    }

    @Test func `a row of a projection that does not read is told, and never taken for absent`()
        throws
    {
        let database = try BareDatabase()
        let team = TeamID.number(2)
        try database.put(database.tables.teams, Keys.id(team), [1, 2, 3])
        #expect(throws: LogError.damagedProjection("teams")) {
            try database.read { try $0.team(team) }
        }
        let batch = try Batch.begin(try database.environment.beginWrite(), database.tables)
        #expect(batch.team(team) == nil)
        #expect(batch.failure as? LogError == .damagedProjection("teams"))
        // From then on it finds and writes nothing, and does not commit.
        #expect(batch.workflow(.number(3), of: team) == nil)
        #expect(failureOfCommit(batch) as? LogError == .damagedProjection("teams"))
    }
}
