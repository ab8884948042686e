import ArgumentParser
import NIOHTTP1

/// Whether a command waits for the end of what goes on behind it.
struct OperationWait: ParsableArguments {
    @Option(
        help: ArgumentHelp("Waits so long for the operation's end.", valueName: "seconds"))
    var wait = 0

    func validate() throws {
        guard (0...86_400).contains(wait) else {
            throw ValidationError("--wait: must be between 0 and 86400 seconds")
        }
    }

    /// Shows the answer; of an operation, where that was asked for, as soon as it has ended.
    func show(_ answer: JSONDocument, _ session: Session) async throws {
        guard wait > 0, answer["matched"] != nil, let id = answer["id"]?.text else {
            return session.show(answer)
        }
        let operation = try await session.wait(for: "/operations/\(id)", seconds: wait) {
            $0["finished_at"] != nil
        }
        session.show(operation)
        guard operation["finished_at"] != nil else {
            throw Failure.exit(Exits.notEnded, "the operation has not ended yet")
        }
        guard operation["failure"] == nil else { throw Exits.endedBadly }
        guard operation["refused"]?.integer ?? 0 == 0 else { throw Exits.refused }
    }
}

package struct OperationCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "operation", abstract: "Changes of many things that go on by themselves.",
        subcommands: [Show.self])

    package init() {}

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows how far an operation has come.",
            discussion: "With --wait the exit code is 2 when it ended early, 3 when it goes on.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var wait: OperationWait
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await wait.show(
                    try await session.client.document(.GET, "/operations/\(id)"), session)
            }
        }
    }
}
