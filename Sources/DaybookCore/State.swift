/// The projections as `decide` and `apply` see them: small typed reads and writes.
///
/// Reads see earlier writes of the same batch. None of them throws: an implementation over a disk
/// keeps its first error, finds and writes nothing from then on, and its owner throws the batch away.
package protocol State: ~Copyable {
    borrowing func service() -> ServiceState
    mutating func set(_ service: ServiceState)

    borrowing func team(_ id: TeamID) -> Team?
    mutating func set(_ team: Team)
    borrowing func apiKey(_ id: KeyID) -> APIKey?
    mutating func set(_ key: APIKey)

    borrowing func workflow(_ id: WorkflowID, of team: TeamID) -> Workflow?
    mutating func set(_ workflow: Workflow)
    borrowing func version(_ number: Int, of workflow: WorkflowID, team: TeamID) -> Version?
    mutating func set(_ version: Version)
    mutating func removeVersion(_ number: Int, of workflow: WorkflowID, team: TeamID)

    borrowing func schedule(_ id: ScheduleID, of team: TeamID) -> Schedule?
    mutating func set(_ schedule: Schedule)
    /// The pending schedule of the workflow that has this key.
    borrowing func pendingSchedule(
        _ key: DeduplicationKey, of workflow: WorkflowID, team: TeamID
    ) -> ScheduleID?
    mutating func setPendingSchedule(
        _ schedule: ScheduleID?, for key: DeduplicationKey, of workflow: WorkflowID, team: TeamID)

    borrowing func run(_ id: RunID, of team: TeamID) -> Run?
    mutating func set(_ run: Run)

    borrowing func usage(of team: TeamID) -> Usage
    mutating func set(_ usage: Usage, of team: TeamID)
    borrowing func usage(of workflow: WorkflowID, team: TeamID) -> Usage
    mutating func set(_ usage: Usage, of workflow: WorkflowID, team: TeamID)

    /// Whether the indexes of schedules, runs and deliveries, and those of who starts next, move with each change. A
    /// state that says no derives them from the rows in the end, and is never asked for them; `true` without a word.
    static var keepsIndexes: Bool { get }
    mutating func insert(_ entry: IndexEntry)
    mutating func remove(_ entry: IndexEntry)
    /// The first ready workflow of the team in the queue: highest priority, then longest waiting.
    borrowing func firstReady(of team: TeamID, in queue: Queue) -> Ready?
    /// The run of the workflow that was queued first in the lane.
    borrowing func firstStartable(
        of workflow: WorkflowID, team: TeamID, in lane: Lane
    ) -> Startable?
    /// The first lane after `lane` (`nil`: the first of all) in which the workflow has a startable run.
    borrowing func nextLane(of workflow: WorkflowID, team: TeamID, after lane: Lane?) -> Lane?

    borrowing func keptAnswer(_ scope: Digest256) -> KeptAnswer?
    mutating func set(_ answer: KeptAnswer, for scope: Digest256)
    /// Removes the kept answer that ends first, if it ends at or before `now`; tells whether it did.
    mutating func removeOldestKeptAnswer(endedBy now: Instant) -> Bool

    borrowing func trigger(_ id: TriggerID, of team: TeamID) -> Trigger?
    mutating func set(_ trigger: Trigger)
    mutating func removeTrigger(_ id: TriggerID, of team: TeamID)
    borrowing func refusal(_ id: RefusalID, of trigger: TriggerID, team: TeamID) -> Refusal?
    mutating func set(_ refusal: Refusal)
    borrowing func seenMessage(_ key: SeenMessage.Key) -> SeenMessage?
    mutating func set(_ message: SeenMessage, for key: SeenMessage.Key)
    /// Removes the message that counts as seen for the shortest time, if that has ended; tells whether it did.
    mutating func removeOldestSeenMessage(endedBy now: Instant) -> Bool

    borrowing func subscription(_ id: SubscriptionID, of team: TeamID) -> Subscription?
    mutating func set(_ subscription: Subscription)
    mutating func removeSubscription(_ id: SubscriptionID, of team: TeamID)
    /// All of the team's, in the order of their ids.
    borrowing func subscriptions(of team: TeamID) -> [Subscription]
    borrowing func delivery(_ id: DeliveryID, of team: TeamID) -> Delivery?
    mutating func set(_ delivery: Delivery)

    borrowing func operation(_ id: OperationID, of team: TeamID) -> BulkOperation?
    mutating func set(_ operation: BulkOperation)
}

extension State where Self: ~Copyable {
    package static var keepsIndexes: Bool { true }

    /// Writes a schedule and keeps its lists and its due moment in step.
    mutating func write(_ new: Schedule, over old: Schedule?) {
        set(new)
        if Self.keepsIndexes {
            new.changeIndexes(from: old) { entry, isThere in change(entry, isThere: isThere) }
        }
        countPromise(new, over: old)
        if let key = new.deduplicationKey, (old?.status == .pending) != (new.status == .pending) {
            setPendingSchedule(
                new.status == .pending ? new.id : nil, for: key, of: new.workflow, team: new.team)
        }
    }

    private mutating func change(_ entry: IndexEntry, isThere: Bool) {
        if isThere { insert(entry) } else { remove(entry) }
    }

    /// Keeps count of what a workflow still has to fire, and of which versions that needs.
    private mutating func countPromise(_ new: Schedule, over old: Schedule?) {
        let (before, after) = (old?.status == .pending, new.status == .pending)
        guard before != after || after && old?.version != new.version else { return }
        var usage = usage(of: new.workflow, team: new.team)
        if before, let old { usage.countPending(pinnedTo: old.version, by: -1) }
        if after { usage.countPending(pinnedTo: new.version, by: 1) }
        set(usage, of: new.workflow, team: new.team)
    }

    private mutating func countUnfinished(_ run: Run, by count: Int) {
        var usage = usage(of: run.workflow, team: run.team)
        usage.countUnfinished(of: run.version, by: count)
        set(usage, of: run.workflow, team: run.team)
    }

    /// Writes a run and keeps its lists and its due moments in step.
    mutating func write(_ new: Run, over old: Run?) {
        set(new)
        if old == nil { countUnfinished(new, by: 1) }
        if new.status.isFinal, old?.status.isFinal == false { countUnfinished(new, by: -1) }
        if Self.keepsIndexes {
            new.changeIndexes(from: old) { entry, isThere in change(entry, isThere: isThere) }
        }
    }

    /// Writes a delivery and keeps its lists in step.
    mutating func write(_ new: Delivery, over old: Delivery?) {
        set(new)
        if Self.keepsIndexes {
            new.changeIndexes(from: old) { entry, isThere in change(entry, isThere: isThere) }
        }
    }
}
