import ArgumentParser
import DaybookClient
import DaybookCore
import DaybookStore
import DaybookWire
import Foundation
import LMDB

/// Checks a data directory: for a nightly job, and before a backup is trusted.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Verifies the log, its payloads, and that the projections are what the log gives.",
        discussion: """
            Reads the structure of the file (no page is used twice, or is in use and counts as free), walks \
            the whole log (gaps, chain, envelopes, the digest of every payload), counts slots, \
            due moments and queues again, and replays the log into a second set of projections that is \
            compared with the live one byte by byte. It works on a copy that it makes in --scratch, so \
            it can run beside a server; it grows to about twice the size of the database and is removed \
            at the end. With --quick: every row is read once, the last 1,000 entries are verified and all \
            is counted again, without copies. With --chain: every row is read once, and the chain hash of \
            every entry is verified; it tells how long the second took.

            The result is on standard output. Exit codes: 0 when all is well, 1 when something was \
            found, 64 for a wrong command line, 73 when the directory cannot be opened or --scratch has no \
            room, 128 and the number of the signal when it was ended by one.
            """)

    @Option(help: "The data directory. (default: DAYBOOK_DATA_DIR, ./daybook-data)")
    var dataDir: String?
    @Option(help: "Where copies are made: a local disk. (default: the data directory)")
    var scratch: String?
    @Flag(help: "Only the end of the log and the recount.")
    var quick = false
    @Flag(help: "Only the chain hashes of the log.")
    var chain = false
    @Flag(help: "One JSON object.")
    var json = false

    @Flag(help: .hidden)
    var inside = false

    func validate() throws {
        guard !quick || !chain else {
            throw ValidationError("--quick and --chain exclude each other")
        }
    }

    func run() async throws {
        let directory = DataDirectory.path(dataDir)
        guard inside else { return try runInside(directory) }
        let report: Checker.Report
        do {
            report = try Checker(scratch: scratch)
                .check(directory, quick ? .quickly : chain ? .chain : .wholly)
        } catch let code as ExitCode {
            throw code
        } catch {
            throw Failure.exit(Exits.cannotOpen, "\(error)")
        }
        print(json ? report.json : report.text)
        if report.finding != nil { throw ExitCode(1) }
    }

    /// Does it in a process of its own: some damage shows only where pages are written, and ends the process that
    /// does it.
    private func runInside(_ directory: String) throws {
        // Behind the name of the command.
        var arguments = Array(CommandLine.arguments.dropFirst())
        arguments.insert("--inside", at: 1)
        let child = Process.ofDaybook(arguments)
        try child.run()
        // It removes its copy first.
        let signals = Checker.whenToldToEnd { number in kill(child.processIdentifier, number) }
        defer { for signal in signals { signal.cancel() } }
        child.waitUntilExit()
        let status = child.terminationStatus
        if status != 0, !quick, !chain { CheckScratch.removeLeftovers(in: scratch ?? directory) }
        guard child.terminationReason == .uncaughtSignal else {
            if status != 0 { throw ExitCode(status) }
            return
        }
        guard Walk.endedByDamage(status) else {
            throw Failure.exit(
                ExitCode(128 + status),
                "not checked: the process that does it was ended by signal \(status)")
        }
        let report = Checker.Report(
            finding: Finding(.file, "a page is damaged: it ends the process that works with it"))
        print(json ? report.json : report.text)
        throw ExitCode(1)
    }
}

/// Checks a directory, on copies of it.
struct Checker {
    enum Extent {
        case wholly, quickly, chain
    }

    let scratch: String?

    func check(_ directory: String, _ extent: Extent) throws -> Report {
        try Store.expectDatabase(in: directory)
        do {
            try Store.verifyMetaPages(of: directory)
            let outcome = try Walk.outcome(in: directory)
            // Where it does not open at all, this says why.
            if outcome == .refused { try open(directory).close() }
            return switch outcome {
            case .read:
                switch extent {
                case .wholly: try wholly(directory)
                case .quickly: try quickly(directory)
                case .chain: try chain(of: directory)
                }
            case .refused:
                Report(finding: Finding(.file, "a table or the list of free pages does not read"))
            case .died: Report(finding: Finding(.file, "a page is missing or is none"))
            }
        } catch let error as LMDBError where error.isDamage {
            return Report(finding: Finding(.file, "\(error)"))
        } catch let error as DataFileError {
            return Report(finding: Finding(.file, error.description))
        } catch let error as Store.OpenError where error.isDamage {
            return Report(finding: Finding(error))
        } catch let error as LogError {
            return Report(finding: Finding(error))
        }
    }

    /// Opens a database of which the log is to be read whatever the projections are.
    private func open(_ directory: String) throws -> Store {
        var options = Store.Options()
        options.ignoresProjections = true
        return try Store(reading: directory, options: options)
    }

    private func quickly(_ directory: String) throws -> Report {
        let store = try open(directory)
        defer { store.close() }
        var report = Report()
        do {
            report.entries = try store.verifyTail(ignoresProjections: true).position
            report.chain = try store.read { try $0.chain(at: report.entries) }
            report.finding = try store.read { try $0.checkProjectionsEnd() ?? $0.checkIndexes() }
        } catch let error as LogError {
            report.finding = Finding(error)
        }
        return report
    }

