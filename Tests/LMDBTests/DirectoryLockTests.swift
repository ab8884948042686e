import Foundation
import LMDB
import Testing

@Suite("The lock of a directory")
struct DirectoryLockTests {
    @Test("a second one in the same process is refused until the first is released")
    func sameProcess() throws {
        let directory = TemporaryDirectory()
        let first = try DirectoryLock(directory: directory.path)
        let error = #expect(throws: DirectoryHeldError.self) {
            try DirectoryLock(directory: directory.path)
        }
        #expect(error?.processID == getpid())
        #expect(error?.processName?.isEmpty == false)
        first.release()
        first.release()
        let second = try DirectoryLock(directory: directory.path)
        second.release()
    }

    @Test("where the file is removed, the directory is held all the same")
    func removedFile() throws {
        let directory = TemporaryDirectory()
        let first = try DirectoryLock(directory: directory.path)
        #expect(unlink(directory.path + "/owner.lock") == 0)
        #expect(throws: DirectoryHeldError.self) { try DirectoryLock(directory: directory.path) }
        first.release()
        try DirectoryLock(directory: directory.path).release()
    }

    @Test("one that just goes is released")
    func abandonment() throws {
        let directory = TemporaryDirectory()
        do {
            let lock = try DirectoryLock(directory: directory.path)
            #expect(lock.directory == directory.path)
        }
        try DirectoryLock(directory: directory.path).release()
    }

    @Test("its file names the process and the time, and is for its owner only")
    func file() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/owner.lock"
        write("what a dead process has left, which is longer than that of a living one\n", to: path)
        #expect(chmod(path, 0o600) == 0)
        let lock = try DirectoryLock(directory: directory.path)
        let lines = read(path).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 3 && lines[0] == "\(getpid())" && lines[2].isEmpty)
        #expect(lines[1].wholeMatch(of: /started \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
        lock.release()
        #expect(read(path).isEmpty)
        #expect(permissions(of: path) == 0o600)
    }

    @Test("held by another process it is refused with that process's id and name")
    func otherProcessHolds() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/owner.lock"
        let holder = Process()
        let input = Pipe()
        let output = Pipe()
        holder.executableURL = URL(filePath: "/usr/bin/env")
        holder.arguments = ["flock", path, "sh", "-c", "echo $$ > \(path); echo $$; read line"]
        holder.standardInput = input
        holder.standardOutput = output
        try holder.run()
        // Its word that it has the lock.
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let holderID = Int32(line.dropLast())

        let error = #expect(throws: DirectoryHeldError.self) {
            try DirectoryLock(directory: directory.path)
        }
        #expect(holderID != nil && error?.processID == holderID)
        #expect(error?.processName == "sh")
        #expect(error?.description == "\(directory.path): in use by process \(holderID ?? 0) (sh)")

        try input.fileHandleForWriting.close()
        holder.waitUntilExit()
        try DirectoryLock(directory: directory.path).release()
    }

    @Test("another process is refused with our id")
    func otherProcessTries() async throws {
        let directory = TemporaryDirectory()
        let lock = try DirectoryLock(directory: directory.path)
        await #expect(processExitsWith: .exitCode(7)) {
            [path = directory.path as String, us = getpid() as pid_t] in
            do {
                try DirectoryLock(directory: path).release()
            } catch let error as DirectoryHeldError where error.processID == us {
                exit(7)
            }
        }
        lock.release()
    }

    @Test("the death of the holder releases it")
    func deathOfTheHolder() async throws {
        let directory = TemporaryDirectory()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.path as String] in
            let lock = try DirectoryLock(directory: path)
            kill(getpid(), SIGKILL)
            lock.release()
        }
        #expect(!read(directory.path + "/owner.lock").isEmpty)
        try DirectoryLock(directory: directory.path).release()
    }

    @Test("a directory that is not there is an error of the file system")
    func missingDirectory() {
        let directory = TemporaryDirectory()
        let missing = directory.path + "/missing"
        let error = FileSystemError(code: ENOENT, operation: "open", path: missing + "/owner.lock")
        #expect(throws: error) { try DirectoryLock(directory: missing) }
    }
}
