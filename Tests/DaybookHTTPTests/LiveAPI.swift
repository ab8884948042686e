import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Logging
import ServiceLifecycle
import Support
import Synchronization
import Testing

@testable import DaybookHTTP

/// A service that listens.
struct LiveAPI: Sendable {
    let engine: Engine
    let port: Int
    let key: String
    let group: ServiceGroup

    func request(
        _ method: String, _ path: String, _ body: String? = nil, _ more: String = ""
    ) -> String {
        let content = body ?? ""
        return "\(method) \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\n"
            + "Content-Type: application/json\r\n\(more)"
            + (body == nil ? "" : "Content-Length: \(content.utf8.count)\r\n")
            + "\r\n\(content)"
    }

    /// The answer to one request on a connection of its own.
    func ask(
        _ method: String, _ path: String, _ body: String? = nil, _ more: String = ""
    ) async throws -> String {
        let client = try RawClient(port: port)
        await client.send(request(method, path, body, more + "Connection: close\r\n"))
        return try #require(await client.read())
    }

    func isAlive() async throws -> Bool {
        try await ask("GET", "/healthz").hasPrefix("HTTP/1.1 200 ")
    }

    func workflow(_ executor: String = #"{"type":"worker","queue":"nobody"}"#) async throws
        -> String
    {
        let answer = try await ask(
            "POST", "/workflows", #"{"name":"n","definition":{"executor":\#(executor)}}"#)
        return try #require(Self.id(answer), "\(answer)")
    }

    static func id(_ answer: String) -> String? {
        answer.firstMatch(of: /\{"id":"([0-9a-f]{24})"/).map { String($0.1) }
    }

    /// Runs `body` against a fresh service on a free port.
    static func run(
        connections: ConnectionLimits = ConnectionLimits(), settings: Settings = TestAPI.settings,
        _ body: @escaping @Sendable (LiveAPI) async throws -> Void
    ) async throws {
        let directory = try TestStore.makeDirectory()
        defer { TestStore.remove(directory) }
        let store = try Store(directory: directory, options: TestStore.options)
        defer { store.close() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let engine = Engine(
            store: store, secrets: try SecretKeys(path: directory + "/secrets.keys"),
            settings: settings, clock: SystemClock(), logger: logger)
        let key = Mutex("")
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        var options = Server.Options()
        options.port = 0
        options.connections = connections
        let group = ServiceGroup(
            configuration: .init(
                services: TestAPI.services(of: engine, logger) { text in
                    key.withLock { $0 = text }
                } + [
                    Server(
                        api: API(engine: engine, egress: EgressRules(), logger: logger)
                    ).service(options: options) { port.yield($0) }
                ], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await engine.ready()
            var listening = 0
            for await number in ports {
                listening = number
                break
            }
            let live = LiveAPI(
                engine: engine, port: listening, key: key.withLock { $0 }, group: group)
            let result = await Result<Void, any Error>.catching { try await body(live) }
            engine.endWaiting()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }
}
