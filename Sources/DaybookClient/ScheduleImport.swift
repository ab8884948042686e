import ArgumentParser
import Crypto
import DaybookWire
import Foundation
import NIOHTTP1

extension ScheduleCommand {
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Promises a run for each row of a CSV file.",
            discussion: """
                daybook schedule import call reminders.csv --zone Europe/Berlin

                The first row names the columns. scheduled_time must be there; version, scheduled_by_name, \
                expires_at, priority, dedup_key and run_input (JSON) may be; any other columns become \
                members of the run's input, as strings. Nothing is promised where a row cannot be read. \
                The same file again promises nothing twice (for as long as the server keeps keys, seven \
                days): a broken import is finished by running it again.

                Exit codes, beside those of every command: 1 when rows were refused, each told on standard \
                error (correct them in a file of their own: a changed file promises all its rows), 65 when the file cannot be read as promises.
                """)

        /// What the server takes in one request.
        private static let itemsAtOnce = 10_000
        private static let bytesAtOnce = 24 << 20

        @Argument(help: "The workflow's id or name.") var workflow: String
        @Argument(help: "The file; - is standard input.") var file: String
        @Option(help: "The time zone of times that have none, such as Europe/Berlin.")
        var zone: String?
        @OptionGroup var change: ChangeOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let bytes = try FileText.read(file)
            let table: ScheduleTable
            do throws(ScheduleTable.Mistakes) {
                table = try ScheduleTable(bytes, zone: zone)
            } catch {
                throw Failure.exit(
                    Exits.badData, "\(file): nothing was promised, since\n\(error)")
            }
            try await options.run { session in
                let workflow = try await session.workflow(workflow)
                let key = change.idempotencyKey ?? Self.key(workflow, bytes, zone)
                var tally = Tally()
                for part in Self.parts(table.items) {
                    try await send(
                        part, to: workflow, "\(key)-\(part.lowerBound)", table, session, &tally)
                }
                Failure.tell(
                    "\(tally.promised) promised, \(tally.replayed) of them earlier, \(tally.refused) refused"
                )
                if tally.refused > 0 {
                    Failure.tell(
                        "Correct those rows in a file of their own: a changed file promises all its rows."
                    )
                    throw Exits.refused
                }
            }
        }

        private struct Tally {
            var promised = 0
            var replayed = 0
            var refused = 0
        }

        /// The same file for the same workflow has the same key.
        private static func key(_ workflow: String, _ bytes: [UInt8], _ zone: String?) -> String {
            var hash = SHA256()
            hash.update(data: Array("\(workflow) \(zone ?? "")\n".utf8))
            hash.update(data: bytes)
            let digest = hash.finalize().prefix(12).map { byte in
                let text = String(byte, radix: 16)
                return text.count == 1 ? "0" + text : text
            }
            return "csv-" + digest.joined()
        }

        private static func parts(_ items: [ScheduleTable.Item]) -> [Range<Int>] {
            var parts: [Range<Int>] = []
            var (start, size) = (0, 0)
            for (index, item) in items.enumerated() {
                let isFull = index - start == itemsAtOnce || size + item.json.count > bytesAtOnce
                if isFull, index > start {
                    parts.append(start..<index)
                    (start, size) = (index, 0)
                }
                size += item.json.count + 1
            }
            return parts + [start..<items.count]
        }

        private func send(
            _ part: Range<Int>, to workflow: String, _ key: String, _ table: ScheduleTable,
            _ session: Session, _ tally: inout Tally
        ) async throws {
            // As one array: a line end within a value must not begin another item.
            let items = table.items[part].map(\.json).joined(separator: [UInt8(ascii: ",")])
            let answer = try await session.client.ask(
                .POST, "/workflows/\(workflow)/schedules/batch",
                [UInt8(ascii: "[")] + items + [UInt8(ascii: "]")], idempotencyKey: key,
                seconds: 600)
            guard answer.isSuccess else { throw answer.failure }
            var answered = 0
            for line in answer.body.split(separator: UInt8(ascii: "\n")) {
                answered += 1
                let item = try JSONDocument(Array(line))
                if session.json { session.print(item.raw + "\n") }
                if item["schedule"] != nil {
                    tally.promised += 1
                    if item["replayed"]?.bool == true { tally.replayed += 1 }
                    continue
                }
                let detail = item["problem"]?["detail"]?.shown ?? "refused"
                switch item["status"]?.integer ?? 0 {
                case 401, 403: throw Failure.exit(Exits.notAllowed, detail)
                case 429, 500...:
                    throw Failure.exit(
                        Exits.unavailable, "\(detail)\nRun the same again to finish.")
                default: break
                }
                tally.refused += 1
                let index = part.lowerBound + (item["index"]?.integer ?? 0)
                if table.items.indices.contains(index) {
                    Failure.tell("line \(table.items[index].line): \(detail)")
                }
            }
            guard answered == part.count else {
                throw Failure.exit(
                    Exits.unavailable,
                    "the answer broke off after \(answered) of \(part.count): run the same again to finish"
                )
            }
        }
    }
}
