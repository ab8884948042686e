import LMDB

/// The handles of all tables.
struct Tables: Sendable {
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
    let tree: Table

    static let names = TableName.allCases.map(\.rawValue)

    init(_ environment: Environment) {
        func table(_ name: TableName) -> Table { environment.table(name.rawValue) }
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
        tree = table(.tree)
    }

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
        case .tree: tree
        }
    }
}
