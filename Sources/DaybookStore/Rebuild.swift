import DaybookCore
import LMDB

/// What a rebuild found and did.
package struct RebuildReport: Hashable, Sendable {
    /// How many differences are told, of all that were counted.
    package static let toldDifferences = 20

    package fileprivate(set) var entries: Position = 0
    /// Rows of the old projections that were not what the log gives, or were missing, or too many; `nil` where they
    /// were of another layout or end, so that nothing was compared.
    package fileprivate(set) var differences: Int?
    package fileprivate(set) var told: [Finding] = []
}

/// How a rebuild goes about it.
package struct RebuildPace: Sendable {
    /// Entries that one transaction takes, and rows that one transaction compares.
    package let entries: Int
    package let rows: Int
    /// So many rows that have settled are kept in memory before they are written, and twice as many others.
    let keptRows: Int

    /// Whether nobody waits for the writer.
    let isAlone: Bool

    package init(
        entries: Int, rows: Int, keptRows: Int = 300_000, isAlone: Bool = false
    ) {
        self.entries = entries
        self.rows = rows
        self.keptRows = keptRows
        self.isAlone = isAlone
    }

    package static let alone = RebuildPace(
        entries: Store.replayBatch, rows: 50_000, isAlone: true)
    /// A few milliseconds each: commands come in between.
    package static let beside = RebuildPace(entries: 500, rows: 3_000, keptRows: 50_000)
}

extension Store {
    package enum RebuildStage: Hashable, Sendable {
        case replaying(Position, of: Position)
        case comparing(table: String)
    }

    /// Builds the other set of projections from the log, compares the two, and puts the new one in the
    /// place of the old in one transaction.
    ///
    /// Every piece is a transaction of its own, in which both sets are at the end of the log, so
    /// it may run beside the writer, on a thread of its own. Cut off anywhere, the old set is in use.
    ///
    /// - Parameter switches: false leaves the old set in use, for a check.
    /// - Parameter between: is called after every piece; what it throws ends the rebuild.
    package func rebuild(
        _ pace: RebuildPace = .alone, switches: Bool = true,
        between: (RebuildStage) throws -> Void = { _ in }
    ) throws -> RebuildReport {
        do {
            return try rebuildWhole(pace, switches: switches, between: between)
        } catch {
            // The first error counts.
            try passingOverLeftovers { try clearShadow() }
            throw error
        }
    }

    /// Removes what a rebuild leaves behind. What stays is in nobody's way, and is removed by the next one; but
    /// nothing goes on after a failure of the storage.
    private func passingOverLeftovers(_ remove: () throws -> Void) throws {
        do { try remove() } catch  where !isStorageFailure(error) {}
    }

    private func rebuildWhole(
        _ pace: RebuildPace, switches: Bool, between: (RebuildStage) throws -> Void
    ) throws -> RebuildReport {
        var report = RebuildReport()
        try clearShadow(pace, between)
        try foldLog(pace, between)
        // What has come meanwhile.
        while true {
            var shadow = try beginShadow()
            report.entries = shadow.replay(count: pace.entries)
            let last = shadow.nextPosition - 1
            try shadow.commit()
            try between(.replaying(report.entries, of: last))
            if report.entries >= last { break }
        }
        // Rows of another layout, or of an earlier position, can't agree.
        let isComparable = try read { view in
            guard try view.layout() == Rows.layout else { return false }
            do {
                return try view.service().position == view.lastPosition()
            } catch LogError.damagedProjection {
                return false
            }
        }
        if isComparable { try compare(pace, between, &report) }
        if switches {
            var shadow = try beginShadow()
            try shadow.catchUp()
            shadow.becomeLive()
            try shadow.commit()
            // What was live is the shadow now.
            try passingOverLeftovers { try clearShadow(pace, between) }
        }
        return report
    }

