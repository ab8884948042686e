/// One named table of an environment.
///
/// A plain value, good for as long as the environment is open, and only for this environment.
/// Get it once from `Environment.table(_:)` and keep it.
package struct Table: Hashable, Sendable {
    package let name: String
    /// LMDB's handle (`MDB_dbi`).
    let handle: UInt32
}
