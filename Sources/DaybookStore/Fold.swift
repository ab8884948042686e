import DaybookCore
import LMDB

/// The state of a rebuild from the first entry on: in memory, and written to an empty set of tables now and
/// then, each row rarely more than once.
///
/// What is small stays in memory to the end: teams, workflows, versions, usage, and who starts next. Schedules,
/// runs, deliveries, their lists and due moments, and rows that end by time go to the tables by `takePart`, and are read back
/// where an entry touches them later. Between two calls the tables alone mean nothing.
///
/// Memory: about 2 kB for each of the 60,000 objects between two calls, as much again for those that are being
/// written, 100 bytes for each run that waits to
/// start, and 60 for each kept answer.
struct Fold {
    /// A row that is to be put, or deleted where it has no value.
    struct Change: Sendable {
        let table: TableName
        let key: [UInt8]
        let value: [UInt8]?
    }

    /// So many changes are kept before they are to be taken.
    static let limit = 500_000

    private var serviceState = ServiceState()
    private var teams: [TeamID: Team] = [:]
    private var keys: [KeyID: APIKey] = [:]
    private var workflows: [WorkflowID: Workflow] = [:]
    private var versions: [WorkflowID: [Int: Version]] = [:]
    private var pending: [WorkflowID: [DeduplicationKey: ScheduleID]] = [:]
    private var teamUsage: [TeamID: Usage] = [:]
    private var workflowUsage: [WorkflowID: Usage] = [:]
    private var waiting = WaitingRuns()

    private let schedules: KeptRows<ScheduleID, Schedule>
    private let runs: KeptRows<RunID, Run>
    private var byStatus = Changes<ScheduleIndex>()
    private var byTime = Changes<ScheduleIndex>()
    private var ofWorkflow: [ScheduleIndex] = []
    private var unfinished = Changes<RunIndex>()
    private var runsOfWorkflow: [RunIndex] = []
    private var inProgress = Changes<RunIndex>()
    private var due = Changes<Due>()
    private var answers = EndingRows<Digest256, KeptAnswer>()
    private var triggers: [TriggerID: Trigger] = [:]
    private var subscriptions: [TeamID: [Subscription]] = [:]
    private let refusals: KeptRows<RefusalKey, Refusal>
    private var seen = EndingRows<SeenMessage.Key, SeenMessage>()
    private let deliveries: KeptRows<DeliveryID, Delivery>
    private var waitingDeliveries = Changes<DeliveryIndex>()
    private var deliveriesOfSubscription: [DeliveryIndex] = []
    private var operations: [OperationID: BulkOperation] = [:]
    private var runningOperations: Set<OperationIndex> = []
    private var tree: [Change] = []

    /// - Parameter read: the row that was written earlier.
    init(
        readSchedule: @escaping (ScheduleID, TeamID) -> Schedule?,
        readRun: @escaping (RunID, TeamID) -> Run?,
        readRefusal: @escaping (RefusalKey, TeamID) -> Refusal?,
        readDelivery: @escaping (DeliveryID, TeamID) -> Delivery?
    ) {
        refusals = KeptRows(readRefusal)
        deliveries = KeptRows(readDelivery)
        schedules = KeptRows(readSchedule)
        runs = KeptRows(readRun)
    }

    var position: Position { serviceState.position }

    /// Whether the changes should be taken.
    var isLarge: Bool {
        let ofSchedules = byStatus.count + byTime.count + ofWorkflow.count
        let ofRuns = unfinished.count + runsOfWorkflow.count + inProgress.count
        let ofDeliveries = waitingDeliveries.count + deliveriesOfSubscription.count
        return ofSchedules + ofRuns + ofDeliveries + due.count + answers.count + seen.count
            > Self.limit
    }

    mutating func add(tree rows: [Change]) { tree += rows }

    /// What is to be written, and is forgotten here as far as it will hardly be touched again.
    ///
    /// - Parameter isLast: all of it; the fold is of no more use afterwards.
    mutating func takePart(isLast: Bool) -> FoldPart {
        var part = FoldPart()
        part.schedules = schedules.takeChanged { $0.status == .pending || $0.status == .inProgress }
        part.runs = runs.takeChanged { !$0.status.isFinal }
        swap(&part.byStatus, &byStatus)
        swap(&part.byTime, &byTime)
        swap(&part.ofWorkflow, &ofWorkflow)
        swap(&part.unfinished, &unfinished)
        swap(&part.runsOfWorkflow, &runsOfWorkflow)
        swap(&part.inProgress, &inProgress)
        swap(&part.due, &due)
        swap(&part.answers, &answers.changes)
        swap(&part.answerEnds, &answers.endChanges)
        part.refusals = refusals.takeChanged { _ in false }
        part.deliveries = deliveries.takeChanged(keep: \.status.isWaiting)
        swap(&part.waitingDeliveries, &waitingDeliveries)
        swap(&part.deliveriesOfSubscription, &deliveriesOfSubscription)
        swap(&part.seen, &seen.changes)
        swap(&part.seenEnds, &seen.endChanges)
        swap(&part.rest, &tree)
        if isLast { part.rest += rest() }
        return part
    }

