import LMDB

/// Every projection exists twice: while one set is read and written, the other can be built anew.
enum TableSet: UInt8, CaseIterable {
    case first
    case second

    var other: TableSet { self == .first ? .second : .first }

    /// Reads the row of `meta` that names the set in use; `nil` where it is damaged.
    init?(row: [UInt8]) {
        guard row.count == 1 else { return nil }
        self.init(rawValue: row[0])
    }

    /// What its tables' names, and its rows in `meta`, end with.
    var suffix: String { self == .first ? "" : ".2" }
}

/// The handles of log, payloads and `meta`, and of one set of projections. A class, because each snapshot and each
/// batch holds them, and to copy thirty names takes longer than a read.
final class Tables: Sendable {
    let set: TableSet
    let log: Table
    let payloads: Table
    let meta: Table
    let teams: Table
    let apiKeys: Table
    let workflows: Table
    let versions: Table
    let schedules: Table
    let scheduleLists: Table
    let pendingKeys: Table
    let runs: Table
    let runLists: Table
    let due: Table
    let startable: Table
    let ready: Table
    let turn: Table
    let usage: Table
    let keptAnswers: Table
    let keptAnswerEnds: Table
    let triggers: Table
    let triggerTeams: Table
    let refusals: Table
    let seen: Table
    let seenEnds: Table
    let subscriptions: Table
    let deliveries: Table
    let deliveryLists: Table
    let operations: Table
    let operationLists: Table
    let tree: Table

    static let names = TableName.allCases.flatMap { name in
        (name.isProjection ? TableSet.allCases : [.first]).map { name.rawValue + $0.suffix }
    }

    /// Those that nothing brings back: a database without one of them is damaged.
    static let needed = Set(TableName.allCases.lazy.filter { !$0.isProjection }.map(\.rawValue))

    /// The rows of `meta` that go where a table of projections was missing: all are built anew then.
    static var layouts: (table: String, keys: [[UInt8]]) {
        (TableName.meta.rawValue, TableSet.allCases.map(layoutKey(of:)))
    }

    private static func layoutKey(of set: TableSet) -> [UInt8] {
        Keys.layout + Array(set.suffix.utf8)
    }

    init(_ environment: Environment, _ set: TableSet = .first) {
        func table(_ name: TableName) -> Table {
            environment.table(name.rawValue + (name.isProjection ? set.suffix : ""))
        }
        self.set = set
        log = table(.log)
        payloads = table(.payloads)
        meta = table(.meta)
        teams = table(.teams)
        apiKeys = table(.apiKeys)
        workflows = table(.workflows)
        versions = table(.versions)
        schedules = table(.schedules)
        scheduleLists = table(.scheduleLists)
        pendingKeys = table(.pendingKeys)
        runs = table(.runs)
        runLists = table(.runLists)
        due = table(.due)
        startable = table(.startable)
        ready = table(.ready)
        turn = table(.turn)
        usage = table(.usage)
        keptAnswers = table(.keptAnswers)
        keptAnswerEnds = table(.keptAnswerEnds)
        triggers = table(.triggers)
        triggerTeams = table(.triggerTeams)
        refusals = table(.refusals)
        seen = table(.seen)
        seenEnds = table(.seenEnds)
        subscriptions = table(.subscriptions)
        deliveries = table(.deliveries)
        deliveryLists = table(.deliveryLists)
        operations = table(.operations)
        operationLists = table(.operationLists)
        tree = table(.tree)
    }

    /// The rows of `meta` that belong to the set.
    var serviceKey: [UInt8] { Keys.service + Array(set.suffix.utf8) }
    var layoutKey: [UInt8] { Self.layoutKey(of: set) }

    subscript(name: TableName) -> Table {
        switch name {
        case .log: log
        case .payloads: payloads
        case .meta: meta
        case .teams: teams
        case .apiKeys: apiKeys
        case .workflows: workflows
        case .versions: versions
        case .schedules: schedules
        case .scheduleLists: scheduleLists
        case .pendingKeys: pendingKeys
        case .runs: runs
        case .runLists: runLists
        case .due: due
        case .startable: startable
        case .ready: ready
        case .turn: turn
        case .usage: usage
        case .keptAnswers: keptAnswers
        case .keptAnswerEnds: keptAnswerEnds
        case .triggers: triggers
        case .triggerTeams: triggerTeams
        case .refusals: refusals
        case .seen: seen
        case .seenEnds: seenEnds
        case .subscriptions: subscriptions
        case .deliveries: deliveries
        case .deliveryLists: deliveryLists
        case .operations: operations
        case .operationLists: operationLists
        case .tree: tree
        }
    }
}

/// Both sets of projections.
struct BothTables: Sendable {
    private let first: Tables
    private let second: Tables
    private let ignoresDamage: Bool

    /// - Parameter ignoresDamage: whether the first set counts as the one in use where the row that names it does not
    ///   read: for who builds a new one, or checks what is there.
    init(_ environment: Environment, ignoresDamage: Bool) {
        first = Tables(environment, .first)
        second = Tables(environment, .second)
        self.ignoresDamage = ignoresDamage
    }

    subscript(which: TableSet) -> Tables { which == .first ? first : second }

    /// The set that is in use, as the transaction sees it.
    func live(_ transaction: borrowing some ReadAccess & ~Copyable) throws -> Tables {
        guard let row = try transaction.get(first.meta, Keys.live) else { return first }
        guard let set = TableSet(row: row) else {
            if ignoresDamage { return first }
            throw LogError.damagedProjection(first.meta.name)
        }
        return self[set]
    }
}
