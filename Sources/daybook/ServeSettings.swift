import Configuration
import DaybookWire
import Foundation
import Logging

/// The settings of `daybook serve`: from the command line, else from the environment
/// (`DAYBOOK_…`), else from a configuration file (a JSON object), else the default.
struct ServeSettings {
    /// Every setting, as the file names it; the environment has it in capitals after `DAYBOOK_`,
    /// the command line with hyphens.
    enum Name: String, CaseIterable {
        case dataDirectory = "data_dir"
        case host
        case port
        case egressAllow = "egress_allow"
        case logLevel = "log_level"
        case mapGibibytes = "map_size_gib"
        case payloadBytes = "payload_bytes"
        case idempotencyDays = "idempotency_days"
        case clockToleranceSeconds = "clock_tolerance_seconds"
        case executionsInFlight = "executions_in_flight"
        case diskReservePercent = "disk_reserve_percent"
        case allowAnyFilesystem = "allow_any_filesystem"
        case checkpointFile = "checkpoint_file"
        case paused
        case tlsCertificate = "tls_cert"
        case tlsKey = "tls_key"
        case insecure
        case maxConnections = "max_connections"
        case maxConnectionsPerAddress = "max_connections_per_address"
        case requestsPerSecond = "requests_per_second"
    }

    /// A setting that is wrong, by its name and where it came from.
    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    /// Variables that begin like a setting but are for the client commands and tools.
    static let otherVariables: Set<String> = [
        "DAYBOOK_CONFIG", "DAYBOOK_SERVER", "DAYBOOK_KEY", "DAYBOOK_SEED", "DAYBOOK_CASES",
        "DAYBOOK_STRICT",
    ]

    let dataDirectory: String
    let host: String
    let port: Int
    let egress: EgressRules
    let logLevel: Logger.Level
    let mapBytes: Int
    let payloadBytes: Int
    let idempotencySeconds: Int
    let clockToleranceSeconds: Int
    let executionsInFlight: Int
    let diskReserveFraction: Double
    let allowsAnyFileSystem: Bool
    let checkpointFile: String?
    let startsPaused: Bool
    /// The files of certificate and key; `nil` to serve without encryption.
    let tls: (certificate: String, key: String)?
    let maxConnections: Int
    let maxConnectionsPerAddress: Int
    /// Of one team; 0 for no limit.
    let requestsPerSecond: Int

    init(
        commandLine: [Name: String], environment: [String: String], file: String?
    ) async throws {
        let source = try await Source(
            commandLine: commandLine, environment: environment, file: file)
        dataDirectory = source.text(.dataDirectory) ?? "./daybook-data"
        host = source.text(.host) ?? "127.0.0.1"
        port = try source.integer(.port, 0...65_535) ?? 8080
        let ranges = (source.text(.egressAllow) ?? "").split(separator: ",")
        egress = EgressRules(
            allowed: try ranges.map { range in
                do throws(CIDRError) {
                    return try CIDR(range.trimmingCharacters(in: .whitespaces))
                } catch {
                    throw source.mistake(.egressAllow, error.message)
                }
            })
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        logLevel =
            try source.converted(.logLevel, "must be one of \(levels)") {
                Logger.Level(rawValue: $0)
            } ?? .info
        mapBytes = try (source.integer(.mapGibibytes, 1...16_384) ?? 64) << 30
        payloadBytes = try source.integer(.payloadBytes, 1...(1 << 20)) ?? 256 << 10
        idempotencySeconds = try (source.integer(.idempotencyDays, 1...365) ?? 7) * 86_400
        clockToleranceSeconds = try source.integer(.clockToleranceSeconds, 1...86_400) ?? 60
        executionsInFlight = try source.integer(.executionsInFlight, 1...100_000) ?? 1_000
        diskReserveFraction = try Double(source.integer(.diskReservePercent, 0...50) ?? 5) / 100
        allowsAnyFileSystem = try source.boolean(.allowAnyFilesystem) ?? false
        startsPaused = try source.boolean(.paused) ?? false
        maxConnections = try source.integer(.maxConnections, 1...1_000_000) ?? 8_192
        maxConnectionsPerAddress =
            try source.integer(.maxConnectionsPerAddress, 1...1_000_000) ?? 1_024
        requestsPerSecond = try source.integer(.requestsPerSecond, 0...1_000_000) ?? 0
        switch (source.text(.tlsCertificate), source.text(.tlsKey)) {
        case (let certificate?, let key?): tls = (certificate, key)
        case (nil, nil): tls = nil
        case (_?, nil): throw source.mistake(.tlsCertificate, "needs tls_key beside it")
        case (nil, _?): throw source.mistake(.tlsKey, "needs tls_cert beside it")
        }
        let isInsecure = try source.boolean(.insecure) ?? false
        if tls == nil, !isInsecure, !Self.isLoopback(host) {
            throw source.mistake(
                .host,
                "\(host) is not loopback: keys and payloads would travel unencrypted; give tls_cert "
                    + "and tls_key, or insecure=true where something in front encrypts")
        }
        checkpointFile = try source.converted(.checkpointFile, "must be the path of a file") {
            $0.isEmpty ? nil : $0
        }
    }
}

