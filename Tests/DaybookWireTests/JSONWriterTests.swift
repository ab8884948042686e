import DaybookCore
import Testing

@testable import DaybookWire

private func written(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    body(&writer)
    return String(decoding: writer.finish(), as: UTF8.self)
}

@Suite struct `The JSON writer` {
    @Test func `puts commas where they belong`() {
        let text = written { writer in
            writer.object { writer in
                writer.field("a", 1)
                writer.array("b") { writer in
                    writer.integer(2)
                    writer.array { _ in }
                    writer.object { _ in }
                    writer.object { $0.field("x", true) }
                    writer.null()
                }
                writer.object("c") { _ in }
                writer.field("d", "e")
            }
        }
        #expect(text == #"{"a":1,"b":[2,[],{},{"x":true},null],"c":{},"d":"e"}"#)
    }

    @Test func `writes an open form and a closure form alike`() {
        let open = written { writer in
            writer.beginObject()
            writer.name("items")
            writer.beginArray()
            writer.bool(false)
            writer.string("x")
            writer.endArray()
            writer.endObject()
        }
        let closure = written { writer in
            writer.object { writer in
                writer.array("items") { writer in
                    writer.bool(false)
                    writer.string("x")
                }
            }
        }
        #expect(open == closure)
    }

    @Test func `writes every type of field, and null where there is no value`() {
        let id = RunID(hex: "0123456789abcdef01234567")
        let text = written { writer in
            writer.object { writer in
                writer.field("s", "x")
                writer.field("s0", nil as String?)
                writer.field("i", Int.min)
                writer.field("u", UInt64.max)
                writer.field("i0", nil as Int?)
                writer.field("b", false)
                writer.field("b0", nil as Bool?)
                writer.field("t", Instant(microseconds: 1_000_001))
                writer.field("t0", nil as Instant?)
                writer.field("id", id)
                writer.field("id0", nil as RunID?)
                writer.field("p", raw: Array(#"{"k": 1e400}"#.utf8))
                writer.field("p0", raw: nil)
            }
        }
        let expected = """
            {"s":"x","s0":null,"i":-9223372036854775808,"u":18446744073709551615,"i0":null,\
            "b":false,"b0":null,"t":"1970-01-01T00:00:01.000001Z","t0":null,\
            "id":"0123456789abcdef01234567","id0":null,"p":{"k": 1e400},"p0":null}
            """
        #expect(text == expected)
    }

    @Test(arguments: [
        ("", #""""#), ("plain", #""plain""#), ("a\"b\\c/d", #""a\"b\\c/d""#),
        ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#),
        ("\0\u{1F}\u{1B}[31m", #""\u0000\u001f\u001b[31m""#),
        ("é€😀\u{7F}\u{2028}", "\"é€😀\u{7F}\u{2028}\""),
    ])
    func `escapes what must be escaped and nothing else`(text: String, expected: String) {
        #expect(written { $0.string(text) } == expected)
        #expect(written { $0.object { $0.field(text, text) } } == "{\(expected):\(expected)}")
    }

    @Test func `writes texts that the scanner reads back byte for byte`() throws {
        var numbers = SeededNumbers()
        for _ in 0..<500 {
            var text = ""
            for _ in 0..<Int.random(in: 0...20, using: &numbers) {
                let top: UInt32 =
                    [0x30, 0x7F, 0xFFFF, 0x10FFFF].randomElement(using: &numbers) ?? 0
                let value = UInt32.random(in: 0...top, using: &numbers)
                text.unicodeScalars.append(Unicode.Scalar(value) ?? "?")
            }
            let node = try JSONScanner.scan(Array(written { $0.string(text) }.utf8))
            guard case .string(let read) = node.kind else {
                Issue.record("no string")
                return
            }
            #expect(Array(read.utf8) == Array(text.utf8))
        }
    }
}
