import DaybookCore

/// The state in plain dictionaries and sorted arrays: the model that the tables are compared with.
package struct MemoryState: State {
    private var serviceState = ServiceState()
    private var teams: [TeamID: Team] = [:]
    private var keys: [KeyID: APIKey] = [:]
    private var workflows: [WorkflowID: Workflow] = [:]
    private var versions: [WorkflowID: [Int: Version]] = [:]
    private var schedules: [ScheduleID: Schedule] = [:]
    private var pending: [WorkflowID: [DeduplicationKey: ScheduleID]] = [:]
    private var runs: [RunID: Run] = [:]
    private var teamUsage: [TeamID: Usage] = [:]
    private var workflowUsage: [WorkflowID: Usage] = [:]
    private var scheduleLists = SortedSet<ScheduleIndex>()
    private var runLists = SortedSet<RunIndex>()
    private var due = SortedSet<Due>()
    private var startable = SortedSet<Startable>()
    private var ready = SortedSet<Ready>()
    private var turn = SortedSet<Turn>()
    private var answers: [Digest256: KeptAnswer] = [:]
    private var triggers: [TriggerID: Trigger] = [:]
    private var refusals: [RefusalID: Refusal] = [:]
    private var seen: [SeenMessage.Key: SeenMessage] = [:]
    private var subscriptions: [SubscriptionID: Subscription] = [:]
    private var deliveries: [DeliveryID: Delivery] = [:]
    private var deliveryLists = SortedSet<DeliveryIndex>()
    private var operations: [OperationID: BulkOperation] = [:]
    private var operationLists = SortedSet<OperationIndex>()

    package init() {}

    package func service() -> ServiceState { serviceState }
    package mutating func set(_ service: ServiceState) { serviceState = service }

    package func team(_ id: TeamID) -> Team? { teams[id] }
    package mutating func set(_ team: Team) { teams[team.id] = team }
    package func apiKey(_ id: KeyID) -> APIKey? { keys[id] }
    package mutating func set(_ key: APIKey) { keys[key.id] = key }

    package func workflow(_ id: WorkflowID, of team: TeamID) -> Workflow? {
        workflows[id].flatMap { $0.team == team ? $0 : nil }
    }
    package mutating func set(_ workflow: Workflow) { workflows[workflow.id] = workflow }
    package func version(_ number: Int, of workflow: WorkflowID, team: TeamID) -> Version? {
        versions[workflow]?[number].flatMap { $0.team == team ? $0 : nil }
    }
    package mutating func set(_ version: Version) {
        versions[version.workflow, default: [:]][version.number] = version
    }

    package mutating func removeVersion(_ number: Int, of workflow: WorkflowID, team: TeamID) {
        versions[workflow]?[number] = nil
    }

    package func schedule(_ id: ScheduleID, of team: TeamID) -> Schedule? {
        schedules[id].flatMap { $0.team == team ? $0 : nil }
    }
    package mutating func set(_ schedule: Schedule) { schedules[schedule.id] = schedule }
    package func pendingSchedule(
        _ key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) -> ScheduleID? {
        pending[workflow]?[key]
    }
    package mutating func setPendingSchedule(
        _ schedule: ScheduleID?, for key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) {
        pending[workflow, default: [:]][key] = schedule
    }

    package func run(_ id: RunID, of team: TeamID) -> Run? {
        runs[id].flatMap { $0.team == team ? $0 : nil }
    }
    package mutating func set(_ run: Run) { runs[run.id] = run }

    package func usage(of team: TeamID) -> Usage { teamUsage[team] ?? Usage() }
    package mutating func set(_ usage: Usage, of team: TeamID) { teamUsage[team] = usage }
    package func usage(of workflow: WorkflowID, team: TeamID) -> Usage {
        workflowUsage[workflow] ?? Usage()
    }
    package mutating func set(_ usage: Usage, of workflow: WorkflowID, team: TeamID) {
        workflowUsage[workflow] = usage
    }

    package mutating func insert(_ entry: IndexEntry) {
        switch entry {
        case .schedule(let row): scheduleLists.insert(row)
        case .run(let row): runLists.insert(row)
        case .due(let row): due.insert(row)
        case .startable(let row): startable.insert(row)
        case .ready(let row): ready.insert(row)
        case .turn(let row): turn.insert(row)
        case .delivery(let row): deliveryLists.insert(row)
        case .operation(let row): operationLists.insert(row)
        }
    }

    package mutating func remove(_ entry: IndexEntry) {
        switch entry {
        case .schedule(let row): scheduleLists.remove(row)
        case .run(let row): runLists.remove(row)
        case .due(let row): due.remove(row)
        case .startable(let row): startable.remove(row)
        case .ready(let row): ready.remove(row)
        case .turn(let row): turn.remove(row)
        case .delivery(let row): deliveryLists.remove(row)
        case .operation(let row): operationLists.remove(row)
        }
    }

    package func firstReady(of team: TeamID, in queue: Queue) -> Ready? {
        ready.elements.first { $0.team == team && $0.lane.queue == queue }
    }

    package func firstStartable(
        of workflow: WorkflowID, team: TeamID, in lane: Lane
    ) -> Startable? {
        let lowest = Startable(
            team: team, workflow: workflow, lane: lane, queuedPosition: 0, run: .lowest)
        guard let found = startable.first(atOrAfter: lowest), found.team == team,
            found.workflow == workflow, found.lane == lane
        else { return nil }
        return found
    }

    package func nextLane(of workflow: WorkflowID, team: TeamID, after lane: Lane?) -> Lane? {
        startable.elements.lazy
            .filter { $0.team == team && $0.workflow == workflow }
            .map(\.lane)
            .first { found in lane.map { $0 < found } ?? true }
    }

    package func keptAnswer(_ scope: Digest256) -> KeptAnswer? { answers[scope] }
    package mutating func set(_ answer: KeptAnswer, for scope: Digest256) {
        answers[scope] = answer
    }
    package mutating func removeOldestKeptAnswer(endedBy now: Instant) -> Bool {
        let oldest = answers.min { left, right in
            (left.value.endsAt, left.key) < (right.value.endsAt, right.key)
        }
        guard let oldest, oldest.value.endsAt <= now else { return false }
        answers[oldest.key] = nil
        return true
    }

    package func trigger(_ id: TriggerID, of team: TeamID) -> Trigger? {
        triggers[id].flatMap { $0.team == team ? $0 : nil }
    }
    package mutating func set(_ trigger: Trigger) { triggers[trigger.id] = trigger }
    package mutating func removeTrigger(_ id: TriggerID, of team: TeamID) { triggers[id] = nil }
    package func refusal(_ id: RefusalID, of trigger: TriggerID, team: TeamID) -> Refusal? {
        refusals[id].flatMap { $0.team == team && $0.trigger == trigger ? $0 : nil }
    }
    package mutating func set(_ refusal: Refusal) { refusals[refusal.id] = refusal }
    package func seenMessage(_ key: SeenMessage.Key) -> SeenMessage? { seen[key] }
    package mutating func set(_ message: SeenMessage, for key: SeenMessage.Key) {
        seen[key] = message
    }
    package mutating func removeOldestSeenMessage(endedBy now: Instant) -> Bool {
        let oldest = seen.min { left, right in
            (left.value.endsAt, left.key) < (right.value.endsAt, right.key)
        }
        guard let oldest, oldest.value.endsAt <= now else { return false }
        seen[oldest.key] = nil
        return true
    }

    package func subscription(_ id: SubscriptionID, of team: TeamID) -> Subscription? {
        subscriptions[id].flatMap { $0.team == team ? $0 : nil }
    }
    package mutating func set(_ subscription: Subscription) {
        subscriptions[subscription.id] = subscription
    }
    package mutating func removeSubscription(_ id: SubscriptionID, of team: TeamID) {
        subscriptions[id] = nil
    }
    package func subscriptions(of team: TeamID) -> [Subscription] {
        subscriptions.values.filter { $0.team == team }.sorted { $0.id < $1.id }
    }
    package func delivery(_ id: DeliveryID, of team: TeamID) -> Delivery? {
        deliveries[id].flatMap { $0.team == team ? $0 : nil }
    }
    package mutating func set(_ delivery: Delivery) { deliveries[delivery.id] = delivery }
    package func operation(_ id: OperationID, of team: TeamID) -> BulkOperation? {
        operations[id].flatMap { $0.team == team ? $0 : nil }
    }
    package mutating func set(_ operation: BulkOperation) { operations[operation.id] = operation }
}

