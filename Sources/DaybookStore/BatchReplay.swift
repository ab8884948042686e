import DaybookCore
import LMDB

extension Batch {
    /// Applies the next entries of the log that the projections have not seen, at most `count`,
    /// each verified; returns the position reached.
    mutating func replay(count: Int) -> Position {
        guard firstError.error == nil else { return serviceState.position }
        var entries: [VerifiedEntry] = []
        do {
            try transaction.records(tables.log, from: serviceState.position + 1) { entry in
                entries.append(entry)
                return entries.count < count
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

    /// Writes these of the rows that a fold gives, into tables that nothing else writes.
    mutating func write(_ changes: Fold.TableEdits, _ range: Range<Int>) {
        attempt { try $0.transaction.change($0.tables[changes.table], changes.rows, range) }
    }

    /// From now on the projections have seen what the fold has.
    mutating func end(_ fold: Fold) {
        attempt { batch in
            try batch.transaction.put(
                batch.tables.meta, batch.tables.serviceKey, fold.service().rowBytes)
        }
    }
}
