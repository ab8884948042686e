import DaybookCore
import Foundation
import LMDB

/// Whether a data directory is the one whose promises are kept, or a copy of one that may be kept
/// elsewhere: a copy fires nothing until it is told to.
package enum Standing: Hashable, Sendable {
    /// Nobody has kept promises from it so far.
    case new
    case original
    case copy
}

extension Store {
    /// The data file is known by its inode and the moment it was made: one that was copied has others.
    /// A log without entries has no promises, whatever it is; with entries, the row that tells is lost where it is not
    /// there, and nobody can say that it was not a copy.
    package func standing() throws -> Standing {
        let (home, isEmpty) = try read { view in
            (try view.metaValue(Keys.home), try view.lastPosition() == 0)
        }
        guard !isEmpty else { return .new }
        return try home == identity() ? .original : .copy
    }

    /// From now on promises are kept from this directory.
    package func settle() throws { try note(home: identity()) }

    /// From now on this directory is a copy, wherever it lies.
    package func markAsCopy() throws { try note(home: []) }

    private func note(home: [UInt8]) throws {
        var batch = try beginBatch()
        batch.note(home: home)
        try batch.commit()
    }

    private func identity() throws -> [UInt8] {
        let path = Self.database(in: directory) + "/data.mdb"
        return Keys.position(try FileSystem.identity(of: path).inode)
            + Keys.position(try FileSystem.birth(of: path))
    }
}
