/// A 96-bit id: 48 bits of milliseconds since 1970, then 48 bits that start at random in each
/// millisecond and count up. The order of ids is the order in which the log gave them.
///
/// `Kind` keeps the ids of different things apart at compile time; it has no value of its own.
package struct Identifier<Kind>: Hashable, Comparable, Sendable {
    /// The first 64 of the 96 bits: the milliseconds and the upper 16 bits of the count.
    package let high: UInt64
    /// The last 32 of the 96 bits.
    package let low: UInt32

    package init(high: UInt64, low: UInt32) {
        self.high = high
        self.low = low
    }

    package init<Other>(_ other: Identifier<Other>) {
        self.init(high: other.high, low: other.low)
    }

    package static var byteCount: Int { 12 }

    /// All 96 bits in one word, for hashing: a table of ids asks for one word and not for two.
    @inlinable
    package var word: UInt64 { high &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(low) }

    @inlinable
    package func hash(into hasher: inout Hasher) { hasher.combine(word) }

    @inlinable
    package static func == (left: Self, right: Self) -> Bool {
        left.high == right.high && left.low == right.low
    }

    @inlinable
    package static func < (left: Self, right: Self) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    /// The smallest id of all: a lower bound for ranges, never given to anything.
    package static var lowest: Self { Self(high: 0, low: 0) }
    /// The greatest id of all: an upper bound for ranges, never given to anything.
    package static var highest: Self { Self(high: .max, low: .max) }

    /// The 12 bytes, big-endian.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: high >> UInt64(shift)))
        }
        for shift in stride(from: 24, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: low >> UInt32(shift)))
        }
        return bytes
    }

    /// Reads exactly 12 big-endian bytes; `nil` for any other count.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(
            high: bigEndianWord(bytes, at: 0),
            low: UInt32(truncatingIfNeeded: bigEndianWord(bytes, at: 4)))
    }

    /// The same of any bytes.
    package init?(bytes: some Collection<UInt8>) { self.init(bytes: Array(bytes)) }

    /// The same of bytes that stand somewhere, without a copy of them.
    package init?(span: Span<UInt8>) {
        guard span.count == Self.byteCount else { return nil }
        self.init(
            high: bigEndianWord(span, at: 0),
            low: UInt32(truncatingIfNeeded: bigEndianWord(span, at: 4)))
    }

    /// Reads exactly 24 lowercase hexadecimal digits; `nil` for anything else, upper case included.
    package init?(hex: String) {
        guard let bytes = bytesOfLowercaseHex(hex, count: Self.byteCount) else { return nil }
        self.init(bytes: bytes)
    }
}

extension Identifier: CustomStringConvertible {
    /// 24 lowercase hexadecimal digits.
    package var description: String { lowercaseHex(bytes) }
}

package enum TeamKind {}
package enum WorkflowKind {}
package enum ScheduleKind {}
package enum RunKind {}
package enum KeyKind {}
package enum TriggerKind {}
package enum RefusalKind {}
package enum SubscriptionKind {}
package enum DeliveryKind {}
package enum OperationKind {}
package enum AnyKind {}

package typealias TeamID = Identifier<TeamKind>
package typealias WorkflowID = Identifier<WorkflowKind>
package typealias ScheduleID = Identifier<ScheduleKind>
package typealias RunID = Identifier<RunKind>
package typealias KeyID = Identifier<KeyKind>
package typealias TriggerID = Identifier<TriggerKind>
package typealias RefusalID = Identifier<RefusalKind>
package typealias SubscriptionID = Identifier<SubscriptionKind>
package typealias DeliveryID = Identifier<DeliveryKind>
package typealias OperationID = Identifier<OperationKind>
/// An id whose kind is told by the place it stands in.
package typealias AnyID = Identifier<AnyKind>

/// Sixteen random bytes that name one submission; shown to the client as `request_id`.
package struct CommandID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        for word in [high, low] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return bytes
    }

    /// Reads exactly 16 bytes; `nil` for any other count.
    package init?(bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count == 16 else { return nil }
        self.init(high: bigEndianWord(bytes, at: 0), low: bigEndianWord(bytes, at: 8))
    }

    /// The same of bytes that stand somewhere, without a copy of them.
    package init?(span: Span<UInt8>) {
        guard span.count == 16 else { return nil }
        self.init(high: bigEndianWord(span, at: 0), low: bigEndianWord(span, at: 8))
    }

    /// 32 lowercase hexadecimal digits.
    package var description: String { lowercaseHex(bytes) }
}

/// Thirty-two bytes of a SHA-256.
package struct Digest256: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let words: (UInt64, UInt64, UInt64, UInt64)

    /// Reads exactly 32 bytes; `nil` for any other count.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        words = (
            bigEndianWord(bytes, at: 0), bigEndianWord(bytes, at: 8), bigEndianWord(bytes, at: 16),
            bigEndianWord(bytes, at: 24)
        )
    }

    /// The same of any bytes.
    package init?(bytes: some Collection<UInt8>) { self.init(bytes: Array(bytes)) }

    /// The same of bytes that stand somewhere, without a copy of them.
    package init?(span: Span<UInt8>) {
        guard span.count == 32 else { return nil }
        words = (
            bigEndianWord(span, at: 0), bigEndianWord(span, at: 8), bigEndianWord(span, at: 16),
            bigEndianWord(span, at: 24)
        )
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for word in [words.0, words.1, words.2, words.3] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return bytes
    }

    package static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    package static func < (left: Self, right: Self) -> Bool { left.words < right.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }

    /// 64 lowercase hexadecimal digits.
    package var description: String { lowercaseHex(bytes) }
}

// The functions here take arrays and strings, not any sequence: generic code in another module is
// not specialised, and these run several times for each request.

private func bigEndianWord(_ bytes: Span<UInt8>, at start: Int) -> UInt64 {
    var word: UInt64 = 0
    for index in start..<start + 8 { word = word << 8 | UInt64(bytes[index]) }
    return word
}

private func bigEndianWord(_ bytes: [UInt8], at start: Int) -> UInt64 {
    var word: UInt64 = 0
    for index in start..<start + 8 { word = word << 8 | UInt64(bytes[index]) }
    return word
}

/// The bytes as lowercase hexadecimal digits, two for each.
package func lowercaseHex(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        text.append(lowercaseHexDigit(byte >> 4))
        text.append(lowercaseHexDigit(byte & 15))
    }
    return String(decoding: text, as: UTF8.self)
}

/// The same of any bytes.
package func lowercaseHex(_ bytes: some Sequence<UInt8>) -> String { lowercaseHex(Array(bytes)) }

private func lowercaseHexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}

/// Reads exactly `2 * count` lowercase hexadecimal digits; `nil` for anything else.
package func bytesOfLowercaseHex(_ text: String, count: Int) -> [UInt8]? {
    guard text.utf8.count == 2 * count else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    var first: UInt8?
    for digit in text.utf8 {
        let value: UInt8
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
        default: return nil
        }
        if let upper = first {
            bytes.append(upper << 4 | value)
            first = nil
        } else {
            first = value
        }
    }
    return bytes
}
