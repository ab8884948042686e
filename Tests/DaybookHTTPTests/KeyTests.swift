import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// What opens the door, and what only looks as if it did.
@Suite("Keys")
struct KeyTests {
    /// The routes that need a key, with the ids of nothing.
    private static let guarded: [(Route, path: String, needed: Role)] = Route.all.compactMap {
        guard case .role(let needed) = $0.access else { return nil }
        var path = $0.path.replacing("{version}", with: "0")
        for name in ["workflow_id", "schedule_id", "run_id"] {
            path = path.replacing("{\(name)}", with: "0123456789abcdef01234567")
        }
        // A stream that is granted does not end by itself: a wrong parameter comes after the key.
        if path == "/log/stream" { path += "?event=none" }
        return ($0, path, needed)
    }

    private static func body(_ route: Route) -> String? { route.body == .json ? "{}" : nil }

    @Test("no header, another scheme, a right form of a wrong secret: one and the same 401")
    func refusals() async throws {
        try await TestAPI.run { api in
            let known = try #require(APIKeyText(api.adminKey)).id
            let forged = APIKeyText(id: known, randomBytes: [UInt8](repeating: 1, count: 20))
            let unknown = APIKeyText(id: .lowest, randomBytes: [UInt8](repeating: 1, count: 20))
            let headers = [
                "": "", "another scheme": "Basic \(api.adminKey)", "no scheme": api.adminKey,
                "a forged secret": "Bearer \(forged.text)",
                "an unknown id": "Bearer \(unknown.text)",
                "two keys": "Bearer \(api.adminKey), Bearer \(api.adminKey)",
                "a blank behind": "Bearer \(api.adminKey) x",
                "a digit too many": "Bearer \(api.adminKey)0",
                "upper case": "Bearer \(api.adminKey.uppercased())",
            ]
            let before = try api.position()
            for (route, path, _) in Self.guarded {
                var texts: Set<String> = []
                for (what, header) in headers {
                    let answer = try await api.call(
                        route.method, path, Self.body(route), key: "",
                        headers: [.authorization: header])
                    #expect(answer.status == 401, "\(route.method) \(path): \(what)")
                    #expect(answer.headers[.wwwAuthenticate] == "Bearer", "\(path): \(what)")
                    let id = answer.json["request_id"] as? String ?? "none"
                    texts.insert(answer.text.replacing(id, with: "…"))
                }
                #expect(texts.count == 1, "\(route.method) \(path) tells them apart")
            }
            #expect(try api.position() == before)
        }
    }

    @Test("each role opens what it allows and nothing else, on every route")
    func roles() async throws {
        try await TestAPI.run { api in
            let team = try api.teamOfAdmin()
            for role in Role.allCases {
                let key = try await api.newKey(role, of: team)
                for (route, path, needed) in Self.guarded {
                    let answer = try await api.call(
                        route.method, path, Self.body(route), key: key)
                    let place = "\(route.method) \(path) as \(role.name)"
                    #expect(answer.status != 401, "\(place)")
                    #expect((answer.status == 403) == !role.allows(needed), "\(place)")
                    guard answer.status == 403 else { continue }
                    #expect(answer.code == "forbidden", "\(place)")
                    #expect(answer.json["required_role"] as? String == needed.name, "\(place)")
                }
            }
        }
    }

    @Test("the scheme's case is free, and what needs no key asks for none")
    func openRoutes() async throws {
        try await TestAPI.run { api in
            for scheme in ["Bearer", "bearer", "BEARER"] {
                let answer = try await api.call(
                    .get, "/license", key: "",
                    headers: [.authorization: "\(scheme) \(api.adminKey)"])
                #expect(answer.status == 200, "\(scheme)")
            }
            // Hooks ask for what their trigger says, sessions for a cookie.
            for route in Route.all
            where route.access == .open && !route.path.contains("{") && route.path != "/session" {
                for key in ["", "x", api.adminKey] {
                    let answer = try await api.call(route.method, route.path, key: key)
                    #expect(answer.status == 200, "\(route.path)")
                }
            }
        }
    }

    @Test("a revoked key is out with the next request, and its waiting one does not come back in")
    func revocation() async throws {
        try await TestAPI.run { api in
            let team = try api.teamOfAdmin()
            let key = try await api.newKey(.write, of: team)
            #expect(try await api.call(.get, "/workflows", key: key).status == 200)
            _ = try await api.submit(.revokeKey(try #require(APIKeyText(key)).id), team: team)
            #expect(try await api.call(.get, "/workflows", key: key).status == 401)
            #expect(try await api.call(.get, "/readyz", key: key).text == #"{"status":"ready"}"#)
        }
    }

    @Test("neither header nor query nor body chooses the team")
    func teamComesFromTheKey() async throws {
        try await TestAPI.run { api in
            let mine = try await api.waitingWorkflow()
            let team = try api.teamOfAdmin()
            let other = try await api.newKey(.admin, of: try await api.newTeam())
            let header = try #require(HTTPField.Name("X-Team-Id"))
            let read = try await api.call(
                .get, "/workflows/\(mine)", key: other, headers: [header: team.description])
            #expect(read.status == 404)
            let listed = try await api.call(.get, "/workflows?team_id=\(team)", key: other)
            #expect(listed.status == 422)
            let made = try await api.call(
                .post, "/workflows",
                #"{"name":"n","definition":{"executor":{"type":"echo"}},"team_id":"\#(team)"}"#,
                key: other)
            #expect(made.status == 422)
        }
    }

    @Test("a cursor of another team, or of another list, shows nothing that is not the caller's")
    func foreignCursors() async throws {
        try await TestAPI.run { api in
            let mine = try await api.waitingWorkflow()
            for _ in 0..<3 { _ = try await api.schedule(mine) }
            for _ in 0..<3 {
                _ = try await api.call(.post, "/workflows/\(mine)/execute", "{}")
            }
            let lists = [
                "/workflow-schedules?", "/workflow-schedules?order=scheduled_time&",
                "/workflow-schedules?status=pending&", "/workflow-runs?",
                "/workflow-runs?status=queued&", "/workflows?", "/workflows/\(mine)/versions?",
            ]
            var cursors = ["00", "ff", "0123456789abcdef01234567"]
            cursors.append(String(repeating: "f", count: 256))
            for list in lists {
                let page = try await api.call(.get, "\(list)limit=1")
                if let cursor = page.json["next_cursor"] as? String { cursors.append(cursor) }
            }
            let stranger = try await api.newTeam()
            let other = try await api.newKey(.read, of: stranger)
            for list in lists where !list.contains(mine) {
                for cursor in cursors {
                    let foreign = try await api.call(
                        .get, "\(list)cursor=\(cursor)", key: other)
                    #expect(foreign.status == 200, "\(list)\(cursor)")
                    #expect(foreign.items.isEmpty, "\(list)\(cursor)")
                }
            }
            let team = try api.teamOfAdmin().description
            for list in lists {
                for cursor in cursors {
                    let own = try await api.call(.get, "\(list)cursor=\(cursor)")
                    #expect(own.status == 200, "\(list)\(cursor)")
                    #expect(own.items.allSatisfy { $0["team_id"] as? String == team })
                }
            }
        }
    }
}
