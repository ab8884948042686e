import DaybookCore
import DaybookStore

/// A message from outside that a trigger let in.
package struct ReceivedMessage: Sendable {
    package enum Content: Sendable {
        /// The input that it makes; `nil` for none.
        case usable([UInt8]?)
        case unusable(Refusal.Reason, detail: String)
    }

    package let trigger: Trigger
    /// What keeps its ids apart from others: the trigger, or of a queue the team.
    package let scope: AnyID
    /// The ids under which it may come again.
    package let digests: [Digest256]
    /// Those of them that hold also where it is refused.
    package let refusalDigests: [Digest256]
    package let keptSeconds: Int
    package let contentType: String?
    /// As it came.
    package let body: [UInt8]
    package let content: Content

    package init(
        trigger: Trigger, scope: AnyID, digests: [Digest256],
        refusalDigests: [Digest256]? = nil, keptSeconds: Int,
        contentType: String?, body: [UInt8], content: Content
    ) {
        self.trigger = trigger
        self.scope = scope
        self.digests = digests
        self.refusalDigests = refusalDigests ?? digests
        self.keptSeconds = keptSeconds
        self.contentType = contentType
        self.body = body
        self.content = content
    }
}

/// What became of a message, durable by then.
package enum Reception: Sendable {
    case run(Run, Accepted)
    case refusal(Refusal, Accepted)
    /// The trigger was changed, disabled or deleted since it let the message in: it is to be asked again.
    case triggerChanged
    case unavailable(Unavailable)
}

extension Engine {
    /// Makes a run of the message, or keeps it as refused where it cannot be used; what came before is
    /// answered as it was then.
    package func receive(
        _ message: ReceivedMessage, id: CommandID? = nil, traceparent: String? = nil
    ) async -> Reception {
        var refusal: (reason: Refusal.Reason, detail: String)
        switch message.content {
        case .unusable(let reason, let detail): refusal = (reason, detail)
        case .usable(let input):
            let payload = input.map { salted($0) }
            let outcome = await submit(
                message.submission(
                    .arrive(message.arrival(message.digests), input: payload?.payload),
                    id ?? newCommandID(),
                    traceparent, payload))
            switch outcome {
            case .refused(.notFound(.workflow)):
                refusal = (.workflowGone, "the trigger's workflow is gone")
            case .refused(.notFound(.version)):
                refusal = (.versionGone, "the trigger's version is gone")
            default: return Reception(outcome)
            }
        }
        let body = salted(message.body)
        return Reception(
            await submit(
                message.submission(
                    .refuse(
                        message.arrival(message.refusalDigests),
                        NewRefusal(
                            reason: refusal.reason, detail: refusal.detail,
                            contentType: message.contentType, body: body.payload)),
                    id ?? newCommandID(), traceparent, body)))
    }
}

extension Reception {
    fileprivate init(_ outcome: Outcome) {
        switch outcome {
        case .accepted(let accepted):
            switch accepted.answer {
            case .run(let run): self = .run(run, accepted)
            case .refusal(let refusal): self = .refusal(refusal, accepted)
            default: preconditionFailure("a message becomes a run or a refusal")
            }
        case .refused: self = .triggerChanged
        case .unavailable(let reason): self = .unavailable(reason)
        }
    }
}

extension ReceivedMessage {
    fileprivate func arrival(_ digests: [Digest256]) -> Arrival {
        Arrival(
            trigger: SeenTrigger(trigger), scope: scope, digests: digests,
            keptSeconds: keptSeconds)
    }

    fileprivate func submission(
        _ command: Command, _ id: CommandID, _ traceparent: String?, _ payload: SaltedPayload?
    ) -> Submission {
        Submission(
            command, by: .trigger(trigger.id), team: trigger.team, id: id,
            traceparent: traceparent, payload: payload)
    }
}

/// Questions about triggers.
extension Engine {
    /// Whether so many messages of a queue may be fetched now: not while paused, nor where the mailbox would not
    /// take them.
    package func mayFetch(_ count: Int, for team: TeamID) throws -> Bool {
        guard currentPhase == .serving, !isCopy, clockJudgement == .good, !hasDiskFull,
            mailbox.hasRoom(for: count, of: team)
        else { return false }
        return try !service().isPaused
    }

    /// The trigger of whichever team.
    package func trigger(_ id: TriggerID) throws -> Trigger? { try read { try $0.trigger(id) } }

    package func trigger(_ id: TriggerID, of team: TeamID) throws -> Trigger? {
        try read { try $0.trigger(id, of: team) }
    }

    package func triggers(
        of team: TeamID, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<Trigger> {
        try read { try $0.triggers(of: team, after: cursor, limit: limit) }
    }

    /// The enabled triggers of all teams that read queues.
    package func queueTriggers() throws -> [Trigger] {
        try read { try $0.enabledTriggers(.sqs) }
    }

    package func refusal(
        _ id: RefusalID, of trigger: TriggerID, team: TeamID
    ) throws -> RefusalDetail? {
        try read { view in
            guard let refusal = try view.refusal(id, of: trigger, team: team) else { return nil }
            return RefusalDetail(refusal: refusal, body: try view.payload(at: refusal.body))
        }
    }

    /// A page of what the trigger refused, newest first; the page ends where its bodies are too many bytes.
    package func refusals(
        of trigger: TriggerID, team: TeamID, after cursor: [UInt8]?, limit: Int,
        maximumBytes: Int
    ) throws -> Page<RefusalDetail> {
        try read { view in
            let page = try view.refusals(of: trigger, team: team, after: cursor, limit: limit)
            var items: [RefusalDetail] = []
            var bytes = 0
            for refusal in page.items {
                let body = try view.payload(at: refusal.body)
                bytes += StoredPayload?.some(body).byteCount
                items.append(RefusalDetail(refusal: refusal, body: body))
                if bytes >= maximumBytes, items.count < page.items.count {
                    return Page(items: items, next: refusal.id.bytes)
                }
            }
            return Page(items: items, next: page.next)
        }
    }

    /// The secrets of the trigger that are in force, the newer one first.
    package func secrets(of trigger: Trigger) throws -> [String] {
        var secrets = [try secret(of: trigger)].compactMap(\.self)
        if let old = trigger.previousSecret, clock.now() < old.endsAt {
            secrets.append(try text(of: old.secret, trigger))
        }
        return secrets
    }

    package func secret(of trigger: Trigger) throws -> String? {
        try trigger.secret.map { try text(of: $0, trigger) }
    }

    private func text(of secret: SealedSecret, _ trigger: Trigger) throws -> String {
        String(decoding: try open(secret, for: .triggerSecret, of: trigger.team), as: UTF8.self)
    }
}

/// A refusal with the message that it is about.
package struct RefusalDetail: Sendable {
    package let refusal: Refusal
    package let body: StoredPayload
}
