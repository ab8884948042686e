import DaybookCore
import LMDB

/// Operations, and what they go through.
extension View {
    package borrowing func operation(_ id: OperationID, of team: TeamID) throws -> BulkOperation? {
        try row(tables.operations, Keys.row(team, id))
    }

    /// All that are under way, of all teams.
    package borrowing func runningOperations() throws -> [BulkOperation] {
        var found: [BulkOperation] = []
        try transaction.scan(tables.operationLists, from: [1], to: [2]) { key, _ in
            guard let team = TeamID(bytes: key[1..<13]),
                let operation = try operation(try Keys.trailingID(key), of: team)
            else { throw LogError.damagedProjection(tables.operationLists.name) }
            found.append(operation)
            return true
        }
        return found
    }

    /// The team's promises that are still to fire and match, in the order of their ids: those after `cursor`
    /// and made before `end`. Looks at no more than `work`.
    ///
    /// - Returns: at most `limit` of them, and where to go on; `nil` at the end.
    package borrowing func pending(
        of team: TeamID, _ filter: PendingFilter, after cursor: AnyID?, before end: AnyID,
        limit: Int, work: Int
    ) throws -> (schedules: [Schedule], next: AnyID?) {
        let prefix = [1] + team.bytes + [Schedule.Status.pending.rawValue]
        return try walk(
            tables.scheduleLists, prefix, after: cursor, before: end, limit: limit, work: work
        ) { id in
            guard let schedule = try schedule(ScheduleID(id), of: team) else {
                throw LogError.damagedProjection(tables.scheduleLists.name)
            }
            return filter.matches(schedule) ? schedule : nil
        }
    }

    /// The team's runs of the workflow that are not finished, as `pending` has promises.
    package borrowing func unfinished(
        of team: TeamID, _ workflow: WorkflowID, after cursor: AnyID?, limit: Int, work: Int
    ) throws -> (runs: [Run], next: AnyID?) {
        try walk(
            tables.runLists, [1] + team.bytes, after: cursor, before: .highest, limit: limit,
            work: work
        ) { id in
            guard let run = try run(RunID(id), of: team) else {
                throw LogError.damagedProjection(tables.runLists.name)
            }
            return run.workflow == workflow ? run : nil
        }
    }

    /// Walks a list whose keys end with an id, in the order of these.
    private borrowing func walk<Item>(
        _ table: Table, _ prefix: [UInt8], after cursor: AnyID?, before end: AnyID, limit: Int,
        work: Int, _ item: (AnyID) throws -> Item?
    ) throws -> ([Item], next: AnyID?) {
        var items: [Item] = []
        var looked = 0
        var last: AnyID?
        var hasMore = false
        let start = cursor.map { prefix + $0.bytes + [0] } ?? prefix
        try transaction.scan(table, from: start, to: prefix + end.bytes) { key, _ in
            guard items.count < limit, looked < work else {
                hasMore = true
                return false
            }
            looked += 1
            let id: AnyID = try Keys.trailingID(key)
            last = id
            if let found = try item(id) { items.append(found) }
            return true
        }
        return (items, hasMore ? last : nil)
    }
}
