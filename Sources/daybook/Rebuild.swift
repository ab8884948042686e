import ArgumentParser
import DaybookClient
import DaybookCore
import DaybookStore
import Foundation
import NIOHTTP1

/// Throws the projections away and replays the log.
struct Rebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Builds schedules, runs and queues anew from the log.",
        discussion: """
            To be run while no server has the directory. A second set of projections is built beside the \
            first, which is in use until both were compared and the new one takes its place in one \
            transaction: where the log is damaged, or the rebuild is broken off, nothing is changed. What \
            differed is told on standard error.

            With --online the running server does it while it serves, in pieces of a few milliseconds; \
            this command waits for the end. It needs an administrator's key.

            Exit codes: 0 when everything was rebuilt, 64 for a wrong command line, 69 when the server \
            cannot be reached or the rebuild ended early, 77 when the key may not ask for it, 73 when the \
            directory cannot be opened, the log does not verify, or it ends before what the projections have seen.
            """)

    @Option(help: "The data directory (also DAYBOOK_DATA_DIR). (default: ./daybook-data)")
    var dataDir: String?
    @Option(help: "Address space for the database, in GiB: the server's, where it is not 64.")
    var mapSizeGib = 64
    @Flag(help: "Has the running server do it while it serves.")
    var online = false
    @OptionGroup var client: Client.Options
    @Flag(help: "Rebuilds on file systems that are not safe for it, as with daybook serve.")
    var allowAnyFilesystem = false

    func validate() throws {
        guard (1...16_384).contains(mapSizeGib) else {
            throw ValidationError("--map-size-gib: must be an integer between 1 and 16384")
        }
    }

    func run() async throws {
        try online ? await rebuildOnline() : rebuild()
    }

    private func rebuild() throws {
        let directory = DataDirectory.path(dataDir)
        do {
            // A directory without a database is a mistake, not a new one.
            try Store.expectDatabase(in: directory)
            var options = Store.Options()
            options.mapSize = mapSizeGib << 30
            options.ignoresProjections = true
            options.allowsAnyFileSystem = allowAnyFilesystem
            let store = try Store.open(directory, options: options)
            defer { store.close() }
            var progress = Progress("rebuilt")
            let report: RebuildReport
            let begun = ContinuousClock.now
            var built: Duration?
            do {
                report = try store.rebuild { stage in
                    if case .comparing = stage, built == nil { built = ContinuousClock.now - begun }
                    progress.show(stage)
                }
            } catch let error as LogError {
                throw Unfit(error: error)
            }
            progress.end()
            say(report, in: built ?? ContinuousClock.now - begun)
        } catch let code as ExitCode {
            throw code
        } catch {
            throw Failure.exit(Exits.cannotOpen, "\(error)")
        }
    }

    /// Asks the server for a rebuild, and tells how it goes until it has ended.
    private func rebuildOnline() async throws {
        try await Client.with(client, dataDir: dataDir) { client in
            var status = try await client.json(.POST, "/rebuild", "{}") as RebuildJSON
            var progress = Progress("rebuilt")
            while status.finishedAt == nil {
                if let reached = status.position, let last = status.of {
                    progress.show(.replaying(reached, of: last))
                } else if let table = status.table {
                    progress.show(.comparing(table: table))
                }
                try await Task.sleep(for: .milliseconds(300))
                status = try await client.json(.GET, "/rebuild")
            }
            progress.end()
            if let error = status.error { throw Failure.exit(Exits.unavailable, error) }
            say(
                entries: status.entries ?? 0, differences: status.differences,
                told: (status.told ?? []).map { "\($0.table) \($0.key): \($0.what)" })
        }
    }

    private struct RebuildJSON: Decodable, Sendable {
        struct Difference: Decodable, Sendable {
            let table: String
            let key: String
            let what: String
        }

        let finishedAt: String?
        let position: Position?
        let of: Position?
        let table: String?
        let error: String?
        let entries: Position?
        let differences: Int?
        let told: [Difference]?
    }

    /// - Parameter time: what it took until both sets could be compared.
    private func say(_ report: RebuildReport, in time: Duration) {
        say(
            entries: report.entries, in: time, differences: report.differences,
            told: report.told.map { finding in
                let key = finding.key.map(lowercaseHex) ?? ""
                return "\(finding.table ?? "") \(key): \(finding.what)"
            })
    }

    private func say(
        entries: Position, in time: Duration? = nil, differences: Int?, told: [String]
    ) {
        let compared =
            switch differences {
            case nil: "the old projections could not be compared"
            case 0?: "the old projections were the same"
            case let rows?: "\(rows) rows of the old projections were not what the log gives"
            }
        let built =
            "rebuilt from \(entries) entries" + (time.map { " in \($0.secondsText) s" } ?? "")
        let lines = [built, compared] + told
        FileHandle.standardError.write(Data((lines.joined(separator: "\n") + "\n").utf8))
    }
}

/// The log does not verify, so it can't be replayed.
private struct Unfit: Error, CustomStringConvertible {
    let error: LogError

    var description: String { "\(error); nothing was changed" }
}

/// Where the data is that a command looks at.
enum DataDirectory {
    static func path(_ option: String?) -> String {
        option ?? ProcessInfo.processInfo.environment["DAYBOOK_DATA_DIR"] ?? "./daybook-data"
    }
}
