import DaybookCore
import HTTPTypes

/// One method on one path, what it needs, and what it does.
struct Route: Sendable {
    enum Access: Sendable, Hashable {
        case open
        case role(Role)
    }

    /// How the body is taken.
    enum Body: Sendable, Hashable {
        case none
        case json
        /// As it comes, whatever it is.
        case raw
        /// Many items; may be larger.
        case batch
    }

    let method: HTTPRequest.Method
    /// Segments with a brace are parameters: `/workflows/{workflow_id}`.
    let path: String
    let access: Access
    let body: Body
    /// Whether a command reads parameters of the query; those that do not refuse them all.
    let takesQuery: Bool
    /// Whether the answer may come late, so that it matters if the client is still there.
    let takesTime: Bool
    let handle: @Sendable (Call, API) async throws -> Reply

    init(
        _ method: HTTPRequest.Method, _ path: String, _ access: Access, body: Body = .none,
        takesQuery: Bool = false, takesTime: Bool = false,
        _ handle: @escaping @Sendable (Call, API) async throws -> Reply
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.body = body
        self.takesQuery = takesQuery
        self.takesTime = takesTime
        self.handle = handle
    }

    /// Every route there is. Tests walk it, so that a new one is checked like all others.
    static let all: [Route] =
        ScheduleRoutes.all + RunRoutes.all + WorkerRoutes.all + WorkflowRoutes.all
        + VersionRoutes.all + BundleRoutes.all + BulkRoutes.all
        + TriggerRoutes.all + HookRoutes.all + WebhookRoutes.all
        + LogRoutes.all + TeamRoutes.all + OperationRoutes.all + PageRoutes.all
}
