import Testing

@testable import DaybookClient

@Suite("Promises from a table")
struct ScheduleTableTests {
    private func items(_ text: String, zone: String? = nil) throws -> [String] {
        try ScheduleTable(Array(text.utf8), zone: zone).items
            .map { String(decoding: $0, as: UTF8.self) }
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

    @Test("every mistake is told with its row")
    func mistakes() {
        #expect(
            mistakes(
                "scheduled_time,priority,n\ntomorrow,1,x\n2026-12-24T18:00:00Z,high,x\n2026-12-24T18:00:00Z,1\n,1,x\n"
            ) == [
                "row 1: scheduled_time: tomorrow is not a time: write 2026-12-24T18:00:00Z, or \"2026-12-24 18:00 Europe/Berlin\"",
                "row 2: priority: high is not an integer", "row 3: has 2 fields, the head has 3",
                "row 4: scheduled_time is empty",
            ])
        #expect(mistakes("time\n1\n") == ["the head: has no column scheduled_time"])
        #expect(mistakes("").first == "the head: has no column scheduled_time")
        #expect(mistakes("scheduled_time\n") == ["the head: the file has no rows"])
        #expect(
            mistakes("scheduled_time,a,a\n2026-12-24T18:00:00Z,1,2\n") == [
                "the head: has the column a twice"
            ])
        #expect(
            mistakes("scheduled_time,run_input\n2026-12-24T18:00:00Z,{\n").first?
                .hasPrefix("row 1: run_input is not JSON: line 1") == true)
        #expect(
            mistakes("scheduled_time,run_input,a\n2026-12-24T18:00:00Z,1,2\n") == [
                "the head: has run_input and a: the input is given whole or by columns"
            ])
    }
}
