import DaybookCore
import Synchronization

/// Definitions that were read from the log, where they never change: nearly all runs have one of a few.
final class KnownDefinitions: Sendable {
    /// So many are kept, and none that is larger: 1 MiB at most.
    private static let limit = 64
    private static let maximumBytes = 16 << 10

    private let known = Mutex<[PayloadLocation: Definition]>([:])

    func at(
        _ location: PayloadLocation, read: (PayloadLocation) throws -> Definition
    ) throws -> Definition {
        if let definition = known.withLock({ $0[location] }) { return definition }
        let definition = try read(location)
        guard definition.bytes.count <= Self.maximumBytes else { return definition }
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll(keepingCapacity: true) }
            known[location] = definition
        }
        return definition
    }
}
