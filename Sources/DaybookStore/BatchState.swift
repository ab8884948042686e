import DaybookCore
import LMDB

extension Batch: State {
    package borrowing func service() -> ServiceState { serviceState }

    package mutating func set(_ service: ServiceState) {
        serviceState = service
        serviceChanged = true
    }

    package borrowing func team(_ id: TeamID) -> Team? {
        if let team = known.teams[id] { return team }
        let team: Team? = row(tables.teams, Keys.id(id))
        known.teams[id] = team
        return team
    }

    package mutating func set(_ team: Team) {
        known.teams[team.id] = team
        put(tables.teams, Keys.id(team.id), team.rowBytes)
    }

    package borrowing func apiKey(_ id: KeyID) -> APIKey? {
        if let key = known.apiKeys[id] { return key }
        let key: APIKey? = row(tables.apiKeys, Keys.id(id))
        known.apiKeys[id] = key
        return key
    }

    package mutating func set(_ key: APIKey) {
        known.apiKeys[key.id] = key
        put(tables.apiKeys, Keys.id(key.id), key.rowBytes)
    }

    package borrowing func workflow(_ id: WorkflowID, of team: TeamID) -> Workflow? {
        if let workflow = known.workflows[id], workflow.team == team { return workflow }
        let workflow: Workflow? = row(tables.workflows, Keys.row(team, id))
        if let workflow { known.workflows[id] = workflow }
        return workflow
    }

    package mutating func set(_ workflow: Workflow) {
        known.workflows[workflow.id] = workflow
        put(tables.workflows, Keys.row(workflow.team, workflow.id), workflow.rowBytes)
    }

    package borrowing func version(
        _ number: Int, of workflow: WorkflowID, team: TeamID
    ) -> Version? {
        guard Limits.versionNumbers.contains(number) else { return nil }
        let key = KnownRows.VersionOfWorkflow(workflow: workflow, number: number)
        if let version = known.versions[key], version.team == team { return version }
        let version: Version? = row(tables.versions, Keys.version(team, workflow, number))
        if let version { known.versions[key] = version }
        return version
    }

    package mutating func set(_ version: Version) {
        known.versions[.init(workflow: version.workflow, number: version.number)] = version
        put(
            tables.versions, Keys.version(version.team, version.workflow, version.number),
            version.rowBytes)
    }

    package mutating func removeVersion(_ number: Int, of workflow: WorkflowID, team: TeamID) {
        known.versions[.init(workflow: workflow, number: number)] = nil
        delete(tables.versions, Keys.version(team, workflow, number))
    }

    package borrowing func schedule(_ id: ScheduleID, of team: TeamID) -> Schedule? {
        row(tables.schedules, Keys.row(team, id))
    }

    package mutating func set(_ schedule: Schedule) {
        put(tables.schedules, Keys.row(schedule.team, schedule.id), schedule.rowBytes)
    }

    package borrowing func pendingSchedule(
        _ key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) -> ScheduleID? {
        guard firstError.error == nil else { return nil }
        do {
            let bytes = try transaction.get(
                tables.pendingKeys, Keys.pending(team, workflow, key))
            return bytes.flatMap { ScheduleID(bytes: $0) }
        } catch {
            firstError.keep(error)
            return nil
        }
    }

    package mutating func setPendingSchedule(
        _ schedule: ScheduleID?, for key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) {
        let row = Keys.pending(team, workflow, key)
        if let schedule {
            put(tables.pendingKeys, row, schedule.bytes)
        } else {
            delete(tables.pendingKeys, row)
        }
    }

    package borrowing func run(_ id: RunID, of team: TeamID) -> Run? {
        row(tables.runs, Keys.row(team, id))
    }

    package mutating func set(_ run: Run) {
        put(tables.runs, Keys.row(run.team, run.id), run.rowBytes)
    }

    package borrowing func usage(of team: TeamID) -> Usage {
        if let usage = known.teamUsage[team] { return usage }
        let usage: Usage = row(tables.usage, Keys.usage(team)) ?? Usage()
        known.teamUsage[team] = usage
        return usage
    }

