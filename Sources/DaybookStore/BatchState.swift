import DaybookCore
import LMDB

extension Batch: State {
    package borrowing func service() -> ServiceState { serviceState }

    package mutating func set(_ service: ServiceState) {
        serviceState = service
        serviceChanged = true
    }

    package borrowing func team(_ id: TeamID) -> Team? { row(tables.teams, Keys.id(id)) }

    package mutating func set(_ team: Team) {
        put(tables.teams, Keys.id(team.id), team.rowBytes)
    }

    package borrowing func apiKey(_ id: KeyID) -> APIKey? { row(tables.apiKeys, Keys.id(id)) }

    package mutating func set(_ key: APIKey) {
        put(tables.apiKeys, Keys.id(key.id), key.rowBytes)
    }

    package borrowing func workflow(_ id: WorkflowID, of team: TeamID) -> Workflow? {
        row(tables.workflows, Keys.row(team, id))
    }

    package mutating func set(_ workflow: Workflow) {
        put(tables.workflows, Keys.row(workflow.team, workflow.id), workflow.rowBytes)
    }

    package borrowing func version(
        _ number: Int, of workflow: WorkflowID, team: TeamID
    ) -> Version? {
        guard Limits.versionNumbers.contains(number) else { return nil }
        return row(tables.versions, Keys.version(team, workflow, number))
    }

    package mutating func set(_ version: Version) {
        put(
            tables.versions, Keys.version(version.team, version.workflow, version.number),
            version.rowBytes)
    }

    package mutating func removeVersion(_ number: Int, of workflow: WorkflowID, team: TeamID) {
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
        row(tables.usage, Keys.usage(team)) ?? Usage()
    }

    package mutating func set(_ usage: Usage, of team: TeamID) {
        put(tables.usage, Keys.usage(team), usage.rowBytes)
    }

    package borrowing func usage(of workflow: WorkflowID, team: TeamID) -> Usage {
        row(tables.usage, Keys.usage(team, workflow)) ?? Usage()
    }

    package mutating func set(_ usage: Usage, of workflow: WorkflowID, team: TeamID) {
        put(tables.usage, Keys.usage(team, workflow), usage.rowBytes)
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
        knownSubscriptions.byTeam[subscription.team] = nil
        put(
            tables.subscriptions, Keys.row(subscription.team, subscription.id),
            subscription.rowBytes)
    }

    package mutating func removeSubscription(_ id: SubscriptionID, of team: TeamID) {
        knownSubscriptions.byTeam[team] = nil
        delete(tables.subscriptions, Keys.row(team, id))
    }

    package borrowing func subscriptions(of team: TeamID) -> [Subscription] {
        guard firstError.error == nil else { return [] }
        if let known = knownSubscriptions.byTeam[team] { return known }
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
        knownSubscriptions.byTeam[team] = found
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
