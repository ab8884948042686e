import DaybookCore

/// A batch as state for a replay. Rows that many entries touch are read once, kept decoded, and written
/// once, in the order of their keys, by `finish`. What apply asks for in order (who starts next) goes
/// straight through.
struct Fold: ~Copyable {
    private var batch: Batch
    private let teams = KeptRows<TeamID, Team>()
    private let keys = KeptRows<KeyID, APIKey>()
    private let workflows = KeptRows<WorkflowID, Workflow>()
    private let schedules = KeptRows<ScheduleID, Schedule>()
    private let runs = KeptRows<RunID, Run>()
    private let teamUsage = KeptRows<TeamID, Usage>()
    private let workflowUsage = KeptRows<WorkflowID, OwnedUsage>()
    private var scheduleLists = Changes<ScheduleIndex>()
    private var runLists = Changes<RunIndex>()
    private var due = Changes<Due>()

    init(_ batch: consuming Batch) {
        self.batch = batch
    }

    /// Writes everything and gives the batch back.
    consuming func finish() -> Batch {
        for (_, team) in teams.changed { batch.set(team) }
        for (_, key) in keys.changed { batch.set(key) }
        for (_, workflow) in workflows.changed { batch.set(workflow) }
        for (_, schedule) in schedules.changed { batch.set(schedule) }
        for (_, run) in runs.changed { batch.set(run) }
        for (team, usage) in teamUsage.changed { batch.set(usage, of: team) }
        for (workflow, owned) in workflowUsage.changed {
            batch.set(owned.usage, of: workflow, team: owned.team)
        }
        for (row, isThere) in scheduleLists.sorted { batch.change(.schedule(row), isThere) }
        for (row, isThere) in runLists.sorted { batch.change(.run(row), isThere) }
        for (row, isThere) in due.sorted { batch.change(.due(row), isThere) }
        return batch
    }

    private struct OwnedUsage {
        let team: TeamID
        let usage: Usage
    }
}

/// Decoded rows of one table, by id. A class, because a read keeps what it has read.
private final class KeptRows<ID: Hashable & Comparable, Row> {
    private struct Slot {
        let row: Row
        let isChanged: Bool
    }

    private var slots: [ID: Slot] = [:]

    func row(_ id: ID, _ read: () -> Row?) -> Row? {
        if let slot = slots[id] { return slot.row }
        guard let row = read() else { return nil }
        slots[id] = Slot(row: row, isChanged: false)
        return row
    }

    func set(_ row: Row, _ id: ID) { slots[id] = Slot(row: row, isChanged: true) }

    /// What is to be written, in the order of ids.
    var changed: [(id: ID, row: Row)] {
        slots.filter(\.value.isChanged).map { ($0.key, $0.value.row) }.sorted { $0.0 < $1.0 }
    }
}

/// Entries of an index that came and went: what came and went again was never there.
private struct Changes<Element: Hashable & Comparable> {
    private var changes: [Element: Bool] = [:]

    mutating func insert(_ element: Element) {
        if changes[element] == false { changes[element] = nil } else { changes[element] = true }
    }

    mutating func remove(_ element: Element) {
        if changes[element] == true { changes[element] = nil } else { changes[element] = false }
    }

    var sorted: [(Element, Bool)] { changes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
}

extension Batch {
    fileprivate mutating func change(_ entry: IndexEntry, _ isThere: Bool) {
        if isThere { insert(entry) } else { remove(entry) }
    }
}

extension Fold: State {
    borrowing func service() -> ServiceState { batch.service() }
    mutating func set(_ service: ServiceState) { batch.set(service) }

    borrowing func team(_ id: TeamID) -> Team? { teams.row(id) { batch.team(id) } }
    mutating func set(_ team: Team) { teams.set(team, team.id) }

    borrowing func apiKey(_ id: KeyID) -> APIKey? { keys.row(id) { batch.apiKey(id) } }
    mutating func set(_ key: APIKey) { keys.set(key, key.id) }

    borrowing func workflow(_ id: WorkflowID, of team: TeamID) -> Workflow? {
        let workflow = workflows.row(id) { batch.workflow(id, of: team) }
        return workflow?.team == team ? workflow : nil
    }
    mutating func set(_ workflow: Workflow) { workflows.set(workflow, workflow.id) }

    borrowing func version(
        _ number: Int, of workflow: WorkflowID, team: TeamID
    ) -> Version? {
        batch.version(number, of: workflow, team: team)
    }
    mutating func set(_ version: Version) { batch.set(version) }

    borrowing func schedule(_ id: ScheduleID, of team: TeamID) -> Schedule? {
        let schedule = schedules.row(id) { batch.schedule(id, of: team) }
        return schedule?.team == team ? schedule : nil
    }
    mutating func set(_ schedule: Schedule) { schedules.set(schedule, schedule.id) }

    borrowing func pendingSchedule(
        _ key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) -> ScheduleID? {
        batch.pendingSchedule(key, of: workflow, team: team)
    }
    mutating func setPendingSchedule(
        _ schedule: ScheduleID?, for key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) {
        batch.setPendingSchedule(schedule, for: key, of: workflow, team: team)
    }

    borrowing func run(_ id: RunID, of team: TeamID) -> Run? {
        let run = runs.row(id) { batch.run(id, of: team) }
        return run?.team == team ? run : nil
    }
    mutating func set(_ run: Run) { runs.set(run, run.id) }

    borrowing func usage(of team: TeamID) -> Usage {
        teamUsage.row(team) { batch.usage(of: team) } ?? Usage()
    }
    mutating func set(_ usage: Usage, of team: TeamID) { teamUsage.set(usage, team) }

    borrowing func usage(of workflow: WorkflowID, team: TeamID) -> Usage {
        let owned = workflowUsage.row(workflow) {
            OwnedUsage(team: team, usage: batch.usage(of: workflow, team: team))
        }
        return owned?.usage ?? Usage()
    }
    mutating func set(_ usage: Usage, of workflow: WorkflowID, team: TeamID) {
        workflowUsage.set(OwnedUsage(team: team, usage: usage), workflow)
    }

    mutating func insert(_ entry: IndexEntry) {
        switch entry {
        case .schedule(let row): scheduleLists.insert(row)
        case .run(let row): runLists.insert(row)
        case .due(let row): due.insert(row)
        case .startable, .ready, .turn: batch.insert(entry)
        }
    }

    mutating func remove(_ entry: IndexEntry) {
        switch entry {
        case .schedule(let row): scheduleLists.remove(row)
        case .run(let row): runLists.remove(row)
        case .due(let row): due.remove(row)
        case .startable, .ready, .turn: batch.remove(entry)
        }
    }

    borrowing func firstReady(of team: TeamID, in queue: Queue) -> Ready? {
        batch.firstReady(of: team, in: queue)
    }

    borrowing func firstStartable(
        of workflow: WorkflowID, team: TeamID, in lane: Lane
    ) -> Startable? {
        batch.firstStartable(of: workflow, team: team, in: lane)
    }

    borrowing func nextLane(of workflow: WorkflowID, team: TeamID, after lane: Lane?) -> Lane? {
        batch.nextLane(of: workflow, team: team, after: lane)
    }

    borrowing func keptAnswer(_ scope: Digest256) -> KeptAnswer? { batch.keptAnswer(scope) }
    mutating func set(_ answer: KeptAnswer, for scope: Digest256) { batch.set(answer, for: scope) }
    mutating func removeOldestKeptAnswer(endedBy now: Instant) -> Bool {
        batch.removeOldestKeptAnswer(endedBy: now)
    }
}
