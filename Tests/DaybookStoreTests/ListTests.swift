import DaybookCore
import DaybookStore
import Support
import Testing

/// Two teams with schedules and runs in every state, on disk and in memory.
private struct Library {
    let disk: TestStore
    private(set) var memory = MemoryState()
    private var number: UInt32 = 0
    var now = Instant.dayOne
    let teams: [TeamID]
    private(set) var workflows: [TeamID: [WorkflowID]] = [:]

    init(_ numbers: inout SeededGenerator) throws {
        disk = try TestStore()
        teams = [.number(2), .number(3)]
        try take([(.initialise(logID: []), nil)])
        for _ in teams { try take([(.createTeam(name: "t", maxConcurrentRuns: 50), nil)]) }
        for team in teams {
            for _ in 0..<2 {
                workflows[team, default: []].append(.number(number + 1))
                try take([
                    (
                        .createWorkflow(
                            NewWorkflow(name: "w", definition: .echo, secret: .number(1))), team
                    )
                ])
            }
        }
        for _ in 0..<30 { try add(&numbers) }
        now = .second(10)
        var commands: [(Command, TeamID?)] = []
        for row in memory.allSchedules.sorted(by: { $0.id < $1.id }) {
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0: commands.append((.cancelSchedule(row.id), row.team))
            case 1, 2: commands.append((.fire(row.id, revision: row.revision), row.team))
            default: break
            }
        }
        try take(commands)
        commands = (0..<60).map { _ in
            (.claim(.echo, worker: nil, leaseSeconds: nil), numbers.pick(teams))
        }
        try take(commands)
        commands = []
        for row in memory.allRuns.sorted(by: { $0.id < $1.id }) {
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0: commands.append((.cancelRun(row.id), row.team))
            case 1 where row.status == .inProgress:
                commands.append((.complete(row.id, attempt: row.attempt, output: nil), row.team))
            case 2 where row.status == .inProgress:
                commands.append(
                    (.fail(row.id, attempt: row.attempt, Failure(reason: .error)), row.team))
            default: break
            }
        }
        try take(commands)
    }

    /// One more schedule and one more run.
    mutating func add(_ numbers: inout SeededGenerator) throws {
        let team = numbers.pick(teams)
        let workflow = numbers.pick(workflows[team] ?? [])
        let second = numbers.pick([5, 5, 6, 7, 10])
        let key = numbers.chance(1, of: 3) ? DeduplicationKey("k\(number)") : nil
        try take([
            (
                .createSchedule(
                    workflow,
                    NewSchedule(scheduledTime: now.adding(seconds: second), deduplicationKey: key)),
                team
            ), (.execute(workflow, NewRun()), team),
        ])
        now = now.adding(microseconds: numbers.pick([0, 100_000]))
    }

    mutating func take(_ commands: [(Command, TeamID?)]) throws {
        let asked = commands.map { command, team in
            number += 1
            return Asked(
                command, team: team, at: now, newID: .number(number),
                commandID: .number(UInt64(number)))
        }
        for (asked, judged) in zip(asked, try disk.commit(asked)) {
            guard case .events(let events) = judged, !events.isEmpty else { continue }
            apply(asked.entry(events, at: memory.service().position + 1), to: &memory)
        }
    }

    func schedules(of team: TeamID, _ filter: ScheduleFilter) -> [Schedule] {
        memory.allSchedules.filter { row in
            row.team == team && (filter.status == nil || row.status == filter.status)
                && (filter.workflow == nil || row.workflow == filter.workflow)
                && (filter.deduplicationKey == nil
                    || row.deduplicationKey == filter.deduplicationKey)
                && (filter.from == nil || row.scheduledTime >= filter.from ?? .epoch)
                && (filter.to == nil || row.scheduledTime < filter.to ?? .epoch)
        }
        .sorted { left, right in
            switch filter.order {
            case .created: left.id > right.id
            case .scheduledTime:
                (left.scheduledTime, left.id) < (right.scheduledTime, right.id)
            }
        }
    }

    func runs(of team: TeamID, _ filter: RunFilter) -> [Run] {
        memory.allRuns.filter { row in
            row.team == team && (filter.status == nil || row.status == filter.status)
                && (filter.mode == nil || row.mode == filter.mode)
                && (filter.workflow == nil || row.workflow == filter.workflow)
                && (filter.schedule == nil || row.schedule == filter.schedule)
                && (filter.trigger == nil || row.trigger == filter.trigger)
                && (filter.from == nil || row.queuedAt >= filter.from ?? .epoch)
                && (filter.to == nil || row.queuedAt < filter.to ?? .epoch)
        }
        .sorted { $0.id > $1.id }
    }

    func page(
        _ team: TeamID, _ filter: ScheduleFilter, _ cursor: [UInt8]?, limit: Int = .max,
        work: Int = .max
    ) throws -> Page<Schedule> {
        try disk.store.read {
            try $0.schedules(of: team, filter, after: cursor, limit: limit, work: work)
        }
    }

    func page(
        _ team: TeamID, _ filter: RunFilter, _ cursor: [UInt8]?, limit: Int = .max,
        work: Int = .max
    ) throws -> Page<Run> {
        try disk.store.read {
            try $0.runs(of: team, filter, after: cursor, limit: limit, work: work)
        }
    }
}

