/// An endpoint that is told about events of its team's workflows and runs.
package struct Subscription: Hashable, Sendable {
    package let id: SubscriptionID
    package let team: TeamID
    /// Counts the team's subscriptions; never used again. Part of the ids of its deliveries.
    package let number: Int
    package var name: String
    package var url: String
    package var actions: Actions
    /// Only these workflows; all where there is none.
    package var workflows: [WorkflowID]
    package var isEnabled: Bool
    /// Whether its receiver said that it is gone (410), which disabled it.
    package var isGone: Bool
    package var timeoutSeconds: Int
    package var maxRetries: Int
    package var retryBackoffSeconds: Int
    package var bearerToken: SealedSecret?
    /// Signs what is sent.
    package var secret: SealedSecret
    package var previousSecret: Workflow.PreviousSecret?
    package var revision: UInt64
    package var touched: Touched

    package init(
        id: SubscriptionID, team: TeamID, number: Int, name: String, url: String,
        actions: Actions, workflows: [WorkflowID], isEnabled: Bool, isGone: Bool,
        timeoutSeconds: Int, maxRetries: Int, retryBackoffSeconds: Int,
        bearerToken: SealedSecret?, secret: SealedSecret,
        previousSecret: Workflow.PreviousSecret?, revision: UInt64, touched: Touched
    ) {
        self.id = id
        self.team = team
        self.number = number
        self.name = name
        self.url = url
        self.actions = actions
        self.workflows = workflows
        self.isEnabled = isEnabled
        self.isGone = isGone
        self.timeoutSeconds = timeoutSeconds
        self.maxRetries = maxRetries
        self.retryBackoffSeconds = retryBackoffSeconds
        self.bearerToken = bearerToken
        self.secret = secret
        self.previousSecret = previousSecret
        self.revision = revision
        self.touched = touched
    }

    func wants(_ action: Action, of workflow: WorkflowID) -> Bool {
        isEnabled && actions.contains(action)
            && (workflows.isEmpty || workflows.contains(workflow))
    }
}

/// What a subscription can be told about. Raw values are stored for ever.
package enum Action: UInt8, Sendable, CaseIterable {
    case workflowCreated = 0
    case workflowUpdated = 1
    case workflowDeleted = 2
    /// At the first start of a run only.
    case workflowRunStarted = 3
    /// Completed, failed and cancelled alike.
    case workflowRunCompleted = 4
    case workflowScheduleExpired = 5
}

extension Action {
    package var name: String {
        switch self {
        case .workflowCreated: "workflow_created"
        case .workflowUpdated: "workflow_updated"
        case .workflowDeleted: "workflow_deleted"
        case .workflowRunStarted: "workflow_run_started"
        case .workflowRunCompleted: "workflow_run_completed"
        case .workflowScheduleExpired: "workflow_schedule_expired"
        }
    }

    package init?(name: String) {
        guard let action = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = action
    }
}

/// A set of actions: bit n is the action of the raw value n.
package struct Actions: Hashable, Sendable {
    package let bits: UInt32

    package init(bits: UInt32) {
        self.bits = bits
    }

    package init(_ actions: some Sequence<Action>) {
        bits = actions.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
    }

    package func contains(_ action: Action) -> Bool { bits & 1 << UInt32(action.rawValue) != 0 }

    package var all: [Action] { Action.allCases.filter(contains) }
}

package struct NewSubscription: Sendable {
    package let name: String
    package let url: String
    package let actions: Actions
    package let workflows: [WorkflowID]
    package let isEnabled: Bool
    package let timeoutSeconds: Int
    package let maxRetries: Int
    package let retryBackoffSeconds: Int
    package let bearerToken: SealedSecret?
    package let secret: SealedSecret

    package init(
        name: String, url: String, actions: Actions, workflows: [WorkflowID] = [],
        isEnabled: Bool = true, timeoutSeconds: Int = Limits.defaultDeliveryTimeoutSeconds,
        maxRetries: Int = Limits.defaultDeliveryRetries,
        retryBackoffSeconds: Int = Limits.defaultDeliveryBackoffSeconds,
        bearerToken: SealedSecret? = nil, secret: SealedSecret
    ) {
        self.name = name
        self.url = url
        self.actions = actions
        self.workflows = workflows
        self.isEnabled = isEnabled
        self.timeoutSeconds = timeoutSeconds
        self.maxRetries = maxRetries
        self.retryBackoffSeconds = retryBackoffSeconds
        self.bearerToken = bearerToken
        self.secret = secret
    }
}

