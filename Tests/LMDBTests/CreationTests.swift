import Glibc
import LMDB
import Testing

@Suite("Creating and copying a database")
struct CreationTests {
    @Test("a new one has its tables and its first contents, and is for its owner only")
    func creation() throws {
        let directory = TemporaryDirectory()
        let path = directory.database
        try createDatabase(path + "/") { transaction in
            try transaction.put(transaction.table("letters"), [1], bytes("first"))
        }
        #expect(!exists(path + ".tmp"))
        #expect(permissions(of: path) == 0o700)
        #expect(permissions(of: path + "/data.mdb") == 0o600)
        #expect(permissions(of: path + "/lock.mdb") == 0o600)
        let environment = try openDatabase(path)
        try environment.read { transaction in
            try #expect(transaction.get(environment.letters, [1]) == bytes("first"))
            try #expect(transaction.count(environment.numbers) == 0)
        }
        environment.close()
    }

    @Test("one that is there already is left alone")
    func existing() throws {
        let directory = TemporaryDirectory()
        let path = directory.database
        try createDatabase(path) { try $0.put($0.table("letters"), [1], [1]) }
        #expect(throws: EnvironmentError.alreadyExists(path: path)) { try createDatabase(path) }
        let environment = try openDatabase(path)
        try environment.read { try #expect($0.count(environment.letters) == 1) }
        environment.close()
    }

    @Test("when its first contents fail, nothing is left, and it can be tried again")
    func failingFill() throws {
        struct Reason: Error {}
        let directory = TemporaryDirectory()
        let path = directory.database
        #expect(throws: Reason.self) {
            try createDatabase(path) { transaction in
                try transaction.put(transaction.table("letters"), [1], [1])
                throw Reason()
            }
        }
        #expect(!exists(path) && !exists(path + ".tmp"))
        try createDatabase(path)
        let environment = try openDatabase(path)
        try environment.read { try #expect($0.count(environment.letters) == 0) }
        environment.close()
    }

    @Test("killed in between it leaves no database, and the next attempt removes the rest")
    func killedInBetween() async throws {
        let directory = TemporaryDirectory()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.database as String] in
            try createDatabase(path) { transaction in
                try transaction.put(transaction.table("letters"), [1], [1])
                kill(getpid(), SIGKILL)
            }
        }
        let path = directory.database
        #expect(!exists(path))
        #expect(exists(path + ".tmp/data.mdb"))
        try createDatabase(path)
        #expect(!exists(path + ".tmp"))
        let environment = try openDatabase(path)
        try environment.read { try #expect($0.count(environment.letters) == 0) }
        environment.close()
    }

    @Test("files of others in the place where it is made are not removed")
    func foreignFiles() throws {
        let directory = TemporaryDirectory()
        let path = directory.database
        try FileSystem.createDirectory(path + ".tmp")
        write("mine", to: path + ".tmp/notes")
        #expect(throws: FileSystemError.self) { try createDatabase(path) }
        #expect(read(path + ".tmp/notes") == "mine")
        #expect(!exists(path))
    }

    @Test("a copy, made while a reader and a writer are at work, has what was committed")
    func copy() throws {
        let directory = TemporaryDirectory()
        try withDatabase { environment in
            try environment.write { transaction in
                for number in 0..<2_000 {
                    try transaction.append(environment.numbers, key(number), key(number))
                }
            }
            try environment.write { try $0.deleteAll(environment.numbers) }
            try environment.write { try $0.put(environment.letters, [1], bytes("kept")) }

            var sizes: [Int] = []
            for compacting in [false, true] {
                let target = directory.path + "/copy-\(compacting)"
                try FileSystem.createDirectory(target)
                try environment.read { _ in
                    try environment.copy(to: target, compacting: compacting)
                }
                let file = target + "/data.mdb"
                #expect(permissions(of: file) == 0o600)
                sizes.append(try FileSystem.fileSize(of: file))

                let exists = FileSystemError(code: EEXIST, operation: "open", path: file)
                #expect(throws: exists) {
                    try environment.copy(to: target, compacting: compacting)
                }
                let copy = try openDatabase(target, smallOptions(readOnly: true))
                try copy.read { transaction in
                    try #expect(transaction.get(copy.letters, [1]) == bytes("kept"))
                    try #expect(transaction.count(copy.numbers) == 0)
                }
                copy.close()
            }
            #expect(sizes[1] < sizes[0])
        }
    }
}
