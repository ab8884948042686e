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
        var leaves: [[UInt8]] = []
        for verified in entries {
            let position = verified.entry.header.position
            apply(verified.entry, to: &self)
            if position % StoredTree.width == 1 { leaves.removeAll(keepingCapacity: true) }
            leaves.append(verified.leaf)
            attempt { batch in
                try StoredTree.complete(
                    position, batch.tables, &batch.transaction, known: leaves)
            }
        }
        return serviceState.position
    }

    /// Writes these of the rows that a fold gives, into tables that nothing else writes.
    mutating func write(_ edits: Fold.TableEdits, _ range: Range<Int>) {
        attempt { try $0.transaction.change($0.tables[edits.table], edits.rows, range) }
    }

    /// From now on the projections have seen what the fold has.
    mutating func end(_ fold: Fold) {
        attempt { batch in
            try batch.transaction.put(
                batch.tables.meta, batch.tables.serviceKey, fold.service().rowBytes)
        }
    }
}