/// All items, page by page, and whether every page kept to its limit.
private func all<Item>(
    limit: Int, _ page: (_ cursor: [UInt8]?) throws -> Page<Item>
) throws -> [Item] {
    var items: [Item] = []
    var cursor: [UInt8]?
    repeat {
        let page = try page(cursor)
        try #require(page.items.count <= limit)
        items += page.items
        try #require(page.next == nil || page.next != cursor)
        cursor = page.next
    } while cursor != nil
    return items
}

@Suite("Lists")
struct ListTests {
    private func scheduleFilters(
        _ library: Library, _ numbers: inout SeededGenerator
    ) -> [ScheduleFilter] {
        var filters: [ScheduleFilter] = []
        let workflows = library.workflows.values.flatMap { $0 }
        for order in [ScheduleFilter.Order.created, .scheduledTime] {
            for status in [nil] + Schedule.Status.allCases.map({ Optional($0) }) {
                for workflow in [nil] + workflows.map({ Optional($0) }) {
                    var filter = ScheduleFilter()
                    filter.order = order
                    filter.status = status
                    filter.workflow = workflow
                    if numbers.chance(1, of: 4) { filter.from = .second(6) }
                    if numbers.chance(1, of: 4) { filter.to = .second(7) }
                    if numbers.chance(1, of: 10) {
                        let rows = library.memory.allSchedules.sorted { $0.id < $1.id }
                        filter.deduplicationKey = numbers.pick(rows).deduplicationKey
                    }
                    filters.append(filter)
                }
            }
        }
        return filters
    }

    @Test func `every filter of schedules gives its rows in order, in pages of any size`() throws {
        for var numbers in RandomCases(2) {
            let library = try Library(&numbers)
            let seen = Set(library.memory.allSchedules.map(\.status))
            #expect(seen.count >= Schedule.Status.allCases.count - 1)
            for filter in scheduleFilters(library, &numbers) {
                for team in library.teams + [.number(99)] {
                    let limit = Int.random(in: 1...7, using: &numbers)
                    let work = numbers.pick([1, 2, 5, .max])
                    let found = try all(limit: limit) { cursor in
                        try library.page(team, filter, cursor, limit: limit, work: work)
                    }
                    let expected = library.schedules(of: team, filter)
                    try #require(found == expected, "\(filter) \(numbers.hint)")
                }
            }
        }
    }

    @Test func `every filter of runs gives its rows in order, in pages of any size`() throws {
        for var numbers in RandomCases(2) {
            let library = try Library(&numbers)
            let workflows = library.workflows.values.flatMap { $0 }
            let schedules = library.memory.allRuns.compactMap(\.schedule).sorted()
            for status in [nil] + Run.Status.allCases.map({ Optional($0) }) {
                for mode in [nil] + Run.Mode.allCases.map({ Optional($0) }) {
                    for workflow in [nil] + workflows.map({ Optional($0) }) {
                        var filter = RunFilter()
                        filter.status = status
                        filter.mode = mode
                        filter.workflow = workflow
                        if numbers.chance(1, of: 5) { filter.schedule = numbers.pick(schedules) }
                        if numbers.chance(1, of: 20) { filter.trigger = .number(1) }
                        if numbers.chance(1, of: 5) { filter.from = .second(1) }
                        if numbers.chance(1, of: 5) { filter.to = .second(2) }
                        let team = numbers.pick(library.teams)
                        let limit = Int.random(in: 1...7, using: &numbers)
                        let work = numbers.pick([1, 3, .max])
                        let found = try all(limit: limit) { cursor in
                            try library.page(team, filter, cursor, limit: limit, work: work)
                        }
                        let expected = library.runs(of: team, filter)
                        try #require(found == expected, "\(filter) \(numbers.hint)")
                    }
                }
            }
        }
    }

