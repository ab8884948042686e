import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// A trigger as its caller knows it.
private struct Hook: Sendable {
    let api: TestAPI
    let id: String
    let path: String
    let secret: String

    init(_ api: TestAPI, _ workflow: String, _ more: String) async throws {
        let made = try await api.call(
            .post, "/workflow-triggers",
            #"{"kind":"webhook","workflow_id":"\#(workflow)","name":"intake",\#(more)}"#)
        try #require(made.status == 201, "\(made.text)")
        self.api = api
        id = made.id
        path = try #require(made.json["path"] as? String)
        secret = try #require(made.json["secret"] as? String)
    }

    /// A call as Standard Webhooks has it.
    func send(
        _ body: String, id: String = "m1", secret: String? = nil, at instant: Instant? = nil,
        type: String = "application/json"
    ) async throws -> TestAPI.Answer {
        let bytes = Array(body.utf8)
        let signed = StandardWebhooks.headers(
            id: id, now: instant ?? api.clock.now(), body: bytes,
            secrets: [try WebhookSecret(secret ?? self.secret)])
        var headers: [HTTPField.Name: String] = [.contentType: type]
        for (name, value) in signed { headers[try #require(HTTPField.Name(name))] = value }
        return try await api.call(.post, path, key: "", headers: headers, bytes: bytes)
    }
}

@Suite("Inbound webhooks")
struct HookTests {
    private static let standard = #""verification":{"type":"standard"}"#

    private static func headers(id: String) throws -> [HTTPField.Name: String] {
        let values = [
            "webhook-id": id, "webhook-timestamp": "1", "webhook-signature": "v1,AAAA",
        ]
        var headers: [HTTPField.Name: String] = [:]
        for (name, value) in values { headers[try #require(HTTPField.Name(name))] = value }
        return headers
    }

    @Test("what is signed becomes a run with its body as it came, after the commit")
    func run() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let hook = try await Hook(api, workflow, Self.standard)
            let body = #"{"é":1e400, "a":[1.50]}"#
            let before = try api.position()
            let answer = try await hook.send(body)
            #expect(answer.status == 202, "\(answer.text)")
            #expect(answer.position == Int(before + 1))
            let id = try #require(answer.json["run_id"] as? String)
            let run = try await api.call(.get, "/workflow-runs/\(id)")
            #expect(run.text.contains(#""run_input":\#(body)"#))
            #expect(run.json["mode"] as? String == "triggered")
            #expect(run.json["trigger_id"] as? String == hook.id)
            #expect(run.json["created_by"] as? String == "trigger:\(hook.id)")
            let listed = try await api.call(.get, "/workflow-runs?trigger_id=\(hook.id)").items
            #expect(listed.count == 1)
            let entry = try await api.call(.get, "/log/\(before + 1)")
            #expect(entry.json["command"] as? String == "accept_hook")
        }
    }

    @Test("a repeat answers as the first did and starts nothing, also at the same time")
    func repeats() async throws {
        try await TestAPI.run { api in
            let hook = try await Hook(api, try await api.waitingWorkflow(), Self.standard)
            let answers = try await withThrowingTaskGroup(of: TestAPI.Answer.self) { group in
                for _ in 0..<20 { group.addTask { try await hook.send("{}", id: "once") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers.map(\.body)).count == 1)
            #expect(Set(answers.map(\.status)) == [202])
            #expect(Set(answers.map(\.position)).count == 1)
            #expect(answers.filter { $0.headers[.idempotentReplayed] == "true" }.count == 19)
            let before = try api.position()
            // The same id with another body is the same message.
            #expect(try await hook.send("[]", id: "once").body == answers[0].body)
            #expect(try api.position() == before)
            #expect(try await hook.send("[]", id: "twice").body != answers[0].body)
            #expect(try await api.call(.get, "/workflow-runs").items.count == 2)
        }
    }

    @Test("an id is forgotten after its days, and not before")
    func horizon() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let hook = try await Hook(
                api, try await api.waitingWorkflow(), Self.standard + #","deduplication_days":2"#)
            let first = try await hook.send("{}")
            clock.advance(seconds: 2 * 86_400 - 1)
            #expect(try await hook.send("{}").body == first.body)
            clock.advance(seconds: 1)
            let again = try await hook.send("{}")
            #expect(again.status == 202 && again.body != first.body)
        }
    }

    @Test(
        "unknown, disabled, deleted, stale and wrongly signed calls look the same, and write nothing"
    )
    func turnedAway() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let hook = try await Hook(api, workflow, Self.standard)
            let disabled = try await Hook(api, workflow, Self.standard + #","enabled":false"#)
            let deleted = try await Hook(api, workflow, Self.standard)
            let gone = try await api.call(.delete, "/workflow-triggers/\(deleted.id)")
            #expect(gone.status == 200 && gone.json["deleted"] as? Bool == true)
            let queue = try await api.call(
                .post, "/workflow-triggers",
                #"{"kind":"sqs","workflow_id":"\#(workflow)","name":"q","queue_url":"https://sqs.eu-central-1.amazonaws.com/1/q","region":"eu-central-1"}"#
            )
            try #require(queue.status == 201, "\(queue.text)")
            let before = try api.position()
            let now = api.clock.now()
            let other = try WebhookSecret(hook.secret).bytes.reversed()
            let wrong = try #require(WebhookSecret(bytes: Array(other)))
            let answers = [
                try await hook.send("{}", secret: wrong.text),
                try await hook.send("{}", at: now.adding(seconds: -400)),
                try await hook.send("{}", at: now.adding(seconds: 400)),
                try await api.call(
                    .post, hook.path, "{}", key: "", headers: try Self.headers(id: "a.b")),
                try await api.call(.post, hook.path, "{}", key: ""),
                try await api.call(.post, hook.path, "{}"),
                try await disabled.send("{}"), try await deleted.send("{}"),
                try await api.call(.post, "/hooks/0123456789abcdef01234567", "{}", key: ""),
                try await api.call(.post, "/hooks/x", "{}", key: ""),
                try await api.call(.post, "/hooks/\(queue.id)", "{}", key: ""),
                try await api.call(.post, hook.path + "/token", "{}", key: ""),
            ]
            for answer in answers {
                #expect(answer.status == 401, "\(answer.text)")
                #expect(answer.code == "unauthorized")
                #expect(answer.json["detail"] as? String == answers[0].json["detail"] as? String)
            }
            #expect(Set(answers.map { $0.headers.count }).count == 1)
            #expect(try api.position() == before)

            let told = try await api.call(.get, "/workflow-triggers/\(hook.id)/refusals")
            let away = try #require(told.json["turned_away"] as? [String: any Sendable])
            let counts = try #require(away["counts"] as? [String: Int])
            #expect(
                counts == [
                    "wrong_signature": 1, "timestamp_too_old": 1, "timestamp_too_new": 1,
                    "malformed_signature": 1, "missing_signature": 3,
                ])
            #expect((away["recent"] as? [any Sendable])?.count == 7)
            #expect(told.items.isEmpty)
            // Bounded, whatever comes.
            for _ in 0..<TriggerActivity.recentLimit {
                _ = try await api.call(.post, disabled.path, "{}", key: "")
            }
            #expect(try await disabled.send("{}").status == 401)
            let summary = api.engine.triggerActivity.summary(
                of: try #require(TriggerID(hex: disabled.id)))
            #expect(summary.recent.count == TriggerActivity.recentLimit)
            #expect(summary.recent.last?.reason == "disabled")
        }
    }

    @Test("the old secret holds for a day after a rotation, and then only the new one")
    func rotation() async throws {
        let clock = ManualClock()
        try await TestAPI.run(clock: clock) { api in
            let hook = try await Hook(api, try await api.waitingWorkflow(), Self.standard)
            let rotated = try await api.call(
                .post, "/workflow-triggers/\(hook.id)/secret/rotate", "{}")
            let new = try #require(rotated.json["secret"] as? String)
            #expect(new != hook.secret)
            clock.advance(seconds: 86_399)
            #expect(try await hook.send("{}", id: "1").status == 202)
            #expect(try await hook.send("{}", id: "2", secret: new).status == 202)
            clock.advance(seconds: 1)
            #expect(try await hook.send("{}", id: "3").status == 401)
            #expect(try await hook.send("{}", id: "4", secret: new).status == 202)
            // One that the client brings, as a sender made it.
            let brought = try #require(WebhookSecret(bytes: [UInt8](repeating: 9, count: 24))).text
            let again = try await api.call(
                .post, "/workflow-triggers/\(hook.id)/secret/rotate", #"{"secret":"\#(brought)"}"#)
            #expect(again.status == 200, "\(again.text)")
            #expect(try await hook.send("{}", id: "5", secret: brought).status == 202)
            let wrong = try await api.call(
                .post, "/workflow-triggers/\(hook.id)/secret/rotate", #"{"secret":"short"}"#)
            #expect(wrong.status == 422)
        }
    }

    @Test("what is signed and cannot be used is kept, answered alike, and can be tried again")
    func refusals() async throws {
        try await TestAPI.run { api in
            let hook = try await Hook(api, try await api.waitingWorkflow(), Self.standard)
            let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
            let bad: [(body: String, type: String, status: Int, reason: String)] = [
                ("{", "application/json", 400, "invalid_json"),
                (deep, "application/json", 400, "invalid_json"),
                ("a=1", "application/x-www-form-urlencoded", 415, "unsupported_content_type"),
                (
                    "\"" + String(repeating: "x", count: 256 << 10) + "\"", "application/json", 413,
                    "too_large"
                ),
            ]
            var ids: [String] = []
            for (index, one) in bad.enumerated() {
                let before = try api.position()
                let answer = try await hook.send(one.body, id: "bad-\(index)", type: one.type)
                #expect(answer.status == one.status, "\(answer.text)")
                let id = try #require(answer.json["refusal_id"] as? String)
                ids.append(id)
                #expect(answer.position == Int(before + 1))
                let again = try await hook.send("{}", id: "bad-\(index)")
                #expect(again.status == one.status && again.json["refusal_id"] as? String == id)
                #expect(try api.position() == before + 1)
            }
            let path = "/workflow-triggers/\(hook.id)/refusals"
            var listed: [[String: any Sendable]] = []
            var page = try await api.call(.get, path + "?limit=3")
            listed += page.items
            let cursor = try #require(page.json["next_cursor"] as? String)
            page = try await api.call(.get, path + "?limit=3&cursor=\(cursor)")
            listed += page.items
            #expect(listed.compactMap { $0["id"] as? String } == ids.reversed())
            #expect(
                listed.compactMap { $0["reason"] as? String } == bad.reversed().map(\.reason))
            #expect(listed.compactMap { $0["body"] as? String } == bad.reversed().map(\.body))

            // As the trigger is, it still cannot be used; as it is then, it can.
            #expect(try await api.call(.post, path + "/\(ids[2])/retry", "{}").status == 415)
            let changed = try await api.call(
                .patch, "/workflow-triggers/\(hook.id)", #"{"accepts_text":true}"#)
            #expect(changed.status == 200)
            let retried = try await api.call(.post, path + "/\(ids[2])/retry", "{}")
            #expect(retried.status == 202, "\(retried.text)")
            #expect(
                retried.text.contains(
                    #""run_input":{"content_type":"application/x-www-form-urlencoded","body":"a=1"}"#
                ))
            let once = try await api.call(.post, path + "/\(ids[2])/retry", "{}")
            #expect(once.status == 409 && once.code == "refusal_retried")
            #expect(once.json["run_id"] as? String == retried.id)
            let taken = try await hook.send("b=2", id: "form", type: "text/plain; charset=utf-8")
            #expect(taken.status == 202, "\(taken.text)")
        }
    }

    @Test("a refused body that was erased is gone, and its refusal stays")
    func erased() async throws {
        try await TestAPI.run { api in
            let hook = try await Hook(api, try await api.waitingWorkflow(), Self.standard)
            let answer = try await hook.send("canary-of-a-person")
            let id = try #require(answer.json["refusal_id"] as? String)
            let path = "/workflow-triggers/\(hook.id)/refusals/\(id)"
            let erased = try await api.call(.post, path + "/erase", "{}")
            #expect(erased.status == 200 && erased.json["erased"] as? Bool == true)
            let list = try await api.call(.get, "/workflow-triggers/\(hook.id)/refusals")
            #expect(!list.text.contains("canary") && list.items.count == 1)
            let retry = try await api.call(.post, path + "/retry", "{}")
            #expect(retry.status == 409 && retry.code == "erased")
        }
    }

    @Test(
        "what was kept outlives its trigger; erasing a run erases the message that it was made from"
    )
    func keptMessages() async throws {
        try await TestAPI.run { api in
            let hook = try await Hook(api, try await api.waitingWorkflow(), Self.standard)
            let path = "/workflow-triggers/\(hook.id)"
            var ids: [String] = []
            for name in ["one", "two"] {
                let answer = try await hook.send("canary-\(name)", id: name, type: "text/plain")
                ids.append(try #require(answer.json["refusal_id"] as? String))
            }
            _ = try await api.call(.patch, path, #"{"accepts_text":true}"#)
            let run = try await api.call(.post, path + "/refusals/\(ids[0])/retry", "{}")
            #expect(run.text.contains("canary-one"))
            _ = try await api.call(.post, "/workflow-runs/\(run.id)/cancel", "{}")
            #expect(try await api.call(.post, "/workflow-runs/\(run.id)/erase", "{}").status == 200)
            _ = try await api.call(.delete, path)
            let kept = try await api.call(.get, path + "/refusals")
            #expect(kept.status == 200 && kept.items.count == 2)
            #expect(!kept.text.contains("canary-one") && kept.text.contains("canary-two"))
            #expect(
                try await api.call(.post, path + "/refusals/\(ids[1])/retry", "{}").status == 404)
            #expect(
                try await api.call(.post, path + "/refusals/\(ids[1])/erase", "{}").status == 200)
            #expect(try await !api.call(.get, path + "/refusals").text.contains("canary"))
        }
    }

    @Test("every way to prove oneself works over HTTP")
    func verifications() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let bearer = try await Hook(api, workflow, #""verification":{"type":"bearer"}"#)
            #expect(
                try await api.call(.post, bearer.path, "{}", key: bearer.secret).status == 202)
            #expect(try await api.call(.post, bearer.path, "{}", key: "x").status == 401)

            let open = try await Hook(api, workflow, #""verification":{"type":"none"}"#)
            #expect(open.path.hasSuffix("/\(open.secret)") && open.secret.utf8.count == 64)
            #expect(try await api.call(.post, open.path, "{}", key: "").status == 202)
            #expect(try await api.call(.post, "/hooks/\(open.id)", "{}", key: "").status == 401)
            #expect(
                try await api.call(.post, "/hooks/\(open.id)/{token}", "{}", key: "").status == 401)
            let shown = try await api.call(.get, "/workflow-triggers/\(open.id)")
            #expect(!shown.text.contains(open.secret))
            #expect(shown.json["path"] as? String == "/hooks/\(open.id)/{token}")

            let secret = "It's-a-Secret-to-Everybody"
            let github = try await Hook(
                api, workflow,
                #""verification":{"type":"hmac","preset":"github"},"secret":"\#(secret)""#)
            #expect(github.secret == secret)
            // Computed with Python's hmac.
            let code = "5f7259901e48cf07220fd4bc30bfebe3475737c041ea2d7b233759f0a18b7c8d"
            let signature = try #require(HTTPField.Name("X-Hub-Signature-256"))
            let delivery = try #require(HTTPField.Name("X-GitHub-Delivery"))
            func call(_ id: String) async throws -> TestAPI.Answer {
                try await api.call(
                    .post, github.path, "{}", key: "",
                    headers: [signature: "sha256=" + code, delivery: id])
            }
            let first = try await call("one")
            #expect(first.status == 202)
            #expect(try await call("one").body == first.body)
            #expect(try await call("two").body != first.body)
            // An empty id is none, and neither is one that is not there.
            let empty = try await call("")
            #expect(try await call("").body != empty.body)
            let free = try await api.call(
                .post, bearer.path, "{}", key: bearer.secret)
            #expect(
                try await api.call(.post, bearer.path, "{}", key: bearer.secret).body != free.body)
        }
    }

    @Test("a pinned version is what runs take, and its trigger can be changed while calls come")
    func changes() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            _ = try await api.call(.post, "/workflows/\(workflow)/versions", "{}")
            let hook = try await Hook(api, workflow, Self.standard + #","version":1"#)
            let pinned = try await hook.send("{}", id: "1")
            let id = try #require(pinned.json["run_id"] as? String)
            #expect(
                try await api.call(.get, "/workflow-runs/\(id)").json["version"] as? Int == 1)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        if index % 4 == 0 {
                            return try await api.call(
                                .patch, "/workflow-triggers/\(hook.id)",
                                #"{"name":"n\#(index)"}"#
                            ).status
                        }
                        return try await hook.send("{}", id: "race-\(index)").status
                    }
                }
                for try await status in group { #expect(status == 200 || status == 202) }
            }
            #expect(
                try await api.call(.get, "/workflow-runs?trigger_id=\(hook.id)").items.count == 31)
            let unpinned = try await api.call(
                .patch, "/workflow-triggers/\(hook.id)", #"{"version":null}"#)
            #expect(unpinned.json["version"] as? Int == nil && unpinned.status == 200)
        }
    }

    @Test("a queue is an administrator's to name, to change and to take away")
    func queues() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let write = try await api.newKey(.write, of: try api.teamOfAdmin())
            let body =
                #"{"kind":"sqs","workflow_id":"\#(workflow)","name":"q","queue_url":"https://sqs.eu-central-1.amazonaws.com/1/q","region":"eu-central-1"}"#
            let refused = try await api.call(.post, "/workflow-triggers", body, key: write)
            #expect(refused.status == 403 && refused.json["required_role"] as? String == "admin")
            let made = try await api.call(.post, "/workflow-triggers", body)
            #expect(made.status == 201 && made.json["secret"] == nil && made.json["path"] == nil)
            let path = "/workflow-triggers/\(made.id)"
            for (method, path, body) in [
                (HTTPRequest.Method.patch, path, #"{"name":"x"}"#), (.delete, path, nil),
                (.post, path + "/secret/rotate", "{}"),
            ] {
                let answer = try await api.call(method, path, body, key: write)
                #expect([403, 422].contains(answer.status), "\(answer.text)")
            }
            let local = body.replacing(
                "https://sqs.eu-central-1.amazonaws.com", with: "http://127.0.0.1")
            #expect(try await api.call(.post, "/workflow-triggers", local).status == 422)
            let endpoint = body.dropLast() + #","endpoint":"http://169.254.169.254/"}"#
            #expect(try await api.call(.post, "/workflow-triggers", String(endpoint)).status == 422)
            #expect(try await api.call(.delete, path).status == 200)
            #expect(try await api.call(.get, path).status == 404)
        }
    }
}
