import DaybookCore
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// Texts that look like others, and sizes at their edges.
@Suite("Texts and sizes")
struct TextTests {
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"
    /// One character of 25 bytes.
    private static let family = "👨‍👩‍👧‍👦"

    private static func schedule(
        _ api: TestAPI, _ workflow: String, _ more: String
    ) async throws -> TestAPI.Answer {
        try await api.call(
            .post, "/workflows/\(workflow)/schedules",
            #"{"scheduled_time":"2999-01-01T00:00:00Z",\#(more)}"#)
    }

    /// Whether the two have the same bytes; `==` has another opinion of accents.
    private static func areSame(_ one: String?, _ other: String) -> Bool {
        one.map { Array($0.utf8) == Array(other.utf8) } ?? false
    }

    @Test("names are kept in one form, keys are bytes")
    func forms() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let named = try await api.call(
                .patch, "/workflows/\(workflow)", #"{"name":"\#(Self.decomposed)"}"#)
            #expect(Self.areSame(named.json["name"] as? String, Self.composed))
            let same = try await api.call(
                .patch, "/workflows/\(workflow)", #"{"name":"\#(Self.composed)"}"#)
            #expect(same.position == named.position)
            for key in [Self.composed, Self.decomposed] {
                let made = try await Self.schedule(api, workflow, #""dedup_key":"\#(key)""#)
                #expect(made.status == 201, "\(made.text)")
                #expect(Self.areSame(made.json["dedup_key"] as? String, key))
            }
            for key in ["caf%C3%A9", "cafe%CC%81"] {
                let list = try await api.call(.get, "/workflow-schedules?dedup_key=\(key)")
                #expect(list.items.count == 1, "\(key)")
            }
            let again = try await Self.schedule(
                api, workflow, #""dedup_key":"\#(Self.decomposed)""#)
            #expect(again.status == 409)
        }
    }

    @Test("a payload is any JSON, kept as it was sent")
    func payloads() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            for input in [
                "null", "true", "-0", "-0.0", "1E+2", "0.10", "9007199254740993", "1e400", "\"\"",
                #""\u0000""#, #""\ud83d\ude00\/""#, "[ ]", "{ \"b\":1 ,\"a\":\t[1,2] }",
                #"{"\#(Self.composed)":1,"\#(Self.decomposed)":2}"#, #"{"":{"":0}}"#,
                "\"\(Self.family)\u{202E}\u{7F}\"",
            ] {
                let made = try await Self.schedule(api, workflow, #""run_input":\#(input)"#)
                #expect(made.status == 201, "\(input): \(made.text)")
                let read = try await api.call(.get, "/workflow-schedules/\(made.id)")
                for answer in [made, read] {
                    let bytes = Array(#""run_input":\#(input),"version":"#.utf8)
                    #expect(answer.body.contains(bytes), "\(input): \(answer.text)")
                }
            }
        }
    }

    @Test("what forges lines and turns texts around is kept, and never written raw")
    func disguises() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let made = try await Self.schedule(
                api, workflow, #""scheduled_by_name":"\u001b[31m\r\n\u202e</script>""#)
            #expect(made.status == 201)
            #expect(
                made.json["scheduled_by_name"] as? String
                    == "\u{1B}[31m\r\n\u{202E}</script>")
            #expect(!made.body.contains { $0 < 0x20 })
        }
    }

    @Test("limits of texts count bytes, not what a reader would count")
    func textLimits() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            for (count, status) in [(6, 201), (7, 422)] {
                let name = String(repeating: Self.family, count: count)
                let made = try await Self.schedule(
                    api, workflow, #""scheduled_by_name":"\#(name)""#)
                #expect(made.status == status, "\(count)")
            }
            for (count, status) in [(255, 201), (256, 422), (0, 422)] {
                let key = String(repeating: "k", count: count)
                let made = try await Self.schedule(api, workflow, #""dedup_key":"\#(key)""#)
                #expect(made.status == status, "\(count)")
            }
        }
    }

    @Test("depth, payload and body: the last that fits, and one more")
    func edges() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            for (depth, status) in [(63, 201), (64, 400)] {
                let input =
                    String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
                let made = try await Self.schedule(api, workflow, #""run_input":\#(input)"#)
                #expect(made.status == status, "\(depth)")
            }
            let limits = API.Limits()
            for (size, status) in [(limits.payloadBytes, 201), (limits.payloadBytes + 1, 413)] {
                let text = String(repeating: "x", count: size - 2)
                let made = try await Self.schedule(api, workflow, #""run_input":"\#(text)""#)
                #expect(made.status == status, "\(size)")
            }
            let body = Array(#"{"scheduled_time":"2999-01-01T00:00:00Z"}"#.utf8)
            for (size, status) in [(limits.bodyBytes, 201), (limits.bodyBytes + 1, 413)] {
                let padding = [UInt8](repeating: UInt8(ascii: " "), count: size - body.count)
                let made = try await api.call(
                    .post, "/workflows/\(workflow)/schedules", bytes: body + padding)
                #expect(made.status == status, "\(size)")
            }
        }
    }

    @Test("which content types are JSON")
    func contentTypes() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let body = #"{"scheduled_time":"2999-01-01T00:00:00Z"}"#
            for (type, status) in [
                ("application/json", 201), ("Application/JSON", 201),
                ("application/json; charset=utf-8", 201), ("application/json ;x=y", 201),
                ("", 415), ("json", 415), ("application/problem+json", 415),
                ("application/x-www-form-urlencoded", 415), ("multipart/form-data", 415),
                ("text/json", 415),
            ] {
                let answer = try await api.call(
                    .post, "/workflows/\(workflow)/schedules", body,
                    headers: [.contentType: type])
                #expect(answer.status == status, "\(type)")
            }
            // A command that needs no body takes none at all, of whatever type.
            for type in ["", "text/plain"] {
                let answer = try await api.call(
                    .post, "/workflows/\(workflow)/execute", headers: [.contentType: type])
                #expect(answer.status == 202, "\(type)")
            }
            for coding in ["gzip", "br", "deflate", "identity, gzip"] {
                let answer = try await api.call(
                    .post, "/workflows/\(workflow)/execute", "{}",
                    headers: [.contentEncoding: coding])
                #expect(answer.status == 415, "\(coding)")
            }
        }
    }
}
