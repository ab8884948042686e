/// The digits of base 62 in the order of their values.
let base62Alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

/// A big-endian number in exactly so many base-62 digits, padded with zeros. The digits must be
/// enough for it: 6 hold 32 bits, 27 hold 160.
func base62(_ number: [UInt8], digits: Int) -> String {
    var quotient = number
    var text: [UInt8] = []
    for _ in 0..<digits {
        var remainder = 0
        for index in quotient.indices {
            let part = remainder << 8 | Int(quotient[index])
            quotient[index] = UInt8(part / 62)
            remainder = part % 62
        }
        text.append(base62Alphabet[remainder])
    }
    precondition(quotient.allSatisfy { $0 == 0 }, "the number has more digits")
    return String(decoding: text.reversed(), as: UTF8.self)
}

private let crc32Table: [UInt32] = (0..<256).map { byte in
    var remainder = UInt32(byte)
    for _ in 0..<8 {
        remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1
    }
    return remainder
}

/// The CRC-32 of IEEE 802.3, as zlib and PNG have it.
func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var remainder: UInt32 = .max
    for byte in bytes {
        remainder = remainder >> 8 ^ crc32Table[Int((remainder ^ UInt32(byte)) & 0xFF)]
    }
    return ~remainder
}

/// Base 64 as RFC 4648, section 4, has it: with `+`, `/` and padding.
enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group = 0
            for offset in 0..<3 {
                group = group << 8 | (offset < count ? Int(bytes[start + offset]) : 0)
            }
            for place in 0..<4 {
                text.append(
                    place <= count
                        ? alphabet[group >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a text, or `nil` where it is not the one that ``encode(_:)`` gives for them:
    /// missing padding and stray bits are refused.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var group = 0
        var digits = 0
        for character in text.utf8 {
            if character == UInt8(ascii: "=") { break }
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            group = group << 6 | value
            digits += 1
            if digits == 4 {
                for shift in [16, 8, 0] { bytes.append(UInt8(group >> shift & 255)) }
                (group, digits) = (0, 0)
            }
        }
        switch digits {
        case 0: break
        case 2: bytes.append(UInt8(group >> 4))
        case 3:
            bytes.append(UInt8(group >> 10))
            bytes.append(UInt8(group >> 2 & 255))
        default: return nil
        }
        return encode(bytes).utf8.elementsEqual(text.utf8) ? bytes : nil
    }
}
