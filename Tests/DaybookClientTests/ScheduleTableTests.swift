import Testing

@testable import DaybookClient

@Suite("Promises from a table")
struct ScheduleTableTests {
    private func items(_ text: String, zone: String? = nil) throws -> [String] {
        try ScheduleTable(Array(text.utf8), zone: zone).items
            .map { String(decoding: $0.json, as: UTF8.self) }
    }

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try items(text)
            return []
        } catch {
            return (error as? ScheduleTable.Mistakes)?.list.map(\.description) ?? ["\(error)"]
        }
    }

    @Test("columns of a promise, and others as members of the input")
    func columns() throws {
        let text = #"""
            scheduled_time,patient,name,priority,dedup_key
            2026-12-24 18:00,007,"Müller, ""Hans""",7,a
            2026-12-24T18:00:00Z,8,,,

            """#
        #expect(
            try items(text, zone: "Europe/Berlin") == [
                #"{"scheduled_time":"2026-12-24T17:00:00Z","run_input":{"patient":"007","name":"Müller, \"Hans\""},"priority":7,"dedup_key":"a"}"#,
                #"{"scheduled_time":"2026-12-24T18:00:00Z","run_input":{"patient":"8","name":""}}"#,
            ])
    }

    @Test("a whole input is taken as it is")
    func wholeInput() throws {
        let text = "scheduled_time;run_input\n2026-12-24T18:00:00Z;\"{\"\"a\"\": 1.50}\""
        #expect(
            try items(text) == [
                #"{"scheduled_time":"2026-12-24T18:00:00Z","run_input":{"a": 1.50}}"#
            ])
    }

    @Test(
        "what spreadsheets write: a byte order mark, CRLF, no line end at the end, an empty field")
    func spreadsheets() throws {
        let text = "\u{FEFF}scheduled_time,note\r\n2026-12-24T18:00:00Z,"
        #expect(
            try items(text) == [
                #"{"scheduled_time":"2026-12-24T18:00:00Z","run_input":{"note":""}}"#
            ])
    }

    @Test("every mistake is told with its line")
    func mistakes() {
        #expect(
            mistakes(
                "scheduled_time,priority,n\ntomorrow,1,x\n\n2026-12-24T18:00:00Z,high,x\n2026-12-24T18:00:00Z,1\n,1,x\n"
            ) == [
                "line 2: scheduled_time: tomorrow is not a time: write 2026-12-24T18:00:00Z, or \"2026-12-24 18:00 Europe/Berlin\"",
                "line 4: priority: high is not an integer", "line 5: has 2 fields, the head has 3",
                "line 6: scheduled_time is empty",
            ])
        #expect(mistakes("time\n1\n") == ["line 1: has no column scheduled_time"])
        #expect(mistakes("").first == "line 1: has no column scheduled_time")
        #expect(mistakes("scheduled_time\n") == ["line 1: the file has no rows"])
        #expect(
            mistakes("scheduled_time,a,a\n2026-12-24T18:00:00Z,1,2\n") == [
                "line 1: has the column a twice"
            ])
        #expect(
            mistakes("scheduled_time,run_input\n2026-12-24T18:00:00Z,{\n").first?
                .hasPrefix("line 2: run_input is not JSON: line 1") == true)
        #expect(
            mistakes("scheduled_time,run_input,a\n2026-12-24T18:00:00Z,1,2\n") == [
                "line 1: has run_input and a: the input is given whole or by columns"
            ])
    }

    @Test("what is not CSV is refused where it goes wrong, and nothing of it is guessed")
    func syntax() {
        let time = "2026-12-24T18:00:00Z"
        #expect(
            mistakes("scheduled_time,name\n\(time),a\n\(time),\"b\n\(time),c\n") == [
                "line 3: quotes are opened and not closed"
            ])
        #expect(
            mistakes("scheduled_time,name\n\(time),\"a\"b\n") == [
                "line 2: something follows closing quotes"
            ])
        #expect(
            mistakes("scheduled_time,name\n\(time),a\"b\"\n") == [
                "line 2: a quotation mark stands in a field without quotes"
            ])
    }

    @Test("a field may hold lines, and the rows behind it know where they stand")
    func lines() throws {
        let text =
            "scheduled_time,note\n2026-12-24T18:00:00Z,\"a\nb\r\nc\"\n2026-12-24T18:00:00Z,d"
        let table = try ScheduleTable(Array(text.utf8), zone: nil)
        #expect(table.items.map(\.line) == [2, 5])
        #expect(String(decoding: table.items[0].json, as: UTF8.self).contains(#""a\nb\r\nc""#))
    }

    @Test("what a mistake quotes cannot steer the terminal, nor forge a line")
    func hostileMistakes() {
        let told = mistakes("scheduled_time\n\"\u{1B}]0;x\u{7}\nline 9: forged\"\n")
        #expect(told.count == 1)
        #expect(told.first?.contains("\u{1B}") == false && told.first?.contains("\n") == false)
    }
}
