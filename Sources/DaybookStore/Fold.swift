import DaybookCore
import LMDB

/// The state of a rebuild from the first entry on: in memory, and written to an empty set of tables now and
/// then, each row rarely more than once. A row is open until it has settled, and then is hardly touched again.
///
/// What is small stays in memory to the end: teams, workflows, versions, and usage. Schedules, runs, deliveries,
/// and rows that end by time go to the tables by `takePart`, and are read back where an entry touches them later.
/// Indexes are not kept at all: what they hold of a row is derived where the row is written, and who starts next in
/// the end, by `Store.fillQueues`. Between two calls the tables alone mean nothing.
///
/// Memory: 0.5 to 1 kB for each row that is kept, three times `limit` at most, as much again for each of the two parts
/// that may be on their way to the tables, and 60 bytes for each kept answer.
struct Fold {
    /// Rows of one table that are to be put and deleted.
    struct TableEdits: Sendable {
        let table: TableName
        var rows = RowEdits()
    }

    /// So many rows that have settled are kept before they are to be taken, and twice as many others.
    private let limit: Int
    private var serviceState = ServiceState()
    private var teams: [TeamID: Team] = [:]
    private var keys: [KeyID: APIKey] = [:]
    private var workflows: [WorkflowID: Workflow] = [:]
    private var versions: [WorkflowID: [Int: Version]] = [:]
    private var pending: [WorkflowID: [DeduplicationKey: ScheduleID]] = [:]
    private var teamUsage: [TeamID: Usage] = [:]
    private var workflowUsage: [WorkflowID: Usage] = [:]

    private let schedules: KeptRows<ScheduleID, Schedule>
    private let runs: KeptRows<RunID, Run>
    private var answers = EndingRows<Digest256, KeptAnswer>()
    private var triggers: [TriggerID: Trigger] = [:]
    private var subscriptions: [TeamID: [Subscription]] = [:]
    private let refusals: KeptRows<RefusalKey, Refusal>
    private var seen = EndingRows<SeenMessage.Key, SeenMessage>()
    private let deliveries: KeptRows<DeliveryID, Delivery>
    private var operations: [OperationID: BulkOperation] = [:]
    private var runningOperations: Set<OperationIndex> = []
    private var tree = RowEdits()

    /// - Parameters:
    ///   - limit: so many rows that have settled are kept before they are to be taken, and twice as many others: to read
    ///     one back is to wait until all parts are written.
    ///   - readSchedule: the row that was written earlier; so the others.
    init(
        limit: Int,
        readSchedule: @escaping (ScheduleID, TeamID) -> Schedule?,
        readRun: @escaping (RunID, TeamID) -> Run?,
        readRefusal: @escaping (RefusalKey, TeamID) -> Refusal?,
        readDelivery: @escaping (DeliveryID, TeamID) -> Delivery?
    ) {
        self.limit = limit
        schedules = KeptRows(isOpen: { !$0.status.isFinal }, readSchedule)
        runs = KeptRows(isOpen: { !$0.status.isFinal }, readRun)
        refusals = KeptRows(isOpen: { _ in false }, readRefusal)
        deliveries = KeptRows(isOpen: \.status.isWaiting, readDelivery)
    }

    var position: Position { serviceState.position }
    var teamIDs: [TeamID] { Array(teams.keys) }
    var workflowIDs: [(team: TeamID, id: WorkflowID)] {
        workflows.values.map { ($0.team, $0.id) }
    }

    mutating func add(tree rows: [StoredTree.Row]) {
        for row in rows { tree.put(row.key, row.hash) }
    }

    /// What is to be written now, if there is enough for a part. What has settled is forgotten; what is open stays, and
    /// is rarely written before it settles. Parts become smaller towards the end, so that little is left to be written
    /// when the last entry has been applied.
    ///
    /// - Parameter left: how many entries are to come.
    mutating func takePart(left: Position) -> FoldPart? {
        let left = Int(clamping: left)
        let settled =
            schedules.settledCount + runs.settledCount + deliveries.settledCount
            + refusals.settledCount + answers.count + seen.count
        let open =
            schedules.openCount + runs.openCount + deliveries.openCount + refusals.openCount
        // There are too many, or so few entries are to come that most will stay as they are.
        let takesOpen = open > min(2 * limit, max(limit / 8, left))
        guard takesOpen || settled > min(limit, max(limit / 8, left / 2)) else { return nil }
        return take(open: takesOpen)
    }

