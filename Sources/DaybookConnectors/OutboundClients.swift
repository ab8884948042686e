import AsyncHTTPClient
import DaybookWire
import Logging
import NIOCore
import Synchronization

/// The one way out of the process: resolves a host once, checks every address, and connects to an
/// address that was checked.
///
/// There is a client for each scheme, host, port and checked address, which overrides the name's
/// resolution; redirects and proxies are off; and the address that a connection reached is checked
/// once more. The clients share the event loops; idle ones go, least recently used first.
package final class OutboundClients: Sendable {
    private struct Target: Hashable {
        let scheme: OutboundURL.Scheme
        let host: String
        let port: Int
        let address: IPAddress
    }

    private struct Entry {
        let client: HTTPClient
        var users: Int
        var lastUse: Int
    }

    private struct State {
        var entries: [Target: Entry] = [:]
        var uses = 0
    }

    /// How many clients are kept when nobody uses them.
    private static let idleLimit = 128
    private static let connectSeconds: Int64 = 10
    /// To one address at once: more than is ever under way.
    private static let connections = 100_000

    private let egress: EgressRules
    private let resolver: any AddressResolver
    private let logger: Logger
    private let state = Mutex(State())

    package init(egress: EgressRules, resolver: any AddressResolver, logger: Logger) {
        self.egress = egress
        self.resolver = resolver
        self.logger = logger
    }

    /// Runs `body` with a client that reaches nothing but a checked address of the URL's host.
    ///
    /// - Throws: `EgressRefusal` where the host leads somewhere that is not allowed, what the
    ///   resolver throws, and what `body` throws.
    package func withClient<Value: Sendable>(
        for url: OutboundURL, _ body: (HTTPClient) async throws -> Value
    ) async throws -> Value {
        let target = try await target(of: url)
        let client = take(target)
        do {
            let value = try await body(client)
            await giveBack(target)
            return value
        } catch {
            await giveBack(target)
            throw error
        }
    }

    /// Ends all clients. To be called once nobody uses one.
    package func shutDown() async {
        let clients = state.withLock { state in
            defer { state.entries = [:] }
            return state.entries.values.map(\.client)
        }
        for client in clients { await end(client) }
    }

    private func target(of url: OutboundURL) async throws -> Target {
        let address: IPAddress
        let host: String
        switch url.host {
        case .address(let literal):
            try egress.check(literal)
            address = literal
            host = literal.description
        case .name(let name):
            let addresses = try await resolver.addresses(of: name)
            try egress.check(name, resolvedTo: addresses)
            // IPv4 first: the more widely reachable of the two.
            let isV4 = { (address: IPAddress) in if case .v4 = address { true } else { false } }
            guard let first = addresses.first(where: isV4) ?? addresses.first else {
                preconditionFailure("a name without an address is refused by the check")
            }
            address = first
            host = name
        }
        return Target(scheme: url.scheme, host: host, port: url.port, address: address)
    }

    private func take(_ target: Target) -> HTTPClient {
        state.withLock { state in
            state.uses += 1
            if var entry = state.entries[target] {
                entry.users += 1
                entry.lastUse = state.uses
                state.entries[target] = entry
                return entry.client
            }
            let client = makeClient(for: target)
            state.entries[target] = Entry(client: client, users: 1, lastUse: state.uses)
            return client
        }
    }

    private func giveBack(_ target: Target) async {
        let excess = state.withLock { state -> HTTPClient? in
            state.entries[target]?.users -= 1
            let idle = state.entries.filter { $0.value.users == 0 }
            guard idle.count > Self.idleLimit,
                let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse })
            else { return nil }
            return state.entries.removeValue(forKey: oldest.key)?.client
        }
        if let excess { await end(excess) }
    }

    private func end(_ client: HTTPClient) async {
        do {
            try await client.shutdown()
        } catch {
            logger.warning("an outbound client did not end", metadata: ["error": "\(error)"])
        }
    }

    private func makeClient(for target: Target) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(Self.connectSeconds)))
        configuration.dnsOverride = [target.host: target.address.description]
        configuration.httpVersion = .http1Only
        configuration.proxy = nil
        // A refused connection is an answer: whether to try again is the run's policy.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.decompression = .disabled
        // Who waits for a connection of the pool loses the time of his own request to somebody else's. What is
        // under way at once is bounded where it is started.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connections
        let egress = egress
        configuration.http1_1ConnectionDebugInitializer = { channel in
            let eventLoop = channel.eventLoop
            guard let reached = channel.remoteAddress?.ipAddress.flatMap({ IPAddress($0) }) else {
                return eventLoop.makeFailedFuture(UnknownRemoteAddress())
            }
            do {
                try egress.check(reached)
                return eventLoop.makeSucceededVoidFuture()
            } catch {
                return eventLoop.makeFailedFuture(error)
            }
        }
        return HTTPClient(
            eventLoopGroupProvider: .shared(HTTPClient.defaultEventLoopGroup),
            configuration: configuration)
    }
}

/// A connection that cannot say where it leads is not used.
private struct UnknownRemoteAddress: Error {}
