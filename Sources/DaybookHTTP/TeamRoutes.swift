import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// The administrator's: teams, their licenses and their keys.
enum TeamRoutes {
    static let all: [Route] = [
        Route(.post, "/teams", .role(.admin), body: .json, create),
        Route(.get, "/teams", .role(.admin), list),
        Route(.patch, "/teams/{team_id}/license", .role(.admin), body: .json, setLicense),
        Route(.post, "/api-keys", .role(.admin), body: .json, createKey),
        Route(.get, "/api-keys", .role(.admin), listKeys),
        Route(.delete, "/api-keys/{key_id}", .role(.admin), revokeKey),
    ]

    private static func create(_ call: Call, _ api: API) async throws -> Reply {
        let fields = try call.fields()
        let name = fields.required("name", .normalised)
        let maximum = fields.optional("max_concurrent_runs", .integer(Limits.concurrentRuns))
        try fields.throwMistakes()
        let accepted = try await api.submit(
            .createTeam(
                name: present(name), maxConcurrentRuns: maximum ?? Limits.defaultTeamRuns),
            for: call)
        return try reply(.created, accepted)
    }

    private static func list(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let parameters = ListParameters(query)
        try query.finish()
        let page = try api.engine.teams(after: parameters.cursor, limit: parameters.limit)
        return .list(page.items, next: page.next) { $0.team($1) }
    }

    private static func listKeys(_ call: Call, _ api: API) async throws -> Reply {
        let query = QueryFields(call)
        let team: TeamID? = query.id("team_id")
        let parameters = ListParameters(query)
        try query.finish()
        let page = try api.engine.apiKeys(
            of: team, after: parameters.cursor, limit: parameters.limit)
        return .list(page.items, next: page.next) {
            $0.apiKey($1, lastUsedAt: api.engine.lastUse(of: $1))
        }
    }

    private static func revokeKey(_ call: Call, _ api: API) async throws -> Reply {
        let id: KeyID = try call.id("key_id", "key")
        guard let team = try api.engine.apiKey(id)?.team else { throw Problem.notFound("key") }
        let accepted = try await api.submitFresh(for: call, team: team) {
            guard try api.engine.apiKey(id)?.administersForEver == true else {
                return (.revokeKey(id), nil)
            }
            // Without an administrator nobody could ever make one again.
            guard let other = try api.engine.administrator(besides: id) else {
                throw Problem(
                    status: .conflict, code: "last_administrator",
                    title: "The key is the last one that can administer the service",
                    detail: "make another admin key without an end first")
            }
            return (.revokeKey(id, besides: other), nil)
        }
        guard case .apiKey(let revoked) = accepted.answer else { throw Problem.internal }
        return Reply.json { $0.apiKey(revoked, lastUsedAt: api.engine.lastUse(of: revoked)) }
            .with(accepted)
    }

    private static func setLicense(_ call: Call, _ api: API) async throws -> Reply {
        let id: TeamID = try call.id("team_id", "team")
        let fields = try call.fields()
        let maximum = fields.required("max_concurrent_runs", .integer(Limits.concurrentRuns))
        try fields.throwMistakes()
        return try reply(
            .ok,
            try await api.submit(
                .setLicense(team: id, maxConcurrentRuns: present(maximum)), for: call))
    }

    private static func reply(
        _ status: HTTPResponse.Status, _ accepted: Accepted
    ) throws -> Reply {
        guard case .team(let team) = accepted.answer else { throw Problem.internal }
        return Reply.json(status) { $0.team(team) }.with(accepted).with(revision: team.revision)
    }

    private static func createKey(_ call: Call, _ api: API) async throws -> Reply {
        let fields = try call.fields()
        let team = fields.required("team_id", JSONType<TeamID>.identifier())
        let role = fields.required("role", .role)
        let name = fields.required("name", .normalised)
        let end = fields.optional("expires_at", .instant)
        try fields.throwMistakes()
        // Only the digest is kept. So that the same request can be answered again, its secret is
        // made from the command's id, which is in the log, and a key that only this service has.
        let secret = secrets(of: call.requestID, api)[0]
        let accepted = try await api.submit(
            .createKey(
                NewKey(
                    role: present(role), name: present(name),
                    secretDigest: APIKeyText(id: .lowest, randomBytes: secret).secretDigest,
                    expiresAt: end)), for: call, team: present(team))
        guard case .apiKey(let key) = accepted.answer else { throw Problem.internal }
        let command = try api.engine.entry(at: accepted.position)?.entry.header.commandID
        let texts = secrets(of: command ?? call.requestID, api).map {
            APIKeyText(id: key.id, randomBytes: $0)
        }
        return Reply.json(.created) { writer in
            writer.apiKey(
                key, lastUsedAt: api.engine.lastUse(of: key),
                text: texts.first { $0.secretDigest == key.secretDigest }?.text)
        }.with(accepted)
    }

    /// The secrets that a command may have made: one for each key that has ever sealed.
    private static func secrets(of command: CommandID, _ api: API) -> [[UInt8]] {
        api.engine.derivedBytes(from: command.bytes)
            .map { Array($0.prefix(APIKeyText.randomByteCount)) }
    }
}

extension JSONType where Value == Role {
    static var role: Self {
        JSONType<String>.string().checked { text throws(JSONMismatch) in
            guard let role = Role(name: text) else {
                let names = Role.allCases.map(\.name).joined(separator: ", ")
                throw JSONMismatch("must be one of \(names)")
            }
            return role
        }
    }
}
