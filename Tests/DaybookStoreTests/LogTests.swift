import Crypto
import DaybookCore
import DaybookStore
import LMDB
import Support
import Testing

/// A log with a payload of its own in each of a few entries.
private func someLog() throws -> TestStore {
    let disk = try TestStore()
    try disk.commit([
        Asked(
            .initialise(logID: [UInt8](repeating: 1, count: 16)), by: .system(.service), team: nil,
            at: .second(0), newID: .number(1), commandID: .number(1)),
        Asked(
            .createTeam(name: "team", maxConcurrentRuns: 5), by: .system(.service), team: nil,
            at: .second(0), newID: .number(2), commandID: .number(2)),
        Asked(
            .createWorkflow(
                NewWorkflow(name: "call", definition: .echo, secret: .number(1))),
            by: .system(.service), team: .number(2), at: .second(0), newID: .number(3),
            commandID: .number(3)),
    ])
    for number in UInt32(4)..<10 {
        try disk.commit([schedule(number, .text("{\"n\":\(number)}"))])
    }
    return disk
}

private func schedule(_ number: UInt32, _ payload: SaltedPayload) -> Asked {
    Asked(
        .createSchedule(
            .number(3), NewSchedule(scheduledTime: .second(100), input: payload.payload)),
        by: .system(.command), team: .number(2), at: .second(1), newID: .number(number),
        commandID: .number(UInt64(number)), payload: payload)
}

/// Changes rows behind the store's back.
private func tamper(
    _ disk: TestStore, _ table: String, _ change: (inout WriteTransaction, Table) throws -> Void
) throws {
    try disk.reopen { directory in
        let environment = try Environment(
            directory: directory + "/db", tables: [table],
            options: Environment.Options(maximumTables: 64, maximumReaders: 8))
        defer { environment.close() }
        try environment.write { try change(&$0, environment.table(table)) }
    }
}

private func key(_ position: UInt8) -> [UInt8] { [0, 0, 0, 0, 0, 0, 0, position] }

@Suite("Log")
struct LogTests {
    @Test("the greatest id is known at a start, whatever it was given to")
    func lastID() throws {
        let disk = try someLog()
        let commands: [Command] = [
            .createTrigger(
                NewTrigger(
                    workflow: .number(3), source: .webhook, name: "t", configuration: [],
                    secret: nil)),
            .createSubscription(
                NewSubscription(
                    name: "s", url: "https://example.com/", actions: Actions([.workflowCreated]),
                    secret: .number(1))),
            .refuse(
                Arrival(
                    trigger: SeenTrigger(id: .number(20), source: .webhook, revision: 1),
                    scope: .number(20), digests: [], keptSeconds: 1),
                NewRefusal(
                    reason: .invalidJSON, detail: "", contentType: nil,
                    body: SaltedPayload.text("{").payload)),
            .execute(.number(3), NewRun()),
            .createKey(
                NewKey(role: .read, name: "k", secretDigest: .filled(1), expiresAt: nil)),
        ]
        for (index, command) in commands.enumerated() {
            let number = UInt32(20 + index)
            let judged = try disk.commit([
                Asked(
                    command, by: .system(.command), team: .number(2), at: .second(2),
                    newID: .number(number), commandID: .number(UInt64(number)))
            ])
            guard case .events? = judged.first else {
                Issue.record("\(judged)")
                continue
            }
            #expect(try disk.store.verifyTail().lastID == .number(number), "\(command.name)")
        }
    }

    @Test("leaf and chain are what the format says, computed here from the stored bytes")
    func chainIsAsDocumented() throws {
        let disk = try someLog()
        var values: [[UInt8]] = []
        try disk.reopen { directory in
            let environment = try Environment(
                directory: directory + "/db", tables: ["log"],
                options: Environment.Options(
                    maximumTables: 64, maximumReaders: 8, readOnly: true))
            defer { environment.close() }
            try environment.read { transaction in
                try transaction.scan(environment.table("log"), from: nil, to: nil) { _, value in
                    values.append(value)
                    return true
                }
            }
        }
        #expect(values.count == 9)
        var chain = [UInt8](repeating: 0, count: 32)
        for value in values {
            #expect(value[0] == 1)
            let leaf = Array(SHA256.hash(data: [0] + value[33...]))
            chain = Array(SHA256.hash(data: chain + leaf))
            #expect(Array(value[1..<33]) == chain)
        }
        #expect(try disk.store.read { try $0.chain(at: 9) } == chain)
    }

