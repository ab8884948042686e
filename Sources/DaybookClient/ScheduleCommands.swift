import ArgumentParser
import DaybookCore
import DaybookWire
import Foundation
import NIOHTTP1

package struct ScheduleCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "schedule", abstract: "Promises: a workflow is to run at a moment.",
        subcommands: [
            Create.self, Import.self, List.self, Show.self, Modify.self, Cancel.self, Why.self,
            History.self,
        ])

    package init() {}

    /// Which of the pending schedules are meant, where many are.
    struct Many: ParsableArguments {
        @Option(help: "All pending ones of this workflow: its id or name.") var workflow: String?
        @Option(help: "All pending ones that are due at this time or later.") var from: String?
        @Option(help: "All pending ones that are due before this time.") var to: String?
        @Option(help: "The pending one with this key.") var dedupKey: String?
        @Flag(help: "All pending ones of the team.") var allPending = false
        @Flag(help: "Only counts them.") var dryRun = false

        var isGiven: Bool {
            allPending || [workflow, from, to, dedupKey].contains { $0 != nil }
        }

        /// That one id or one filter is given, not both or none.
        func validate(with id: String?) throws {
            guard (id != nil) != isGiven else {
                throw ValidationError(
                    id == nil
                        ? "name a schedule, or a filter such as --workflow, --from and --to"
                        : "a schedule's id and a filter contradict each other")
            }
            guard id == nil || !dryRun else {
                throw ValidationError("--dry-run is for filters")
            }
        }

        /// Starts the operation, or counts what it would concern.
        func start(
            _ path: String, zone: String?, wait: OperationWait, _ change: ChangeOptions,
            _ session: Session, _ changes: ((inout JSONWriter) -> Void)? = nil
        ) async throws {
            let from = try TimeOptions.time("--from", from, zone: zone)
            let to = try TimeOptions.time("--to", to, zone: zone)
            var id: String?
            if let workflow { id = try await session.workflow(workflow) }
            let answer = try await session.changed(.POST, path, change) { writer in
                writer.object("filter") { writer in
                    writer.field("status", "pending")
                    writer.given("workflow_id", id)
                    writer.given("from", from)
                    writer.given("to", to)
                    writer.given("dedup_key", dedupKey)
                }
                if let changes { writer.object("changes", changes) }
                if dryRun { writer.field("dry_run", true) }
            }
            if dryRun, !session.json {
                return session.print("\(answer["matched"]?.raw ?? "0") would be changed\n")
            }
            try await wait.show(answer, session)
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Promises a run at a moment.",
            discussion: """
                daybook schedule create call --at "2026-12-24 18:00 Europe/Berlin" --input '{"patient": 7}'
                daybook schedule create call --in 10m
                """)

        @Argument(help: "The workflow's id or name.") var workflow: String
        @OptionGroup var time: TimeOptions
        @OptionGroup var input: InputOptions
        @Option(help: "The version to run. (default: the one active at that moment)")
        var version: Int?
        @Option(help: "Who wants it.") var by: String?
        @Option(help: "It fails where its run has not started by then.") var expiresAt: String?
        @Option(help: "0 to 9, higher first.") var priority: Int?
        @Option(help: "No other pending schedule of the workflow may have the same.")
        var dedupKey: String?
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let input = try input.read()
            let end = try TimeOptions.time("--expires-at", expiresAt, zone: time.zone)
            try await options.run { session in
                guard let moment = try time.read(session.terminal) else {
                    throw ValidationError("say when: --at or --in")
                }
                Failure.tell(
                    "for "
                        + TimeText.whole(
                            moment, now: session.terminal.now, zone: session.terminal.zone))
                try await session.change(
                    .POST, "/workflows/\(session.workflow(workflow))/schedules", change
                ) { writer in
                    writer.field("scheduled_time", moment)
                    writer.given("run_input", raw: input)
                    writer.given("version", version)
                    writer.given("scheduled_by_name", by)
                    writer.given("expires_at", end)
                    writer.given("priority", priority)
                    writer.given("dedup_key", dedupKey)
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists schedules.")

        @Option(help: "Of this workflow: its id or name.") var workflow: String?
        @Option(help: "pending, in_progress, completed, failed or cancelled.") var status: String?
        @Option(help: "Due at this time or later.") var from: String?
        @Option(help: "Due before this time.") var to: String?
        @Option(help: "With this key.") var dedupKey: String?
        @Option(help: "created (newest first) or scheduled_time (soonest first).")
        var order: String?
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
                    "/workflow-schedules",
                    [
                        ("workflow_id", id), ("status", status), ("dedup_key", dedupKey),
                        ("from", from.map(RFC3339.format)), ("to", to.map(RFC3339.format)),
                        ("order", order),
                    ], list,
                    [.init("ID", "id"), .init("STATUS", "status")]
                        + session.terminal.time("DUE", "scheduled_time") + [
                            .init("INPUT") { $0["run_input"]?.raw ?? "" },
                            .init("RUN", "run_id"), .init("ERROR", "error_message"),
                        ])
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a schedule.")

        @Argument(help: "Its id.") var id: String
        @Option(help: "As it was then: a position of the log, or a time.") var asOf: String?
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.show(
                    Client.path("/workflow-schedules/\(id)", [("as_of", asOf)]))
            }
        }
    }

    struct Modify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a pending schedule, or all that a filter names.",
            discussion: """
                daybook schedule modify 0198… --at "2026-12-27 09:00 Europe/Berlin"
                daybook schedule modify --workflow call --from "2026-12-25 00:00" --to "2026-12-26 00:00" \\
                    --zone Europe/Berlin --shift 2d --dry-run

                Of many only --shift, --at, --expires-at, --priority and the version can be changed. It goes \
                on as an operation; with --wait the exit code is 1 when some were refused, 2 when it ended early, 3 when it \
                goes on.
                """)

        @Argument(help: "Its id, where one is meant.") var id: String?
        @OptionGroup(title: "Filter") var many: Many
        @OptionGroup var time: TimeOptions
        @Option(parsing: .unconditional, help: "Moves it by so much, of many each: 2d, -30m.")
        var shift: String?
        @OptionGroup var input: InputOptions
        @Option(help: "The version to run.") var version: Int?
        @Flag(help: "Runs the version that is active at that moment.") var activeVersion = false
        @Option(help: "It fails where its run has not started by then.") var expiresAt: String?
        @Flag(help: "It waits without end.") var neverExpires = false
        @Option(help: "0 to 9, higher first.") var priority: Int?
        @OptionGroup var wait: OperationWait
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func validate() throws {
            try many.validate(with: id)
            if id != nil, shift != nil {
                throw ValidationError("--shift is for filters: give the new time with --at")
            }
            if id == nil, input.input != nil || input.inputFile != nil {
                throw ValidationError("the input of many cannot be changed at once")
            }
            if version != nil, activeVersion {
                throw ValidationError("--version and --active-version contradict each other")
            }
            if expiresAt != nil, neverExpires {
                throw ValidationError("--expires-at and --never-expires contradict each other")
            }
        }

        func run() async throws {
            let input = try input.read()
            let end = try TimeOptions.time("--expires-at", expiresAt, zone: time.zone)
            let seconds: Int?
            do throws(TimeTextError) {
                seconds = try shift.map { text throws(TimeTextError) in
                    try TimeText.parseDuration(text)
                }
            } catch {
                throw ValidationError("--shift: \(error)")
            }
            try await options.run { session in
                let moment = try time.read(session.terminal)
                func members(_ writer: inout JSONWriter) {
                    writer.given("scheduled_time", moment)
                    writer.given("shift_seconds", seconds)
                    writer.given("run_input", raw: input)
                    writer.given("version", version)
                    if activeVersion { writer.field("version", nil as Int?) }
                    writer.given("expires_at", end)
                    if neverExpires { writer.field("expires_at", nil as Instant?) }
                    writer.given("priority", priority)
                }
                if let id {
                    try await session.change(
                        .PATCH, "/workflow-schedules/\(id)", change, members)
                } else {
                    try await many.start(
                        "/workflow-schedules/modify", zone: time.zone, wait: wait, change, session,
                        members)
                }
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancels a pending schedule, or all that a filter names.")

        @Argument(help: "Its id, where one is meant.") var id: String?
        @OptionGroup(title: "Filter") var many: Many
        @Option(help: "The time zone of times that have none.") var zone: String?
        @OptionGroup var wait: OperationWait
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func validate() throws { try many.validate(with: id) }

        func run() async throws {
            try await options.run { session in
                if let id {
                    try await session.change(.DELETE, "/workflow-schedules/\(id)", change)
                } else {
                    try await many.start(
                        "/workflow-schedules/cancel", zone: zone, wait: wait, change, session)
                }
            }
        }
    }

    struct Why: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says why a schedule has not run, or how its run came to its end.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                let schedule = try await session.client.document(
                    .GET, "/workflow-schedules/\(id)")
                if let run = schedule["run_id"]?.text { return try await session.why(run: run) }
                guard !session.json else { return session.show(schedule) }
                let status = schedule["status"]?.shown ?? ""
                let due = schedule["scheduled_time"]?.instant.map {
                    TimeText.whole($0, now: session.terminal.now, zone: session.terminal.zone)
                }
                session.print(
                    status == "pending"
                        ? "schedule \(id) is pending: it is due \(due ?? "")\n"
                        : "schedule \(id) is \(status): \(schedule["error_message"]?.shown ?? "it never ran")\n"
                )
            }
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows who did what to a schedule, and when.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var list: ListOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await options.run { session in
                try await session.history("/workflow-schedules/\(id)/history", list)
            }
        }
    }
}
