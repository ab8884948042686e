import DaybookCore
import Dispatch
import Synchronization

/// What a batch is about to append to the log: entries become bytes and hashes beside the writer where there are many.
final class LogTail: Sendable {
    /// A value of the table `log`, and what the tree and the next entry need of it.
    struct Row: Sendable {
        let position: Position
        let record: LogRecord
        let leaf: [UInt8]

        init(_ position: Position, _ bytes: [UInt8], after chain: [UInt8]) {
            self.position = position
            leaf = Chain.leaf(bytes)
            record = LogRecord(entry: bytes, leaf: leaf, after: chain)
        }
    }

    private struct State {
        var chain: [UInt8]
        var rows: [Row] = []

        mutating func encode(_ entries: [Entry]) {
            for entry in entries {
                add(EntryCodec.encode(entry), at: entry.header.position)
            }
        }

        mutating func add(_ bytes: [UInt8], at position: Position) {
            let row = Row(position, bytes, after: chain)
            chain = row.record.chain
            rows.append(row)
        }
    }

    /// So many entries are worth handing over: each takes a few microseconds.
    static let piece = 64

    private let state: Mutex<State>
    private let encoder = DispatchQueue(label: "daybook-encoder")

    /// - Parameter chain: the chain hash of the last entry in the log.
    init(after chain: [UInt8]) {
        state = Mutex(State(chain: chain))
    }

    /// Begins to make these entries, the next ones, into rows.
    func encodeBeside(_ entries: [Entry]) {
        encoder.async { [self] in state.withLock { $0.encode(entries) } }
    }

    /// All rows that were not taken yet, these entries the last ones.
    func takeRows(and entries: [Entry]) -> [Row] {
        encoder.sync {}
        return state.withLock { state in
            state.encode(entries)
            defer { state.rows = [] }
            return state.rows
        }
    }

    /// Adds an entry whose bytes are there already, after all others.
    func add(_ bytes: [UInt8], at position: Position) {
        encoder.sync {}
        state.withLock { $0.add(bytes, at: position) }
    }
}
