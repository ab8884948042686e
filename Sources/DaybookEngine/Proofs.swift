import DaybookCore
import DaybookStore

/// What shows to others that the log is what it was. Made from what is durable when it is asked for.
extension Engine {
    /// The verifier key of the log's checkpoints (https://c2sp.org/signed-note); `nil` before the log
    /// has begun.
    package func checkpointVerifier() throws -> String? {
        let logID = try service().logID
        guard !logID.isEmpty else { return nil }
        return "\(checkpointKey.verifier(of: Checkpoint.origin(of: logID)))"
    }

    /// The log as it is, as a signed note (https://c2sp.org/tlog-checkpoint).
    package func signedCheckpoint() throws -> String {
        try checkpointKey.sign(try read { view in try view.checkpoint(of: view.lastPosition()) })
    }

    /// That the entry at `position` is in the log of `size` entries, or of all there are; `nil` where
    /// the log has not so many.
    package func inclusionProof(
        of position: Position, in size: Position?
    ) throws -> InclusionProof? {
        let found = try read { view -> (Checkpoint, leaf: [UInt8], hashes: [[UInt8]])? in
            let last = try view.lastPosition()
            let size = size ?? last
            guard position >= 1, position <= size, size <= last else { return nil }
            return (
                try view.checkpoint(of: size), try view.subtree(0, position - 1),
                try view.inclusion(of: position - 1, in: size)
            )
        }
        guard let (checkpoint, leaf, hashes) = found else { return nil }
        return InclusionProof(
            position: position, treeSize: checkpoint.size, leafHash: leaf, hashes: hashes,
            checkpoint: try checkpointKey.sign(checkpoint))
    }

    /// That the log of `from` entries is the beginning of the log of `to`, or of all there are; `nil`
    /// where the log has not so many.
    package func consistencyProof(
        from: Position, to: Position?
    ) throws -> ConsistencyProof? {
        let found = try read { view -> (Checkpoint, hashes: [[UInt8]])? in
            let last = try view.lastPosition()
            let to = to ?? last
            // RFC 9162, section 2.1.4: of an empty tree there is nothing to prove.
            guard 1 <= from, from <= to, to <= last else { return nil }
            return (try view.checkpoint(of: to), try view.consistency(from: from, to: to))
        }
        guard let (checkpoint, hashes) = found else { return nil }
        return ConsistencyProof(
            from: from, to: checkpoint.size, hashes: hashes,
            checkpoint: try checkpointKey.sign(checkpoint))
    }
}