// Everything that is there, for checks over the whole state.
extension MemoryState {
    package var allTeams: [Team] { Array(teams.values) }
    package var allWorkflows: [Workflow] { Array(workflows.values) }
    package var allVersions: [Version] { versions.values.flatMap(\.values) }
    package var allSchedules: [Schedule] { Array(schedules.values) }
    package var allRuns: [Run] { Array(runs.values) }
    package var allDue: [Due] { due.elements }
    package var allStartable: [Startable] { startable.elements }
    package var allReady: [Ready] { ready.elements }
    package var allTurns: [Turn] { turn.elements }
    package var allScheduleLists: [ScheduleIndex] { scheduleLists.elements }
    package var allRunLists: [RunIndex] { runLists.elements }
    package var allTriggers: [Trigger] { Array(triggers.values) }
    package var allRefusals: [Refusal] { Array(refusals.values) }
    package var allSubscriptions: [Subscription] { Array(subscriptions.values) }
    package var allDeliveries: [Delivery] { Array(deliveries.values) }
    package var allDeliveryLists: [DeliveryIndex] { deliveryLists.elements }
    package var allOperations: [BulkOperation] { Array(operations.values) }
    package var allOperationLists: [OperationIndex] { operationLists.elements }

    /// The rows that the tables of a store should hold after the same entries.
    package var dump: ProjectionDump {
        var dump = ProjectionDump()
        for row in teams.values { dump.add(.teams, Keys.id(row.id), row.rowBytes) }
        for row in keys.values { dump.add(.apiKeys, Keys.id(row.id), row.rowBytes) }
        for row in workflows.values {
            dump.add(.workflows, Keys.row(row.team, row.id), row.rowBytes)
        }
        for row in allVersions {
            dump.add(.versions, Keys.version(row.team, row.workflow, row.number), row.rowBytes)
        }
        for row in schedules.values {
            dump.add(.schedules, Keys.row(row.team, row.id), row.rowBytes)
        }
        for (workflow, keys) in pending {
            guard let team = workflows[workflow]?.team else { continue }
            for (key, schedule) in keys {
                dump.add(.pendingKeys, Keys.pending(team, workflow, key), schedule.bytes)
            }
        }
        for row in runs.values { dump.add(.runs, Keys.row(row.team, row.id), row.rowBytes) }
        for (team, usage) in teamUsage { dump.add(.usage, Keys.usage(team), usage.rowBytes) }
        for (workflow, usage) in workflowUsage {
            guard let team = workflows[workflow]?.team else { continue }
            dump.add(.usage, Keys.usage(team, workflow), usage.rowBytes)
        }
        let entries: [IndexEntry] =
            scheduleLists.elements.map { .schedule($0) } + runLists.elements.map { .run($0) }
            + due.elements.map { .due($0) } + startable.elements.map { .startable($0) }
            + ready.elements.map { .ready($0) } + turn.elements.map { .turn($0) }
            + deliveryLists.elements.map { .delivery($0) }
            + operationLists.elements.map { .operation($0) }
        for entry in entries {
            let (table, key) = Keys.entry(entry)
            dump.add(table, key, [])
        }
        for (scope, answer) in answers {
            dump.add(.keptAnswers, scope.bytes, answer.rowBytes)
            dump.add(.keptAnswerEnds, Keys.keptAnswerEnd(answer.endsAt, scope), [])
        }
        for row in triggers.values {
            dump.add(.triggers, Keys.row(row.team, row.id), row.rowBytes)
            dump.add(.triggerTeams, Keys.id(row.id), row.team.bytes)
        }
        for row in refusals.values {
            dump.add(.refusals, Keys.refusal(row.team, row.key), row.rowBytes)
        }
        for (key, message) in seen {
            dump.add(.seen, Keys.seen(key), message.rowBytes)
            dump.add(.seenEnds, Keys.seenEnd(message.endsAt, key), [])
        }
        for row in subscriptions.values {
            dump.add(.subscriptions, Keys.row(row.team, row.id), row.rowBytes)
        }
        for row in deliveries.values {
            dump.add(.deliveries, Keys.row(row.team, row.id), row.rowBytes)
        }
        for row in operations.values {
            dump.add(.operations, Keys.row(row.team, row.id), row.rowBytes)
        }
        dump.add(.meta, Keys.service, serviceState.rowBytes)
        return dump
    }
}

/// An array kept in order, each element once.
private struct SortedSet<Element: Comparable> {
    private(set) var elements: [Element] = []

    mutating func insert(_ element: Element) {
        let index = place(of: element)
        if index < elements.count, elements[index] == element { return }
        elements.insert(element, at: index)
    }

    mutating func remove(_ element: Element) {
        let index = place(of: element)
        if index < elements.count, elements[index] == element { elements.remove(at: index) }
    }

    func first(atOrAfter element: Element) -> Element? {
        let index = place(of: element)
        return index < elements.count ? elements[index] : nil
    }

    private func place(of element: Element) -> Int {
        var (low, high) = (0, elements.count)
        while low < high {
            let middle = (low + high) / 2
            if elements[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
