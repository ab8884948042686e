import DaybookCore
import LMDB

/// Something that is not as it must be.
package struct Finding: Error, Hashable, Sendable {
    package enum Part: String, Sendable {
        case file, log, payloads, projections, indexes
    }

    package let part: Part
    package let position: Position?
    package let table: String?
    package let key: [UInt8]?
    package let what: String

    package init(
        _ part: Part, _ what: String, position: Position? = nil, table: String? = nil,
        key: [UInt8]? = nil
    ) {
        self.part = part
        self.position = position
        self.table = table
        self.key = key
        self.what = what
    }
}

/// What a walk over the whole log has seen.
package struct LogCheck: Hashable, Sendable {
    package fileprivate(set) var entries: Position = 0
    /// The chain hash of the last entry.
    package fileprivate(set) var chain = Chain.start
    package fileprivate(set) var payloads = 0
    package fileprivate(set) var erasedPayloads = 0
    fileprivate var payloadRows = 0
    fileprivate var recordedAt = Instant.epoch
}

extension View {
    /// Walks the whole log: gaps, chain, envelopes, the digest of every payload.
    ///
    /// - Parameter readsPayloads: whether payloads are looked at too.
    /// - Parameter progress: is told the position reached and the last one, every so often.
    /// - Returns: what was seen, and what is wrong: of the log where there is something, since nothing
    ///   behind it can be trusted, otherwise of the first payload.
    package borrowing func checkLog(
        readsPayloads: Bool = true, progress: (Position, Position) -> Void = { _, _ in }
    ) throws -> (seen: LogCheck, finding: Finding?) {
        var seen = LogCheck()
        var ofPayloads: Finding?
        let last = try lastPosition()
        do {
            try entries(from: 1) { entry in
                try check(entry, &seen)
                if readsPayloads, let finding = try checkPayloads(of: entry, last: last, &seen) {
                    ofPayloads = ofPayloads ?? finding
                }
                if entry.header.position % 10_000 == 0 { progress(entry.header.position, last) }
                return true
            }
            guard seen.entries == last, try transaction.count(tables.log) == Int(last) else {
                throw Finding.otherRows
            }
            seen.chain = try chain(at: last)
        } catch let finding as Finding {
            return (seen, finding)
        } catch let error as LogError {
            return (seen, Finding(error, after: seen.entries))
        }
        if readsPayloads, ofPayloads == nil {
            let rows = try transaction.count(tables.payloads)
            if rows != seen.payloadRows {
                ofPayloads = Finding(
                    .payloads,
                    "\(rows) rows are there, the log's events brought \(seen.payloadRows)")
            }
        }
        return (seen, ofPayloads)
    }

    private borrowing func check(_ entry: Entry, _ seen: inout LogCheck) throws(Finding) {
        let header = entry.header
        func refuse(_ what: String) -> Finding { Finding(.log, what, position: header.position) }
        guard header.recordedAt >= seen.recordedAt else {
            throw refuse("the recorded time goes back")
        }
        guard header.causation < header.position else {
            throw refuse("the entry that led to it comes later")
        }
        guard !entry.events.isEmpty else { throw refuse("the entry has no events") }
        for touch in entry.events.flatMap(\.touches) where touch.previous >= header.position {
            throw refuse("an event names a later entry as the one before")
        }
        seen.recordedAt = header.recordedAt
        seen.entries = header.position
    }

    private borrowing func checkPayloads(
        of entry: Entry, last: Position, _ seen: inout LogCheck
    ) throws -> Finding? {
        let position = entry.header.position
        func found(_ what: String) -> Finding { Finding(.payloads, what, position: position) }
        for (index, event) in entry.events.enumerated() {
            if case .payloadsErased(let erased) = event {
                for location in erased.payloads where try eraser(of: location) != position {
                    return found(
                        "the payload of event \(location.event) at \(location.position) is still there"
                    )
                }
            }
            guard let payload = event.payload else { continue }
            do {
                let location = PayloadLocation(position: position, event: index)
                let (brought, rows) = try storedPayload(at: location, as: payload)
                seen.payloadRows += rows
                if case .bytes = brought.payload {
                    seen.payloads += 1
                } else if let what = try mistakeOfErasure(location, last: last) {
                    return found(what)
                } else {
                    seen.erasedPayloads += 1
                }
            } catch let error as LogError {
                return found("\(error)")
            }
        }
        return nil
    }