    /// All that is left to be written. The fold is of no more use afterwards.
    mutating func takeRest() -> FoldPart {
        var part = take(open: true)
        part.rest = rest()
        return part
    }

    private mutating func take(open takesOpen: Bool) -> FoldPart {
        var part = FoldPart()
        part.schedules = schedules.takeChanged(open: takesOpen)
        part.runs = runs.takeChanged(open: takesOpen)
        part.refusals = refusals.takeChanged(open: takesOpen)
        part.deliveries = deliveries.takeChanged(open: takesOpen)
        swap(&part.answers, &answers.changes)
        swap(&part.answerEnds, &answers.endChanges)
        swap(&part.seen, &seen.changes)
        swap(&part.seenEnds, &seen.endChanges)
        swap(&part.tree, &tree)
        if schedules.count + runs.count + refusals.count + deliveries.count > 2 * limit {
            schedules.forgetUnchanged()
            runs.forgetUnchanged()
            refusals.forgetUnchanged()
            deliveries.forgetUnchanged()
        }
        return part
    }

    private func rest() -> [TableEdits] {
        var pendingKeys = TableEdits(table: .pendingKeys)
        for (workflow, keys) in pending {
            guard let team = workflows[workflow]?.team else { continue }
            for (key, schedule) in keys {
                pendingKeys.rows.put(Keys.pending(team, workflow, key), schedule.bytes)
            }
        }
        var triggerTeams = TableEdits(table: .triggerTeams)
        for row in triggers.values { triggerTeams.rows.put(Keys.id(row.id), row.team.bytes) }
        var operationLists = TableEdits(table: .operationLists)
        for row in runningOperations {
            operationLists.rows.put(Keys.entry(.operation(row)).key, [])
        }
        var usage = TableEdits(table: .usage)
        for (team, row) in teamUsage { usage.rows.put(Keys.usage(team), row.rowBytes) }
        for (workflow, row) in workflowUsage {
            guard let team = workflows[workflow]?.team else { continue }
            usage.rows.put(Keys.usage(team, workflow), row.rowBytes)
        }
        return [
            TableEdits(.teams, teams.values) { Keys.id($0.id) },
            TableEdits(.apiKeys, keys.values) { Keys.id($0.id) },
            TableEdits(.workflows, workflows.values) { Keys.row($0.team, $0.id) },
            TableEdits(.versions, versions.values.flatMap(\.values)) {
                Keys.version($0.team, $0.workflow, $0.number)
            },
            TableEdits(.triggers, triggers.values) { Keys.row($0.team, $0.id) },
            TableEdits(.subscriptions, subscriptions.values.joined()) { Keys.row($0.team, $0.id) },
            TableEdits(.operations, operations.values) { Keys.row($0.team, $0.id) },
            pendingKeys, triggerTeams, operationLists, usage,
        ]
    }
}

extension Fold.TableEdits {
    fileprivate init<R: Row>(
        _ table: TableName, _ rows: some Sequence<R>, _ key: (R) -> [UInt8]
    ) {
        self.init(table: table)
        for row in rows { self.rows.put(key(row), row.rowBytes) }
    }
}

/// A row of which entries of indexes follow.
protocol IndexedRow: Row, Sendable {
    associatedtype Kind
    var team: TeamID { get }
    var id: Identifier<Kind> { get }
    func changeIndexes(from old: Self?, _ change: (IndexEntry, _ isThere: Bool) -> Void)
}

extension Schedule: IndexedRow {}
extension Run: IndexedRow {}
extension Delivery: IndexedRow {}

/// What a fold gives to be written.
struct FoldPart: Sendable {
    fileprivate var schedules: [RowChange<Schedule>] = []
    fileprivate var runs: [RowChange<Run>] = []
    fileprivate var answers: [Digest256: KeptAnswer?] = [:]
    fileprivate var answerEnds: [RowEnd<Digest256>: Bool] = [:]
    fileprivate var refusals: [RowChange<Refusal>] = []
    fileprivate var deliveries: [RowChange<Delivery>] = []
    fileprivate var seen: [SeenMessage.Key: SeenMessage?] = [:]
    fileprivate var seenEnds: [RowEnd<SeenMessage.Key>: Bool] = [:]
    fileprivate var tree = RowEdits()
    fileprivate var rest: [Fold.TableEdits] = []

