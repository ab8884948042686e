import ArgumentParser
import DaybookWire
import NIOHTTP1

struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Versions of a workflow; version 0 is the draft.",
        subcommands: [
            Create.self, List.self, Show.self, Rename.self, Edit.self, Activate.self, Diff.self,
            Delete.self,
        ])

    /// One version of one workflow.
    struct Place: ParsableArguments {
        @Argument(help: "The workflow's id or name.") var workflow: String
        @Argument(help: "The version's number.") var version: Int

        func path(_ session: Session) async throws -> String {
            "/workflows/\(try await session.workflow(workflow))/versions/\(version)"
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keeps the draft, or another version, as a new one that never changes.")

        @Argument(help: "The workflow's id or name.") var workflow: String
        @Option(help: "Its name.") var name: String?
        @Option(help: "The version to copy. (default: 0, the draft)") var source: Int?
        @Flag(help: "Activates it at once.") var activate = false
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(
                    .POST, "/workflows/\(session.workflow(workflow))/versions", change
                ) { writer in
                    writer.given("version_name", name)
                    writer.given("source_version_number", source)
                    if activate { writer.field("mark_as_active", true) }
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists a workflow's versions.")

        @Argument(help: "The workflow's id or name.") var workflow: String
        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.list(
                    "/workflows/\(session.workflow(workflow))/versions", [], list,
                    [
                        .init("VERSION", "version_number"), .init("NAME", "version_name"),
                        .init("ACTIVE") { $0["is_active"]?.bool == true ? "active" : "" },
                        .init("OF", "source_version_number"),
                    ] + session.terminal.time("MADE", "created_at") + [
                        .init("DEFINITION", "definition")
                    ])
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a version.")

        @OptionGroup var place: Place
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in try await session.show(place.path(session)) }
        }
    }

    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Gives a version another name.")

        @OptionGroup var place: Place
        @Argument(help: "The new name.") var name: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.PATCH, place.path(session), change) {
                    $0.field("version_name", name)
                }
            }
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives the draft another definition.")

        @Argument(help: "The workflow's id or name.") var workflow: String
        @OptionGroup(title: "Definition") var definition: WorkflowCommand.Definition
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            guard let definition = try definition.read() else {
                throw ValidationError(
                    "say what it runs: --definition, --definition-file, --echo, --queue or --url")
            }
            try await options.run { session in
                let path = "/workflows/\(try await session.workflow(workflow))"
                session.show(
                    try await session.client.document(
                        .PUT, path + "/versions/0/definition", definition,
                        idempotencyKey: change.idempotencyKey))
            }
        }
    }

    struct Activate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a version the one that runs; an older one rolls back.")

        @OptionGroup var place: Place
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.POST, place.path(session) + "/activate", change) { _ in }
            }
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows how another version differs.")

        @OptionGroup var place: Place
        @Argument(help: "The other version's number.") var other: Int
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                let diff = try await session.client.document(
                    .GET, place.path(session) + "/diff/\(other)")
                guard !session.json else { return session.print(diff.raw + "\n") }
                let changes = diff["changes"]?.elements ?? []
                guard !changes.isEmpty else { return Failure.tell("they are the same") }
                session.print(
                    session.terminal.table(
                        changes,
                        [
                            .init("PATH", "path"),
                            .init("VERSION \(place.version)") { $0["old"]?.raw ?? "" },
                            .init("VERSION \(other)") { $0["new"]?.raw ?? "" },
                        ]))
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a version that nothing uses.")

        @OptionGroup var place: Place
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.DELETE, place.path(session), change)
            }
        }
    }
}