    @Test func `a cursor stays good while rows come and go`() throws {
        for var numbers in RandomCases(3) {
            for order in [ScheduleFilter.Order.created, .scheduledTime] {
                var library = try Library(&numbers)
                let team = library.teams[0]
                var filter = ScheduleFilter()
                filter.order = order
                let before = library.schedules(of: team, filter).map(\.id)
                var found: [ScheduleID] = []
                var cursor: [UInt8]?
                repeat {
                    let page = try library.page(team, filter, cursor, limit: 3)
                    found += page.items.map(\.id)
                    cursor = page.next
                    try library.add(&numbers)
                    if numbers.chance(1, of: 3) { try library.disk.reopen() }
                } while cursor != nil && found.count < 500
                // All that was there came once, in order; of what came meanwhile, none twice.
                #expect(Set(found).count == found.count, "\(numbers.hint)")
                #expect(found.filter { before.contains($0) } == before, "\(numbers.hint)")
            }
        }
    }

    @Test func `the cursor behind an item is the one that its page ends with`() throws {
        for var numbers in RandomCases(1) {
            let library = try Library(&numbers)
            let team = library.teams[0]
            for order in [ScheduleFilter.Order.created, .scheduledTime] {
                var filter = ScheduleFilter()
                filter.order = order
                let page = try library.page(team, filter, nil, limit: 2)
                let last = try #require(page.items.last)
                #expect(page.next == View.cursor(of: last, in: filter))
            }
            let page = try library.page(team, RunFilter(), nil, limit: 2)
            let last = try #require(page.items.last)
            #expect(page.next == View.cursor(of: last))
        }
    }

    @Test func `no cursor leads out of its team, nor out of its filter`() throws {
        for var numbers in RandomCases(1) {
            let library = try Library(&numbers)
            let filters = scheduleFilters(library, &numbers)
            var cursors: [[UInt8]] = [
                [], [0], [255], [UInt8](repeating: 255, count: 40), TeamID.highest.bytes,
                TeamID.lowest.bytes + RunID.lowest.bytes,
            ]
            for row in library.memory.allSchedules {
                cursors += [row.id.bytes, row.team.bytes + row.id.bytes]
            }
            for _ in 0..<100 {
                cursors.append(numbers.bytes(Int.random(in: 1...40, using: &numbers)))
            }
            for cursor in cursors {
                let team = numbers.pick(library.teams)
                let filter = numbers.pick(filters)
                let allowed = library.schedules(of: team, filter)
                let page = try library.page(team, filter, cursor)
                #expect(page.items.allSatisfy { allowed.contains($0) }, "\(numbers.hint)")
                let runs = try library.page(team, RunFilter(), cursor)
                #expect(runs.items.allSatisfy { $0.team == team }, "\(numbers.hint)")
                let workflows = try library.disk.store.read {
                    try $0.workflows(of: team, after: cursor, limit: 10)
                }
                #expect(workflows.items.allSatisfy { $0.team == team }, "\(numbers.hint)")
            }
        }
    }

    @Test func `workflows and versions come newest first, page by page`() throws {
        for var numbers in RandomCases(1) {
            var library = try Library(&numbers)
            let team = library.teams[0]
            let workflow = try #require(library.workflows[team]?.first)
            for _ in 0..<300 {
                try library.take([(.saveVersion(workflow, NewVersion()), team)])
            }
            let versions = try all(limit: 7) { cursor in
                try library.disk.store.read {
                    try $0.versions(of: workflow, team: team, after: cursor, limit: 7)
                }
            }
            #expect(versions.map(\.number) == (0...300).reversed())
            let workflows = try all(limit: 1) { cursor in
                try library.disk.store.read {
                    try $0.workflows(of: team, after: cursor, limit: 1)
                }
            }
            #expect(workflows.map(\.id) == library.workflows[team]?.reversed())
        }
    }
}
