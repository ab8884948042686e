import ArgumentParser
import Foundation

@main
enum Main {
    /// Runs the command, and says so where what it printed did not arrive.
    static func main() async {
        do {
            var command = try Daybook.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            try flush()
        } catch {
            Daybook.exit(withError: error)
        }
    }

    private static func flush() throws {
        if fflush(nil) != 0 {
            throw Failure.exit(Exits.outputFailed, "the output cannot be written")
        }
    }
}

struct Daybook: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daybook",
        abstract: "Runs workflows once, at the moment they were promised.",
        version: "0.1.0",
        subcommands: [
            Serve.self, Log.self, Check.self, Rebuild.self, Backup.self, Restore.self, Erase.self,
            Walk.self,
        ])
}

/// How the process ends, beside 0 and ArgumentParser's own 64 for a wrong command line.
enum Exits {
    /// The storage failed while serving: whether the last commands took effect is to be found out
    /// by asking again after a restart.
    static let storageFailed = ExitCode(70)
    /// Data that was given is damaged, or does not fit.
    static let badData = ExitCode(65)
    /// A file that was named cannot be read.
    static let noInput = ExitCode(66)
    /// The server cannot be reached, or does not do it now.
    static let unavailable = ExitCode(69)
    /// What was printed could not be written.
    static let outputFailed = ExitCode(74)
    /// The directory cannot be opened: held by another process, damaged, or of a newer format.
    static let cannotOpen = ExitCode(73)
    /// A setting is wrong.
    static let wrongSetting = ExitCode(78)
}
