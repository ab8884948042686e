import DaybookCore
import LMDB
import Support
import Testing

@testable import DaybookStore

@Suite("Replay")
struct ReplayTests {
    /// A store with a log of some two hundred random entries, and the rows that it should hold.
    private func randomLog(_ numbers: inout SeededGenerator) throws -> (TestStore, MemoryState) {
        let disk = try TestStore()
        var memory = MemoryState()
        var workload = Workload(SeededGenerator(seed: numbers.next()))
        while memory.service().position < 200 {
            var commands: [Asked] = []
            for _ in 0..<20 {
                let asked = workload.next(memory)
                guard case .events(let events) = asked.judged(by: memory), !events.isEmpty else {
                    continue
                }
                apply(asked.entry(events, at: memory.service().position + 1), to: &memory)
                commands.append(asked)
            }
            try disk.commit(commands)
        }
        return (disk, memory)
    }

    @Test func `a replay that is broken off, or whose process ends, goes on where it was`() throws {
        for var numbers in RandomCases(3) {
            let (disk, memory) = try randomLog(&numbers)
            try disk.store.clearProjections()
            var reached: Position = 0
            while try disk.store.needsReplay() {
                let until = reached + Position(Int.random(in: 1...80, using: &numbers))
                try disk.store.replay(batchSize: Int.random(in: 1...30, using: &numbers)) {
                    position, last in
                    #expect(position > reached && last == memory.service().position)
                    reached = position
                    return position < until
                }
                if numbers.chance(1, of: 2) { try disk.reopen() }
                // What is there so far is what the entries so far give.
                let service = try disk.store.read { try $0.service() }
                var partial = MemoryState()
                for entry in try disk.entries().prefix(Int(service.position)) {
                    apply(entry, to: &partial)
                }
                let difference = try disk.dump().firstDifference(from: partial.dump)
                try #require(difference == nil, "\(numbers.hint)")
            }
            #expect(try disk.dump().firstDifference(from: memory.dump) == nil)
        }
    }

    @Test func `rows of another layout go before the replay, log and payloads stay`() throws {
        for var numbers in RandomCases(1) {
            let (disk, memory) = try randomLog(&numbers)
            let entries = try disk.entries()
            try disk.reopen { directory in
                try RawRows.edit(directory) { transaction, tables in
                    try transaction.put(tables.meta, Keys.layout, [0, 0, 0, 0])
                    for name in TableName.allCases where name.isProjection {
                        try transaction.put(tables[name], [255, 255], Array("rubbish".utf8))
                    }
                }
            }
            #expect(try disk.store.needsReplay())
            try disk.store.replay(batchSize: 50)
            #expect(try !disk.store.needsReplay())
            #expect(try disk.dump().firstDifference(from: memory.dump) == nil)
            #expect(try disk.entries() == entries)
            var erased: Set<PayloadLocation> = []
            for case .payloadsErased(let event) in entries.flatMap(\.events) {
                erased.formUnion(event.payloads)
            }
            for entry in entries {
                for (index, event) in entry.events.enumerated() where event.payload != nil {
                    let location = PayloadLocation(position: entry.header.position, event: index)
                    guard !erased.contains(location) else { continue }
                    let stored = try disk.store.read { try $0.payload(at: location) }
                    guard case .bytes(let bytes) = stored else {
                        Issue.record("the payload of \(location) is gone")
                        continue
                    }
                    #expect(bytes.count == event.payload?.byteCount)
                }
            }
        }
    }
}
