import Foundation

extension [UInt8] {
    package init(copying bytes: Span<UInt8>) {
        self = bytes.withUnsafeBytes { Array($0) }
    }

    package mutating func append(copying bytes: Span<UInt8>) {
        bytes.withUnsafeBytes { append(contentsOf: $0) }
    }

    /// Puts bytes in the place of those from `start` on, which must be there.
    package mutating func overwrite(from start: Int, with bytes: Span<UInt8>) {
        precondition(start >= 0 && start + bytes.count <= count)
        bytes.withUnsafeBytes { new in
            withUnsafeMutableBytes { old in
                UnsafeMutableRawBufferPointer(rebasing: old[start..<start + new.count])
                    .copyMemory(from: new)
            }
        }
    }
}

extension Span<UInt8> {
    /// Whether the bytes are the same.
    package func holdsSame(as other: Span<UInt8>) -> Bool {
        withUnsafeBytes { own in
            other.withUnsafeBytes { other in
                own.count == other.count
                    && (own.isEmpty || memcmp(own.baseAddress!, other.baseAddress!, own.count) == 0)
            }
        }
    }
}