    package mutating func set(_ usage: Usage, of team: TeamID) {
        known.teamUsage[team] = usage
        known.changedTeams.insert(team)
    }

    package borrowing func usage(of workflow: WorkflowID, team: TeamID) -> Usage {
        let key = KnownRows.WorkflowOfTeam(workflow: workflow, team: team)
        if let usage = known.workflowUsage[key] { return usage }
        let usage: Usage = row(tables.usage, Keys.usage(team, workflow)) ?? Usage()
        known.workflowUsage[key] = usage
        return usage
    }

    package mutating func set(_ usage: Usage, of workflow: WorkflowID, team: TeamID) {
        let key = KnownRows.WorkflowOfTeam(workflow: workflow, team: team)
        known.workflowUsage[key] = usage
        known.changedWorkflows.insert(key)
    }

    /// Writes the rows of usage that were changed since the last time.
    mutating func writeUsage() {
        for team in known.changedTeams {
            guard let usage = known.teamUsage[team] else { continue }
            put(tables.usage, Keys.usage(team), usage.rowBytes)
        }
        for key in known.changedWorkflows {
            guard let usage = known.workflowUsage[key] else { continue }
            put(tables.usage, Keys.usage(key.team, key.workflow), usage.rowBytes)
        }
        known.changedTeams = []
        known.changedWorkflows = []
    }

    package mutating func insert(_ entry: IndexEntry) {
        let (name, key) = Keys.entry(entry)
        put(tables[name], key, [])
    }

    package mutating func remove(_ entry: IndexEntry) {
        let (name, key) = Keys.entry(entry)
        delete(tables[name], key)
    }

    package borrowing func firstReady(of team: TeamID, in queue: Queue) -> Ready? {
        read(
            tables.ready, firstKey(tables.ready, prefix: Keys.ready(team, queue)), Keys.readReady)
    }

    package borrowing func firstStartable(
        of workflow: WorkflowID, team: TeamID, in lane: Lane
    ) -> Startable? {
        read(
            tables.startable,
            firstKey(tables.startable, prefix: Keys.lane(team, workflow, lane)),
            Keys.readStartable)
    }

    package borrowing func nextLane(
        of workflow: WorkflowID, team: TeamID, after lane: Lane?
    ) -> Lane? {
        let prefix = Keys.row(team, workflow)
        var start = prefix
        if let lane {
            guard let end = Keys.end(of: Keys.lane(team, workflow, lane)) else { return nil }
            start = end
        }
        return read(
            tables.startable, firstKey(tables.startable, prefix: prefix, from: start),
            Keys.readStartable)?.lane
    }

    package borrowing func keptAnswer(_ scope: Digest256) -> KeptAnswer? {
        row(tables.keptAnswers, scope.bytes)
    }

    package mutating func set(_ answer: KeptAnswer, for scope: Digest256) {
        // An ended answer under the same key may still be there, with its own end.
        if let old = keptAnswer(scope) {
            delete(tables.keptAnswerEnds, Keys.keptAnswerEnd(old.endsAt, scope))
        }
        if let end = firstAnswerEnd { firstAnswerEnd = min(end, answer.endsAt) }
        put(tables.keptAnswers, scope.bytes, answer.rowBytes)
        put(tables.keptAnswerEnds, Keys.keptAnswerEnd(answer.endsAt, scope), [])
    }

    package mutating func removeOldestKeptAnswer(endedBy now: Instant) -> Bool {
        if let end = firstAnswerEnd, now < end { return false }
        let key = firstKey(tables.keptAnswerEnds, prefix: [])
        guard let key, let row = read(tables.keptAnswerEnds, key, Keys.readKeptAnswerEnd) else {
            firstAnswerEnd = .latest
            return false
        }
        firstAnswerEnd = row.end
        guard row.end <= now else { return false }
        delete(tables.keptAnswerEnds, key)
        delete(tables.keptAnswers, row.key.bytes)
        return true
    }

