/// The envelope of an entry: all that is known of it besides its events.
package struct EntryHeader: Hashable, Sendable {
    package let position: Position
    /// The only "now" of the command: microseconds UTC, never before the entry before it.
    package let recordedAt: Instant
    /// The team that the entry belongs to; `nil` for the system's own.
    package let team: TeamID?
    package let actor: Actor
    package let commandID: CommandID
    /// The entry that led to this one; 0 for none.
    package let causation: Position
    package let idempotency: Idempotency?
    /// The W3C `traceparent` that came with the request.
    package let traceparent: String?
    package let command: CommandName

    package init(
        position: Position, recordedAt: Instant, team: TeamID?, actor: Actor,
        commandID: CommandID, causation: Position, idempotency: Idempotency?,
        traceparent: String?, command: CommandName
    ) {
        self.position = position
        self.recordedAt = recordedAt
        self.team = team
        self.actor = actor
        self.commandID = commandID
        self.causation = causation
        self.idempotency = idempotency
        self.traceparent = traceparent
        self.command = command
    }
}

/// One record of the log: one accepted command of one team and all the events it caused.
package struct Entry: Hashable, Sendable {
    package let header: EntryHeader
    package let events: [Event]

    package init(header: EntryHeader, events: [Event]) {
        self.header = header
        self.events = events
    }
}

/// What makes a repeated request recognisable.
package struct Idempotency: Hashable, Sendable {
    /// SHA-256 over team, method, path and the client's key.
    package let scope: Digest256
    /// SHA-256 over method, path, query and body.
    package let request: Digest256
    /// From then on the key counts as never used.
    package let endsAt: Instant

    package init(scope: Digest256, request: Digest256, endsAt: Instant) {
        self.scope = scope
        self.request = request
        self.endsAt = endsAt
    }
}

/// The object that a command is answered with, as its row was after the command.
package enum Answer: Hashable, Sendable {
    case none
    case team(Team)
    case apiKey(APIKey)
    case workflow(Workflow)
    /// With whether it was the active one.
    case version(Version, isActive: Bool)
    case schedule(Schedule)
    case run(Run)
    case trigger(Trigger)
    case refusal(Refusal)
    case subscription(Subscription)
    case delivery(Delivery)
    case operation(BulkOperation)

    /// The entry that touched the object last; 0 where there is none.
    package var position: Position {
        switch self {
        case .none: 0
        case .team(let team): team.touched.position
        case .apiKey(let key): key.touched.position
        case .workflow(let workflow): workflow.touched.position
        case .version(let version, _): version.touched.position
        case .schedule(let schedule): schedule.touched.position
        case .run(let run): run.touched.position
        case .trigger(let trigger): trigger.touched.position
        case .refusal(let refusal): refusal.touched.position
        case .subscription(let subscription): subscription.touched.position
        case .delivery(let delivery): delivery.touched.position
        case .operation(let operation): operation.touched.position
        }
    }
}

/// An answer kept for the time that its idempotency key holds.
package struct KeptAnswer: Hashable, Sendable {
    package let request: Digest256
    package let endsAt: Instant
    package let position: Position
    package let answer: Answer

    package init(request: Digest256, endsAt: Instant, position: Position, answer: Answer) {
        self.request = request
        self.endsAt = endsAt
        self.position = position
        self.answer = answer
    }
}
