/// What can be read in a transaction, whether it also writes or not.
///
/// Keys have 1 to 511 bytes (anything else traps) and are ordered byte by byte, a shorter one
/// before what it begins. Bounds are places in that order: they may have any length, and need not
/// be keys. Everything returned or visited is a copy, except in `scanInPlace`. A write transaction sees
/// what it has written.
///
/// What is thrown is an `LMDBError`, and from a scan also what its closure throws.
package protocol ReadAccess: ~Copyable {
    /// The value of `key`, or `nil` when the table has no such key.
    borrowing func get(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> [UInt8]?

    /// Whether the table has `key`.
    borrowing func contains(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> Bool

    /// The number of entries in the table. It is kept by LMDB, and costs no walk.
    borrowing func count(_ table: Table) throws(LMDBError) -> Int

    /// The first entry whose key is ≥ `key`.
    borrowing func first(
        _ table: Table, atOrAfter key: [UInt8]
    ) throws(LMDBError) -> (key: [UInt8], value: [UInt8])?

    /// The last entry whose key is < `key`, or the very last one for `nil`.
    borrowing func last(
        _ table: Table, before key: [UInt8]?
    ) throws(LMDBError) -> (key: [UInt8], value: [UInt8])?

    /// Visits the entries whose keys are ≥ `from` (`nil`: from the first) and < `to` (`nil`: to the
    /// last), in the order of the keys or, `descending`, against it. Ends when `body` returns
    /// false. Inside `body` the transaction may be read, scans of the same table included.
    borrowing func scan(
        _ table: Table, from: [UInt8]?, to: [UInt8]?, descending: Bool,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws -> Bool
    ) throws

    /// Like `scan`, without copying the values.
    borrowing func scanKeys(
        _ table: Table, from: [UInt8]?, to: [UInt8]?, descending: Bool,
        _ body: (_ key: [UInt8]) throws -> Bool
    ) throws

    /// Visits the entries whose keys are ≥ `from`, in their order, each where it stands in the map: nothing is copied.
    /// `body` ends the scan by returning false; it must not write in the transaction.
    borrowing func scanInPlace(
        _ table: Table, from: [UInt8],
        _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> Bool
    ) throws
}

extension ReadAccess where Self: ~Copyable {
    /// `scan` in the order of the keys.
    package borrowing func scan(
        _ table: Table, from: [UInt8]?, to: [UInt8]?,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws -> Bool
    ) throws {
        try scan(table, from: from, to: to, descending: false, body)
    }

    /// `scanKeys` in the order of the keys.
    package borrowing func scanKeys(
        _ table: Table, from: [UInt8]?, to: [UInt8]?, _ body: (_ key: [UInt8]) throws -> Bool
    ) throws {
        try scanKeys(table, from: from, to: to, descending: false, body)
    }
}

/// A snapshot of what was committed when it began. `Environment.read` makes and ends it.
package struct ReadTransaction: ~Copyable, ReadAccess {
    private let handle: TransactionHandle

    init(_ handle: TransactionHandle) { self.handle = handle }

    deinit { handle.abort() }

    /// The number of the write transaction whose result this shows.
    package var snapshotID: Int { handle.transactionID }

    /// Throws where LMDB's list of free pages is none: it would write over what it must not, or end the process.
    package borrowing func verifyFreePages() throws(LMDBError) { try handle.verifyFreePages() }

    /// The table with this name; see `Environment.table(_:)`.
    package borrowing func table(_ name: String) -> Table { handle.table(name) }

    package borrowing func get(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> [UInt8]? {
        try handle.get(table, key)
    }

    package borrowing func contains(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> Bool {
        try handle.contains(table, key)
    }

    package borrowing func count(_ table: Table) throws(LMDBError) -> Int {
        try handle.count(table)
    }

    package borrowing func first(
        _ table: Table, atOrAfter key: [UInt8]
    ) throws(LMDBError) -> (key: [UInt8], value: [UInt8])? {
        try handle.first(table, atOrAfter: key)
    }

    package borrowing func last(
        _ table: Table, before key: [UInt8]?
    ) throws(LMDBError) -> (key: [UInt8], value: [UInt8])? {
        try handle.last(table, before: key)
    }

    package borrowing func scan(
        _ table: Table, from: [UInt8]?, to: [UInt8]?, descending: Bool,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws -> Bool
    ) throws {
        try handle.scan(table, from, to, descending: descending) { try body($0, bytes(of: $1)) }
    }

    package borrowing func scanKeys(
        _ table: Table, from: [UInt8]?, to: [UInt8]?, descending: Bool,
        _ body: (_ key: [UInt8]) throws -> Bool
    ) throws {
        try handle.scan(table, from, to, descending: descending) { key, _ in try body(key) }
    }

    package borrowing func scanInPlace(
        _ table: Table, from: [UInt8],
        _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> Bool
    ) throws {
        try handle.scanInPlace(table, from: from, body)
    }
}
