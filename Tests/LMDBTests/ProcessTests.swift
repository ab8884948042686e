import Glibc
import LMDB
import Testing

/// What calls for a second process: deaths, and what a wrong call does.
@Suite("Deaths and breaches")
struct ProcessTests {
    /// How a failed precondition ends a process.
    static var trap: ExitTest.Condition {
        #if arch(x86_64)
            .signal(SIGILL)
        #else
            .signal(SIGTRAP)
        #endif
    }

    @Test("a wrong call ends the process at once", arguments: Breach.allCases)
    func breaches(breach: Breach) async {
        let directory = TemporaryDirectory()
        let result = await #expect(
            processExitsWith: Self.trap, observing: [\.standardErrorContent]
        ) { [breach, path = directory.database as String] in
            try createDatabase(path)
            let environment = try openDatabase(path)
            try environment.write { try $0.put(environment.letters, [1], [1]) }
            try breach.commit(in: environment)
        }
        // Optimised code traps without a word.
        #if DEBUG
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains(breach.message))
        #endif
    }

    @Test("a kill inside a write transaction leaves nothing of it, and one can write at once")
    func killedWhileWriting() async throws {
        let directory = TemporaryDirectory()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.database as String] in
            try createDatabase(path) { try $0.put($0.table("letters"), [1], [1]) }
            let environment = try openDatabase(path)
            try environment.read { _ in
                try environment.write { transaction in
                    try transaction.put(environment.letters, [1], [9])
                    try transaction.put(environment.letters, [2], [9])
                    kill(getpid(), SIGKILL)
                }
            }
        }
        let environment = try openDatabase(directory.database)
        try environment.write { try $0.put(environment.letters, [3], [3]) }
        try environment.read { transaction in
            try #expect(transaction.get(environment.letters, [1]) == [1])
            try #expect(transaction.get(environment.letters, [2]) == nil)
            try #expect(transaction.get(environment.letters, [3]) == [3])
        }
        environment.close()
    }

    @Test("the slot of a reader whose process was killed is found and cleared")
    func deadReader() async throws {
        let directory = TemporaryDirectory()
        try createDatabase(directory.database)
        let environment = try openDatabase(directory.database)
        try #expect(environment.clearDeadReaders() == 0)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.database as String] in
            let environment = try openDatabase(path, smallOptions(readOnly: true))
            try environment.read { _ in _ = kill(getpid(), SIGKILL) }
        }
        try environment.write { try $0.put(environment.letters, [1], [1]) }
        #expect(environment.oldestReaderLag() == 1)
        try #expect(environment.clearDeadReaders() == 1)
        #expect(environment.oldestReaderLag() == 0)
        environment.close()
    }

    @Test("LMDB's last words on damaged data reach the standard error, and the exit code tells")
    func assertionMessage() async throws {
        let directory = TemporaryDirectory()
        try createDatabase(directory.database) { transaction in
            for number in 0..<2_000 {
                try transaction.append(transaction.table("numbers"), key(number), key(number))
            }
        }
        try emptyBranchPages(of: directory.database + "/data.mdb")
        let result = await #expect(
            processExitsWith: .exitCode(73), observing: [\.standardErrorContent]
        ) { [path = directory.database as String] in
            let environment = try openDatabase(path)
            try environment.read { _ = try $0.get(environment.numbers, key(1_000)) }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("LMDB found its data damaged and ends the process: "))
    }
}

/// Makes every inner page of the tree claim that it has no entries.
private func emptyBranchPages(of path: String) throws {
    let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
    let size = try FileSystem.fileSize(of: path)
    let file = open(path, O_RDWR)
    precondition(file >= 0)
    defer { close(file) }
    var damaged = 0
    // The header of a page: number (8 bytes), unused (2), flags (2), end of the entries' list (2).
    for page in stride(from: 2 * pageSize, to: size, by: pageSize) {
        var header = [UInt8](repeating: 0, count: 16)
        precondition(pread(file, &header, 16, page) == 16)
        guard header[10] == 1 else { continue }
        precondition(pwrite(file, [UInt8(16), UInt8(0)], 2, page + 12) == 2)
        damaged += 1
    }
    #expect(damaged > 0)
}