    /// What is to be written, of each list in the order of the keys.
    consuming func edits() -> [Fold.TableEdits] {
        var all =
            edits(.schedules, schedules) + ofRuns() + edits(.deliveries, deliveries) + ofOthers()
        all.removeAll { $0.rows.count == 0 }
        for index in all.indices { all[index].rows.sort() }
        return all
    }

    /// The rows of a table, and what is derived from them.
    private func edits<R: IndexedRow>(
        _ table: TableName, _ changes: [RowChange<R>],
        _ more: (R?, R, inout IndexEdits) -> Void = { _, _, _ in }
    ) -> [Fold.TableEdits] {
        var indexes = IndexEdits()
        var edits = Fold.TableEdits(table: table)
        edits.rows.reserve(changes.count, bytes: changes.count * 256)
        RowChange.forEach(changes, orderedBy: \.id) { old, row in
            edits.rows.put(row, under: row.team, row.id)
            row.changeIndexes(from: old) { indexes.add($0, isThere: $1) }
            more(old, row, &indexes)
        }
        return [edits] + indexes.edits
    }

    private func ofRuns() -> [Fold.TableEdits] {
        edits(.runs, runs) { old, run, indexes in
            IndexEntry.change(
                from: old?.waitingPlace, to: run.waitingPlace,
                { indexes.add($0, isThere: $1) }
            ) { .startable($0) }
        }
    }

    private func ofOthers() -> [Fold.TableEdits] {
        var ofAnswers = Fold.TableEdits(table: .keptAnswers)
        for (scope, answer) in answers { ofAnswers.rows.change(scope.bytes, answer?.rowBytes) }
        var ofAnswerEnds = Fold.TableEdits(table: .keptAnswerEnds)
        for (end, isThere) in answerEnds {
            ofAnswerEnds.rows.change(Keys.keptAnswerEnd(end.end, end.key), isThere ? [] : nil)
        }
        var ofRefusals = Fold.TableEdits(table: .refusals)
        RowChange.forEach(refusals, orderedBy: \.id) { _, row in
            ofRefusals.rows.put(Keys.refusal(row.team, row.key), row.rowBytes)
        }
        var ofSeen = Fold.TableEdits(table: .seen)
        for (key, message) in seen { ofSeen.rows.change(Keys.seen(key), message?.rowBytes) }
        var ofSeenEnds = Fold.TableEdits(table: .seenEnds)
        for (end, isThere) in seenEnds {
            ofSeenEnds.rows.change(Keys.seenEnd(end.end, end.key), isThere ? [] : nil)
        }
        let own = [
            ofAnswers, ofAnswerEnds, ofRefusals, ofSeen, ofSeenEnds,
            Fold.TableEdits(table: .tree, rows: tree),
        ]
        return own + rest
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

    static var keepsIndexes: Bool { false }

    mutating func insert(_ entry: IndexEntry) {
        guard case .operation(let row) = entry else { preconditionFailure("indexes are derived") }
        runningOperations.insert(row)
    }
    mutating func remove(_ entry: IndexEntry) {
        guard case .operation(let row) = entry else { preconditionFailure("indexes are derived") }
        runningOperations.remove(row)
    }

    func operation(_ id: OperationID, of team: TeamID) -> BulkOperation? {
        operations[id].flatMap { $0.team == team ? $0 : nil }
    }
    mutating func set(_ operation: BulkOperation) { operations[operation.id] = operation }

    func firstReady(of team: TeamID, in queue: Queue) -> Ready? {
        preconditionFailure("indexes are derived")
    }
    func firstStartable(
        of workflow: WorkflowID, team: TeamID, in lane: Lane
    ) -> Startable? {
        preconditionFailure("indexes are derived")
    }
    func nextLane(of workflow: WorkflowID, team: TeamID, after lane: Lane?) -> Lane? {
        preconditionFailure("indexes are derived")
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
