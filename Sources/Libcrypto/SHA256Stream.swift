import CLibcrypto

/// SHA-256 (FIPS 180-4) over bytes that come one after the other, by OpenSSL's libcrypto.
///
/// It lies on the stack, so that a hash of a few bytes costs little more than its blocks; swift-crypto's allocates. Its
/// pointers go to C for the length of a call, and no longer.
package struct SHA256Stream {
    package static let byteCount = Int(SHA256_DIGEST_LENGTH)
    package typealias Digest = InlineArray<32, UInt8>

    private var context = SHA256_CTX()

    package init() {
        let isDone = SHA256_Init(&context)
        precondition(isDone == 1)
    }

    package mutating func update(_ bytes: Span<UInt8>) {
        let isDone = bytes.withUnsafeBytes { SHA256_Update(&context, $0.baseAddress, $0.count) }
        precondition(isDone == 1)
    }

    /// The hash of all bytes so far.
    package consuming func finalize() -> Digest {
        var digest = Digest(repeating: 0)
        var span = digest.mutableSpan
        let isDone = span.withUnsafeMutableBufferPointer { SHA256_Final($0.baseAddress, &context) }
        precondition(isDone == 1)
        return digest
    }
}
