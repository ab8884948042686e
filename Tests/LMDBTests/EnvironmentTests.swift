import Foundation
import Glibc
import LMDB
import Testing

@Suite("Opening an environment")
struct EnvironmentTests {
    @Test("it works with no flag but the one that frees readers from threads")
    func flags() throws {
        let noThreadLocalStorage: UInt32 = 0x200000
        let dangerous: [UInt32] = [
            0x10000,  // MDB_NOSYNC
            0x40000,  // MDB_NOMETASYNC
            0x100000,  // MDB_MAPASYNC
            0x80000,  // MDB_WRITEMAP
            0x400000,  // MDB_NOLOCK
            0x1000000,  // MDB_NOMEMINIT
            0x01,  // MDB_FIXEDMAP
        ]
        try withDatabase { environment in
            #expect(environment.flags == noThreadLocalStorage)
            for flag in dangerous { #expect(environment.flags & flag == 0) }
        }
    }

    @Test("a program that the process starts gets none of its files")
    func descriptors() throws {
        try withDatabase { environment in
            var count = 0
            for descriptor in Int32(0)..<1_024 {
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/self/fd/\(descriptor)")
                guard let target, target.hasPrefix(environment.directory) else { continue }
                count += 1
                #expect(fcntl(descriptor, F_GETFD) == FD_CLOEXEC, "\(target)")
            }
            #expect(count == 3)
        }
    }

    @Test("a second open in the same process is refused, by whatever name; after a close it works")
    func secondOpen() throws {
        let directory = TemporaryDirectory()
        try createDatabase(directory.database)
        let environment = try openDatabase(directory.database)
        let link = directory.path + "/link"
        #expect(symlink(directory.database, link) == 0)
        for path in [directory.database, directory.database + "/", link] {
            #expect(throws: EnvironmentError.alreadyOpen(directory: path)) {
                try openDatabase(path)
            }
        }
        try environment.write { try $0.put(environment.letters, [1], [1]) }
        environment.close()
        environment.close()
        let again = try openDatabase(link)
        try again.read { try #expect($0.count(again.letters) == 1) }
        again.close()
    }

    @Test("an environment that just goes is closed")
    func abandonment() throws {
        let directory = TemporaryDirectory()
        try createDatabase(directory.database)
        _ = try openDatabase(directory.database)
        try openDatabase(directory.database).close()
    }

    @Test("a directory without a database is refused, and stays without one")
    func noDatabase() throws {
        let directory = TemporaryDirectory()
        for _ in 0..<2 {
            #expect(throws: EnvironmentError.noDatabase(directory: directory.path)) {
                try openDatabase(directory.path)
            }
        }
        #expect(!exists(directory.path + "/lock.mdb"))
        let missing = directory.path + "/missing"
        #expect(throws: FileSystemError(code: ENOENT, operation: "stat", path: missing)) {
            try openDatabase(missing)
        }
    }

    @Test("a file that is shorter than its pages is reported, and opened only on demand")
    func truncation() throws {
        let directory = TemporaryDirectory()
        try createDatabase(directory.database) { transaction in
            // Long enough to need pages of their own.
            let letters = transaction.table("letters")
            for number in 0..<20 {
                try transaction.put(letters, key(number), [UInt8](repeating: 1, count: 10_000))
            }
        }
        let file = directory.database + "/data.mdb"
        let whole = try FileSystem.fileSize(of: file)
        let environment = try openDatabase(directory.database)
        #expect(environment.info.usedBytes == whole)
        environment.close()

        for bytes in [whole - 1, whole / 2, 0] {
            #expect(truncate(file, bytes) == 0)
            let error = #expect(throws: EnvironmentError.self) {
                try openDatabase(directory.database)
            }
            guard case .truncated(file, bytes, let expected) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(expected == whole || bytes == 0)
            if bytes == whole - 1 {
                try openDatabase(directory.database, smallOptions(truncated: true)).close()
            }
        }
    }

    @Test("a file that is no database is refused")
    func garbage() throws {
        let directory = TemporaryDirectory()
        write(String(repeating: "no database ", count: 1_000), to: directory.path + "/data.mdb")
        let error = #expect(throws: LMDBError.self) { try openDatabase(directory.path) }
        #expect(error?.isFatal == true)
        #expect(error?.description.contains("not an LMDB file") == true)
    }

    @Test("missing tables are added, unless it is only opened to look")
    func missingTables() throws {
        let directory = TemporaryDirectory()
        let path = directory.database
        try createDatabase(path)
        let more = tableNames + ["symbols"]
        let missing = EnvironmentError.missingTable(name: "symbols", directory: path)
        #expect(throws: missing) {
            try Environment(directory: path, tables: more, options: smallOptions(readOnly: true))
        }
        try Environment(directory: path, tables: more, options: smallOptions()).close()
        let environment = try Environment(
            directory: path, tables: more, options: smallOptions(readOnly: true))
        #expect(environment.table("symbols").name == "symbols")
        #expect(environment.flags & 0x20000 != 0)
        try environment.read { try #expect($0.count(environment.table("symbols")) == 0) }
        environment.close()
    }

    @Test("a needed table is never added, and rows that tell of the others go where one of them is")
    func neededTables() throws {
        let directory = TemporaryDirectory()
        let path = directory.database
        try createDatabase(path)
        let (table, key) = (tableNames[0], bytes("told"))
        func open(_ more: String, needed: Set<String>) throws -> Environment {
            try Environment(
                directory: path, tables: tableNames + [more], needed: needed,
                forgotten: (table, [key, bytes("not there")]), options: smallOptions())
        }
        func isTold(_ environment: Environment) throws -> Bool {
            defer { environment.close() }
            return try environment.read { try $0.get(environment.table(table), key) } != nil
        }
        let first = try openDatabase(path)
        try first.write { try $0.put(first.table(table), key, [1]) }
        first.close()
        #expect(throws: EnvironmentError.missingTable(name: "symbols", directory: path)) {
            try open("symbols", needed: ["symbols"])
        }
        try #expect(isTold(openDatabase(path)))
        try #expect(!isTold(open("symbols", needed: [table])))
    }

    @Test("opening what has all its tables writes nothing")
    func openingWithoutWriting() throws {
        let directory = TemporaryDirectory()
        try createDatabase(directory.database)
        var numbers: [Int] = []
        for _ in 0..<2 {
            let environment = try openDatabase(directory.database)
            numbers.append(environment.info.lastTransactionID)
            environment.close()
        }
        #expect(numbers[0] == numbers[1])
    }

    @Test("its size and the lag of readers are known")
    func information() throws {
        try withDatabase(smallOptions(readers: 9)) { environment in
            let before = environment.info
            #expect(before.mapSize == 16 << 20)
            #expect(before.maximumReaders >= 9)
            #expect(before.usedBytes > 0 && before.usedBytes % before.pageSize == 0)
            #expect(environment.oldestReaderLag() == 0)
            try environment.read { _ in
                #expect(environment.oldestReaderLag() == 0)
                for number in 1...3 {
                    try environment.write {
                        try $0.put(
                            environment.letters, [1], [UInt8](repeating: 1, count: 10_000 * number))
                    }
                    #expect(environment.oldestReaderLag() == number)
                }
            }
            #expect(environment.oldestReaderLag() == 0)
            #expect(environment.info.lastTransactionID == before.lastTransactionID + 3)
            #expect(environment.info.usedBytes > before.usedBytes)
        }
    }

    @Test("the library is a 0.9")
    func version() {
        let version = Environment.libraryVersion
        #expect(version.major == 0 && version.minor == 9)
        #expect(version.text.contains("LMDB 0.9.\(version.patch)"))
    }

    @Test("errors say what was tried and why it failed")
    func errorTexts() {
        let full = LMDBError(code: -30792, operation: "put")
        #expect(full.isMapFull)
        #expect(full.description.hasPrefix("LMDB could not put: MDB_MAP_FULL"))
        #expect(LMDBError(code: -30788, operation: "put").isTransactionFull)
        #expect(LMDBError(code: EIO, operation: "commit").description.contains("Input/output"))
        let harmless: [Int32] = [-30799, -30798, -30792, -30790, -30788, -30781]
        for code in harmless { #expect(!LMDBError(code: code, operation: "").isFatal) }
        for code in [EIO, ENOSPC, EROFS, -30795, -30796, -30797, -30782] {
            #expect(LMDBError(code: code, operation: "").isFatal)
        }
    }
}