    /// Recounts everything; the first thing that does not agree.
    package borrowing func checkIndexes() throws -> Finding? {
        var cursor: RecountCursor? = RecountCursor()
        do {
            while let here = cursor {
                let step = try recount(here, rows: 10_000)
                if let mismatch = step.mismatch { return Finding(.indexes, mismatch) }
                cursor = step.next
            }
        } catch let error as LogError {
            return Finding(.indexes, "\(error)")
        } catch is MalformedRow {
            return Finding(.indexes, "a key or a row does not read")
        }
        return nil
    }

    /// What keeps the projections from being compared with the log: there are none of this layout, or they do not end
    /// where it ends, both of which is so after a start or an import that was broken off; or a row of `meta` is damaged.
    /// Where they have seen more than the log has, it is the log that lost its end.
    package borrowing func checkProjectionsEnd() throws -> Finding? {
        func unread(_ key: [UInt8]) -> Finding {
            Finding(
                .projections, "the row does not read", table: TableName.meta.rawValue, key: key)
        }
        if let row = try metaValue(Keys.live), TableSet(row: row) == nil {
            return unread(Keys.live)
        }
        let last = try lastPosition()
        guard let layout = try layout() else {
            guard try metaValue(tables.layoutKey) == nil else { return unread(tables.layoutKey) }
            // A first start was broken off.
            return last == 0 ? nil : .notBuilt
        }
        guard layout == Rows.layout else { return .otherLayout }
        let reached: Position
        do {
            reached = try service().position
        } catch is LogError {
            return unread(tables.serviceKey)
        }
        if reached > last { return try checkLogEnd() ?? unread(tables.serviceKey) }
        guard reached == last else {
            return Finding(
                .projections,
                "they end at entry \(reached), and the log at \(last): the next start goes on from there",
                table: TableName.meta.rawValue, key: tables.serviceKey)
        }
        return nil
    }

    /// Whether the log ends where the projections say that it ended, as far as they can be read.
    package borrowing func checkLogEnd() throws -> Finding? {
        do {
            guard let seen = try positionBehindEnd() else { return nil }
            return Finding(.logTooShort(log: try lastPosition(), projections: seen))
        } catch LogError.damagedProjection {
            return nil
        }
    }

    /// The first row of the projections that is not the same in the other snapshot, by table and key.
    package borrowing func firstDifference(from other: borrowing View) throws -> Finding? {
        guard try layout() == other.layout() else { return .otherLayout }
        for name in TableName.allCases where name.isProjection {
            var after: [UInt8]?
            repeat {
                let step = try RowComparison.step(
                    name, after: after, rows: 5_000, transaction, tables[name],
                    other.transaction, other.tables[name])
                if let finding = step.findings.first { return finding }
                after = step.next
            } while after != nil
        }
        guard try service().rowBytes == other.service().rowBytes else {
            return Finding(
                .projections, "the row is not what the log gives", table: TableName.meta.rawValue,
                key: tables.serviceKey)
        }
        return nil
    }
}

extension Finding {
    static let otherLayout = Finding(
        .projections,
        "they are of another version's layout: the next start of this one rebuilds them")
    static let notBuilt = Finding(
        .projections,
        "they have no layout, as after an import that was broken off: the next start builds them")
    static let otherRows = Finding(.log, "the log has rows that are not its entries")

    /// Of an error that tells of what is in the file.
    package init(_ error: Store.OpenError) {
        let isOfLog = if case .logTooShort = error { true } else { false }
        self.init(isOfLog ? .log : .file, "\(error)")
    }

    /// - Parameter position: how far the log was read before, if that is known.
    package init(_ error: LogError, after position: Position? = nil) {
        switch error {
        case .missing(let at), .damaged(let at), .unknown(let at, _):
            self.init(.log, "\(error)", position: at)
        case .foreignRow: self.init(.log, "\(error)")
        case .damagedPayload: self.init(.log, "\(error)", position: position.map { $0 + 1 })
        case .damagedProjection: self.init(.projections, "\(error)")
        }
    }
}
