import ArgumentParser
import DaybookClient
import DaybookCore
import DaybookStore
import DaybookWire
import Foundation

/// Reads the log, on standard output; everything else goes to standard error.
struct Log: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reads the log; also beside a running server, and in a backup.",
        discussion: """
            Exit codes: 0, 64 for a wrong command line, 73 when the directory cannot be opened or \
            an entry does not verify.
            """,
        subcommands: [
            Show.self, Follow.self, History.self, Stats.self, PublicKey.self, SignedCheckpoint.self,
            VerifyCheckpoint.self, VerifyProof.self, Export.self, Import.self,
        ])

    struct Source: ParsableArguments {
        @Option(help: "The data directory. (default: DAYBOOK_DATA_DIR, ./daybook-data)")
        var dataDir: String?

        func read<Value>(_ body: (Store) async throws -> Value) async throws -> Value {
            do {
                let store = try Store(reading: DataDirectory.path(dataDir))
                defer { store.close() }
                return try await body(store)
            } catch let error as ValidationError {
                throw error
            } catch {
                throw Failure.exit(Exits.cannotOpen, "\(error)")
            }
        }
    }

    struct Filter: ParsableArguments {
        @Option(help: "The first position, or the earliest time (RFC 3339).")
        var from: String?
        @Option(help: "The last position, or a time before which all lie (RFC 3339).")
        var to: String?
        @Option(help: "Entries of this team.")
        var team: String?
        @Option(help: "Entries about this workflow, its schedules and runs.")
        var workflow: String?
        @Option(help: "Entries about this schedule.")
        var schedule: String?
        @Option(help: "Entries about this run.")
        var run: String?
        @Option(help: "Who asked: key:<id>, system:timer, …, or a kind alone: key, system.")
        var actor: String?
        @Option(help: "The name of the command.")
        var command: String?
        @Option(help: "The name of one of its events.")
        var event: String?

        /// The filter, and the positions that it spans.
        func read() throws -> (filter: LogFilter, first: Position, last: Position) {
            var filter = LogFilter()
            filter.team = try id("--team", team)
            filter.workflow = try id("--workflow", workflow)
            filter.schedule = try id("--schedule", schedule)
            filter.run = try id("--run", run)
            filter.actor = actor
            if let command {
                guard let name = CommandName(text: command) else {
                    throw ValidationError("--command: \(command) is not the name of a command")
                }
                filter.command = name
            }
            if let event, !Event.names.contains(event) {
                throw ValidationError("--event: \(event) is not the name of an event")
            }
            filter.event = event
            var (first, last): (Position, Position) = (1, .max)
            if let from {
                if let position = Position(from) {
                    first = max(position, 1)
                } else {
                    filter.from = try time("--from", from)
                }
            }
            if let to {
                if let position = Position(to) {
                    last = position
                } else {
                    filter.to = try time("--to", to)
                }
            }
            return (filter, first, last)
        }

        private func id<Kind>(_ name: String, _ text: String?) throws -> Identifier<Kind>? {
            guard let text else { return nil }
            guard let id = Identifier<Kind>(hex: text) else {
                throw ValidationError("\(name): must be an id of 24 lowercase hexadecimal digits")
            }
            return id
        }

        private func time(_ name: String, _ text: String) throws -> Instant {
            do throws(TimeSyntaxError) {
                return try RFC3339.parse(text)
            } catch {
                throw ValidationError("\(name): must be a position or a time; \(error.message)")
            }
        }
    }

    struct Format: ParsableArguments {
        @Flag(help: "One JSON object an entry, with the names of GET /log.")
        var json = false
        @Flag(help: "One JSON object an entry, as docs/daybook.proto maps to JSON.")
        var protobuf = false
        @Flag(help: "With --json: the payloads that events brought, under payloads.")
        var payloads = false

        func validate() throws {
            if json, protobuf { throw ValidationError("--json and --protobuf exclude each other") }
            if payloads, !json { throw ValidationError("--payloads needs --json") }
        }

        /// The lines of the next entries that the filter lets pass, and where to go on. Nothing is held
        /// open while they are printed.
        func lines(
            _ store: Store, from first: Position, to last: Position, _ filter: LogFilter
        ) throws -> (lines: [String], next: Position) {
            try store.read { view in
                var lines: [String] = []
                var bytes = 0
                var next = first
                try view.entries(from: first) { entry in
                    guard entry.header.position <= last, next - first < 1_000, bytes < 4 << 20
                    else { return false }
                    next = entry.header.position + 1
                    if try view.matches(entry, filter) {
                        lines.append(try line(entry, view))
                        bytes += lines.last?.utf8.count ?? 0
                    }
                    return true
                }
                return (lines, next)
            }
        }

        func line(_ entry: Entry, _ view: borrowing View) throws -> String {
            let header = entry.header
            if protobuf { return try EntryText.json(try view.entryBytes(at: header.position)) }
            var name: String?
            if case .key(let key) = header.actor { name = try view.apiKey(key)?.name }
            guard json else {
                let events = entry.events.map(EntryText.sentence).joined(separator: "; ")
                return "\(header.position)  \(RFC3339.format(header.recordedAt))  "
                    + "\(header.actor)\(name.map { " (\($0))" } ?? "")  \(events)"
            }
            var writer = JSONWriter()
            writer.entry(
                entry, actorName: name,
                payloads: payloads ? try view.payloads(of: entry) : nil)
            return String(decoding: writer.finishLine(), as: UTF8.self)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints entries, each verified, as sentences or as JSON, one a line.")

        @OptionGroup var source: Source
        @OptionGroup var filter: Filter
        @OptionGroup var format: Format

        func run() async throws {
            let (filter, first, last) = try filter.read()
            try await source.read { store in
                var next = first
                if let from = filter.from {
                    // Times never go back, so the first entry at or after it is found quickly.
                    let before = Instant(microseconds: from.microseconds - 1)
                    next = max(next, try store.read { try $0.lastPosition(recordedBy: before) } + 1)
                }
                let end = min(last, try store.read { try $0.lastPosition() })
                while next <= end {
                    let piece = try format.lines(store, from: next, to: end, filter)
                    for line in piece.lines { print(line) }
                    next = piece.next
                }
            }
        }
    }

    struct Follow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints new entries as they come, until it is interrupted.",
            discussion: """
                Looks for new entries several times a second. Begins at the end of the log, or at \
                --from, a position.
                """)

        @OptionGroup var source: Source
        @OptionGroup var filter: Filter
        @OptionGroup var format: Format

        func run() async throws {
            let (filter, first, last) = try filter.read()
            let begins = self.filter.from != nil
            try await source.read { store in
                var next = begins ? first : try store.read { try $0.lastPosition() } + 1
                while next <= last {
                    let piece = try format.lines(store, from: next, to: last, filter)
                    for line in piece.lines { print(line) }
                    fflush(nil)
                    if piece.next == next { try await Task.sleep(for: .milliseconds(200)) }
                    next = piece.next
                }
            }
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the entries about one thing, the first one first.",
            discussion: """
                Of triggers, refusals, subscriptions and deliveries, also of those that were deleted, \
                the whole log is looked through.
                """)

        enum Kind: String, ExpressibleByArgument, CaseIterable {
            case schedule, run, workflow, trigger, refusal, subscription, delivery
        }

        @OptionGroup var source: Source
        @OptionGroup var format: Format
        @Argument(help: "\(Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        var kind: Kind
        @Argument(help: "Its id.")
        var id: String

        func run() async throws {
            guard let id = AnyID(hex: id) else {
                throw ValidationError("\(id) is not an id of 24 lowercase hexadecimal digits")
            }
            try await source.read { store in
                let lines = try store.read { view in
                    guard let last = try lastPosition(of: id, view) else {
                        throw ValidationError("there is no \(kind.rawValue) \(id)")
                    }
                    var lines: [String] = []
                    try view.history(of: id, from: last) { entry in
                        lines.append(try format.line(entry, view))
                        return true
                    }
                    return lines
                }
                for line in lines.reversed() { print(line) }
            }
        }

        private func lastPosition(of id: AnyID, _ view: borrowing View) throws -> Position? {
            for team in try view.teams() {
                let position: Position? =
                    switch kind {
                    case .schedule:
                        try view.schedule(ScheduleID(id), of: team.id)?.touched.position
                    case .run: try view.run(RunID(id), of: team.id)?.touched.position
                    case .workflow:
                        try view.workflow(WorkflowID(id), of: team.id)?.touched.position
                    case .trigger, .refusal, .subscription, .delivery: nil
                    }
                if let position { return position }
            }
            guard ![.schedule, .run, .workflow].contains(kind) else { return nil }
            var last: Position?
            try view.entries(from: 1) { entry in
                if entry.events.contains(where: { $0.touches.contains { $0.object == id } }) {
                    last = entry.header.position
                }
                return true
            }
            return last
        }
    }

    struct Stats: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Counts entries by command and by actor's kind, and shows the log's ends.")

        @OptionGroup var source: Source
        @Flag(help: "One JSON object.")
        var json = false

        func run() async throws {
            try await source.read { store in
                try store.read { view in
                    var commands: [String: Int] = [:]
                    var actors: [String: Int] = [:]
                    var (first, last): (EntryHeader?, EntryHeader?) = (nil, nil)
                    try view.entries(from: 1) { entry in
                        first = first ?? entry.header
                        last = entry.header
                        commands[entry.header.command.text, default: 0] += 1
                        let kind = entry.header.actor.description.prefix { $0 != ":" }
                        actors[String(kind), default: 0] += 1
                        return true
                    }
                    let position = last?.position ?? 0
                    let chain = lowercaseHex(try view.chain(at: position))
                    if json {
                        var writer = JSONWriter()
                        writer.object { writer in
                            writer.field("entries", position)
                            writer.field("first_recorded_at", first?.recordedAt)
                            writer.field("last_recorded_at", last?.recordedAt)
                            writer.field("chain", chain)
                            writer.counts("commands", commands)
                            writer.counts("actors", actors)
                        }
                        print(String(decoding: writer.finish(), as: UTF8.self))
                        return
                    }
                    print("entries   \(position)")
                    if let first, let last {
                        print("first     \(RFC3339.format(first.recordedAt))")
                        print("last      \(RFC3339.format(last.recordedAt))")
                    }
                    print("chain     \(chain)")
                    for (name, count) in (commands.sorted { $0.key < $1.key }) {
                        print("command   \(name)  \(count)")
                    }
                    for (name, count) in (actors.sorted { $0.key < $1.key }) {
                        print("actor     \(name)  \(count)")
                    }
                }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func counts(_ name: String, _ counts: [String: Int]) {
        object(name) { writer in
            for (name, count) in (counts.sorted { $0.key < $1.key }) { writer.field(name, count) }
        }
    }
}
