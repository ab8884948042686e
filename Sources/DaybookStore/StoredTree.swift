import DaybookCore
import LMDB

/// What of the Merkle tree is stored: the hash of every whole subtree of 256, 256², 256³, … leaves, in
/// table `tree`. All else is folded from these and from the entries, at most 256 of each height.
enum StoredTree {
    /// Levels between two stored heights.
    static let step = 8
    static let width = UInt64(1) << UInt64(step)

    static func key(_ level: Int, _ index: UInt64) -> [UInt8] {
        var writer = ByteWriter(capacity: 9)
        writer.byte(UInt8(level / step))
        writer.uint64(index)
        return writer.bytes
    }

    /// Writes the rows that the entry at `position` completes, each made of those before.
    static func complete(
        _ position: Position, _ tables: Tables, _ transaction: inout WriteTransaction
    ) throws {
        var level = step
        var size = width
        while position % size == 0 {
            let index = position / size - 1
            var hashes: [[UInt8]] = []
            hashes.reserveCapacity(Int(width))
            if level == step {
                let first = position - width + 1
                try transaction.scan(tables.log, from: Keys.position(first), to: nil) { _, value in
                    guard let record = LogRecord(value: value) else {
                        throw LogError.damaged(first + Position(hashes.count))
                    }
                    hashes.append(Chain.leaf(record.entry))
                    return hashes.count < Int(width)
                }
            } else {
                try transaction.scan(
                    tables.tree, from: key(level - step, index * width), to: nil
                ) { _, value in
                    hashes.append(value)
                    return hashes.count < Int(width)
                }
            }
            guard hashes.count == Int(width) else { throw LogError.damagedProjection("tree") }
            try transaction.put(tables.tree, key(level, index), Merkle.fold(hashes))
            level += step
            size *= width
        }
    }

    /// The same for a rebuild, which sees every leaf in its order.
    struct Growth {
        /// The hashes of each stored height that no row covers yet, leaves first.
        private var open: [[[UInt8]]] = [[]]

        /// The rows that the leaf completes.
        mutating func add(_ leaf: [UInt8], at position: Position) -> [Fold.Change] {
            open[0].append(leaf)
            var rows: [Fold.Change] = []
            var height = 0
            var size = width
            while open[height].count == Int(width) {
                let hash = Merkle.fold(open[height])
                rows.append(
                    Fold.Change(
                        table: .tree, key: key((height + 1) * step, position / size - 1),
                        value: hash))
                open[height] = []
                if open.count == height + 1 { open.append([]) }
                open[height + 1].append(hash)
                height += 1
                size *= width
            }
            return rows
        }
    }
}

extension View: MerkleTree {
    package borrowing func subtree(_ level: Int, _ index: UInt64) throws -> [UInt8] {
        if level == 0 { return Chain.leaf(try record(at: index + 1).entry) }
        if level % StoredTree.step == 0 {
            guard let hash = try transaction.get(tables.tree, StoredTree.key(level, index)) else {
                throw LogError.damagedProjection(tables.tree.name)
            }
            return hash
        }
        return Merkle.node(try subtree(level - 1, 2 * index), try subtree(level - 1, 2 * index + 1))
    }

    /// What the log is at a size that it has reached.
    package borrowing func checkpoint(of size: Position) throws -> Checkpoint {
        Checkpoint(
            origin: Checkpoint.origin(of: try service().logID), size: size,
            root: try root(of: size))
    }
}
