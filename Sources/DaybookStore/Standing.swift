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
    /// The data file is known by its inode: one that was copied has another.
    package func standing() throws -> Standing {
        guard let bytes = try read({ try $0.metaValue(Keys.home) }) else { return .new }
        var reader = ByteReader(bytes)
        return try reader.uint64() == inode() ? .original : .copy
    }

    /// From now on promises are kept from this directory.
    package func settle() throws { try note(home: inode()) }

    /// From now on this directory is a copy, wherever it lies.
    package func markAsCopy() throws { try note(home: 0) }

    private func note(home: UInt64) throws {
        var batch = try beginBatch()
        batch.note(home: home)
        try batch.commit()
    }

    private func inode() throws -> UInt64 {
        try FileSystem.identity(of: Self.database(in: directory) + "/data.mdb").inode
    }
}
