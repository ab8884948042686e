import DaybookCore
import LMDB
import Support

@testable import DaybookStore

/// The database of a data directory that no store has open, changed behind every store's back.
enum RawRows {
    static func edit(
        _ directory: String, _ set: TableSet = .first,
        _ body: (inout WriteTransaction, Tables) throws -> Void
    ) throws {
        let environment = try Environment(
            directory: directory + "/db", tables: Tables.names,
            options: Environment.Options(
                mapSize: 64 << 20, maximumTables: 64, maximumReaders: 8,
                acceptsTruncatedFile: true))
        defer { environment.close() }
        let tables = Tables(environment, set)
        try environment.write { try body(&$0, tables) }
    }

    /// Puts another row, or none, in the place of one, and gives both.
    static func change(
        _ directory: String, _ table: TableName, _ index: Int,
        _ change: (_ key: [UInt8], _ value: [UInt8]) -> (key: [UInt8], value: [UInt8])?
    ) throws -> (old: (key: [UInt8], value: [UInt8]), new: (key: [UInt8], value: [UInt8])?) {
        var changed: (old: (key: [UInt8], value: [UInt8]), new: (key: [UInt8], value: [UInt8])?)?
        try edit(directory) { transaction, tables in
            var rows: [(key: [UInt8], value: [UInt8])] = []
            try transaction.scan(tables[table], from: nil, to: nil) { key, value in
                rows.append((key, value))
                return true
            }
            let old = rows[index % rows.count]
            let new = change(old.key, old.value)
            _ = try transaction.delete(tables[table], old.key)
            if let new { try transaction.put(tables[table], new.key, new.value) }
            changed = (old, new)
        }
        guard let changed else { throw LogError.damagedProjection("nothing was changed") }
        return changed
    }
}
