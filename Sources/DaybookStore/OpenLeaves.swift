import DaybookCore
import Synchronization

/// The leaves at the end of the log that no row of table `tree` covers yet, as far as they are known: so
/// that their entries need not be read and hashed again when the row is written.
struct OpenLeaves: Sendable {
    /// Of the last entry: leaves are those of the log that ends with it, and of no other one.
    private(set) var chain: [UInt8]
    /// The last one last; at most `StoredTree.width`.
    private(set) var leaves: [[UInt8]] = []

    init(after chain: [UInt8]) {
        self.chain = chain
    }

    mutating func add(_ leaf: [UInt8], chain: [UInt8], at position: Position) {
        if position % StoredTree.width == 1 { leaves.removeAll(keepingCapacity: true) }
        leaves.append(leaf)
        self.chain = chain
    }
}

/// The open leaves from one batch to the next.
final class KeptLeaves: Sendable {
    private let kept = Mutex<OpenLeaves?>(nil)

    /// The leaves of the log that ends with this chain hash.
    func leaves(after chain: [UInt8]) -> OpenLeaves? {
        kept.withLock { kept in
            // One owner at a time: what it adds is not copied.
            defer { kept = nil }
            return kept?.chain == chain ? kept : nil
        }
    }

    func keep(_ leaves: OpenLeaves) { kept.withLock { $0 = leaves } }
}
