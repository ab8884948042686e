import Foundation

/// Rows of one table that are to be put and deleted, in one piece of memory: nothing is allocated for a row.
package struct RowEdits: Sendable {
    struct Place {
        let start: Int
        let keyCount: Int32
        /// Less than 0: the row is to be deleted.
        let valueCount: Int32
    }

    private(set) var bytes: [UInt8] = []
    private(set) var places: [Place] = []

    package init() {}

    package var count: Int { places.count }

    package mutating func reserve(_ rows: Int, bytes byteCount: Int) {
        places.reserveCapacity(rows)
        bytes.reserveCapacity(byteCount)
    }

    package mutating func put(_ key: [UInt8], _ value: [UInt8]) {
        add(key, valueCount: Int32(value.count))
        bytes.append(contentsOf: value)
    }

    /// Puts the value, or deletes the row where there is none.
    package mutating func change(_ key: [UInt8], _ value: [UInt8]?) {
        if let value { put(key, value) } else { add(key, valueCount: -1) }
    }

    /// Adds a row that `append` appends to the bytes, the key first.
    ///
    /// - Parameter append: returns the length of the key, and whether the row is to be put, not deleted.
    package mutating func add(
        _ append: (inout [UInt8]) -> (keyCount: Int, isThere: Bool)
    ) {
        let start = bytes.count
        let (keyCount, isThere) = append(&bytes)
        let valueCount = bytes.count - start - keyCount
        precondition(keyCount > 0 && valueCount >= 0, "only to be appended to")
        places.append(
            Place(
                start: start, keyCount: Int32(keyCount),
                valueCount: isThere ? Int32(valueCount) : -1))
    }

    private mutating func add(_ key: [UInt8], valueCount: Int32) {
        places.append(
            Place(start: bytes.count, keyCount: Int32(key.count), valueCount: valueCount))
        bytes.append(contentsOf: key)
    }

    /// Brings the rows into LMDB's order of their keys: byte by byte, and a shorter one before what it begins.
    package mutating func sort() {
        bytes.withUnsafeBytes { bytes in
            places.sort { left, right in
                guard let start = bytes.baseAddress else { return false }
                let common = min(left.keyCount, right.keyCount)
                let difference = memcmp(start + left.start, start + right.start, Int(common))
                return difference != 0 ? difference < 0 : left.keyCount < right.keyCount
            }
        }
    }
}
