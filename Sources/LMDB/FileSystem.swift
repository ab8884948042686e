import CLMDB
import Glibc

/// A call to the operating system that failed.
package struct FileSystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The `errno`.
    package let code: Int32
    /// What was being done: "open", "fsync", …
    package let operation: String
    /// The file or directory it was done to.
    package let path: String

    package init(code: Int32, operation: String, path: String) {
        self.code = code
        self.operation = operation
        self.path = path
    }

    package var description: String {
        "\(path): \(operation): \(String(cString: strerror(code))) (\(code))"
    }
}

/// What has to be known about files and directories, and done to them, around a database.
///
/// Every function throws a `FileSystemError` with the path and what was tried.
package enum FileSystem {
    /// The kind of a file system.
    package struct Kind: Equatable, Sendable {
        /// "ext4", "NFS", …; a number for one that is not known here.
        package let name: String
        /// Whether a database must not live on it: the file system is remote, stacked on others or
        /// in memory, so that locks, memory maps or syncs do not do what a database relies on.
        package let isRefused: Bool
    }

    /// The kind of the file system on which `path` lies.
    package static func kind(of path: String) throws(FileSystemError) -> Kind {
        var information = statfs()
        try check(statfs(path, &information), "statfs", path)
        return kind(ofMagic: UInt32(truncatingIfNeeded: information.f_type))
    }

    /// The kind with this magic number (`f_type` of `statfs`).
    package static func kind(ofMagic magic: UInt32) -> Kind {
        switch magic {
        case 0x0000_EF53: Kind(name: "ext4", isRefused: false)
        case 0x5846_5342: Kind(name: "XFS", isRefused: false)
        case 0x9123_683E: Kind(name: "Btrfs", isRefused: false)
        case 0x2FC1_2FC1: Kind(name: "ZFS", isRefused: false)
        case 0xF2F5_2010: Kind(name: "F2FS", isRefused: false)
        case 0x0000_6969: Kind(name: "NFS", isRefused: true)
        case 0x0000_517B, 0xFF53_4D42, 0xFE53_4D42: Kind(name: "SMB/CIFS", isRefused: true)
        case 0x0102_1997: Kind(name: "9p", isRefused: true)
        case 0x6573_5546: Kind(name: "FUSE", isRefused: true)
        case 0x00C3_6400: Kind(name: "Ceph", isRefused: true)
        case 0x794C_7630: Kind(name: "overlay", isRefused: true)
        case 0x0102_1994: Kind(name: "tmpfs", isRefused: true)
        case 0x8584_58F6: Kind(name: "ramfs", isRefused: true)
        default: Kind(name: "type 0x" + String(magic, radix: 16), isRefused: false)
        }
    }

    /// The room on a file system, in bytes.
    package struct Space: Equatable, Sendable {
        /// What a process without privileges may still use.
        package let availableBytes: Int
        package let totalBytes: Int
    }

    /// The room on the file system on which `path` lies.
    package static func space(of path: String) throws(FileSystemError) -> Space {
        var information = statvfs()
        try check(statvfs(path, &information), "statvfs", path)
        let unit = Int(information.f_frsize)
        return Space(
            availableBytes: Int(information.f_bavail) * unit,
            totalBytes: Int(information.f_blocks) * unit)
    }

    /// Whether the file system of `path` is mounted so that nothing can be written by this way.
    package static func isReadOnly(_ path: String) throws(FileSystemError) -> Bool {
        var information = statvfs()
        try check(statvfs(path, &information), "statvfs", path)
        return information.f_flag & UInt(ST_RDONLY) != 0
    }

    /// What makes a file or directory the one it is, and how many names it has.
    package struct Identity: Hashable, Sendable {
        package let device: UInt64
        package let inode: UInt64
        /// 1 for an ordinary file, 0 for one that is open and has been removed.
        package let linkCount: Int

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            linkCount = Int(status.st_nlink)
        }

        /// Whether both are the same file or directory, however many names it has.
        package func isSame(as other: Self) -> Bool {
            device == other.device && inode == other.inode
        }
    }

    /// The identity of what is at `path`, links followed.
    package static func identity(of path: String) throws(FileSystemError) -> Identity {
        Identity(try status(of: path))
    }

    /// When the file was made, in nanoseconds since 1970; 0 where its file system does not know. A copy was
    /// made later than what it was copied from, also where it was given the same inode.
    package static func birth(of path: String) throws(FileSystemError) -> UInt64 {
        let birth = daybook_birth(path)
        guard birth >= 0 else {
            throw FileSystemError(code: errno, operation: "statx", path: path)
        }
        return UInt64(birth)
    }

    /// The length of the file in bytes.
    package static func fileSize(of path: String) throws(FileSystemError) -> Int {
        Int(try status(of: path).st_size)
    }

    /// Whether there is anything at `path`; a link that leads nowhere counts.
    package static func exists(_ path: String) throws(FileSystemError) -> Bool {
        var status = stat()
        if lstat(path, &status) == 0 { return true }
        if errno == ENOENT { return false }
        throw FileSystemError(code: errno, operation: "stat", path: path)
    }

    /// Creates the directory (mode 0700; the one above must exist) and brings it to the disk. One
    /// that is there already stays as it is. Returns whether it is new.
    @discardableResult
    package static func createDirectory(_ path: String) throws(FileSystemError) -> Bool {
        if mkdir(path, 0o700) != 0 {
            let code = errno
            if code == EEXIST, try status(of: path).st_mode & S_IFMT == S_IFDIR { return false }
            throw FileSystemError(code: code, operation: "mkdir", path: path)
        }
        try synchronize(parent(of: path))
        return true
    }

    /// Makes an empty file where there is none; when it returns, the disk has it.
    package static func createFile(_ path: String) throws(FileSystemError) {
        _ = Glibc.close(try open(path, O_WRONLY | O_CREAT, mode: 0o600))
        try synchronize(parent(of: path))
    }

    /// Makes the file at `path` (mode 0600) hold exactly `bytes`, all or nothing, even when the
    /// power fails; when it returns, the disk has it. Uses `<path>.tmp` on the way.
    package static func writeAtomically(
        _ bytes: [UInt8], to path: String
    ) throws(FileSystemError) {
        let temporary = path + ".tmp"
        // A left-over may have another mode.
        try removeFile(temporary)
        let file = try open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        do throws(FileSystemError) {
            defer { _ = Glibc.close(file) }
            try writeAll(bytes, to: file, temporary)
            try synchronize(descriptor: file, temporary)
        } catch {
            // The first error counts.
            try? removeFile(temporary)
            throw error
        }
        try rename(temporary, to: path)
        try synchronize(parent(of: path))
    }
}

