import ArgumentParser
import DaybookWire
import NIOHTTP1

package struct WebhookCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "webhook", abstract: "Who is told of workflows and runs: subscriptions.",
        subcommands: [
            Create.self, List.self, Show.self, Modify.self, Delete.self, RotateSecret.self,
            Events.self, Attempts.self, Retry.self, Replay.self,
        ])

    package init() {}

    /// What a subscription can have, at its beginning and later.
    struct Settings: ParsableArguments {
        @Option(
            parsing: .upToNextOption,
            help: ArgumentHelp("Only of these workflows, by id.", valueName: "id"))
        var workflows: [String] = []
        @Option(help: "A token that is sent along as Authorization: Bearer.")
        var bearerToken: String?
        @Option(help: "How long an answer may take, in seconds.") var timeout: Int?
        @Option(help: "How often a delivery is tried again.") var maxRetries: Int?
        @Option(help: "The first pause before that, in seconds.") var retryBackoff: Int?

        func write(to writer: inout JSONWriter) {
            if !workflows.isEmpty {
                writer.array("workflow_ids") { writer in workflows.forEach { writer.string($0) } }
            }
            writer.given("bearer_token", bearerToken)
            writer.given("timeout_seconds", timeout)
            writer.given("max_retries", maxRetries)
            writer.given("retry_backoff_seconds", retryBackoff)
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a subscription; the answer shows its secret, this once.",
            discussion:
                "daybook webhook create desk --url https://… --actions run_completed run_failed")

        @Argument(help: "Its name.") var name: String
        @Option(help: "Where deliveries go.") var url: String
        @Option(parsing: .upToNextOption, help: "What it is told of, such as run_completed.")
        var actions: [String]
        @OptionGroup var settings: Settings
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.POST, "/workflow-webhooks", change) { writer in
                    writer.field("name", name)
                    writer.field("url", url)
                    writer.array("actions") { writer in actions.forEach { writer.string($0) } }
                    settings.write(to: &writer)
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists subscriptions, newest first.")

        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.list(
                    "/workflow-webhooks", [], list,
                    [
                        .init("ID", "id"), .init("NAME", "name"), .init("URL", "url"),
                        .init("STATE") { subscription in
                            if subscription["gone"]?.bool == true { return "gone" }
                            return subscription["enabled"]?.bool == false
                                ? "disabled" : subscription["circuit"]?["state"]?.shown ?? ""
                        },
                        .init("ACTIONS") { subscription in
                            (subscription["actions"]?.elements ?? []).map(\.shown)
                                .joined(separator: " ")
                        },
                    ])
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a subscription.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.show("/workflow-webhooks/\(id)")
            }
        }
    }

    struct Modify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Changes a subscription.")

        @Argument(help: "Its id.") var id: String
        @Option(help: "A new name.") var name: String?
        @Option(help: "Where deliveries go.") var url: String?
        @Option(parsing: .upToNextOption, help: "What it is told of.") var actions: [String] = []
        @OptionGroup var settings: Settings
        @Flag(help: "Sends no bearer token any more.") var clearBearerToken = false
        @OptionGroup var state: EnabledOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let body = Session.body { writer in
                writer.given("name", name)
                writer.given("url", url)
                if !actions.isEmpty {
                    writer.array("actions") { writer in actions.forEach { writer.string($0) } }
                }
                settings.write(to: &writer)
                if clearBearerToken { writer.field("clear_bearer_token", true) }
                writer.given("enabled", state.isEnabled)
            }
            guard body.count > 2 else { throw ValidationError("name something to change") }
            try await options.run { session in
                session.show(
                    try await session.client.document(
                        .PATCH, "/workflow-webhooks/\(id)", body,
                        idempotencyKey: change.idempotencyKey))
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes a subscription.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.DELETE, "/workflow-webhooks/\(id)", change)
            }
        }
    }

    struct RotateSecret: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a subscription a new secret; both sign for 24 h.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(
                    .POST, "/workflow-webhooks/\(id)/secret/rotate", change
                ) { _ in }
            }
        }
    }

    struct Events: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists deliveries, newest first.")

        @Option(help: "Of this subscription.") var subscription: String?
        @Option(help: "About this workflow, by id.") var workflow: String?
        @Option(help: "Such as run_completed.") var action: String?
        @Option(help: "pending, delivered, failed, …") var status: String?
        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.list(
                    "/workflow-webhooks/events",
                    [
                        ("subscription_id", subscription), ("workflow_id", workflow),
                        ("action", action), ("status", status),
                    ], list,
                    [
                        .init("ID", "id"), .init("ACTION", "action"), .init("STATUS", "status"),
                        .init("ATTEMPTS", "attempts"), .init("ANSWER", "status_code"),
                        .init("RUN", "run_id"),
                    ] + session.terminal.time("HAPPENED", "occurred_at"))
            }
        }
    }

    struct Attempts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the attempts of a delivery, the last one first.")

        @Argument(help: "The delivery's id.") var id: String
        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.list(
                    "/workflow-webhooks/events/\(id)/attempts", [], list,
                    [.init("ATTEMPT", "attempt")] + session.terminal.time("BEGAN", "started_at")
                        + [
                            .init("TOOK") { $0["latency_ms"].map { "\($0.raw) ms" } ?? "" },
                            .init("ANSWER", "status_code"), .init("ERROR", "error"),
                        ])
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sends a delivery again.")

        @Argument(help: "The delivery's id.") var id: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(
                    .POST, "/workflow-webhooks/events/\(id)/retry", change
                ) { _ in }
            }
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends again what a receiver has lost, with the same ids.")

        @Argument(help: "The subscription's id.") var id: String
        @Option(help: "What was told after this position of the log, or this time.")
        var after: String
        @Option(help: "And until this one.") var until: String?
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.POST, "/workflow-webhooks/\(id)/replay", change) {
                    writer in
                    writer.moment("after", after)
                    if let until { writer.moment("until", until) }
                }
            }
        }
    }
}

extension JSONWriter {
    /// A position as a number, anything else as the text that it is.
    fileprivate mutating func moment(_ name: String, _ text: String) {
        if let position = UInt64(text) { field(name, position) } else { field(name, text) }
    }
}