package struct SubscriptionChanges: Hashable, Sendable {
    package var name: String?
    package var url: String?
    package var actions: Actions?
    package var workflows: [WorkflowID]?
    package var isEnabled: Bool?
    /// The receiver said that it is gone.
    package var isGone: Bool?
    package var timeoutSeconds: Int?
    package var maxRetries: Int?
    package var retryBackoffSeconds: Int?
    package var bearerToken: Change<SealedSecret?>

    package init(
        name: String? = nil, url: String? = nil, actions: Actions? = nil,
        workflows: [WorkflowID]? = nil, isEnabled: Bool? = nil, isGone: Bool? = nil,
        timeoutSeconds: Int? = nil, maxRetries: Int? = nil, retryBackoffSeconds: Int? = nil,
        bearerToken: Change<SealedSecret?> = .keep
    ) {
        self.name = name
        self.url = url
        self.actions = actions
        self.workflows = workflows
        self.isEnabled = isEnabled
        self.isGone = isGone
        self.timeoutSeconds = timeoutSeconds
        self.maxRetries = maxRetries
        self.retryBackoffSeconds = retryBackoffSeconds
        self.bearerToken = bearerToken
    }
}

// Events

package struct SubscriptionCreated: Hashable, Sendable {
    package let subscription: SubscriptionID
    package let number: Int
    package let name: String
    package let url: String
    package let actions: Actions
    package let workflows: [WorkflowID]
    package let isEnabled: Bool
    package let timeoutSeconds: Int
    package let maxRetries: Int
    package let retryBackoffSeconds: Int
    package let bearerToken: SealedSecret?
    package let secret: SealedSecret

    package init(
        subscription: SubscriptionID, number: Int, name: String, url: String, actions: Actions,
        workflows: [WorkflowID], isEnabled: Bool, timeoutSeconds: Int, maxRetries: Int,
        retryBackoffSeconds: Int, bearerToken: SealedSecret?, secret: SealedSecret
    ) {
        self.subscription = subscription
        self.number = number
        self.name = name
        self.url = url
        self.actions = actions
        self.workflows = workflows
        self.isEnabled = isEnabled
        self.timeoutSeconds = timeoutSeconds
        self.maxRetries = maxRetries
        self.retryBackoffSeconds = retryBackoffSeconds
        self.bearerToken = bearerToken
        self.secret = secret
    }
}

package struct SubscriptionModified: Hashable, Sendable {
    package let subscription: SubscriptionID
    package let previous: Position
    package let changes: SubscriptionChanges

    package init(subscription: SubscriptionID, previous: Position, changes: SubscriptionChanges) {
        self.subscription = subscription
        self.previous = previous
        self.changes = changes
    }
}

package struct SubscriptionDeleted: Hashable, Sendable {
    package let subscription: SubscriptionID
    package let previous: Position

    package init(subscription: SubscriptionID, previous: Position) {
        self.subscription = subscription
        self.previous = previous
    }
}

package struct SubscriptionSecretRotated: Hashable, Sendable {
    package let subscription: SubscriptionID
    package let previous: Position
    package let secret: SealedSecret
    /// Until when the secret before it signs too.
    package let oldEndsAt: Instant

    package init(
        subscription: SubscriptionID, previous: Position, secret: SealedSecret,
        oldEndsAt: Instant
    ) {
        self.subscription = subscription
        self.previous = previous
        self.secret = secret
        self.oldEndsAt = oldEndsAt
    }
}
