import Crypto
import Libcrypto
import Support
import Testing

@Suite("SHA-256 of libcrypto")
struct SHA256StreamTests {
    @Test(
        "it gives the digests of NIST's examples",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func knownDigests(text: String, digest: String) {
        #expect(hex(sha256([Array(text.utf8)])) == digest)
    }

    @Test("it agrees with swift-crypto at every length up to four blocks, however they are cut")
    func agreement() {
        for var numbers in RandomCases(3) {
            for count in 0...260 {
                let bytes = numbers.bytes(count)
                var parts: [[UInt8]] = []
                var rest = bytes[...]
                while !rest.isEmpty {
                    let part = rest.prefix(Int.random(in: 0...rest.count, using: &numbers))
                    parts.append(Array(part))
                    rest.removeFirst(part.count)
                }
                #expect(sha256(parts) == Array(SHA256.hash(data: bytes)), "\(numbers.hint)")
            }
        }
    }

    @Test("a copy goes its own way")
    func copies() {
        var first = SHA256Stream()
        first.update(Array("ab".utf8).span)
        var second = first
        first.update(Array("c".utf8).span)
        second.update(Array("d".utf8).span)
        #expect(bytes(first.finalize()) == Array(SHA256.hash(data: Array("abc".utf8))))
        #expect(bytes(second.finalize()) == Array(SHA256.hash(data: Array("abd".utf8))))
    }
}

private func sha256(_ parts: [[UInt8]]) -> [UInt8] {
    var hash = SHA256Stream()
    for part in parts { hash.update(part.span) }
    return bytes(hash.finalize())
}

private func bytes(_ digest: SHA256Stream.Digest) -> [UInt8] { digest.indices.map { digest[$0] } }

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
