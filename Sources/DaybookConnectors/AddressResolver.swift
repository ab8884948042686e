import DaybookWire
import Foundation
import NIOPosix
import Synchronization

/// Finds the addresses of a host name.
package protocol AddressResolver: Sendable {
    /// All addresses that the name has now; none where it has none.
    func addresses(of name: String) async throws -> [IPAddress]
}

/// Asks the system (hosts file, DNS), on threads that may block.
///
/// A name that is asked for several times at once is looked up once, so that one whose servers do not answer
/// holds one thread. Who is cancelled stops waiting; the thread goes on until the system gives up.
package final class SystemResolver: AddressResolver {
    /// The system asks each server for some seconds: so many names may do that at once.
    private static let threads = 64

    private typealias Waiter = CheckedContinuation<[IPAddress], any Error>

    /// Who waits for each name that is being looked up.
    private let lookups = Mutex<[String: [Int: Waiter]]>([:])
    private let nextID = Atomic<Int>(0)
    private let pool: NIOThreadPool
    private let find: @Sendable (String) -> [IPAddress]

    package convenience init() {
        self.init { name in Host(name: name).addresses.compactMap { IPAddress($0) } }
    }

    /// - Parameter find: looks a name up, and may block.
    init(find: @escaping @Sendable (String) -> [IPAddress]) {
        self.find = find
        pool = NIOThreadPool(numberOfThreads: Self.threads)
        pool.start()
    }

    deinit { pool.shutdownGracefully { _ in } }

    package func addresses(of name: String) async throws -> [IPAddress] {
        let id = nextID.add(1, ordering: .relaxed).newValue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                let isFirst = lookups.withLock { lookups -> Bool? in
                    guard !Task.isCancelled else { return nil }
                    defer { lookups[name, default: [:]][id] = waiter }
                    return lookups[name] == nil
                }
                switch isFirst {
                case nil: waiter.resume(throwing: CancellationError())
                case true?: look(up: name)
                case false?: break
                }
            }
        } onCancel: {
            lookups.withLock { $0[name]?.removeValue(forKey: id) }?
                .resume(throwing: CancellationError())
        }
    }

    private func look(up name: String) {
        pool.submit { [self] _ in
            let found = find(name)
            for waiter in lookups.withLock({ $0.removeValue(forKey: name) ?? [:] }).values {
                waiter.resume(returning: found)
            }
        }
    }
}
