import DaybookCore
import LMDB
import Libcrypto

/// The Merkle tree of RFC 6962, section 2.1, over the leaves of the log. The leaf of the entry at
/// position p has the index p − 1.
package protocol MerkleTree: ~Copyable {
    /// The hash over the `2^level` leaves from `index · 2^level` on, all of which are there.
    borrowing func subtree(_ level: Int, _ index: UInt64) throws -> [UInt8]
}

package enum Merkle {
    /// The hash of a tree without leaves: SHA-256 of nothing.
    package static let empty = Array(copying: SHA256Stream().finalize().span)

    /// The bytes of a hash.
    static let byteCount = SHA256Stream.byteCount
    /// What the hash of two begins with.
    private static let nodeMark: [UInt8] = [1]

    package static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var hash = SHA256Stream()
        hash.update(nodeMark.span)
        hash.update(left.span)
        hash.update(right.span)
        return Array(copying: hash.finalize().span)
    }

    /// The root over hashes that stand one behind the other; where their number is odd, the last one is taken up as it
    /// is.
    static func fold(_ hashes: [UInt8]) -> [UInt8] {
        var level = hashes
        while level.count > byteCount {
            var end = 0
            for start in stride(from: 0, to: level.count, by: 2 * byteCount) {
                let two = start..<min(start + 2 * byteCount, level.count)
                if two.count == 2 * byteCount {
                    var hash = SHA256Stream()
                    hash.update(nodeMark.span)
                    hash.update(level.span.extracting(two))
                    level.overwrite(from: end, with: hash.finalize().span)
                } else {
                    level.replaceSubrange(end..<end + byteCount, with: level[two])
                }
                end += byteCount
            }
            level.removeLast(level.count - end)
        }
        return level
    }

    /// The greatest power of two below `count`, which is at least 2.
    fileprivate static func split(_ count: UInt64) -> UInt64 {
        1 << (UInt64.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    }
}

extension MerkleTree where Self: ~Copyable {
    /// The root of the tree of the first `size` leaves.
    package borrowing func root(of size: UInt64) throws -> [UInt8] {
        size == 0 ? Merkle.empty : try hash(0, size)
    }

    /// The hashes that lead from the leaf with this index to the root of the first `size`, from the
    /// leaf up.
    package borrowing func inclusion(of index: UInt64, in size: UInt64) throws -> [[UInt8]] {
        precondition(index < size, "the tree has no such leaf")
        var path: [[UInt8]] = []
        var (start, count) = (UInt64(0), size)
        while count > 1 {
            let left = Merkle.split(count)
            if index - start < left {
                path.append(try hash(start + left, count - left))
                count = left
            } else {
                path.append(try hash(start, left))
                start += left
                count -= left
            }
        }
        return path.reversed()
    }

    /// The hashes that show the tree of the first `old` leaves to be the beginning of the tree of the
    /// first `size`; none where the sizes are equal or `old` is 0.
    package borrowing func consistency(from old: UInt64, to size: UInt64) throws -> [[UInt8]] {
        precondition(old <= size, "the later tree is not smaller")
        guard old > 0, old < size else { return [] }
        var path: [[UInt8]] = []
        var (start, count) = (UInt64(0), size)
        // Whether what is left of the old tree is a subtree whose hash the old root shows already.
        var isWhole = true
        while old - start < count {
            let left = Merkle.split(count)
            if old - start <= left {
                path.append(try hash(start + left, count - left))
                count = left
            } else {
                path.append(try hash(start, left))
                start += left
                count -= left
                isWhole = false
            }
        }
        if !isWhole { path.append(try hash(start, count)) }
        return path.reversed()
    }

    /// The hash over `count` leaves from `start` on, a multiple of the power of two that covers them.
    private borrowing func hash(_ start: UInt64, _ count: UInt64) throws -> [UInt8] {
        if count & (count - 1) == 0 {
            let level = count.trailingZeroBitCount
            return try subtree(level, start >> UInt64(level))
        }
        let left = Merkle.split(count)
        return Merkle.node(try hash(start, left), try hash(start + left, count - left))
    }
}

// Verification, as RFC 9162 spells it out for the same tree.
extension Merkle {
    /// Whether the hashes lead from the leaf to the root. RFC 9162, section 2.1.3.2.
    package static func proves(
        _ leaf: [UInt8], at index: UInt64, in size: UInt64, by hashes: [[UInt8]], root: [UInt8]
    ) -> Bool {
        guard index < size, ([leaf, root] + hashes).allSatisfy({ $0.count == 32 }) else {
            return false
        }
        var (place, last) = (index, size - 1)
        var hash = leaf
        for sibling in hashes {
            if last == 0 { return false }
            if place & 1 == 1 || place == last {
                hash = node(sibling, hash)
                while place & 1 == 0, place != 0 {
                    place >>= 1
                    last >>= 1
                }
            } else {
                hash = node(hash, sibling)
            }
            place >>= 1
            last >>= 1
        }
        return last == 0 && hash == root
    }

    /// Whether the hashes show that the old tree is the beginning of the new one. RFC 9162, section
    /// 2.1.4.2.
    package static func proves(
        _ oldRoot: [UInt8], of old: UInt64, beginning newRoot: [UInt8], of size: UInt64,
        by hashes: [[UInt8]]
    ) -> Bool {
        guard old <= size, ([oldRoot, newRoot] + hashes).allSatisfy({ $0.count == 32 }) else {
            return false
        }
        if old == size { return hashes.isEmpty && oldRoot == newRoot }
        if old == 0 { return hashes.isEmpty && oldRoot == empty }
        var path = hashes[...]
        if old & (old - 1) == 0 { path = [oldRoot] + path }
        guard let first = path.popFirst() else { return false }
        var (place, last) = (old - 1, size - 1)
        while place & 1 == 1 {
            place >>= 1
            last >>= 1
        }
        var (oldHash, newHash) = (first, first)
        for hash in path {
            if last == 0 { return false }
            if place & 1 == 1 || place == last {
                oldHash = node(hash, oldHash)
                newHash = node(hash, newHash)
                while place & 1 == 0, place != 0 {
                    place >>= 1
                    last >>= 1
                }
            } else {
                newHash = node(newHash, hash)
            }
            place >>= 1
            last >>= 1
        }
        return last == 0 && oldHash == oldRoot && newHash == newRoot
    }
}
