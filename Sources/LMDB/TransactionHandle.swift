import CLMDB
import Glibc

/// LMDB's transaction, and what both kinds of transaction do with it.
///
/// It has one owner, the `~Copyable` transaction around it, and is a class only so that the owner
/// can tell in its `deinit` whether the transaction has ended.
final class TransactionHandle {
    private let environment: Environment
    private let pointer: OpaquePointer
    private let writerThread: pthread_t?
    private var isOpen = true

    /// Takes over a transaction that has just begun on this thread.
    init(_ pointer: OpaquePointer, environment: Environment, forWriting: Bool) {
        self.pointer = pointer
        self.environment = environment
        writerThread = forWriting ? pthread_self() : nil
    }

    var transactionID: Int { Int(mdb_txn_id(pointer)) }

    func table(_ name: String) -> Table { environment.table(name) }

    // MARK: Ending

    func commit() throws(LMDBError) {
        end()
        let code = mdb_txn_commit(pointer)
        environment.leave()
        try check(code, "commit")
    }

    /// Does nothing if the transaction has ended.
    func abort() {
        guard isOpen else { return }
        end()
        mdb_txn_abort(pointer)
        environment.leave()
    }

    private func end() {
        isOpen = false
        guard writerThread != nil else { return }
        preconditionOnWriterThread()
        environment.writerEnds()
    }

    private func preconditionOnWriterThread() {
        guard let writerThread, pthread_equal(writerThread, pthread_self()) != 0 else {
            preconditionFailure("a write transaction is used outside the thread that began it")
        }
    }

    // MARK: Reading

