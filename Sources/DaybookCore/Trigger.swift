/// A binding from outside to a workflow.
package struct Trigger: Hashable, Sendable {
    /// Raw values are stored for ever.
    package enum Source: UInt8, Sendable, CaseIterable {
        /// Requests to a path of ours.
        case webhook = 1
        /// Messages of an AWS SQS queue.
        case sqs = 2
    }

    package let id: TriggerID
    package let team: TeamID
    package let workflow: WorkflowID
    package let source: Source
    package var name: String
    /// The version that its runs take; `nil` for the one that is active.
    package var version: Int?
    package var isEnabled: Bool
    /// A JSON object that says how messages are let in and told apart.
    package var configuration: [UInt8]
    /// What callers prove themselves with; a queue has none.
    package var secret: SealedSecret?
    package var previousSecret: Workflow.PreviousSecret?
    package var revision: UInt64
    package var touched: Touched

    package init(
        id: TriggerID, team: TeamID, workflow: WorkflowID, source: Source, name: String,
        version: Int?, isEnabled: Bool, configuration: [UInt8], secret: SealedSecret?,
        previousSecret: Workflow.PreviousSecret?, revision: UInt64, touched: Touched
    ) {
        self.id = id
        self.team = team
        self.workflow = workflow
        self.source = source
        self.name = name
        self.version = version
        self.isEnabled = isEnabled
        self.configuration = configuration
        self.secret = secret
        self.previousSecret = previousSecret
        self.revision = revision
        self.touched = touched
    }
}

extension Trigger.Source {
    package var name: String {
        switch self {
        case .webhook: "webhook"
        case .sqs: "sqs"
        }
    }

    package init?(name: String) {
        guard let source = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = source
    }
}

package struct NewTrigger: Sendable {
    package let workflow: WorkflowID
    package let source: Trigger.Source
    package let name: String
    package let version: Int?
    package let isEnabled: Bool
    package let configuration: [UInt8]
    package let secret: SealedSecret?

    package init(
        workflow: WorkflowID, source: Trigger.Source, name: String, version: Int? = nil,
        isEnabled: Bool = true, configuration: [UInt8], secret: SealedSecret?
    ) {
        self.workflow = workflow
        self.source = source
        self.name = name
        self.version = version
        self.isEnabled = isEnabled
        self.configuration = configuration
        self.secret = secret
    }
}

package struct TriggerChanges: Hashable, Sendable {
    package var name: String?
    package var version: Change<Int?>
    package var isEnabled: Bool?
    package var configuration: [UInt8]?

    package init(
        name: String? = nil, version: Change<Int?> = .keep, isEnabled: Bool? = nil,
        configuration: [UInt8]? = nil
    ) {
        self.name = name
        self.version = version
        self.isEnabled = isEnabled
        self.configuration = configuration
    }
}

/// A look at a trigger that a command was made from.
package struct SeenTrigger: Hashable, Sendable {
    package let id: TriggerID
    package let source: Trigger.Source
    package let revision: UInt64

    package init(id: TriggerID, source: Trigger.Source, revision: UInt64) {
        self.id = id
        self.source = source
        self.revision = revision
    }

    package init(_ trigger: Trigger) {
        self.init(id: trigger.id, source: trigger.source, revision: trigger.revision)
    }
}

/// The ids under which the same message may come again.
package struct Deduplication: Hashable, Sendable {
    /// What keeps the ids apart from others: the trigger of a webhook, the team of a queue.
    package let scope: AnyID
    /// SHA-256 of each id, with what kind of id it is.
    package let digests: [Digest256]
    /// From then on they count as never seen.
    package let endsAt: Instant

    package init(scope: AnyID, digests: [Digest256], endsAt: Instant) {
        self.scope = scope
        self.digests = digests
        self.endsAt = endsAt
    }
}

/// A message that a trigger let in.
package struct Arrival: Sendable {
    package let trigger: SeenTrigger
    package let scope: AnyID
    package let digests: [Digest256]
    /// For how long the digests are kept.
    package let keptSeconds: Int

    package init(trigger: SeenTrigger, scope: AnyID, digests: [Digest256], keptSeconds: Int) {
        self.trigger = trigger
        self.scope = scope
        self.digests = digests
        self.keptSeconds = keptSeconds
    }
}

/// A message that was let in and cannot be used: kept, so that it can be tried again.
package struct Refusal: Hashable, Sendable {
    /// Raw values are stored for ever.
    package enum Reason: UInt8, Sendable, CaseIterable {
        case invalidJSON = 1
        case unsupportedContentType = 2
        case tooLarge = 3
        case workflowGone = 4
        case versionGone = 5
    }

    package let id: RefusalID
    package let team: TeamID
    package let trigger: TriggerID
    package let reason: Reason
    /// What is wrong, for a person to read.
    package let detail: String
    package let contentType: String?
    package let body: PayloadLocation
    /// The run that a retry has started.
    package var run: RunID?
    package var touched: Touched

    package init(
        id: RefusalID, team: TeamID, trigger: TriggerID, reason: Reason, detail: String,
        contentType: String?, body: PayloadLocation, run: RunID?, touched: Touched
    ) {
        self.id = id
        self.team = team
        self.trigger = trigger
        self.reason = reason
        self.detail = detail
        self.contentType = contentType
        self.body = body
        self.run = run
        self.touched = touched
    }
}

