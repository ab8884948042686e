import DaybookCore
import Foundation
import Testing

@testable import DaybookClient

@Suite("What a terminal shows")
struct TerminalTests {
    private let terminal = Terminal(now: .epoch, zone: .gmt)

    private func document(_ text: String) throws -> JSONDocument {
        try JSONDocument(Array(text.utf8))
    }

    @Test("a table is as wide as its widest cells")
    func table() throws {
        let rows = try [
            document(#"{"id": "a", "n": 12}"#), document(#"{"id": "long", "n": null}"#),
        ]
        #expect(
            terminal.table(rows, [.init("ID", "id"), .init("N", "n")])
                == "ID    N\na     12\nlong\n")
    }

    @Test("what others wrote cannot steer the terminal, nor fill it")
    func hostileText() throws {
        let row = try document(#"{"name": "\u001b[2Jx\n\u202egnp.exe"}"#)
        let text = terminal.table([row], [.init("NAME", "name")])
        #expect(text == "NAME\n␤[2Jx␤�gnp.exe\n")
        let long = try document("{\"name\": \"\(String(repeating: "ä", count: 500))\"}")
        #expect(
            terminal.table([long], [.init("NAME", "name")])
                == "NAME\n\(String(repeating: "ä", count: 60))…\n")
    }

    @Test("a record shows each member, and payloads as they came")
    func record() throws {
        let record = try document(
            #"{"id": "a", "run_input": {"x": 1.50}, "error": {"reason": "error"}, "at": "1970-01-01T00:01:00Z", "none": null}"#
        )
        #expect(
            terminal.record(record)
                == """
                id         a
                run_input  {"x": 1.50}
                error
                  reason  error
                at         1970-01-01T00:01:00Z  (in 1 min)
                none       –

                """)
    }
}