    private func rest() -> [Change] {
        var changes: [Change] = []
        func put(_ table: TableName, _ key: [UInt8], _ value: [UInt8]) {
            changes.append(Change(table: table, key: key, value: value))
        }
        for row in teams.values { put(.teams, Keys.id(row.id), row.rowBytes) }
        for row in keys.values { put(.apiKeys, Keys.id(row.id), row.rowBytes) }
        for row in workflows.values { put(.workflows, Keys.row(row.team, row.id), row.rowBytes) }
        for row in versions.values.flatMap(\.values) {
            put(.versions, Keys.version(row.team, row.workflow, row.number), row.rowBytes)
        }
        for (workflow, keys) in pending {
            guard let team = workflows[workflow]?.team else { continue }
            for (key, schedule) in keys {
                put(.pendingKeys, Keys.pending(team, workflow, key), schedule.bytes)
            }
        }
        for row in triggers.values {
            put(.triggers, Keys.row(row.team, row.id), row.rowBytes)
            put(.triggerTeams, Keys.id(row.id), row.team.bytes)
        }
        for row in subscriptions.values.joined() {
            put(.subscriptions, Keys.row(row.team, row.id), row.rowBytes)
        }
        for row in operations.values {
            put(.operations, Keys.row(row.team, row.id), row.rowBytes)
        }
        for row in runningOperations {
            let (table, key) = Keys.entry(.operation(row))
            put(table, key, [])
        }
        for (team, usage) in teamUsage { put(.usage, Keys.usage(team), usage.rowBytes) }
        for (workflow, usage) in workflowUsage {
            guard let team = workflows[workflow]?.team else { continue }
            put(.usage, Keys.usage(team, workflow), usage.rowBytes)
        }
        waiting.forEach { entry in
            let (table, key) = Keys.entry(entry)
            put(table, key, [])
        }
        return changes
    }
}

/// What a fold gives to be written.
struct FoldPart: Sendable {
    fileprivate var schedules: [Schedule] = []
    fileprivate var runs: [Run] = []
    fileprivate var byStatus = Changes<ScheduleIndex>()
    fileprivate var byTime = Changes<ScheduleIndex>()
    fileprivate var ofWorkflow: [ScheduleIndex] = []
    fileprivate var unfinished = Changes<RunIndex>()
    fileprivate var runsOfWorkflow: [RunIndex] = []
    fileprivate var inProgress = Changes<RunIndex>()
    fileprivate var due = Changes<Due>()
    fileprivate var answers: [Digest256: KeptAnswer?] = [:]
    fileprivate var answerEnds = Changes<RowEnd<Digest256>>()
    fileprivate var refusals: [Refusal] = []
    fileprivate var deliveries: [Delivery] = []
    fileprivate var waitingDeliveries = Changes<DeliveryIndex>()
    fileprivate var deliveriesOfSubscription: [DeliveryIndex] = []
    fileprivate var seen: [SeenMessage.Key: SeenMessage?] = [:]
    fileprivate var seenEnds = Changes<RowEnd<SeenMessage.Key>>()
    fileprivate var rest: [Fold.Change] = []

