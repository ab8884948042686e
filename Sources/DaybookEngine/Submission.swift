import DaybookCore
import DaybookStore

/// A command on its way to the writer.
package struct Submission: Sendable {
    package let command: Command
    package let actor: Actor
    package let team: TeamID?
    package let commandID: CommandID
    package let idempotency: IdempotencyKey?
    package let expectedRevisions: Set<UInt64>?
    package let causation: Position
    package let traceparent: String?
    /// The bytes of the payload that the command's event brings.
    package let payload: SaltedPayload?

    package init(
        _ command: Command, by actor: Actor, team: TeamID?, id: CommandID,
        idempotency: IdempotencyKey? = nil, expectedRevisions: Set<UInt64>? = nil,
        causation: Position = 0, traceparent: String? = nil, payload: SaltedPayload? = nil
    ) {
        self.command = command
        self.actor = actor
        self.team = team
        commandID = id
        self.idempotency = idempotency
        self.expectedRevisions = expectedRevisions
        self.causation = causation
        self.traceparent = traceparent
        self.payload = payload
    }

    /// What it counts in mailbox and batch: its bytes, or those of the rows that it writes.
    var byteCount: Int {
        let rows = if case .replay(_, let deliveries, _) = command { deliveries.count } else { 0 }
        return 512 + (payload?.bytes.count ?? 0) + rows * 2_048
    }
}

/// A client's idempotency key, digested: the scope names team, method, path and key; the request,
/// method, path, query and body.
package struct IdempotencyKey: Hashable, Sendable {
    package let scope: Digest256
    package let request: Digest256

    package init(scope: Digest256, request: Digest256) {
        self.scope = scope
        self.request = request
    }
}

extension KeptAnswer {
    /// What a request with the key hears that comes again.
    func outcome(for key: IdempotencyKey) -> Outcome {
        guard request == key.request else { return .refused(.idempotencyKeyReused) }
        return .accepted(
            Accepted(position: position, answer: answer, isReplayed: true, isChange: false))
    }
}

/// What became of a command.
package enum Outcome: Sendable {
    case accepted(Accepted)
    case refused(Rejection)
    case unavailable(Unavailable)
}

package struct Accepted: Sendable {
    /// The command's entry; the object's last one where nothing changed.
    package let position: Position
    package let answer: Answer
    /// The answer to an earlier request with the same idempotency key.
    package let isReplayed: Bool
    /// Whether there is a new entry.
    package let isChange: Bool
}

/// Why the service does not take a command now. Nothing was written, except where it says so.
package enum Unavailable: Error, Hashable, Sendable {
    case overloaded
    /// The commit failed, or the caller stopped waiting: whether it took effect is to be found out
    /// by asking again with the same idempotency key.
    case outcomeUnknown
    case clockSuspect
    case diskFull
    /// A recount found that the projections disagree: nothing is started.
    case inconsistent
    /// This is a copy whose promises may be kept elsewhere.
    case copy
    case replaying(percent: Int)
    case stopping
}
