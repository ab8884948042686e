import DaybookCore
import LMDB

/// The log, the payloads and the projections of one data directory, owned by this process.
package final class Store: Sendable {
    package struct Options: Sendable {
        /// Address space, not disk: the file grows as it fills.
        package var mapSize = 64 << 30
        /// Read transactions that may be open at once.
        package var maximumReaders = 256
        /// Opens on file systems on which LMDB is not safe (network, overlay, memory).
        package var allowsAnyFileSystem = false
        /// Set after a walk of the whole file by another process found it readable.
        package var acceptsTruncatedFile = false
        /// Whether only the log has to be well: for who builds the projections anew, or checks what is there.
        package var ignoresProjections = false

        package init() {}
    }

    package enum OpenError: Error, Hashable, Sendable, CustomStringConvertible {
        case fileSystem(kind: String, directory: String)
        /// The projections claim more entries than the log has.
        case logTooShort(log: Position, projections: Position)
        case notADatabase(directory: String)
        /// It has no log, no payloads or no `meta`.
        case missingTable(name: String, directory: String)
        case missingProjection(name: String, directory: String)
        case heldAndReadOnly(DirectoryHeldError)

        /// Whether it tells of what is in the file.
        package var isDamage: Bool {
            switch self {
            case .logTooShort, .missingTable: true
            case .fileSystem, .notADatabase, .missingProjection, .heldAndReadOnly: false
            }
        }

        package var description: String {
            switch self {
            case .fileSystem(let kind, let directory):
                """
                \(directory) is on \(kind), where a commit is not safe: use a local disk \
                (ext4, XFS), or allow it with --allow-any-filesystem
                """
            case .logTooShort(let log, let projections):
                """
                the log ends at \(log), but the projections have seen \(projections): \
                the data file was damaged or mixed up
                """
            case .notADatabase(let directory): "there is no Daybook database in \(directory)"
            case .heldAndReadOnly(let held):
                """
                \(held), and mounted read-only here, where nothing holds back what is being read: read it \
                by a mount that can be written, or read a backup
                """
            case .missingTable(let name, let directory):
                "the database in \(directory) is damaged: it has no table '\(name)'"
            case .missingProjection(let name, let directory):
                """
                the database in \(directory) has no table '\(name)': it was made by an older version, or \
                is damaged. daybook rebuild and daybook serve, on it or on a copy of it (of a backup: without \
                manifest.json), build it from the log
                """
            }
        }
    }

    /// What is known of the end of the log when it has been opened.
    package struct Tail: Hashable, Sendable {
        package let position: Position
        package let recordedAt: Instant
        /// The greatest id given in the last entries: the next one must be greater.
        package let lastID: AnyID
    }

    /// How many of the last entries are verified at every start.
    package static let verifiedTail: Position = 1_000
    /// Entries that a replay applies in one transaction: a few megabytes of rows, far from LMDB's limit
    /// of dirty pages.
    package static let replayBatch = 10_000

    private let environment: Environment
    let tables: BothTables
    private let lock: DirectoryLock?
    private let leaves = KeptLeaves()
    package let directory: String
    /// The files that a process which owns the directory has open, and what they were.
    private let openFiles: [(path: String, identity: FileSystem.Identity)]

    /// Opens the store in `directory`, making directory and database where there are none.
    ///
    /// - Throws: `DirectoryHeldError` when another process owns the directory, `OpenError`,
    ///   `LogError` when the end of the log does not verify, and errors of LMDB and the system.
    package init(directory: String, options: Options = Options()) throws {
        try FileSystem.createDirectory(directory)
        let kind = try FileSystem.kind(of: directory)
        guard !kind.isRefused || options.allowsAnyFileSystem else {
            throw OpenError.fileSystem(kind: kind.name, directory: directory)
        }
        self.directory = directory
        let lock = try DirectoryLock(directory: directory)
        self.lock = lock
        let database = Self.database(in: directory)
        do {
            if try FileSystem.exists(database) {
                try DataFile.verifyMetaPages(in: database)
            } else {
                try Environment.create(
                    directory: database, tables: Tables.names,
                    options: Self.environmentOptions(options)
                ) { _ in }
            }
            environment = try Environment(
                directory: database, tables: Tables.names, needed: Tables.needed,
                forgotten: Tables.layouts, options: Self.environmentOptions(options))
            openFiles = try ["data.mdb", "lock.mdb"].map { name in
                let path = database + "/" + name
                return (path, try FileSystem.identity(of: path))
            }
        } catch {
            lock.release()
            throw Self.openError(error, directory)
        }
        tables = BothTables(environment, ignoresDamage: options.ignoresProjections)
        do {
            _ = try verifyTail(ignoresProjections: options.ignoresProjections)
        } catch {
            close()
            throw error
        }
    }

    /// Opens an existing store to read from it, also beside the process that owns it.
    ///
    /// A file that is shorter than its pages is taken as it is: to touch a page that is missing ends
    /// the process, so only one that serves nobody may do this.
    package init(reading directory: String, options: Options = Options()) throws {
        try Self.expectDatabase(in: directory)
        if try FileSystem.isReadOnly(directory) {
            // LMDB cannot note there that it reads, so what it reads may be written over.
            do {
                try DirectoryLock.expectFree(directory)
            } catch let error as DirectoryHeldError {
                throw OpenError.heldAndReadOnly(error)
            }
        }
        let database = Self.database(in: directory)
        self.directory = directory
        lock = nil
        openFiles = []
        var environmentOptions = Self.environmentOptions(options)
        environmentOptions.readOnly = true
        environmentOptions.acceptsTruncatedFile = true
        do {
            environment = try Environment(
                directory: database, tables: Tables.names, options: environmentOptions)
        } catch {
            throw Self.openError(error, directory)
        }
        tables = BothTables(environment, ignoresDamage: options.ignoresProjections)
    }

    /// Throws where there is no database: who does not want to make one asks before.
    package static func expectDatabase(in directory: String) throws {
        guard try FileSystem.exists(database(in: directory) + "/data.mdb") else {
            throw OpenError.notADatabase(directory: directory)
        }
    }

    private static func openError(_ error: any Error, _ directory: String) -> any Error {
        guard case EnvironmentError.missingTable(let name, _) = error else { return error }
        return Tables.needed.contains(name)
            ? OpenError.missingTable(name: name, directory: directory)
            : OpenError.missingProjection(name: name, directory: directory)
    }

    /// Throws where the data file of a directory, on which no store is open, has lost its last commit.
    package static func verifyMetaPages(of directory: String) throws {
        try DataFile.verifyMetaPages(in: database(in: directory))
    }

    /// Throws where the pages of a directory's data file, which nobody may have open, cannot be what they say.
    package static func verifyPages(of directory: String) throws {
        try DataFile.verify(in: database(in: directory))
    }

    static func database(in directory: String) -> String { directory + "/db" }

    private static func environmentOptions(_ options: Options) -> Environment.Options {
        Environment.Options(
            mapSize: options.mapSize, maximumTables: 64, maximumReaders: options.maximumReaders,
            acceptsTruncatedFile: options.acceptsTruncatedFile)
    }

    /// Closes the environment and gives the directory free. No view and no batch may be open.
    package func close() {
        environment.close()
        lock?.release()
    }

    /// Throws where a file of the database was removed or replaced since it was opened: what is written then,
    /// no start would find.
    package func checkFiles() throws {
        for (path, identity) in openFiles {
            guard let found = try? FileSystem.identity(of: path), found.isSame(as: identity) else {
                throw FileGone(path: path)
            }
        }
    }

    private struct FileGone: Error, CustomStringConvertible {
        let path: String

        var description: String { "\(path) was removed or replaced while it was in use" }
    }

    /// Runs `body` with a snapshot. It must not wait for anything in it.
    package func read<Value>(_ body: (borrowing View) throws -> Value) throws -> Value {
        let transaction = try environment.beginRead()
        let live = try tables.live(transaction)
        let view = View(transaction, live)
        do {
            return try body(view)
        } catch is MalformedRow {
            throw LogError.damagedProjection("a key or a row")
        }
    }

    func beginTransaction() throws -> WriteTransaction { try environment.beginWrite() }
    func beginRead() throws -> ReadTransaction { try environment.beginRead() }

    /// Begins a batch, on the thread that will commit it.
    package func beginBatch() throws -> Batch {
        let transaction = try beginTransaction()
        let live = try tables.live(transaction)
        return try Batch.begin(transaction, live, leaves: leaves)
    }

    /// Whether opening failed because the data file is shorter than its pages. LMDB never writes some
    /// free pages at its end, so that alone is no damage; `walk`, in a process of its own, tells.
    package static func isSuspectedOfTruncation(_ error: any Error) -> Bool {
        if case EnvironmentError.truncated = error { true } else { false }
    }

    /// Touches every row of every table, and the list of free pages. Where a page is missing, the process ends by a
    /// signal.
    package func walk() throws {
        try read { view in
            try view.touchEverything()
            try view.transaction.verifyFreePages()
        }
    }

    /// Verifies the last entries and tells where the log ends.
    ///
    /// - Parameter ignoresProjections: whether what they have seen does not count where it does not read.
    package func verifyTail(ignoresProjections: Bool = false) throws -> Tail {
        try read { view in
            let last = try view.lastPosition()
            do {
                if let seen = try view.positionBehindEnd() {
                    throw OpenError.logTooShort(log: last, projections: seen)
                }
            } catch LogError.damagedProjection where ignoresProjections {}
            var recordedAt = Instant.epoch
            var lastID = AnyID.lowest
            let first = last > Self.verifiedTail ? last - Self.verifiedTail + 1 : 1
            if last > 0 {
                try view.entries(from: first) { entry in
                    recordedAt = entry.header.recordedAt
                    for event in entry.events {
                        if let id = event.newID { lastID = max(lastID, id) }
                    }
                    return true
                }
            }
            // Ids count up within a millisecond: look for the last one as far back as that goes.
            var position = first
            while lastID == .lowest, position > 1 {
                position -= 1
                let entry = try view.entry(at: position)
                guard entry.header.recordedAt.milliseconds == recordedAt.milliseconds else { break }
                for event in entry.events {
                    if let id = event.newID { lastID = max(lastID, id) }
                }
            }
            return Tail(position: last, recordedAt: recordedAt, lastID: lastID)
        }
    }

    // Replay

    /// Whether the projections are of another layout than this binary's, or behind the log.
    package func needsReplay() throws -> Bool {
        try read { view in
            try view.layout() != Rows.layout || view.service().position < view.lastPosition()
        }
    }

    /// Throws the projections away; the next `replay` builds them anew.
    package func clearProjections() throws {
        var batch = try beginBatch()
        batch.clearProjections()
        try batch.commit()
    }

    /// Brings the projections up to the end of the log, from where they stand; from nothing where
    /// their layout is not this binary's. Can be broken off and taken up again at any commit.
    ///
    /// - Parameter progress: is told the position reached and the last one; false breaks off.
    package func replay(
        batchSize: Int = Store.replayBatch,
        progress: (Position, Position) -> Bool = { _, _ in true }
    ) throws {
        if try read({ view in try view.layout() }) != Rows.layout { try clearProjections() }
        while true {
            var batch = try beginBatch()
            let reached = batch.replay(count: batchSize)
            let last = batch.nextPosition - 1
            try batch.commit()
            guard reached < last, progress(reached, last) else { return }
        }
    }

    // For operation

    package struct Space: Hashable, Sendable {
        package let availableBytes: Int
        package let totalBytes: Int
        package let mapUsedBytes: Int
        package let mapSize: Int
    }

    /// By how many commits the oldest open snapshot lies behind.
    package var oldestReaderLag: Int { environment.oldestReaderLag() }

    /// What is left on the disk and in the map.
    package func space() throws -> Space {
        let disk = try FileSystem.space(of: directory)
        let info = environment.info
        return Space(
            availableBytes: disk.availableBytes, totalBytes: disk.totalBytes,
            mapUsedBytes: info.usedBytes, mapSize: info.mapSize)
    }

    /// Copies what is committed into a new data directory (modes 0700 and 0600) and brings it to the
    /// disk. A server goes on meanwhile, but its file grows: pages are not used again until the end.
    ///
    /// - Parameter compacting: whether pages that are not in use are left out.
    package func copy(to directory: String, compacting: Bool = false) throws {
        try FileSystem.createDirectory(directory)
        try FileSystem.createDirectory(Self.database(in: directory))
        try environment.copy(to: Self.database(in: directory), compacting: compacting)
    }

    /// Frees the reader slots of processes that are no more; returns how many there were.
    package func clearDeadReaders() throws -> Int { try environment.clearDeadReaders() }

    /// LMDB's version, such as `LMDB 0.9.24: (July 24, 2019)`.
    package static var libraryVersion: String { Environment.libraryVersion.text }

    /// Whether this LMDB is one of the releases whose robust mutex clean-up has a race (0.9.26 to
    /// 0.9.31).
    package static var hasMutexRace: Bool {
        let version = Environment.libraryVersion
        return version.major == 0 && version.minor == 9 && (26...31).contains(version.patch)
    }
}

