import ArgumentParser
import DaybookWire
import NIOHTTP1

/// Whether something that exists does what it is for.
struct EnabledOptions: ParsableArguments {
    @Flag(help: "Lets it work.") var enable = false
    @Flag(help: "Keeps it, and lets it do nothing.") var disable = false

    func validate() throws {
        if enable, disable {
            throw ValidationError("--enable and --disable contradict each other")
        }
    }

    var isEnabled: Bool? { enable ? true : disable ? false : nil }
}

package struct TriggerCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "trigger", abstract: "What starts runs: webhooks from outside, and queues.",
        subcommands: [
            Create.self, List.self, Show.self, Modify.self, Delete.self, RotateSecret.self,
            Refusals.self, Retry.self,
        ])

    package init() {}

    /// How a webhook proves who sent it.
    enum Verification: String, ExpressibleByArgument, CaseIterable {
        case standard, github, shopify, stripe, bearer, none

        /// The member `verification` of a request.
        var json: [UInt8] {
            Session.body { writer in
                switch self {
                case .standard, .bearer, .none: writer.field("type", rawValue)
                case .github, .shopify, .stripe:
                    writer.field("type", "hmac")
                    writer.field("preset", rawValue)
                }
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a trigger; the answer shows a webhook's secret, this once.",
            discussion: """
                daybook trigger create intake --workflow call --verification github
                daybook trigger create intake --workflow call --queue-url https://sqs… --region eu-central-1

                Reading a queue needs an admin key.
                """)

        @Argument(help: "Its name.") var name: String
        @Option(help: "The workflow that it runs: its id or name.") var workflow: String
        @Option(help: "How senders prove who they are.") var verification: Verification?
        @Option(help: ArgumentHelp("The same, whole.", valueName: "json"))
        var verificationJson: String?
        @Option(help: "The secret that senders have already.") var secret: String?
        @Option(help: "An SQS queue to read instead.") var queueUrl: String?
        @Option(help: "The queue's region.") var region: String?
        @Option(help: "A server that speaks SQS, where it is not AWS.") var endpoint: String?
        @Option(help: "The version to run. (default: the one active at that moment)")
        var version: Int?
        @Flag(help: "Lets nothing in yet.") var disabled = false
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func validate() throws {
            let ways = [verification != nil, verificationJson != nil, queueUrl != nil]
            guard ways.count(where: { $0 }) == 1 else {
                throw ValidationError(
                    "name one of --verification, --verification-json and --queue-url")
            }
        }

        func run() async throws {
            let verification =
                try verification?.json
                ?? JSONText.read("--verification-json", verificationJson, "", nil)
            try await options.run { session in
                let workflow = try await session.workflow(workflow)
                try await session.change(.POST, "/workflow-triggers", change) { writer in
                    writer.field("kind", queueUrl == nil ? "webhook" : "sqs")
                    writer.field("workflow_id", workflow)
                    writer.field("name", name)
                    writer.given("verification", raw: verification)
                    writer.given("secret", secret)
                    writer.given("queue_url", queueUrl)
                    writer.given("region", region)
                    writer.given("endpoint", endpoint)
                    writer.given("version", version)
                    if disabled { writer.field("enabled", false) }
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists triggers, newest first.")

        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.list(
                    "/workflow-triggers", [], list,
                    [
                        .init("ID", "id"), .init("NAME", "name"), .init("KIND", "kind"),
                        .init("WORKFLOW", "workflow_id"),
                        .init("STATE") { trigger in
                            trigger["enabled"]?.bool == false
                                ? "disabled" : trigger["state"]?["status"]?.shown ?? "enabled"
                        },
                        .init("FROM") { ($0["path"] ?? $0["queue_url"])?.shown ?? "" },
                    ])
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a trigger.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.show("/workflow-triggers/\(id)")
            }
        }
    }

    struct Modify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Changes a trigger.")

        @Argument(help: "Its id.") var id: String
        @Option(help: "A new name.") var name: String?
        @Option(help: "The version to run.") var version: Int?
        @Flag(help: "Runs the version that is active at that moment.") var activeVersion = false
        @OptionGroup var state: EnabledOptions
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func validate() throws {
            if version != nil, activeVersion {
                throw ValidationError("--version and --active-version contradict each other")
            }
            guard name != nil || version != nil || activeVersion || state.isEnabled != nil else {
                throw ValidationError("name something to change")
            }
        }

        func run() async throws {
            try await options.run { session in
                try await session.change(.PATCH, "/workflow-triggers/\(id)", change) { writer in
                    writer.given("name", name)
                    writer.given("version", version)
                    if activeVersion { writer.field("version", nil as Int?) }
                    writer.given("enabled", state.isEnabled)
                }
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes a trigger.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.DELETE, "/workflow-triggers/\(id)", change)
            }
        }
    }

    struct RotateSecret: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a webhook a new secret; the old one holds 24 h more.")

        @Argument(help: "Its id.") var id: String
        @Option(help: "The secret that senders have already.") var secret: String?
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(
                    .POST, "/workflow-triggers/\(id)/secret/rotate", change
                ) { $0.given("secret", secret) }
            }
        }
    }

    struct Refusals: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists what a trigger could not use.")

        @Argument(help: "The trigger's id.") var id: String
        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.list(
                    "/workflow-triggers/\(id)/refusals", [], list,
                    [.init("ID", "id")] + session.terminal.time("CAME", "created_at") + [
                        .init("REASON", "reason"), .init("DETAIL", "detail"),
                        .init("RUN", "run_id"), .init("BODY", "body"),
                    ])
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tries a refused message again.")

        @Argument(help: "The trigger's id.") var id: String
        @Argument(help: "The refusal's id.") var refusal: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(
                    .POST, "/workflow-triggers/\(id)/refusals/\(refusal)/retry", change
                ) { _ in }
            }
        }
    }
}
