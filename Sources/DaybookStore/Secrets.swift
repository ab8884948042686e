import Crypto
import DaybookCore
import Foundation
import LMDB

/// The keys that seal secrets: in a file of their own, never in the log nor in its backups.
///
/// Each line of the file is `<number> <base64 of 32 bytes>`. The greatest number seals; every one
/// opens, so that what was sealed before a rotation stays readable.
package struct SecretKeys: Sendable {
    package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        case unreadable(path: String, line: Int)
        case noSuchKey(UInt32)
        case notAuthentic

        package var description: String {
            switch self {
            case .unreadable(let path, let line):
                "line \(line) of \(path) is not `<number> <base64 of 32 bytes>`"
            case .noSuchKey(let number): "secrets.keys has no key \(number)"
            case .notAuthentic: "a sealed secret does not open: it was changed, or the key was"
            }
        }
    }

    private let keys: [UInt32: SymmetricKey]
    private let newest: UInt32

    /// Reads the file, or makes it (mode 0600) with a first key where there is none.
    package init(path: String) throws {
        if !(try FileSystem.exists(path)) {
            var generator = SystemRandomNumberGenerator()
            let key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = Data(key).base64EncodedString()
            try FileSystem.writeAtomically(Array("1 \(text)\n".utf8), to: path)
        }
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        var keys: [UInt32: SymmetricKey] = [:]
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let number = UInt32(parts[0]), keys[number] == nil,
                let data = Data(base64Encoded: String(parts[1])), data.count == 32
            else { throw Failure.unreadable(path: path, line: index + 1) }
            keys[number] = SymmetricKey(data: data)
        }
        guard let newest = keys.keys.max() else {
            throw Failure.unreadable(path: path, line: 1)
        }
        self.keys = keys
        self.newest = newest
    }

    package func seal(_ secret: [UInt8], for purpose: SecretPurpose, of team: TeamID)
        -> SealedSecret
    {
        guard let key = keys[newest] else { preconditionFailure("the newest key is there") }
        do {
            let box = try AES.GCM.seal(
                secret, using: key, authenticating: Self.context(purpose, team))
            return SealedSecret(
                keyNumber: newest, nonce: Array(box.nonce),
                ciphertext: Array(box.ciphertext) + Array(box.tag))
        } catch {
            preconditionFailure("AES-GCM refused 32 bytes of key: \(error)")
        }
    }

    package func open(
        _ sealed: SealedSecret, for purpose: SecretPurpose, of team: TeamID
    ) throws(Failure) -> [UInt8] {
        guard let key = keys[sealed.keyNumber] else { throw .noSuchKey(sealed.keyNumber) }
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: sealed.nonce),
                ciphertext: sealed.ciphertext.dropLast(16),
                tag: sealed.ciphertext.suffix(16))
            return Array(
                try AES.GCM.open(box, using: key, authenticating: Self.context(purpose, team)))
        } catch {
            throw .notAuthentic
        }
    }

    /// Bytes that only the holder of a key can make from the same seed: one for each key, the newest
    /// first, 32 bytes long.
    package func derive(from seed: [UInt8]) -> [[UInt8]] {
        keys.sorted { $0.key > $1.key }.map { _, key in
            Array(HMAC<SHA256>.authenticationCode(for: Self.derivation + seed, using: key))
        }
    }

    private static let derivation = Array("daybook derived secret".utf8)

    private static func context(_ purpose: SecretPurpose, _ team: TeamID) -> [UInt8] {
        team.bytes + Array(purpose.rawValue.utf8)
    }
}
