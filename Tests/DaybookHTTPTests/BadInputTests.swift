import DaybookCore
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// What clumsy and hostile clients send, and the answer it gets. Nothing of it is written.
/// What a tester found that sends what the description allows, and what it forbids.
@Suite("Small print")
struct SmallPrintTests {
    @Test("what is malformed is refused also where nothing is submitted")
    func conditionsWithoutCommand() async throws {
        try await TestAPI.run { api in
            let dry = #"{"filter":{"status":"pending"},"dry_run":true}"#
            for (path, body) in [("/workflow-schedules/cancel", dry), ("/rebuild", "{}")] {
                for (name, value) in [(HTTPField.Name.idempotencyKey, "a b"), (.ifMatch, "zz")] {
                    let answer = try await api.call(.post, path, body, headers: [name: value])
                    #expect(answer.status == 400, "\(path) \(name)")
                }
            }
        }
    }

    @Test("a mistake is told where it stands")
    func pointers() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.workflow()
            let executed = try await api.call(.post, "/workflows/\(workflow)/execute?version=99")
            #expect(executed.status == 422)
            #expect(executed.text.contains(#""pointer":"?version""#), "\(executed.text)")
            for versions in ["+0", "-0", "007", "0,", "1,x"] {
                let answer = try await api.call(
                    .get, "/workflows/\(workflow)/export?versions=\(versions)")
                #expect(answer.status == 422, "\(versions)")
            }
            let echo = #"{"executor":{"type":"echo"}}"#
            let twice = #"{"version_number":1,"definition":\#(echo)}"#
            let imported = try await api.call(
                .post, "/workflows/import",
                #"{"format":"daybook-workflow","format_version":1,"name":"n","definition":\#(echo),"versions":[\#(twice),\#(twice)]}"#
            )
            #expect(imported.status == 422)
            #expect(
                imported.text.contains(#""pointer":"/versions/1/version_number""#),
                "\(imported.text)")
        }
    }
}

@Suite("Bad input")
struct BadInputTests {
    private static let future = "2999-01-01T00:00:00Z"

