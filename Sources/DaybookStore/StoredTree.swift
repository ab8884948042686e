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
    /// - Parameter known: the leaves up to `position` that need not be read again, the last one last.
    static func complete(
        _ position: Position, _ tables: Tables, _ transaction: inout WriteTransaction,
        known: [[UInt8]] = []
    ) throws {
        var level = step
        var size = width
        while position % size == 0 {
            let index = position / size - 1
            var hashes: [[UInt8]] = []
            hashes.reserveCapacity(Int(width))
            if level == step {
                hashes = known.suffix(Int(width))
                let missing = width - Position(hashes.count)
                if missing > 0 {
                    let first = position - width + 1
                    hashes.insert(
                        contentsOf: try leaves(
                            from: first, to: first + missing - 1, tables, transaction), at: 0)
                }
            } else {
                let first = index * width
                try transaction.scan(
                    tables.tree, from: key(level - step, first),
                    to: key(level - step, first + width)
                ) { found, value in
                    guard found == key(level - step, first + UInt64(hashes.count)) else {
                        throw LogError.damagedProjection("tree")
                    }
                    hashes.append(value)
                    return true
                }
            }
            guard hashes.count == Int(width) else { throw LogError.damagedProjection("tree") }
            try transaction.put(tables.tree, key(level, index), Merkle.fold(Array(hashes.joined())))
            level += step
            size *= width
        }
    }

    /// The leaves of the entries, each of which follows the chain.
    static func leaves(
        from first: Position, to last: Position, _ tables: Tables,
        _ transaction: borrowing some ReadAccess & ~Copyable
    ) throws -> [[UInt8]] {
        var leaves: [[UInt8]] = []
        try transaction.followChain(tables.log, from: first, to: last) { _, _, leaf in
            leaves.append(Array(copying: leaf))
            return true
        }
        return leaves
    }

    struct Row: Sendable {
        let key: [UInt8]
        let hash: [UInt8]
    }

    /// The same for a rebuild, which sees every leaf in its order.
    struct Growth {
        /// The hashes of each stored height that no row covers yet, leaves first; those of a height one behind the other.
        private var open: [[UInt8]] = [[]]

        /// The root over all leaves so far.
        var root: [UInt8] {
            var root: [UInt8] = []
            for hashes in open where !hashes.isEmpty {
                // Each height is a tree of its own, the next higher one stands to its left.
                root = Merkle.fold(hashes + root)
            }
            return root.isEmpty ? Merkle.empty : root
        }

        /// The rows that the leaf completes.
        mutating func add(_ leaf: Span<UInt8>, at position: Position) -> [Row] {
            open[0].append(copying: leaf)
            var rows: [Row] = []
            var height = 0
            var size = width
            while open[height].count == Int(width) * Merkle.byteCount {
                let hash = Merkle.fold(open[height])
                rows.append(Row(key: key((height + 1) * step, position / size - 1), hash: hash))
                open[height] = []
                if open.count == height + 1 { open.append([]) }
                open[height + 1] += hash
                height += 1
                size *= width
            }
            return rows
        }
    }
}

extension View: MerkleTree {
    package borrowing func subtree(_ level: Int, _ index: UInt64) throws -> [UInt8] {
        if level < StoredTree.step {
            // The leaves themselves, each verified.
            let first = index << UInt64(level) + 1
            let last = first + 1 << UInt64(level) - 1
            let leaves = try StoredTree.leaves(from: first, to: last, tables, transaction)
            return Merkle.fold(Array(leaves.joined()))
        }
        if level % StoredTree.step == 0 {
            guard let hash = try transaction.get(tables.tree, StoredTree.key(level, index)) else {
                throw LogError.damagedProjection(tables.tree.name)
            }
            return hash
        }
        return Merkle.node(try subtree(level - 1, 2 * index), try subtree(level - 1, 2 * index + 1))
    }

    /// The root over the leaves of the log alone, whatever the stored rows say. Reads all of it.
    borrowing func rootOfLeaves(_ size: Position) throws -> [UInt8] {
        var growth = StoredTree.Growth()
        var position: Position = 0
        while position < size {
            let last = min(position + StoredTree.width, size)
            for leaf in try StoredTree.leaves(
                from: position + 1, to: last, tables, transaction)
            {
                position += 1
                _ = growth.add(leaf.span, at: position)
            }
        }
        return growth.root
    }

    /// What the log is at a size that it has reached.
    package borrowing func checkpoint(of size: Position) throws -> Checkpoint {
        Checkpoint(
            origin: Checkpoint.origin(of: try service().logID), size: size,
            root: try root(of: size))
    }
}
