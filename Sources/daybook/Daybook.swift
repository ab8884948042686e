import ArgumentParser
import DaybookClient
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
        // The network's library ignores it; here it ends the command as it ends any other.
        signal(SIGPIPE, SIG_DFL)
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
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "Asking a server",
                subcommands: [
                    WorkflowCommand.self, ScheduleCommand.self, RunCommand.self,
                    TriggerCommand.self, WebhookCommand.self, OperationCommand.self,
                    TeamCommand.self, KeyCommand.self, ServiceCommand.self,
                ])
        ])
}
