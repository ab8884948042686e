import DaybookCore

/// Proofs as JSON: hashes in base64, the checkpoint as the text that was signed.
extension JSONWriter {
    package mutating func proof(_ proof: InclusionProof) {
        object { writer in
            writer.field("position", proof.position)
            writer.field("tree_size", proof.treeSize)
            writer.field("leaf_hash", Base64.encode(proof.leafHash))
            writer.hashes(proof.hashes)
            writer.field("checkpoint", proof.checkpoint)
        }
    }

    package mutating func proof(_ proof: ConsistencyProof) {
        object { writer in
            writer.field("from", proof.from)
            writer.field("to", proof.to)
            writer.hashes(proof.hashes)
            writer.field("checkpoint", proof.checkpoint)
        }
    }

    private mutating func hashes(_ hashes: [[UInt8]]) {
        array("hashes") { writer in
            for hash in hashes { writer.string(Base64.encode(hash)) }
        }
    }
}
