import Testing

@testable import DaybookWire

private func refusal(_ body: [UInt8], maximumDepth: Int = 64) -> String? {
    do throws(JSONSyntaxError) {
        _ = try JSONScanner.scan(body, maximumDepth: maximumDepth)
        return nil
    } catch {
        return error.message
    }
}

private func refusal(_ text: String) -> String? { refusal(Array(text.utf8)) }

private func string(_ text: String) throws -> String? {
    if case .string(let value) = try JSONScanner.scan(Array(text.utf8)).kind { value } else { nil }
}

private func nested(_ depth: Int) -> [UInt8] {
    Array(repeating: UInt8(ascii: "["), count: depth)
        + Array(repeating: UInt8(ascii: "]"), count: depth)
}

@Suite struct `JSON that is accepted` {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "1e400", "-0.0e-0", "9007199254740993", "1E+2", "0.10",
        #""""#, "[]", "{}", " \t\r\n[ ] ", #"{"a":{"a":{"a":1}},"b":[1,2]}"#, #"{"":1," ":2}"#,
        #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, #""\u0000""#, #""\uD800\uDC00""#, "\"\u{7F}é€😀\"",
        "\"\u{10FFFF}\u{FFFF}\u{FEFF}\"", #"{"A":1,"a":2,"\u0041a":3}"#,
    ])
    func `is every form of RFC 8259`(text: String) {
        #expect(refusal(text) == nil)
        #expect(throws: Never.self) { try JSONScanner.validate(Array(text.utf8)) }
    }

    @Test func `keeps the range of every value without the white space around it`() throws {
        let body = Array(#" { "a" : 1e400 , "b":[ true , null ] } "#.utf8)
        let root = try JSONScanner.scan(body)
        guard case .object(let members) = root.kind, case .array(let list) = members[1].value.kind
        else {
            Issue.record("not an object with an array")
            return
        }
        let texts = [root, members[0].value, members[1].value, list[0], list[1]].map {
            String(decoding: $0.bytes(in: body), as: UTF8.self)
        }
        #expect(
            texts == [
                #"{ "a" : 1e400 , "b":[ true , null ] }"#, "1e400", "[ true , null ]", "true",
                "null",
            ])
        #expect(members.map(\.name) == ["a", "b"])
    }

    @Test(arguments: [
        (#""a\"b\\c\/d""#, "a\"b\\c/d"), (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"),
        (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""x\uD83D\uDE00y""#, "x😀y"), (#""\u0000""#, "\0"),
        ("\"é\\né\"", "é\né"), (#""\uFFFF\uE000""#, "\u{FFFF}\u{E000}"),
    ])
    func `has the escapes of its strings resolved`(text: String, value: String) throws {
        #expect(try string(text).map { Array($0.utf8) } == Array(value.utf8))
    }

    @Test func `may nest as deep as the limit`() {
        #expect(refusal(nested(64)) == nil)
        #expect(refusal(nested(65)) == "depth beyond 64")
        #expect(refusal(nested(100_000)) == "depth beyond 64")
        #expect(refusal(nested(3), maximumDepth: 3) == nil)
        #expect(refusal(nested(4), maximumDepth: 3) == "depth beyond 3")
    }

    @Test func `may have names that differ in bytes although Swift takes them for equal`() {
        #expect("\u{E9}" == "e\u{301}")
        #expect(refusal("{\"\u{E9}\":1,\"e\u{301}\":2}") == nil)
        #expect(refusal("{\"K\":1,\"\u{212A}\":2}") == nil)
    }
}

@Suite struct `JSON that is refused` {
    @Test(arguments: [
        ("", "empty body"), ("  ", "empty body"), ("\u{FEFF}{}", "byte order mark"),
        ("{} x", "unexpected x after the value"), ("{}{}", "unexpected { after the value"),
        ("1 2", "unexpected 2 after the value"), ("truex", "unexpected x after the value"),
        ("tru", "unknown word, true expected"), ("nul", "unknown word, null expected"),
        ("True", "a value expected, not T"), ("NaN", "a value expected, not N"),
        ("Infinity", "a value expected, not I"), ("-Infinity", "a digit expected, not I"),
        ("-", "the body ends where a digit is expected"), ("+1", "a value expected, not +"),
        ("01", "leading zero in a number"), ("-00", "leading zero in a number"),
        ("1.", "the body ends where a digit is expected"), (".5", "a value expected, not ."),
        ("1.e2", "a digit expected, not e"), ("1e", "the body ends where a digit is expected"),
        ("1e+", "the body ends where a digit is expected"),
        ("0x10", "unexpected x after the value"),
        ("[1,]", "a value expected, not ]"), ("[,1]", "a value expected, not ,"),
        ("[1 2]", "a comma or ] expected, not 2"),
        ("[1", "the body ends where a comma or ] is expected"),
        ("{\"a\":1,}", "a name in quotes expected, not }"),
        ("{a:1}", "a name in quotes expected, not a"),
        ("{'a':1}", "a name in quotes expected, not '"), ("{\"a\" 1}", "a colon expected, not 1"),
        ("{\"a\":}", "a value expected, not }"),
        ("{\"a\":1", "the body ends where a comma or } is expected"),
        ("{\"a\"", "the body ends where a colon is expected"), ("]", "a value expected, not ]"),
        ("// c\n1", "a value expected, not /"), ("\u{A0}1", "a value expected, not byte 0xC2"),
        ("\"a", "the body ends inside a string"), ("\"\\\"", "the body ends inside a string"),
        ("\"a\nb\"", "control character byte 0x0A in a string"),
        ("\"\0\"", "control character byte 0x00 in a string"),
        ("\0", "a value expected, not byte 0x00"),
        (#""\x41""#, "unknown escape"), (#""\U0041""#, "unknown escape"),
        ("\"\\", "unknown escape"),
        (#""\u12""#, "\\u without four hexadecimal digits"),
        (#""\u12g4""#, "\\u without four hexadecimal digits"),
        (#""\u+123""#, "\\u without four hexadecimal digits"),
        (#""\ud800""#, "lone surrogate"), (#""\udc00""#, "lone surrogate"),
        (#""\ud800\ud800""#, "lone surrogate"), (#""\ud800x""#, "lone surrogate"),
        (#""\ud800\n""#, "lone surrogate"), (#""\udc00\ud800""#, "lone surrogate"),
        (#"{"a\u0000":1}"#, "U+0000 in a name"), (#"[{"x":{"\u0000":1}}]"#, "U+0000 in a name"),
        (#"{"a":1,"a":2}"#, #"duplicate name "a""#),
        (#"{"a":1,"\u0061":2}"#, #"duplicate name "a""#),
        (#"{"\u0061b":1,"ab":2}"#, #"duplicate name "ab""#),
        (#"{"":1,"":2}"#, #"duplicate name """#),
        (#"{"\ud83d\ude00":1,"😀":2}"#, #"duplicate name "😀""#),
        (#"[{"x":[{"b":1,"c":2,"b":3}]}]"#, #"duplicate name "b""#),
    ])
    func `is refused with a word about what is wrong`(text: String, message: String) {
        #expect(refusal(text) == message)
        #expect(throws: JSONSyntaxError.self) { try JSONScanner.validate(Array(text.utf8)) }
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func `is refused where a string is not UTF-8`(sequence: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(refusal([quote] + sequence + [quote]) == "invalid UTF-8")
        #expect(refusal([quote, 0x61] + sequence) == "invalid UTF-8")
    }

    @Test func `is refused in UTF-16 and UTF-32`() {
        #expect(refusal([0xFF, 0xFE, 0x7B, 0, 0x7D, 0]) != nil)
        #expect(refusal([0xFE, 0xFF, 0, 0x7B, 0, 0x7D]) != nil)
        #expect(refusal([0x7B, 0, 0x7D, 0]) != nil)
        #expect(refusal([0, 0, 0, 0x31]) != nil)
    }

    @Test func `is refused with the place of the mistake`() {
        let body = Array("{\n  \"é\": 1,\n  \"b\": tru }".utf8)
        #expect(
            throws: JSONSyntaxError(
                offset: 20, line: 3, column: 8, message: "unknown word, true expected")
        ) { try JSONScanner.scan(body) }
        #expect(
            throws: JSONSyntaxError(
                offset: 3, line: 2, column: 2, message: "the body ends where a value is expected")
        ) { try JSONScanner.scan(Array("[\n ".utf8)) }
    }

    @Test func `is refused where the duplicate stands among many names`() throws {
        let count = 20_000
        let members = (0..<count).map { "\"n\($0)\":\($0)" }.joined(separator: ",")
        #expect(throws: Never.self) { try JSONScanner.validate(Array("{\(members)}".utf8)) }
        for place in [0, 15, 16, 17, 9_999, count - 1] {
            #expect(refusal("{\(members),\"n\(place)\":0}") == "duplicate name \"n\(place)\"")
            #expect(refusal("{\(members),\"\\u006e\(place)\":0}") == "duplicate name \"n\(place)\"")
        }
    }

    @Test func `is refused with a long name cut short`() {
        let name = String(repeating: "é", count: 1000)
        let message = refusal("{\"\(name)\":1,\"\(name)\":2}")
        #expect(message == "duplicate name \"\(String(repeating: "é", count: 50))…\"")
    }
}

@Suite struct `A member named as opaque` {
    @Test func `yields its range and no tree`() throws {
        let body = Array(#"{"run_input": {"a": [1, 2.0]} , "x":{"run_input":[7]}}"#.utf8)
        let root = try JSONScanner.scan(body, opaque: ["run_input"])
        guard case .object(let members) = root.kind, case .opaque = members[0].value.kind,
            case .object(let inner) = members[1].value.kind,
            case .array = inner[0].value.kind
        else {
            Issue.record("unexpected tree \(root)")
            return
        }
        #expect(members[0].value.bytes(in: body).elementsEqual(#"{"a": [1, 2.0]}"#.utf8))
    }

    @Test func `is looked for at the depth that was asked for`() throws {
        let body = Array(#"{"items":[{"run_input":[1]},{"run_input":null}],"run_input":[2]}"#.utf8)
        let root = try JSONScanner.scan(body, opaque: ["run_input"], opaqueDepth: 3)
        guard case .object(let members) = root.kind, case .array(let items) = members[0].value.kind,
            case .object(let first) = items[0].kind, case .opaque = first[0].value.kind,
            case .object(let second) = items[1].kind, case .opaque = second[0].value.kind,
            case .array = members[1].value.kind
        else {
            Issue.record("unexpected tree \(root)")
            return
        }
    }

    @Test(arguments: [
        (#"{"p":{"a":1,"a":2}}"#, #"duplicate name "a""#),
        (#"{"p":01}"#, "leading zero in a number"),
        (#"{"p":"\ud800"}"#, "lone surrogate"), (#"{"p":{"\u0000":1}}"#, "U+0000 in a name"),
        (#"{"p":1,"p":2}"#, #"duplicate name "p""#),
    ])
    func `is as strictly checked as any other`(text: String, message: String) {
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONScanner.scan(Array(text.utf8), opaque: ["p"])
        }
        #expect(error?.message == message)
    }

    @Test func `counts its depth from the body on`() {
        let body = { depth in Array("{\"p\":".utf8) + nested(depth) + [0x7D] }
        #expect(throws: Never.self) { try JSONScanner.scan(body(63), opaque: ["p"]) }
        #expect(throws: JSONSyntaxError.self) { try JSONScanner.scan(body(64), opaque: ["p"]) }
    }

    @Test func `is not mistaken for one whose name only looks the same to Swift`() throws {
        let root = try JSONScanner.scan(Array("{\"\u{212A}\":[]}".utf8), opaque: ["K"])
        guard case .object(let members) = root.kind, case .array = members[0].value.kind else {
            Issue.record("taken for opaque")
            return
        }
    }
}
