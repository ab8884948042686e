import Foundation

extension [UInt8] {
    /// Appends the bytes of an integer, the most significant first, in one go.
    @inlinable
    package mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

extension Data {
    /// The bytes of integers, the most significant first, without an array in between.
    @inlinable
    package init(bigEndian high: UInt64, _ low: UInt32) {
        self = Swift.withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { bytes in
            // The tuple ends in no padding that is looked at.
            Data(UnsafeRawBufferPointer(rebasing: bytes[..<12]))
        }
    }

    /// The same of two words.
    @inlinable
    package init(bigEndian words: (UInt64, UInt64)) {
        self = Swift.withUnsafeBytes(of: (words.0.bigEndian, words.1.bigEndian)) { Data($0) }
    }

    /// The same of four words.
    @inlinable
    package init(bigEndian words: (UInt64, UInt64, UInt64, UInt64)) {
        self = Swift.withUnsafeBytes(
            of: (
                words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian
            )
        ) { Data($0) }
    }
}