extension ServeSettings {
    fileprivate static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" { return true }
        guard let address = IPAddress(host) else { return false }
        return ["127.0.0.0/8", "::1/128"].contains { range in
            (try? CIDR(range))?.contains(address) ?? false
        }
    }
}

/// The three places that settings come from, the first that has one winning.
private struct Source {
    private let reader: ConfigReader
    private let commandLine: Set<String>
    private let environment: Set<String>
    private let file: String?

    init(
        commandLine: [ServeSettings.Name: String], environment: [String: String], file: String?
    ) async throws {
        let variables = environment.filter { $0.key.hasPrefix(Self.prefix) }
        for variable in variables.keys.sorted()
        where !ServeSettings.otherVariables.contains(variable) {
            let name = variable.dropFirst(Self.prefix.count).lowercased()
            guard ServeSettings.Name(rawValue: name) != nil else {
                throw ServeSettings.Mistake(
                    description: "the environment variable \(variable) names no setting")
            }
        }
        var providers: [any ConfigProvider] = [
            InMemoryProvider(
                name: "command line",
                values: Dictionary(
                    uniqueKeysWithValues: commandLine.map { name, value in
                        (
                            AbsoluteConfigKey([name.rawValue]),
                            ConfigValue(.string(value), isSecret: false)
                        )
                    })),
            EnvironmentVariablesProvider(
                environmentVariables: Dictionary(
                    uniqueKeysWithValues: variables.map {
                        (String($0.key.dropFirst(Self.prefix.count)), $0.value)
                    })),
        ]
        if let file {
            let values = try Self.values(in: file)
            providers.append(InMemoryProvider(name: file, values: values))
        }
        reader = ConfigReader(providers: providers)
        self.commandLine = Set(commandLine.keys.map(\.rawValue))
        self.environment = Set(
            variables.keys.map { $0.dropFirst(Self.prefix.count).lowercased() })
        self.file = file
    }

    private static let prefix = "DAYBOOK_"

    /// A configuration file: one JSON object whose values are texts, numbers, true or false, or for
    /// `egress_allow` an array of texts.
    private static func values(in file: String) throws -> [AbsoluteConfigKey: ConfigValue] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            throw ServeSettings.Mistake(
                description: "the configuration file \(file) cannot be read: \(error)")
        }
        let body = Array(data)
        let node: JSONNode
        do {
            node = try JSONScanner.scan(body)
        } catch {
            throw ServeSettings.Mistake(description: "\(file): \(error)")
        }
        guard case .object(let members) = node.kind else {
            throw ServeSettings.Mistake(description: "\(file): must be a JSON object")
        }
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for member in members {
            guard ServeSettings.Name(rawValue: member.name) != nil else {
                throw ServeSettings.Mistake(
                    description: "\(file): \(member.name) is not a setting")
            }
            let text: String
            switch member.value.kind {
            case .string(let string): text = string
            case .array(let nodes):
                text = nodes.compactMap { node in
                    if case .string(let string) = node.kind { string } else { nil }
                }.joined(separator: ",")
            default: text = String(decoding: member.value.bytes(in: body), as: UTF8.self)
            }
            values[AbsoluteConfigKey([member.name])] = ConfigValue(.string(text), isSecret: false)
        }
        return values
    }

    func text(_ name: ServeSettings.Name) -> String? {
        reader.string(forKey: ConfigKey([name.rawValue]))
    }

    func integer(_ name: ServeSettings.Name, _ range: ClosedRange<Int>) throws -> Int? {
        let message = "must be an integer between \(range.lowerBound) and \(range.upperBound)"
        return try converted(name, message) { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    func boolean(_ name: ServeSettings.Name) throws -> Bool? {
        try converted(name, "must be true or false") { Bool($0) }
    }

    func converted<Value>(
        _ name: ServeSettings.Name, _ message: String, _ convert: (String) -> Value?
    ) throws -> Value? {
        guard let text = text(name) else { return nil }
        guard let value = convert(text) else { throw mistake(name, "\(message), not \"\(text)\"") }
        return value
    }

    func mistake(_ name: ServeSettings.Name, _ message: String) -> ServeSettings.Mistake {
        let place =
            if commandLine.contains(name.rawValue) {
                "--" + name.rawValue.replacing("_", with: "-")
            } else if environment.contains(name.rawValue) {
                Self.prefix + name.rawValue.uppercased()
            } else {
                "\(name.rawValue) in \(file ?? "the configuration")"
            }
        return ServeSettings.Mistake(description: "\(place): \(message)")
    }
}
