import DaybookCore
import Support
import Testing

@testable import DaybookStore

@Suite("Reading ahead")
struct ReadAheadTests {
    @Test("batches end at their count or their bytes, and have every entry once")
    func batches() throws {
        for var numbers in RandomCases(3) {
            let disk = try TestStore()
            var memory = MemoryState()
            var workload = Workload(SeededGenerator(seed: numbers.next()))
            while memory.service().position < 100 {
                let asked = workload.next(memory)
                guard case .events(let events) = asked.judged(by: memory), !events.isEmpty else {
                    continue
                }
                apply(asked.entry(events, at: memory.service().position + 1), to: &memory)
                try disk.commit([asked])
            }
            let expected = try disk.store.read { view in
                try (1...view.lastPosition()).map { try view.entry(at: $0) }
            }
            for (count, bytes) in [(1_000, 1 << 20), (7, 1 << 20), (1_000, 2_000), (1, 1)] {
                let ahead = ReadAhead(disk.store, batchSize: count, maximumBytes: bytes)
                defer { ahead.end() }
                var entries: [Entry] = []
                while case let batch = try ahead.next(), !batch.entries.isEmpty {
                    #expect(batch.entries.count <= count)
                    entries += batch.entries
                }
                #expect(entries == expected, "\(numbers.hint)")
            }
        }
    }
}
