/// A transaction that reads and writes. There is one at a time.
///
/// It belongs to the thread that began it: to write, commit or abort on another one traps, since
/// LMDB would return success and then block every later writer for ever. One that is neither
/// committed nor aborted aborts itself when it goes.
///
/// After an error of `put`, `append`, `delete`, `change` or `deleteAll` other than a key that exists or is
/// not the greatest, nothing but `abort` makes sense.
package struct WriteTransaction: ~Copyable, ReadAccess {
    private let handle: TransactionHandle

    init(_ handle: TransactionHandle) { self.handle = handle }

    // Never a commit: what nobody asked to commit must not be there.
    deinit { handle.abort() }

    /// Puts `value` under `key`, in place of an earlier one.
    ///
    /// Key and value of up to 2,030 bytes together share a page with others; longer ones take
    /// whole pages of their own.
    package mutating func put(
        _ table: Table, _ key: [UInt8], _ value: [UInt8]
    ) throws(LMDBError) {
        try handle.put(table, key, value, mustBeGreatest: false)
    }

    /// Puts `value` under `key`, which must be greater than every key in the table; throws
    /// `MDB_KEYEXIST` and changes nothing if it is not. Fills pages to the brim.
    package mutating func append(
        _ table: Table, _ key: [UInt8], _ value: [UInt8]
    ) throws(LMDBError) {
        try handle.put(table, key, value, mustBeGreatest: true)
    }

    /// Deletes `key` and its value; returns whether it was there.
    package mutating func delete(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> Bool {
        try handle.delete(table, key)
    }

    /// Puts and deletes these of the rows, one after the other; quicker than one call for each where they come in the
    /// order of their keys. To delete what is not there does nothing.
    package mutating func change(
        _ table: Table, _ edits: RowEdits, _ range: Range<Int>
    ) throws(LMDBError) {
        try handle.change(table, edits, range)
    }

    /// Empties the table.
    package mutating func deleteAll(_ table: Table) throws(LMDBError) {
        try handle.deleteAll(table)
    }

    /// Commits. When it returns, the disk has all of the transaction. When it throws, the
    /// transaction has ended too; whether it took effect is unknown if the error `isFatal`.
    package consuming func commit() throws(LMDBError) {
        try handle.commit()
    }

    /// Drops everything that was written.
    package consuming func abort() {
        handle.abort()
    }

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
