import DaybookCore
import LMDB

/// Which payloads are there to be erased, and what erased those that are gone.
extension View {
    /// Every payload that the target's entries brought and that is still there, and the last of these
    /// entries; `nil` where there is no such thing.
    package borrowing func erasable(
        _ target: ErasureTarget, of team: TeamID
    ) throws -> (payloads: [PayloadLocation], seen: Position)? {
        var (schedule, run): (Schedule?, Run?)
        switch target {
        case .schedule(let id):
            schedule = try self.schedule(id, of: team)
            guard schedule != nil else { return nil }
            run = try schedule?.run.flatMap { try self.run($0, of: team) }
        case .run(let id):
            run = try self.run(id, of: team)
            guard run != nil else { return nil }
            schedule = try run?.schedule.flatMap { try self.schedule($0, of: team) }
        case .refusal(let trigger, let id):
            guard let refusal = try refusal(id, of: trigger, team: team) else { return nil }
            let isErased = try eraser(of: refusal.body) != nil
            return (isErased ? [] : [refusal.body], refusal.touched.position)
        }
        var payloads: Set<PayloadLocation> = []
        if let schedule {
            try gather(AnyID(schedule.id), from: schedule.touched.position, into: &payloads)
        }
        if let run { try gather(AnyID(run.id), from: run.touched.position, into: &payloads) }
        let sorted = payloads.sorted {
            $0.position != $1.position ? $0.position < $1.position : $0.event < $1.event
        }
        return (
            sorted, max(schedule?.touched.position ?? 0, run?.touched.position ?? 0)
        )
    }

    private borrowing func gather(
        _ object: AnyID, from last: Position, into payloads: inout Set<PayloadLocation>
    ) throws {
        func add(_ location: PayloadLocation) throws {
            if try eraser(of: location) == nil { payloads.insert(location) }
        }
        try history(of: object, from: last) { entry in
            let position = entry.header.position
            for (index, event) in entry.events.enumerated() {
                if event.payload != nil, event.touches.first?.object == object {
                    try add(PayloadLocation(position: position, event: index))
                }
                // The message that it was made from is kept as it came.
                if case .refusalRetried(let retried) = event, let team = entry.header.team,
                    let refusal = try refusal(retried.refusal, of: retried.trigger, team: team)
                {
                    try add(refusal.body)
                }
            }
            // Receivers that were told of it may have answered with it.
            guard let team = entry.header.team, entry.events.contains(where: { $0.action != nil })
            else { return true }
            for delivery in try deliveries(of: team, about: position) {
                try history(of: AnyID(delivery.id), from: delivery.touched.position) { entry in
                    for (index, event) in entry.events.enumerated()
                    where event.payload != nil && event.touches.first?.object == AnyID(delivery.id)
                    {
                        try add(PayloadLocation(position: entry.header.position, event: index))
                    }
                    return true
                }
            }
            return true
        }
    }

    /// The entry that erased the payload; `nil` where it is there.
    borrowing func eraser(of location: PayloadLocation) throws -> Position? {
        let value = try transaction.get(tables.payloads, Keys.payload(location, chunk: 0))
        guard let value, value.count == PayloadChunks.erasedByteCount else { return nil }
        var reader = ByteReader(value)
        return try reader.uint64()
    }

    /// What is wrong with an erased payload: the entry that is named must say so, unless it came after the
    /// end of the log that this one was restored from up to a position.
    borrowing func mistakeOfErasure(
        _ location: PayloadLocation, last: Position
    ) throws -> String? {
        guard let position = try eraser(of: location), position != PayloadChunks.elsewhere else {
            return nil
        }
        guard position <= last else {
            return
                "the payload of event \(location.event) is erased by entry \(position), which is not there"
        }
        let events = position > location.position ? try entry(at: position).events : []
        let isTold = events.contains { event in
            guard case .payloadsErased(let erased) = event else { return false }
            return erased.payloads.contains(location)
        }
        return isTold
            ? nil
            : "the payload of event \(location.event) is erased, and entry \(position) does not say so"
    }
}
