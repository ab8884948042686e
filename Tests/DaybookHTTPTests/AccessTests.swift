import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

@Suite("Access")
struct AccessTests {
    /// A path of the route with ids of things that the first team has.
    private static func path(_ route: Route, _ ids: [String: String]) -> String {
        var path = route.path
        for (name, id) in ids { path = path.replacing("{\(name)}", with: id) }
        return path
    }

    private static func body(_ route: Route) -> String? { route.body == .json ? "{}" : nil }

    @Test("every route asks for a key, a valid one, of a role that allows it")
    func keysAndRoles() async throws {
        try await TestAPI.run { api in
            let team = try api.teamOfAdmin()
            let workflow = try await api.waitingWorkflow()
            let ids = [
                "workflow_id": workflow, "schedule_id": try await api.schedule(workflow),
                "run_id": try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id,
                "version": "0", "other_version": "0", "team_id": team.description,
                "queue": "nobody", "position": "1", "operation_id": try await api.operation(),
                "key_id": try #require(APIKeyText(api.adminKey)).id.description,
            ].merging(try await api.edges(of: workflow)) { $1 }
            let revoked = try await api.newKey(.admin, of: team)
            let revokedID = try #require(APIKeyText(revoked)).id
            _ = try await api.submit(.revokeKey(revokedID), team: team)
            let expired = try await api.newKey(
                .admin, of: team, expiresAt: api.clock.now().adding(microseconds: 500_000))
            let wrong = String(api.adminKey.dropLast(8)) + "AAAAAAAA"
            var keys: [Role: String] = [:]
            for role in Role.allCases { keys[role] = try await api.newKey(role, of: team) }
            // A key that ends soon after it was asked for has ended after some commits.
            while let key = APIKeyText(expired), try api.engine.validKey(key.id) != nil {
                _ = try await api.newKey(.read, of: team)
            }
            let before = try api.position()
            for route in Route.all {
                guard case .role(let needed) = route.access else { continue }
                let path = Self.path(route, ids)
                for key in ["", "x", wrong, revoked, expired] {
                    let answer = try await api.call(
                        route.method, path, Self.body(route), key: key.isEmpty ? "-" : key)
                    #expect(answer.status == 401, "\(route.method) \(path)")
                    #expect(answer.headers[.wwwAuthenticate] == "Bearer")
                }
                for role in Role.allCases where !role.allows(needed) {
                    let answer = try await api.call(
                        route.method, path, Self.body(route), key: keys[role])
                    #expect(answer.status == 403, "\(route.method) \(path) as \(role.name)")
                }
            }
            #expect(try api.position() == before)
        }
    }

    @Test("another team's thing and an unknown one get the same answer on every route")
    func isolation() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let mine = [
                "workflow_id": workflow, "schedule_id": try await api.schedule(workflow),
                "run_id": try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id,
                "version": "0", "other_version": "0",
                "operation_id": try await api.operation(),
            ].merging(try await api.edges(of: workflow)) { $1 }
            var nobody = mine.mapValues { _ in "0123456789abcdef01234567" }
            nobody["version"] = "0"
            nobody["other_version"] = "0"
            // Licenses and keys are any administrator's, and a queue of a name is each team's own.
            let apart = [
                "/teams/{team_id}/license", "/api-keys/{key_id}", "/queues/{queue}/claim",
                "/log/{position}",
                "/hooks/{trigger_id}", "/hooks/{trigger_id}/{token}",
            ]
            let other = try await api.newKey(.admin, of: try await api.newTeam())
            let before = try api.position()
            let bodies = [
                "/workflows/{workflow_id}/schedules":
                    #"{"scheduled_time":"\#(api.time(inSeconds: 60))"}"#,
                "/workflows/{workflow_id}/concurrency": #"{"max_concurrent_runs":1}"#,
                "/workflows/{workflow_id}/versions/{version}": #"{"version_name":"x"}"#,
                "/workflows/{workflow_id}/versions/{version}/definition":
                    #"{"executor":{"type":"echo"}}"#,
                "/workflow-webhooks/{subscription_id}/replay": #"{"after":0}"#,
                "/workflow-runs/{run_id}/complete": #"{"attempt":1}"#,
                "/workflow-runs/{run_id}/fail": #"{"attempt":1}"#,
                "/workflow-runs/{run_id}/heartbeat": #"{"attempt":1}"#,
                "/workflow-runs/{run_id}/release": #"{"attempt":1}"#,
            ]
            for route in Route.all where route.path.contains("{") && !apart.contains(route.path) {
                let body = route.body == .json ? bodies[route.path] ?? "{}" : nil
                var answers: [String] = []
                for ids in [mine, nobody] {
                    let answer = try await api.call(
                        route.method, Self.path(route, ids), body, key: other)
                    #expect(answer.status == 404, "\(route.method) \(route.path)")
                    let requestID = answer.json["request_id"] as? String ?? "none"
                    answers.append(answer.text.replacing(requestID, with: "…"))
                }
                #expect(answers[0] == answers[1], "\(route.method) \(route.path)")
            }
            for list in [
                "/workflows", "/workflow-schedules", "/workflow-runs", "/workflow-triggers",
                "/workflow-webhooks", "/workflow-webhooks/events",
            ] {
                #expect(try await api.call(.get, list, key: other).items.isEmpty)
            }
            #expect(try api.position() == before)
        }
    }

    @Test("a repeated key has one effect and the first answer, over changes that came between")
    func idempotency() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let path = "/workflows/\(workflow)/schedules"
            let body = #"{"scheduled_time":"\#(api.time(inSeconds: 60))","run_input":{"n":1.50}}"#
            let key = [HTTPField.Name.idempotencyKey: "k1"]
            let first = try await api.call(.post, path, body, headers: key)
            #expect(first.status == 201)
            _ = try await api.call(.delete, "/workflow-schedules/\(first.id)")
            let before = try api.position()
            let again = try await api.call(.post, path, body, headers: key)
            #expect(again.status == 201)
            #expect(again.body == first.body)
            #expect(again.position == first.position)
            #expect(again.headers[.idempotentReplayed] == "true")
            let other = try await api.call(.post, path, body + " ", headers: key)
            #expect(other.status == 422)
            #expect(other.code == "idempotency_key_reused")
            #expect(try api.position() == before)
            // On another path and by another team it is another key.
            let elsewhere = try await api.call(
                .post, "/workflows/\(workflow)/execute", "{}", headers: key)
            #expect(elsewhere.status == 202)
            for bad in ["", " ", "é", String(repeating: "x", count: 256)] where !bad.isEmpty {
                let refused = try await api.call(
                    .post, path, body, headers: [.idempotencyKey: bad])
                #expect(refused.status == 400, "\(bad.prefix(5))")
            }
            // What was refused is judged anew.
            let late = [HTTPField.Name.idempotencyKey: "k2"]
            let past = #"{"scheduled_time":"2020-01-01T00:00:00Z"}"#
            #expect(try await api.call(.post, path, past, headers: late).status == 422)
            #expect(try await api.call(.post, path, body, headers: late).status == 201)
        }
    }

    @Test("two requests with one key at the same time have one effect")
    func idempotencyAtOnce() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let before = try api.position()
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await api.call(
                            .post, "/workflows/\(workflow)/execute", #"{"run_input":1}"#,
                            headers: [.idempotencyKey: "one"]
                        ).id
                    }
                }
                var ids: Set<String> = []
                for try await id in group { ids.insert(id) }
                return ids
            }
            #expect(ids.count == 1)
            #expect(try api.position() == before + 1)
        }
    }
}
