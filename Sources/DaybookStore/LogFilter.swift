import DaybookCore

// The filter over the log, and moments in it.
extension View {
    package borrowing func matches(_ entry: Entry, _ filter: LogFilter) throws -> Bool {
        let header = entry.header
        if let team = filter.team, header.team != team { return false }
        if let command = filter.command, header.command != command { return false }
        if let from = filter.from, header.recordedAt < from { return false }
        if let to = filter.to, to <= header.recordedAt { return false }
        if let actor = filter.actor {
            let text = header.actor.description
            guard text == actor || text.hasPrefix(actor + ":") else { return false }
        }
        if let event = filter.event, !entry.events.contains(where: { $0.name == event }) {
            return false
        }
        let objects = entry.events.flatMap(\.touches).map(\.object)
        if let schedule = filter.schedule, !objects.contains(AnyID(schedule)) { return false }
        if let run = filter.run, !objects.contains(AnyID(run)) { return false }
        if let workflow = filter.workflow {
            guard let team = header.team else { return false }
            return try objects.contains { object in
                try object == AnyID(workflow)
                    || run(RunID(object), of: team)?.workflow == workflow
                    || schedule(ScheduleID(object), of: team)?.workflow == workflow
            }
        }
        return true
    }

    /// The position of the last entry recorded at or before `instant`; 0 where there is none.
    package borrowing func lastPosition(recordedBy instant: Instant) throws -> Position {
        var (low, high) = (Position(0), try lastPosition())
        while low < high {
            let middle = low + (high - low + 1) / 2
            if try entry(at: middle).header.recordedAt <= instant {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return low
    }
}
