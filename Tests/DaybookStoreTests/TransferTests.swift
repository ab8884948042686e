import DaybookCore
import Foundation
import LMDB
import Support
import Testing

@testable import DaybookStore

@Suite("Exports, imports and restores")
struct TransferTests {
    /// A store with a log of some hundred random entries, a few of them erasures.
    private func randomLog(_ numbers: inout SeededGenerator, entries: Position = 150) throws
        -> TestStore
    {
        let disk = try TestStore()
        var workload = Workload(SeededGenerator(seed: numbers.next()))
        var memory = MemoryState()
        while memory.service().position < entries {
            let asked = workload.next(memory)
            guard case .events(let events) = asked.judged(by: memory), !events.isEmpty else {
                continue
            }
            apply(asked.entry(events, at: memory.service().position + 1), to: &memory)
            try disk.commit([asked])
        }
        return disk
    }

    private func export(
        _ store: Store, after: Position = 0, to: Position? = nil
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try store.exportLog(after: after, to: to) { bytes += $0 }
        return bytes
    }

    /// Gives the bytes in pieces of odd sizes.
    private func source(_ bytes: [UInt8], piece: Int = 777) -> (Int) throws -> [UInt8] {
        var offset = 0
        return { count in
            defer { offset = min(offset + min(count, piece), bytes.count) }
            return Array(bytes[offset..<min(offset + min(count, piece), bytes.count)])
        }
    }

    private func take(
        _ bytes: [UInt8], into disk: TestStore, to: Position = .max
    ) throws -> Position {
        try disk.store.importLog(to: to, read: source(bytes))
    }

    /// Log and payloads, byte by byte.
    private func stored(_ store: Store) throws -> [[UInt8]] {
        try store.read { view in
            var rows: [[UInt8]] = []
            for table in [TableName.log, .payloads] {
                try view.scan(table, after: nil) { key, value in
                    rows.append(key + [0] + value)
                    return true
                }
            }
            return rows
        }
    }

    private func expectSame(_ left: TestStore, _ right: TestStore, _ hint: String) throws {
        #expect(try stored(left.store) == stored(right.store), "\(hint)")
        try right.store.replay()
        #expect(try left.dump().firstDifference(from: right.dump()) == nil, "\(hint)")
        let finding = try right.store.read { try $0.checkLog().finding }
        #expect(finding == nil, "\(hint)")
    }

    @Test("an export, in one piece or several, makes the same log, payloads and rows elsewhere")
    func roundTrip() throws {
        for var numbers in RandomCases(4) {
            let original = try randomLog(&numbers)
            let last = try original.store.read { try $0.lastPosition() }
            let whole = try TestStore()
            #expect(try take(try export(original.store), into: whole) == last)
            try expectSame(original, whole, numbers.hint)
            let pieces = try TestStore()
            var position: Position = 0
            while position < last {
                let end = min(position + Position.random(in: 1...60, using: &numbers), last)
                // Each overlaps with what is there.
                let start = position - min(position, Position.random(in: 0...9, using: &numbers))
                let bytes = try export(original.store, after: start, to: end)
                #expect(try take(bytes, into: pieces) == end, "\(numbers.hint)")
                position = end
                if numbers.chance(1, of: 3) { try pieces.store.replay() }
            }
            try expectSame(original, pieces, numbers.hint)
            // Again: nothing changes.
            #expect(try take(try export(original.store), into: pieces) == last)
            try expectSame(original, pieces, numbers.hint)
        }
    }

