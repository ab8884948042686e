import Foundation
import LMDB

/// The directory in which a check makes its copy, below the folder that was named for it. It is locked as long as the
/// check runs, so that the next one knows what a killed one left behind, in whatever container it ran.
final class CheckScratch: Sendable {
    private static let prefix = "daybook-check-"

    let path: String
    private let lock: DirectoryLock

    /// Where the copy goes.
    var copy: String { path + "/copy" }

    /// Makes it, once what others left behind is removed.
    ///
    /// - Parameter byteCount: how much room the copy takes.
    init(in folder: String, for byteCount: Int) throws {
        Self.removeLeftovers(in: folder)
        let available = try FileSystem.space(of: folder).availableBytes
        guard available > byteCount else {
            throw NoRoom(folder: folder, byteCount: byteCount, available: available)
        }
        let process = ProcessInfo.processInfo.processIdentifier
        var attempts = 5
        while true {
            let path = "\(folder)/\(Self.prefix)\(process)-\(UInt32.random(in: 0...UInt32.max))"
            do {
                try FileSystem.createDirectory(path)
                lock = try DirectoryLock(directory: path)
                self.path = path
                return
            } catch  where attempts > 1 {
                // Another check may have taken it for a leftover, before it was locked.
                attempts -= 1
            }
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    static func removeLeftovers(in folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let path = "\(folder)/\(name)"
            guard let lock = try? DirectoryLock(directory: path) else { continue }
            defer { lock.release() }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private struct NoRoom: Error, CustomStringConvertible {
        let folder: String
        let byteCount: Int
        let available: Int

        var description: String {
            """
            \(folder) has \(available >> 20) MiB free, and the copy that is checked takes \(byteCount >> 20) MiB and \
            grows to about twice that: name another disk with --scratch
            """
        }
    }
}
