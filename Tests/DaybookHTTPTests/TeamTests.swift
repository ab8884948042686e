import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Foundation
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

@Suite("Teams, licenses and keys", .timeLimit(.minutes(5)))
struct TeamTests {
    @Test("a new team gets a key, and with it a world of its own")
    func newTeam() async throws {
        try await TestAPI.run { api in
            let team = try await api.call(.post, "/teams", #"{"name":"clinic"}"#)
            #expect(team.status == 201)
            #expect(team.json["max_concurrent_runs"] as? Int == 50)
            #expect(team.json["team_id"] as? String == team.id)
            let made = try await api.call(
                .post, "/api-keys", #"{"team_id":"\#(team.id)","role":"write","name":"desk"}"#)
            #expect(made.status == 201)
            let key = try #require(made.json["key"] as? String)
            #expect(APIKeyText(key)?.id.description == made.id)
            let license = try await api.call(.get, "/license", key: key)
            #expect(license.json["team_id"] as? String == team.id)
            #expect(try await api.call(.get, "/workflows", key: key).items.isEmpty)
            #expect(try await api.call(.post, "/teams", #"{"name":"x"}"#, key: key).status == 403)
        }
    }

    @Test("a key's secret is shown again to the same request, and kept nowhere")
    func keyAgain() async throws {
        try await TestAPI.run { api in
            let team = try api.teamOfAdmin()
            let body = #"{"team_id":"\#(team)","role":"read","name":"desk"}"#
            let headers = [HTTPField.Name.idempotencyKey: "k"]
            let first = try await api.call(.post, "/api-keys", body, headers: headers)
            let again = try await api.call(.post, "/api-keys", body, headers: headers)
            #expect(again.body == first.body)
            let other = try await api.call(.post, "/api-keys", body)
            #expect(other.json["key"] as? String != first.json["key"] as? String)
            // Another key of the same name and idempotency key in another team has its own secret.
            let third = try await api.call(
                .post, "/api-keys", body.replacing("desk", with: "door"),
                headers: [
                    HTTPField.Name.idempotencyKey: "k2"
                ])
            #expect(
                (third.json["key"] as? String)?.suffix(20)
                    != (first.json["key"] as? String)?.suffix(20))
            let text = try #require(first.json["key"] as? String)
            #expect(try await api.call(.get, "/license", key: text).status == 200)
            // Not in the log either: there stands the digest alone.
            let secret = text.dropFirst("dbk_".count + 25).dropLast(6)
            let entry = try api.engine.read { view in
                try view.entryBytes(at: Position(try #require(first.position)))
            }
            #expect(!String(decoding: entry, as: UTF8.self).contains(secret))
        }
    }

    @Test("a license holds over all modes; raising it starts what waits, lowering it stops nothing")
    func license() async throws {
        try await TestAPI.run { api in
            let team = try api.teamOfAdmin()
            func set(_ limit: Int) async throws -> TestAPI.Answer {
                try await api.call(
                    .patch, "/teams/\(team)/license", #"{"max_concurrent_runs":\#(limit)}"#)
            }
            func use() async throws -> [Int?] {
                let license = try await api.call(.get, "/license")
                return ["max_concurrent_runs", "in_progress", "queued"].map {
                    license.json[$0] as? Int
                }
            }
            #expect(try await set(0).status == 200)
            let workflow = try await api.waitingWorkflow()
            for _ in 0..<4 { _ = try await api.call(.post, "/workflows/\(workflow)/execute", "{}") }
            async let claimed = api.call(
                .post, "/queues/nobody/claim", #"{"worker":"w","max":9,"wait_seconds":60}"#)
            while api.engine.claimants.count == 0 { await Task.yield() }
            #expect(try await use() == [0, 0, 4])
            _ = try await set(3)
            #expect((try await claimed.json["runs"] as? [Any])?.count == 3)
            #expect(try await use() == [3, 3, 1])
            _ = try await set(1)
            #expect(try await use() == [1, 3, 1])
            let none = try await api.call(.post, "/queues/nobody/claim", #"{"worker":"w"}"#)
            #expect((none.json["runs"] as? [Any])?.count == 0)
            let stale = try await api.call(
                .patch, "/teams/\(team)/license", #"{"max_concurrent_runs":9}"#,
                headers: [.ifMatch: "\"1\""])
            #expect(stale.status == 412)
        }
    }

    @Test("bad values say what is wrong and where")
    func bad() async throws {
        try await TestAPI.run { api in
            let team = try api.teamOfAdmin()
            let before = try api.position()
            let unknown = "0123456789abcdef01234567"
            let bad: [(HTTPRequest.Method, String, String, Int, String)] = [
                (.post, "/teams", "{}", 422, "/name"),
                (.post, "/teams", #"{"name":""}"#, 422, "/name"),
                (
                    .post, "/teams", #"{"name":"a","max_concurrent_runs":-1}"#, 422,
                    "/max_concurrent_runs"
                ),
                (.patch, "/teams/\(team)/license", "{}", 422, "/max_concurrent_runs"),
                (
                    .patch, "/teams/\(team)/license", #"{"max_concurrent_runs":-1}"#, 422,
                    "/max_concurrent_runs"
                ),
                (
                    .patch, "/teams/\(team)/license", #"{"max_concurrent_runs":1000001}"#, 422,
                    "/max_concurrent_runs"
                ),
                (
                    .patch, "/teams/\(unknown)/license", #"{"max_concurrent_runs":1}"#, 404,
                    ""
                ),
                (
                    .post, "/api-keys", #"{"team_id":"\#(unknown)","role":"read","name":"a"}"#,
                    404, ""
                ),
                (.post, "/api-keys", #"{"team_id":"x","role":"read","name":"a"}"#, 422, "/team_id"),
                (
                    .post, "/api-keys", #"{"team_id":"\#(team)","role":"root","name":"a"}"#, 422,
                    "/role"
                ),
                (
                    .post, "/api-keys",
                    #"{"team_id":"\#(team)","role":"read","name":"a","expires_at":"2020-01-01T00:00:00Z"}"#,
                    422, "/expires_at"
                ),
            ]
            for (method, path, body, status, pointer) in bad {
                let answer = try await api.call(method, path, body)
                #expect(answer.status == status, "\(path) \(body) \(answer.text)")
                #expect(
                    pointer.isEmpty || answer.text.contains("\"pointer\":\"\(pointer)\""),
                    "\(answer.text)")
            }
            #expect(try api.position() == before)
        }
    }

    @Test("teams and keys are listed, a revoked key too, and when each was used")
    func lists() async throws {
        try await TestAPI.run { api in
            let team = try await api.newTeam()
            let key = try await api.newKey(.read, of: team)
            let id = try #require(APIKeyText(key)).id
            let teams = try await api.call(.get, "/teams").items
            #expect(
                teams.compactMap { $0["id"] as? String }
                    == [team.description, try api.teamOfAdmin().description])
            func listed() async throws -> [String: any Sendable] {
                let keys = try await api.call(.get, "/api-keys?team_id=\(team)").items
                return try #require(keys.first)
            }
            let unused = try await listed()
            #expect(unused["id"] as? String == id.description)
            #expect(unused["last_used_at"] is NSNull && unused["revoked_at"] is NSNull)
            #expect(unused["key"] == nil && unused["secret_digest"] == nil)
            #expect(try await api.call(.get, "/license", key: key).status == 200)
            let used = try await listed()["last_used_at"] as? String
            #expect(used?.hasSuffix(":00Z") == true, "known to the minute")
            let revoked = try await api.call(.delete, "/api-keys/\(id)")
            #expect(revoked.status == 200 && revoked.json["revoked_at"] is String)
            #expect(try await api.call(.get, "/license", key: key).status == 401)
            #expect(try await listed()["revoked_at"] is String)
            let before = try api.position()
            #expect(try await api.call(.delete, "/api-keys/\(id)").status == 200)
            #expect(try api.position() == before)
            #expect(try await api.call(.get, "/api-keys").items.count == 2)
        }
    }

    @Test("the last key that can administer the service stays")
    func lastAdministrator() async throws {
        try await TestAPI.run { api in
            let id = try #require(APIKeyText(api.adminKey)).id
            let refused = try await api.call(.delete, "/api-keys/\(id)")
            #expect(refused.status == 409 && refused.code == "last_administrator")
            let team = try api.teamOfAdmin()
            _ = try await api.newKey(
                .admin, of: team, expiresAt: api.clock.now().adding(seconds: 600))
            #expect(try await api.call(.delete, "/api-keys/\(id)").status == 409)
            _ = try await api.newKey(.admin, of: team)
            #expect(try await api.call(.delete, "/api-keys/\(id)").status == 200)
            #expect(try await api.call(.get, "/teams").status == 401)
        }
    }

    @Test("when keys were used is recorded now and then")
    func usesAreKept() async throws {
        let settings: Settings = {
            var settings = TestAPI.settings
            settings.keyUseSeconds = 60
            return settings
        }()
        let clock = ManualClock()
        try await TestAPI.run(settings: settings, clock: clock) { api in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let key = try await api.newKey(.read, of: api.teamOfAdmin())
                let id = try #require(APIKeyText(key)).id
                #expect(try await api.call(.get, "/license", key: key).status == 200)
                let used = clock.now()
                group.addTask { try await KeyUseService(engine: api.engine).run() }
                while try api.engine.apiKey(id)?.lastUsedAt == nil {
                    clock.advance(seconds: 60)
                    await Task.yield()
                }
                #expect(try api.engine.apiKey(id)?.lastUsedAt == used)
                group.cancelAll()
            }
        }
    }
}
