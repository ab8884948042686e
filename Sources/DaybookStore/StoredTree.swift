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
    ///
    /// - Parameter leaves: those of the last 256 entries, where they are known; they are read otherwise.
    static func complete(
        _ position: Position, leaves: [[UInt8]]? = nil, _ tables: Tables,
        _ transaction: inout WriteTransaction
    ) throws {
        var level = step
        var size = width
        while position % size == 0 {
            let index = position / size - 1
            var hashes: [[UInt8]] = []
            hashes.reserveCapacity(Int(width))
            if level == step, let leaves {
                hashes = leaves
            } else if level == step {
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
