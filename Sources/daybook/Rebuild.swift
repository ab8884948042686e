import ArgumentParser
import DaybookCore
import DaybookStore
import Foundation

/// Throws the projections away and replays the log.
struct Rebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Builds schedules, runs and queues anew from the log.",
        discussion: """
            To be run while no server has the directory. The whole log is verified first; where it is \
            damaged, nothing is changed. It may be broken off and started again: the \
            log is only read, and a server that is started in between goes on with the replay.

            Exit codes: 0 when everything was rebuilt, 64 for a wrong command line, 73 when the \
            directory cannot be opened or the log does not verify.
            """)

    @Option(help: "The data directory (also DAYBOOK_DATA_DIR). (default: ./daybook-data)")
    var dataDir: String?
    @Option(help: "Address space for the database, in GiB: the server's, where it is not 64.")
    var mapSizeGib = 64
    @Flag(help: "Rebuilds on file systems that are not safe for it, as with daybook serve.")
    var allowAnyFilesystem = false

    func validate() throws {
        guard (1...16_384).contains(mapSizeGib) else {
            throw ValidationError("--map-size-gib: must be an integer between 1 and 16384")
        }
    }

    func run() async throws {
        let directory = DataDirectory.path(dataDir)
        do {
            // A directory without a database is a mistake, not a new one.
            try Store(reading: directory).close()
            var options = Store.Options()
            options.mapSize = mapSizeGib << 30
            options.allowsAnyFileSystem = allowAnyFilesystem
            let store = try Store.open(directory, options: options)
            defer { store.close() }
            // What can't be replayed to its end must not cost the projections that are there.
            var progress = Progress("verified")
            let finding = try store.read { view in
                try view.checkLog(readsPayloads: false) { progress.show($0, of: $1) }.finding
            }
            progress.end()
            if let finding { throw Unfit(finding: finding) }
            try store.clearProjections()
            progress = Progress("rebuilt")
            try store.replay { reached, last in
                progress.show(reached, of: last)
                return true
            }
            progress.end()
            let last = try store.read { view in try view.lastPosition() }
            say("rebuilt from \(last) entries")
        } catch {
            throw Failure.exit(Exits.cannotOpen, "\(error)")
        }
    }

    private func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}

/// The log does not verify, so it can't be replayed.
private struct Unfit: Error, CustomStringConvertible {
    let finding: Finding

    var description: String { "\(finding.what); nothing was changed" }
}

/// Where the data is that a command looks at.
enum DataDirectory {
    static func path(_ option: String?) -> String {
        option ?? ProcessInfo.processInfo.environment["DAYBOOK_DATA_DIR"] ?? "./daybook-data"
    }
}