    private func chain(of directory: String) throws -> Report {
        let store = try open(directory)
        defer { store.close() }
        var report = Report()
        report.chainTime = try ContinuousClock().measure {
            (report.entries, report.chain, report.finding) = try store.checkChain()
        }
        return report
    }

    private func wholly(_ directory: String) throws -> Report {
        // Before anything is made: a directory without a database is a mistake.
        let source = try open(directory)
        defer { source.close() }
        let space = try CheckScratch(
            in: scratch ?? directory, for: try source.space().mapUsedBytes)
        defer { space.remove() }
        // The copy holds everything that the database holds.
        let signals = Self.whenToldToEnd { number in
            space.remove()
            exit(128 + number)
        }
        defer { for signal in signals { signal.cancel() } }
        try source.copy(to: space.copy)
        return try compare(space.copy)
    }

    /// Does something where the process is told to end, instead of ending.
    static func whenToldToEnd(
        _ act: @escaping @Sendable (_ signal: Int32) -> Void
    ) -> [any DispatchSourceSignal] {
        [SIGTERM, SIGINT, SIGHUP].map { number in
            Foundation.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { act(number) }
            source.resume()
            return source
        }
    }

    private func compare(_ copy: String) throws -> Report {
        var ofPages: Finding?
        do {
            try Store.verifyPages(of: copy)
        } catch let error as DataFileError {
            ofPages = Finding(.file, error.description)
        }
        let reading = try open(copy)
        var report = Report()
        var progress = Progress("verified")
        do {
            defer { reading.close() }
            let (seen, finding) = try reading.read { view in
                try view.checkLog { progress.show($0, of: $1) }
            }
            progress.end()
            report.entries = seen.entries
            report.chain = seen.chain
            report.payloads = seen.payloads
            report.erasedPayloads = seen.erasedPayloads
            report.finding = finding ?? ofPages
            // A log that does not verify can't be replayed, and on damaged pages nothing is written; payloads are not
            // needed for it.
            guard ofPages == nil, finding == nil || finding?.part == .payloads else {
                return report
            }
            if let end = try reading.read({ try $0.checkProjectionsEnd() }) {
                report.finding = finding ?? end
                return report
            }
            report.finding = try finding ?? reading.read { try $0.checkIndexes() }
        }
        var options = Store.Options()
        options.allowsAnyFileSystem = true
        options.acceptsTruncatedFile = true
        options.ignoresProjections = true
        options.mapSize = try Store.roomyMapSize(of: copy)
        let store = try Store(directory: copy, options: options)
        defer { store.close() }
        progress = Progress("replayed")
        let rebuilt = try store.rebuild(switches: false) { progress.show($0) }
        progress.end()
        // Where a row is told that is wrong, it says more than a count that is; a payload is lost for good.
        if report.finding?.part != .payloads {
            report.finding = rebuilt.told.first ?? report.finding
        }
        report.differences = rebuilt.differences
        return report
    }

    struct Report {
        var entries: Position = 0
        var chain: [UInt8] = []
        /// How long verifying the chain took.
        var chainTime: Duration?
        var payloads: Int?
        var erasedPayloads: Int?
        /// Rows of the projections that are not what the log gives.
        var differences: Int?
        var finding: Finding?

        init(finding: Finding? = nil) {
            self.finding = finding
        }

        var text: String {
            var lines = ["entries   \(entries)", "chain     \(lowercaseHex(chain))"]
            if let chainTime { lines.append("verified  in \(chainTime.secondsText) s") }
            if let payloads { lines.append("payloads  \(payloads)") }
            if let erasedPayloads { lines.append("erased    \(erasedPayloads)") }
            guard let finding else { return (lines + ["all is well"]).joined(separator: "\n") }
            lines.append("found     \(finding.part.rawValue): \(finding.what)")
            if let position = finding.position { lines.append("position  \(position)") }
            if let table = finding.table { lines.append("table     \(table)") }
            if let key = finding.key { lines.append("key       \(lowercaseHex(key))") }
            let isOfProjections = finding.part == .projections || finding.part == .indexes
            if let differences, differences > (isOfProjections ? 1 : 0) {
                lines.append("rows      \(differences) of the projections differ")
            }
            if isOfProjections || (differences ?? 0) > 0 {
                lines.append(
                    "repair    of projections: daybook rebuild --online, or with the server stopped"
                )
            }
            return lines.joined(separator: "\n")
        }

        var json: String {
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("ok", finding == nil)
                writer.field("entries", entries)
                writer.field("chain", lowercaseHex(chain))
                writer.field("chain_seconds", raw: (chainTime?.secondsText.utf8).map { Array($0) })
                writer.field("payloads", payloads)
                writer.field("erased_payloads", erasedPayloads)
                writer.field("differences", differences)
                writer.name("finding")
                guard let finding else { return writer.null() }
                writer.object { writer in
                    writer.field("part", finding.part.rawValue)
                    writer.field("what", finding.what)
                    writer.field("position", finding.position)
                    writer.field("table", finding.table)
                    writer.field("key", finding.key.map(lowercaseHex))
                }
            }
            return String(decoding: writer.finish(), as: UTF8.self)
        }
    }
}