    @Test("of exports one behind the other no more is taken than is asked for")
    func severalUpTo() throws {
        for var numbers in RandomCases(2) {
            let original = try randomLog(&numbers)
            let last = try original.store.read { try $0.lastPosition() }
            let middle = last / 2
            let both =
                try export(original.store, to: middle) + export(original.store, after: middle)
            for limit in [1, middle - 1, middle, middle + 1, last] {
                let copy = try TestStore()
                #expect(try take(both, into: copy, to: limit) == limit, "\(numbers.hint)")
                // What follows is read all the same, so that what breaks off is told.
                let cut = try TestStore()
                #expect(throws: LogExportError.self) {
                    try take(Array(both.dropLast(3)), into: cut, to: limit)
                }
            }
        }
    }

    @Test("an export that breaks off anywhere leaves a beginning of the log, and is told")
    func brokenOff() throws {
        for var numbers in RandomCases(1) {
            let original = try randomLog(&numbers, entries: 60)
            let bytes = try export(original.store)
            for _ in 0..<12 {
                let disk = try TestStore()
                let count = Int.random(in: 0..<bytes.count, using: &numbers)
                do {
                    _ = try take(Array(bytes[..<count]), into: disk)
                    Issue.record("\(count) bytes were taken for all; \(numbers.hint)")
                } catch let error as LogExportError {
                    let last = try disk.store.read { try $0.lastPosition() }
                    #expect(
                        error == .brokenOff(after: last) || count < 60 && error == .notAnExport,
                        "\(error) \(numbers.hint)")
                }
                try disk.reopen()
                let finding = try disk.store.read { try $0.checkLog().finding }
                #expect(finding == nil, "\(numbers.hint)")
                _ = try take(bytes, into: disk)
                try expectSame(original, disk, numbers.hint)
            }
        }
    }

    @Test("any changed byte of an export is found out, and nothing wrong is kept")
    func flips() throws {
        for var numbers in RandomCases(1) {
            let original = try randomLog(&numbers, entries: 30)
            let bytes = try export(original.store)
            let entries = try original.entries()
            for place in stride(
                from: Int.random(in: 0..<97, using: &numbers), to: bytes.count, by: 97)
            {
                var changed = bytes
                changed[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &numbers))
                let disk = try TestStore()
                #expect(throws: LogExportError.self, "\(place) \(numbers.hint)") {
                    try take(changed, into: disk)
                }
                let kept = try disk.entries()
                #expect(kept == Array(entries.prefix(kept.count)), "\(place) \(numbers.hint)")
            }
        }
    }

    @Test("an export that does not fit is refused by name, and changes nothing")
    func doesNotFit() throws {
        for var numbers in RandomCases(1) {
            let original = try randomLog(&numbers, entries: 40)
            let disk = try TestStore()
            #expect(throws: LogExportError.gap(begins: 11, here: 0)) {
                try take(try export(original.store, after: 10), into: disk)
            }
            _ = try take(try export(original.store, to: 20), into: disk)
            #expect(throws: LogExportError.gap(begins: 26, here: 20)) {
                try take(try export(original.store, after: 25), into: disk)
            }
            // The workload always gives one id to its logs, so another history is what differs.
            let other = try randomLog(&numbers, entries: 40)
            let before = try stored(disk.store)
            do {
                _ = try take(try export(other.store), into: disk)
                Issue.record("another history was taken; \(numbers.hint)")
            } catch let error as LogExportError {
                guard case .forked = error else {
                    Issue.record("\(error)")
                    return
                }
            }
            #expect(try stored(disk.store) == before)
            #expect(throws: LogExportError.notAnExport) {
                try take(Array("something else".utf8), into: disk)
            }
            #expect(try take(try export(original.store), into: disk, to: 30) == 30)
        }
    }

    @Test("an erasure that comes with a later export takes the payload from the copy")
    func erasureFollows() throws {
        var given = try Given()
        let disk = try TestStore()
        try disk.commit([])
        let workflow = try given.newWorkflow()
        let payload = SaltedPayload.text("canary")
        let schedule = try given.newSchedule(of: workflow, at: .second(500), input: payload)
        try disk.commit(given.history)
        let before = try export(disk.store)
        let location = PayloadLocation(position: 4, event: 0)
        try given.happened(
            .erase(
                .schedule(schedule), Erasure(payloads: [location], seen: 4, force: true)))
        try disk.commit(Array(given.history.suffix(1)))

        let copy = try TestStore()
        _ = try take(before, into: copy)
        try copy.store.replay()
        #expect(try copy.store.read { try $0.payload(at: location) } == .bytes(payload.bytes))
        _ = try take(try export(disk.store, after: 4), into: copy)
        #expect(try copy.store.read { try $0.payload(at: location) } == .erased)
        try expectSame(disk, copy, "")
        #expect(!(try export(disk.store)).contains(sequence: payload.bytes))

        // A restore to before the erasure: the payload is gone all the same, and that is well.
        let past = try TestStore()
        _ = try take(try export(disk.store, to: 4), into: past)
        try past.store.replay()
        #expect(try past.store.read { try $0.payload(at: location) } == .erased)
        let seen = try past.store.read { try $0.checkLog() }
        #expect(seen.finding == nil && seen.seen.erasedPayloads == 1)
        // It goes on by itself: the entry that had erased the payload is another one here.
        try past.commit([
            Asked(
                .createTeam(name: "other", maxConcurrentRuns: 1), team: nil, at: .second(9),
                newID: .number(50), commandID: .number(50))
        ])
        #expect(try past.store.read { try $0.checkLog().finding } == nil)
        let again = try TestStore()
        _ = try take(try export(past.store), into: again)
        try expectSame(past, again, "")
    }

    @Test("an export in which a payload was made to look erased is refused")
    func forgedErasure() throws {
        for var numbers in RandomCases(1) {
            let original = try randomLog(&numbers, entries: 120)
            let bytes = try export(original.store)
            for eraser in [Position(0), 3, 60, 120] {
                let disk = try TestStore()
                #expect(throws: LogExportError.self, "\(eraser) \(numbers.hint)") {
                    try take(try forged(bytes, by: eraser), into: disk)
                }
            }
        }
    }

    /// The export with its first payload taken out, as if the entry at `eraser` had erased it.
    private func forged(_ bytes: [UInt8], by eraser: Position) throws -> [UInt8] {
        var reader = LogExportReader(source(bytes))
        var forged = LogExport.magic
        var isDone = false
        while let frame = try reader.next(after: 0) {
            guard !isDone, case .entry(let bytes, let payloads) = frame, let first = payloads.first,
                case .bytes = first.content
            else {
                forged += LogExport.bytes(frame)
                continue
            }
            isDone = true
            let taken = KeptPayload(event: first.event, content: .erased(by: eraser))
            forged += LogExport.bytes(
                .entry(bytes: bytes, payloads: [taken] + payloads.dropFirst()))
        }
        return forged
    }

    @Test(
        "exports one behind the other are taken one after the other, and nothing else behind them")
    func oneAfterTheOther() throws {
        for var numbers in RandomCases(1) {
            let original = try randomLog(&numbers, entries: 60)
            let last = try original.store.read { try $0.lastPosition() }
            let disk = try TestStore()
            let both = try export(original.store, to: 10) + export(original.store, after: 10)
            #expect(try take(both, into: disk) == last)
            try expectSame(original, disk, numbers.hint)
            #expect(throws: LogExportError.self) { try take(both + [1, 2, 3], into: disk) }
        }
    }

    @Test("a backup is a copy before anybody copies it")
    func backUp() throws {
        for var numbers in RandomCases(1) {
            let original = try randomLog(&numbers, entries: 30)
            try original.store.settle()
            let directory = try TestStore.makeDirectory()
            defer { TestStore.remove(directory) }
            let place = directory + "/backup"
            try original.store.backUp(to: place)
            #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["db"])
            let backup = try Store(directory: place, options: TestStore.options)
            defer { backup.close() }
            #expect(try backup.standing() == .copy)
            #expect(try original.store.standing() == .original)
        }
    }

    private typealias PayloadRows = [(key: [UInt8], value: [UInt8])]

    /// A log, the rows of payloads that were erased, and those of small ones that are there.
    private func logWithErasures(
        _ numbers: inout SeededGenerator
    ) throws -> (disk: TestStore, erased: PayloadRows, there: PayloadRows) {
        let disk = try randomLog(&numbers, entries: 500)
        var rows: PayloadRows = []
        try disk.store.read { view in
            try view.scan(.payloads, after: nil) { key, value in
                rows.append((key, value))
                return true
            }
        }
        return (
            disk, rows.filter { $0.value.count == PayloadChunks.erasedByteCount },
            rows.filter { $0.value.count > 16 && $0.value.count < 100 }
        )
    }

    @Test("a payload that no entry erased, or that is back after it was, is found")
    func falseErasure() throws {
        for var numbers in RandomCases(2) {
            // Not each log erases something.
            var (disk, erased, there) = try logWithErasures(&numbers)
            for _ in 0..<20 where erased.isEmpty || there.isEmpty {
                (disk, erased, there) = try logWithErasures(&numbers)
            }
            try #require(!erased.isEmpty && !there.isEmpty, "\(numbers.hint)")
            let directory = try TestStore.makeDirectory()
            defer { TestStore.remove(directory) }
            let changes: [(key: [UInt8], value: [UInt8])] = [
                (numbers.pick(there).key, Keys.position(140)),
                (numbers.pick(there).key, Keys.position(1)),
                (numbers.pick(erased).key, [UInt8](repeating: 1, count: 16)),
                (numbers.pick(erased).key, Keys.position(2)),
            ]
            for (index, change) in changes.enumerated() {
                let copy = "\(directory)/\(index)"
                try disk.store.copy(to: copy)
                try RawRows.edit(copy) { transaction, tables in
                    try transaction.put(tables.payloads, change.key, change.value)
                }
                let store = try Store(reading: copy, options: TestStore.options)
                defer { store.close() }
                let finding = try store.read { try $0.checkLog().finding }
                #expect(finding?.part == .payloads, "\(index) \(numbers.hint)")
            }
        }
    }

    @Test("a restore is whole, up to a position where that is asked, and a copy")
    func restore() throws {
        for var numbers in RandomCases(2) {
            let original = try randomLog(&numbers)
            // Nobody knows whose promises the entries are.
            #expect(try original.store.standing() == .copy)
            try original.store.settle()
            #expect(try original.store.standing() == .original)
            let directory = try TestStore.makeDirectory()
            defer { TestStore.remove(directory) }
            for position in [nil, 1, Position.random(in: 2...149, using: &numbers), 150] {
                let place = "\(directory)/\(position ?? 0)"
                // What a killed attempt left behind is in nobody's way.
                try FileManager.default.createDirectory(
                    atPath: place + "/restore.tmp/db", withIntermediateDirectories: true)
                try Data("half".utf8).write(
                    to: URL(fileURLWithPath: place + "/restore.tmp/db/data.mdb"))
                try Store.restore(original.store, to: place, position: position)
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: place).sorted()
                        == ["db", "owner.lock"])
                let restored = try Store(directory: place, options: TestStore.options)
                #expect(try restored.standing() == .copy)
                #expect(try !restored.needsReplay())
                let last = try restored.read { try $0.lastPosition() }
                let all = try original.store.read { try $0.lastPosition() }
                #expect(last == position ?? all)
                let dump = try restored.read { try $0.dump() }
                var memory = MemoryState()
                for entry in try original.entries().prefix(Int(last)) { apply(entry, to: &memory) }
                #expect(dump.firstDifference(from: memory.dump) == nil, "\(numbers.hint)")
                #expect(try restored.read { try $0.checkLog().finding } == nil, "\(numbers.hint)")
                restored.close()
                #expect(throws: EnvironmentError.self) {
                    try Store.restore(original.store, to: place, position: position)
                }
            }
        }
    }

    @Test("a data file that was copied is known, whatever made the copy")
    func copies() throws {
        for var numbers in RandomCases(1) {
            let original = try randomLog(&numbers, entries: 10)
            try original.store.settle()
            let directory = try TestStore.makeDirectory()
            defer { TestStore.remove(directory) }
            try original.reopen { from in
                try FileManager.default.copyItem(atPath: from + "/db", toPath: directory + "/db")
            }
            let copy = try Store(directory: directory, options: TestStore.options)
            defer { copy.close() }
            #expect(try copy.standing() == .copy)
            try copy.settle()
            #expect(try copy.standing() == .original)
            try original.reopen()
            #expect(try original.store.standing() == .original)
            // Neither a rebuild nor a restart changes it.
            try copy.clearProjections()
            try copy.replay()
            #expect(try copy.standing() == .original)
        }
    }
}

extension [UInt8] {
    fileprivate func contains(sequence: [UInt8]) -> Bool {
        indices.dropLast(sequence.count - 1).contains { self[$0...].starts(with: sequence) }
    }
}
