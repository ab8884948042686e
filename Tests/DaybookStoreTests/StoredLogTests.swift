import DaybookCore
import DaybookStore
import Foundation
import Support
import Testing

/// Logs that earlier versions wrote, one of each format, as exports in `Tests/Logs`: they are read for ever.
/// A file there is never changed; a new format, and a new kind of event, adds one.
@Suite("Stored logs")
struct StoredLogTests {
    struct Stored: Sendable {
        let name: String
        let entries: Position
        /// The chain hash of the last entry.
        let chain: String
        /// How many kinds of events are in it.
        let kinds: Int
    }

    static let all = [
        Stored(
            name: "format-1", entries: 400,
            chain: "98d3a92998b294ab66c6507f298d1f0d6a63fb6a1d6a4b1e6dc19b200eea17ae", kinds: 34)
    ]

    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Logs")

    @Test("a stored log is taken, verifies, and gives the same rows in any pieces", arguments: all)
    func replays(_ stored: Stored) throws {
        let file = Self.folder.appendingPathComponent(stored.name + ".daybook-log")
        let bytes = Array(try Data(contentsOf: file))
        let disk = try TestStore()
        var offset = 0
        try disk.store.importLog { count in
            defer { offset = min(offset + count, bytes.count) }
            return Array(bytes[offset..<min(offset + count, bytes.count)])
        }
        let entries = try disk.entries()
        #expect(Position(entries.count) == stored.entries)
        let chain = try disk.store.read { try $0.chain(at: stored.entries) }
        #expect(lowercaseHex(chain) == stored.chain)
        #expect(Set(entries.flatMap(\.events).map(\.kind)).count == stored.kinds)
        for entry in entries {
            let kept = try disk.store.read { try $0.entryBytes(at: entry.header.position) }
            #expect(EntryCodec.encode(entry) == kept, "entry \(entry.header.position)")
        }
        var memory = MemoryState()
        for entry in entries { apply(entry, to: &memory) }
        for batchSize in [1, 7, 1_000] {
            try disk.store.clearProjections()
            try disk.store.replay(batchSize: batchSize)
            #expect(try disk.dump().firstDifference(from: memory.dump) == nil)
        }
        #expect(try disk.store.read { try $0.checkLog().finding } == nil)
        #expect(Invariants.check(memory: memory, entries: entries) == [])
    }

    /// Not a test of anything by itself: writes a log with every kind of event when a new format needs one.
    @Test(
        "a new stored log is written where DAYBOOK_WRITE_LOG says",
        .enabled(if: ProcessInfo.processInfo.environment["DAYBOOK_WRITE_LOG"] != nil))
    func write() throws {
        let path = ProcessInfo.processInfo.environment["DAYBOOK_WRITE_LOG"] ?? ""
        for numbers in RandomCases(1) {
            let disk = try TestStore()
            var workload = Workload(numbers)
            var memory = MemoryState()
            var kinds: Set<String> = []
            while kinds.count < 34 || memory.service().position < 400 {
                let asked = workload.next(memory)
                guard case .events(let events) = asked.judged(by: memory), !events.isEmpty else {
                    continue
                }
                kinds.formUnion(events.map(\.kind))
                apply(asked.entry(events, at: memory.service().position + 1), to: &memory)
                try disk.commit([asked])
            }
            var bytes: [UInt8] = []
            try disk.store.exportLog(after: 0, to: nil) { bytes += $0 }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let last = memory.service().position
            print(last, lowercaseHex(try disk.store.read { try $0.chain(at: last) }))
        }
    }
}
