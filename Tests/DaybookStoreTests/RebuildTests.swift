import DaybookCore
import LMDB
import Support
import Testing

@testable import DaybookStore

@Suite("Rebuild")
struct RebuildTests {
    private struct BrokenOff: Error {}

    /// A store, the model of it, and commands to come.
    private struct World {
        let disk: TestStore
        var memory = MemoryState()
        var workload: Workload

        init(_ numbers: inout SeededGenerator, entries: Position) throws {
            disk = try TestStore()
            workload = Workload(SeededGenerator(seed: numbers.next()))
            while memory.service().position < entries { try step() }
        }

        mutating func step() throws {
            let asked = workload.next(memory)
            guard case .events(let events) = asked.judged(by: memory), !events.isEmpty else {
                return
            }
            apply(asked.entry(events, at: memory.service().position + 1), to: &memory)
            try disk.commit([asked])
        }

        func isRight() throws -> Bool {
            try disk.dump().firstDifference(from: memory.dump) == nil
        }
    }

    @Test("what was right stays as it was, in any pieces, and again and again")
    func same() throws {
        for var numbers in RandomCases(3) {
            let world = try World(&numbers, entries: 150)
            for pace in [
                RebuildPace(entries: 1, rows: 1), RebuildPace(entries: 7, rows: 5), .beside, .alone,
                RebuildPace(entries: 1, rows: 3, keptRows: 1),
                RebuildPace(entries: 1, rows: 3, keptRows: 1, isAlone: true),
                RebuildPace(entries: 5, rows: 20, keptRows: 10),
                RebuildPace(entries: 5, rows: 20, keptRows: 30, isAlone: true),
            ] {
                let report = try world.disk.store.rebuild(pace)
                #expect(report.differences == 0 && report.told.isEmpty, "\(numbers.hint)")
                #expect(report.entries == world.memory.service().position)
                #expect(try world.isRight(), "\(numbers.hint)")
                try world.disk.reopen()
                #expect(try !world.disk.store.needsReplay())
            }
            #expect(try world.disk.store.read { try $0.checkLog().finding } == nil)
        }
    }

    @Test("what is wrong is told, and right afterwards")
    func differences() throws {
        for var numbers in RandomCases(3) {
            let world = try World(&numbers, entries: 150)
            if numbers.chance(1, of: 2) { _ = try world.disk.store.rebuild() }
            let set: TableSet = try world.disk.store.read { $0.tables.set }
            var expected = 0
            try world.disk.reopen { directory in
                try RawRows.edit(directory, set) { transaction, tables in
                    for table in [TableName.runs, .schedules, .due, .tree, .usage, .runLists] {
                        guard let first = try transaction.first(tables[table], atOrAfter: [0])
                        else {
                            continue
                        }
                        expected += 1
                        switch Int.random(in: 0..<3, using: &numbers) {
                        case 0: _ = try transaction.delete(tables[table], first.key)
                        case 1: try transaction.put(tables[table], first.key, first.value + [1])
                        default: try transaction.put(tables[table], [255, 255, 255], [1])
                        }
                    }
                }
            }
            let check = try world.disk.store.rebuild(switches: false)
            #expect(check.differences == expected, "\(numbers.hint)")
            let report = try world.disk.store.rebuild(RebuildPace(entries: 20, rows: 3))
            #expect(report.differences == expected, "\(numbers.hint)")
            #expect(report.told.count == expected)
            #expect(report.told.allSatisfy { $0.table != nil && $0.key != nil })
            #expect(try world.isRight(), "\(numbers.hint)")
            #expect(try world.disk.store.rebuild().differences == 0)
        }
    }

    @Test("beside a writer nothing is lost, whatever comes in between")
    func besideWriter() throws {
        for var numbers in RandomCases(4) {
            var world = try World(&numbers, entries: 60)
            let before = world.memory.service().position
            let pace = RebuildPace(
                entries: Int.random(in: 5...30, using: &numbers),
                rows: Int.random(in: 3...40, using: &numbers),
                keptRows: Int.random(in: 1...100, using: &numbers))
            let report = try world.disk.store.rebuild(pace) { _ in
                for _ in 0..<Int.random(in: 0...3, using: &numbers) { try world.step() }
            }
            #expect(report.differences == 0, "\(numbers.hint)")
            #expect(world.memory.service().position > before)
            #expect(try world.isRight(), "\(numbers.hint)")
            for _ in 0..<30 { try world.step() }
            #expect(try world.isRight(), "\(numbers.hint)")
            try world.disk.reopen()
            #expect(try world.isRight(), "\(numbers.hint)")
            #expect(try world.disk.store.rebuild().differences == 0)
        }
    }

