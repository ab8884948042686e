import DaybookCore
import LMDB

// Lists.
extension View {
    /// A page of the team's schedules. Looks at no more than `work` rows, so a page can hold fewer
    /// than `limit` and still have a next one.
    package borrowing func schedules(
        of team: TeamID, _ filter: ScheduleFilter, after cursor: [UInt8]?, limit: Int, work: Int
    ) throws -> Page<Schedule> {
        let range: ListRange
        if filter.order == .scheduledTime {
            range = ListRange(
                prefix: [2] + team.bytes, descending: false,
                from: filter.from.map { Self.bytes(of: $0) },
                to: filter.to.map { Self.bytes(of: $0) })
        } else if let workflow = filter.workflow {
            range = ListRange(prefix: [3] + team.bytes + workflow.bytes, descending: true)
        } else if let status = filter.status {
            range = ListRange(prefix: [1] + team.bytes + [status.rawValue], descending: true)
        } else {
            return try page(
                tables.schedules, ListRange(prefix: team.bytes, descending: true), cursor, limit,
                work
            ) { _, value in
                let schedule = try Schedule(row: value)
                return filter.matches(schedule) ? schedule : nil
            }
        }
        return try page(tables.scheduleLists, range, cursor, limit, work) { key, _ in
            guard let schedule = try schedule(try Keys.trailingID(key), of: team) else {
                throw LogError.damagedProjection(tables.scheduleLists.name)
            }
            return filter.matches(schedule) ? schedule : nil
        }
    }

    /// A page of the team's runs, newest first; `work` as with schedules.
    package borrowing func runs(
        of team: TeamID, _ filter: RunFilter, after cursor: [UInt8]?, limit: Int, work: Int
    ) throws -> Page<Run> {
        let range: ListRange
        if let status = filter.status, !status.isFinal {
            range = ListRange(prefix: [1] + team.bytes, descending: true)
        } else if let workflow = filter.workflow {
            range = ListRange(prefix: [2] + team.bytes + workflow.bytes, descending: true)
        } else {
            return try page(
                tables.runs, ListRange(prefix: team.bytes, descending: true), cursor, limit, work
            ) { _, value in
                let run = try Run(row: value)
                return filter.matches(run) ? run : nil
            }
        }
        return try page(tables.runLists, range, cursor, limit, work) { key, _ in
            guard let run = try run(try Keys.trailingID(key), of: team) else {
                throw LogError.damagedProjection(tables.runLists.name)
            }
            return filter.matches(run) ? run : nil
        }
    }

    /// A page of all teams, newest first.
    package borrowing func teams(after cursor: [UInt8]?, limit: Int) throws -> Page<Team> {
        try page(
            tables.teams, ListRange(prefix: [], descending: true), cursor, limit, .max
        ) { _, value in try Team(row: value) }
    }

    /// A page of the keys of all teams, or of one, newest first; `work` as with schedules.
    package borrowing func apiKeys(
        of team: TeamID?, after cursor: [UInt8]?, limit: Int, work: Int
    ) throws -> Page<APIKey> {
        try page(
            tables.apiKeys, ListRange(prefix: [], descending: true), cursor, limit, work
        ) { _, value in
            let key = try APIKey(row: value)
            return team == nil || key.team == team ? key : nil
        }
    }

    /// A page of the team's workflows, newest first.
    package borrowing func workflows(
        of team: TeamID, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<Workflow> {
        try page(
            tables.workflows, ListRange(prefix: team.bytes, descending: true), cursor, limit, .max
        ) { _, value in
            let workflow = try Workflow(row: value)
            return workflow.deletedAt == nil ? workflow : nil
        }
    }

    /// A page of a workflow's versions, newest first.
    package borrowing func versions(
        of workflow: WorkflowID, team: TeamID, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<Version> {
        try page(
            tables.versions, ListRange(prefix: team.bytes + workflow.bytes, descending: true),
            cursor, limit, .max
        ) { _, value in try Version(row: value) }
    }

    /// Walks a range of keys with a common prefix. A cursor is what follows the prefix in the key
    /// of the last row that was looked at, so it can name no row outside the range.
    borrowing func page<Item: Sendable>(
        _ table: Table, _ range: ListRange, _ cursor: [UInt8]?, _ limit: Int, _ work: Int,
        _ item: (_ key: [UInt8], _ value: [UInt8]) throws -> Item?
    ) throws -> Page<Item> {
        let prefix = range.prefix
        var from = prefix + (range.from ?? [])
        var to = range.to.map { prefix + $0 } ?? Keys.end(of: prefix)
        if let cursor {
            // Ascending: from just behind the cursor's key. Descending: up to, not with, it.
            if range.descending { to = prefix + cursor } else { from = prefix + cursor + [0] }
        }
        var items: [Item] = []
        var lastKey: [UInt8]?
        var looked = 0
        var hasMore = false
        try transaction.scan(table, from: from, to: to, descending: range.descending) {
            key, value in
            guard items.count < limit, looked < work else {
                hasMore = true
                return false
            }
            looked += 1
            lastKey = key
            if let found = try item(key, value) { items.append(found) }
            return true
        }
        return Page(
            items: items, next: hasMore ? lastKey.map { Array($0.dropFirst(prefix.count)) } : nil)
    }

    /// The cursor behind this schedule in the list that the filter asks for.
    package static func cursor(of schedule: Schedule, in filter: ScheduleFilter) -> [UInt8] {
        switch filter.order {
        case .created: schedule.id.bytes
        case .scheduledTime: bytes(of: schedule.scheduledTime) + schedule.id.bytes
        }
    }

    /// The cursor behind this run in any list of runs.
    package static func cursor(of run: Run) -> [UInt8] { run.id.bytes }

    /// The cursor behind this version in the list of its workflow's.
    package static func cursor(of version: Version) -> [UInt8] {
        var writer = ByteWriter()
        writer.int(version.number)
        return writer.bytes
    }

    private static func bytes(of instant: Instant) -> [UInt8] {
        var writer = ByteWriter()
        writer.instant(instant)
        return writer.bytes
    }
}

struct ListRange {
    let prefix: [UInt8]
    let descending: Bool
    var from: [UInt8]?
    var to: [UInt8]?
}