// MARK: Inside this target

extension FileSystem {
    static func check(
        _ result: Int32, _ operation: String, _ path: String
    ) throws(FileSystemError) {
        if result != 0 { throw FileSystemError(code: errno, operation: operation, path: path) }
    }

    static func status(of path: String) throws(FileSystemError) -> stat {
        var status = stat()
        try check(stat(path, &status), "stat", path)
        return status
    }

    /// Opens a file so that it is not handed on to other programs. The caller closes it.
    static func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0
    ) throws(FileSystemError) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw FileSystemError(code: errno, operation: "open", path: path)
        }
        return descriptor
    }

    static func writeAll(
        _ bytes: [UInt8], to descriptor: Int32, _ path: String
    ) throws(FileSystemError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(
                    descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            }
            if count > 0 {
                written += count
            } else if count == 0 || errno != EINTR {
                throw FileSystemError(code: errno, operation: "write", path: path)
            }
        }
    }

    static func synchronize(descriptor: Int32, _ path: String) throws(FileSystemError) {
        try check(fsync(descriptor), "fsync", path)
    }

    /// Brings a file, or the names in a directory, to the disk.
    package static func synchronize(_ path: String) throws(FileSystemError) {
        let descriptor = try open(path, O_RDONLY)
        defer { _ = Glibc.close(descriptor) }
        try synchronize(descriptor: descriptor, path)
    }

    package static func rename(_ path: String, to newPath: String) throws(FileSystemError) {
        try check(Glibc.rename(path, newPath), "rename to \(newPath)", path)
    }

    /// Removes a file; one that is not there is no error.
    static func removeFile(_ path: String) throws(FileSystemError) {
        if unlink(path) != 0 && errno != ENOENT {
            throw FileSystemError(code: errno, operation: "unlink", path: path)
        }
    }

    /// Removes an empty directory; one that is not there is no error.
    static func removeDirectory(_ path: String) throws(FileSystemError) {
        if rmdir(path) != 0 && errno != ENOENT {
            throw FileSystemError(code: errno, operation: "rmdir", path: path)
        }
    }

    /// The text of a small file, up to 4,096 bytes; `nil` if it cannot be read.
    static func text(of path: String) -> String? {
        guard let descriptor = try? open(path, O_RDONLY) else { return nil }
        defer { _ = Glibc.close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    static func withoutTrailingSlashes(_ path: String) -> String {
        let isRoot = path.allSatisfy { $0 == "/" }
        return isRoot ? path : String(path[...(path.lastIndex { $0 != "/" } ?? path.startIndex)])
    }

    /// The directory in which `path` lies.
    static func parent(of path: String) -> String {
        let path = withoutTrailingSlashes(path)
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
