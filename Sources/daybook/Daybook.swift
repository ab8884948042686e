import ArgumentParser

@main
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
    /// The directory cannot be opened: held by another process, damaged, or of a newer format.
    static let cannotOpen = ExitCode(73)
    /// A setting is wrong.
    static let wrongSetting = ExitCode(78)
}