/// A wrong call that must not come back. `LMDB` returns success for some of them.
enum Breach: String, CaseIterable, Codable, Sendable {
    case putOnAnotherThread, deleteOnAnotherThread, deleteAllOnAnotherThread
    case commitOnAnotherThread, abortOnAnotherThread
    case secondWriteOnTheSameThread, copyInsideAWrite
    case emptyKeyPut, emptyKeyRead, longKeyPut, longKeyRead
    case unknownTable, closeInsideARead, readAfterClose, writeToReadOnly

    /// What the process says about it.
    var message: String {
        switch self {
        case .putOnAnotherThread, .deleteOnAnotherThread, .deleteAllOnAnotherThread,
            .commitOnAnotherThread, .abortOnAnotherThread:
            "a write transaction is used outside the thread that began it"
        case .secondWriteOnTheSameThread, .copyInsideAWrite:
            "this thread has a write transaction open and would wait for itself"
        case .emptyKeyPut, .emptyKeyRead: "a key has 1 to 511 bytes, not 0"
        case .longKeyPut, .longKeyRead: "a key has 1 to 511 bytes, not 512"
        case .unknownTable: "the environment was opened without a table 'unknown'"
        case .closeInsideARead: "the environment is closed with a transaction open"
        case .readAfterClose: "the environment has been closed"
        case .writeToReadOnly: "the environment was opened read-only"
        }
    }

    func commit(in environment: Environment) throws {
        let long = [UInt8](repeating: 1, count: 512)
        switch self {
        case .putOnAnotherThread:
            try onAnotherThread(environment) { try $0.put($0.table("letters"), [1], []) }
        case .deleteOnAnotherThread:
            try onAnotherThread(environment) { _ = try $0.delete($0.table("letters"), [1]) }
        case .deleteAllOnAnotherThread:
            try onAnotherThread(environment) { try $0.deleteAll($0.table("letters")) }
        case .commitOnAnotherThread:
            let parcel = Parcel(try environment.beginWrite())
            LMDBTests.onAnotherThread { try? parcel.transaction.take()?.commit() }
        case .abortOnAnotherThread:
            let parcel = Parcel(try environment.beginWrite())
            LMDBTests.onAnotherThread { parcel.transaction.take()?.abort() }
        case .secondWriteOnTheSameThread:
            try environment.write { _ in try environment.write { _ in } }
        case .copyInsideAWrite:
            try environment.write { _ in
                try environment.copy(to: environment.directory + "/..", compacting: false)
            }
        case .emptyKeyPut: try environment.write { try $0.put(environment.letters, [], []) }
        case .emptyKeyRead: try environment.read { _ = try $0.get(environment.letters, []) }
        case .longKeyPut: try environment.write { try $0.put(environment.letters, long, []) }
        case .longKeyRead: try environment.read { _ = try $0.get(environment.letters, long) }
        case .unknownTable: _ = environment.table("unknown")
        case .closeInsideARead: try environment.read { _ in environment.close() }
        case .readAfterClose:
            environment.close()
            try environment.read { _ in }
        case .writeToReadOnly:
            let directory = environment.directory
            environment.close()
            _ = try openDatabase(directory, smallOptions(readOnly: true)).beginWrite()
        }
    }

    private func onAnotherThread(
        _ environment: Environment, _ body: @escaping (inout WriteTransaction) throws -> Void
    ) throws {
        let parcel = Parcel(try environment.beginWrite())
        LMDBTests.onAnotherThread {
            if var transaction = parcel.transaction.take() { try? body(&transaction) }
        }
    }
}

/// Carries a transaction to where it must not be used.
private final class Parcel {
    var transaction: WriteTransaction?

    init(_ transaction: consuming WriteTransaction) { self.transaction = consume transaction }
}
