import CLMDB
import Glibc

extension Environment {
    /// Creates a database so that after a power failure there is either nothing or all of it.
    ///
    /// It is made in `<directory>.tmp`, with `tables` and what `fill` puts in one write
    /// transaction, brought to the disk, and renamed to `directory`, of which nothing may exist.
    /// What an earlier attempt left behind is removed first. When `fill` throws, nothing is left.
    ///
    /// Two processes must not do it at once; a `DirectoryLock` of the directory above sees to that.
    /// - Throws: `EnvironmentError.alreadyExists`, `LMDBError`, `FileSystemError`, and what `fill`
    ///   throws.
    package static func create(
        directory: String, tables: [String], options: Options,
        fill: (inout WriteTransaction) throws -> Void
    ) throws {
        precondition(!options.readOnly, "a database is not created read-only")
        let directory = FileSystem.withoutTrailingSlashes(directory)
        guard try !FileSystem.exists(directory) else {
            throw EnvironmentError.alreadyExists(path: directory)
        }
        let temporary = directory + ".tmp"
        try removeDatabase(temporary)
        try FileSystem.createDirectory(temporary)
        do {
            try make(in: temporary, tables, options, fill)
            try FileSystem.synchronize(temporary + "/data.mdb")
            try FileSystem.synchronize(temporary + "/lock.mdb")
            try FileSystem.synchronize(temporary)
            try FileSystem.rename(temporary, to: directory)
        } catch {
            // The first error counts; what stays is removed by the next attempt.
            try? removeDatabase(temporary)
            throw error
        }
        try FileSystem.synchronize(FileSystem.parent(of: directory))
    }

    private static func make(
        in directory: String, _ tables: [String], _ options: Options,
        _ fill: (inout WriteTransaction) throws -> Void
    ) throws {
        let environment = try Environment(
            directory: directory, tables: tables, options: options, isNew: true)
        defer { environment.close() }
        try environment.write(fill)
        try environment.withPointer { (pointer) throws(LMDBError) in
            try check(mdb_env_sync(pointer, 1), "bring the new database to the disk")
        }
    }

    /// Removes the database's own two files and their directory. Anything else in there is not
    /// ours: then the directory stays, and this throws.
    private static func removeDatabase(_ directory: String) throws(FileSystemError) {
        try FileSystem.removeFile(directory + "/data.mdb")
        try FileSystem.removeFile(directory + "/lock.mdb")
        try FileSystem.removeDirectory(directory)
    }

    /// Writes a copy of the last committed state to a new `data.mdb` (mode 0600) in `directory`,
    /// which must exist, and brings it to the disk. Readers and writers go on meanwhile, but pages
    /// are not re-used until it ends; so copy to a fast local disk.
    ///
    /// `compacting` leaves out free pages, and fails with `MDB_INCOMPATIBLE` if pages have been
    /// lost. Traps on a thread that has a write transaction open.
    /// - Throws: `FileSystemError` (`EEXIST` when there is a `data.mdb` already), `LMDBError`.
    ///   The unfinished file has been removed then.
    package func copy(to directory: String, compacting: Bool) throws {
        let path = directory + "/data.mdb"
        let file = try FileSystem.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        do {
            defer { _ = Glibc.close(file) }
            try withPointer(takesWriterLock: true) { (pointer) throws(LMDBError) in
                let flags = compacting ? UInt32(MDB_CP_COMPACT) : 0
                try check(mdb_env_copyfd2(pointer, file, flags), "copy the database")
            }
            try FileSystem.synchronize(descriptor: file, path)
        } catch {
            // The first error counts.
            try? FileSystem.removeFile(path)
            throw error
        }
        try FileSystem.synchronize(directory)
    }

    /// The size and the state of an environment.
    package struct Info: Equatable, Sendable {
        /// The most bytes the database may have.
        package let mapSize: Int
        /// The bytes up to the last page in use; free pages before it count as used.
        package let usedBytes: Int
        /// The number of the last committed write transaction.
        package let lastTransactionID: Int
        /// Bytes of a page.
        package let pageSize: Int
        /// How many reader slots have been in use at once at most, since the lock file was made.
        package let readers: Int
        /// How many reader slots there are.
        package let maximumReaders: Int
    }

    /// The size and the state as of now.
    package var info: Info {
        withPointer { pointer in
            let info = rawInfo(of: pointer)
            return Info(
                mapSize: Int(info.me_mapsize), usedBytes: LMDB.usedBytes(of: pointer),
                lastTransactionID: Int(info.me_last_txnid), pageSize: pageSize(of: pointer),
                readers: Int(info.me_numreaders), maximumReaders: Int(info.me_maxreaders))
        }
    }

    /// The flags that LMDB works with (`MDB_NOTLS`, …).
    package var flags: UInt32 {
        withPointer { pointer in
            var flags: UInt32 = 0
            let code = mdb_env_get_flags(pointer, &flags)
            precondition(code == MDB_SUCCESS)
            return flags
        }
    }

    /// By how many transactions the oldest open reader, of any process, is behind the last commit;
    /// 0 when there is none. Freed pages are not used again as long as a reader may need them.
    package func oldestReaderLag() -> Int {
        withPointer { pointer in
            var oldest: Int?
            // The line of a reader is "process thread transaction", the last one "-" if it idles.
            let code = mdb_reader_list(
                pointer,
                { line, context in
                    guard let line, let context else { return 0 }
                    let fields = String(cString: line).split { $0 == " " || $0 == "\n" }
                    if fields.count == 3, let transaction = Int(fields[2]) {
                        let oldest = context.assumingMemoryBound(to: Int?.self)
                        oldest.pointee = min(oldest.pointee ?? transaction, transaction)
                    }
                    return 0
                }, &oldest)
            precondition(code >= 0, "LMDB could not list its readers (\(code))")
            guard let oldest else { return 0 }
            return max(0, Int(rawInfo(of: pointer).me_last_txnid) - oldest)
        }
    }

    /// Clears the slots of readers whose process has died, and returns how many.
    package func clearDeadReaders() throws -> Int {
        try withPointer { (pointer) throws(LMDBError) in
            var dead: Int32 = 0
            try check(mdb_reader_check(pointer, &dead), "clear the slots of dead readers")
            return Int(dead)
        }
    }

    /// The version of the LMDB library in use.
    package static var libraryVersion: (text: String, major: Int, minor: Int, patch: Int) {
        var major: Int32 = 0
        var minor: Int32 = 0
        var patch: Int32 = 0
        let text = String(cString: mdb_version(&major, &minor, &patch))
        return (text, Int(major), Int(minor), Int(patch))
    }
}

/// The bytes up to the end of the last page in use. Reads the meta pages only.
func usedBytes(of environment: OpaquePointer) -> Int {
    (Int(rawInfo(of: environment).me_last_pgno) + 1) * pageSize(of: environment)
}

private func rawInfo(of environment: OpaquePointer) -> MDB_envinfo {
    var info = MDB_envinfo()
    let code = mdb_env_info(environment, &info)
    precondition(code == MDB_SUCCESS)
    return info
}

private func pageSize(of environment: OpaquePointer) -> Int {
    var statistics = MDB_stat()
    let code = mdb_env_stat(environment, &statistics)
    precondition(code == MDB_SUCCESS)
    return Int(statistics.ms_psize)
}
