import ArgumentParser
import DaybookClient
import DaybookCore
import DaybookStore
import DaybookWire
import Foundation
import LMDB

/// Copies a data directory, also one that a server owns.
struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copies a data directory while it is served, or verifies such a copy.",
        discussion: """
            DEST gets the database without its free pages and, last, manifest.json with the position, \
            the chain hash and the file's SHA-256: without a manifest it is not a backup. The keys \
            (secrets.keys, admin.key, checkpoint.key) are not copied: keep them elsewhere. Every command \
            that reads a data directory reads a backup. What an earlier attempt left unfinished in DEST is \
            replaced.

            With --verify: the file is what the manifest says, and everything that daybook check \
            verifies holds. The result is on standard output.

            Exit codes: 0 when all is well, 1 when --verify found something, 64 for a wrong command line, \
            73 when a directory cannot be opened or written.
            """)

    @Argument(help: "The directory of the backup.")
    var destination: String
    @Option(help: "The data directory. (default: DAYBOOK_DATA_DIR, ./daybook-data)")
    var dataDir: String?
    @Flag(help: "Verifies the backup in DEST.")
    var verify = false
    @Option(help: "With --verify: where copies are made. (default: the backup's directory)")
    var scratch: String?
    @Flag(help: "One JSON object.")
    var json = false

    func run() async throws {
        do {
            try verify ? check() : make()
        } catch let code as ExitCode {
            throw code
        } catch {
            throw Failure.exit(Exits.cannotOpen, "\(error)")
        }
    }

    private func make() throws {
        let source = try Store(reading: DataDirectory.path(dataDir))
        defer { source.close() }
        try makeRoom()
        try source.backUp(to: destination)
        let manifest = try Manifest(of: destination)
        try manifest.write(to: destination)
        try FileManager.default.removeItem(atPath: unfinished)
        if json {
            print(String(decoding: try manifest.data, as: UTF8.self), terminator: "")
        } else {
            print("copied \(manifest.position) entries, \(manifest.bytes) bytes")
        }
    }

    /// Is there as long as the backup is not whole: what else is there may be thrown away then.
    private var unfinished: String { destination + "/backup.unfinished" }

    /// An empty directory is taken, and one that an unfinished backup left behind.
    private func makeRoom() throws {
        let files = FileManager.default
        let names = (try? files.contentsOfDirectory(atPath: destination)) ?? []
        let isLeftBehind = names.contains("backup.unfinished")
        guard names.isEmpty || isLeftBehind else {
            throw Problem(
                description: names.contains(Manifest.name)
                    ? "\(destination) holds a backup already" : "\(destination) is not empty")
        }
        for name in ["db", "owner.lock", Manifest.name] where isLeftBehind {
            let path = "\(destination)/\(name)"
            if files.fileExists(atPath: path) { try files.removeItem(atPath: path) }
        }
        try files.createDirectory(
            atPath: destination, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try FileSystem.createFile(unfinished)
    }

    private func check() throws {
        let manifest = try Manifest(reading: destination)
        let report: Checker.Report
        if let what = try manifest.difference(from: destination) {
            report = Checker.Report(finding: Finding(.file, what))
        } else {
            report = try Checker(scratch: scratch).check(destination, .wholly)
        }
        print(json ? report.json : report.text)
        if report.finding != nil { throw ExitCode(1) }
    }

    /// What a backup says of itself; its presence says that the backup is whole.
    struct Manifest: Codable, Equatable {
        static let name = "manifest.json"

        let format: Int
        let logID: String
        let position: Position
        let chain: String
        let recordedAt: String
        let bytes: Int
        let sha256: String

        private enum CodingKeys: String, CodingKey {
            case format, position, chain, bytes, sha256
            case logID = "log_id"
            case recordedAt = "recorded_at"
        }

        /// What stands in the directory.
        init(of directory: String) throws {
            let file = try Store.digestOfDatabase(in: directory)
            let store = try Store(reading: directory)
            defer { store.close() }
            let tail = try store.verifyTail()
            format = 1
            logID = lowercaseHex(try store.read { try $0.service().logID })
            position = tail.position
            chain = lowercaseHex(try store.read { try $0.chain(at: tail.position) })
            recordedAt = RFC3339.format(tail.recordedAt)
            bytes = file.byteCount
            sha256 = lowercaseHex(file.digest)
        }

        init(reading directory: String) throws {
            let path = directory + "/" + Self.name
            let isUnfinished = FileManager.default.fileExists(
                atPath: directory + "/backup.unfinished")
            guard FileManager.default.fileExists(atPath: path), !isUnfinished else {
                throw Problem(
                    description:
                        "\(directory) is not a backup, or one that was not finished: it has no \(Self.name)"
                )
            }
            do {
                self = try JSONDecoder().decode(
                    Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
            } catch {
                throw Problem(description: "\(path) cannot be read: \(error)")
            }
            guard format == 1 else {
                throw Problem(description: "\(path) is of a newer format, \(format)")
            }
        }

        var data: Data {
            get throws {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                return try encoder.encode(self) + Data("\n".utf8)
            }
        }

        func write(to directory: String) throws {
            try FileSystem.writeAtomically(Array(try data), to: directory + "/" + Self.name)
        }

        /// How the database is another than the one that was copied.
        func difference(from directory: String) throws -> String? {
            let file = try Store.digestOfDatabase(in: directory)
            if file.byteCount != bytes {
                return "the database has \(file.byteCount) bytes, and the manifest names \(bytes)"
            }
            guard lowercaseHex(file.digest) == sha256 else {
                return "the database is not the one that the manifest names"
            }
            let found = try Manifest(of: directory)
            return found == self ? nil : "the log is not the one that the manifest names"
        }
    }

    struct Problem: Error, CustomStringConvertible {
        let description: String
    }
}

/// Makes a data directory of a backup.
struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Makes a data directory of a backup: a copy that fires nothing until it is told to.",
        discussion: """
            The data directory must have no database. A server that is started on it serves reads and \
            refuses everything else until an administrator's POST /resume, so that no promise is kept \
            twice. Put secrets.keys (and checkpoint.key) there before it starts: without them a new key is \
            made, and what was sealed with the old one does not open.

            With --to the log ends at that position, or with the last entry recorded at or before that \
            time. It may be broken off and started again.

            Exit codes: 0 when it was restored, 1 when the backup is not what its manifest says, 64 for a \
            wrong command line, 73 when a directory cannot be opened or written.
            """)

    @Argument(help: "The directory of the backup.")
    var backup: String
    @Option(help: "The data directory to make. (default: DAYBOOK_DATA_DIR, ./daybook-data)")
    var dataDir: String?
    @Option(help: "The last position, or a time (RFC 3339).")
    var to: String?

    func run() async throws {
        let directory = DataDirectory.path(dataDir)
        let end = try moment()
        do {
            let manifest = try Backup.Manifest(reading: backup)
            if let what = try manifest.difference(from: backup) {
                throw Failure.exit(ExitCode(1), what)
            }
            let source = try Store(reading: backup)
            defer { source.close() }
            let position = try last(in: source, end)
            let progress = TransferProgress("restored", of: position)
            try Store.restore(
                source, to: directory, position: end == nil ? nil : position,
                progress: progress.show)
            progress.end()
            print("restored \(position) entries; a copy, until POST /resume")
        } catch let code as ExitCode {
            throw code
        } catch {
            throw Failure.exit(Exits.cannotOpen, "\(error)")
        }
    }

    private enum Moment {
        case position(Position)
        case instant(Instant)
    }

    private func moment() throws -> Moment? {
        guard let to else { return nil }
        if let position = Position(to), position > 0 { return .position(position) }
        do throws(TimeSyntaxError) {
            return .instant(try RFC3339.parse(to))
        } catch {
            throw ValidationError("--to: must be a position or a time; \(error.message)")
        }
    }

    private func last(in store: Store, _ moment: Moment?) throws -> Position {
        let last = try store.read { try $0.lastPosition() }
        switch moment {
        case nil: return last
        case .position(let position):
            guard position <= last else {
                throw Backup.Problem(description: "the backup ends at \(last)")
            }
            return position
        case .instant(let instant):
            let position = try store.read { try $0.lastPosition(recordedBy: instant) }
            guard position > 0 else {
                throw Backup.Problem(description: "the log begins after that time")
            }
            return position
        }
    }
}

/// Progress of something that is only told how far it came.
final class TransferProgress {
    private var progress: Progress
    private let last: Position

    init(_ verb: String, of last: Position) {
        progress = Progress(verb)
        self.last = last
    }

    func show(_ reached: Position) { progress.show(reached, of: max(last, reached)) }
    func end() { progress.end() }
}