extension View {
    /// The last entry that the projections have seen, where that comes behind the log's end, which was lost then.
    ///
    /// The row that says it has no check of its own: it is believed where it was written later than the log's last entry,
    /// or where there are payloads behind that. Rows of another layout may not even read; they are thrown away.
    /// - Throws: `LogError.damagedProjection` where it is not to be believed.
    borrowing func positionBehindEnd() throws -> Position? {
        guard try layout() == Rows.layout else { return nil }
        let (last, seen) = (try lastPosition(), try service())
        guard seen.position > last else { return nil }
        let lastTime = last > 0 ? try entry(at: last).header.recordedAt : .epoch
        guard
            try seen.recordedAt > lastTime
                || transaction.first(tables.payloads, atOrAfter: Keys.position(last + 1)) != nil
        else { throw LogError.damagedProjection(TableName.meta.rawValue) }
        return seen.position
    }

    /// `nil` where there are no projections yet, or their row is damaged.
    package borrowing func layout() throws -> UInt32? {
        guard let bytes = try metaValue(tables.layoutKey), bytes.count == 4 else { return nil }
        var reader = ByteReader(bytes)
        return try reader.uint32()
    }
}

/// Whether a batch was too large for one transaction, or the map is full: less may still fit.
package func isNoRoom(_ error: any Error) -> Bool {
    guard let error = error as? LMDBError else { return false }
    return error.isMapFull || error.isTransactionFull
}

/// Whether the disk or the map failed, and not what is on it.
package func isStorageFailure(_ error: any Error) -> Bool {
    guard let error = error as? LMDBError else { return false }
    return error.isFatal && !error.isDamage
}

extension Event {
    /// The id of what the event made, if it made something with an id.
    var newID: AnyID? { touches.first { $0.previous == 0 }?.object }
}

extension Store.Space {
    /// How much of the disk is in use, from 0 to 1.
    package var diskUse: Double {
        totalBytes > 0 ? 1 - Double(availableBytes) / Double(totalBytes) : 0
    }

    /// How much of the map is in use, from 0 to 1.
    package var mapUse: Double { mapSize > 0 ? Double(mapUsedBytes) / Double(mapSize) : 0 }
}
