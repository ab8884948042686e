import ArgumentParser
import DaybookClient
import DaybookConnectors
import DaybookCore
import DaybookEngine
import DaybookHTTP
import DaybookStore
import DaybookWire
import Foundation
import LMDB
import Logging
import Metrics
import ServiceLifecycle
import UnixSignals

/// Puts the parts of the service together and runs them in order.
struct Composition {
    private let settings: ServeSettings

    init(_ settings: ServeSettings) {
        self.settings = settings
    }

    func run() async throws {
        var logger = Logger(label: "daybook") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = settings.logLevel
        let connections = try connections(logger)
        let (store, secrets, checkpointKey) = try open(logger)
        defer { store.close() }
        logger.info(
            "opened",
            metadata: ["data_dir": "\(store.directory)", "lmdb": "\(Store.libraryVersion)"])
        if Store.hasMutexRace {
            logger.warning("this LMDB can lose its writer lock when a process dies; use 0.9.32")
        }
        let identity: TLSIdentity?
        do {
            identity = try settings.tls.map {
                try TLSIdentity(certificatePath: $0.certificate, keyPath: $0.key)
            }
        } catch {
            throw Failure.exit(Exits.wrongSetting, "\(error)")
        }
        let metrics = PrometheusRegistry()
        MetricsSystem.bootstrap(metrics)
        let engine = Engine(
            store: store, secrets: secrets, checkpointKey: checkpointKey, settings: engineSettings,
            clock: SystemClock(), logger: logger, metrics: metrics)
        let clients = OutboundClients(
            egress: settings.egress, resolver: SystemResolver(), logger: logger)
        let credentials = AWSCredentialChain(
            environment: ProcessInfo.processInfo.environment, clock: engine.clock)
        // A failure stops the others in order too: connections that are cut off in the middle of being
        // accepted trap in the HTTP server.
        let services = services(
            engine, clients, credentials, identity, connections, metrics, logger
        ).map {
            ServiceGroupConfiguration.ServiceConfiguration(
                service: $0, failureTerminationBehavior: .gracefullyShutdownGroup)
        }
        let result = await Result<Void, any Error>.of {
            try await ServiceGroup(
                configuration: .init(
                    services: services, gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger)
            ).run()
        }
        await clients.shutDown()
        await credentials.shutDown()
        await engine.waitForEnd()
        await engine.endRebuilding()
        if let failure = engine.failure {
            throw Failure.exit(Exits.storageFailed, "the storage failed: \(failure)")
        }
        try result.get()
        if !engine.isCopy {
            do {
                try CheckpointFile(path: settings.checkpointFile)?.write(engine.signedCheckpoint())
            } catch {
                logger.error("the checkpoint was not written", metadata: ["error": "\(error)"])
            }
        }
    }

    /// How many connections may be open at once: no more than leaves files for everything else that the process
    /// opens. Without one, not only a connection would fail.
    private func connections(_ logger: Logger) throws -> Int {
        let files = try DescriptorLimit.raise()
        let room = files - settings.executionsInFlight - DescriptorLimit.reserve
        guard room >= 16 else {
            throw Failure.exit(
                Exits.wrongSetting,
                "the process may have \(files) files open at once; it needs \(files - room + 16) or more (ulimit -n, LimitNOFILE), or a lower --executions-in-flight"
            )
        }
        if room < settings.maxConnections {
            logger.warning(
                "fewer connections than set: the process may have too few files open",
                metadata: ["connections": "\(room)", "files": "\(files)"])
        }
        return min(settings.maxConnections, room)
    }

    private func open(_ logger: Logger) throws -> (Store, SecretKeys, CheckpointKey) {
        var options = Store.Options()
        options.mapSize = settings.mapBytes
        options.allowsAnyFileSystem = settings.allowsAnyFileSystem
        do {
            let store = try Store.open(settings.dataDirectory, options: options)
            do {
                if let file = CheckpointFile(path: settings.checkpointFile) {
                    try file.probe()
                    if try !file.compare(with: store) {
                        logger.warning(
                            "there is no checkpoint file yet: an older copy would not be noticed")
                    }
                }
                return (
                    store, try SecretKeys(path: store.directory + "/secrets.keys"),
                    try CheckpointKey(path: store.checkpointKeyPath)
                )
            } catch {
                store.close()
                throw error
            }
        } catch let code as ExitCode {
            throw code
        } catch {
            throw Failure.exit(Exits.cannotOpen, "\(error)")
        }
    }