    @Test("cut off at any piece, the old projections are in use, and the next one does it all")
    func cutOff() throws {
        for var numbers in RandomCases(4) {
            var world = try World(&numbers, entries: 80)
            for _ in 0..<4 {
                var left = Int.random(in: 0...25, using: &numbers)
                #expect(throws: BrokenOff.self) {
                    try world.disk.store.rebuild(RebuildPace(entries: 10, rows: 20)) { _ in
                        guard left > 0 else { throw BrokenOff() }
                        left -= 1
                    }
                }
                if numbers.chance(1, of: 2) { try world.disk.reopen() }
                #expect(try world.isRight(), "\(numbers.hint)")
                try world.step()
            }
            #expect(try world.disk.store.rebuild().differences == 0, "\(numbers.hint)")
            #expect(try world.isRight(), "\(numbers.hint)")
        }
    }

    @Test("a failing disk is told also where only leftovers are removed")
    func failureAtTheEnd() throws {
        for var numbers in RandomCases(1) {
            let world = try World(&numbers, entries: 80)
            #expect(throws: LMDBError.self) {
                try world.disk.store.rebuild(RebuildPace(entries: 20, rows: 3)) { stage in
                    // A piece of what is removed after the switch: before it there was nothing.
                    guard stage == .replaying(0, of: 0) else { return }
                    throw LMDBError(code: 5, operation: "commit")
                }
            }
            #expect(try world.isRight(), "\(numbers.hint)")
        }
    }

    @Test("what a killed rebuild left is removed at a start, whatever it had come to")
    func leftovers() throws {
        for table in [TableName.runs, .scheduleLists, .teams, .tree] {
            let disk = try TestStore()
            try disk.reopen { directory in
                try RawRows.edit(directory, .second) { transaction, tables in
                    try transaction.put(tables[table], [1], [1])
                }
            }
            try disk.store.bringUpToDate()
            let left = try disk.store.readShadow { view in
                try view.transaction.count(view.tables[table])
            }
            #expect(left == 0, "\(table)")
        }
    }

    @Test("where the map is full, nothing of it comes into use, whoever writes")
    func mapFull() throws {
        for var numbers in RandomCases(1) {
            // The rows of so many entries take more than what is free inside the file.
            let world = try World(&numbers, entries: 1_200)
            let used = try world.disk.store.space().mapUsedBytes
            for pace in [
                RebuildPace(entries: 50, rows: 100, keptRows: 40, isAlone: true),
                RebuildPace(entries: 50, rows: 100, keptRows: 40),
            ] {
                try world.disk.reopen { directory in
                    var options = TestStore.options
                    options.mapSize = used + 2 * 4_096
                    let store = try Store(directory: directory, options: options)
                    defer { store.close() }
                    #expect(throws: LMDBError.self, "\(numbers.hint)") {
                        try store.rebuild(pace)
                    }
                }
                #expect(try world.isRight(), "\(numbers.hint)")
            }
            #expect(try world.disk.store.rebuild().differences == 0, "\(numbers.hint)")
        }
    }

    @Test(
        "a changed row of the service is told, and a row of `meta` that does not read holds nobody up"
    )
    func metaRows() throws {
        for var numbers in RandomCases(1) {
            let world = try World(&numbers, entries: 60)
            try world.disk.reopen { directory in
                try RawRows.edit(directory) { transaction, tables in
                    var service = try ServiceState(
                        row: try #require(
                            try transaction.get(tables.meta, tables.serviceKey)))
                    service.isPaused.toggle()
                    try transaction.put(tables.meta, tables.serviceKey, service.rowBytes)
                }
            }
            let report = try world.disk.store.rebuild()
            #expect(report.differences == 1 && report.told.first?.table == "meta")
            #expect(try world.isRight())
            // Each row of the set in use, and of the other one; each rebuild changes the two.
            for isInUse in [true, false] {
                for key in [Keys.service, Keys.layout, Keys.live] {
                    let live = try world.disk.store.read { $0.tables.set }
                    try world.disk.reopen { directory in
                        try RawRows.edit(directory) { transaction, tables in
                            let set = isInUse ? live : live.other
                            let suffix = key == Keys.live ? [] : Array(set.suffix.utf8)
                            try transaction.put(tables.meta, key + suffix, [1, 2, 3])
                        }
                        var options = TestStore.options
                        options.ignoresProjections = true
                        let store = try Store(directory: directory, options: options)
                        defer { store.close() }
                        let isDamage = isInUse || key == Keys.live
                        let finding = try store.read { try $0.checkProjectionsEnd() }
                        #expect(finding?.key?.starts(with: key) == (isDamage ? true : nil))
                        let differences = try store.rebuild().differences
                        // Which set a damaged row meant can't be known.
                        if key != Keys.live { #expect(differences == (isDamage ? nil : 0)) }
                    }
                    #expect(try world.isRight(), "\(key), in use: \(isInUse)")
                }
            }
        }
    }

    @Test("a damaged log changes nothing")
    func damagedLog() throws {
        for var numbers in RandomCases(1) {
            let world = try World(&numbers, entries: 1_100)
            try world.disk.reopen { directory in
                _ = try RawRows.change(directory, .log, 20) { key, value in
                    (key, value.dropLast() + [value[value.count - 1] ^ 1])
                }
            }
            #expect(throws: LogError.damaged(21)) { try world.disk.store.rebuild() }
            #expect(try world.isRight())
        }
    }
}
