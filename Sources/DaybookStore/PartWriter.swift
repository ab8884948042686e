import DaybookCore
import Dispatch
import LMDB
import Synchronization

/// Writes the parts of a fold into the shadow: beside the fold where nobody else writes, otherwise in its
/// turn, with a pause after each transaction.
final class PartWriter: Sendable {
    private let store: Store
    private let pace: RebuildPace
    private let queue = DispatchQueue(label: "daybook-part-writer")
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
    func wait() { queue.sync {} }

    /// - Parameter between: is called after each transaction where it writes in its turn.
    func write(_ part: consuming FoldPart, _ between: () throws -> Void) throws {
        guard pace.isAlone else { return try commit(part, between) }
        // One part at a time: they are large.
        wait()
        let part = part
        queue.async { [self] in
            guard failure == nil else { return }
            do { try commit(part) {} } catch { keep(error) }
        }
    }

    private func commit(_ part: consuming FoldPart, _ between: () throws -> Void) throws {
        var changes: [Fold.Change] = []
        func flush() throws {
            var shadow = try store.beginShadow()
            shadow.write(changes[...])
            try shadow.commit()
            changes = []
            try between()
        }
        try part.forEach { change in
            changes.append(change)
            if changes.count >= pace.rows { try flush() }
        }
        try flush()
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
