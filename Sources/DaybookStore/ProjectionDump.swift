import DaybookCore

/// All rows of all projections, for comparing two ways to the same state byte for byte.
package struct ProjectionDump: Hashable, Sendable {
    private var rows: [String: [[UInt8]: [UInt8]]] = [:]

    package init() {}

    mutating func add(_ table: TableName, _ key: [UInt8], _ value: [UInt8]) {
        rows[table.rawValue, default: [:]][key] = value
    }

    package var rowCount: Int { rows.values.reduce(0) { $0 + $1.count } }

    /// The first row, by table and key, that is not the same in both; `nil` where they are equal.
    package func firstDifference(from other: ProjectionDump) -> String? {
        for table in Set(rows.keys).union(other.rows.keys).sorted() {
            let (mine, theirs) = (rows[table] ?? [:], other.rows[table] ?? [:])
            let keys = Set(mine.keys).union(theirs.keys)
                .sorted { $0.lexicographicallyPrecedes($1) }
            for key in keys where mine[key] != theirs[key] {
                let (left, right) = (
                    mine[key].map(lowercaseHex) ?? "absent",
                    theirs[key].map(lowercaseHex) ?? "absent"
                )
                return "table \(table), key \(lowercaseHex(key)): \(left) is not \(right)"
            }
        }
        return nil
    }
}
