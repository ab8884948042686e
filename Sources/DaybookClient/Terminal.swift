import DaybookCore
import Foundation

/// What commands print: tables and records for people, JSON for programs.
package struct Terminal: Sendable {
    /// One column of a table.
    package struct Column: Sendable {
        let title: String
        let cell: @Sendable (JSONDocument) -> String

        package init(_ title: String, _ cell: @escaping @Sendable (JSONDocument) -> String) {
            self.title = title
            self.cell = cell
        }

        /// The member of that name as it is.
        package init(_ title: String, _ member: String) {
            self.init(title) { $0[member]?.shown ?? "" }
        }
    }

    let now: Instant
    let zone: TimeZone

    package init(now: Instant, zone: TimeZone) {
        self.now = now
        self.zone = zone
    }

    static var here: Terminal {
        Terminal(
            now: Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)),
            zone: .current)
    }

    /// Columns that show a time twice or thrice: on the clocks here, in UTC, and how far away.
    func time(_ title: String, _ member: String) -> [Column] {
        let utc = Column("\(title) (UTC)") { $0[member]?.shown ?? "" }
        let distance = Column("") { [now] document in
            document[member]?.instant.map { TimeText.relative($0, now: now) } ?? ""
        }
        guard zone.secondsFromGMT() != 0 else { return [utc, distance] }
        let local = Column(title) { [zone] document in
            document[member]?.instant.map { TimeText.local($0, zone: zone) } ?? ""
        }
        return [local, utc, distance]
    }

    /// Rows under a head, each column as wide as its widest cell.
    package func table(_ rows: [JSONDocument], _ columns: [Column]) -> String {
        let cells = rows.map { row in columns.map { Self.oneLine($0.cell(row), most: 60) } }
        let lines = [columns.map(\.title)] + cells
        let widths = columns.indices.map { index in
            lines.map { Self.width($0[index]) }.max() ?? 0
        }
        return lines.map { line in
            var text = ""
            for (index, cell) in line.enumerated() {
                let fill = widths[index] - Self.width(cell)
                text += cell + String(repeating: " ", count: max(0, fill) + 2)
            }
            while text.last == " " { text.removeLast() }
            return text + "\n"
        }.joined()
    }

    /// Every member on a line of its own; those of an object inside are indented.
    package func record(_ document: JSONDocument, indent: String = "") -> String {
        let members = document.members
        let width = members.map { Self.width($0.name) }.max() ?? 0
        return members.map { name, value in
            let label =
                indent + name + String(repeating: " ", count: width - Self.width(name)) + "  "
            if !value.members.isEmpty, !Self.payloads.contains(name) {
                return "\(indent)\(name)\n" + record(value, indent: indent + "  ")
            }
            if let first = value.elements.first, !first.members.isEmpty {
                return "\(indent)\(name)\n"
                    + value.elements.map { record($0, indent: indent + "  - ") }.joined()
            }
            return label + shown(value, Self.payloads.contains(name)) + "\n"
        }.joined()
    }

    /// Members that are somebody's data, shown as they came.
    private static let payloads: Set<String> = ["run_input", "output", "definition"]

    private func shown(_ value: JSONDocument, _ isPayload: Bool) -> String {
        if isPayload { return value.isNull ? "" : Self.oneLine(value.raw, most: 4_096) }
        if value.isNull { return "–" }
        if let instant = value.instant {
            return TimeText.whole(instant, now: now, zone: zone)
        }
        if value.isArray {
            let elements = value.elements.map(\.shown)
            return elements.isEmpty ? "–" : elements.joined(separator: ", ")
        }
        return Self.oneLine(value.shown, most: 4_096)
    }

    /// A text that cannot move the cursor, cut where it is long: what others wrote must not steer the
    /// terminal of who reads it.
    static func oneLine(_ text: String, most: Int) -> String {
        var shown = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == most { return shown + "…" }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: shown += "␤"
            // Among them the marks that turn the direction of writing.
            case .format where scalar != "\u{200D}": shown += "�"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    private static func width(_ text: String) -> Int { text.count }

    /// Buffered; whether it arrived is looked at when the command ends.
    func print(_ text: String) { Swift.print(text, terminator: "") }
}
