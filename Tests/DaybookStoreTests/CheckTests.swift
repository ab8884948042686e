import DaybookCore
import LMDB
import Support
import Testing

@testable import DaybookStore

@Suite("Check")
struct CheckTests {
    /// A store with random commands in it, and a second one with the same log, replayed.
    private struct Pair {
        let live: TestStore
        let again: Store
        let directory: String

        init(_ numbers: SeededGenerator) throws {
            live = try TestStore()
            var workload = Workload(numbers)
            var memory = MemoryState()
            var commands: [Asked] = []
            for _ in 0..<150 {
                let asked = workload.next(memory)
                commands.append(asked)
                if case .events(let events) = asked.judged(by: memory), !events.isEmpty {
                    apply(asked.entry(events, at: memory.service().position + 1), to: &memory)
                }
            }
            try live.commit(commands)
            directory = live.directory + "/again"
            try live.store.copy(to: directory)
            again = try Store(directory: directory, options: TestStore.options)
            try again.clearProjections()
            try again.replay()
        }

        func difference() throws -> Finding? {
            try live.store.read { view in try again.read { try view.firstDifference(from: $0) } }
        }
    }

    @Test("what nobody touched is well, and its replay is the same")
    func well() throws {
        for numbers in RandomCases(6) {
            let pair = try Pair(numbers)
            defer { pair.again.close() }
            let (seen, finding) = try pair.live.store.read { try $0.checkLog() }
            #expect(finding == nil, "\(numbers.hint)")
            let entries = try pair.live.entries()
            #expect(seen.entries == Position(entries.count))
            let chain = try pair.live.store.checkChain(pieces: 7)
            #expect(chain.finding == nil && chain.entries == seen.entries)
            #expect(chain.chain == seen.chain)
            #expect(
                seen.payloads + seen.erasedPayloads
                    == entries.flatMap(\.events).count { $0.payload != nil })
            #expect(try pair.live.store.read { try $0.checkIndexes() } == nil)
            #expect(try pair.difference() == nil, "\(numbers.hint)")
        }
    }

    /// Changes one row of the database behind the store's back, checks, and puts it back.
    private func withRow(
        _ disk: TestStore, _ table: TableName, _ index: Int,
        _ change: ([UInt8], [UInt8]) -> (key: [UInt8], value: [UInt8])?,
        _ body: (_ key: [UInt8]) throws -> Void
    ) throws {
        var changed: (old: (key: [UInt8], value: [UInt8]), new: (key: [UInt8], value: [UInt8])?)?
        try disk.reopen { changed = try RawRows.change($0, table, index, change) }
        let (old, new) = try #require(changed)
        try body(old.key)
        try disk.reopen { directory in
            try RawRows.edit(directory) { transaction, tables in
                if let new { _ = try transaction.delete(tables[table], new.key) }
                try transaction.put(tables[table], old.key, old.value)
            }
        }
    }

    @Test("a changed, missing or added row of the projections is named by table and key")
    func projections() throws {
        for var numbers in RandomCases(2) {
            let pair = try Pair(numbers)
            defer { pair.again.close() }
            let tables = TableName.allCases.filter(\.isProjection)
            for table in tables {
                let rows = try pair.live.store.read { view in
                    var count = 0
                    try view.scan(table, after: nil) { _, _ in
                        count += 1
                        return true
                    }
                    return count
                }
                guard rows > 0 else { continue }
                let index = Int.random(in: 0..<rows, using: &numbers)
                try withRow(pair.live, table, index) { _, _ in
                    nil
                } _: { key in
                    let finding = try pair.difference()
                    #expect(finding?.table == table.rawValue, "\(numbers.hint)")
                    #expect(finding?.key == key, "\(numbers.hint)")
                    #expect(finding?.what == "the row is missing")
                }
                try withRow(pair.live, table, index) { key, value in
                    (key, value + [0])
                } _: { key in
                    let finding = try pair.difference()
                    #expect(finding?.key == key)
                    #expect(finding?.what == "the row is not what the log gives")
                }
                #expect(try pair.difference() == nil, "\(table) \(numbers.hint)")
            }
        }
    }

    @Test("a flipped bit, a missing and a foreign row of log and payloads are found where they are")
    func logAndPayloads() throws {
        for var numbers in RandomCases(2) {
            let pair = try Pair(numbers)
            defer { pair.again.close() }
            let last = Int(try pair.live.store.read { try $0.lastPosition() })
            for _ in 0..<12 {
                let index = Int.random(in: 1..<last - 1, using: &numbers)
                let bit = UInt8(1 << Int.random(in: 0..<8, using: &numbers))
                let place = numbers.next()
                // The store verifies its tail when it is opened, so only the check itself is asked.
                try withRowUnopened(pair.live, .log, index) { key, value in
                    var value = value
                    value[Int(place % UInt64(value.count))] ^= bit
                    return (key, value)
                } _: { finding in
                    #expect(finding?.part == .log, "\(numbers.hint)")
                    let position = Int(finding?.position ?? 0)
                    // A wrong chain hash may be told of the next entry.
                    #expect(position == index + 1 || position == index + 2, "\(numbers.hint)")
                }
            }
            try withRowUnopened(pair.live, .log, last / 2) { _, _ in
                nil
            } _: { finding in
                #expect(finding?.position == Position(last / 2 + 1))
            }
            for index in 0..<4 {
                try withRowUnopened(pair.live, .payloads, index) { key, value in
                    var value = value
                    value[value.count - 1] ^= 1
                    return (key, value)
                } _: { finding in
                    #expect(finding?.part == .payloads, "\(numbers.hint)")
                }
                try withRowUnopened(pair.live, .payloads, index) { _, _ in
                    nil
                } _: { finding in
                    #expect(finding?.part == .payloads, "\(numbers.hint)")
                }
                try withRowUnopened(pair.live, .payloads, index) { key, value in
                    // Moved to where no event brought anything.
                    (Keys.position(1) + key.suffix(4), value)
                } _: { finding in
                    #expect(finding?.part == .payloads, "\(numbers.hint)")
                }
            }
        }
    }

    @Test("damage of the log is told before damage of a payload, wherever each of them lies")
    func logFirst() throws {
        for numbers in RandomCases(1) {
            let pair = try Pair(numbers)
            defer { pair.again.close() }
            let last = Int(try pair.live.store.read { try $0.lastPosition() })
            let copy = pair.live.directory + "/damaged"
            try pair.live.store.copy(to: copy)
            _ = try RawRows.change(copy, .payloads, 0) { _, _ in nil }
            _ = try RawRows.change(copy, .log, last - 2) { key, value in
                (key, value.dropLast() + [value[value.count - 1] ^ 1])
            }
            let store = try Store(reading: copy, options: TestStore.options)
            defer { store.close() }
            #expect(try store.read { try $0.checkLog() }.finding?.part == .log)
        }
    }

    /// As `withRow`, on a copy that is only read: a store that is opened to write verifies its end.
    private func withRowUnopened(
        _ disk: TestStore, _ table: TableName, _ index: Int,
        _ change: ([UInt8], [UInt8]) -> (key: [UInt8], value: [UInt8])?,
        _ body: (Finding?) throws -> Void
    ) throws {
        let directory = try TestStore.makeDirectory()
        defer { TestStore.remove(directory) }
        let copy = directory + "/copy"
        try disk.store.copy(to: copy)
        _ = try RawRows.change(copy, table, index, change)
        let store = try Store(reading: copy, options: TestStore.options)
        defer { store.close() }
        let finding = try store.read { try $0.checkLog() }.finding
        // The chain alone finds the same, in pieces of whatever size.
        for size in [1, 7, 20_000] as [Position] {
            let chain = try store.checkChain(pieces: size).finding
            #expect(chain?.part == (table == .log ? .log : nil))
            #expect(chain?.position == (table == .log ? finding?.position : nil))
        }
        try body(finding)
    }
}