    func get(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> [UInt8]? {
        var value = MDB_val()
        let code = withKey(key) { mdb_get(pointer, table.handle, &$0, &value) }
        guard try isFound(code, "get") else { return nil }
        return bytes(of: value)
    }

    func contains(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> Bool {
        var value = MDB_val()
        return try isFound(withKey(key) { mdb_get(pointer, table.handle, &$0, &value) }, "get")
    }

    func count(_ table: Table) throws(LMDBError) -> Int {
        var statistics = MDB_stat()
        try check(mdb_stat(pointer, table.handle, &statistics), "count")
        return Int(statistics.ms_entries)
    }

    func first(
        _ table: Table, atOrAfter bound: [UInt8]
    ) throws(LMDBError) -> (key: [UInt8], value: [UInt8])? {
        let cursor = try Cursor(pointer, table)
        guard let entry = try cursor.first(atOrAfter: bound) else { return nil }
        return (bytes(of: entry.key), bytes(of: entry.value))
    }

    func last(
        _ table: Table, before bound: [UInt8]?
    ) throws(LMDBError) -> (key: [UInt8], value: [UInt8])? {
        let cursor = try Cursor(pointer, table)
        guard let entry = try cursor.last(before: bound) else { return nil }
        return (bytes(of: entry.key), bytes(of: entry.value))
    }

    /// See `ReadAccess.scan`. `body` must copy the value if it is to outlive the call.
    func scan(
        _ table: Table, _ from: [UInt8]?, _ to: [UInt8]?, descending: Bool,
        _ body: (_ key: [UInt8], _ value: MDB_val) throws -> Bool
    ) throws {
        let cursor = try Cursor(pointer, table)
        var next =
            try descending ? cursor.last(before: to) : cursor.first(atOrAfter: from)
        while let entry = next {
            let isInside =
                descending
                ? from.map { !isLess(entry.key, $0) } ?? true
                : to.map { isLess(entry.key, $0) } ?? true
            guard try isInside && body(bytes(of: entry.key), entry.value) else { return }
            next = try cursor.move(descending ? MDB_PREV : MDB_NEXT)
        }
    }

    /// See `ReadAccess.scanInPlace`.
    func scanInPlace(
        _ table: Table, from: [UInt8],
        _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> Bool
    ) throws {
        let cursor = try Cursor(pointer, table)
        var next = try cursor.first(atOrAfter: from)
        while let entry = next {
            // LMDB fills a page from its end: what comes next lies before this.
            daybook_prefetch_before(entry.key.mv_data)
            let key = memory(of: entry.key)
            let value = memory(of: entry.value)
            guard try body(key.span, value.span) else { return }
            next = try cursor.move(MDB_NEXT)
        }
    }

    /// See `ReadTransaction.verifyFreePages`.
    func verifyFreePages() throws(LMDBError) {
        let bad = LMDBError(code: MDB_CORRUPTED, operation: "read the list of free pages")
        let pages = UInt64(environment.info.usedBytes / environment.info.pageSize)
        // LMDB keeps it in table 0: by transaction the pages that it freed, their number first, then from the last one
        // down.
        let cursor = try Cursor(pointer, Table(name: "free pages", handle: 0))
        var seen: Set<UInt64> = []
        var transaction: UInt64 = 0
        var next = try cursor.move(MDB_FIRST)
        while let entry = next {
            let words = UnsafeRawBufferPointer(
                start: entry.value.mv_data, count: entry.value.mv_size)
            let width = MemoryLayout<UInt64>.size
            guard entry.key.mv_size == width, words.count >= width, words.count % width == 0 else {
                throw bad
            }
            // LMDB goes through them in this order, and takes no transaction's pages twice.
            let number = UnsafeRawPointer(entry.key.mv_data).loadUnaligned(as: UInt64.self)
            guard number > transaction, number <= mdb_txn_id(pointer) else { throw bad }
            transaction = number
            let count = words.loadUnaligned(as: UInt64.self)
            guard count < words.count / width else { throw bad }
            var last = pages
            for index in 0..<Int(count) {
                let page = words.loadUnaligned(
                    fromByteOffset: (index + 1) * width, as: UInt64.self)
                // The first two hold what the file is.
                guard page >= 2, page < last, seen.insert(page).inserted else { throw bad }
                last = page
            }
            next = try cursor.move(MDB_NEXT)
        }
    }

    // MARK: Writing

    func put(
        _ table: Table, _ key: [UInt8], _ value: [UInt8], mustBeGreatest: Bool
    ) throws(LMDBError) {
        preconditionOnWriterThread()
        let flags = mustBeGreatest ? UInt32(MDB_APPEND) : 0
        let code = withKey(key) { key in
            value.withUnsafeBytes { bytes in
                var value = borrowed(bytes)
                return mdb_put(pointer, table.handle, &key, &value, flags)
            }
        }
        try check(code, mustBeGreatest ? "append" : "put")
    }

    func delete(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> Bool {
        preconditionOnWriterThread()
        return try LMDB.delete(table, key, pointer)
    }

    /// See `WriteTransaction.change`.
    func change(
        _ table: Table, _ edits: RowEdits, _ range: Range<Int>
    ) throws(LMDBError) {
        preconditionOnWriterThread()
        let cursor = try Cursor(pointer, table)
        let code = edits.bytes.withUnsafeBytes { bytes in
            for place in edits.places[range] {
                let keyEnd = place.start + Int(place.keyCount)
                var key = borrowed(UnsafeRawBufferPointer(rebasing: bytes[place.start..<keyEnd]))
                precondition(
                    (1...511).contains(key.mv_size), "a key has 1 to 511 bytes, not \(key.mv_size)")
                let code =
                    if place.valueCount < 0 {
                        cursor.delete(&key)
                    } else {
                        cursor.put(
                            &key,
                            borrowed(
                                UnsafeRawBufferPointer(
                                    rebasing: bytes[keyEnd..<keyEnd + Int(place.valueCount)])))
                    }
                guard code == MDB_SUCCESS else { return code }
            }
            return MDB_SUCCESS
        }
        try check(code, "change")
    }

    func deleteAll(_ table: Table) throws(LMDBError) {
        preconditionOnWriterThread()
        try check(mdb_drop(pointer, table.handle, 0), "delete all")
    }
}

/// The names of the tables, which LMDB keeps in table 1. Throws unless they stand in order.
func namesOfTables(_ transaction: OpaquePointer) throws(LMDBError) -> Set<[UInt8]> {
    let cursor = try Cursor(transaction, Table(name: "names", handle: 1))
    var names: Set<[UInt8]> = []
    var last: [UInt8] = []
    var next = try cursor.move(MDB_FIRST)
    while let entry = next {
        let name = bytes(of: entry.key)
        guard last.lexicographicallyPrecedes(name) else {
            throw damagedNames
        }
        names.insert(name)
        last = name
        next = try cursor.move(MDB_NEXT)
    }
    return names
}

let damagedNames = LMDBError(code: MDB_CORRUPTED, operation: "read the names of the tables")

/// Deletes a row, if it is there.
func delete(
    _ table: Table, _ key: [UInt8], _ transaction: OpaquePointer
) throws(LMDBError) -> Bool {
    try isFound(withKey(key) { mdb_del(transaction, table.handle, &$0, nil) }, "delete")
}

/// A place in a table. It is closed when it goes, which must be before the transaction ends.
private struct Cursor: ~Copyable {
    typealias Entry = (key: MDB_val, value: MDB_val)

    private let pointer: OpaquePointer

    init(_ transaction: OpaquePointer, _ table: Table) throws(LMDBError) {
        var opened: OpaquePointer?
        try check(mdb_cursor_open(transaction, table.handle, &opened), "open a cursor")
        guard let opened else { preconditionFailure("LMDB gave no cursor") }
        pointer = opened
    }

    deinit { mdb_cursor_close(pointer) }

    func first(atOrAfter bound: [UInt8]?) throws(LMDBError) -> Entry? {
        // Every key is at or after the empty one, for which LMDB does not search.
        guard let bound, !bound.isEmpty else { return try move(MDB_FIRST) }
        var value = MDB_val()
        var key = MDB_val()
        let code = bound.withUnsafeBytes { bytes in
            key = borrowed(bytes)
            return mdb_cursor_get(pointer, &key, &value, MDB_SET_RANGE)
        }
        return try isFound(code, "seek") ? (key, value) : nil
    }

    func last(before bound: [UInt8]?) throws(LMDBError) -> Entry? {
        guard let bound, try first(atOrAfter: bound) != nil else { return try move(MDB_LAST) }
        return try move(MDB_PREV)
    }

    /// Moves to the neighbour (or the end) that `operation` says.
    func move(_ operation: MDB_cursor_op) throws(LMDBError) -> Entry? {
        var key = MDB_val()
        var value = MDB_val()
        let code = mdb_cursor_get(pointer, &key, &value, operation)
        return try isFound(code, "move a cursor") ? (key, value) : nil
    }

    func put(_ key: inout MDB_val, _ value: MDB_val) -> Int32 {
        var value = value
        return mdb_cursor_put(pointer, &key, &value, 0)
    }

    /// Does nothing where there is no such key.
    func delete(_ key: inout MDB_val) -> Int32 {
        var value = MDB_val()
        let code = mdb_cursor_get(pointer, &key, &value, MDB_SET)
        if code == MDB_NOTFOUND { return MDB_SUCCESS }
        return code == MDB_SUCCESS ? mdb_cursor_del(pointer, 0) : code
    }
}

// MARK: Bytes

/// A copy of what LMDB points to.
func bytes(of value: MDB_val) -> [UInt8] {
    // Quicker than `init(unsafeUninitializedCapacity:)`, which looks its storage's type up each time.
    [UInt8](UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
}

/// What LMDB points to.
private func memory(of value: MDB_val) -> UnsafeBufferPointer<UInt8> {
    UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
        .assumingMemoryBound(to: UInt8.self)
}

/// The same bytes in LMDB's form; it only reads them.
private func borrowed(_ bytes: UnsafeRawBufferPointer) -> MDB_val {
    MDB_val(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
}

private func withKey(_ key: [UInt8], _ body: (inout MDB_val) -> Int32) -> Int32 {
    precondition(
        key.count >= 1 && key.count <= 511, "a key has 1 to 511 bytes, not \(key.count)")
    return key.withUnsafeBytes { bytes in
        var key = borrowed(bytes)
        return body(&key)
    }
}

/// LMDB's order: byte by byte, and a shorter key before what it begins.
private func isLess(_ left: MDB_val, _ right: [UInt8]) -> Bool {
    let common = min(left.mv_size, right.count)
    let difference = right.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress, common > 0 else { return Int32(0) }
        return memcmp(left.mv_data, start, common)
    }
    return difference != 0 ? difference < 0 : left.mv_size < right.count
}

private func isFound(_ code: Int32, _ operation: String) throws(LMDBError) -> Bool {
    if code == MDB_NOTFOUND { return false }
    try check(code, operation)
    return true
}
