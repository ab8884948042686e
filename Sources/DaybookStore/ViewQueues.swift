import DaybookCore
import LMDB

// What is due, and whose turn it is.
extension View {
    /// The moments up to and including `now`, in due order; at most `limit`.
    ///
    /// - Parameter isSkipped: leaves out a moment that must not be acted on yet.
    package borrowing func due(
        upTo now: Instant, limit: Int, except isSkipped: (Due) throws -> Bool
    ) throws -> [Due] {
        var found: [Due] = []
        try transaction.scanKeys(tables.due, from: nil, to: nil) { key in
            let due = try Keys.readDue(key)
            guard due.instant <= now, found.count < limit else { return false }
            if try !isSkipped(due) { found.append(due) }
            return true
        }
        return found
    }

    /// The first moment after `instant`.
    package borrowing func firstDue(after instant: Instant) throws -> Instant? {
        var writer = ByteWriter()
        writer.instant(Instant(microseconds: instant.microseconds + 1))
        return try transaction.first(tables.due, atOrAfter: writer.bytes)
            .map { try Keys.readDue($0.key).instant }
    }

    /// The number of moments in the due index.
    package borrowing func dueCount() throws -> Int { try transaction.count(tables.due) }

    /// The teams whose turn is next in an inner queue, in turn; at most `limit`.
    package borrowing func turns(in queue: Queue, limit: Int) throws -> [TeamID] {
        let prefix = Keys.queue(queue)
        var teams: [TeamID] = []
        try transaction.scanKeys(tables.turn, from: prefix, to: Keys.end(of: prefix)) { key in
            teams.append(try Keys.readTurn(key).team)
            return teams.count < limit
        }
        return teams
    }

    /// How many runs a claim of `maximum` could start now, at most.
    package borrowing func claimable(
        in queue: Queue, of id: TeamID, maximum: Int
    ) throws -> Int {
        guard let team = try team(id) else { return 0 }
        let usage = try usage(of: id)
        guard try hasKey(.ready, prefix: Keys.ready(id, queue)) else { return 0 }
        return max(0, min(maximum, team.maxConcurrentRuns - usage.inProgress, usage.queued))
    }

    /// The runs that are in progress, over all teams.
    package borrowing func runsInProgress() throws -> [Run] {
        var runs: [Run] = []
        for team in try teams() {
            for id in try slotHolders(of: team.id, limit: .max) {
                if let run = try run(id, of: team.id) { runs.append(run) }
            }
        }
        return runs
    }

    /// The runs that hold slots of the team, or of one of its workflows; at most `limit`.
    package borrowing func slotHolders(
        of team: TeamID, workflow: WorkflowID? = nil, limit: Int
    ) throws -> [RunID] {
        let prefix = [3] + team.bytes + (workflow?.bytes ?? [])
        var runs: [RunID] = []
        try transaction.scanKeys(tables.runLists, from: prefix, to: Keys.end(of: prefix)) { key in
            guard runs.count < limit else { return false }
            runs.append(try Keys.trailingID(key))
            return true
        }
        return runs
    }
}

// Where a run stands in its queue.
extension View {
    /// How many startable runs of its workflow come before this one in its queue; at most `limit`.
    package borrowing func runsBefore(_ run: Run, limit: Int) throws -> Int {
        let (_, end) = Keys.entry(.startable(run.startable))
        return try count(
            .startable, from: Keys.queue(run.workflow, of: run.team, run.queue), to: end, limit)
    }

    /// How many turns of workflows of its team come before the run's own in its queue; at most `limit`.
    package borrowing func turnsBefore(_ run: Run, limit: Int) throws -> Int {
        let usage = try usage(of: run.workflow, team: run.team)
        let own = Ready(
            team: run.team, lane: run.lane, lastStart: usage.lastStart(in: run.queue),
            workflow: run.workflow)
        let (_, end) = Keys.entry(.ready(own))
        return try count(.ready, from: Keys.ready(run.team, run.queue), to: end, limit)
    }

    /// How many teams come before the run's own in an inner queue; at most `limit`.
    package borrowing func teamsBefore(_ run: Run, limit: Int) throws -> Int {
        let own = Turn(
            queue: run.queue, lastStart: try usage(of: run.team).lastStart(in: run.queue),
            team: run.team)
        let (_, end) = Keys.entry(.turn(own))
        return try count(.turn, from: Keys.queue(run.queue), to: end, limit)
    }

    private borrowing func count(
        _ name: TableName, from: [UInt8], to: [UInt8]?, _ limit: Int
    ) throws -> Int {
        var count = 0
        try transaction.scanKeys(tables[name], from: from, to: to) { _ in
            count += 1
            return count < limit
        }
        return count
    }
}

// For a recount.
extension View {
    /// Visits the rows behind `key`; `body` returns false to stop.
    borrowing func scan(
        _ name: TableName, after key: [UInt8]?, _ body: ([UInt8], [UInt8]) throws -> Bool
    ) throws {
        try transaction.scan(tables[name], from: key.map { $0 + [0] }, to: nil, body)
    }

    borrowing func has(_ entry: IndexEntry) throws -> Bool {
        let (name, key) = Keys.entry(entry)
        return try transaction.contains(tables[name], key)
    }

    borrowing func hasKey(_ name: TableName, prefix: [UInt8]) throws -> Bool {
        try transaction.first(tables[name], atOrAfter: prefix)?.key.starts(with: prefix) ?? false
    }

    borrowing func count(_ name: TableName, prefix: [UInt8]) throws -> Int {
        try count(name, from: prefix, to: Keys.end(of: prefix), .max)
    }
}
