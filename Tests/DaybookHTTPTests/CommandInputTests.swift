import DaybookCore
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// Values that every command refuses, each with the pointer that it is told by.
@Suite("Input of commands")
struct CommandInputTests {
    private static func executor(_ more: String) -> String {
        #"{"name":"n","definition":{"executor":\#(more)}}"#
    }

    private static func http(_ url: String, _ more: String = "") -> String {
        executor(#"{"type":"http","url":"\#(url)"\#(more)}"#)
    }

    private static func headers(_ headers: String) -> String {
        http("https://example.com/", #","headers":{\#(headers)}"#)
    }

    private static func workflow(_ more: String) -> String {
        #"{"name":"n","definition":{"executor":{"type":"echo"}},\#(more)}"#
    }

    private static func named(_ name: String) -> String {
        #"{"name":"\#(name)","definition":{"executor":{"type":"echo"}}}"#
    }

    /// Bodies of `POST /workflows`, with the pointer of the mistake.
    private static let workflows: [(String, String)] = [
        ("{}", "/name"), ("{}", "/definition"), (workflow(#""id":"x""#), "/id"),
        (named(""), "/name"),
        (#"{"name":null,"definition":{"executor":{"type":"echo"}}}"#, "/name"),
        (#"{"name":7,"definition":{"executor":{"type":"echo"}}}"#, "/name"),
        (named(String(repeating: "é", count: 76)), "/name"),
        (workflow(#""run_timeout_seconds":0"#), "/run_timeout_seconds"),
        (workflow(#""run_timeout_seconds":86401"#), "/run_timeout_seconds"),
        (workflow(#""run_timeout_seconds":9223372036854775808"#), "/run_timeout_seconds"),
        (workflow(#""max_concurrent_runs":-1"#), "/max_concurrent_runs"),
        (workflow(#""max_concurrent_runs":null"#), "/max_concurrent_runs"),
        (workflow(#""retry":[]"#), "/retry"),
        (workflow(#""retry":{"max_attempts":0}"#), "/retry/max_attempts"),
        (workflow(#""retry":{"max_attempts":101}"#), "/retry/max_attempts"),
        (workflow(#""retry":{"attempts":1}"#), "/retry/attempts"),
        (
            workflow(#""retry":{"initial_backoff_seconds":10,"max_backoff_seconds":5}"#),
            "/retry/max_backoff_seconds"
        ),
        (executor(#"{"type":"echo","delay_ms":-1}"#), "/definition/executor/delay_ms"),
        (executor(#"{"type":"echo","delay_ms":3600001}"#), "/definition/executor/delay_ms"),
        (executor(#"{"type":"shell"}"#), "/definition/executor/type"),
        (executor(#"{"type":"worker"}"#), "/definition/executor/queue"),
        (
            executor(#"{"type":"worker","queue":"\#(String(repeating: "q", count: 65))"}"#),
            "/definition/executor/queue"
        ),
        (http("https://example.com:22/"), "/definition/executor/url"),
        (http("https://example.com:25/"), "/definition/executor/url"),
        (http("https://user@example.com/"), "/definition/executor/url"),
        (http("https://example.com/#part"), "/definition/executor/url"),
        (http(#"https:\\example.com"#), "/definition/executor/url"),
        (http("file:///etc/passwd"), "/definition/executor/url"),
        (http("https://example.com/", #","method":"TRACE""#), "/definition/executor/method"),
        (
            http("https://example.com/", #","timeout_seconds":0"#),
            "/definition/executor/timeout_seconds"
        ),
        (
            http("https://example.com/", #","redelivery":"maybe""#),
            "/definition/executor/redelivery"
        ),
        (headers(#""A":"x\r\nB: y""#), "/definition/executor/headers/A"),
        (headers(#""A":"1","a":"2""#), "/definition/executor/headers/a"),
        (headers(#""A":{"secret":false}"#), "/definition/executor/headers/A"),
        (headers(#""A":{"secret":"x","more":1}"#), "/definition/executor/headers/A"),
        (headers(#""A B":"1""#), "/definition/executor/headers/A B"),
        (headers(#""webhook-id":"1""#), "/definition/executor/headers/webhook-id"),
        (headers(#""Content-Length":"1""#), "/definition/executor/headers/Content-Length"),
        (headers(#""Idempotency-Key":"1""#), "/definition/executor/headers/Idempotency-Key"),
    ]

    private static func expect(
        _ answer: TestAPI.Answer, _ pointer: String, _ what: String
    ) {
        #expect(answer.status == 422, "\(what): \(answer.text.prefix(300))")
        let errors = answer.json["errors"] as? [[String: any Sendable]] ?? []
        let pointers = errors.compactMap { $0["pointer"] as? String }
        #expect(pointers.contains(pointer), "\(what): \(pointers)")
    }

    @Test("a new workflow: each mistake is told by its pointer, and nothing is written")
    func newWorkflows() async throws {
        try await TestAPI.run { api in
            let before = try api.position()
            for (body, pointer) in Self.workflows {
                Self.expect(try await api.call(.post, "/workflows", body), pointer, body)
            }
            #expect(try api.position() == before)
        }
    }

    @Test("an address that is not global is refused at save in every disguise")
    func privateAddresses() async throws {
        try await TestAPI.run { api in
            let before = try api.position()
            for host in [
                "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost",
                "a.localhost", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
                "100.64.0.1", "0.0.0.0", "[::1]", "[::]", "[fe80::1]", "[fd00::1]",
                "[::ffff:10.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "LOCALHOST",
                "localhost.", "127.0.0.1.",
            ] {
                let answer = try await api.call(
                    .post, "/workflows", Self.http("http://\(host)/"))
                #expect(answer.status == 422, "\(host): \(answer.text.prefix(200))")
            }
            #expect(try api.position() == before)
        }
    }

    @Test("every other command: each mistake is told by its pointer, and nothing is written")
    func otherCommands() async throws {
        try await TestAPI.run { api in
            let id = try await api.waitingWorkflow()
            let run = try await api.call(.post, "/workflows/\(id)/execute", "{}").id
            _ = try await api.submit(
                .claim(.worker("nobody"), worker: "w", leaseSeconds: 60),
                team: try api.teamOfAdmin())
            let long = String(repeating: "x", count: 16 << 10 | 1)
            let table: [(HTTPRequest.Method, String, String, String)] = [
                (.patch, "/workflows/\(id)", #"{"name":null}"#, "/name"),
                (.patch, "/workflows/\(id)", #"{"paused":null}"#, "/paused"),
                (.patch, "/workflows/\(id)", #"{"paused":"yes"}"#, "/paused"),
                (.patch, "/workflows/\(id)", #"{"retry":null}"#, "/retry"),
                (.patch, "/workflows/\(id)", #"{"active_version":1}"#, "/active_version"),
                (.patch, "/workflows/\(id)/concurrency", "{}", "/max_concurrent_runs"),
                (
                    .patch, "/workflows/\(id)/concurrency", #"{"max_concurrent_runs":1000001}"#,
                    "/max_concurrent_runs"
                ),
                (.post, "/workflows/\(id)/secret/rotate", #"{"secret":"x"}"#, "/secret"),
                (
                    .post, "/workflows/\(id)/versions", #"{"source_version_number":7}"#,
                    "/source_version_number"
                ),
                (
                    .post, "/workflows/\(id)/versions", #"{"mark_as_active":1}"#,
                    "/mark_as_active"
                ),
                (.post, "/workflows/\(id)/versions", #"{"version_name":""}"#, "/version_name"),
                (.patch, "/workflows/\(id)/versions/0", "{}", "/version_name"),
                (
                    .patch, "/workflows/\(id)/versions/0", #"{"version_name":null}"#,
                    "/version_name"
                ),
                (.put, "/workflows/\(id)/versions/0/definition", "{}", "/executor"),
                (
                    .put, "/workflows/\(id)/versions/0/definition",
                    #"{"executor":{"type":"echo"},"more":1}"#, "/more"
                ),
                (.post, "/workflows/\(id)/execute", #"{"priority":10}"#, "/priority"),
                (.post, "/workflows/\(id)/execute", #"{"version":0}"#, "/version"),
                (
                    .post, "/workflows/\(id)/execute", #"{"expires_at":"2020-01-01T00:00:00Z"}"#,
                    "/expires_at"
                ),
                (.post, "/workflows/\(id)/execute?version=7", "{}", "?version"),
                (.post, "/workflows/\(id)/execute?version=x", "{}", "?version"),
                (.post, "/workflows/\(id)/execute?wait=61", "{}", "?wait"),
                (.post, "/workflows/\(id)/execute?wait=-1", "{}", "?wait"),
                (.post, "/workflows/\(id)/execute?wait=1.5", "{}", "?wait"),
                (.post, "/workflows/\(id)/execute?wait=", "{}", "?wait"),
                (.post, "/workflows/\(id)/execute?wait=0&wait=0", "{}", "?wait"),
                (.post, "/workflows/\(id)/execute?priority=1", "{}", "?priority"),
                (.post, "/workflow-runs/\(run)/complete", "{}", "/attempt"),
                (.post, "/workflow-runs/\(run)/complete", #"{"attempt":0}"#, "/attempt"),
                (.post, "/workflow-runs/\(run)/complete", #"{"attempt":"1"}"#, "/attempt"),
                (.post, "/workflow-runs/\(run)/complete", #"{"attempt":1.5}"#, "/attempt"),
                (.post, "/workflow-runs/\(run)/complete", #"{"attempt":1e99}"#, "/attempt"),
                (
                    .post, "/workflow-runs/\(run)/complete", #"{"attempt":1,"status":"failed"}"#,
                    "/status"
                ),
                (
                    .post, "/workflow-runs/\(run)/fail", #"{"attempt":1,"reason":"expired"}"#,
                    "/reason"
                ),
                (.post, "/workflow-runs/\(run)/fail", #"{"attempt":1,"reason":"x"}"#, "/reason"),
                (.post, "/workflow-runs/\(run)/fail", #"{"attempt":1,"message":1}"#, "/message"),
                (
                    .post, "/workflow-runs/\(run)/fail", #"{"attempt":1,"message":"\#(long)"}"#,
                    "/message"
                ),
                (
                    .post, "/workflow-runs/\(run)/fail", #"{"attempt":1,"retryable":"no"}"#,
                    "/retryable"
                ),
                (.post, "/workflow-runs/\(run)/heartbeat", "{}", "/attempt"),
                (.post, "/workflow-runs/\(run)/release", #"{"attempt":1,"x":1}"#, "/x"),
                (.post, "/workflow-runs/\(run)/cancel", #"{"attempt":1}"#, "/attempt"),
                (.post, "/pause", #"{"until":1}"#, "/until"),
                (.post, "/clock/trust", #"{"now":1}"#, "/now"),
            ]
            let before = try api.position()
            for (method, path, body, pointer) in table {
                Self.expect(
                    try await api.call(method, path, body), pointer,
                    "\(method) \(path) \(body.prefix(100))")
            }
            #expect(try api.position() == before)
        }
    }

    @Test("an output that is too large is refused, and the run goes on")
    func largeOutput() async throws {
        try await TestAPI.run { api in
            let id = try await api.waitingWorkflow()
            let run = try await api.call(.post, "/workflows/\(id)/execute", "{}").id
            _ = try await api.submit(
                .claim(.worker("nobody"), worker: "w", leaseSeconds: 60),
                team: try api.teamOfAdmin())
            let path = "/workflow-runs/\(run)/complete"
            let fitting = String(repeating: "x", count: 256 << 10 - 2)
            let large = try await api.call(
                .post, path, #"{"attempt":1,"output":"\#(fitting)x"}"#)
            #expect(large.status == 413)
            #expect(large.code == "too_large")
            let done = try await api.call(.post, path, #"{"attempt":1,"output":"\#(fitting)"}"#)
            #expect(done.status == 200, "\(done.text.prefix(300))")
        }
    }

    @Test("on every path, a method that it does not know is a 405 that names those it does")
    func methods() async throws {
        try await TestAPI.run { api in
            var known: [String: Set<String>] = [:]
            for route in Route.all {
                known[route.path, default: []].insert(route.method.rawValue)
                if route.method == .get { known[route.path, default: []].insert("HEAD") }
            }
            let all: [HTTPRequest.Method] = [
                .get, .head, .post, .put, .patch, .delete, .options,
                try #require(HTTPRequest.Method("QUERY")), try #require(HTTPRequest.Method("MOVE")),
            ]
            for (path, methods) in known {
                var concrete = path.replacing("{version}", with: "0")
                for name in ["workflow_id", "schedule_id", "run_id"] {
                    concrete = concrete.replacing("{\(name)}", with: "0123456789abcdef01234567")
                }
                for method in all where !methods.contains(method.rawValue) {
                    let answer = try await api.call(method, concrete, key: "")
                    #expect(answer.status == 405, "\(method) \(path)")
                    let allow = answer.headers[.allow]?.split(separator: ", ").map(String.init)
                    #expect(Set(allow ?? []) == methods, "\(method) \(path)")
                }
            }
        }
    }
}
