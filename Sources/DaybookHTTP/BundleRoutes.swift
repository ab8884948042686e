import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// Workflows from one service to another: everything about one in a JSON object, but its secrets.
enum BundleRoutes {
    static let all: [Route] = [
        Route(.get, "/workflows/{workflow_id}/export", .role(.read), export),
        Route(.post, "/workflows/import", .role(.write), body: .json, `import`),
    ]

    private static let format = "daybook-workflow"
    private static let formatVersion = 1

    /// All versions, or those that the query names and the active one.
    private static func export(_ call: Call, _ api: API) async throws -> Reply {
        let id: WorkflowID = try call.id("workflow_id", "workflow")
        let query = QueryFields(call)
        let chosen: Set<Int>? = query.value(
            "versions", "must be numbers of versions with commas between them"
        ) { text in
            let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
                text in
                Int(text).flatMap {
                    String($0) == text && Limits.versionNumbers.contains($0) ? $0 : nil
                }
            }
            return numbers.contains(nil) ? nil : Set(numbers.compactMap(\.self))
        }
        try query.finish()
        guard let workflow = try api.engine.workflow(id, of: call.team),
            let draft = try api.engine.version(0, of: id, team: call.team)
        else { throw Problem.notFound("workflow") }
        let versions = try chosenVersions(chosen, of: workflow, api)
        return Reply.json { writer in
            writer.object { writer in
                writer.field("format", format)
                writer.field("format_version", formatVersion)
                writer.field("name", workflow.name)
                writer.field("description", workflow.description)
                writer.field("run_timeout_seconds", workflow.runTimeoutSeconds)
                writer.retryPolicy(workflow.retry)
                writer.field("max_concurrent_runs", workflow.maxConcurrentRuns)
                writer.field("active_version", workflow.activeVersion)
                writer.field(
                    "definition", raw: WorkflowDefinition.shown(draft.definition.bytes))
                writer.array("versions") { writer in
                    for detail in versions {
                        writer.object { writer in
                            writer.field("version_number", detail.version.number)
                            writer.field("version_name", detail.version.name)
                            writer.field(
                                "definition",
                                raw: WorkflowDefinition.shown(detail.definition.bytes))
                        }
                    }
                }
            }
        }.with(revision: workflow.revision)
    }

    /// In the order of their numbers, without the draft.
    private static func chosenVersions(
        _ chosen: Set<Int>?, of workflow: Workflow, _ api: API
    ) throws -> [VersionDetail] {
        var versions: [VersionDetail] = []
        var cursor: [UInt8]?
        repeat {
            let page = try api.engine.versions(
                of: workflow.id, team: workflow.team, after: cursor, limit: 100,
                maximumBytes: api.limits.pageBytes)
            versions += page.items.filter { detail in
                let number = detail.version.number
                return number != 0
                    && (chosen?.contains(number) ?? true || number == workflow.activeVersion)
            }
            cursor = page.next
        } while cursor != nil
        if let missing = chosen?.subtracting([0]).subtracting(versions.map(\.version.number)).min()
        {
            throw Problem.invalid([
                FieldError(
                    pointer: "?versions", message: "the workflow has no version \(missing)")
            ])
        }
        guard versions.count <= Limits.importedVersions else {
            throw Problem.invalid([
                FieldError(
                    pointer: "?versions",
                    message: "must name at most \(Limits.importedVersions) of the "
                        + "\(versions.count) versions")
            ])
        }
        return versions.reversed()
    }

    /// Makes a workflow of a bundle, with all its versions in one entry.
    private static func `import`(_ call: Call, _ api: API) async throws -> Reply {
        let fields = try call.fields()
        if let name = fields.required("format", .string()), name != format {
            fields.refuse("format", "must be \(format)")
        }
        _ = fields.required("format_version", .integer(formatVersion...formatVersion))
        let name = fields.required("name", .normalised)
        let description = fields.nullable("description", .normalised)
        let timeout = fields.optional(
            "run_timeout_seconds", .integer(Limits.runTimeoutSeconds))
        let retry = fields.optional("retry", .retryPolicy)
        let maximum = fields.optional("max_concurrent_runs", .integer(Limits.concurrentRuns))
        let active = fields.optional("active_version", .integer(Limits.versionNumbers))
        let definition = fields.required("definition", .definition)
        let sealed = try definition.flatMap {
            try SealedDefinition(fields, "definition", $0, keeping: nil, call.team, api)
        }
        let bundled = fields.optional(
            "versions", .array(of: .object, count: 0...Limits.importedVersions))
        var versions: [ImportedVersion] = []
        for fields in bundled ?? [] {
            let number = fields.required(
                "version_number", .integer(1...Limits.versionNumbers.upperBound))
            let name = fields.nullable("version_name", .normalised)
            let sealed = try fields.required("definition", .definition).flatMap {
                try SealedDefinition(fields, "definition", $0, keeping: nil, call.team, api)
            }
            guard let number, let sealed else { continue }
            versions.append(
                ImportedVersion(number: number, name: name, definition: sealed.definition))
        }
        try fields.throwMistakes()
        let new = NewWorkflow(
            name: present(name), description: description,
            definition: present(sealed).definition,
            runTimeoutSeconds: timeout ?? Limits.defaultRunTimeoutSeconds, retry: retry ?? .once,
            maxConcurrentRuns: maximum ?? 0, secret: WorkflowRoutes.newSecret(call.team, api))
        let accepted = try await api.submit(
            .importWorkflow(new, versions: versions, activeVersion: active ?? 0), for: call)
        return try WorkflowRoutes.replyWithSecret(.created, accepted, call, api)
    }
}
