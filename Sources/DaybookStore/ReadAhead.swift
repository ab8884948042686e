import DaybookCore
import Dispatch
import Foundation
import Synchronization

/// Reads, verifies and decodes the log ahead of a replay, on a thread of its own: two batches at most.
final class ReadAhead: Sendable {
    private struct State {
        var batches: [Result<[VerifiedEntry], any Error>] = []
        var isEnded = false
    }

    private static let depth = 2

    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)
    // Made with 0: Dispatch traps when one goes with less than it was made with.
    private let free = DispatchSemaphore(value: 0)
    private let gone = DispatchSemaphore(value: 0)

    /// - Parameter position: the entries after it are read, up to the end of the log as each batch finds it.
    init(_ store: Store, after position: Position, batchSize: Int) {
        for _ in 0..<Self.depth { free.signal() }
        let thread = Thread { [self] in
            defer { gone.signal() }
            var position = position
            while true {
                free.wait()
                guard !state.withLock(\.isEnded) else { return }
                let batch = Result { try Self.read(store, after: position, batchSize) }
                state.withLock { $0.batches.append(batch) }
                filled.signal()
                guard let last = try? batch.get().last else { return }
                position = last.entry.header.position
            }
        }
        thread.name = "daybook-read-ahead"
        thread.start()
    }

    /// The next entries; none at the end of the log. Not to be called again after that, nor after a throw.
    func next() throws -> [VerifiedEntry] {
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
        _ store: Store, after position: Position, _ count: Int
    ) throws -> [VerifiedEntry] {
        var entries: [VerifiedEntry] = []
        entries.reserveCapacity(count)
        try store.read { view in
            try view.records(from: position + 1) { entry in
                entries.append(entry)
                return entries.count < count
            }
        }
        return entries
    }
}
