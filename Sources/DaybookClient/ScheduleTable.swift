import DaybookCore
import DaybookWire
import SwiftCSV

/// Promises from a table in CSV (RFC 4180): the first row names the columns.
///
/// `scheduled_time` must be there; `version`, `scheduled_by_name`, `expires_at`, `priority`, `dedup_key` and
/// `run_input` (JSON) may be. Any other columns become members of the run's input, as strings.
package struct ScheduleTable: Sendable {
    /// One row that is no promise.
    package struct Mistake: Equatable, Sendable, CustomStringConvertible {
        /// Counted from 1, the head not among them; 0 is the head.
        package let row: Int
        package let message: String

        package var description: String {
            row == 0 ? "the head: \(message)" : "row \(row): \(message)"
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

    /// The items of a batch, one a row.
    package let items: [[UInt8]]

    private static let columns: Set<String> = [
        "scheduled_time", "version", "scheduled_by_name", "expires_at", "priority", "dedup_key",
        "run_input",
    ]

    /// - Parameter zone: of times that have none.
    package init(_ bytes: [UInt8], zone: String?) throws(Mistakes) {
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw Mistakes(list: [Mistake(row: 0, message: "the file is not UTF-8")])
        }
        // Spreadsheets put it there.
        if text.first == "\u{FEFF}" { text.removeFirst() }
        // Without it an empty last field would be lost.
        if text.last?.isNewline != true { text += "\n" }
        let rows = try Self.rows(text)
        let head = (rows.first ?? []).map { $0.trimmingSpaces }
        try Self.check(head)
        var items: [[UInt8]] = []
        var mistakes: [Mistake] = []
        for (index, row) in rows.enumerated().dropFirst() where row != [""] {
            do throws(Mistake) {
                items.append(try Self.item(row, head, index, zone))
            } catch {
                mistakes.append(error)
            }
        }
        if items.isEmpty, mistakes.isEmpty {
            mistakes = [Mistake(row: 0, message: "the file has no rows")]
        }
        guard mistakes.isEmpty else { throw Mistakes(list: mistakes) }
        self.items = items
    }

    private static func rows(_ text: String) throws(Mistakes) -> [[String]] {
        do {
            let head = text.prefix { !$0.isNewline }
            let delimiter: CSVDelimiter =
                head.contains(",") || !head.contains(";") ? .comma : .semicolon
            let table = try CSV<Enumerated>(
                string: text, delimiter: delimiter, loadColumns: false)
            var rows: [[String]] = []
            try table.enumerateAsArray(startAt: 0, rowLimit: nil) { rows.append($0) }
            return rows
        } catch {
            throw Mistakes(list: [Mistake(row: 0, message: "the file is not CSV: \(error)")])
        }
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
            throw Mistakes(list: messages.map { Mistake(row: 0, message: $0) })
        }
    }

    private static func item(
        _ row: [String], _ head: [String], _ index: Int, _ zone: String?
    ) throws(Mistake) -> [UInt8] {
        guard row.count == head.count else {
            throw Mistake(
                row: index, message: "has \(row.count) fields, the head has \(head.count)")
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
                throw Mistake(row: index, message: "\(name): \(error)")
            }
        }
        func integer(_ name: String) throws(Mistake) -> Int? {
            guard let text = values[name] else { return nil }
            guard let number = Int(text) else {
                throw Mistake(row: index, message: "\(name): \(text) is not an integer")
            }
            return number
        }
        guard let time = try instant("scheduled_time") else {
            throw Mistake(row: index, message: "scheduled_time is empty")
        }
        let end = try instant("expires_at")
        let version = try integer("version")
        let priority = try integer("priority")
        let input = values["run_input"].map { Array($0.utf8) }
        if let input {
            do throws(JSONSyntaxError) {
                try JSONScanner.validate(input)
            } catch {
                throw Mistake(row: index, message: "run_input is not JSON: \(error)")
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

extension ScheduleTable.Mistake: Error {}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
