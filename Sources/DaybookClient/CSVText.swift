/// Rows of a text in CSV (RFC 4180), strictly: what a lenient reader would guess at could be a promise that
/// nobody wrote, or one that is lost.
struct CSVText {
    struct Row: Equatable {
        /// In which line of the text it begins; the first is 1.
        let line: Int
        let fields: [String]
    }

    struct SyntaxError: Error, Equatable {
        let line: Int
        let message: String
    }

    /// - Parameters:
    ///   - text: UTF-8. Lines end with LF or CR LF, the last one may lack its end. Empty lines are left out.
    ///   - delimiter: between the fields of a row.
    static func rows(_ text: [UInt8], delimiter: UInt8) throws(SyntaxError) -> [Row] {
        var reader = Reader(text: text, delimiter: delimiter)
        var rows: [Row] = []
        while let row = try reader.row() {
            if row.fields != [""] { rows.append(row) }
        }
        return rows
    }

    private struct Reader {
        let text: [UInt8]
        let delimiter: UInt8
        var index = 0
        var line = 1

        init(text: [UInt8], delimiter: UInt8) {
            self.text = text
            self.delimiter = delimiter
        }

        mutating func row() throws(SyntaxError) -> Row? {
            guard index < text.count else { return nil }
            let start = line
            var fields: [String] = []
            while true {
                fields.append(try field())
                guard index < text.count else { break }
                if text[index] == delimiter {
                    index += 1
                    continue
                }
                skipLineEnd()
                break
            }
            return Row(line: start, fields: fields)
        }

        private var isAtLineEnd: Bool {
            text[index] == UInt8(ascii: "\n")
                || text[index] == UInt8(ascii: "\r") && index + 1 < text.count
                    && text[index + 1] == UInt8(ascii: "\n")
        }

        private mutating func skipLineEnd() {
            index += text[index] == UInt8(ascii: "\r") ? 2 : 1
            line += 1
        }

        /// One field, up to the delimiter, the end of the line or of the text.
        private mutating func field() throws(SyntaxError) -> String {
            if index < text.count, text[index] == UInt8(ascii: "\"") { return try quoted() }
            let start = index
            while index < text.count, text[index] != delimiter, !isAtLineEnd {
                guard text[index] != UInt8(ascii: "\"") else {
                    throw SyntaxError(
                        line: line, message: "a quotation mark stands in a field without quotes")
                }
                index += 1
            }
            return String(decoding: text[start..<index], as: UTF8.self)
        }

        private mutating func quoted() throws(SyntaxError) -> String {
            let start = line
            index += 1
            var field: [UInt8] = []
            while index < text.count {
                let byte = text[index]
                index += 1
                if byte == UInt8(ascii: "\n") { line += 1 }
                guard byte == UInt8(ascii: "\"") else {
                    field.append(byte)
                    continue
                }
                if index < text.count, text[index] == UInt8(ascii: "\"") {
                    field.append(byte)
                    index += 1
                    continue
                }
                guard index == text.count || text[index] == delimiter || isAtLineEnd else {
                    throw SyntaxError(line: line, message: "something follows closing quotes")
                }
                return String(decoding: field, as: UTF8.self)
            }
            throw SyntaxError(line: start, message: "quotes are opened and not closed")
        }
    }
}
