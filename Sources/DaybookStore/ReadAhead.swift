import DaybookCore
import Dispatch
import Foundation
import LMDB
import Synchronization

/// Reads and verifies the log ahead of a rebuild, on a thread of its own, and decodes it on others: three batches at
/// most.
final class ReadAhead: Sendable {
    struct Batch: Sendable {
        var entries: [Entry] = []
        /// The rows of table `tree` that these entries complete.
        var tree: [StoredTree.Row] = []
    }

    /// Verified bytes of entries, from one position on, in one piece of memory.
    private struct Bytes: Sendable {
        let first: Position
        var bytes: [UInt8] = []
        /// Where each entry ends in `bytes`.
        var ends: [Int] = []
        var tree: [StoredTree.Row] = []

        func decoded() throws -> Batch {
            var batch = Batch(tree: tree)
            batch.entries.reserveCapacity(ends.count)
            var start = 0
            for (index, end) in ends.enumerated() {
                batch.entries.append(
                    try VerifiedEntry.decode(
                        bytes.span.bytes.extracting(start..<end), at: first + Position(index)))
                start = end
            }
            return batch
        }
    }

    /// A batch that is being decoded.
    private final class Pending: Sendable {
        private let result = Mutex<Result<Batch, any Error>?>(nil)
        private let isDone = DispatchSemaphore(value: 0)

        func set(_ new: Result<Batch, any Error>) {
            result.withLock { $0 = new }
            isDone.signal()
        }

        /// To be called once.
        func get() throws -> Batch {
            isDone.wait()
            guard let result = result.withLock({ $0.take() }) else {
                preconditionFailure("what is signalled was set")
            }
            return try result.get()
        }
    }

    private struct State {
        var batches: [Pending] = []
        var isEnded = false
    }

    private static let depth = 3
    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)
    // Made with 0: Dispatch traps when one goes with less than it was made with.
    private let free = DispatchSemaphore(value: 0)
    private let gone = DispatchSemaphore(value: 0)

    /// Reads from the first entry on, up to the end of the log as each batch finds it.
    ///
    /// - Parameters:
    ///   - batchSize: how many entries a batch has.
    ///   - maximumBytes: a batch ends at about so many: definitions can be large.
    init(_ store: Store, batchSize: Int, maximumBytes: Int = 16 << 20) {
        for _ in 0..<Self.depth { free.signal() }
        let thread = Thread { [self] in
            defer { gone.signal() }
            var position: Position = 1
            var tree = StoredTree.Growth()
            while true {
                free.wait()
                guard !state.withLock(\.isEnded) else { return }
                let pending = Pending()
                state.withLock { $0.batches.append(pending) }
                filled.signal()
                do {
                    let bytes = try Self.read(
                        store, from: position, batchSize, maximumBytes, &tree)
                    guard !bytes.ends.isEmpty else { return pending.set(.success(Batch())) }
                    position += Position(bytes.ends.count)
                    DispatchQueue.global().async { pending.set(Result { try bytes.decoded() }) }
                } catch {
                    return pending.set(.failure(error))
                }
            }
        }
        thread.name = "daybook-read-ahead"
        thread.start()
    }

    /// The next entries; none at the end of the log. Not to be called again after that, nor after a throw.
    func next() throws -> Batch {
        filled.wait()
        let pending = state.withLock { $0.batches.removeFirst() }
        defer { free.signal() }
        return try pending.get()
    }

    /// Nothing more is wanted: returns when nothing is read any more. To be called once.
    func end() {
        state.withLock { $0.isEnded = true }
        free.signal()
        gone.wait()
    }

    private static func read(
        _ store: Store, from first: Position, _ count: Int, _ maximumBytes: Int,
        _ tree: inout StoredTree.Growth
    ) throws -> Bytes {
        var batch = Bytes(first: first)
        batch.ends.reserveCapacity(count)
        try store.read { view in
            try view.verifiedBytes(from: first) { position, bytes, leaf in
                batch.bytes.append(copying: bytes)
                batch.ends.append(batch.bytes.count)
                batch.tree += tree.add(leaf, at: position)
                return batch.ends.count < count && batch.bytes.count < maximumBytes
            }
        }
        return batch
    }
}
