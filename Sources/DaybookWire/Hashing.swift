import Crypto
import DaybookCore

/// SHA-256, as 32 bytes.
package func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

/// SHA-256 over the parts, each with its length before it, so that no two lists of parts are alike.
package func digest(of parts: [[UInt8]]) -> Digest256 {
    var hash = SHA256()
    for part in parts {
        hash.update(data: bigEndianBytes(of: UInt64(part.count)))
        hash.update(data: part)
    }
    guard let digest = Digest256(bytes: Array(hash.finalize())) else {
        preconditionFailure("SHA-256 gives 32 bytes")
    }
    return digest
}

private func bigEndianBytes(of value: UInt64) -> [UInt8] {
    stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt64($0)) }
}

/// HMAC-SHA256 over the parts one after the other, as 32 bytes.
func hmacSHA256(_ parts: [[UInt8]], key: [UInt8]) -> [UInt8] {
    var code = HMAC<SHA256>(key: SymmetricKey(data: key))
    for part in parts { code.update(data: part) }
    return Array(code.finalize())
}

/// HMAC-SHA1, as 20 bytes: some senders know nothing else, and as a code it is still unbroken (RFC 6151).
func hmacSHA1(_ parts: [[UInt8]], key: [UInt8]) -> [UInt8] {
    var code = HMAC<Insecure.SHA1>(key: SymmetricKey(data: key))
    for part in parts { code.update(data: part) }
    return Array(code.finalize())
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
package func areEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
