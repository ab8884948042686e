import DaybookCore
import Dispatch
import LMDB
import Synchronization

/// Writes the parts of a fold into the shadow: beside the fold, and one after the other's rows are made, where nobody
/// else writes; otherwise in its turn, with a pause after each transaction.
final class PartWriter: Sendable {
    private let store: Store
    private let pace: RebuildPace
    private let makingRows = DispatchQueue(label: "daybook-part-rows")
    private let committing = DispatchQueue(label: "daybook-part-writer")
    private let firstFailure = Mutex<(any Error)?>(nil)

    init(store: Store, pace: RebuildPace) {
        self.store = store
        self.pace = pace
    }

    /// The first error of a write or a read.
    var failure: (any Error)? { firstFailure.withLock { $0 } }

    private func keep(_ error: any Error) {
        firstFailure.withLock { $0 = $0 ?? error }
    }

    /// Returns when everything that was given has been written.
    func wait() {
        makingRows.sync {}
        committing.sync {}
    }

    /// - Parameter between: is called after each transaction where it writes in its turn.
    func write(_ part: consuming FoldPart, _ between: () throws -> Void) throws {
        guard pace.isAlone else { return try commit(part.edits(), between) }
        // One part at each stage: they are large.
        makingRows.sync {}
        let part = part
        makingRows.async { [self] in
            let edits = part.edits()
            committing.sync {}
            committing.async { [self] in
                guard failure == nil else { return }
                do { try commit(edits) {} } catch { keep(error) }
            }
        }
    }

    private func commit(_ edits: [Fold.TableEdits], _ between: () throws -> Void) throws {
        var table = 0
        var row = 0
        while table < edits.count {
            var shadow = try store.beginShadow()
            var left = pace.rows
            while table < edits.count, left > 0 {
                let range = row..<min(row + left, edits[table].rows.count)
                shadow.write(edits[table], range)
                left -= range.count
                row = range.upperBound
                if row == edits[table].rows.count { (table, row) = (table + 1, 0) }
            }
            try shadow.commit()
            try between()
        }
    }

    /// A row that was written; nothing where it can't be read, which is kept as the failure.
    func read<Row>(_ body: (borrowing View) throws -> Row?) -> Row? {
        wait()
        guard failure == nil else { return nil }
        do {
            return try store.readShadow(body)
        } catch {
            keep(error)
            return nil
        }
    }
}
