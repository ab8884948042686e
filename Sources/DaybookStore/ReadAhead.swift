import DaybookCore
import Dispatch
import Foundation
import Synchronization

/// Reads, verifies and decodes the log ahead of a rebuild, on a thread of its own: two batches at most.
final class ReadAhead: Sendable {
    struct Batch: Sendable {
        var entries: [Entry] = []
        /// The rows of table `tree` that these entries complete.
        var tree: [StoredTree.Row] = []
    }

    private struct State {
        var batches: [Result<Batch, any Error>] = []
        var isEnded = false
    }

    private static let depth = 2
    /// A batch ends at about so many bytes: definitions can be large.
    private static let maximumBytes = 16 << 20

    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)
    // Made with 0: Dispatch traps when one goes with less than it was made with.
    private let free = DispatchSemaphore(value: 0)
    private let gone = DispatchSemaphore(value: 0)

    /// Reads from the first entry on, up to the end of the log as each batch finds it.
    init(_ store: Store, batchSize: Int) {
        for _ in 0..<Self.depth { free.signal() }
        let thread = Thread { [self] in
            defer { gone.signal() }
            var position: Position = 0
            var tree = StoredTree.Growth()
            while true {
                free.wait()
                guard !state.withLock(\.isEnded) else { return }
                let batch = Result {
                    try Self.read(store, after: position, batchSize, &tree)
                }
                state.withLock { $0.batches.append(batch) }
                filled.signal()
                guard let last = try? batch.get().entries.last else { return }
                position = last.header.position
            }
        }
        thread.name = "daybook-read-ahead"
        thread.start()
    }

    /// The next entries; none at the end of the log. Not to be called again after that, nor after a throw.
    func next() throws -> Batch {
        filled.wait()
        let batch = state.withLock { $0.batches.removeFirst() }
        free.signal()
        return try batch.get()
    }

    /// Nothing more is wanted: returns when nothing is read any more. To be called once.
    func end() {
        state.withLock { $0.isEnded = true }
        free.signal()
        gone.wait()
    }

    private static func read(
        _ store: Store, after position: Position, _ count: Int, _ tree: inout StoredTree.Growth
    ) throws -> Batch {
        var batch = Batch()
        var bytes = 0
        batch.entries.reserveCapacity(count)
        try store.read { view in
            try view.records(from: position + 1) { verified in
                let entry = verified.entry
                batch.entries.append(entry)
                batch.tree += tree.add(verified.leaf, at: entry.header.position)
                bytes += verified.bytes.count
                return batch.entries.count < count && bytes < maximumBytes
            }
        }
        return batch
    }
}