    /// Bodies of `POST /workflows/{id}/schedules`: what, the bytes, the status.
    private static let bodies: [(String, [UInt8], Int)] = [
        ("nothing", [], 400),
        ("not JSON", Array("hello".utf8), 400),
        (
            "invalid UTF-8",
            Array(#"{"scheduled_by_name":""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8), 400
        ),
        ("overlong UTF-8", Array("\"".utf8) + [0xC0, 0xAF] + Array("\"".utf8), 400),
        ("a byte order mark", [0xEF, 0xBB, 0xBF] + Array("{}".utf8), 400),
        ("UTF-16", [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00], 400),
        ("a name twice", Array(#"{"priority":1,"priority":2}"#.utf8), 400),
        ("a name twice inside the input", Array(#"{"run_input":{"a":1,"\u0061":2}}"#.utf8), 400),
        ("NaN", Array(#"{"priority":NaN}"#.utf8), 400),
        ("a leading zero", Array(#"{"priority":01}"#.utf8), 400),
        ("trailing garbage", Array("{} x".utf8), 400),
        ("a lone surrogate", Array(#"{"scheduled_by_name":"\ud800"}"#.utf8), 400),
        ("NUL in a name", Array(#"{"a\u0000b":1}"#.utf8), 400),
        (
            "too deep",
            Array((String(repeating: "[", count: 65) + String(repeating: "]", count: 65)).utf8), 400
        ),
        ("far too deep", [UInt8](repeating: UInt8(ascii: "["), count: 100_000), 400),
        ("an array", Array("[]".utf8), 422),
        ("nothing required", Array("{}".utf8), 422),
        ("an unknown field", field(#""foo":1"#), 422),
        ("a field of the answer", field(#""status":"pending""#), 422),
        ("another team", field(#""team_id":"0123456789abcdef01234567""#), 422),
        ("a text for a number", field(#""priority":"5""#), 422),
        ("a fraction", field(#""priority":1.5"#), 422),
        ("a huge number", field(#""priority":1e400"#), 422),
        ("a negative number", field(#""priority":-1"#), 422),
        ("beyond 64 bits", field(#""version":18446744073709551616"#), 422),
        ("an unknown version", field(#""version":7"#), 422),
        ("an empty name", field(#""scheduled_by_name":"""#), 422),
        (
            "a long name", field("\"scheduled_by_name\":\"\(String(repeating: "é", count: 76))\""),
            422
        ),
        ("NUL in a text", field(#""scheduled_by_name":"a\u0000""#), 422),
        ("a long key", field("\"dedup_key\":\"\(String(repeating: "k", count: 256))\""), 422),
        ("an end before the time", field(#""expires_at":"2998-01-01T00:00:00Z""#), 422),
        ("a time without a zone", time("2999-01-01T00:00:00"), 422),
        ("an impossible date", time("2999-02-30T00:00:00Z"), 422),
        ("second 60", time("2998-12-31T23:59:60Z"), 422),
        ("an impossible zone", time("2999-01-01T00:00:00+25:00"), 422),
        ("nanoseconds", time("2999-01-01T00:00:00.1234567Z"), 422),
        ("a week date", time("2999-W01-1T00:00:00Z"), 422),
        ("the past", time("2020-01-01T00:00:00Z"), 422),
        ("year 10000", time("10000-01-01T00:00:00Z"), 422),
        (
            "an input that is too large",
            field("\"run_input\":\"\(String(repeating: "x", count: 256 << 10))\""), 413
        ),
        (
            "a body that is too large", [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20 | 1),
            413
        ),
    ]

    private static func field(_ field: String) -> [UInt8] {
        Array(#"{"scheduled_time":"\#(future)",\#(field)}"#.utf8)
    }

    private static func time(_ time: String) -> [UInt8] {
        Array(#"{"scheduled_time":"\#(time)"}"#.utf8)
    }

    @Test("each bad body gets a problem that names its place, and writes nothing")
    func bodies() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let before = try api.position()
            for (what, bytes, status) in Self.bodies {
                let answer = try await api.call(
                    .post, "/workflows/\(workflow)/schedules", bytes: bytes)
                #expect(answer.status == status, "\(what): \(answer.text.prefix(200))")
                #expect(answer.headers[.contentType] == "application/problem+json", "\(what)")
                #expect(answer.json["request_id"] is String, "\(what)")
                #expect((answer.json["detail"] as? String)?.isEmpty == false, "\(what)")
                if status == 422 { #expect(answer.json["errors"] != nil, "\(what)") }
            }
            #expect(try api.position() == before)
            #expect(try await api.call(.get, "/healthz").status == 200)
        }
    }

    @Test("numbers that are whole are taken in every form, and offsets are times")
    func goodOddities() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let answer = try await api.call(
                .post, "/workflows/\(workflow)/schedules",
                #"{"scheduled_time":"2999-01-01T01:00:00.500000+01:00","priority":1.0,"version":0e5}"#
            )
            #expect(answer.status == 201, "\(answer.text)")
            #expect(answer.json["scheduled_time"] as? String == "2999-01-01T00:00:00.500000Z")
        }
    }

    @Test("wrong types, codings, methods and paths")
    func requests() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let path = "/workflows/\(workflow)/schedules"
            let body = #"{"scheduled_time":"2999-01-01T00:00:00Z"}"#
            let before = try api.position()
            for type in ["text/plain", "application/xml", "application/jsonx"] {
                let answer = try await api.call(.post, path, body, headers: [.contentType: type])
                #expect(answer.status == 415, "\(type)")
            }
            let coded = try await api.call(
                .post, path, body, headers: [.contentEncoding: "gzip"])
            #expect(coded.status == 415)
            for (method, path) in [
                (HTTPRequest.Method.put, path), (.delete, "/workflows"), (.post, "/healthz"),
                (.patch, "/workflow-runs"),
            ] {
                let answer = try await api.call(method, path, "{}")
                #expect(answer.status == 405, "\(method) \(path)")
                #expect(answer.headers[.allow] != nil)
            }
            let upper = workflow.uppercased()
            for path in [
                "/nothing", "/workflows/\(upper)", "/workflows/{\(workflow)}", "/workflows/..",
                "/workflows/%2f", "/workflows/%00", "/workflows/\(workflow)0",
                "/workflow-runs/-1", "/workflows/\(workflow)/versions/99999999999999999999",
                "/log/../admin.key",
            ] {
                let answer = try await api.call(.get, path)
                #expect(answer.status == 404, "\(path)")
                #expect(answer.code == "not_found", "\(path)")
            }
            #expect(try api.position() == before)
        }
    }

    @Test("random bodies never bring the service down, and never write")
    func fuzz() async throws {
        for var numbers in RandomCases(1) {
            let seed = numbers.next()
            try await TestAPI.run { api in
                var numbers = SeededGenerator(seed: seed)
                // Nobody's workflow: a change may make the body a good one.
                let workflow = "0123456789abcdef01234567"
                let before = try api.position()
                let seedling = Array(
                    #"{"scheduled_time":"2020-01-01T00:00:00Z","run_input":{"a":[1,2]}}"#.utf8)
                for _ in 0..<400 {
                    var bytes = seedling
                    for _ in 0..<Int.random(in: 1...6, using: &numbers) {
                        let index = Int.random(in: bytes.indices, using: &numbers)
                        bytes[index] = UInt8.random(in: 0...255, using: &numbers)
                    }
                    let answer = try await api.call(
                        .post, "/workflows/\(workflow)/schedules", bytes: bytes)
                    #expect(
                        [400, 404, 422].contains(answer.status),
                        "\(answer.status) \(numbers.hint)")
                }
                #expect(try api.position() == before)
            }
        }
    }
}
