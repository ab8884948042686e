import ArgumentParser
import DaybookClient
import DaybookCore
import DaybookStore
import Foundation

// The log as a stream that depends on no database.
extension Log {
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Writes entries with their payloads to standard output, for daybook log import.",
            discussion: """
                Every frame of the stream has its length and its SHA-256; docs/data-format.md describes it. \
                It may run beside a server. Erased payloads are not in it. Exit codes: 0, 64 for a wrong \
                command line, 73 when the directory cannot be opened or an entry does not verify.
                """)

        @OptionGroup var source: Source
        @Option(help: "The entries after this position.")
        var after: Position = 0
        @Option(help: "Up to this position. (default: the end)")
        var to: Position?

        func run() async throws {
            try await source.read { store in
                let last = try store.read { try $0.lastPosition() }
                guard after <= last, to ?? last <= last, after <= to ?? last else {
                    throw ValidationError(
                        "--after and --to: must be in order and not beyond \(last), the log's end")
                }
                var progress = Progress("exported")
                try store.exportLog(after: after, to: to) { reached, last in
                    progress.show(reached, of: last)
                } write: { bytes in
                    try FileHandle.standardOutput.write(contentsOf: bytes)
                }
                progress.end()
            }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Appends an export to the log of a copy, or makes a new data directory of it.",
            discussion: """
                The directory must be new, or a copy (daybook restore, daybook log import); its server must \
                not run. What the log has already must be the same in the export. It may be broken off and \
                started again with the same export. The directory is a copy then: see daybook restore.

                Exit codes: 0 when all was taken, 64 for a wrong command line, 65 when the export is damaged, \
                breaks off, or does not fit the log, 66 when it cannot be read, 73 when the directory \
                cannot be opened.
                """)

        @Option(help: "The data directory. (default: DAYBOOK_DATA_DIR, ./daybook-data)")
        var dataDir: String?
        @Option(help: "Up to this position. (default: all)")
        var to: Position = .max
        @Argument(help: "The export; - for standard input.")
        var file: String

        func run() async throws {
            let input: FileHandle
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory)
            guard !isDirectory.boolValue else {
                throw Failure.exit(Exits.noInput, "\(file) is a directory")
            }
            do {
                input =
                    file == "-"
                    ? .standardInput : try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            } catch {
                throw Failure.exit(Exits.noInput, "\(file) cannot be read: \(error)")
            }
            let directory = DataDirectory.path(dataDir)
            let isNew = !FileManager.default.fileExists(atPath: directory + "/db")
            do {
                var options = Store.Options()
                if !isNew { options.mapSize = try Store.roomyMapSize(of: directory) }
                let store = try Store.open(directory, options: options)
                defer { store.close() }
                guard try store.isEmpty() || store.standing() == .copy else {
                    throw Backup.Problem(
                        description: "\(directory) keeps its own promises: import into a copy")
                }
                try store.bringUpToDate()
                try store.markAsCopy()
                var progress = Progress("imported")
                defer { progress.end() }
                let last = try store.importLog(to: to) { reached in
                    progress.show(reached, of: reached)
                } read: { count in
                    try input.read(upToCount: count).map(Array.init) ?? []
                }
                try store.bringUpToDate { reached, last in progress.show(reached, of: last) }
                print("the log has \(last) entries")
            } catch let error as LogExportError {
                if isNew { Self.removeEmpty(directory) }
                throw Failure.exit(Exits.badData, "\(error)")
            } catch {
                throw Failure.exit(Exits.cannotOpen, "\(error)")
            }
        }

        /// Removes the database of an import that took nothing.
        private static func removeEmpty(_ directory: String) {
            guard let store = try? Store(reading: directory) else { return }
            let isEmpty = (try? store.isEmpty()) ?? false
            store.close()
            guard isEmpty else { return }
            for name in ["db", "owner.lock"] {
                try? FileManager.default.removeItem(atPath: directory + "/" + name)
            }
        }
    }
}
