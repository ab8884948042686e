import DaybookCore

/// The tables of the environment by name; their order is of no meaning.
enum TableName: String, CaseIterable {
    case log
    case payloads
    case meta
    case teams
    case apiKeys = "api_keys"
    case workflows
    case versions
    case schedules
    case scheduleLists = "schedule_lists"
    case pendingKeys = "pending_keys"
    case runs
    case runLists = "run_lists"
    case due
    case startable
    case ready
    case turn
    case usage
    case keptAnswers = "kept_answers"
    case keptAnswerEnds = "kept_answer_ends"
    case triggers
    case triggerTeams = "trigger_teams"
    case refusals
    case seen
    case seenEnds = "seen_ends"
    case subscriptions
    case deliveries
    case deliveryLists = "delivery_lists"
    case operations
    case operationLists = "operation_lists"
    case tree

    /// Whether the table can be rebuilt from the log. `meta` is rewritten by a rebuild itself.
    var isProjection: Bool {
        switch self {
        case .log, .payloads, .meta: false
        default: true
        }
    }
}

/// The keys of every table, as `docs/data-format.md` lists them.
enum Keys {
    static let layout = Array("layout".utf8)
    static let service = Array("service".utf8)
    /// Which set of projections is in use: one byte, and the first one without it.
    static let live = Array("live".utf8)
    static let home = Array("home".utf8)

    static func position(_ position: Position) -> [UInt8] {
        key(8) { $0.uint64(position) }
    }

    static func isPosition(_ position: Position, _ key: Span<UInt8>) -> Bool {
        key.count == 8 && key.indices.reduce(0) { $0 << 8 | Position(key[$1]) } == position
    }

    static func payload(_ location: PayloadLocation) -> [UInt8] {
        key(10) {
            $0.uint64(location.position)
            $0.uint16(location.event)
        }
    }

    static func payload(_ location: PayloadLocation, chunk: Int) -> [UInt8] {
        key(12) {
            $0.uint64(location.position)
            $0.uint16(location.event)
            $0.uint16(chunk)
        }
    }

    static func id<Kind>(_ id: Identifier<Kind>) -> [UInt8] {
        key(12) { $0.id(id) }
    }

    static func row<Kind>(_ team: TeamID, _ id: Identifier<Kind>) -> [UInt8] {
        key(24) {
            $0.id(team)
            $0.id(id)
        }
    }

    static func version(_ team: TeamID, _ workflow: WorkflowID, _ number: Int) -> [UInt8] {
        key(28) {
            $0.id(team)
            $0.id(workflow)
            $0.int(number)
        }
    }

    static func pending(
        _ team: TeamID, _ workflow: WorkflowID, _ name: DeduplicationKey
    ) -> [UInt8] {
        key(24 + name.bytes.count) {
            $0.id(team)
            $0.id(workflow)
            $0.raw(name.bytes)
        }
    }

    static func usage(_ team: TeamID) -> [UInt8] {
        key(13) {
            $0.byte(1)
            $0.id(team)
        }
    }

    static func usage(_ team: TeamID, _ workflow: WorkflowID) -> [UInt8] {
        key(25) {
            $0.byte(2)
            $0.id(team)
            $0.id(workflow)
        }
    }

    static func keptAnswerEnd(_ end: Instant, _ scope: Digest256) -> [UInt8] {
        key(40) {
            $0.instant(end)
            $0.raw(scope.bytes)
        }
    }

    static func refusal(_ team: TeamID, _ key: RefusalKey) -> [UInt8] {
        self.key(36) {
            $0.id(team)
            $0.id(key.trigger)
            $0.id(key.refusal)
        }
    }

    static func seen(_ message: SeenMessage.Key) -> [UInt8] {
        key(44) {
            $0.id(message.scope)
            $0.raw(message.digest.bytes)
        }
    }

    static func seenEnd(_ end: Instant, _ message: SeenMessage.Key) -> [UInt8] {
        key(52) {
            $0.instant(end)
            $0.id(message.scope)
            $0.raw(message.digest.bytes)
        }
    }

    // Prefixes: what the keys of a range have in common.

