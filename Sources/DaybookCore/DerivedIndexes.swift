// What the indexes hold of a row, apart from who starts next: it follows from the row alone.

extension IndexEntry {
    /// Tells which entries come and go where what they are made of has changed; `nil` has none.
    package static func change<Value: Equatable>(
        from old: Value?, to new: Value?, _ change: (IndexEntry, _ isThere: Bool) -> Void,
        _ entry: (Value) -> IndexEntry
    ) {
        guard old != new else { return }
        if let old { change(entry(old), false) }
        if let new { change(entry(new), true) }
    }
}

extension Schedule {
    /// Tells which entries of lists and of due moments come and go where `old` has become this; `nil`: it is new.
    package func changeIndexes(
        from old: Schedule?, _ change: (IndexEntry, _ isThere: Bool) -> Void
    ) {
        IndexEntry.change(from: old?.status, to: status, change) {
            .schedule(.byStatus(team, $0, id))
        }
        IndexEntry.change(from: old?.scheduledTime, to: scheduledTime, change) {
            .schedule(.byTime(team, $0, id))
        }
        if old == nil { change(.schedule(.byWorkflow(team, workflow, id)), true) }
        IndexEntry.change(from: old?.dueMoment, to: dueMoment, change) { .due($0) }
    }

    /// The moment that a pending schedule waits for. Its revision is part of it: a timer armed for
    /// an earlier one finds nothing.
    package var dueMoment: Due? {
        guard status == .pending else { return nil }
        return Due(
            instant: scheduledTime, kind: .schedule, team: team, id: AnyID(id),
            revision: revision)
    }
}

extension Run {
    /// Tells which entries of lists and of due moments come and go where `old` has become this; `nil`: it is new.
    package func changeIndexes(from old: Run?, _ change: (IndexEntry, _ isThere: Bool) -> Void) {
        if old == nil { change(.run(.byWorkflow(team, workflow, id)), true) }
        let isUnfinished = !status.isFinal
        if old.map({ !$0.status.isFinal }) ?? false != isUnfinished {
            change(.run(.unfinished(team, id)), isUnfinished)
        }
        let isInProgress = status == .inProgress
        if (old?.status == .inProgress) != isInProgress {
            change(.run(.inProgress(team, workflow, id)), isInProgress)
        }
        let (before, after) = (old?.dueMoments ?? [], dueMoments)
        for due in before where !after.contains(due) { change(.due(due), false) }
        for due in after where !before.contains(due) { change(.due(due), true) }
    }

    /// The moments that an unfinished run waits for.
    package var dueMoments: [Due] {
        func due(_ kind: Due.Kind, at instant: Instant?) -> Due? {
            instant.map {
                Due(
                    instant: $0, kind: kind, team: team, id: AnyID(id),
                    revision: UInt64(attempt))
            }
        }
        let moments: [Due?] =
            switch status {
            case .queued:
                [due(.runExpiry, at: canExpire ? expiresAt : nil), due(.retry, at: notBefore)]
            case .inProgress:
                [due(.runDeadline, at: deadline), due(.leaseEnd, at: leaseEndsAt)]
            case .completed, .failed, .cancelled: []
            }
        return moments.compactMap(\.self)
    }
}

extension Delivery {
    /// Tells which entries of lists come and go where `old` has become this; `nil`: it is new.
    package func changeIndexes(
        from old: Delivery?, _ change: (IndexEntry, _ isThere: Bool) -> Void
    ) {
        if old == nil { change(.delivery(.bySubscription(team, subscription, id)), true) }
        IndexEntry.change(from: old?.waitingPlace, to: waitingPlace, change) { .delivery($0) }
    }
}
