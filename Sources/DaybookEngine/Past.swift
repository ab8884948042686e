import DaybookCore
import DaybookStore

/// What an object's past is asked for by.
package enum AsOf: Hashable, Sendable {
    case position(Position)
    case instant(Instant)
}

/// An object has more entries than one request may walk.
package struct HistoryTooLong: Error, Hashable, Sendable {
    package let limit: Int
    /// Its id, and the cursor behind it in a list.
    package let object: AnyID
}

/// Things as they were: made from the entries about each, up to the moment. `apply` reads nothing else
/// for them.
extension Engine {
    /// The schedule as it was; `nil` where it was not there yet.
    package func schedule(
        _ id: ScheduleID, of team: TeamID, asOf moment: AsOf
    ) throws -> ScheduleDetail? {
        let schedule = try read { view -> Schedule? in
            guard let now = try view.schedule(id, of: team) else { return nil }
            var walk = Walk(until: try position(of: moment, view), limit: settings.historyWork)
            return try walk.past(of: now, view)
        }
        return try schedule.map { try detail($0) }
    }

    /// The run as it was; `nil` where it was not there yet.
    package func run(_ id: RunID, of team: TeamID, asOf moment: AsOf) throws -> RunDetail? {
        let run = try read { view -> Run? in
            guard let now = try view.run(id, of: team) else { return nil }
            var walk = Walk(until: try position(of: moment, view), limit: settings.historyWork)
            return try walk.past(of: now, view)
        }
        return try run.map { try detail($0) }
    }

    /// A page of the team's schedules as they were, newest first. Looks at a bounded number of entries,
    /// so a page can hold fewer than `limit` and still have a next one.
    package func schedules(
        of team: TeamID, _ filter: ScheduleFilter, asOf moment: AsOf, after cursor: [UInt8]?,
        limit: Int, maximumBytes: Int
    ) throws -> Page<ScheduleDetail> {
        // What never changes may be left to the lists; all else is judged as it was.
        var fixed = ScheduleFilter()
        fixed.workflow = filter.workflow
        return try pastPage(moment, cursor, limit, maximumBytes) { view, cursor, count in
            try view.schedules(of: team, fixed, after: cursor, limit: count, work: count)
        } past: { walk, now, view in
            guard let then = try walk.past(of: now, view), filter.matches(then) else { return nil }
            return try detail(then)
        } id: {
            $0.id.bytes
        } size: { detail in
            detail.input.byteCount + detail.failureMessage.byteCount
        }
    }

    /// A page of the team's runs as they were, newest first; bounded as with schedules.
    package func runs(
        of team: TeamID, _ filter: RunFilter, asOf moment: AsOf, after cursor: [UInt8]?,
        limit: Int, maximumBytes: Int
    ) throws -> Page<RunDetail> {
        var fixed = RunFilter()
        fixed.workflow = filter.workflow
        return try pastPage(moment, cursor, limit, maximumBytes) { view, cursor, count in
            try view.runs(of: team, fixed, after: cursor, limit: count, work: count)
        } past: { walk, now, view in
            guard let then = try walk.past(of: now, view), filter.matches(then) else { return nil }
            return try detail(then)
        } id: {
            $0.id.bytes
        } size: { detail in
            detail.input.byteCount + detail.output.byteCount + detail.errorMessage.byteCount
        }
    }

    /// Gathers a page over short snapshots: until it is full, or enough entries were looked at.
    private func pastPage<Row: Sendable, Detail: Sendable>(
        _ moment: AsOf, _ cursor: [UInt8]?, _ limit: Int, _ maximumBytes: Int,
        rows: (borrowing View, [UInt8]?, Int) throws -> Page<Row>,
        past: (inout Walk, Row, borrowing View) throws -> Detail?, id: (Row) -> [UInt8],
        size: (Detail) -> Int
    ) throws -> Page<Detail> {
        var items: [Detail] = []
        var cursor = cursor
        var (work, bytes) = (0, 0)
        let until = try read { try position(of: moment, $0) }
        while true {
            var hasMore = false
            try read { view in
                let page = try rows(view, cursor, 100)
                hasMore = page.next != nil
                for (index, row) in page.items.enumerated() {
                    var walk = Walk(until: until, limit: settings.historyWork)
                    do {
                        if let detail = try past(&walk, row, view) {
                            items.append(detail)
                            bytes += size(detail)
                        }
                    } catch let error as HistoryTooLong where !items.isEmpty {
                        // Told when it is the first of its page.
                        (work, hasMore) = (settings.historyWork + error.limit, true)
                        return
                    }
                    cursor = id(row)
                    work += 1 + walk.looked
                    if items.count == limit || bytes >= maximumBytes
                        || work >= settings.historyWork
                    {
                        hasMore = hasMore || index + 1 < page.items.count
                        return
                    }
                }
            }
            guard hasMore, items.count < limit, bytes < maximumBytes, work < settings.historyWork
            else { return Page(items: items, next: hasMore ? cursor : nil) }
        }
    }

    /// The last entry that had been recorded by then.
    private func position(of moment: AsOf, _ view: borrowing View) throws -> Position {
        switch moment {
        case .position(let position): position
        case .instant(let instant): try view.lastPosition(recordedBy: instant)
        }
    }
}

/// Walks the histories of objects back, up to so many entries.
struct Walk {
    private let until: Position
    private let limit: Int
    private(set) var looked = 0

    init(until: Position, limit: Int) {
        self.until = until
        self.limit = limit
    }

    mutating func past(of now: Schedule, _ view: borrowing View) throws -> Schedule? {
        // Nothing has touched it since.
        if now.touched.position <= until { return now }
        return try state(of: AnyID(now.id), from: now.touched.position, view)
            .schedule(now.id, of: now.team)
    }

    mutating func past(of now: Run, _ view: borrowing View) throws -> Run? {
        if now.touched.position <= until { return now }
        return try state(of: AnyID(now.id), from: now.touched.position, view)
            .run(now.id, of: now.team)
    }

    private mutating func state(
        of object: AnyID, from last: Position, _ view: borrowing View
    ) throws -> MemoryState {
        var state = MemoryState()
        for entry in try entries(about: object, from: last, view).reversed()
        where entry.header.position <= until {
            apply(entry, to: &state)
        }
        return state
    }

    /// The entries about the object, the last one first.
    mutating func entries(
        about object: AnyID, from last: Position, _ view: borrowing View
    ) throws -> [Entry] {
        var entries: [Entry] = []
        var looked = 0
        let limit = limit
        try view.history(of: object, from: last) { entry in
            looked += 1
            guard looked <= limit else { throw HistoryTooLong(limit: limit, object: object) }
            entries.append(entry)
            return true
        }
        self.looked += looked
        return entries
    }
}
