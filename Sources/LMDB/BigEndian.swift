extension [UInt8] {
    /// Appends the bytes of an integer, the most significant first, in one go.
    @inlinable
    package mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
