import ArgumentParser
import DaybookWire
import NIOHTTP1

package struct RunCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "run", abstract: "What was run, is running, or waits for its turn.",
        subcommands: [List.self, Show.self, Why.self, Cancel.self, History.self])

    package init() {}

    /// Shows a run as soon as it has ended, or the time is over; how it ended is the exit code.
    static func show(_ run: JSONDocument, waiting seconds: Int, _ session: Session) async throws {
        var run = run
        if !hasEnded(run), seconds > 0, let id = run["id"]?.text {
            run = try await session.wait(
                for: "/workflow-runs/\(id)", seconds: seconds, hasEnded)
        }
        session.show(run)
        switch run["status"]?.text {
        case "completed": return
        case "failed", "cancelled": throw Exits.endedBadly
        default: throw Failure.exit(Exits.notEnded, "the run has not ended yet")
        }
    }

    private static func hasEnded(_ run: JSONDocument) -> Bool {
        ["completed", "failed", "cancelled"].contains(run["status"]?.text ?? "")
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists runs, newest first.")

        @Option(help: "Of this workflow: its id or name.") var workflow: String?
        @Option(help: "queued, in_progress, completed, failed or cancelled.") var status: String?
        @Option(help: "scheduled, manual or triggered.") var mode: String?
        @Option(help: "Of this schedule.") var schedule: String?
        @Option(help: "Of this trigger.") var trigger: String?
        @Option(help: "Queued at this time or later.") var from: String?
        @Option(help: "Queued before this time.") var to: String?
        @Option(help: "The time zone of times that have none.") var zone: String?
        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let from = try TimeOptions.time("--from", from, zone: zone)
            let to = try TimeOptions.time("--to", to, zone: zone)
            try await options.run { session in
                var id: String?
                if let workflow { id = try await session.workflow(workflow) }
                try await session.list(
                    "/workflow-runs",
                    [
                        ("workflow_id", id), ("status", status), ("mode", mode),
                        ("schedule_id", schedule), ("trigger_id", trigger),
                        ("from", from.map(RFC3339.format)), ("to", to.map(RFC3339.format)),
                    ], list,
                    [
                        .init("ID", "id"), .init("STATUS", "status"), .init("MODE", "mode"),
                        .init("ATTEMPT", "attempt"),
                    ] + session.terminal.time("QUEUED", "queued_at") + [
                        .init("RAN") { run in
                            run["durations"]?["run_ms"]?.integer.map { "\($0) ms" } ?? ""
                        },
                        .init("INPUT") { $0["run_input"]?.raw ?? "" },
                        .init("ERROR") { $0["error"]?["message"]?.shown ?? "" },
                    ])
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a run.",
            discussion:
                "With --wait the exit code is 2 when the run failed or was cancelled, 3 when it had not ended."
        )

        @Argument(help: "Its id.") var id: String
        @Option(help: "As it was then: a position of the log, or a time.") var asOf: String?
        @Option(help: ArgumentHelp("Waits so long for its end.", valueName: "seconds"))
        var wait = 0
        @OptionGroup var options: ClientOptions

        func validate() throws {
            guard (0...86_400).contains(wait) else {
                throw ValidationError("--wait: must be between 0 and 86400 seconds")
            }
            guard wait == 0 || asOf == nil else {
                throw ValidationError("--wait and --as-of contradict each other")
            }
        }

        func run() async throws {
            try await options.run { session in
                let run = try await session.client.document(
                    .GET, Client.path("/workflow-runs/\(id)", [("as_of", asOf)]))
                guard wait > 0 else { return session.show(run) }
                try await RunCommand.show(run, waiting: wait, session)
            }
        }
    }

    struct Why: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says why a run waits, or how it came to its end, and which entries prove it."
        )

        @Argument(help: "Its id.") var id: String
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in try await session.why(run: id) }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Cancels a run.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.change(.POST, "/workflow-runs/\(id)/cancel", change) { _ in }
            }
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows who did what to a run, and when.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.history("/workflow-runs/\(id)/history", list)
            }
        }
    }
}

extension Session {
    func why(run id: String) async throws {
        let why = try await client.document(.GET, "/workflow-runs/\(id)/why")
        guard !json else { return print(why.raw + "\n") }
        print("run \(id): \(why["summary"]?.shown ?? "")\n")
        for cause in why["waits_for"]?.elements ?? [] {
            print("  \(cause["reason"]?.shown ?? ""): \(cause["detail"]?.shown ?? "")\n")
            let holders = cause["held_by"]?.elements ?? []
            if !holders.isEmpty {
                let runs = holders.compactMap { $0["run_id"]?.text }
                print("    held by \(runs.joined(separator: ", "))\n")
            }
            let positions = cause["positions"]?.elements.map(\.raw) ?? []
            if !positions.isEmpty {
                print("    proved by entry \(positions.joined(separator: ", "))\n")
            }
        }
        for part in ["running", "ended"] {
            if let record = why[part] { print(terminal.record(record, indent: "  ")) }
        }
    }

    /// The entries about one thing, the last one first.
    func history(_ path: String, _ options: ListOptions) async throws {
        try await list(
            path, [], options,
            [.init("POSITION", "position")] + terminal.time("WHEN", "recorded_at") + [
                .init("WHO") { entry in
                    let actor = entry["actor"]?.shown ?? ""
                    return entry["actor_name"].map { "\($0.shown) (\(actor))" } ?? actor
                },
                .init("COMMAND", "command"),
                .init("WHAT CHANGED") { entry in
                    (entry["changes"]?.elements ?? []).map { change in
                        let old = change.members.first { $0.name == "old" }?.value.raw ?? "null"
                        let new = change.members.first { $0.name == "new" }?.value.raw ?? "null"
                        return "\(change["field"]?.shown ?? ""): \(old) → \(new)"
                    }.joined(separator: ", ")
                },
            ])
    }
}
