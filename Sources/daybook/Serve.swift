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
import ServiceLifecycle

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves the REST API and keeps the promises of a data directory.",
        discussion: """
            Each setting can also be given as an environment variable (DAYBOOK_DATA_DIR, …) or in \
            a configuration file, a JSON object with the same names (data_dir, …). The command \
            line wins over the environment, the environment over the file.

            Exit codes: 0 after a stop that was asked for, 64 for a wrong command line, 70 when \
            the storage failed, 73 when the directory cannot be opened, 78 for a wrong setting.
            """)

    @Option(help: "The data directory. (default: ./daybook-data)")
    var dataDir: String?
    @Option(help: "The address to listen on. (default: 127.0.0.1)")
    var host: String?
    @Option(help: "The port to listen on; 0 takes a free one and prints it. (default: 8080)")
    var port: String?
    @Option(
        help: "Address ranges that requests may go to though they are not public, with commas.")
    var egressAllow: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical. (default: info)")
    var logLevel: String?
    @Option(help: "Address space for the database, in GiB. (default: 64)")
    var mapSizeGib: String?
    @Option(help: "The largest run_input or output, in bytes. (default: 262144)")
    var payloadBytes: String?
    @Option(help: "How long an Idempotency-Key holds, in days. (default: 7)")
    var idempotencyDays: String?
    @Option(help: "How far the clocks may part before they are suspect, in s. (default: 60)")
    var clockToleranceSeconds: String?
    @Option(help: "Executions under way at once inside the process. (default: 1000)")
    var executionsInFlight: String?
    @Option(help: "New work is refused when less of the disk is free, in %. (default: 5)")
    var diskReservePercent: String?
    @Option(help: "true serves from file systems that are not safe for it. (default: false)")
    var allowAnyFilesystem: String?
    @Option(help: "true pauses: nothing fires or starts until POST /resume. (default: false)")
    var paused: String?
    @Option(help: "Where the newest signed checkpoint is kept, outside the data directory.")
    var checkpointFile: String?
    @Option(help: "A PEM file with the certificate and those between it and a root.")
    var tlsCert: String?
    @Option(help: "A PEM file with the certificate's key. SIGHUP reads both anew.")
    var tlsKey: String?
    @Option(help: "true serves other addresses than loopback without TLS. (default: false)")
    var insecure: String?
    @Option(help: "Connections open at once. (default: 8192)")
    var maxConnections: String?
    @Option(help: "Connections open at once from one address. (default: 1024)")
    var maxConnectionsPerAddress: String?
    @Option(help: "Requests of a team in a second; 0 for no limit. (default: 0)")
    var requestsPerSecond: String?
    @Option(help: "A configuration file (also DAYBOOK_CONFIG).")
    var config: String?

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let settings: ServeSettings
        do {
            settings = try await ServeSettings(
                commandLine: given, environment: environment,
                file: config ?? environment["DAYBOOK_CONFIG"])
        } catch let mistake as ServeSettings.Mistake {
            throw Failure.exit(Exits.wrongSetting, "\(mistake)")
        }
        try await Composition(settings).run()
    }

    private var given: [ServeSettings.Name: String] {
        let options: [ServeSettings.Name: String?] = [
            .dataDirectory: dataDir, .host: host, .port: port, .egressAllow: egressAllow,
            .logLevel: logLevel, .mapGibibytes: mapSizeGib, .payloadBytes: payloadBytes,
            .idempotencyDays: idempotencyDays, .clockToleranceSeconds: clockToleranceSeconds,
            .executionsInFlight: executionsInFlight, .diskReservePercent: diskReservePercent,
            .allowAnyFilesystem: allowAnyFilesystem, .checkpointFile: checkpointFile,
            .paused: paused, .tlsCertificate: tlsCert, .tlsKey: tlsKey, .insecure: insecure,
            .maxConnections: maxConnections,
            .maxConnectionsPerAddress: maxConnectionsPerAddress,
            .requestsPerSecond: requestsPerSecond,
        ]
        return options.compactMapValues { $0 }
    }
}
