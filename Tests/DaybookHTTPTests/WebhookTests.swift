import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// Completion webhooks, without anybody who sends them.
@Suite("Completion webhooks")
struct WebhookTests {
    private static let path = "/workflow-webhooks"

    private static func body(_ more: String = "") -> String {
        #"{"name":"crm","url":"https://example.com/hook","actions":["workflow_run_completed"]\#(more)}"#
    }

    private static func record(
        _ api: TestAPI, _ id: String, _ number: Int, _ verdict: DeliveryVerdict,
        status: Int? = 503
    ) async throws {
        _ = try await api.submit(
            .recordDelivery(
                try #require(DeliveryID(hex: id)),
                DeliveryAttempt(
                    number: number, startedAt: api.clock.now(), latencyMilliseconds: 3,
                    statusCode: status, error: nil, answer: nil), verdict),
            team: try api.teamOfAdmin())
    }

    private static func events(
        _ api: TestAPI, _ query: String = ""
    ) async throws -> [[String: any Sendable]] {
        try await api.call(.get, path + "/events" + query).items
    }

    @Test("what is left out has its default; tokens and secrets are not shown again")
    func create() async throws {
        try await TestAPI.run { api in
            let made = try await api.call(.post, Self.path, Self.body())
            #expect(made.status == 201)
            let defaults: [(String, Int)] = [
                ("timeout_seconds", 10), ("max_retries", 3), ("retry_backoff_seconds", 10),
                ("revision", 1),
            ]
            for (name, value) in defaults { #expect(made.json[name] as? Int == value, "\(name)") }
            #expect(made.json["enabled"] as? Bool == true)
            #expect(made.json["has_bearer_token"] as? Bool == false)
            let secret = try #require(made.json["secret"] as? String)
            #expect(try WebhookSecret(secret).bytes.count == 32)
            let one = Self.path + "/\(made.id)"
            let token = "canary-token"
            let changed = try await api.call(.patch, one, #"{"bearer_token":"\#(token)"}"#)
            #expect(changed.json["has_bearer_token"] as? Bool == true)
            let cleared = try await api.call(.patch, one, #"{"clear_bearer_token":true}"#)
            #expect(cleared.json["has_bearer_token"] as? Bool == false)
            let before = try api.position()
            #expect(try await api.call(.patch, one, #"{"clear_bearer_token":true}"#).status == 200)
            #expect(try api.position() == before)
            let both = #"{"clear_bearer_token":true,"bearer_token":"x"}"#
            #expect(try await api.call(.patch, one, both).status == 422)
            let rotated = try await api.call(.post, one + "/secret/rotate", "{}")
            #expect(rotated.json["secret"] as? String != secret)
            for answer in [
                changed, cleared, try await api.call(.get, one),
                try await api.call(.get, Self.path),
                try await api.call(.get, "/log?limit=100"),
            ] {
                #expect(!answer.text.contains("whsec_") && !answer.text.contains(token))
            }
            #expect(try await api.call(.delete, one).status == 200)
            #expect(try await api.call(.get, one).status == 404)
            #expect(try await api.call(.delete, one).status == 404)
        }
    }

    @Test("bad values say what is wrong and where")
    func badValues() async throws {
        try await TestAPI.run { api in
            let wrong: [(String, String)] = [
                (#""name":"""#, "/name"), (#""url":"http://10.0.0.1/""#, "/url"),
                (#""url":"http://2130706433/""#, "/url"), (#""url":"ftp://x""#, "/url"),
                (#""url":"http://[::ffff:127.0.0.1]/""#, "/url"),
                (#""url":"https://x@example.com/""#, "/url"),
                (#""url":"https://example.com:22/""#, "/url"),
                (#""actions":[]"#, "/actions"), (#""actions":["x"]"#, "/actions"),
                (#""actions":null"#, "/actions"), (#""timeout_seconds":61"#, "/timeout_seconds"),
                (#""max_retries":11"#, "/max_retries"),
                (#""retry_backoff_seconds":0"#, "/retry_backoff_seconds"),
                (#""bearer_token":"a\r\nb""#, "/bearer_token"),
                (#""bearer_token":"""#, "/bearer_token"),
                (#""workflow_ids":["0123456789abcdef01234567"]"#, "/workflow_ids/0"),
                (#""status":"x""#, "/status"),
            ]
            let valid = [
                "name": #""a""#, "url": #""https://example.com/""#,
                "actions": #"["workflow_created"]"#,
            ]
            let before = try api.position()
            for (field, pointer) in wrong {
                let name = String(field.split(separator: "\"")[0])
                let others = valid.filter { $0.key != name }.map { "\"\($0.key)\":\($0.value)" }
                let text = "{" + (others + [field]).joined(separator: ",") + "}"
                let answer = try await api.call(.post, Self.path, text)
                #expect(answer.status == 422, "\(field): \(answer.text)")
                let errors = answer.json["errors"] as? [[String: any Sendable]]
                #expect(errors?.first?["pointer"] as? String == pointer, "\(field): \(answer.text)")
            }
            #expect(try api.position() == before)
        }
    }

    @Test("a hundred subscriptions a team, and not one more")
    func limit() async throws {
        try await TestAPI.run { api in
            var ids: [String] = []
            for _ in 0..<100 {
                let made = try await api.call(.post, Self.path, Self.body())
                #expect(made.status == 201)
                ids.append(made.id)
            }
            let more = try await api.call(.post, Self.path, Self.body())
            #expect(more.status == 409 && more.code == "limit_reached")
            _ = try await api.call(.delete, Self.path + "/\(ids[3])")
            #expect(try await api.call(.post, Self.path, Self.body()).status == 201)
            let other = try await api.newKey(.write, of: try await api.newTeam())
            #expect(try await api.call(.post, Self.path, Self.body(), key: other).status == 201)
        }
    }

    @Test("each event owes one delivery to each subscription that wants it, and to no other")
    func deliveries() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let other = try await api.waitingWorkflow()
            let all = Action.allCases.map { "\"\($0.name)\"" }.joined(separator: ",")
            func subscribe(_ actions: String, _ more: String = "") async throws -> String {
                try await api.call(
                    .post, Self.path,
                    #"{"name":"s","url":"https://example.com/","actions":[\#(actions)]\#(more)}"#
                ).id
            }
            let everything = try await subscribe(all)
            let ends = try await subscribe(#""workflow_run_completed""#)
            let narrow = try await subscribe(all, #","workflow_ids":["\#(other)"]"#)
            let off = try await subscribe(all, #","enabled":false"#)
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id
            let started = try await api.submit(
                .claim(.worker("nobody"), worker: nil, leaseSeconds: nil), team: api.teamOfAdmin())
            guard case .run(let claimed) = started.answer else { throw Problem.internal }
            // A second start of the same run is no first one.
            _ = try await api.submit(.release(claimed.id, attempt: 1), team: api.teamOfAdmin())
            _ = try await api.submit(
                .claim(.worker("nobody"), worker: nil, leaseSeconds: nil), team: api.teamOfAdmin())
            _ = try await api.call(.post, "/workflow-runs/\(run)/cancel", "{}")
            func actions(_ subscription: String) async throws -> [String] {
                try await Self.events(api, "?subscription_id=\(subscription)")
                    .compactMap { $0["action"] as? String }
            }
            #expect(
                try await actions(everything) == ["workflow_run_completed", "workflow_run_started"])
            #expect(try await actions(ends) == ["workflow_run_completed"])
            #expect(try await actions(narrow).isEmpty)
            #expect(try await actions(off).isEmpty)
            _ = try await api.call(.patch, "/workflows/\(other)", #"{"name":"x"}"#)
            _ = try await api.call(
                .post, "/workflows/\(other)/versions", #"{"mark_as_active":true}"#)
            #expect(try await actions(narrow).count == 3)
            #expect(try await actions(everything).count == 5)
            #expect(try await Self.events(api, "?workflow_id=\(other)").count == 6)
            #expect(try await Self.events(api, "?action=workflow_run_started").count == 1)
            #expect(try await Self.events(api, "?status=pending").count == 9)
            #expect(try await Self.events(api, "?status=failed").isEmpty)
            let page = try await api.call(.get, Self.path + "/events?limit=4")
            let cursor = try #require(page.json["next_cursor"] as? String)
            let rest = try await Self.events(api, "?limit=100&cursor=\(cursor)")
            #expect(page.items.count == 4 && rest.count == 5)
            #expect(try await api.call(.get, Self.path + "/events?status=x").status == 422)
        }
    }

    @Test("tries are counted, spaced and ended as the subscription says")
    func tries() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let made = try await api.call(
                .post, Self.path,
                #"{"name":"s","url":"https://example.com/","actions":["workflow_created"],"max_retries":2,"retry_backoff_seconds":100}"#
            )
            _ = try await api.waitingWorkflow()
            let id = try #require(try await Self.events(api).first?["id"] as? String)
            func next() async throws -> Instant {
                let text = try #require(
                    try await Self.events(api).first?["next_attempt_at"] as? String)
                return try RFC3339.parse(text)
            }
            try await Self.record(api, id, 1, .failedForNow(retryAfterSeconds: nil))
            let first = Double(try await next().microseconds(since: clock.now())) / 1e6
            #expect((80...100).contains(first))
            try await Self.record(api, id, 2, .failedForNow(retryAfterSeconds: 900))
            #expect(try await next() == clock.now().adding(seconds: 900))
            try await Self.record(api, id, 3, .failedForNow(retryAfterSeconds: nil))
            let failed = try #require(try await Self.events(api).first)
            #expect(failed["status"] as? String == "failed" && failed["attempts"] as? Int == 3)
            // Recorded twice: the second is of an attempt that was before.
            await #expect(throws: Problem.self) {
                try await Self.record(api, id, 3, .delivered)
            }
            let again = try await api.call(.post, Self.path + "/events/\(id)/retry", "{}")
            #expect(again.status == 200 && again.json["status"] as? String == "pending")
            #expect(
                try await api.call(.post, Self.path + "/events/\(id)/retry", "{}").code
                    == "delivery_state")
            try await Self.record(api, id, 4, .delivered, status: 204)
            let attempts = try await api.call(.get, Self.path + "/events/\(id)/attempts").items
            #expect(attempts.compactMap { $0["attempt"] as? Int } == [4, 3, 2, 1])
            #expect(attempts.compactMap { $0["status_code"] as? Int } == [204, 503, 503, 503])
            let page = try await api.call(.get, Self.path + "/events/\(id)/attempts?limit=2")
            let cursor = try #require(page.json["next_cursor"] as? String)
            let rest = try await api.call(
                .get, Self.path + "/events/\(id)/attempts?limit=2&cursor=\(cursor)")
            #expect(rest.items.compactMap { $0["attempt"] as? Int } == [2, 1])
            #expect(made.status == 201)
        }
    }

    @Test("410 disables in the same entry; enabling it again is a new chance")
    func gone() async throws {
        try await TestAPI.run { api in
            let made = try await api.call(
                .post, Self.path,
                #"{"name":"s","url":"https://example.com/","actions":["workflow_created"]}"#)
            _ = try await api.waitingWorkflow()
            _ = try await api.waitingWorkflow()
            let ids = try await Self.events(api).compactMap { $0["id"] as? String }
            let before = try api.position()
            try await Self.record(api, ids[0], 1, .gone, status: 410)
            #expect(try api.position() == before + 1)
            let one = Self.path + "/\(made.id)"
            let shown = try await api.call(.get, one)
            #expect(shown.json["enabled"] as? Bool == false && shown.json["gone"] as? Bool == true)
            // Held, and nobody is told of what happens meanwhile.
            _ = try await api.waitingWorkflow()
            #expect(try await Self.events(api, "?status=pending").count == 1)
            let (now, team) = (api.clock.now(), try api.teamOfAdmin())
            let held = try api.engine.read { view in
                try DeliveryStep.next(view, of: team, now: now) { _ in .open(2) }.ready.count
            }
            #expect(held == 0)
            let enabled = try await api.call(.patch, one, #"{"enabled":true}"#)
            #expect(enabled.json["gone"] as? Bool == false)
            let ready = try api.engine.read { view in
                try DeliveryStep.next(view, of: team, now: now) { _ in .open(2) }.ready.count
            }
            #expect(ready == 1)
        }
    }

    @Test("a replay sends again what has ended in a range, with the same ids, once for one key")
    func replay() async throws {
        try await TestAPI.run { api in
            let made = try await api.call(
                .post, Self.path,
                #"{"name":"s","url":"https://example.com/","actions":["workflow_created"]}"#)
            var positions: [Int] = []
            for _ in 0..<5 {
                _ = try await api.waitingWorkflow()
                positions.append(Int(try api.position()))
            }
            let events = try await Self.events(api)
            let ids = events.compactMap { $0["id"] as? String }
            for id in ids.dropFirst() { try await Self.record(api, id, 1, .delivered, status: 200) }
            let path = Self.path + "/\(made.id)/replay"
            let range = #"{"after":\#(positions[0]),"until":\#(positions[3])}"#
            let key = [HTTPField.Name.idempotencyKey: "k"]
            let replayed = try await api.call(.post, path, range, headers: key)
            #expect(replayed.status == 200, "\(replayed.text)")
            #expect(replayed.json["requeued"] as? Int == 3)
            #expect(replayed.text.contains(#""next_after":null"#))
            let pending = try await Self.events(api, "?status=pending")
            #expect(pending.compactMap { $0["id"] as? String } == Array(ids[0...3]))
            let before = try api.position()
            let again = try await api.call(.post, path, range, headers: key)
            #expect(again.body == replayed.body && again.position == replayed.position)
            #expect(again.headers[.idempotentReplayed] == "true")
            #expect(
                try await api.call(.post, path, #"{"after":0}"#, headers: key).code
                    == "idempotency_key_reused")
            #expect(try await api.call(.post, path, range).json["requeued"] as? Int == 0)
            #expect(
                try await api.call(.post, path, range, headers: [.ifMatch: "\"9\""]).status == 412)
            #expect(try api.position() == before)
            // Everything, by a time.
            let all = try await api.call(.post, path, #"{"after":"2000-01-01T00:00:00Z"}"#)
            #expect(all.json["requeued"] as? Int == 1, "\(all.text)")
            #expect(try await api.call(.post, path, "{}").status == 422)
            #expect(try await api.call(.post, path, #"{"after":-1}"#).status == 422)
            #expect(try await api.call(.post, path, #"{"after":"x"}"#).status == 422)
        }
    }

    @Test("erasing a run erases what receivers answered about it")
    func erasure() async throws {
        try await TestAPI.run { api in
            let made = try await api.call(.post, Self.path, Self.body())
            let workflow = try await api.waitingWorkflow()
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id
            _ = try await api.call(.post, "/workflow-runs/\(run)/cancel", "{}")
            let id = try #require(try await Self.events(api).first?["id"] as? String)
            let echo = api.engine.salted(Array("canary of a patient".utf8))
            let delivery = try #require(DeliveryID(hex: id))
            let row = try #require(
                try api.engine.delivery(delivery, of: try api.teamOfAdmin()))
            await api.engine.record(
                row,
                DeliveryAttempt(
                    number: 1, startedAt: api.clock.now(), latencyMilliseconds: 1,
                    statusCode: 200, error: nil, answer: echo.payload), .delivered, answer: echo)
            let path = Self.path + "/events/\(id)/attempts"
            #expect(try await api.call(.get, path).text.contains("canary"))
            #expect(try await api.call(.post, "/workflow-runs/\(run)/erase", "{}").status == 200)
            let after = try await api.call(.get, path)
            #expect(after.items.count == 1 && !after.text.contains("canary"))
            #expect(made.status == 201)
        }
    }

    @Test("what waits for a deleted subscription ends, visibly")
    func deleted() async throws {
        try await TestAPI.run { api in
            let made = try await api.call(
                .post, Self.path,
                #"{"name":"s","url":"https://example.com/","actions":["workflow_created"]}"#)
            _ = try await api.waitingWorkflow()
            let id = try #require(try await Self.events(api).first?["id"] as? String)
            await #expect(throws: Problem.self) {
                // It is still there.
                try await Self.record(api, id, 0, .cancelled, status: nil)
            }
            _ = try await api.call(.delete, Self.path + "/\(made.id)")
            let team = try api.teamOfAdmin()
            let ready = try api.engine.read { view in
                try DeliveryStep.next(view, of: team, now: api.clock.now()) { _ in .open(2) }
                    .ready
            }
            #expect(ready.count == 1 && ready[0].subscription == nil)
            try await Self.record(api, id, 0, .cancelled, status: nil)
            let event = try #require(try await Self.events(api).first)
            #expect(event["status"] as? String == "failed" && event["attempts"] as? Int == 0)
            #expect(
                try await api.call(.post, Self.path + "/events/\(id)/retry", "{}").status == 404)
        }
    }
}
