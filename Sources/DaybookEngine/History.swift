import DaybookCore
import DaybookStore

/// A part of the log.
package struct LogPage: Sendable {
    package let entries: [Entry]
    /// Nothing that was asked for is missing up to here: the next page begins after it.
    package let through: Position
}

/// A thing as it was.
package enum PastObject: Hashable, Sendable {
    case schedule(Schedule)
    case run(Run)
    /// With its versions, by number.
    case workflow(Workflow, [Version])
}

/// An entry about an object, and the object before and after it.
package struct HistoryItem: Sendable {
    package let entry: Entry
    package let before: PastObject?
    package let after: PastObject?
}

/// A part of an object's history, the last entry first.
package struct HistoryPage: Sendable {
    package let items: [HistoryItem]
    /// Whether the items show what the object was: not where it has too many entries to be followed.
    package let showsObjects: Bool
    /// The position that the next, older part begins at; `nil` at the object's beginning.
    package let next: Position?
}

/// Questions about what was. An object's history is walked back along the events about it.
extension Engine {
    /// The next entries after a position that the filter lets pass. Looks at a bounded amount of the
    /// log, over short snapshots between which others have their turn, so a page can hold fewer than
    /// `limit` and still not be the last.
    ///
    /// - Parameter payloads: whether payloads are to be shown, which fill a page too.
    package func log(
        after position: Position, _ filter: LogFilter, limit: Int, payloads: Bool = false
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
                        if payloads { bytes += entry.payloadBytes }
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
            let states = try states(of: object, at: entries, before: next, view)
            let items = entries.map { entry in
                HistoryItem(
                    entry: entry, before: states?[entry.header.position]?.before,
                    after: states?[entry.header.position]?.after)
            }
            return HistoryPage(items: items, showsObjects: states != nil, next: next)
        }
    }

    /// The object before and after each of these entries; `nil` where it has too many to be followed.
    private func states(
        of object: AnyID, at entries: [Entry], before next: Position?, _ view: borrowing View
    ) throws -> [Position: (before: PastObject?, after: PastObject?)]? {
        guard let team = entries.first?.header.team else { return nil }
        var walk = Walk(until: .max, limit: settings.historyWork)
        let older: [Entry]
        do {
            older = try next.map { try walk.entries(about: object, from: $0, view) } ?? []
        } catch is HistoryTooLong {
            return nil
        }
        var state = MemoryState()
        for entry in older.reversed() { apply(entry, to: &state) }
        var states: [Position: (before: PastObject?, after: PastObject?)] = [:]
        for entry in entries.reversed() {
            let before = state.object(object, of: team)
            apply(entry, to: &state)
            states[entry.header.position] = (before, state.object(object, of: team))
        }
        return states
    }
}

extension MemoryState {
    fileprivate func object(_ id: AnyID, of team: TeamID) -> PastObject? {
        if let schedule = schedule(ScheduleID(id), of: team) { return .schedule(schedule) }
        if let run = run(RunID(id), of: team) { return .run(run) }
        guard let workflow = workflow(WorkflowID(id), of: team) else { return nil }
        return .workflow(
            workflow,
            (0...workflow.lastVersion).compactMap { version($0, of: workflow.id, team: team) })
    }
}

extension Entry {
    fileprivate var payloadBytes: Int {
        events.reduce(0) { $0 + ($1.payload?.byteCount ?? 0) }
    }

    /// The bytes of the definitions in it: all else in an entry is small.
    fileprivate var definitionBytes: Int {
        events.reduce(0) { sum, event in
            switch event {
            case .workflowCreated(let created): sum + created.definition.bytes.count
            case .draftEdited(let edited): sum + edited.definition.bytes.count
            case .versionImported(let event): sum + event.version.definition.bytes.count
            default: sum
            }
        }
    }
}