    /// Brings the projections up to the end of the log, as a start needs them: by a rebuild where they are of
    /// another layout or far behind, otherwise from where they stand.
    package func bringUpToDate(_ progress: (Position, Position) -> Void = { _, _ in }) throws {
        let (isOfLayout, behind, hasShadow) = try read { view in
            let shadow = tables[view.tables.set.other]
            // Rows of another layout may not even read.
            let isOfLayout = try view.layout() == Rows.layout
            return (
                isOfLayout,
                isOfLayout ? try view.lastPosition() - view.service().position : 0,
                try TableName.allCases.contains { name in
                    try name.isProjection && view.transaction.count(shadow[name]) > 0
                }
            )
        }
        if !isOfLayout || behind > Self.farBehind {
            _ = try rebuild { stage in
                if case .replaying(let reached, let last) = stage { progress(reached, last) }
            }
            return
        }
        if hasShadow { try clearShadow() }
        guard behind > 0 else { return }
        try replay { reached, last in
            progress(reached, last)
            return true
        }
    }

    /// Further than this, a rebuild from the beginning is as quick.
    private static let farBehind: Position = 100_000

    /// Runs `body` with a snapshot of the set that is not in use.
    func readShadow<Value>(_ body: (borrowing View) throws -> Value) throws -> Value {
        let transaction = try beginRead()
        let live = try tables.live(transaction)
        return try body(View(transaction, tables[live.set.other]))
    }

    /// Removes what an unfinished rebuild left behind.
    package func clearShadow() throws {
        var shadow = try beginShadow(readsService: false)
        shadow.clearProjections()
        try shadow.commit()
    }

    /// The same in pieces.
    private func clearShadow(
        _ pace: RebuildPace, _ between: (RebuildStage) throws -> Void
    ) throws {
        if !pace.isAlone {
            for name in TableName.allCases where name.isProjection {
                var isMore = true
                while isMore {
                    var shadow = try beginShadow(readsService: false)
                    isMore = shadow.deleteRows(name, pace.rows)
                    try shadow.commit()
                    if isMore { try between(.replaying(0, of: 0)) }
                }
            }
        }
        try clearShadow()
    }

    /// A batch on the set that is not in use.
    ///
    /// - Parameter readsService: false where its row may be anything, and is about to go.
    func beginShadow(readsService: Bool = true) throws -> Batch {
        let transaction = try beginTransaction()
        let live = try tables.live(transaction)
        return try Batch.begin(
            transaction, tables[live.set.other], readsService: readsService)
    }

    /// Folds the whole log into the empty shadow.
    private func foldLog(
        _ pace: RebuildPace, _ between: (RebuildStage) throws -> Void
    ) throws {
        let writer = PartWriter(store: self, pace: pace)
        // Ends before the store can be closed.
        defer { writer.wait() }
        var fold = Fold(
            limit: pace.keptRows,
            readSchedule: { id, team in writer.read { try $0.schedule(id, of: team) } },
            readRun: { id, team in writer.read { try $0.run(id, of: team) } },
            readRefusal: { key, team in
                writer.read { try $0.refusal(key.refusal, of: key.trigger, team: team) }
            },
            readDelivery: { id, team in writer.read { try $0.delivery(id, of: team) } })
        let ahead = ReadAhead(self, batchSize: pace.entries)
        defer { ahead.end() }
        while case let batch = try ahead.next(), !batch.entries.isEmpty {
            for entry in batch.entries { apply(entry, to: &fold) }
            fold.add(tree: batch.tree)
            if let error = writer.failure { throw error }
            let last = try read { try $0.lastPosition() }
            let stage = RebuildStage.replaying(fold.position, of: last)
            try between(stage)
            if let part = fold.takePart(left: last - fold.position) {
                try writer.write(part) { try between(stage) }
            }
        }
        let stage = RebuildStage.replaying(fold.position, of: fold.position)
        try writer.write(fold.takeRest()) { try between(stage) }
        writer.wait()
        if let error = writer.failure { throw error }
        try fillQueues(fold, pace) { try between(stage) }
        var shadow = try beginShadow()
        shadow.end(fold)
        try shadow.commit()
    }

