import ArgumentParser
import DaybookCore
import DaybookWire
import Foundation
import NIOHTTP1

/// What every client command takes.
package struct ClientOptions: ParsableArguments {
    @OptionGroup(title: "Server") var connection: Client.Options
    @Option(
        help: "The data directory, for its admin.key. (default: DAYBOOK_DATA_DIR, ./daybook-data)")
    var dataDir: String?
    @Flag(help: "Prints what the server answered: of a list, one object a line.")
    var json = false

    package init() {}

    func run(_ body: (Session) async throws -> Void) async throws {
        try await Client.with(connection, dataDir: dataDir) { client in
            try await body(Session(client: client, terminal: .here, json: json))
        }
    }
}

/// What commands that change something take besides.
struct ChangeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The same key again has no second effect. (default: a new one each time)",
            valueName: "key"))
    var idempotencyKey: String?
}

/// How much of a list is shown.
struct ListOptions: ParsableArguments {
    @Option(help: "Shows so many at most.")
    var limit = 50
    @Flag(help: "Shows all.")
    var all = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit: must be at least 1") }
    }
}

/// One command under way: whom it asks, and how it shows what it hears.
struct Session: Sendable {
    let client: Client
    let terminal: Terminal
    let json: Bool

    /// Asks for a change and shows the answer.
    func change(
        _ method: HTTPMethod, _ path: String, _ options: ChangeOptions,
        _ members: ((inout JSONWriter) -> Void)? = nil
    ) async throws {
        show(try await changed(method, path, options, members))
    }

    /// Asks for a change.
    ///
    /// - Parameter members: of the body; `nil` for none.
    func changed(
        _ method: HTTPMethod, _ path: String, _ options: ChangeOptions,
        _ members: ((inout JSONWriter) -> Void)? = nil
    ) async throws -> JSONDocument {
        try await client.document(
            method, path, members.map(Self.body), idempotencyKey: options.idempotencyKey)
    }

    static func body(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object(members)
        return writer.finish()
    }

    /// Reads one object and shows it.
    func show(_ path: String) async throws {
        show(try await client.document(.GET, path))
    }

    func show(_ document: JSONDocument) {
        print(json ? document.line + "\n" : terminal.record(document))
    }

    /// Reads a list, page after page, and shows it.
    func list(
        _ path: String, _ parameters: [(String, String?)] = [], _ options: ListOptions,
        _ columns: [Terminal.Column]
    ) async throws {
        var rows: [JSONDocument] = []
        var more = false
        try await pages(path, parameters, upTo: options.all ? .max : options.limit) { row in
            guard options.all || rows.count < options.limit else {
                more = true
                return false
            }
            rows.append(row)
            return true
        }
        if json {
            for row in rows { print(row.line + "\n") }
        } else if rows.isEmpty {
            Failure.tell("nothing found")
        } else {
            print(terminal.table(rows, columns))
        }
        if more { Failure.tell("there are more: --limit or --all shows them") }
    }

    /// Calls `body` with each object of a list until it returns `false`.
    func pages(
        _ path: String, _ parameters: [(String, String?)] = [], upTo limit: Int = .max,
        _ body: (JSONDocument) throws -> Bool
    ) async throws {
        var cursor: String?
        repeat {
            let size = String(min(100, limit == .max ? 100 : limit + 1))
            let page = try await client.document(
                .GET,
                Client.path(path, parameters + [("limit", size), ("cursor", cursor)]))
            for item in page["items"]?.elements ?? [] where try !body(item) { return }
            cursor = page["next_cursor"]?.text
        } while cursor != nil
    }

    /// The id of what was named by its id or its name.
    func id(_ text: String, of path: String, _ what: String) async throws -> String {
        if text.wholeMatch(of: /[0-9a-f]{24}/) != nil { return text }
        var found: [String] = []
        try await pages(path) { item in
            if item["name"]?.text == text, let id = item["id"]?.text { found.append(id) }
            return true
        }
        switch found.count {
        case 1: return found[0]
        case 0: throw Failure.exit(Exits.refused, "there is no \(what) named \(text)")
        default:
            throw Failure.exit(
                Exits.refused,
                "\(found.count) have the name \(text): \(found.joined(separator: ", "))")
        }
    }

    func workflow(_ text: String) async throws -> String {
        try await id(text, of: "/workflows", "workflow")
    }

    /// Asks again each second until `isEnded`, or until the time is over.
    func wait(
        for path: String, seconds: Int, _ isEnded: (JSONDocument) -> Bool
    ) async throws -> JSONDocument {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            let document = try await client.document(.GET, path)
            if isEnded(document) || ContinuousClock.now >= end { return document }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    func print(_ text: String) { terminal.print(text) }
}

/// JSON that a person gave on the command line or in a file.
struct InputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The run's input, any JSON value.", valueName: "json"))
    var input: String?
    @Option(help: ArgumentHelp("A file with it; - is standard input.", valueName: "file"))
    var inputFile: String?

    func validate() throws {
        if input != nil, inputFile != nil {
            throw ValidationError("--input and --input-file contradict each other")
        }
    }

    func read() throws -> [UInt8]? {
        try JSONText.read("--input", input, "--input-file", inputFile)
    }
}

enum JSONText {
    /// The JSON that stands in an option, or in the file that another one names.
    static func read(
        _ option: String, _ text: String?, _ fileOption: String, _ file: String?
    ) throws -> [UInt8]? {
        if let text { return try check(option, Array(text.utf8)) }
        return try file.map { try check("\(fileOption) \($0)", FileText.read($0)) }
    }

    private static func check(_ place: String, _ bytes: [UInt8]) throws -> [UInt8] {
        do {
            try JSONScanner.validate(bytes)
            return bytes
        } catch {
            throw Failure.exit(Exits.badData, "\(place): is not JSON: \(error)")
        }
    }
}

enum FileText {
    /// A file's bytes; `-` is standard input.
    static func read(_ path: String) throws -> [UInt8] {
        do {
            let data =
                try path == "-"
                ? FileHandle.standardInput.readToEnd() ?? Data()
                : FileHandle(forReadingFrom: URL(fileURLWithPath: path)).readToEnd() ?? Data()
            return Array(data)
        } catch {
            throw Failure.exit(Exits.noInput, "\(path): \(error.localizedDescription)")
        }
    }
}

extension JSONWriter {
    /// A member where there is a value, nothing otherwise.
    mutating func given(_ name: String, _ value: String?) {
        if let value { field(name, value) }
    }

    mutating func given(_ name: String, _ value: Int?) {
        if let value { field(name, value) }
    }

    mutating func given(_ name: String, _ value: Bool?) {
        if let value { field(name, value) }
    }

    mutating func given(_ name: String, _ value: Instant?) {
        if let value { field(name, value) }
    }

    mutating func given(_ name: String, raw value: [UInt8]?) {
        if let value { field(name, raw: value) }
    }
}
