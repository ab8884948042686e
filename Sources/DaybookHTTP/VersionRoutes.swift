import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// The versions of a workflow: the draft, snapshots of it, and which of them is active.
enum VersionRoutes {
    static let all: [Route] = [
        Route(.post, "/workflows/{workflow_id}/versions", .role(.write), body: .json, save),
        Route(.get, "/workflows/{workflow_id}/versions", .role(.read), list),
        Route(.get, "/workflows/{workflow_id}/versions/{version}", .role(.read), read),
        Route(
            .patch, "/workflows/{workflow_id}/versions/{version}", .role(.write), body: .json,
            rename),
        Route(
            .put, "/workflows/{workflow_id}/versions/{version}/definition", .role(.write),
            body: .json, edit),
        Route(
            .post, "/workflows/{workflow_id}/versions/{version}/activate", .role(.write),
            body: .json, activate),
        Route(.delete, "/workflows/{workflow_id}/versions/{version}", .role(.write), delete),
        Route(
            .get, "/workflows/{workflow_id}/versions/{version}/diff/{other_version}",
            .role(.read), diff),
    ]

    private static func save(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let fields = try call.fields(mayBeEmpty: true)
        let source = fields.optional(
            "source_version_number", .integer(Limits.versionNumbers))
        let name = fields.optional("version_name", .normalised)
        let markAsActive = fields.optional("mark_as_active", .bool)
        try fields.throwMistakes()
        let accepted = try await api.submit(
            .saveVersion(
                id,
                NewVersion(
                    source: source ?? 0, name: name, markAsActive: markAsActive ?? false)),
            for: call)
        return try reply(.created, accepted, api)
    }

    private static func rename(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let number = try call.versionNumber()
        let fields = try call.fields()
        let name = fields.required("version_name", .normalised)
        try fields.throwMistakes()
        return try reply(
            .ok,
            try await api.submit(
                .renameVersion(id, number: number, name: present(name)), for: call), api)
    }

    private static func edit(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        // Only the draft has a definition that can be changed.
        guard try call.versionNumber() == 0 else { throw Problem.notFound("draft") }
        guard let draft = try api.engine.version(0, of: id, team: call.team) else {
            throw Problem.notFound("workflow")
        }
        let (fields, read) = try call.wholeBody(.definition)
        let sealed = try read.flatMap {
            try SealedDefinition(
                fields, nil, $0, keeping: draft.definition, call.team, api)
        }
        try fields.throwMistakes()
        return try reply(
            .ok, try await api.submit(.editDraft(id, present(sealed).definition), for: call), api)
    }

    private static func activate(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let number = try call.versionNumber()
        try call.fields(mayBeEmpty: true).throwMistakes()
        return try WorkflowRoutes.reply(
            try await api.submit(.activateVersion(id, number: number), for: call))
    }

    private static func delete(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let number = try call.versionNumber()
        let accepted = try await api.submit(.deleteVersion(id, number: number), for: call)
        return Reply.json { writer in
            writer.object { writer in
                writer.field("workflow_id", id)
                writer.field("version_number", number)
                writer.field("deleted", true)
            }
        }.with(accepted)
    }

    /// What is different in the definition of the second version.
    private static func diff(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let numbers = [try call.versionNumber(), try call.versionNumber("other_version")]
        let versions = try numbers.map { number in
            guard let detail = try api.engine.version(number, of: id, team: call.team) else {
                throw Problem.notFound("version")
            }
            return detail
        }
        let changes = DefinitionDiff.changes(
            from: versions[0].definition.bytes, to: versions[1].definition.bytes)
        return Reply.json { writer in
            writer.object { writer in
                writer.field("workflow_id", id)
                writer.field("from_version", numbers[0])
                writer.field("to_version", numbers[1])
                writer.array("changes") { writer in
                    for change in changes {
                        writer.object { writer in
                            writer.field("path", change.path)
                            if let old = change.old { writer.field("old", raw: old) }
                            if let new = change.new { writer.field("new", raw: new) }
                        }
                    }
                }
            }
        }
    }

    private static func read(_ call: Call, _ api: API) async throws -> Reply {
        try QueryFields(call).finish()
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let number = try call.versionNumber()
        guard let detail = try api.engine.version(number, of: id, team: call.team) else {
            throw Problem.notFound("version")
        }
        return Reply.json { $0.version(detail) }
    }

    private static func list(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let query = QueryFields(call)
        let parameters = ListParameters(query)
        try query.finish()
        guard try api.engine.workflow(id, of: call.team) != nil else {
            throw Problem.notFound("workflow")
        }
        let page = try api.engine.versions(
            of: id, team: call.team, after: parameters.cursor, limit: parameters.limit,
            maximumBytes: api.limits.pageBytes)
        return .list(page.items, next: page.next) { $0.version($1) }
    }

    private static func reply(
        _ status: HTTPResponse.Status, _ accepted: Accepted, _ api: API
    ) throws -> Reply {
        guard case .version(let version, let isActive) = accepted.answer else {
            throw Problem.internal
        }
        let detail = try api.engine.detail(version, isActive: isActive)
        return Reply.json(status) { $0.version(detail) }.with(accepted)
    }
}
