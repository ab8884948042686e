import ArgumentParser
import DaybookStore
import Foundation

/// Touches every page of a database that is suspected of missing some: in a process of its own,
/// since a missing page ends the process that touches it.
struct Walk: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reads every row once; a damaged file ends this process.",
        shouldDisplay: false)

    @Option(help: "The data directory.")
    var dataDir: String

    func run() async throws {
        do {
            let store = try Store(reading: dataDir)
            defer { store.close() }
            try store.walk()
        } catch {
            throw Failure.exit(Exits.cannotOpen, "\(error)")
        }
    }

    /// Whether a child process lives to read everything.
    static func succeeds(in directory: String) throws -> Bool {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = ["walk", "--data-dir", directory]
        // Its death is an answer, not a crash to report.
        child.environment = ["SWIFT_BACKTRACE": "enable=no"]
        try child.run()
        child.waitUntilExit()
        return child.terminationReason == .exit && child.terminationStatus == 0
    }
}

extension Store {
    /// Opens the store to write to it. A file that seems to miss pages is first read whole by another
    /// process.
    static func open(_ directory: String, options: Options) throws -> Store {
        do {
            return try Store(directory: directory, options: options)
        } catch  where isSuspectedOfTruncation(error) {
            guard try Walk.succeeds(in: directory) else { throw error }
            var options = options
            options.acceptsTruncatedFile = true
            return try Store(directory: directory, options: options)
        }
    }
}
