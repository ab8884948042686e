import Crypto
import DaybookCore
import Foundation
import LMDB

// Copies of a data directory, and data directories of copies.
extension Store {
    /// The size and the SHA-256 of the database's file. To be read where no environment is open on it.
    package static func digestOfDatabase(
        in directory: String
    ) throws -> (byteCount: Int, digest: [UInt8]) {
        let path = database(in: directory) + "/data.mdb"
        guard try FileSystem.exists(path) else {
            throw OpenError.notADatabase(directory: directory)
        }
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var hash = SHA256()
        var count = 0
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
            hash.update(data: piece)
            count += piece.count
        }
        return (count, Array(hash.finalize()))
    }

    /// Copies what is committed without free pages into a new directory, as a copy that keeps no promises.
    /// Not for a directory on which a store is open.
    package func backUp(to directory: String) throws {
        try copy(to: directory, compacting: true)
        var options = Options()
        options.allowsAnyFileSystem = true
        options.acceptsTruncatedFile = true
        let store = try Store(directory: directory, options: options)
        do {
            defer { store.close() }
            try store.markAsCopy()
        }
        for name in ["owner.lock", "db/lock.mdb"] {
            try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
        }
    }

    /// Address space in which the database of a directory can grow to several times its size.
    package static func roomyMapSize(of directory: String) throws -> Int {
        let bytes = try FileSystem.fileSize(of: database(in: directory) + "/data.mdb")
        return max(64, (4 * bytes) >> 30 + 1) << 30
    }

    /// Whether the log has no entry.
    package func isEmpty() throws -> Bool { try read { try $0.lastPosition() } == 0 }

    /// Makes the database of a data directory, which has none, of another one's: a copy.
    ///
    /// It is made in `restore.tmp` inside the directory and moved, so it is there whole or not at all.
    ///
    /// - Parameter position: where the log is to end; `nil` copies everything as it is.
    package static func restore(
        _ source: Store, to directory: String, position: Position?,
        progress: (Position) -> Void = { _ in }
    ) throws {
        try FileSystem.createDirectory(directory)
        let lock = try DirectoryLock(directory: directory)
        defer { lock.release() }
        guard !(try FileSystem.exists(database(in: directory))) else {
            throw EnvironmentError.alreadyExists(path: database(in: directory))
        }
        let temporary = directory + "/restore.tmp"
        if try FileSystem.exists(temporary) {
            let names = try FileManager.default.contentsOfDirectory(atPath: temporary)
            guard Set(names).isSubset(of: ["db", "db.tmp", "owner.lock"]) else {
                throw EnvironmentError.alreadyExists(path: temporary)
            }
            try FileManager.default.removeItem(atPath: temporary)
        }
        if position == nil { try source.copy(to: temporary) }
        var options = Options()
        options.allowsAnyFileSystem = true
        options.mapSize = try roomyMapSize(of: source.directory)
        // What was just copied by LMDB itself may end before its last, unused page.
        options.acceptsTruncatedFile = true
        let store = try Store(directory: temporary, options: options)
        do {
            defer { store.close() }
            if let position {
                try store.takeLog(of: source, to: position, progress: progress)
                try store.replay()
            }
            try store.markAsCopy()
        }
        try FileSystem.rename(database(in: temporary), to: database(in: directory))
        try FileSystem.synchronize(directory)
        try FileManager.default.removeItem(atPath: temporary)
    }
}
