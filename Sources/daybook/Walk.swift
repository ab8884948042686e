import ArgumentParser
import DaybookClient
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
            // What the rows say is not asked here.
            var options = Store.Options()
            options.ignoresProjections = true
            let store = try Store(reading: dataDir, options: options)
            defer { store.close() }
            try store.walk()
        } catch {
            throw Failure.exit(Exits.cannotOpen, "\(error)")
        }
    }

    enum Outcome {
        /// Everything could be read.
        case read
        /// It cannot be opened, or a row does not read: who opens it himself hears why.
        case refused
        /// A page is missing or is none.
        case died
    }

    /// Has a child process read everything, and tells how it fared.
    static func outcome(in directory: String) throws -> Outcome {
        let child = Process.ofDaybook(["walk", "--data-dir", directory])
        // Why it refuses is told by who asks.
        child.standardError = FileHandle.nullDevice
        try child.run()
        child.waitUntilExit()
        let status = child.terminationStatus
        guard child.terminationReason == .exit else {
            guard endedByDamage(status) else {
                throw Failure.exit(
                    ExitCode(128 + status),
                    "not read: the process that does it was ended by signal \(status)")
            }
            return .died
        }
        return status == 0 ? .read : .refused
    }

    /// Whether a process that works on a database was ended by what is in it, and not by somebody.
    static func endedByDamage(_ signal: Int32) -> Bool {
        [SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTRAP, SIGFPE].contains(signal)
    }
}

extension Process {
    /// This program once more, with other arguments. Its death is an answer, not a crash to report.
    static func ofDaybook(_ arguments: [String]) -> Process {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = arguments
        child.environment = ProcessInfo.processInfo.environment
            .merging(["SWIFT_BACKTRACE": "enable=no"]) { _, new in new }
        return child
    }
}

extension Store {
    /// Opens the store to write to it. A file that seems to miss pages is first read whole by another
    /// process.
    static func open(_ directory: String, options: Options) throws -> Store {
        guard !FileManager.default.fileExists(atPath: directory + "/" + Backup.Manifest.name) else {
            throw Backup.Problem(description: "\(directory) is a backup: daybook restore it first")
        }
        do {
            return try Store(directory: directory, options: options)
        } catch  where isSuspectedOfTruncation(error) {
            guard try Walk.outcome(in: directory) == .read else { throw error }
            var options = options
            options.acceptsTruncatedFile = true
            return try Store(directory: directory, options: options)
        }
    }
}