    /// Visits the changes, table by table and nearly always in the order of the keys.
    consuming func forEach(_ body: (Fold.Change) throws -> Void) rethrows {
        for row in (schedules.sorted { $0.id < $1.id }) {
            try body(
                Fold.Change(
                    table: .schedules, key: Keys.row(row.team, row.id), value: row.rowBytes))
        }
        for row in (runs.sorted { $0.id < $1.id }) {
            try body(
                Fold.Change(table: .runs, key: Keys.row(row.team, row.id), value: row.rowBytes))
        }
        func entry(_ entry: IndexEntry, _ isThere: Bool) throws {
            let (table, key) = Keys.entry(entry)
            try body(Fold.Change(table: table, key: key, value: isThere ? [] : nil))
        }
        try byStatus.forEach { try entry(.schedule($0), $1) }
        try byTime.forEach { try entry(.schedule($0), $1) }
        for row in ofWorkflow.sorted() { try entry(.schedule(row), true) }
        try unfinished.forEach { try entry(.run($0), $1) }
        for row in runsOfWorkflow.sorted() { try entry(.run(row), true) }
        try inProgress.forEach { try entry(.run($0), $1) }
        try due.forEach { try entry(.due($0), $1) }
        for (scope, answer) in (answers.sorted { $0.key < $1.key }) {
            try body(
                Fold.Change(table: .keptAnswers, key: scope.bytes, value: answer?.rowBytes))
        }
        try answerEnds.forEach { end, isThere in
            try body(
                Fold.Change(
                    table: .keptAnswerEnds, key: Keys.keptAnswerEnd(end.end, end.key),
                    value: isThere ? [] : nil))
        }
        for row in (refusals.sorted { $0.key < $1.key }) {
            try body(
                Fold.Change(
                    table: .refusals, key: Keys.refusal(row.team, row.key), value: row.rowBytes))
        }
        for row in (deliveries.sorted { $0.id < $1.id }) {
            try body(
                Fold.Change(
                    table: .deliveries, key: Keys.row(row.team, row.id), value: row.rowBytes))
        }
        try waitingDeliveries.forEach { try entry(.delivery($0), $1) }
        for row in deliveriesOfSubscription.sorted() { try entry(.delivery(row), true) }
        for (key, message) in (seen.sorted { $0.key < $1.key }) {
            try body(
                Fold.Change(table: .seen, key: Keys.seen(key), value: message?.rowBytes))
        }
        try seenEnds.forEach { end, isThere in
            try body(
                Fold.Change(
                    table: .seenEnds, key: Keys.seenEnd(end.end, end.key),
                    value: isThere ? [] : nil))
        }
        for change in rest { try body(change) }
    }
}

extension Fold: State {
    func service() -> ServiceState { serviceState }
    mutating func set(_ service: ServiceState) { serviceState = service }

    func team(_ id: TeamID) -> Team? { teams[id] }
    mutating func set(_ team: Team) { teams[team.id] = team }
    func apiKey(_ id: KeyID) -> APIKey? { keys[id] }
    mutating func set(_ key: APIKey) { keys[key.id] = key }

    func workflow(_ id: WorkflowID, of team: TeamID) -> Workflow? {
        workflows[id].flatMap { $0.team == team ? $0 : nil }
    }
    mutating func set(_ workflow: Workflow) { workflows[workflow.id] = workflow }
    func version(_ number: Int, of workflow: WorkflowID, team: TeamID) -> Version? {
        versions[workflow]?[number].flatMap { $0.team == team ? $0 : nil }
    }
    mutating func set(_ version: Version) {
        versions[version.workflow, default: [:]][version.number] = version
    }

    mutating func removeVersion(_ number: Int, of workflow: WorkflowID, team: TeamID) {
        versions[workflow]?[number] = nil
    }

    func schedule(_ id: ScheduleID, of team: TeamID) -> Schedule? {
        schedules.row(id, team).flatMap { $0.team == team ? $0 : nil }
    }
    mutating func set(_ schedule: Schedule) { schedules.set(schedule, schedule.id) }
    func pendingSchedule(
        _ key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) -> ScheduleID? {
        pending[workflow]?[key]
    }
    mutating func setPendingSchedule(
        _ schedule: ScheduleID?, for key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) {
        pending[workflow, default: [:]][key] = schedule
    }

    func run(_ id: RunID, of team: TeamID) -> Run? {
        runs.row(id, team).flatMap { $0.team == team ? $0 : nil }
    }
    mutating func set(_ run: Run) { runs.set(run, run.id) }

    func usage(of team: TeamID) -> Usage { teamUsage[team] ?? Usage() }
    mutating func set(_ usage: Usage, of team: TeamID) { teamUsage[team] = usage }
    func usage(of workflow: WorkflowID, team: TeamID) -> Usage {
        workflowUsage[workflow] ?? Usage()
    }
    mutating func set(_ usage: Usage, of workflow: WorkflowID, team: TeamID) {
        workflowUsage[workflow] = usage
    }

    mutating func insert(_ entry: IndexEntry) { change(entry, isThere: true) }
    mutating func remove(_ entry: IndexEntry) { change(entry, isThere: false) }

