import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Foundation
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// What holds for every route that takes a command, taken from the list of routes.
@Suite("Every command", .timeLimit(.minutes(5)))
struct EveryCommandTests {
    /// What a request needs to be there, made anew for each.
    private struct Things {
        let team: String
        let workflow: String
        let schedule: String
        let run: String
        var key = ""
        /// By the names that paths have for them.
        var edges: [String: String] = [:]
    }

    /// One request that is granted and changes something, and another for the same route.
    private struct Sample {
        let body: String?
        let other: String?
        /// Whether the run must have been started.
        var needsStart = false
    }

    private static let samples: [String: Sample] = [
        "POST /workflows/{workflow_id}/schedules": Sample(
            body: #"{"scheduled_time":"2999-01-01T00:00:00Z","run_input":{"n":1.50}}"#,
            other: #"{"scheduled_time":"2999-01-01T00:00:00Z","run_input":{"n":1.5}}"#),
        "PATCH /workflow-schedules/{schedule_id}": Sample(
            body: #"{"priority":8}"#, other: #"{"priority":9}"#),
        "DELETE /workflow-schedules/{schedule_id}": Sample(body: nil, other: nil),
        "POST /workflows/{workflow_id}/execute": Sample(
            body: #"{"run_input":1}"#, other: #"{"run_input":2}"#),
        "POST /queues/{queue}/claim": Sample(
            body: #"{"worker":"a"}"#, other: #"{"worker":"b"}"#),
        "POST /teams": Sample(body: #"{"name":"a"}"#, other: #"{"name":"b"}"#),
        "PATCH /teams/{team_id}/license": Sample(
            body: #"{"max_concurrent_runs":7}"#, other: #"{"max_concurrent_runs":8}"#),
        "POST /api-keys": Sample(
            body: #"{"team_id":"{team_id}","role":"read","name":"a"}"#,
            other: #"{"team_id":"{team_id}","role":"read","name":"b"}"#),
        "DELETE /api-keys/{key_id}": Sample(body: nil, other: nil),
        "DELETE /workflows/{workflow_id}": Sample(body: nil, other: nil),
        "DELETE /workflows/{workflow_id}/versions/{version}": Sample(body: nil, other: nil),
        "POST /workflows/import": Sample(body: bundle(named: "a"), other: bundle(named: "b")),
        "POST /workflow-schedules/cancel": Sample(
            body: #"{"filter":{"workflow_id":"{workflow_id}"}}"#,
            other: #"{"filter":{"status":"pending"}}"#),
        "POST /workflow-schedules/modify": Sample(
            body: #"{"filter":{"workflow_id":"{workflow_id}"},"changes":{"priority":1}}"#,
            other: #"{"filter":{"status":"pending"},"changes":{"priority":1}}"#),
        "POST /workflow-runs/{run_id}/complete": Sample(
            body: #"{"attempt":1,"output":1}"#, other: #"{"attempt":1,"output":2}"#,
            needsStart: true),
        "POST /workflow-runs/{run_id}/fail": Sample(
            body: #"{"attempt":1,"message":"a"}"#, other: #"{"attempt":1,"message":"b"}"#,
            needsStart: true),
        "POST /workflow-runs/{run_id}/heartbeat": Sample(
            body: #"{"attempt":1}"#, other: #"{"attempt": 1}"#, needsStart: true),
        "POST /workflow-runs/{run_id}/release": Sample(
            body: #"{"attempt":1}"#, other: #"{"attempt": 1}"#, needsStart: true),
        "POST /workflow-runs/{run_id}/cancel": Sample(body: "{}", other: "{ }"),
        "POST /workflow-runs/{run_id}/erase": Sample(body: "{}", other: "{ }"),
        "POST /workflow-schedules/{schedule_id}/erase": Sample(
            body: #"{"force":true}"#, other: #"{"force": true}"#),
        "POST /workflows": Sample(
            body: #"{"name":"a","definition":{"executor":{"type":"echo"}}}"#,
            other: #"{"name":"b","definition":{"executor":{"type":"echo"}}}"#),
        "PATCH /workflows/{workflow_id}": Sample(
            body: #"{"name":"a"}"#, other: #"{"name":"b"}"#),
        "PATCH /workflows/{workflow_id}/concurrency": Sample(
            body: #"{"max_concurrent_runs":3}"#, other: #"{"max_concurrent_runs":4}"#),
        "POST /workflows/{workflow_id}/secret/rotate": Sample(body: "{}", other: "{ }"),
        "POST /workflows/{workflow_id}/versions": Sample(
            body: #"{"version_name":"a"}"#, other: #"{"version_name":"b"}"#),
        "PATCH /workflows/{workflow_id}/versions/{version}": Sample(
            body: #"{"version_name":"a"}"#, other: #"{"version_name":"b"}"#),
        "PUT /workflows/{workflow_id}/versions/{version}/definition": Sample(
            body: #"{"executor":{"type":"echo","delay_ms":1}}"#,
            other: #"{"executor":{"type":"echo","delay_ms":2}}"#),
        "POST /workflows/{workflow_id}/versions/{version}/activate": Sample(
            body: "{}", other: "{ }"),
        "POST /workflow-triggers": Sample(
            body: trigger(named: "a"), other: trigger(named: "b")),
        "PATCH /workflow-triggers/{trigger_id}": Sample(
            body: #"{"enabled":false}"#, other: #"{"enabled":true}"#),
        "DELETE /workflow-triggers/{trigger_id}": Sample(body: nil, other: nil),
        "POST /workflow-triggers/{trigger_id}/secret/rotate": Sample(body: "{}", other: "{ }"),
        "POST /workflow-triggers/{trigger_id}/refusals/{refusal_id}/retry": Sample(
            body: "{}", other: "{ }"),
        "POST /workflow-triggers/{trigger_id}/refusals/{refusal_id}/erase": Sample(
            body: "{}", other: "{ }"),
        "POST /workflow-webhooks": Sample(
            body: #"{"name":"a","url":"https://example.com/","actions":["workflow_created"]}"#,
            other: #"{"name":"b","url":"https://example.com/","actions":["workflow_created"]}"#),
        "PATCH /workflow-webhooks/{subscription_id}": Sample(
            body: #"{"enabled":false}"#, other: #"{"enabled":true}"#),
        "DELETE /workflow-webhooks/{subscription_id}": Sample(body: nil, other: nil),
        "POST /workflow-webhooks/{subscription_id}/secret/rotate": Sample(
            body: "{}", other: "{ }"),
        "POST /workflow-webhooks/{subscription_id}/replay": Sample(
            body: #"{"after":0}"#, other: #"{"after":1}"#),
        "POST /workflow-webhooks/events/{delivery_id}/retry": Sample(body: "{}", other: "{ }"),
        "POST /pause": Sample(body: "{}", other: "{ }"),
        "POST /resume": Sample(body: "{}", other: "{ }"),
        "POST /clock/trust": Sample(body: "{}", other: "{ }"),
    ]

    private static func name(_ route: Route) -> String { "\(route.method) \(route.path)" }

    private static func bundle(named name: String) -> String {
        """
        {"format":"daybook-workflow","format_version":1,"name":"\(name)","active_version":2,
        "definition":{"executor":{"type":"echo"}},
        "versions":[{"version_number":2,"definition":{"executor":{"type":"echo"}}}]}
        """
    }

    private static func trigger(named name: String) -> String {
        #"{"kind":"webhook","workflow_id":"{workflow_id}","name":"\#(name)","verification":{"type":"standard"}}"#
    }

    /// A rebuild and a session change nothing that the log knows, so they have no entry; a hook is no command
    /// of a client; a batch is many.
    private static let commands = Route.all.filter { route in
        route.method != .get && !["/rebuild", "/session"].contains(route.path)
            && !route.path.hasPrefix("/hooks/")
            && route.body != .batch
    }

    /// The things that the route is about, in a state in which the sample changes something.
    private static func things(_ api: TestAPI, _ sample: Sample, _ route: Route) async throws
        -> Things
    {
        let team = try api.teamOfAdmin().description
        let key = try #require(APIKeyText(try await api.newKey(.read, of: api.teamOfAdmin())))
        let workflow = try await api.waitingWorkflow()
        let schedule = try await api.schedule(workflow, more: #","run_input":1"#)
        let run = try await api.call(.post, "/workflows/\(workflow)/execute", #"{"run_input":1}"#)
            .id
        if sample.needsStart {
            // Only the newest run is left in the queue, and is the one that starts.
            let started = try await api.submit(
                .claim(.worker("nobody"), worker: "w", leaseSeconds: 60),
                team: try api.teamOfAdmin())
            guard case .run(let claimed) = started.answer else { throw Problem.internal }
            try #require(claimed.id.description == run)
        } else {
            _ = try await api.call(.post, "/workflow-runs/\(run)/cancel")
        }
        if Self.isAboutVersion(route) {
            _ = try await api.call(.post, "/workflows/\(workflow)/versions", "{}")
        }
        if route.method == .delete, route.path == "/workflows/{workflow_id}" {
            _ = try await api.call(.delete, "/workflow-schedules/\(schedule)")
        }
        if route.path == "/resume" { _ = try await api.call(.post, "/pause") }
        if route.path == "/pause" { _ = try await api.call(.post, "/resume") }
        if route.path.hasSuffix("/license") {
            // The license that the sample sets is a change each time.
            _ = try await api.call(
                .patch, "/teams/\(team)/license", #"{"max_concurrent_runs":50}"#)
        }
        if route.path.hasSuffix("{run_id}/cancel") || route.path.hasSuffix("/claim") {
            let queued = try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id
            return Things(team: team, workflow: workflow, schedule: schedule, run: queued)
        }
        let isEdge =
            route.path.hasPrefix("/workflow-triggers/")
            || route.path.hasPrefix("/workflow-webhooks/")
        return Things(
            team: team, workflow: workflow, schedule: schedule, run: run,
            key: key.id.description, edges: isEdge ? try await api.edges(of: workflow) : [:])
    }

    private static func isAboutVersion(_ route: Route) -> Bool {
        route.path.hasSuffix("/activate")
            || route.method == .delete && route.path.hasSuffix("/versions/{version}")
    }

    private static func path(_ route: Route, _ things: Things) -> String {
        things.edges.reduce(route.path) { $0.replacing("{\($1.key)}", with: $1.value) }
            .replacing("{workflow_id}", with: things.workflow)
            .replacing("{team_id}", with: things.team).replacing("{queue}", with: "nobody")
            .replacing("{schedule_id}", with: things.schedule)
            .replacing("{run_id}", with: things.run)
            .replacing("{version}", with: isAboutVersion(route) ? "1" : "0")
            .replacing("{key_id}", with: things.key)
    }

    private static func body(_ body: String?, _ things: Things) -> String? {
        body?.replacing("{team_id}", with: things.team)
            .replacing("{workflow_id}", with: things.workflow)
    }

    /// Leaves no run behind that a later claim could find.
    private static func tidy(_ api: TestAPI) async throws {
        for run in try await api.call(.get, "/workflow-runs?status=queued").items {
            let id = try #require(run["id"] as? String)
            _ = try await api.call(.post, "/workflow-runs/\(id)/cancel")
        }
    }

    @Test("each route has a sample here, so that a new one is tested like all others")
    func samplesAreWhole() {
        #expect(Set(Self.commands.map { Self.name($0) }) == Set(Self.samples.keys))
    }

    @Test("without a key: one entry, named by position, request id and revision")
    func effects() async throws {
        try await TestAPI.run { api in
            for route in Self.commands {
                guard let sample = Self.samples[Self.name(route)] else { continue }
                let things = try await Self.things(api, sample, route)
                let before = try api.position()
                let answer = try await api.call(
                    route.method, Self.path(route, things),
                    Self.body(sample.body, things))
                #expect((200..<300).contains(answer.status), "\(Self.name(route)) \(answer.text)")
                // A lease that was just given is not renewed: that is no entry.
                let isNothing = route.path.hasSuffix("/heartbeat")
                let position = try #require(answer.position.map { Position($0) })
                #expect(position == (isNothing ? before : before + 1), "\(Self.name(route))")
                #expect(try api.position() == position, "\(Self.name(route))")
                let id = try #require(answer.headers[.requestID])
                let entry = try api.engine.read { view in try view.entry(at: position) }
                #expect(
                    (entry.header.commandID.description == id) == !isNothing,
                    "\(Self.name(route))")
                #expect(answer.headers[.idempotentReplayed] == nil, "\(Self.name(route))")
                #expect(answer.headers[.contentType] == "application/json", "\(Self.name(route))")
                if let revision = answer.json["revision"] as? Int {
                    #expect(answer.headers[.eTag] == "\"\(revision)\"", "\(Self.name(route))")
                }
                try await Self.tidy(api)
            }
        }
    }

    @Test("with a key: the same again has one effect and one answer, another request is refused")
    func keys() async throws {
        try await TestAPI.run { api in
            for (index, route) in Self.commands.enumerated()
            where !route.path.hasSuffix("/heartbeat") {
                guard let sample = Self.samples[Self.name(route)] else { continue }
                let things = try await Self.things(api, sample, route)
                let path = Self.path(route, things)
                let key = [HTTPField.Name.idempotencyKey: "key-\(index)"]
                let first = try await api.call(
                    route.method, path, Self.body(sample.body, things), headers: key)
                #expect((200..<300).contains(first.status), "\(Self.name(route)) \(first.text)")
                let before = try api.position()
                let again = try await api.call(
                    route.method, path, Self.body(sample.body, things), headers: key)
                #expect(again.status == first.status, "\(Self.name(route)) \(again.text)")
                #expect(again.body == first.body, "\(Self.name(route))")
                #expect(again.headers[.idempotentReplayed] == "true", "\(Self.name(route))")
                for name in [HTTPField.Name.daybookPosition, .eTag, .contentType] {
                    #expect(again.headers[name] == first.headers[name], "\(Self.name(route))")
                }
                #expect(
                    again.headers[.requestID] != first.headers[.requestID],
                    "\(Self.name(route))")
                let others = [
                    (path, Self.body(sample.other, things)),
                    (path + "?x=1", Self.body(sample.body, things)),
                ]
                for (path, body) in others where route.body == .json || path.contains("?") {
                    let other = try await api.call(route.method, path, body, headers: key)
                    #expect(other.status == 422, "\(Self.name(route)) \(path) \(other.text)")
                }
                #expect(try api.position() == before, "\(Self.name(route))")
                try await Self.tidy(api)
            }
        }
    }

    @Test("with one key at the same time: one effect, and one answer for all")
    func atOnce() async throws {
        try await TestAPI.run { api in
            for (index, route) in Self.commands.enumerated()
            where !route.path.hasSuffix("/heartbeat") {
                guard let sample = Self.samples[Self.name(route)] else { continue }
                let things = try await Self.things(api, sample, route)
                let path = Self.path(route, things)
                let before = try api.position()
                let answers = try await withThrowingTaskGroup(of: TestAPI.Answer.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            try await api.call(
                                route.method, path, Self.body(sample.body, things),
                                headers: [.idempotencyKey: "once-\(index)"])
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(answers.map(\.body)).count == 1, "\(Self.name(route))")
                #expect(Set(answers.map(\.status)).count == 1, "\(Self.name(route))")
                let replays = answers.filter { $0.headers[.idempotentReplayed] == "true" }
                #expect(replays.count == 3, "\(Self.name(route))")
                #expect(try api.position() == before + 1, "\(Self.name(route))")
                try await Self.tidy(api)
            }
        }
    }

    @Test("a malformed Idempotency-Key or If-Match is a 400 on every route, and writes nothing")
    func malformedHeaders() async throws {
        try await TestAPI.run { api in
            for route in Self.commands where !route.path.hasSuffix("/heartbeat") {
                guard let sample = Self.samples[Self.name(route)] else { continue }
                let things = try await Self.things(api, sample, route)
                let path = Self.path(route, things)
                let before = try api.position()
                let headers: [(HTTPField.Name, String)] = [
                    (.idempotencyKey, "a b"), (.idempotencyKey, "é"),
                    (.idempotencyKey, String(repeating: "x", count: 256)), (.ifMatch, "1"),
                    (.ifMatch, "\"1"), (.ifMatch, "\"1\",,\"2\""), (.ifMatch, "\"1 2\""),
                ]
                for (name, value) in headers {
                    let answer = try await api.call(
                        route.method, path, Self.body(sample.body, things), headers: [name: value])
                    #expect(answer.status == 400, "\(Self.name(route)) \(name): \(answer.text)")
                    #expect(answer.code == "malformed", "\(Self.name(route)) \(name)")
                }
                #expect(try api.position() == before, "\(Self.name(route))")
                try await Self.tidy(api)
            }
        }
    }

    @Test("random headers and queries never bring the service down")
    func fuzz() async throws {
        let traceparent = try #require(HTTPField.Name("traceparent"))
        let names: [HTTPField.Name] = [
            .idempotencyKey, .ifMatch, traceparent, .contentType, .contentEncoding,
            .authorization, .accept, .range, .expect, .contentLength,
        ]
        for cases in RandomCases(1) {
            let seed = cases.seed
            try await TestAPI.run { api in
                var numbers = SeededGenerator(seed: seed)
                let workflow = try await api.waitingWorkflow()
                let nobody = Things(
                    team: "0123456789abcdef01234567",
                    workflow: "0123456789abcdef01234567", schedule: "0123456789abcdef01234567",
                    run: "0123456789abcdef01234567",
                    edges: Dictionary(
                        uniqueKeysWithValues: [
                            "trigger_id", "refusal_id", "subscription_id", "delivery_id",
                        ].map { ($0, "0123456789abcdef01234567") }))
                let before = try api.position()
                for _ in 0..<300 {
                    let route = numbers.pick(
                        Route.all.filter {
                            // A stream does not end by itself.
                            ($0.path.contains("{") || $0.method == .get)
                                && $0.path != "/log/stream"
                        })
                    let letters = Array("\"W/*,dbk_Bearer 0129-=&%+;é\u{0}".unicodeScalars)
                    func text() -> String {
                        let count = Int.random(in: 0...40, using: &numbers)
                        var text = String.UnicodeScalarView()
                        for _ in 0..<count { text.append(numbers.pick(letters)) }
                        return String(text)
                    }
                    let header = numbers.pick(names)
                    let query = text().addingPercentEncoding(
                        withAllowedCharacters: .urlQueryAllowed)
                    let answer = try await api.call(
                        route.method, Self.path(route, nobody) + "?" + (query ?? ""),
                        route.body == .json ? "{}" : nil,
                        headers: [header: text().filter { $0 != "\u{0}" }])
                    #expect(
                        [200, 400, 401, 404, 413, 415, 422].contains(answer.status),
                        "\(answer.status) \(Self.name(route)) \(header) \(numbers.hint)")
                }
                #expect(try api.position() == before)
                #expect(try await api.call(.get, "/workflows/\(workflow)").status == 200)
            }
        }
    }
}