    static func lane(_ team: TeamID, _ workflow: WorkflowID, _ lane: Lane) -> [UInt8] {
        key(64) {
            $0.id(team)
            $0.id(workflow)
            $0.lane(lane)
        }
    }

    static func queue(_ workflow: WorkflowID, of team: TeamID, _ queue: Queue) -> [UInt8] {
        key(64) {
            $0.id(team)
            $0.id(workflow)
            $0.queue(queue)
        }
    }

    static func ready(_ team: TeamID, _ queue: Queue) -> [UInt8] {
        key(64) {
            $0.id(team)
            $0.queue(queue)
        }
    }

    static func queue(_ queue: Queue) -> [UInt8] { key(64) { $0.queue(queue) } }

    static func entry(_ entry: IndexEntry) -> (table: TableName, key: [UInt8]) {
        (table(of: entry), key(64) { write(entry, to: &$0) })
    }

    private static func table(of entry: IndexEntry) -> TableName {
        switch entry {
        case .schedule: .scheduleLists
        case .run: .runLists
        case .due: .due
        case .startable: .startable
        case .ready: .ready
        case .turn: .turn
        case .delivery: .deliveryLists
        case .operation: .operationLists
        }
    }

    static func write(_ entry: IndexEntry, to writer: inout ByteWriter) {
        switch entry {
        case .schedule(let index): write(index, to: &writer)
        case .run(let index): write(index, to: &writer)
        case .due(let due):
            writer.instant(due.instant)
            writer.byte(due.kind.rawValue)
            writer.id(due.team)
            writer.id(due.id)
            writer.uint64(due.revision)
        case .delivery(let index): write(index, to: &writer)
        case .operation(.running(let team, let id)):
            writer.byte(1)
            writer.id(team)
            writer.id(id)
        case .startable(let row):
            writer.id(row.team)
            writer.id(row.workflow)
            writer.lane(row.lane)
            writer.uint64(row.queuedPosition)
            writer.id(row.run)
        case .ready(let row):
            writer.id(row.team)
            writer.lane(row.lane)
            writer.uint64(row.lastStart)
            writer.id(row.workflow)
        case .turn(let row):
            writer.queue(row.queue)
            writer.uint64(row.lastStart)
            writer.id(row.team)
        }
    }

    private static func write(_ index: ScheduleIndex, to writer: inout ByteWriter) {
        switch index {
        case .byStatus(let team, let status, let id):
            writer.byte(1)
            writer.id(team)
            writer.byte(status.rawValue)
            writer.id(id)
        case .byTime(let team, let time, let id):
            writer.byte(2)
            writer.id(team)
            writer.instant(time)
            writer.id(id)
        case .byWorkflow(let team, let workflow, let id):
            writer.byte(3)
            writer.id(team)
            writer.id(workflow)
            writer.id(id)
        }
    }

    private static func write(_ index: RunIndex, to writer: inout ByteWriter) {
        switch index {
        case .unfinished(let team, let id):
            writer.byte(1)
            writer.id(team)
            writer.id(id)
        case .byWorkflow(let team, let workflow, let id):
            writer.byte(2)
            writer.id(team)
            writer.id(workflow)
            writer.id(id)
        case .inProgress(let team, let workflow, let id):
            writer.byte(3)
            writer.id(team)
            writer.id(workflow)
            writer.id(id)
        }
    }

    private static func write(_ index: DeliveryIndex, to writer: inout ByteWriter) {
        switch index {
        case .waiting(let team, let subscription, let instant, let id):
            writer.byte(1)
            writer.id(team)
            writer.id(subscription)
            writer.instant(instant)
            writer.id(id)
        case .bySubscription(let team, let subscription, let id):
            writer.byte(2)
            writer.id(team)
            writer.id(subscription)
            writer.id(id)
        }
    }

    static func key(_ capacity: Int, _ write: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter(capacity: capacity)
        write(&writer)
        return writer.bytes
    }

    /// The first key that is greater than every key with this prefix; `nil` where there is none.
    static func end(of prefix: [UInt8]) -> [UInt8]? {
        var end = prefix
        while let last = end.popLast() {
            if last < 255 { return end + [last + 1] }
        }
        return nil
    }
}

