import ArgumentParser
import DaybookWire
import NIOHTTP1

package struct WorkflowCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "workflow", abstract: "What is run: workflows and their versions.",
        discussion: "A workflow is named by its id, or by its name where no other has it.",
        subcommands: [
            Create.self, List.self, Show.self, Modify.self, Delete.self, Execute.self,
            History.self, RotateSecret.self, Export.self, Import.self, VersionCommand.self,
        ])

    package init() {}

    /// The definition, whole or by the executor's shortest form.
    struct Definition: ParsableArguments {
        @Option(help: ArgumentHelp("The definition.", valueName: "json"))
        var definition: String?
        @Option(help: ArgumentHelp("A file with the definition.", valueName: "file"))
        var definitionFile: String?
        @Flag(help: "Completes with its input: for trying things out.")
        var echo = false
        @Option(help: "Is carried out by workers that claim from this queue.")
        var queue: String?
        @Option(help: "Is carried out by a request to this URL.")
        var url: String?

        func validate() throws {
            let given = [definition, definitionFile, echo ? "" : nil, queue, url]
            guard given.compactMap(\.self).count <= 1 else {
                throw ValidationError(
                    "--definition, --definition-file, --echo, --queue and --url contradict each other"
                )
            }
        }

        func read() throws -> [UInt8]? {
            let executor: (type: String, member: (String, String)?)
            if echo {
                executor = ("echo", nil)
            } else if let queue {
                executor = ("worker", ("queue", queue))
            } else if let url {
                executor = ("http", ("url", url))
            } else {
                return try JSONText.read(
                    "--definition", definition, "--definition-file", definitionFile)
            }
            return Session.body { writer in
                writer.object("executor") { writer in
                    writer.field("type", executor.type)
                    if let (name, value) = executor.member { writer.field(name, value) }
                }
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a workflow; the answer shows its secret, this once.")

        @Argument(help: "Its name.") var name: String
        @OptionGroup(title: "Definition") var definition: Definition
        @Option(help: "What it is for.") var description: String?
        @Option(help: "How long a run may take, in seconds.") var timeout: Int?
        @Option(help: "How many of its runs may be in progress at once; 0: no limit of its own.")
        var maxConcurrentRuns: Int?
        @Option(help: ArgumentHelp("How failed attempts are tried again.", valueName: "json"))
        var retry: String?
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            guard let definition = try definition.read() else {
                throw ValidationError(
                    "say what it runs: --definition, --definition-file, --echo, --queue or --url")
            }
            let retry = try JSONText.read("--retry", retry, "", nil)
            try await options.run { session in
                try await session.change(.POST, "/workflows", change) { writer in
                    writer.field("name", name)
                    writer.given("description", description)
                    writer.field("definition", raw: definition)
                    writer.given("run_timeout_seconds", timeout)
                    writer.given("max_concurrent_runs", maxConcurrentRuns)
                    writer.given("retry", raw: retry)
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists workflows, newest first.")

        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.list(
                    "/workflows", [], list,
                    [
                        .init("ID", "id"), .init("NAME", "name"),
                        .init("VERSION", "active_version"),
                        .init("MAX", "max_concurrent_runs"),
                        .init("PAUSED") { $0["paused"]?.bool == true ? "paused" : "" },
                    ] + session.terminal.time("CHANGED", "updated_at"))
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a workflow.")

        @Argument(help: "Its id or name.") var workflow: String
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.show("/workflows/\(session.workflow(workflow))")
            }
        }
    }

    struct Modify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Changes a workflow's settings.")

        @Argument(help: "Its id or name.") var workflow: String
        @Option(help: "A new name.") var name: String?
        @Option(help: "What it is for.") var description: String?
        @Option(help: "How long a run may take, in seconds.") var timeout: Int?
        @Option(help: "How many of its runs may be in progress at once; 0: no limit of its own.")
        var maxConcurrentRuns: Int?
        @Option(help: ArgumentHelp("How failed attempts are tried again.", valueName: "json"))
        var retry: String?
        @Flag(
            inversion: .prefixedNo,
            help: "Whether its runs wait; its schedules fire all the same.")
        var paused: Bool?
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func validate() throws {
            let isOther =
                name != nil || description != nil || timeout != nil || retry != nil
                || paused != nil
            guard isOther || maxConcurrentRuns != nil else {
                throw ValidationError("name something to change")
            }
            guard !isOther || maxConcurrentRuns == nil else {
                throw ValidationError(
                    "--max-concurrent-runs is a change of its own: give it alone")
            }
        }

        func run() async throws {
            let retry = try JSONText.read("--retry", retry, "", nil)
            try await options.run { session in
                let path = "/workflows/\(try await session.workflow(workflow))"
                if let maxConcurrentRuns {
                    return try await session.change(.PATCH, path + "/concurrency", change) {
                        $0.field("max_concurrent_runs", maxConcurrentRuns)
                    }
                }
                try await session.change(.PATCH, path, change) { writer in
                    writer.given("name", name)
                    writer.given("description", description)
                    writer.given("run_timeout_seconds", timeout)
                    writer.given("retry", raw: retry)
                    writer.given("paused", paused)
                }
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a workflow that nothing waits for.")

        @Argument(help: "Its id or name.") var workflow: String
        @Flag(help: "Cancels its pending schedules and unfinished runs first.") var cancelPending =
            false
        @OptionGroup var wait: OperationWait
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                let path = "/workflows/\(try await session.workflow(workflow))"
                let answer = try await session.changed(
                    .DELETE, cancelPending ? path + "?cancel_pending=true" : path, change)
                try await wait.show(answer, session)
            }
        }
    }

    struct Execute: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs a workflow now.",
            discussion: """
                Exit codes with --wait, beside those of every command: 2 when the run failed or was \
                cancelled, 3 when it had not ended in time.
                """)

        @Argument(help: "Its id or name.") var workflow: String
        @OptionGroup var input: InputOptions
        @Option(help: "The version to run. (default: the active one)") var version: Int?
        @Option(help: "0 to 9, higher first.") var priority: Int?
        @Option(help: "It fails where it has not started by then.") var expiresAt: String?
        @Option(help: ArgumentHelp("Waits so long for its end.", valueName: "seconds"))
        var wait = 0
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func validate() throws {
            guard (0...86_400).contains(wait) else {
                throw ValidationError("--wait: must be between 0 and 86400 seconds")
            }
        }

        func run() async throws {
            let input = try input.read()
            let end = try TimeOptions.time("--expires-at", expiresAt, zone: nil)
            try await options.run { session in
                let path = Client.path(
                    "/workflows/\(try await session.workflow(workflow))/execute",
                    [
                        ("version", version.map(String.init)),
                        ("wait", wait > 0 ? String(min(wait, 60)) : nil),
                    ])
                let body = Session.body { writer in
                    writer.given("run_input", raw: input)
                    writer.given("priority", priority)
                    writer.given("expires_at", end)
                }
                let run = try await session.client.document(
                    .POST, path, body, idempotencyKey: change.idempotencyKey, seconds: 90)
                guard wait > 0 else { return session.show(run) }
                try await RunCommand.show(run, waiting: max(0, wait - 60), session)
            }
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows who changed a workflow, and when.")

        @Argument(help: "Its id or name.") var workflow: String
        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.history(
                    "/workflows/\(session.workflow(workflow))/history", list)
            }
        }
    }

    struct RotateSecret: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a workflow a new secret; the old one holds 24 h more.")

        @Argument(help: "Its id or name.") var workflow: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(
                    .POST, "/workflows/\(session.workflow(workflow))/secret/rotate", change
                ) { _ in }
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a workflow with its versions as one JSON bundle, without secrets.")

        @Argument(help: "Its id or name.") var workflow: String
        @Option(help: "The versions, separated by commas. (default: all)") var versions: String?
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                let bundle = try await session.client.document(
                    .GET,
                    Client.path(
                        "/workflows/\(try await session.workflow(workflow))/export",
                        [("versions", versions)]))
                session.print(bundle.raw + "\n")
            }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a workflow of a bundle.")

        @Argument(help: "The bundle's file; - is standard input.") var file: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let bundle = try FileText.read(file)
            try await options.run { session in
                session.show(
                    try await session.client.document(
                        .POST, "/workflows/import", bundle,
                        idempotencyKey: change.idempotencyKey))
            }
        }
    }
}
