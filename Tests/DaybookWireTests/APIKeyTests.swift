import DaybookCore
import Foundation
import Testing

@testable import DaybookWire

private let id = KeyID(high: 0x0123_4567_89AB_CDEF, low: 0x0123_4567)
private let zeros = [UInt8](repeating: 0, count: APIKeyText.randomByteCount)

@Suite struct `An API key's text` {
    @Test func `has its id, 27 digits of secret and 6 of checksum`() {
        let lowest = APIKeyText(id: id, randomBytes: zeros)
        #expect(lowest.secret == String(repeating: "0", count: 27))
        // The checksum is zlib's CRC-32 in base 62.
        #expect(lowest.text == "dbk_0123456789abcdef01234567_00000000000000000000000000003cOdc")
        let highest = APIKeyText(id: id, randomBytes: zeros.map { ~$0 })
        #expect(highest.text == "dbk_0123456789abcdef01234567_aWgEPTl1tmebfsQzFP4bxwgy80V0Ia7PJ")
    }

    @Test func `holds all 160 random bits in its secret`() {
        let bits = (0..<160).map { bit in
            var bytes = zeros
            bytes[bit / 8] = 1 << (bit % 8)
            return APIKeyText(id: id, randomBytes: bytes).secret
        }
        #expect(Set(bits).count == 160)
        #expect(bits.allSatisfy { $0.utf8.count == 27 })
    }

    @Test func `is read back`() {
        var numbers = SeededNumbers()
        for _ in 0..<200 {
            let key = APIKeyText(
                id: KeyID(high: numbers.next(), low: UInt32(truncatingIfNeeded: numbers.next())),
                randomBytes: numbers.bytes(APIKeyText.randomByteCount))
            let read = APIKeyText(key.text)
            #expect(read?.id == key.id)
            #expect(read?.secret == key.secret)
            #expect(read?.secretDigest == key.secretDigest)
        }
    }

    @Test func `is refused after any change of one character`() {
        let text = Array(APIKeyText(id: id, randomBytes: zeros).text.utf8)
        for place in text.indices {
            for byte in Array("0a1bZ_-é".utf8) where byte != text[place] {
                var other = text
                other[place] = byte
                #expect(APIKeyText(String(decoding: other, as: UTF8.self)) == nil)
            }
        }
    }

    @Test func `is refused in every other form`() {
        let text = APIKeyText(id: id, randomBytes: zeros).text
        let others = [
            "", "dbk_", "Bearer \(text)", text + "0", String(text.dropLast()), text.uppercased(),
            " \(text)", "\(text)\n",
        ]
        for other in others { #expect(APIKeyText(other) == nil, "\(other)") }
    }

    @Test func `has the SHA-256 of its secret's ASCII bytes as digest`() {
        let digest = APIKeyText(id: id, randomBytes: zeros).secretDigest
        #expect(
            lowercaseHex(digest.bytes)
                == "d18b431dbcc848237ea9d97c8ae5ad2f844148d2bd3a0da20bac52cf931582c3")
    }
}

@Suite struct `Encodings` {
    @Test func `have the published check values`() {
        #expect(crc32(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(crc32([]) == 0)
        #expect(base62([0xFF, 0xFF, 0xFF, 0xFF], digits: 6) == "4gfFC3")
        #expect(base62([0], digits: 3) == "000")
    }

    // RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func `have the base 64 of the RFC`(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z", "Zg==Zg==", "Zm9v=", "====", "=", "Zm9v\n",
        " Zm9v", "Zm-_", "Zmé=",
    ])
    func `have no base 64 but the one form`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func `have the base 64 that Foundation has`() {
        var numbers = SeededNumbers()
        for count in 0..<200 {
            let bytes = numbers.bytes(count)
            #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    @Test func `are compared in constant time with the right answer`() {
        #expect(areEqualInConstantTime([], []))
        #expect(areEqualInConstantTime([1, 2], [1, 2]))
        #expect(!areEqualInConstantTime([1, 2], [1, 3]))
        #expect(!areEqualInConstantTime([1, 2], [1]))
    }
}
