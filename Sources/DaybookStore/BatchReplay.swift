import DaybookCore
import LMDB

extension Batch {
    /// Applies the next entries of the log that the projections have not seen, at most `count`,
    /// each verified; returns the position reached.
    mutating func replay(count: Int) -> Position {
        guard firstError.error == nil else { return serviceState.position }
        var entries: [VerifiedEntry] = []
        do {
            var previous = Chain.start
            if serviceState.position > 0 {
                let key = Keys.position(serviceState.position)
                guard let value = try transaction.get(tables.log, key),
                    let record = LogRecord(value: value)
                else { throw LogError.missing(serviceState.position) }
                previous = record.chain
            }
            var position = serviceState.position + 1
            try transaction.scan(tables.log, from: Keys.position(position), to: nil) {
                key, value in
                guard entries.count < count else { return false }
                entries.append(try View.verify(key, value, at: position, after: &previous))
                position += 1
                return true
            }
        } catch {
            firstError.keep(error)
            return serviceState.position
        }
        return replay(entries)
    }

    /// Applies entries of the log, the first of which is the next one that the projections have not seen.
    mutating func replay(_ entries: [VerifiedEntry]) -> Position {
        guard firstError.error == nil, let first = entries.first else {
            return serviceState.position
        }
        precondition(first.entry.header.position == serviceState.position + 1)
        for verified in entries {
            apply(verified.entry, to: &self)
            attempt { batch in
                try StoredTree.complete(
                    verified.entry.header.position, batch.tables, &batch.transaction)
            }
        }
        return serviceState.position
    }

    /// Writes what a fold gives, into tables that nothing else writes.
    mutating func write(_ changes: ArraySlice<Fold.Change>) {
        attempt { batch in
            for change in changes {
                let table = batch.tables[change.table]
                if let value = change.value {
                    try batch.transaction.put(table, change.key, value)
                } else {
                    _ = try batch.transaction.delete(table, change.key)
                }
            }
        }
    }

    /// From now on the projections have seen what the fold has.
    mutating func end(_ fold: Fold) {
        attempt { batch in
            try batch.transaction.put(
                batch.tables.meta, batch.tables.serviceKey, fold.service().rowBytes)
        }
    }
}
