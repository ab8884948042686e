import DaybookCore

/// An API key as its owner holds it: `dbk_<key id>_<secret><checksum>`.
///
/// The key id is 24 hexadecimal digits. The secret is 27 base-62 digits, made from 160 random bits.
/// The checksum is six base-62 digits of the CRC-32 of everything before it, so that a secret
/// scanner can tell a key from a string that only looks like one, and a mistyped key is known
/// without looking anything up. The alphabet is `0-9A-Za-z`.
package struct APIKeyText: Sendable {
    /// The random bytes that a new secret takes: 160 bits, which 27 base-62 digits can hold.
    package static let randomByteCount = 20

    private static let prefix = "dbk_"
    private static let secretDigits = 27
    private static let checksumDigits = 6

    package let id: KeyID
    /// 27 base-62 digits. Never store or show it; ``secretDigest`` is what is stored.
    package let secret: String

    /// A new key of exactly ``randomByteCount`` bytes that nobody can guess.
    package init(id: KeyID, randomBytes: [UInt8]) {
        precondition(randomBytes.count == Self.randomByteCount)
        self.id = id
        secret = base62(randomBytes, digits: Self.secretDigits)
    }

    /// Reads a key; `nil` where form or checksum are wrong.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let secretStart = Self.prefix.utf8.count + 2 * KeyID.byteCount + 1
        let checksumStart = secretStart + Self.secretDigits
        guard bytes.count == checksumStart + Self.checksumDigits,
            bytes.starts(with: Self.prefix.utf8),
            bytes[secretStart - 1] == UInt8(ascii: "_"),
            bytes[secretStart..<checksumStart].allSatisfy(base62Alphabet.contains),
            let id = KeyID(
                hex: String(
                    decoding: bytes[Self.prefix.utf8.count..<secretStart - 1], as: UTF8.self)),
            String(decoding: bytes[checksumStart...], as: UTF8.self).utf8
                .elementsEqual(Self.checksum(bytes[..<checksumStart]).utf8)
        else { return nil }
        self.id = id
        secret = String(decoding: bytes[secretStart..<checksumStart], as: UTF8.self)
    }

    /// The whole key. It is a secret.
    package var text: String {
        let checked = "\(Self.prefix)\(id)_\(secret)"
        return checked + Self.checksum(checked.utf8)
    }

    /// SHA-256 of the secret's ASCII bytes. A plain hash is enough for a secret of 160 random bits.
    package var secretDigest: Digest256 {
        guard let digest = Digest256(bytes: sha256(Array(secret.utf8))) else {
            preconditionFailure("SHA-256 gives 32 bytes")
        }
        return digest
    }

    private static func checksum(_ bytes: some Sequence<UInt8>) -> String {
        let sum = crc32(bytes)
        return base62(
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> UInt32($0)) },
            digits: checksumDigits)
    }
}
