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
    private var byStatus = Changes<ScheduleIndex>()
    private var byTime = Changes<ScheduleIndex>()
    private var ofWorkflow = Changes<ScheduleIndex>()
    private var unfinished = Changes<RunIndex>()
    private var runsOfWorkflow = Changes<RunIndex>()
    private var inProgress = Changes<RunIndex>()
    private var due = Changes<Due>()

    init(_ batch: consuming Batch) {
        self.batch = batch
    }

    /// Writes everything and gives the batch back.
    consuming func finish() -> Batch {
        teams.forEachChanged { batch.set($1) }
        keys.forEachChanged { batch.set($1) }
        workflows.forEachChanged { batch.set($1) }
        schedules.forEachChanged { batch.set($1) }
        runs.forEachChanged { batch.set($1) }
        teamUsage.forEachChanged { batch.set($1, of: $0) }
        workflowUsage.forEachChanged { batch.set($1.usage, of: $0, team: $1.team) }
        byStatus.forEach { batch.change(.schedule($0), $1) }
        byTime.forEach { batch.change(.schedule($0), $1) }
        ofWorkflow.forEach { batch.change(.schedule($0), $1) }
        unfinished.forEach { batch.change(.run($0), $1) }
        runsOfWorkflow.forEach { batch.change(.run($0), $1) }
        inProgress.forEach { batch.change(.run($0), $1) }
        due.forEach { batch.change(.due($0), $1) }
        return batch
    }

    private struct OwnedUsage {
        let team: TeamID
        let usage: Usage
    }
}

/// Decoded rows of one table, by id. A class, because a read keeps what it has read; rows are large, so
/// each stands in a box of its own and is not moved about.
private final class KeptRows<ID: Hashable & Comparable, Row> {
    private final class Slot {
        let id: ID
        var row: Row
        var isChanged: Bool

        init(_ id: ID, _ row: Row, isChanged: Bool) {
            self.id = id
            self.row = row
            self.isChanged = isChanged
        }
    }

    private var slots: [ID: Slot] = [:]
    /// Those that are to be written, in the order in which they came, which is nearly that of ids.
    private var changed: [Slot] = []

    func row(_ id: ID, _ read: () -> Row?) -> Row? {
        if let slot = slots[id] { return slot.row }
        guard let row = read() else { return nil }
        slots[id] = Slot(id, row, isChanged: false)
        return row
    }

    func set(_ row: Row, _ id: ID) {
        if let slot = slots[id] {
            slot.row = row
            if !slot.isChanged { changed.append(slot) }
            slot.isChanged = true
        } else {
            let slot = Slot(id, row, isChanged: true)
            slots[id] = slot
            changed.append(slot)
        }
    }

    /// Visits what is to be written, in the order of ids.
    func forEachChanged(_ body: (ID, Row) -> Void) {
        changed.sort { $0.id < $1.id }
        for slot in changed { body(slot.id, slot.row) }
    }
}

/// Entries of an index that came and went: what came and went again was never there.
private struct Changes<Element: Hashable & Comparable> {
    private struct Change {
        let element: Element
        /// Whether it is there in the end; `nil` where nothing has changed.
        var isThere: Bool?
    }

    private var places: [Element: Int] = [:]
    /// In the order in which they came, which is nearly that of the keys.
    private var changes: [Change] = []

    mutating func insert(_ element: Element) { change(element, isThere: true) }
    mutating func remove(_ element: Element) { change(element, isThere: false) }

    private mutating func change(_ element: Element, isThere: Bool) {
        if let place = places[element] {
            changes[place].isThere = changes[place].isThere == nil ? isThere : nil
        } else {
            places[element] = changes.count
            changes.append(Change(element: element, isThere: isThere))
        }
    }

    /// Visits the changes in the order of the keys.
    func forEach(_ body: (Element, Bool) -> Void) {
        var left = changes.filter { $0.isThere != nil }
        left.sort { $0.element < $1.element }
        for change in left {
            if let isThere = change.isThere { body(change.element, isThere) }
        }
    }
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
        case .schedule(let row):
            switch row {
            case .byStatus: byStatus.insert(row)
            case .byTime: byTime.insert(row)
            case .byWorkflow: ofWorkflow.insert(row)
            }
        case .run(let row):
            switch row {
            case .unfinished: unfinished.insert(row)
            case .byWorkflow: runsOfWorkflow.insert(row)
            case .inProgress: inProgress.insert(row)
            }
        case .due(let row): due.insert(row)
        case .startable, .ready, .turn: batch.insert(entry)
        }
    }

    mutating func remove(_ entry: IndexEntry) {
        switch entry {
        case .schedule(let row):
            switch row {
            case .byStatus: byStatus.remove(row)
            case .byTime: byTime.remove(row)
            case .byWorkflow: ofWorkflow.remove(row)
            }
        case .run(let row):
            switch row {
            case .unfinished: unfinished.remove(row)
            case .byWorkflow: runsOfWorkflow.remove(row)
            case .inProgress: inProgress.remove(row)
            }
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
