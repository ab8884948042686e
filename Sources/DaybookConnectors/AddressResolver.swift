import DaybookWire
import Foundation
import NIOPosix

/// Finds the addresses of a host name.
package protocol AddressResolver: Sendable {
    /// All addresses that the name has now; none where it has none.
    func addresses(of name: String) async throws -> [IPAddress]
}

/// Asks the system (hosts file, DNS), on a thread that may block.
package struct SystemResolver: AddressResolver {
    package init() {}

    package func addresses(of name: String) async throws -> [IPAddress] {
        try await NIOThreadPool.singleton.runIfActive {
            Host(name: name).addresses.compactMap { IPAddress($0) }
        }
    }
}
