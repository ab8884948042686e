import DaybookCore
import Foundation
import LMDB

/// A file outside the data directory with the newest checkpoint: who puts an old copy of the directory
/// in its place, or another one, is found out at the next start.
package struct CheckpointFile: Sendable {
    package enum Disagreement: Error, Hashable, Sendable, CustomStringConvertible {
        case anotherLog(path: String, named: String, here: String)
        case unreadable(path: String, Checkpoint.NoteError)
        case rolledBack(path: String, size: Position, here: Position)
        case forked(path: String, size: Position)

        package var description: String {
            let (path, what) =
                switch self {
                case .anotherLog(let path, let named, let here):
                    (path, "is of the log \(named), and this one is \(here)")
                case .unreadable(let path, let error):
                    (path, "cannot be trusted: \(error) under the key of this directory")
                case .rolledBack(let path, let size, let here):
                    (
                        path,
                        "has seen \(size) entries, and the log has \(here): this is an older copy"
                    )
                case .forked(let path, let size):
                    (
                        path,
                        "has seen other entries up to \(size) than the log has: this is another history"
                    )
                }
            return """
                the checkpoint in \(path) \(what). Nothing was started; if this directory is the one that \
                is meant, move the file away
                """
        }
    }

    private let path: String

    package init?(path: String?) {
        guard let path else { return nil }
        self.path = path
    }

    /// Throws where the log does not continue what the file has seen. Without a file nothing is known.
    ///
    /// The whole log up to there is read: stored hashes could have been left as they were.
    ///
    /// - Returns: whether there was a file to compare with.
    @discardableResult
    package func compare(with store: Store) throws -> Bool {
        guard try FileSystem.exists(path) else { return false }
        let note = String(
            decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        let (origin, last) = try store.read { view in
            (Checkpoint.origin(of: try view.logID() ?? []), try view.lastPosition())
        }
        let named = String(note.prefix { $0 != "\n" })
        guard named == origin else {
            throw Disagreement.anotherLog(path: path, named: named, here: origin)
        }
        guard try FileSystem.exists(store.checkpointKeyPath) else {
            throw Disagreement.unreadable(path: path, .notSigned(by: origin))
        }
        let key = try CheckpointKey(reading: store.checkpointKeyPath)
        let seen: Checkpoint
        do throws(Checkpoint.NoteError) {
            seen = try Checkpoint(note: note, verifier: key.verifier(of: origin))
        } catch {
            throw Disagreement.unreadable(path: path, error)
        }
        guard seen.size <= last else {
            throw Disagreement.rolledBack(path: path, size: seen.size, here: last)
        }
        guard try store.read({ try $0.rootOfLeaves(seen.size) }) == seen.root else {
            throw Disagreement.forked(path: path, size: seen.size)
        }
        return true
    }

    /// Throws where the file could not be written.
    package func probe() throws {
        let probe = path + ".probe"
        try FileSystem.writeAtomically([], to: probe)
        try FileManager.default.removeItem(atPath: probe)
    }

    package func write(_ note: String) throws {
        try FileSystem.writeAtomically(Array(note.utf8), to: path)
    }
}

extension Store {
    package var checkpointKeyPath: String { directory + "/checkpoint.key" }
}
