import CLMDB
import Glibc
import Synchronization

/// An open LMDB environment: one directory with `data.mdb` and `lock.mdb`, and the tables in it.
///
/// It is opened with `MDB_NOTLS` and no other flag (and `MDB_RDONLY` where asked), so a commit
/// returns after the disk has it, and readers see nothing that is not on disk. There may be one
/// environment per directory and process; other processes must be kept out with a
/// `DirectoryLock` (read-only ones may look on, briefly). Do not fork with it open, and do not open
/// its files by other means: closing them would drop LMDB's locks.
package final class Environment: Sendable {
    /// How an environment is opened.
    package struct Options: Sendable {
        /// The most bytes the database may ever have, a multiple of the page size. It is address
        /// space and not disk, so that it is chosen big once and never grows while in use.
        package var mapSize: Int
        /// How many named tables there may be. Each costs every transaction a little.
        package var maximumTables: Int
        /// How many read transactions may be open at once, in all processes together.
        package var maximumReaders: Int
        /// Whether it is opened only to look. A write transaction then traps.
        package var readOnly: Bool
        /// Whether a data file that is shorter than it should be is opened all the same. For who
        /// has walked it in another process before, or is that process.
        package var acceptsTruncatedFile: Bool

        package init(
            mapSize: Int = 64 << 30, maximumTables: Int, maximumReaders: Int,
            readOnly: Bool = false, acceptsTruncatedFile: Bool = false
        ) {
            self.mapSize = mapSize
            self.maximumTables = maximumTables
            self.maximumReaders = maximumReaders
            self.readOnly = readOnly
            self.acceptsTruncatedFile = acceptsTruncatedFile
        }
    }

    struct State {
        var isClosed = false
        var openTransactions = 0
        /// The thread whose write transaction is open.
        var writerThread: pthread_t?
    }

    /// The directory, as it was given.
    package let directory: String
    let isReadOnly: Bool
    private let tables: [String: Table]
    private let identity: FileSystem.Identity
    private let state = Mutex(State())
    // Safe to share: LMDB's functions on an environment may be called from any thread, and `state`
    // sees to it that none is called after the close.
    private nonisolated(unsafe) let pointer: OpaquePointer

    /// Opens the environment in `directory`, which must hold a `data.mdb`; `create` makes one.
    ///
    /// Tables of `tables` that are missing are created, all in one write transaction. Slots of
    /// readers whose process has died are cleared.
    ///
    /// - Parameter needed: those that a database without is damaged: they are never created here.
    /// - Parameter forgotten: rows of a table that go, in the same transaction, where another table is created: they
    ///   say what is no longer so.
    /// - Throws: `EnvironmentError`, `LMDBError`, or `FileSystemError` when the directory cannot
    ///   be looked at.
    package convenience init(
        directory: String, tables: [String], needed: Set<String> = [],
        forgotten: (table: String, keys: [[UInt8]])? = nil, options: Options
    ) throws {
        try self.init(
            directory: directory, tables: tables, needed: needed, forgotten: forgotten,
            options: options, isNew: false)
    }

    init(
        directory: String, tables names: [String], needed: Set<String> = [],
        forgotten: (table: String, keys: [[UInt8]])? = nil, options: Options, isNew: Bool
    ) throws {
        precondition(
            options.mapSize > 0 && options.mapSize % Int(sysconf(Int32(_SC_PAGESIZE))) == 0,
            "the size of the map must be a multiple of the page size")
        precondition(
            names.count <= options.maximumTables && Set(names).count == names.count,
            "more tables than there may be, or one of them twice")
        self.directory = directory
        isReadOnly = options.readOnly
        identity = try FileSystem.identity(of: directory)
        guard OpenDirectories.claim(identity) else {
            throw EnvironmentError.alreadyOpen(directory: directory)
        }
        do {
            pointer = try openEnvironment(directory, options, isNew: isNew)
        } catch {
            OpenDirectories.release(identity)
            throw error
        }
        do {
            let creates: Set<String> =
                options.readOnly ? [] : isNew ? Set(names) : Set(names).subtracting(needed)
            tables = try openTables(
                names, pointer, directory, creates: creates, forgotten: forgotten,
                isReadOnly: options.readOnly)
        } catch {
            mdb_env_close(pointer)
            OpenDirectories.release(identity)
            throw error
        }
    }

    deinit { close() }

    /// The table with this name, which must be one of those the environment was opened with.
    package func table(_ name: String) -> Table {
        guard let table = tables[name] else {
            preconditionFailure("the environment was opened without a table '\(name)'")
        }
        return table
    }

    /// Closes the environment; a second call does nothing. No transaction may be open.
    package func close() {
        let closesNow = state.withLock { state in
            precondition(
                state.openTransactions == 0, "the environment is closed with a transaction open")
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard closesNow else { return }
        mdb_env_close(pointer)
        OpenDirectories.release(identity)
    }

    /// Runs `body` with a snapshot of what is committed now; writers do not disturb it.
    ///
    /// Pages that were in use when it began are not used again before it ends: keep it short, and
    /// do not wait for anything in it.
    /// - Throws: `LMDBError` (`isReadersFull` when all slots are taken), and what `body` throws.
    package func read<T>(_ body: (borrowing ReadTransaction) throws -> T) throws -> T {
        let transaction = try beginRead()
        return try body(transaction)
    }

    /// Begins a snapshot for a caller that wraps it in a type of its own; it ends when it goes.
    package func beginRead() throws -> ReadTransaction {
        ReadTransaction(try begin(forWriting: false))
    }

    /// Begins a write transaction, waiting until no other one is open.
    ///
    /// It must be committed or aborted on the thread that calls this, which may not have another
    /// one open; both are checked, and a breach traps.
    package func beginWrite() throws -> WriteTransaction {
        WriteTransaction(try begin(forWriting: true))
    }

    /// Runs `body` in a write transaction, which is committed when `body` returns (the disk then
    /// has it), and aborted when it throws.
    package func write<T>(_ body: (inout WriteTransaction) throws -> T) throws -> T {
        var transaction = try beginWrite()
        let result = try body(&transaction)
        try transaction.commit()
        return result
    }

    private func begin(forWriting: Bool) throws(LMDBError) -> TransactionHandle {
        precondition(!(forWriting && isReadOnly), "the environment was opened read-only")
        enter(forWriting: forWriting)
        var transaction: OpaquePointer?
        let code = mdb_txn_begin(pointer, nil, forWriting ? 0 : UInt32(MDB_RDONLY), &transaction)
        guard code == MDB_SUCCESS, let transaction else {
            leave()
            throw LMDBError(code: code, operation: forWriting ? "begin write" : "begin read")
        }
        if forWriting { state.withLock { $0.writerThread = pthread_self() } }
        return TransactionHandle(transaction, environment: self, forWriting: forWriting)
    }

    /// Counts one more user of the environment, so that it is not closed under it.
    private func enter(forWriting: Bool) {
        state.withLock { state in
            precondition(!state.isClosed, "the environment has been closed")
            if forWriting { preconditionNotWriting(state) }
            state.openTransactions += 1
        }
    }

    /// The opposite of `enter`.
    func leave() {
        state.withLock { $0.openTransactions -= 1 }
    }

    /// The write transaction is about to end. Before it does: the next one may begin at once.
    func writerEnds() {
        state.withLock { $0.writerThread = nil }
    }

    /// Runs `body` with LMDB's environment, which stays open meanwhile.
    ///
    /// `takesWriterLock`: whether LMDB will wait for the open write transaction, if there is one.
    func withPointer<T, E: Error>(
        takesWriterLock: Bool = false, _ body: (OpaquePointer) throws(E) -> T
    ) throws(E) -> T {
        enter(forWriting: takesWriterLock)
        defer { leave() }
        return try body(pointer)
    }

    private func preconditionNotWriting(_ state: borrowing State) {
        if let writer = state.writerThread {
            precondition(
                pthread_equal(writer, pthread_self()) == 0,
                "this thread has a write transaction open and would wait for itself")
        }
    }
}

/// The directories that this process has open as environments.
private enum OpenDirectories {
    private static let all = Mutex<[FileSystem.Identity]>([])

    /// Whether it was free, and is now taken.
    static func claim(_ directory: FileSystem.Identity) -> Bool {
        all.withLock { all in
            if all.contains(where: { $0.isSame(as: directory) }) { return false }
            all.append(directory)
            return true
        }
    }

    static func release(_ directory: FileSystem.Identity) {
        all.withLock { all in all.removeAll { $0.isSame(as: directory) } }
    }
}

private func openEnvironment(
    _ directory: String, _ options: Environment.Options, isNew: Bool
) throws -> OpaquePointer {
    let dataFile = directory + "/data.mdb"
    if !isNew {
        // LMDB makes a new database of a missing or an empty file, without a word.
        guard try FileSystem.exists(dataFile) else {
            throw EnvironmentError.noDatabase(directory: directory)
        }
        let bytes = try FileSystem.fileSize(of: dataFile)
        guard bytes > 0 else {
            let metaPages = 2 * Int(sysconf(Int32(_SC_PAGESIZE)))
            throw EnvironmentError.truncated(
                path: dataFile, bytes: bytes, expectedBytes: metaPages)
        }
    }
    var created: OpaquePointer?
    try check(mdb_env_create(&created), "create an environment")
    guard let pointer = created else { preconditionFailure("LMDB gave no environment") }
    do {
        try check(mdb_env_set_assert(pointer, reportFailedAssertion), "set its assertion handler")
        try check(mdb_env_set_mapsize(pointer, options.mapSize), "set the size of the map")
        try check(
            mdb_env_set_maxdbs(pointer, UInt32(options.maximumTables)), "set the number of tables")
        try check(
            mdb_env_set_maxreaders(pointer, UInt32(options.maximumReaders)),
            "set the number of readers")
        // Without NOTLS a reader slot belongs to a thread, and a thread could read once at a time.
        let flags = UInt32(MDB_NOTLS) | (options.readOnly ? UInt32(MDB_RDONLY) : 0)
        try check(mdb_env_open(pointer, directory, flags, 0o600), "open \(directory)")
        try closeDataFileOnExec(of: pointer, dataFile)
        if !isNew && !options.acceptsTruncatedFile {
            // Before anything but the two meta pages is read.
            let expected = usedBytes(of: pointer)
            let bytes = try FileSystem.fileSize(of: dataFile)
            guard bytes >= expected else {
                throw EnvironmentError.truncated(
                    path: dataFile, bytes: bytes, expectedBytes: expected)
            }
        }
        var dead: Int32 = 0
        try check(mdb_reader_check(pointer, &dead), "clear the slots of dead readers")
    } catch {
        mdb_env_close(pointer)
        throw error
    }
    return pointer
}

/// LMDB does this itself for its other files, and would hand this one on to every program that
/// the process starts.
private func closeDataFileOnExec(of environment: OpaquePointer, _ path: String) throws {
    var descriptor: Int32 = -1
    try check(mdb_env_get_fd(environment, &descriptor), "find its data file")
    if fcntl(descriptor, F_SETFD, FD_CLOEXEC) == -1 {
        throw FileSystemError(code: errno, operation: "fcntl", path: path)
    }
}

private func openTables(
    _ names: [String], _ environment: OpaquePointer, _ directory: String, creates: Set<String>,
    forgotten: (table: String, keys: [[UInt8]])?, isReadOnly: Bool
) throws -> [String: Table] {
    var begun: OpaquePointer?
    try check(
        mdb_txn_begin(environment, nil, isReadOnly ? UInt32(MDB_RDONLY) : 0, &begun),
        "begin opening the tables")
    guard let transaction = begun else { preconditionFailure("LMDB gave no transaction") }
    var tables: [String: Table] = [:]
    do {
        let there = try namesOfTables(transaction)
        var isAnyCreated = false
        for name in names {
            var handle: UInt32 = 0
            var code = mdb_dbi_open(transaction, name, 0, &handle)
            // What a search does not find, though it is there, would be created a second time.
            if code == MDB_NOTFOUND, there.contains(Array(name.utf8)) { throw damagedNames }
            if code == MDB_NOTFOUND, creates.contains(name) {
                isAnyCreated = true
                code = mdb_dbi_open(transaction, name, UInt32(MDB_CREATE), &handle)
            }
            if code == MDB_NOTFOUND {
                throw EnvironmentError.missingTable(name: name, directory: directory)
            }
            try check(code, "open table '\(name)'")
            tables[name] = Table(name: name, handle: handle)
        }
        if isAnyCreated, let forgotten, let table = tables[forgotten.table] {
            for key in forgotten.keys { _ = try delete(table, key, transaction) }
        }
    } catch {
        mdb_txn_abort(transaction)
        throw error
    }
    // A read transaction too: an abort would take the handles away.
    try check(mdb_txn_commit(transaction), "commit the tables")
    return tables
}

/// How a process ends whose database turns out to be damaged: as one that cannot open it.
private let damagedExitCode: Int32 = 73

/// LMDB calls it right before it would abort the process: that would leave a core and no word on what to do.
private func reportFailedAssertion(_: OpaquePointer?, message: UnsafePointer<CChar>?) {
    let text = message.map { String(cString: $0) } ?? "no message"
    var line = "LMDB found its data damaged and ends the process: \(text)\n"
    line.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    _exit(damagedExitCode)
}
