import ArgumentParser
import DaybookCore
import DaybookStore
import DaybookWire
import Foundation

struct Log: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reads the log; also beside a running server.", subcommands: [Show.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints entries, each verified, as sentences or as JSON, one a line.")

        @Option(help: "The data directory. (default: DAYBOOK_DATA_DIR, ./daybook-data)")
        var dataDir: String?
        @Option(help: "The first position.")
        var from: UInt64 = 1
        @Option(help: "The last position; without it, to the end of the log.")
        var to: UInt64?
        @Flag(help: "One JSON object an entry, as docs/daybook.proto maps to JSON.")
        var json = false

        func run() async throws {
            let directory = DataDirectory.path(dataDir)
            do {
                let store = try Store(reading: directory)
                defer { store.close() }
                try store.read { view in
                    try view.entries(from: max(from, 1)) { entry in
                        guard entry.header.position <= to ?? .max else { return false }
                        print(
                            json
                                ? try EntryText.json(
                                    try view.entryBytes(at: entry.header.position))
                                : line(entry))
                        return true
                    }
                }
            } catch {
                throw Failure.exit(Exits.cannotOpen, "\(error)")
            }
        }

        private func line(_ entry: Entry) -> String {
            let header = entry.header
            let events = entry.events.map(EntryText.sentence).joined(separator: "; ")
            return
                "\(header.position)  \(RFC3339.format(header.recordedAt))  \(header.actor)  \(events)"
        }
    }
}
