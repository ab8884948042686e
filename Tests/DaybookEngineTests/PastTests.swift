import DaybookCore
import DaybookEngine
import DaybookStore
import Support
import Testing

/// Things as they were, against a fold of the log up to the moment.
@Suite("The past")
struct PastTests {
    private static func randomLog(_ numbers: inout SeededGenerator) throws -> TestStore {
        let disk = try TestStore()
        var workload = Workload(SeededGenerator(seed: numbers.next()))
        var memory = MemoryState()
        while memory.service().position < 200 {
            let asked = workload.next(memory)
            guard case .events(let events) = asked.judged(by: memory), !events.isEmpty else {
                continue
            }
            apply(asked.entry(events, at: memory.service().position + 1), to: &memory)
            try disk.commit([asked])
        }
        return disk
    }

    private static func pages<Item>(
        _ next: ([UInt8]?) throws -> Page<Item>
    ) throws -> [Item] {
        var items: [Item] = []
        var cursor: [UInt8]?
        repeat {
            let page = try next(cursor)
            items += page.items
            cursor = page.next
        } while cursor != nil
        return items
    }

    @Test("a list at any moment is the list that there was, in pages of any size")
    func lists() throws {
        for var numbers in RandomCases(3) {
            let disk = try Self.randomLog(&numbers)
            let entries = try disk.entries()
            var settings = Settings.stepped
            settings.historyWork = numbers.pick([60, 10_000])
            let engine = try LiveEngine.engine(on: disk, settings: settings)
            for _ in 0..<12 {
                let position = Position.random(in: 1...Position(entries.count), using: &numbers)
                var then = MemoryState()
                for entry in entries.prefix(Int(position)) { apply(entry, to: &then) }
                let isByTime = numbers.chance(1, of: 3)
                let moment: AsOf =
                    isByTime
                    ? .instant(entries[Int(position) - 1].header.recordedAt) : .position(position)
                if isByTime {
                    // Others may have been recorded in the same microsecond.
                    for entry in entries.dropFirst(Int(position))
                    where entry.header.recordedAt == then.service().recordedAt {
                        apply(entry, to: &then)
                    }
                }
                for team in then.allTeams.map(\.id) {
                    var filter = ScheduleFilter()
                    filter.status = numbers.pick([nil, nil, .pending, .completed])
                    filter.workflow = numbers.pick([nil, then.allWorkflows.map(\.id).first])
                    let limit = Int.random(in: 1...7, using: &numbers)
                    let schedules = try Self.pages { cursor in
                        try engine.schedules(
                            of: team, filter, asOf: moment, after: cursor, limit: limit,
                            maximumBytes: .max)
                    }
                    #expect(
                        schedules.map(\.schedule)
                            == then.allSchedules.filter { $0.team == team && filter.matches($0) }
                            .sorted { $0.id > $1.id }, "\(position) \(numbers.hint)")
                    var runFilter = RunFilter()
                    runFilter.status = numbers.pick([nil, nil, .queued, .inProgress, .completed])
                    runFilter.workflow = filter.workflow
                    let runs = try Self.pages { cursor in
                        try engine.runs(
                            of: team, runFilter, asOf: moment, after: cursor, limit: limit,
                            maximumBytes: .max)
                    }
                    #expect(
                        runs.map(\.run)
                            == then.allRuns.filter { $0.team == team && runFilter.matches($0) }
                            .sorted { $0.id > $1.id }, "\(position) \(numbers.hint)")
                }
            }
        }
    }

    @Test("a history shows each object before and after each of its entries")
    func histories() throws {
        for var numbers in RandomCases(3) {
            let disk = try Self.randomLog(&numbers)
            let engine = try LiveEngine.engine(on: disk)
            var state = MemoryState()
            var seen: [AnyID: [(before: PastObject?, after: PastObject?)]] = [:]
            for entry in try disk.entries() {
                let touched = Set(entry.events.flatMap(\.touches).map(\.object))
                let before = state
                apply(entry, to: &state)
                for id in touched {
                    let pair = (Self.object(id, before), Self.object(id, state))
                    if pair.1 != nil { seen[id, default: []].append(pair) }
                }
            }
            for (id, pairs) in seen {
                var shown: [HistoryItem] = []
                var next: Position? = Self.position(of: id, state)
                while let position = next {
                    let page = try engine.history(of: id, from: position, limit: 3)
                    #expect(page.showsObjects)
                    shown += page.items
                    next = page.next
                }
                let found = Array(shown.reversed())
                #expect(found.map(\.before) == pairs.map(\.before), "\(id) \(numbers.hint)")
                #expect(found.map(\.after) == pairs.map(\.after), "\(id) \(numbers.hint)")
            }
        }
    }

    private static func object(_ id: AnyID, _ state: MemoryState) -> PastObject? {
        if let row = (state.allSchedules.first { AnyID($0.id) == id }) { return .schedule(row) }
        if let row = (state.allRuns.first { AnyID($0.id) == id }) { return .run(row) }
        return state.allWorkflows.first { AnyID($0.id) == id }.map { workflow in
            .workflow(
                workflow,
                state.allVersions.filter { $0.workflow == workflow.id }
                    .sorted { $0.number < $1.number })
        }
    }

    private static func position(of id: AnyID, _ state: MemoryState) -> Position? {
        switch object(id, state) {
        case nil: nil
        case .schedule(let row): row.touched.position
        case .run(let row): row.touched.position
        case .workflow(let row, _): row.touched.position
        }
    }
}
