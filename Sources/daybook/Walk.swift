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
