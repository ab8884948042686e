import Glibc
import Synchronization

/// A directory is held by another process, or by another lock of this one.
package struct DirectoryHeldError: Error, Hashable, Sendable, CustomStringConvertible {
    package let directory: String
    /// The holder, as far as its file says.
    package let processID: Int32?
    /// The name of the holder's program, if it runs on this machine and can be looked at.
    package let processName: String?

    package var description: String {
        let holder =
            processID.map { "process \($0)" + (processName.map { " (\($0))" } ?? "") }
            ?? "another process"
        return "\(directory): in use by \(holder)"
    }
}

/// The right to be the only process that works in a directory, from `init` until `release`, or
/// until the lock goes or the process ends, in whatever way.
///
/// It is a `flock` of the directory itself, which cannot be removed while there is something in it, and of the
/// file `owner.lock` in it, which tells who holds it. What a dead process left behind holds nobody up. The file
/// stays.
package final class DirectoryLock: Sendable {
    /// The directory, as it was given.
    package let directory: String
    /// Of the file and of the directory.
    private let descriptors: Mutex<(file: Int32, directory: Int32)?>

    /// Takes the lock at once or throws; it never waits.
    ///
    /// The file then has the id of the process and the second of the time (UTC).
    /// - Throws: `DirectoryHeldError`, `FileSystemError`.
    package init(directory: String) throws {
        let path = directory + "/owner.lock"
        let file = try FileSystem.open(path, O_RDWR | O_CREAT, mode: 0o600)
        var own: Int32 = -1
        do {
            own = try FileSystem.open(directory, O_RDONLY | O_DIRECTORY)
            for (descriptor, place) in [(own, directory), (file, path)]
            where flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                guard errno == EWOULDBLOCK else {
                    throw FileSystemError(code: errno, operation: "flock", path: place)
                }
                throw Self.heldError(directory, path)
            }
            try Self.checkStillThere(file, path)
            try FileSystem.check(ftruncate(file, 0), "ftruncate", path)
            try FileSystem.writeAll(Array(Self.text.utf8), to: file, path)
        } catch {
            _ = Glibc.close(file)
            if own >= 0 { _ = Glibc.close(own) }
            throw error
        }
        self.directory = directory
        descriptors = Mutex((file, own))
    }

    /// Throws where somebody else holds the directory at this moment. It needs no right to write.
    package static func expectFree(_ directory: String) throws {
        let own = try FileSystem.open(directory, O_RDONLY | O_DIRECTORY)
        defer {
            _ = flock(own, LOCK_UN)
            _ = Glibc.close(own)
        }
        guard flock(own, LOCK_SH | LOCK_NB) != 0 else { return }
        guard errno == EWOULDBLOCK else {
            throw FileSystemError(code: errno, operation: "flock", path: directory)
        }
        throw heldError(directory, directory + "/owner.lock")
    }

    deinit { release() }

    /// Gives the lock up; a second call does nothing.
    package func release() {
        descriptors.withLock { descriptors in
            if let (file, own) = descriptors {
                // So that nobody takes the process for the holder between two others.
                _ = ftruncate(file, 0)
                for descriptor in [file, own] {
                    // Closing alone would not do while a program that is just being started still has
                    // its copy of the descriptor.
                    _ = flock(descriptor, LOCK_UN)
                    _ = Glibc.close(descriptor)
                }
            }
            descriptors = nil
        }
    }

    /// Somebody may have removed the file between our opening and locking it; a lock on a file
    /// without a name keeps nobody out.
    private static func checkStillThere(_ file: Int32, _ path: String) throws(FileSystemError) {
        var status = stat()
        try FileSystem.check(fstat(file, &status), "fstat", path)
        guard try FileSystem.identity(of: path).isSame(as: FileSystem.Identity(status)) else {
            throw FileSystemError(code: ESTALE, operation: "flock", path: path)
        }
    }

    private static func heldError(_ directory: String, _ path: String) -> DirectoryHeldError {
        let firstLine = FileSystem.text(of: path)?.prefix { !$0.isNewline }
        let processID = firstLine.flatMap { Int32($0) }
        let name = processID.flatMap { FileSystem.text(of: "/proc/\($0)/comm") }
        return DirectoryHeldError(
            directory: directory, processID: processID,
            processName: name.map { String($0.prefix { !$0.isNewline }) })
    }

    private static var text: String {
        var now = time(nil)
        var parts = tm()
        var buffer = [CChar](repeating: 0, count: 32)
        gmtime_r(&now, &parts)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        let started = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return "\(getpid())\nstarted \(started)\n"
    }
}