    private mutating func change(_ entry: IndexEntry, isThere: Bool) {
        switch entry {
        case .schedule(let row):
            switch row {
            case .byStatus: byStatus.change(row, isThere: isThere)
            case .byTime: byTime.change(row, isThere: isThere)
            case .byWorkflow:
                precondition(isThere, "a schedule stays with its workflow")
                ofWorkflow.append(row)
            }
        case .run(let row):
            switch row {
            case .unfinished: unfinished.change(row, isThere: isThere)
            case .byWorkflow:
                precondition(isThere, "a run stays with its workflow")
                runsOfWorkflow.append(row)
            case .inProgress: inProgress.change(row, isThere: isThere)
            }
        case .due(let row): due.change(row, isThere: isThere)
        case .startable(let row): waiting.change(row, isThere: isThere)
        case .ready(let row): waiting.change(row, isThere: isThere)
        case .turn(let row): waiting.change(row, isThere: isThere)
        case .delivery(let row):
            switch row {
            case .waiting: waitingDeliveries.change(row, isThere: isThere)
            case .bySubscription:
                precondition(isThere, "a delivery stays with its subscription")
                deliveriesOfSubscription.append(row)
            }
        case .operation(let row):
            if isThere { runningOperations.insert(row) } else { runningOperations.remove(row) }
        }
    }

    func operation(_ id: OperationID, of team: TeamID) -> BulkOperation? {
        operations[id].flatMap { $0.team == team ? $0 : nil }
    }
    mutating func set(_ operation: BulkOperation) { operations[operation.id] = operation }

    func firstReady(of team: TeamID, in queue: Queue) -> Ready? {
        waiting.firstReady(of: team, in: queue)
    }
    func firstStartable(
        of workflow: WorkflowID, team: TeamID, in lane: Lane
    ) -> Startable? {
        waiting.firstStartable(of: workflow, in: lane)
    }
    func nextLane(of workflow: WorkflowID, team: TeamID, after lane: Lane?) -> Lane? {
        waiting.nextLane(of: workflow, after: lane)
    }

    func keptAnswer(_ scope: Digest256) -> KeptAnswer? {
        preconditionFailure("a replay asks for no kept answer")
    }
    mutating func set(_ answer: KeptAnswer, for scope: Digest256) {
        answers.set(answer, for: scope, endingAt: answer.endsAt)
    }
    mutating func removeOldestKeptAnswer(endedBy now: Instant) -> Bool {
        answers.removeOldest(endedBy: now)
    }

    func trigger(_ id: TriggerID, of team: TeamID) -> Trigger? {
        triggers[id].flatMap { $0.team == team ? $0 : nil }
    }
    mutating func set(_ trigger: Trigger) { triggers[trigger.id] = trigger }
    mutating func removeTrigger(_ id: TriggerID, of team: TeamID) { triggers[id] = nil }
    func refusal(_ id: RefusalID, of trigger: TriggerID, team: TeamID) -> Refusal? {
        refusals.row(RefusalKey(trigger: trigger, refusal: id), team)
            .flatMap { $0.team == team ? $0 : nil }
    }
    mutating func set(_ refusal: Refusal) { refusals.set(refusal, refusal.key) }
    func seenMessage(_ key: SeenMessage.Key) -> SeenMessage? {
        preconditionFailure("a replay asks for no message that was seen")
    }
    mutating func set(_ message: SeenMessage, for key: SeenMessage.Key) {
        seen.set(message, for: key, endingAt: message.endsAt)
    }
    mutating func removeOldestSeenMessage(endedBy now: Instant) -> Bool {
        seen.removeOldest(endedBy: now)
    }

    func subscription(_ id: SubscriptionID, of team: TeamID) -> Subscription? {
        subscriptions[team]?.first { $0.id == id }
    }
    mutating func set(_ subscription: Subscription) {
        var all = subscriptions[subscription.team] ?? []
        if let index = all.firstIndex(where: { $0.id == subscription.id }) {
            all[index] = subscription
        } else {
            // Ids rise: the newest comes last.
            all.append(subscription)
        }
        subscriptions[subscription.team] = all
    }
    mutating func removeSubscription(_ id: SubscriptionID, of team: TeamID) {
        subscriptions[team]?.removeAll { $0.id == id }
    }
    func subscriptions(of team: TeamID) -> [Subscription] { subscriptions[team] ?? [] }
    func delivery(_ id: DeliveryID, of team: TeamID) -> Delivery? {
        deliveries.row(id, team).flatMap { $0.team == team ? $0 : nil }
    }
    mutating func set(_ delivery: Delivery) { deliveries.set(delivery, delivery.id) }
}
