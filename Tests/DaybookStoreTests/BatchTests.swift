import DaybookCore
import Support
import Testing

@testable import DaybookStore

@Suite("Batches")
struct BatchTests {
    /// So many runs that wait for workers.
    private static func waiting(_ runs: Int) throws -> Given {
        var given = try Given(teamLimit: 1_000)
        let workflow = try given.newWorkflow(.worker("calls"))
        for _ in 0..<runs { _ = try given.newRun(of: workflow) }
        return given
    }

    @Test("a commit of many entries gives the same log and rows as one for each")
    func manyAtOnce() throws {
        let given = try Self.waiting(Int(StoredTree.width) + LogTail.piece + 10)
        let (single, together) = try (TestStore(), TestStore())
        for asked in given.history { try single.commit([asked]) }
        var left = given.history[...]
        for count in [1, LogTail.piece - 1, LogTail.piece, 2 * LogTail.piece + 1, left.count] {
            try together.commit(Array(left.prefix(count)))
            left = left.dropFirst(count)
        }
        #expect(left.isEmpty)
        let last = Position(given.history.count)
        let chains = try [single, together].map { disk in
            try disk.store.read { try $0.chain(at: last) }
        }
        #expect(chains[0] == chains[1])
        #expect(try together.entries() == given.entries)
        #expect(try together.dump().firstDifference(from: single.dump()) == nil)
        #expect(try together.store.read { try $0.checkLog().finding } == nil)
    }

    @Test("an entry's bytes may follow entries of the same batch that have none yet")
    func bytesBehindEntries() throws {
        let given = try Self.waiting(3)
        let disk = try TestStore()
        var batch = try disk.store.beginBatch()
        for entry in given.entries.dropLast() { batch.append(entry, payloads: []) }
        let last = try #require(given.entries.last)
        batch.append(KeptEntry(entry: last, bytes: EntryCodec.encode(last), payloads: []))
        try batch.commit()
        #expect(try disk.entries() == given.entries)
    }

    @Test("a queue that is emptied and filled again leaves no page behind for each start")
    func pagesOfStarts() throws {
        let starts = 100
        var given = try Self.waiting(starts + 1)
        let before = given.history.count
        for _ in 0..<starts { try given.start(.worker("calls")) }
        let disk = try TestStore()
        try disk.commit(Array(given.history.prefix(before)))
        let used = try disk.store.space().mapUsedBytes
        try disk.commit(Array(given.history.dropFirst(before)))
        let pages = (try disk.store.space().mapUsedBytes - used) / 4_096
        // The log of a hundred starts takes ten, and each table's path is copied once.
        #expect(pages < starts, "\(pages) pages for \(starts) starts")
    }
}
