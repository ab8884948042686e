import DaybookCore
import DaybookStore

/// A part of the log.
package struct LogPage: Sendable {
    package let entries: [Entry]
    /// Nothing that was asked for is missing up to here: the next page begins after it.
    package let through: Position
}

/// A part of an object's history, the last entry first.
package struct HistoryPage: Sendable {
    package let entries: [Entry]
    /// The position that the next, older part begins at; `nil` at the object's beginning.
    package let next: Position?
}

/// What an object's past is asked for by.
package enum AsOf: Hashable, Sendable {
    case position(Position)
    case instant(Instant)
}

/// An object has more entries than one request may walk.
package struct HistoryTooLong: Error, Hashable, Sendable {
    package let limit: Int
}

/// Questions about what was. An object's history is walked back along the events about it.
extension Engine {
    /// The next entries after a position that the filter lets pass. Looks at a bounded amount of the
    /// log, over short snapshots between which others have their turn, so a page can hold fewer than
    /// `limit` and still not be the last.
    package func log(
        after position: Position, _ filter: LogFilter, limit: Int
    ) async throws -> LogPage {
        var entries: [Entry] = []
        var through = position
        var work = 0
        var bytes = 0
        if let from = filter.from {
            // Times never go back: nothing before that moment is wanted.
            let before = Instant(microseconds: from.microseconds - 1)
            through = max(through, try read { try $0.lastPosition(recordedBy: before) })
        }
        while entries.count < limit, bytes < settings.logPageBytes, work < settings.logWork,
            !Task.isCancelled
        {
            let before = through
            try read { view in
                var done = 0
                try view.entries(from: through + 1) { entry in
                    guard done < settings.listWorkPerSnapshot, entries.count < limit,
                        bytes < settings.logPageBytes
                    else { return false }
                    done += 1 + entry.definitionBytes / 512
                    through = entry.header.position
                    if try view.matches(entry, filter) {
                        entries.append(entry)
                        bytes += 1_000 + entry.definitionBytes
                    }
                    return true
                }
                work += done
            }
            if through == before { break }
            await Task.yield()
        }
        return LogPage(entries: entries, through: through)
    }

    /// The payloads that the entry brought, each verified.
    package func payloads(of entry: Entry) throws -> [BroughtPayload] {
        try read { try $0.payloads(of: entry) }
    }

    /// The entry, verified, with its exact bytes; `nil` where there is none.
    package func entry(at position: Position) throws -> (entry: Entry, bytes: [UInt8])? {
        try read { view in
            guard position > 0, position <= (try view.lastPosition()) else { return nil }
            return (try view.entry(at: position), try view.entryBytes(at: position))
        }
    }

    /// The history of an object from the entry at `position` on; nothing where that is not about it.
    package func history(
        of object: AnyID, from position: Position, limit: Int
    ) throws -> HistoryPage {
        try read { view in
            var entries: [Entry] = []
            var bytes = 0
            var next: Position?
            try view.history(of: object, from: position) { entry in
                guard entry.events.flatMap(\.touches).contains(where: { $0.object == object })
                else { return false }
                guard entries.count < limit, bytes < settings.logPageBytes else {
                    next = entry.header.position
                    return false
                }
                entries.append(entry)
                bytes += 1_000 + entry.definitionBytes
                return true
            }
            return HistoryPage(entries: entries, next: next)
        }
    }

    /// The schedule as it was; `nil` where it was not there yet.
    package func schedule(
        _ id: ScheduleID, of team: TeamID, asOf moment: AsOf
    ) throws -> ScheduleDetail? {
        let schedule = try read { view -> Schedule? in
            guard let now = try view.schedule(id, of: team) else { return nil }
            return try past(of: AnyID(id), from: now.touched.position, moment, view)
                .schedule(id, of: team)
        }
        return try schedule.map { try detail($0) }
    }

    /// The run as it was; `nil` where it was not there yet.
    package func run(_ id: RunID, of team: TeamID, asOf moment: AsOf) throws -> RunDetail? {
        let run = try read { view -> Run? in
            guard let now = try view.run(id, of: team) else { return nil }
            return try past(of: AnyID(id), from: now.touched.position, moment, view)
                .run(id, of: team)
        }
        return try run.map { try detail($0) }
    }

    /// A state made from the entries about the object alone, up to the moment: the object in it is
    /// as it was then. `apply` reads nothing else for it.
    private func past(
        of object: AnyID, from last: Position, _ moment: AsOf, _ view: borrowing View
    ) throws -> MemoryState {
        let limit = settings.historyWork
        var entries: [Entry] = []
        var looked = 0
        try view.history(of: object, from: last) { entry in
            looked += 1
            guard looked <= limit else { throw HistoryTooLong(limit: limit) }
            let isPast =
                switch moment {
                case .position(let position): entry.header.position <= position
                case .instant(let instant): entry.header.recordedAt <= instant
                }
            if isPast { entries.append(entry) }
            return true
        }
        var state = MemoryState()
        for entry in entries.reversed() { apply(entry, to: &state) }
        return state
    }
}

extension Entry {
    /// The bytes of the definitions in it: all else in an entry is small.
    fileprivate var definitionBytes: Int {
        events.reduce(0) { sum, event in
            switch event {
            case .workflowCreated(let created): sum + created.definition.bytes.count
            case .draftEdited(let edited): sum + edited.definition.bytes.count
            default: sum
            }
        }
    }
}
