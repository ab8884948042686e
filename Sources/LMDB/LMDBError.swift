import CLMDB

/// What LMDB answered when it did not do what it was asked.
package struct LMDBError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One of LMDB's own negative codes (`MDB_MAP_FULL`, …) or an `errno`.
    package let code: Int32
    /// What was being done: "open", "begin write", "put", "commit", …
    package let operation: String

    /// For stand-ins that have to fail like the real thing.
    package init(code: Int32, operation: String) {
        self.code = code
        self.operation = operation
    }

    package var description: String {
        "LMDB could not \(operation): \(String(cString: mdb_strerror(code))) (\(code))"
    }

    /// The map has no room left. The write transaction is dead and must be aborted as a whole;
    /// the environment and the earlier data are well.
    package var isMapFull: Bool { code == MDB_MAP_FULL }
    /// The write transaction touched more pages than one may. It must be aborted as a whole.
    package var isTransactionFull: Bool { code == MDB_TXN_FULL }
    /// All reader slots are taken. The same read may succeed a moment later.
    package var isReadersFull: Bool { code == MDB_READERS_FULL }

    /// Whether it tells of what is in the file, and not of the disk, the map or the readers around it.
    package var isDamage: Bool {
        [MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH].contains(code)
    }

    /// Whether the effect of the operation is unknown, so that the process must stop and look at
    /// the database anew. True for everything but map full, transaction full, readers full, and
    /// what only a wrong call brings about: key exists, bad size, not found.
    ///
    /// A full disk is fatal too, and looks like an I/O error: keep an eye on the free space.
    package var isFatal: Bool {
        switch code {
        case MDB_MAP_FULL, MDB_TXN_FULL, MDB_READERS_FULL, MDB_KEYEXIST, MDB_BAD_VALSIZE,
            MDB_NOTFOUND:
            false
        default: true
        }
    }
}

/// Throws unless `code` says success.
func check(_ code: Int32, _ operation: String) throws(LMDBError) {
    if code != MDB_SUCCESS { throw LMDBError(code: code, operation: operation) }
}

/// Why an environment was not opened or created, beyond what LMDB itself finds wrong.
package enum EnvironmentError: Error, Equatable, Sendable, CustomStringConvertible {
    /// This process has it open already. LMDB would let a second open through, and closing one of
    /// the two would then take away the other's locks.
    case alreadyOpen(directory: String)
    /// There is no `data.mdb` in the directory.
    case noDatabase(directory: String)
    /// There is something at the place where a database was to be created.
    case alreadyExists(path: String)
    /// A table is not there and may not be created: it is needed, or the environment is opened read-only.
    case missingTable(name: String, directory: String)
    /// `data.mdb` is shorter than the last page in use says. Reading the missing part would kill
    /// the process (SIGBUS); it may also never have been written, and then nothing is lost.
    case truncated(path: String, bytes: Int, expectedBytes: Int)

    package var description: String {
        switch self {
        case .alreadyOpen(let directory):
            "\(directory): this process has the database open already"
        case .noDatabase(let directory):
            "\(directory): there is no database (data.mdb) here"
        case .alreadyExists(let path):
            "\(path): already exists, so that no database can be created there"
        case .missingTable(let name, let directory):
            "\(directory): the database has no table '\(name)'"
        case .truncated(let path, let bytes, let expectedBytes):
            "\(path): the file has \(bytes) bytes where at least \(expectedBytes) are expected"
        }
    }
}