    private var engineSettings: Settings {
        var engine = Settings()
        engine.idempotencySeconds = settings.idempotencySeconds
        engine.clockToleranceSeconds = settings.clockToleranceSeconds
        engine.executionsInFlight = settings.executionsInFlight
        engine.startsPaused = settings.startsPaused
        engine.diskReserveFraction = settings.diskReserveFraction
        return engine
    }

    /// In the order in which they start. They stop in reverse: first what waits, then the socket,
    /// last the writer.
    private func services(
        _ engine: Engine, _ clients: OutboundClients, _ credentials: AWSCredentialChain,
        _ identity: TLSIdentity?, _ connections: Int, _ metrics: PrometheusRegistry,
        _ logger: Logger
    ) -> [any Service] {
        var httpLimits = HTTPExecutor.Limits()
        httpLimits.outputBytes = settings.payloadBytes
        var apiLimits = API.Limits()
        apiLimits.bodyBytes = max(apiLimits.bodyBytes, settings.payloadBytes + (64 << 10))
        apiLimits.payloadBytes = settings.payloadBytes
        apiLimits.requestsPerSecond = settings.requestsPerSecond
        var queueLimits = SQSSourceService.Limits()
        queueLimits.inputBytes = settings.payloadBytes
        var server = Server.Options()
        server.host = settings.host
        server.port = settings.port
        server.tls = identity
        server.connections.total = connections
        server.connections.perAddress = settings.maxConnectionsPerAddress
        let scheme = identity == nil ? "http" : "https"
        let host = settings.host
        let directory = settings.dataDirectory
        return [
            WriterService(engine: engine) { id in
                try AdminKey.make(id, in: directory, randomBytes: engine.randomBytes)
            },
            HousekeepingService(engine: engine),
            TimerService(engine: engine, logger: logger),
            RecountService(engine: engine, logger: logger),
            CheckpointService(
                engine: engine, file: CheckpointFile(path: settings.checkpointFile), logger: logger),
            DispatcherService(
                engine: engine,
                executors: [
                    .echo: EchoExecutor(clock: engine.clock) { definition in
                        guard let read = WorkflowDefinition(stored: definition.bytes),
                            case .echo(let delay) = read.executor
                        else { return 0 }
                        return delay
                    },
                    .http: HTTPExecutor(
                        engine: engine, clients: clients, limits: httpLimits, logger: logger),
                ], logger: logger),
            DelivererService(engine: engine, clients: clients, logger: logger),
            OperationService(engine: engine, logger: logger),
            KeyUseService(engine: engine),
            SQSSourceService(
                engine: engine, clients: clients, credentials: credentials, limits: queueLimits,
                logger: logger),
            Server(
                api: API(
                    engine: engine, egress: settings.egress, limits: apiLimits,
                    metrics: metrics, isEncrypted: identity != nil, logger: logger)
            ).service(options: server) { port in
                print("Daybook listens on \(scheme)://\(host):\(port)")
                fflush(nil)
            },
            WaitEnder(engine: engine), IdentityReloader(identity: identity, logger: logger),
        ]
    }
}

extension Result where Failure == any Error {
    fileprivate static func of(_ body: () async throws -> Success) async -> Self {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}

/// Ends every wait as soon as a stop is asked for, so that no client holds up the others.
private struct WaitEnder: Service {
    let engine: Engine

    func run() async throws {
        try? await gracefulShutdown()
        engine.endWaiting()
    }
}

/// Reads certificate and key anew at SIGHUP; without TLS the signal does nothing.
private struct IdentityReloader: Service {
    let identity: TLSIdentity?
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            guard let identity else { continue }
            do {
                try identity.reload()
                logger.notice("certificate and key were read anew")
            } catch {
                logger.error(
                    "the new certificate is not used", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// The file with the first admin key.
enum AdminKey {
    /// Makes a key's text, keeps it in `admin.key` (mode 0600) and returns its secret's digest.
    /// Shows it where a person watches.
    static func make(
        _ id: KeyID, in directory: String, randomBytes: (Int) -> [UInt8]
    ) throws -> Digest256 {
        let key = APIKeyText(id: id, randomBytes: randomBytes(APIKeyText.randomByteCount))
        let path = directory + "/admin.key"
        try FileSystem.writeAtomically(Array((key.text + "\n").utf8), to: path)
        if isatty(STDOUT_FILENO) == 1 {
            print("The first admin key, also in \(path):\n\(key.text)")
        } else {
            print("The first admin key is in \(path)")
        }
        return key.secretDigest
    }
}
