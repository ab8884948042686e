import DaybookCore
import Testing

@testable import DaybookWire

private func fields(_ text: String, opaque: Set<String> = []) throws -> JSONFields {
    let body = Array(text.utf8)
    return JSONFields(try JSONScanner.scan(body, opaque: opaque), body: body)
}

private func message<Value>(_ value: String, _ type: JSONType<Value>) throws -> String? {
    let fields = try fields("{\"f\":\(value)}")
    let result = fields.required("f", type)
    #expect((result == nil) == !fields.errors.isEmpty)
    #expect(fields.errors.allSatisfy { $0.pointer == "/f" })
    return fields.errors.first?.message
}

private func integer(_ text: String, _ range: ClosedRange<Int> = .min ... .max) throws -> Int? {
    try fields("{\"f\":\(text)}").required("f", .integer(range))
}

private enum Colour: String, CaseIterable { case red, green }

@Suite struct `Fields of a JSON object` {
    @Test func `read well-formed values of every type`() throws {
        let fields = try fields(
            #"""
            {"s":"é","i":7,"b":true,"t":"2026-03-01T17:00:00+01:00","o":{"x":1},"a":["p","q"],
             "r":{"k": 1e400 },"c":"green","id":"0123456789abcdef01234567","n":[1]}
            """#)
        #expect(fields.required("s", .string(bytes: 1...2)) == "é")
        #expect(fields.required("i", .integer(0...9)) == 7)
        #expect(fields.required("b", .bool) == true)
        #expect(fields.required("t", .instant) == Instant(microseconds: 1_772_380_800_000_000))
        #expect(fields.required("o", .object)?.required("x", .integer(1...1)) == 1)
        #expect(fields.required("a", .array(of: .string(), count: 0...2)) == ["p", "q"])
        #expect(fields.required("r", .raw) == Array(#"{"k": 1e400 }"#.utf8))
        #expect(fields.required("c", .choice(Colour.self)) == .green)
        #expect(fields.required("id", .identifier()) == RunID(hex: "0123456789abcdef01234567"))
        #expect(fields.required("n", .node)?.range.count == 3)
        #expect(fields.finish() == [])
    }

    @Test func `are all judged before anything is said`() throws {
        let fields = try fields(
            #"{"name":"","priority":10,"extra":1,"retry":{"max":"x","more":2},"ids":["a",3,null]}"#)
        _ = fields.required("name", .string(bytes: 1...150))
        _ = fields.required("scheduled_time", .instant)
        _ = fields.optional("priority", .integer(0...9))
        let retry = fields.optional("retry", .object)
        _ = retry?.optional("max", .integer(1...10))
        _ = fields.optional("ids", .array(of: .string()))
        #expect(
            fields.finish() == [
                FieldError(pointer: "/name", message: "must not be empty"),
                FieldError(pointer: "/scheduled_time", message: "is required"),
                FieldError(pointer: "/priority", message: "must be between 0 and 9"),
                FieldError(pointer: "/retry/max", message: "must be an integer"),
                FieldError(pointer: "/ids/1", message: "must be a string"),
                FieldError(pointer: "/ids/2", message: "must not be null"),
                FieldError(pointer: "/extra", message: "is not a known field"),
                FieldError(pointer: "/retry/more", message: "is not a known field"),
            ])
        #expect(fields.finish().count == 8, "finishing twice says nothing twice")
    }

    @Test func `tell left out, null and a value apart`() throws {
        let fields = try fields(#"{"a":null,"b":3,"c":"x"}"#)
        #expect(fields.field("z", .integer(0...9)) == .absent)
        #expect(fields.field("a", .integer(0...9)) == .null)
        #expect(fields.field("b", .integer(0...9)) == .value(3))
        #expect(fields.field("b", .integer(0...9)).value == 3)
        #expect(fields.errors.isEmpty)
        #expect(fields.field("c", .integer(0...9)) == .absent)
        #expect(fields.errors == [FieldError(pointer: "/c", message: "must be an integer")])
    }

    @Test func `refuse null unless it means something`() throws {
        let fields = try fields(#"{"a":null,"b":null,"c":null,"d":null}"#)
        #expect(fields.required("a", .bool) == nil)
        #expect(fields.optional("b", .bool) == nil)
        #expect(fields.nullable("c", .bool) == nil)
        #expect(fields.optional("z", .bool) == nil)
        #expect(fields.required("d", .raw) == Array("null".utf8), "a payload may be null")
        #expect(
            fields.finish() == [
                FieldError(pointer: "/a", message: "must not be null"),
                FieldError(pointer: "/b", message: "must not be null"),
            ])
    }

    @Test func `give opaque values as they were sent`() throws {
        let fields = try fields(#"{"p": [1, {"a" :2}] ,"q":null}"#, opaque: ["p", "q"])
        #expect(fields.required("p", .raw) == Array(#"[1, {"a" :2}]"#.utf8))
        #expect(fields.field("q", .raw) == .value(Array("null".utf8)))
        #expect(fields.finish().isEmpty)
    }

    @Test func `of something that is no object are one mistake`() throws {
        for text in ["[]", "1", "null", #""x""#] {
            let fields = try fields(text)
            _ = fields.required("a", .bool)
            #expect(fields.finish() == [FieldError(pointer: "", message: "must be an object")])
        }
        let nested = try fields(#"{"o":[]}"#)
        #expect(nested.required("o", .object) == nil)
        #expect(nested.finish() == [FieldError(pointer: "/o", message: "must be an object")])
    }

    @Test func `have their names escaped in pointers`() throws {
        let fields = try fields(#"{"a/b~c":{"~1":0,"":1},"é\"":2}"#)
        _ = fields.required("a/b~c", .object)
        #expect(fields.finish().map(\.pointer) == ["/é\"", "/a~1b~0c/~01", "/a~1b~0c/"])
    }

    @Test func `are compared by bytes`() throws {
        let fields = try fields("{\"\u{212A}\":1}")
        #expect(fields.optional("K", .integer(0...9)) == nil)
        #expect(fields.finish().map(\.message) == ["is not a known field"])
    }

    @Test func `can be listed, asked for and refused by the caller`() throws {
        let fields = try fields(#"{"x-a":"1","x-b":null}"#)
        #expect(fields.names == ["x-a", "x-b"])
        #expect(fields.has("x-b") && !fields.has("x-c"))
        fields.refuse("x-a", "must be nicer")
        fields.refuse("must be different")
        #expect(
            fields.errors == [
                FieldError(pointer: "/x-a", message: "must be nicer"),
                FieldError(pointer: "", message: "must be different"),
            ])
    }

    @Test func `point into the body from where the object stands`() throws {
        let body = Array(#"{"items":[{"a":1}]}"#.utf8)
        let list = JSONFields(try JSONScanner.scan(body), body: body)
        let items = list.required("items", .array(of: .object, count: 1...10)) ?? []
        _ = items[0].required("a", .bool)
        #expect(list.finish().map(\.pointer) == ["/items/0/a"])

        let nodes = list.required("items", .array(of: .node)) ?? []
        let alone = JSONFields(nodes[0], body: body, pointer: "/items/0")
        #expect(alone.finish().map(\.pointer) == ["/items/0/a"])
    }

    @Test func `note no more than a hundred mistakes`() throws {
        let members = (0..<5000).map { "\"f\($0)\":0" }.joined(separator: ",")
        #expect(try fields("{\(members)}").finish().count == JSONFields.maximumErrors)
    }

    @Test func `can have a further step of the caller's`() throws {
        let even = JSONType<Int>.integer(0...100).checked { number throws(JSONMismatch) in
            guard number.isMultiple(of: 2) else { throw JSONMismatch("must be even") }
            return number / 2
        }
        #expect(try fields(#"{"n":8}"#).required("n", even) == 4)
        #expect(try message("7", even) == "must be even")
        #expect(try message("101", even) == "must be between 0 and 100")
    }
}

@Suite struct `A field's type` {
    @Test func `says what it wants`() throws {
        #expect(try message("1", .string()) == "must be a string")
        #expect(try message(#""a\u0000""#, .string()) == "must not contain U+0000")
        #expect(try message(#""a\u0000""#, .string(allowsNUL: true)) == nil)
        #expect(try message("1", .bool) == "must be true or false")
        #expect(try message("{}", .array(of: .bool)) == "must be an array")
        #expect(
            try message("[true]", .array(of: .bool, count: 2...3))
                == "must have at least 2 elements, not 1")
        #expect(
            try message("[1,2]", .array(of: .bool, count: 0...1))
                == "must have at most 1 elements, not 2")
        #expect(try message("1", .instant) == "must be a string")
        #expect(
            try message(#""2026-03-01T17:00:00""#, .instant)
                == "must have a time zone: Z, or an offset such as +02:00")
        #expect(try message(#""blue""#, .choice(Colour.self)) == "must be one of red, green")
        #expect(
            try message(#""0123456789ABCDEF01234567""#, JSONType<RunID>.identifier())
                == "must be an id of 24 lowercase hexadecimal digits")
        #expect(try message("1", .outboundURL) == "must be a string")
        #expect(
            try message(#""ftp://a""#, .outboundURL) == "must begin with http:// or https://")
    }

    @Test func `counts texts in bytes of UTF-8, whatever Swift calls a character`() throws {
        let family = "👨‍👩‍👧‍👦"
        #expect(family.count == 1)
        #expect(
            try message("\"\(family)\"", .string(bytes: 1...24))
                == "must have at most 24 bytes of UTF-8, not 25")
        #expect(try message("\"\(family)\"", .string(bytes: 25...25)) == nil)
        #expect(
            try message("\"é\"", .string(bytes: 3...9))
                == "must have at least 3 bytes of UTF-8, not 2")
    }

    @Test(arguments: [
        ("0", 0), ("-0", 0), ("0.0", 0), ("0e999999999999999999999999", 0), ("-0.000E-7", 0),
        ("7", 7), ("1.0", 1), ("1e2", 100), ("1E+2", 100), ("1.50e1", 15), ("100e-2", 1),
        ("-1.2e1", -12), ("9007199254740993", 9_007_199_254_740_993),
        ("9223372036854775807", .max), ("-9223372036854775808", .min),
        ("922337203685477580.7e1", .max), ("0.000000000000000000000001e24", 1),
        ("1000000000000000000000e-20", 10),
    ])
    func `takes every integral number as an integer, exactly`(text: String, value: Int) throws {
        #expect(try integer(text) == value)
    }

    @Test(arguments: [
        ("1.5", "must be an integer"), ("1e-1", "must be an integer"),
        ("1e-999999999999999999999", "must be an integer"), ("0.1", "must be an integer"),
        ("\"1\"", "must be an integer"), ("true", "must be an integer"),
        ("9223372036854775808", "must be between -5 and 5"),
        ("-9223372036854775809", "must be between -5 and 5"),
        ("1e400", "must be between -5 and 5"),
        ("-1e99999999999999999999", "must be between -5 and 5"),
        ("99999999999999999999", "must be between -5 and 5"), ("6", "must be between -5 and 5"),
        ("-6", "must be between -5 and 5"), ("9999999999999999999", "must be between -5 and 5"),
    ])
    func `refuses every other number with a word, and never traps`(
        text: String, expected: String
    ) throws {
        #expect(try message(text, .integer(-5...5)) == expected)
    }

    @Test func `says of an open range only its lower end`() throws {
        #expect(
            try message("0", .integer(1...Int.max)) == "must be at least 1 and fit in 64 bits")
        #expect(try integer("9223372036854775808", 1...Int.max) == nil)
    }
}