    package borrowing func trigger(_ id: TriggerID, of team: TeamID) -> Trigger? {
        row(tables.triggers, Keys.row(team, id))
    }

    package mutating func set(_ trigger: Trigger) {
        put(tables.triggers, Keys.row(trigger.team, trigger.id), trigger.rowBytes)
        put(tables.triggerTeams, Keys.id(trigger.id), trigger.team.bytes)
    }

    package mutating func removeTrigger(_ id: TriggerID, of team: TeamID) {
        delete(tables.triggers, Keys.row(team, id))
        delete(tables.triggerTeams, Keys.id(id))
    }

    package borrowing func refusal(
        _ id: RefusalID, of trigger: TriggerID, team: TeamID
    ) -> Refusal? {
        row(tables.refusals, Keys.refusal(team, RefusalKey(trigger: trigger, refusal: id)))
    }

    package mutating func set(_ refusal: Refusal) {
        put(tables.refusals, Keys.refusal(refusal.team, refusal.key), refusal.rowBytes)
    }

    package borrowing func seenMessage(_ key: SeenMessage.Key) -> SeenMessage? {
        row(tables.seen, Keys.seen(key))
    }

    package mutating func set(_ message: SeenMessage, for key: SeenMessage.Key) {
        if let old = seenMessage(key) { delete(tables.seenEnds, Keys.seenEnd(old.endsAt, key)) }
        if let end = firstSeenEnd { firstSeenEnd = min(end, message.endsAt) }
        put(tables.seen, Keys.seen(key), message.rowBytes)
        put(tables.seenEnds, Keys.seenEnd(message.endsAt, key), [])
    }

    package mutating func removeOldestSeenMessage(endedBy now: Instant) -> Bool {
        if let end = firstSeenEnd, now < end { return false }
        let key = firstKey(tables.seenEnds, prefix: [])
        guard let key, let row = read(tables.seenEnds, key, Keys.readSeenEnd) else {
            firstSeenEnd = .latest
            return false
        }
        firstSeenEnd = row.end
        guard row.end <= now else { return false }
        delete(tables.seenEnds, key)
        delete(tables.seen, Keys.seen(row.key))
        return true
    }

    package borrowing func subscription(
        _ id: SubscriptionID, of team: TeamID
    ) -> Subscription? {
        row(tables.subscriptions, Keys.row(team, id))
    }

    package mutating func set(_ subscription: Subscription) {
        known.subscriptions[subscription.team] = nil
        put(
            tables.subscriptions, Keys.row(subscription.team, subscription.id),
            subscription.rowBytes)
    }

    package mutating func removeSubscription(_ id: SubscriptionID, of team: TeamID) {
        known.subscriptions[team] = nil
        delete(tables.subscriptions, Keys.row(team, id))
    }

    package borrowing func subscriptions(of team: TeamID) -> [Subscription] {
        guard firstError.error == nil else { return [] }
        if let known = known.subscriptions[team] { return known }
        var found: [Subscription] = []
        do {
            try transaction.scan(
                tables.subscriptions, from: team.bytes, to: Keys.end(of: team.bytes)
            ) { _, value in
                found.append(try Subscription(row: value))
                return true
            }
        } catch {
            firstError.keep(error is MalformedRow ? damaged(tables.subscriptions) : error)
        }
        known.subscriptions[team] = found
        return found
    }

    package borrowing func delivery(_ id: DeliveryID, of team: TeamID) -> Delivery? {
        row(tables.deliveries, Keys.row(team, id))
    }

    package mutating func set(_ delivery: Delivery) {
        put(tables.deliveries, Keys.row(delivery.team, delivery.id), delivery.rowBytes)
    }

    package borrowing func operation(_ id: OperationID, of team: TeamID) -> BulkOperation? {
        row(tables.operations, Keys.row(team, id))
    }

    package mutating func set(_ operation: BulkOperation) {
        put(tables.operations, Keys.row(operation.team, operation.id), operation.rowBytes)
    }
}