    @Test("no flipped byte of a record goes by unseen")
    func flippedBytesAreSeen() throws {
        let disk = try someLog()
        var record: [UInt8] = []
        try tamper(disk, "log") { transaction, table in
            record = try #require(try transaction.get(table, key(5)))
        }
        for index in stride(from: 0, to: record.count, by: 3) {
            var changed = record
            changed[index] ^= 0x10
            // A store whose last entries do not verify does not open at all.
            #expect(throws: LogError.self, "byte \(index)") {
                try tamper(disk, "log") { transaction, table in
                    try transaction.put(table, key(5), changed)
                }
            }
            try repair(disk, record)
        }
        try disk.reopen()
        #expect(try disk.entries().count == 9)
    }

    private func repair(_ disk: TestStore, _ record: [UInt8]) throws {
        let environment = try Environment(
            directory: disk.directory + "/db", tables: ["log"],
            options: Environment.Options(maximumTables: 64, maximumReaders: 8))
        defer { environment.close() }
        try environment.write { try $0.put(environment.table("log"), key(5), record) }
    }

    @Test("a missing entry is a gap that is told, and a record in another's place is too")
    func gapsAreSeen() throws {
        let disk = try someLog()
        #expect(throws: LogError.missing(5)) {
            try tamper(disk, "log") { transaction, table in
                _ = try transaction.delete(table, key(5))
            }
        }
        let other = try someLog()
        #expect(throws: LogError.damaged(5)) {
            try tamper(other, "log") { transaction, table in
                let four = try #require(try transaction.get(table, key(4)))
                try transaction.put(table, key(5), four)
            }
        }
    }

    @Test(
        "payloads of every length come back as they were",
        arguments: [0, 1, 1_933, 1_934, 1_935, 1_950, 4_000, 256 << 10])
    func payloadsComeBack(_ count: Int) throws {
        let disk = try someLog()
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let payload = SaltedPayload(bytes, salt: [UInt8](repeating: 9, count: 16))
        try disk.commit([schedule(20, payload)])
        let location = PayloadLocation(position: 10, event: 0)
        #expect(try disk.store.read { try $0.payload(at: location) } == .bytes(bytes))
        try disk.store.clearProjections()
        try disk.store.replay()
        #expect(try disk.store.read { try $0.payload(at: location) } == .bytes(bytes))
    }

    @Test("a payload that was changed or is gone is refused, and not taken for erased")
    func payloadsAreVerified() throws {
        let disk = try someLog()
        let location = PayloadLocation(position: 5, event: 0)
        let row = key(5) + [0, 0, 0, 0]
        try tamper(disk, "payloads") { transaction, table in
            var value = try #require(try transaction.get(table, row))
            value[value.count - 1] ^= 1
            try transaction.put(table, row, value)
        }
        #expect(throws: LogError.damagedPayload(location)) {
            try disk.store.read { try $0.payload(at: location) }
        }
        try tamper(disk, "payloads") { transaction, table in
            _ = try transaction.delete(table, row)
        }
        #expect(throws: LogError.damagedPayload(location)) {
            try disk.store.read { try $0.payload(at: location) }
        }
        #expect(try disk.entries().count == 9)
    }

    @Test("a replay gives the same rows in batches of any size, also when it is broken off")
    func replayGivesTheSame() throws {
        let disk = try someLog()
        let before = try disk.dump()
        for size in [1, 7, 1_000] {
            try disk.store.clearProjections()
            #expect(try disk.store.needsReplay())
            try disk.store.replay(batchSize: size)
            #expect(try disk.dump().firstDifference(from: before) == nil)
        }
        try disk.store.clearProjections()
        try disk.store.replay(batchSize: 2) { reached, _ in reached < 4 }
        #expect(try disk.store.needsReplay())
        try disk.reopen()
        try disk.store.replay(batchSize: 3)
        #expect(try disk.dump().firstDifference(from: before) == nil)
        #expect(try !disk.store.needsReplay())
    }

    @Test("projections of another layout are replayed")
    func otherLayoutIsReplayed() throws {
        let disk = try someLog()
        let before = try disk.dump()
        try tamper(disk, "meta") { transaction, table in
            try transaction.put(table, Array("layout".utf8), [0, 0, 9, 9])
        }
        #expect(try disk.store.needsReplay())
        try disk.store.replay()
        #expect(try disk.dump().firstDifference(from: before) == nil)
    }

    @Test(
        "projections that do not end where the log ends are told, and brought up to date by a start"
    )
    func otherEnd() throws {
        let disk = try someLog()
        _ = try disk.store.rebuild()
        let before = try disk.dump()
        #expect(try disk.store.read { try $0.checkProjectionsEnd() } == nil)
        // Without it the other set is taken for the one in use, and that is empty.
        try tamper(disk, "meta") { transaction, table in
            _ = try transaction.delete(table, Array("live".utf8))
        }
        let finding = try disk.store.read { try $0.checkProjectionsEnd() }
        #expect(finding?.what.contains("end at entry 0, and the log at 9") == true)
        try disk.store.bringUpToDate()
        #expect(try disk.store.read { try $0.checkProjectionsEnd() } == nil)
        #expect(try disk.dump().firstDifference(from: before) == nil)
    }

    @Test("a second store on the directory is refused; a reader beside it is not")
    func oneOwner() throws {
        let disk = try someLog()
        #expect(throws: DirectoryHeldError.self) { try Store(directory: disk.directory) }
    }

    @Test("a log that is shorter than what its projections have seen does not open")
    func shortLogIsRefused() throws {
        let disk = try someLog()
        #expect(throws: Store.OpenError.logTooShort(log: 7, projections: 9)) {
            try tamper(disk, "log") { transaction, table in
                _ = try transaction.delete(table, key(8))
                _ = try transaction.delete(table, key(9))
            }
        }
    }
}
