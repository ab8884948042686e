import DaybookCore
import DaybookWire

/// Promises from a table in CSV (RFC 4180): the first row names the columns.
///
/// `scheduled_time` must be there; `version`, `scheduled_by_name`, `expires_at`, `priority`, `dedup_key` and
/// `run_input` (JSON) may be. Any other columns become members of the run's input, as strings.
package struct ScheduleTable: Sendable {
    /// One row that is no promise.
    package struct Mistake: Error, Equatable, Sendable, CustomStringConvertible {
        /// Of the file; the first, with the names of the columns, is 1.
        package let line: Int
        package let message: String

        package var description: String {
            "line \(line): \(Terminal.oneLine(message, most: 300))"
        }
    }

    package struct Mistakes: Error, Equatable, CustomStringConvertible {
        package let list: [Mistake]

        package var description: String {
            let shown = list.prefix(10).map(\.description)
            let rest = list.count > 10 ? ["and \(list.count - 10) more"] : []
            return (shown + rest).joined(separator: "\n")
        }
    }

    /// A row as an item of a batch.
    package struct Item: Sendable {
        package let line: Int
        package let json: [UInt8]
    }

    package let items: [Item]

    private static let columns: Set<String> = [
        "scheduled_time", "version", "scheduled_by_name", "expires_at", "priority", "dedup_key",
        "run_input",
    ]

    /// - Parameter zone: of times that have none.
    package init(_ bytes: [UInt8], zone: String?) throws(Mistakes) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Mistakes(list: [Mistake(line: 1, message: "the file is not UTF-8")])
        }
        let rows: [CSVText.Row]
        do throws(CSVText.SyntaxError) {
            // Spreadsheets put a byte order mark there.
            let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
            rows = try CSVText.rows(text, delimiter: Self.delimiter(of: text))
        } catch {
            throw Mistakes(list: [Mistake(line: error.line, message: error.message)])
        }
        let head = (rows.first?.fields ?? []).map { $0.trimmingSpaces }
        try Self.check(head)
        var items: [Item] = []
        var mistakes: [Mistake] = []
        for row in rows.dropFirst() {
            do throws(Mistake) {
                items.append(
                    Item(line: row.line, json: try Self.item(row.fields, head, row.line, zone)))
            } catch {
                mistakes.append(error)
            }
        }
        if items.isEmpty, mistakes.isEmpty {
            mistakes = [Mistake(line: 1, message: "the file has no rows")]
        }
        guard mistakes.isEmpty else { throw Mistakes(list: mistakes) }
        self.items = items
    }

    /// A comma, or what spreadsheets of many countries write instead.
    private static func delimiter(of text: [UInt8]) -> UInt8 {
        let head = text.prefix { $0 != UInt8(ascii: "\n") }
        let (comma, semicolon) = (UInt8(ascii: ","), UInt8(ascii: ";"))
        return head.contains(comma) || !head.contains(semicolon) ? comma : semicolon
    }

    private static func check(_ head: [String]) throws(Mistakes) {
        var messages: [String] = []
        if !head.contains("scheduled_time") { messages.append("has no column scheduled_time") }
        for name in Set(head) where head.count(where: { $0 == name }) > 1 {
            messages.append("has the column \(name) twice")
        }
        if head.contains("") { messages.append("has a column without a name") }
        if head.contains("run_input"), let other = head.first(where: { !columns.contains($0) }) {
            messages.append("has run_input and \(other): the input is given whole or by columns")
        }
        guard messages.isEmpty else {
            throw Mistakes(list: messages.map { Mistake(line: 1, message: $0) })
        }
    }

    private static func item(
        _ row: [String], _ head: [String], _ line: Int, _ zone: String?
    ) throws(Mistake) -> [UInt8] {
        guard row.count == head.count else {
            throw Mistake(
                line: line, message: "has \(row.count) fields, the head has \(head.count)")
        }
        let named = Array(zip(head, row))
        var values: [String: String] = [:]
        for (name, value) in named where columns.contains(name) && !value.trimmingSpaces.isEmpty {
            values[name] = value.trimmingSpaces
        }
        let others = named.filter { !columns.contains($0.0) }
        func instant(_ name: String) throws(Mistake) -> Instant? {
            guard let text = values[name] else { return nil }
            do throws(TimeTextError) {
                return try TimeText.parse(text, zone: zone)
            } catch {
                throw Mistake(line: line, message: "\(name): \(error)")
            }
        }
        func integer(_ name: String) throws(Mistake) -> Int? {
            guard let text = values[name] else { return nil }
            guard let number = Int(text) else {
                throw Mistake(line: line, message: "\(name): \(text) is not an integer")
            }
            return number
        }
        guard let time = try instant("scheduled_time") else {
            throw Mistake(line: line, message: "scheduled_time is empty")
        }
        let end = try instant("expires_at")
        let version = try integer("version")
        let priority = try integer("priority")
        let input = values["run_input"].map { Array($0.utf8) }
        if let input {
            do throws(JSONSyntaxError) {
                try JSONScanner.validate(input)
            } catch {
                throw Mistake(line: line, message: "run_input is not JSON: \(error)")
            }
        }
        return Session.body { writer in
            writer.field("scheduled_time", time)
            writer.given("run_input", raw: input)
            if !others.isEmpty {
                writer.object("run_input") { writer in
                    for (name, value) in others { writer.field(name, value) }
                }
            }
            writer.given("version", version)
            writer.given("priority", priority)
            writer.given("expires_at", end)
            writer.given("scheduled_by_name", values["scheduled_by_name"])
            writer.given("dedup_key", values["dedup_key"])
        }
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
