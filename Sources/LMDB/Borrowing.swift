import Foundation

extension [UInt8] {
    /// The bytes of a digest, say.
    @inlinable
    package init(copying bytes: some ContiguousBytes) {
        self = bytes.withUnsafeBytes { Array($0) }
    }

    /// Lends the bytes from `start` on for the length of a call: to a hash, say, for which every other way is generic
    /// and slow.
    @inlinable
    package func lend(from start: Int = 0, to body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    /// Lends the bytes of a range.
    @inlinable
    package func lend(_ range: Range<Int>, to body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// Whether these bytes stand there.
    @inlinable
    package func holds(_ bytes: some ContiguousBytes, at start: Int) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard start >= 0, start + bytes.count <= count else { return false }
            return withUnsafeBytes { own in
                // By words: `elementsEqual` goes byte by byte.
                let width = MemoryLayout<UInt64>.size
                var place = 0
                while place + width <= bytes.count {
                    let word = own.loadUnaligned(fromByteOffset: start + place, as: UInt64.self)
                    guard word == bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                    else { return false }
                    place += width
                }
                return (place..<bytes.count).allSatisfy { own[start + $0] == bytes[$0] }
            }
        }
    }

    /// Puts bytes in the place of those from `start` on, which must be there.
    @inlinable
    package mutating func overwrite(from start: Int, with bytes: some ContiguousBytes) {
        bytes.withUnsafeBytes { new in
            precondition(start >= 0 && start + new.count <= count)
            withUnsafeMutableBytes { old in
                UnsafeMutableRawBufferPointer(rebasing: old[start..<start + new.count])
                    .copyMemory(from: new)
            }
        }
    }
}