/// When a row that ends by time does: a row of `kept_answer_ends` or `seen_ends`, in the order of its keys.
struct RowEnd<Key: Hashable & Comparable & Sendable>: Hashable, Comparable, Sendable {
    let end: Instant
    let key: Key

    static func < (left: Self, right: Self) -> Bool {
        (left.end, left.key) < (right.end, right.key)
    }
}

/// A refusal is found by its trigger.
struct RefusalKey: Hashable, Comparable, Sendable {
    let trigger: TriggerID
    let refusal: RefusalID

    static func < (left: Self, right: Self) -> Bool {
        (left.trigger, left.refusal) < (right.trigger, right.refusal)
    }
}

extension Refusal {
    var key: RefusalKey { RefusalKey(trigger: trigger, refusal: id) }
}

extension ByteWriter {
    fileprivate mutating func lane(_ lane: Lane) {
        queue(lane.queue)
        byte(255 - UInt8(lane.priority))
    }
}

// What is read back out of keys.
extension Keys {
    static func readDue(_ key: [UInt8]) throws(MalformedRow) -> Due {
        var reader = ByteReader(key)
        let instant = try reader.instant()
        guard let kind = Due.Kind(rawValue: try reader.byte()) else { throw MalformedRow() }
        let due = Due(
            instant: instant, kind: kind, team: try reader.id(), id: try reader.id(),
            revision: try reader.uint64())
        try reader.end()
        return due
    }

    static func readReady(_ key: [UInt8]) throws(MalformedRow) -> Ready {
        var reader = ByteReader(key)
        let team: TeamID = try reader.id()
        let lane = Lane(queue: try reader.queue(), priority: 255 - Int(try reader.byte()))
        let ready = Ready(
            team: team, lane: lane, lastStart: try reader.uint64(), workflow: try reader.id())
        try reader.end()
        return ready
    }

    static func readStartable(_ key: [UInt8]) throws(MalformedRow) -> Startable {
        var reader = ByteReader(key)
        let team: TeamID = try reader.id()
        let workflow: WorkflowID = try reader.id()
        let lane = Lane(queue: try reader.queue(), priority: 255 - Int(try reader.byte()))
        let startable = Startable(
            team: team, workflow: workflow, lane: lane, queuedPosition: try reader.uint64(),
            run: try reader.id())
        try reader.end()
        return startable
    }

    static func readTurn(_ key: [UInt8]) throws(MalformedRow) -> Turn {
        var reader = ByteReader(key)
        let turn = Turn(
            queue: try reader.queue(), lastStart: try reader.uint64(), team: try reader.id())
        try reader.end()
        return turn
    }

    static func readKeptAnswerEnd(_ key: [UInt8]) throws(MalformedRow) -> RowEnd<Digest256> {
        var reader = ByteReader(key)
        let row = RowEnd(end: try reader.instant(), key: try reader.digest())
        try reader.end()
        return row
    }

    static func readSeenEnd(_ key: [UInt8]) throws(MalformedRow) -> RowEnd<SeenMessage.Key> {
        var reader = ByteReader(key)
        let end = try reader.instant()
        let row = RowEnd(
            end: end,
            key: SeenMessage.Key(scope: try reader.id(), digest: try reader.digest()))
        try reader.end()
        return row
    }

    static func readWaiting(
        _ key: [UInt8]
    ) throws(MalformedRow) -> (
        team: TeamID, subscription: SubscriptionID, instant: Instant, delivery: DeliveryID
    ) {
        var reader = ByteReader(key)
        guard try reader.byte() == 1 else { throw MalformedRow() }
        let row: (TeamID, SubscriptionID, Instant, DeliveryID) = (
            try reader.id(), try reader.id(), try reader.instant(), try reader.id()
        )
        try reader.end()
        return row
    }

    /// The id at the end of a list's key.
    static func trailingID<Kind>(_ key: [UInt8]) throws(MalformedRow) -> Identifier<Kind> {
        guard let id = Identifier<Kind>(bytes: key.suffix(12)) else { throw MalformedRow() }
        return id
    }
}