    /// Derives who starts next, from usage, limits, and the runs that wait.
    private func fillQueues(
        _ fold: borrowing Fold, _ pace: RebuildPace, _ between: () throws -> Void
    ) throws {
        func forEach<Element>(
            _ elements: [Element], _ body: (inout Batch, Element) -> Void
        ) throws {
            for start in stride(from: 0, to: elements.count, by: pace.entries) {
                var shadow = try beginShadow()
                for element in elements[start..<min(start + pace.entries, elements.count)] {
                    body(&shadow, element)
                }
                try shadow.commit()
                try between()
            }
        }
        // A workflow has a row for each lane in use, a team one for each inner queue: few.
        try forEach(fold.workflowIDs) { shadow, workflow in
            for row in shadow.readyRows(of: workflow.id, team: workflow.team) {
                shadow.insert(.ready(row))
            }
        }
        // After the ready rows: turns are read from them.
        try forEach(fold.teamIDs) { shadow, team in
            for turn in shadow.turns(of: team) { shadow.insert(.turn(turn)) }
        }
    }

    private func compare(
        _ pace: RebuildPace, _ between: (RebuildStage) throws -> Void, _ report: inout RebuildReport
    ) throws {
        var differences = 0
        for name in TableName.allCases where name.isProjection {
            var after: [UInt8]?
            repeat {
                var shadow = try beginShadow()
                try shadow.catchUp()
                let live = tables[shadow.set.other]
                let step = try shadow.compare(name, with: live, after: after, rows: pace.rows)
                report.entries = shadow.nextPosition - 1
                try shadow.commit()
                differences += step.findings.count
                report.told += step.findings.prefix(
                    RebuildReport.toldDifferences - report.told.count)
                after = step.next
                try between(.comparing(table: name.rawValue))
            } while after != nil
        }
        var shadow = try beginShadow()
        try shadow.catchUp()
        if try !shadow.agreesOnService(with: tables[shadow.set.other]) {
            differences += 1
            report.told.append(
                Finding(
                    .projections, "the row is not what the log gives",
                    table: TableName.meta.rawValue, key: tables[shadow.set.other].serviceKey))
        }
        try shadow.commit()
        report.differences = differences
    }
}

extension Batch {
    /// Applies what has come since.
    fileprivate mutating func catchUp() throws {
        while replay(count: Store.replayBatch) < nextPosition - 1 {
            if let failure { throw failure }
        }
        if let failure { throw failure }
    }
}

/// Compares rows of two tables, in pieces.
enum RowComparison {
    /// - Parameter after: the last key that was compared; `nil` begins.
    /// - Returns: every row that differs, and the key to go on after; `nil` at the end.
    static func step<Left: ReadAccess & ~Copyable, Right: ReadAccess & ~Copyable>(
        _ name: TableName, after: [UInt8]?, rows limit: Int,
        _ left: borrowing Left, _ leftTable: Table, _ right: borrowing Right, _ rightTable: Table
    ) throws -> (findings: [Finding], next: [UInt8]?) {
        let start = after.map { $0 + [0] }
        var mine: [(key: [UInt8], value: [UInt8])] = []
        try left.scan(leftTable, from: start, to: nil) { key, value in
            mine.append((key, value))
            return mine.count < limit
        }
        // Where the left side ends, whatever the right one has beyond is too much.
        let end = mine.count < limit ? nil : mine[limit - 1].key
        var findings: [Finding] = []
        func found(_ what: String, _ key: [UInt8]) {
            findings.append(Finding(.projections, what, table: name.rawValue, key: key))
        }
        var index = 0
        var next = end
        var seen = 0
        try right.scan(rightTable, from: start, to: end.map { $0 + [0] }) { key, value in
            while index < mine.count, mine[index].key.lexicographicallyPrecedes(key) {
                found("the log gives no such row", mine[index].key)
                index += 1
            }
            if index < mine.count, mine[index].key == key {
                if mine[index].value != value { found("the row is not what the log gives", key) }
                index += 1
            } else {
                found("the row is missing", key)
            }
            seen += 1
            guard seen < 2 * limit else {
                next = key
                return false
            }
            return true
        }
        if next == end {
            for row in mine[index...] { found("the log gives no such row", row.key) }
        }
        return (findings, next)
    }
}
