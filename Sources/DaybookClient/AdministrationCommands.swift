import ArgumentParser
import DaybookWire
import NIOHTTP1

package struct TeamCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "team", abstract: "Teams and how much they may run at once.",
        subcommands: [Create.self, List.self, Modify.self, License.self])

    package init() {}

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a team. Needs an admin key.")

        @Argument(help: "Its name.") var name: String
        @Option(help: "How many of its runs may be in progress at once.")
        var maxConcurrentRuns: Int?
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.POST, "/teams", change) { writer in
                    writer.field("name", name)
                    writer.given("max_concurrent_runs", maxConcurrentRuns)
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists teams. Needs an admin key.")

        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.list(
                    "/teams", [], list,
                    [
                        .init("ID", "id"), .init("NAME", "name"),
                        .init("MAX", "max_concurrent_runs"),
                    ] + session.terminal.time("MADE", "created_at"))
            }
        }
    }

    struct Modify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a team another license. Needs an admin key.")

        @Argument(help: "Its id or name.") var team: String
        @Option(help: "How many of its runs may be in progress at once.")
        var maxConcurrentRuns: Int
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                let id = try await session.id(team, of: "/teams", "team")
                try await session.change(.PATCH, "/teams/\(id)/license", change) {
                    $0.field("max_concurrent_runs", maxConcurrentRuns)
                }
            }
        }
    }

    struct License: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows what the key's team may run at once, and what it runs.")

        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in try await session.show("/license") }
        }
    }
}

package struct KeyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "key", abstract: "API keys. Needs an admin key.",
        subcommands: [Create.self, List.self, Revoke.self])

    package init() {}

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a key; the answer shows it, this once.",
            discussion: """
                Roles: read (look), work (claim and complete runs), write (look, work and change), admin (all).
                """)

        @Argument(help: "Its name, by which the log's readers know it.") var name: String
        @Option(help: "Its team: the id or name.") var team: String
        @Option(help: "read, work, write or admin.") var role: String
        @Option(help: "It holds until then.") var expiresAt: String?
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let end = try TimeOptions.time("--expires-at", expiresAt, zone: nil)
            try await options.run { session in
                let team = try await session.id(team, of: "/teams", "team")
                try await session.change(.POST, "/api-keys", change) { writer in
                    writer.field("team_id", team)
                    writer.field("role", role)
                    writer.field("name", name)
                    writer.given("expires_at", end)
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists keys, newest first.")

        @Option(help: "Of this team: the id or name.") var team: String?
        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                var id: String?
                if let team { id = try await session.id(team, of: "/teams", "team") }
                let terminal = session.terminal
                try await session.list(
                    "/api-keys", [("team_id", id)], list,
                    [
                        .init("ID", "id"), .init("NAME", "name"), .init("ROLE", "role"),
                        .init("TEAM", "team_id"),
                        .init("STATE") { key in
                            if key["revoked_at"] != nil { return "revoked" }
                            guard let end = key["expires_at"]?.instant else { return "" }
                            let distance = TimeText.relative(end, now: terminal.now)
                            return end > terminal.now
                                ? "expires \(distance)" : "expired \(distance)"
                        },
                    ] + terminal.time("LAST USED", "last_used_at"))
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revokes a key, at once and for ever.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.DELETE, "/api-keys/\(id)", change)
            }
        }
    }
}

package struct ServiceCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "service", abstract: "The service itself.",
        subcommands: [Status.self, Pause.self, Resume.self, TrustClock.self])

    package init() {}

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says whether the service is ready, and why not.",
            discussion: "The exit code is 69 when it is not ready.")

        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                let answer = try await session.client.ask(.GET, "/readyz")
                guard let document = try? JSONDocument(answer.body), document["status"] != nil
                else { throw answer.failure }
                session.show(document)
                guard answer.isSuccess else { throw Exits.unavailable }
            }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fires and starts nothing until resumed. Needs an admin key.")

        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.POST, "/pause", change) { _ in }
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Goes on after a pause. Needs an admin key.")

        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.POST, "/resume", change) { _ in }
            }
        }
    }

    struct TrustClock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Believes the machine's clock again. Needs an admin key.")

        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.POST, "/clock/trust", change) { _ in }
            }
        }
    }
}
