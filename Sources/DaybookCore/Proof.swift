/// A statement about a log: so many entries have this root. RFC 6962, section 2.1.
package struct Checkpoint: Hashable, Sendable {
    /// Names the log: `daybook/` and its id in lowercase hexadecimal.
    package let origin: String
    /// How many entries, from the first one on.
    package let size: Position
    /// The root of the Merkle tree over their leaves, 32 bytes.
    package let root: [UInt8]

    package init(origin: String, size: Position, root: [UInt8]) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// The origin of the log with this id.
    package static func origin(of logID: [UInt8]) -> String { "daybook/" + lowercaseHex(logID) }
}

/// What shows that an entry is in a log of a given size. RFC 6962, section 2.1.1.
package struct InclusionProof: Hashable, Sendable {
    package let position: Position
    package let treeSize: Position
    /// 32 bytes, as each of `hashes`.
    package let leafHash: [UInt8]
    /// From the leaf's sibling up.
    package let hashes: [[UInt8]]
    /// The signed checkpoint of that size.
    package let checkpoint: String

    package init(
        position: Position, treeSize: Position, leafHash: [UInt8], hashes: [[UInt8]],
        checkpoint: String
    ) {
        self.position = position
        self.treeSize = treeSize
        self.leafHash = leafHash
        self.hashes = hashes
        self.checkpoint = checkpoint
    }
}

/// What shows that a log of one size is the beginning of the log of a later one. RFC 6962,
/// section 2.1.2.
package struct ConsistencyProof: Hashable, Sendable {
    package let from: Position
    package let to: Position
    package let hashes: [[UInt8]]
    /// The signed checkpoint of the later size.
    package let checkpoint: String

    package init(from: Position, to: Position, hashes: [[UInt8]], checkpoint: String) {
        self.from = from
        self.to = to
        self.hashes = hashes
        self.checkpoint = checkpoint
    }
}