extension Refusal.Reason {
    package var name: String {
        switch self {
        case .invalidJSON: "invalid_json"
        case .unsupportedContentType: "unsupported_content_type"
        case .tooLarge: "too_large"
        case .workflowGone: "workflow_gone"
        case .versionGone: "version_gone"
        }
    }
}

/// What a refusal is made from.
package struct NewRefusal: Sendable {
    package let reason: Refusal.Reason
    package let detail: String
    package let contentType: String?
    package let body: Payload

    package init(reason: Refusal.Reason, detail: String, contentType: String?, body: Payload) {
        self.reason = reason
        self.detail = detail
        self.contentType = contentType
        self.body = body
    }
}

/// What became of a message that came before.
package struct SeenMessage: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case run(RunID)
        case refusal(TriggerID, RefusalID)
    }

    /// Digests are told apart by their scopes.
    package struct Key: Hashable, Comparable, Sendable {
        package let scope: AnyID
        package let digest: Digest256

        package init(scope: AnyID, digest: Digest256) {
            self.scope = scope
            self.digest = digest
        }

        package static func < (left: Self, right: Self) -> Bool {
            (left.scope, left.digest) < (right.scope, right.digest)
        }

        package func hash(into hasher: inout Hasher) { digest.hash(into: &hasher) }
    }

    package let outcome: Outcome
    package let endsAt: Instant

    package init(outcome: Outcome, endsAt: Instant) {
        self.outcome = outcome
        self.endsAt = endsAt
    }
}

// Events

package struct TriggerCreated: Hashable, Sendable {
    package let trigger: TriggerID
    package let workflow: WorkflowID
    package let source: Trigger.Source
    package let name: String
    package let version: Int?
    package let isEnabled: Bool
    package let configuration: [UInt8]
    package let secret: SealedSecret?

    package init(
        trigger: TriggerID, workflow: WorkflowID, source: Trigger.Source, name: String,
        version: Int?, isEnabled: Bool, configuration: [UInt8], secret: SealedSecret?
    ) {
        self.trigger = trigger
        self.workflow = workflow
        self.source = source
        self.name = name
        self.version = version
        self.isEnabled = isEnabled
        self.configuration = configuration
        self.secret = secret
    }
}

package struct TriggerModified: Hashable, Sendable {
    package let trigger: TriggerID
    package let previous: Position
    package let changes: TriggerChanges

    package init(trigger: TriggerID, previous: Position, changes: TriggerChanges) {
        self.trigger = trigger
        self.previous = previous
        self.changes = changes
    }
}

package struct TriggerDeleted: Hashable, Sendable {
    package let trigger: TriggerID
    package let previous: Position

    package init(trigger: TriggerID, previous: Position) {
        self.trigger = trigger
        self.previous = previous
    }
}

package struct TriggerSecretRotated: Hashable, Sendable {
    package let trigger: TriggerID
    package let previous: Position
    package let secret: SealedSecret
    /// Until when the secret before it holds.
    package let oldEndsAt: Instant

    package init(trigger: TriggerID, previous: Position, secret: SealedSecret, oldEndsAt: Instant) {
        self.trigger = trigger
        self.previous = previous
        self.secret = secret
        self.oldEndsAt = oldEndsAt
    }
}

package struct MessageRefused: Hashable, Sendable {
    package let refusal: RefusalID
    package let trigger: TriggerID
    package let reason: Refusal.Reason
    package let detail: String
    package let contentType: String?
    package let body: Payload
    package let deduplication: Deduplication?

    package init(
        refusal: RefusalID, trigger: TriggerID, reason: Refusal.Reason, detail: String,
        contentType: String?, body: Payload, deduplication: Deduplication?
    ) {
        self.refusal = refusal
        self.trigger = trigger
        self.reason = reason
        self.detail = detail
        self.contentType = contentType
        self.body = body
        self.deduplication = deduplication
    }
}

/// A refused message became the input of a run after all.
package struct RefusalRetried: Hashable, Sendable {
    package let refusal: RefusalID
    package let trigger: TriggerID
    package let previous: Position
    package let run: RunID

    package init(refusal: RefusalID, trigger: TriggerID, previous: Position, run: RunID) {
        self.refusal = refusal
        self.trigger = trigger
        self.previous = previous
        self.run = run
    }
}
