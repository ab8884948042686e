import Crypto
import DaybookCore
import Foundation
import LMDB

/// Who signs notes: a name and an Ed25519 key, in text `<name>+<key id>+<base64 of 0x01 ‖ key>`, the
/// verifier key of https://c2sp.org/signed-note.
package struct NoteVerifier: Hashable, Sendable, CustomStringConvertible {
    package let name: String
    private let key: [UInt8]
    /// The first 4 bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ key).
    fileprivate let keyID: [UInt8]

    fileprivate static let ed25519: UInt8 = 1

    fileprivate init(name: String, key: [UInt8]) {
        self.name = name
        self.key = key
        var hash = SHA256()
        hash.update(data: Array(name.utf8) + [0x0A, Self.ed25519])
        hash.update(data: key)
        keyID = Array(hash.finalize().prefix(4))
    }

    /// `nil` where the text is no verifier key of Ed25519, or its id is not that of its key.
    package init?(_ text: String) {
        let parts = text.split(
            separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty,
            !parts[0].contains(where: \.isWhitespace),
            let data = Data(base64Encoded: String(parts[2])), data.count == 33,
            data.first == Self.ed25519
        else { return nil }
        self.init(name: String(parts[0]), key: Array(data.dropFirst()))
        guard lowercaseHex(keyID) == parts[1] else { return nil }
    }

    package var description: String {
        let data = Data([Self.ed25519] + key)
        return "\(name)+\(lowercaseHex(keyID))+\(data.base64EncodedString())"
    }

    fileprivate func signed(_ text: String, _ signature: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key) else {
            return false
        }
        return key.isValidSignature(signature, for: Array(text.utf8))
    }
}

/// The Ed25519 key that signs checkpoints.
package struct CheckpointKey: Sendable {
    package struct Unreadable: Error, CustomStringConvertible {
        let path: String
        package var description: String { "\(path) is not the base64 of 32 bytes" }
    }

    private let key: Curve25519.Signing.PrivateKey

    /// A key that nobody keeps.
    package init() {
        key = Curve25519.Signing.PrivateKey()
    }

    /// Reads the key from a file: the base64 of its 32 bytes.
    package init(reading path: String) throws {
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        guard let data = Data(base64Encoded: text.trimmingCharacters(in: .whitespacesAndNewlines)),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: data)
        else { throw Unreadable(path: path) }
        self.key = key
    }

    /// Reads the key from its file, or makes both (mode 0600) where there is none.
    package init(path: String) throws {
        if !(try FileSystem.exists(path)) {
            let text = CheckpointKey().key.rawRepresentation.base64EncodedString()
            try FileSystem.writeAtomically(Array("\(text)\n".utf8), to: path)
        }
        try self.init(reading: path)
    }

    /// What verifies the checkpoints of the log with this origin.
    package func verifier(of origin: String) -> NoteVerifier {
        NoteVerifier(name: origin, key: Array(key.publicKey.rawRepresentation))
    }

    /// The checkpoint as a note signed by its origin.
    package func sign(_ checkpoint: Checkpoint) throws -> String {
        let signature = try key.signature(for: Array(checkpoint.text.utf8))
        let verifier = verifier(of: checkpoint.origin)
        let line = Data(verifier.keyID + signature).base64EncodedString()
        return "\(checkpoint.text)\n\u{2014} \(verifier.name) \(line)\n"
    }
}

extension Checkpoint {
    /// The text of https://c2sp.org/tlog-checkpoint: origin, size and root, a line each.
    fileprivate var text: String {
        "\(origin)\n\(size)\n\(Data(root).base64EncodedString())\n"
    }

    package enum NoteError: Error, Hashable, Sendable, CustomStringConvertible {
        case malformed
        case notSigned(by: String)

        package var description: String {
            switch self {
            case .malformed: "this is not a signed checkpoint"
            case .notSigned(let name): "the checkpoint has no valid signature of \(name)"
            }
        }
    }

    /// Reads a signed checkpoint and verifies that this verifier, by its name, has signed it.
    package init(note: String, verifier: NoteVerifier) throws(NoteError) {
        guard let blank = note.range(of: "\n\n"), note.hasSuffix("\n") else { throw .malformed }
        let text = String(note[..<blank.lowerBound]) + "\n"
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 4, !lines[0].isEmpty, let size = Position(lines[1]),
            String(size) == lines[1], let root = Data(base64Encoded: String(lines[2])),
            root.count == 32
        else { throw .malformed }
        let isSigned = note[blank.upperBound...].split(separator: "\n").contains { line in
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "\u{2014}", parts[1] == verifier.name,
                let data = Data(base64Encoded: String(parts[2])),
                Array(data.prefix(4)) == verifier.keyID
            else { return false }
            return verifier.signed(text, Array(data.dropFirst(4)))
        }
        guard isSigned, lines[0] == verifier.name else { throw .notSigned(by: verifier.name) }
        self.init(origin: String(lines[0]), size: size, root: Array(root))
    }
}
