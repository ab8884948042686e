import DaybookConnectors
import DaybookWire
import Logging
import Support
import Synchronization
import Testing

/// Which clients are kept, and for how long.
@Suite("Outbound clients", .timeLimit(.minutes(5)))
struct OutboundClientsTests {
    /// A client that may go while it is watched.
    private final class Watch: Sendable {
        private struct Held { weak var client: (any AnyObject & Sendable)? }
        private let held = Mutex<Held>(Held())

        var isThere: Bool { held.withLock { $0.client != nil } }

        func set(_ client: any AnyObject & Sendable) { held.withLock { $0.client = client } }
        func isSame(_ client: any AnyObject & Sendable) -> Bool {
            held.withLock { $0.client === client }
        }
    }

    private static func clients() throws -> OutboundClients {
        OutboundClients(
            egress: EgressRules(allowed: [try CIDR("127.0.0.0/8")]), resolver: SystemResolver(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func url(_ port: Int, host: String = "127.0.0.1") throws -> OutboundURL {
        try OutboundURL("http://\(host):\(port)/")
    }

    @Test("a client serves its scheme, host, port and address, whatever the path, and no other")
    func targets() async throws {
        let clients = try Self.clients()
        let watch = Watch()
        try await clients.withClient(for: try OutboundURL("http://127.0.0.1:4000/a?b")) {
            watch.set($0)
        }
        for (text, isSame) in [
            ("http://127.0.0.1:4000/", true), ("HTTP://127.0.0.1:4000/a#".dropLast(), true),
            ("https://127.0.0.1:4000/", false), ("http://127.0.0.1:4001/", false),
            ("http://127.0.0.2:4000/", false),
        ] as [(Substring, Bool)] {
            try await clients.withClient(for: try OutboundURL(String(text))) { client in
                #expect(watch.isSame(client) == isSame, "\(text)")
            }
        }
        await clients.shutDown()
    }

    @Test("idle clients go, the least recently used first, and never one in use")
    func eviction() async throws {
        let clients = try Self.clients()
        let (inUse, oldest, refreshed) = (Watch(), Watch(), Watch())
        try await clients.withClient(for: try Self.url(4_000)) { client in
            inUse.set(client)
            try await clients.withClient(for: try Self.url(4_001)) { oldest.set($0) }
            try await clients.withClient(for: try Self.url(4_002)) { refreshed.set($0) }
            for port in 5_000..<5_120 {
                try await clients.withClient(for: try Self.url(port)) { _ in }
            }
            #expect(oldest.isThere)
            try await clients.withClient(for: try Self.url(4_002)) { client in
                #expect(refreshed.isSame(client))
            }
            for port in 6_000..<6_010 {
                try await clients.withClient(for: try Self.url(port)) { _ in }
            }
            #expect(!oldest.isThere)
            #expect(refreshed.isThere)
            for port in 7_000..<7_300 {
                try await clients.withClient(for: try Self.url(port)) { _ in }
            }
            #expect(!refreshed.isThere)
            #expect(inUse.isSame(client))
        }
        // It was used last when it was taken, so it is the next to go.
        try await clients.withClient(for: try Self.url(8_000)) { _ in }
        #expect(!inUse.isThere)
        await clients.shutDown()
    }

    @Test("a body that throws gives its client back")
    func thrown() async throws {
        struct Broken: Error {}
        let clients = try Self.clients()
        let watch = Watch()
        await #expect(throws: Broken.self) {
            try await clients.withClient(for: try Self.url(4_000)) { client in
                watch.set(client)
                throw Broken()
            }
        }
        #expect(watch.isThere)
        for port in 5_000..<5_130 {
            try await clients.withClient(for: try Self.url(port)) { _ in }
        }
        #expect(!watch.isThere)
        await clients.shutDown()
    }

    @Test("many at once, to few and to many places, end in order")
    func atOnce() async throws {
        let clients = try Self.clients()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<400 {
                group.addTask {
                    try await clients.withClient(for: try Self.url(4_000 + index % 200)) { _ in
                        await Task.yield()
                    }
                }
            }
            try await group.waitForAll()
        }
        await clients.shutDown()
    }
}
