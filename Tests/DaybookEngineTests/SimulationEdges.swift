import DaybookCore
import DaybookEngine
import DaybookStore
import Support

/// What comes in from outside and goes out again: a queue, refused messages, receivers that fail.
extension Simulation {
    /// Whether no message waits to be taken, and no delivery to be sent.
    var areEdgesQuiet: Bool {
        messages.isEmpty
            && memory.allDeliveries.allSatisfy { delivery in
                !delivery.status.isWaiting
                    || memory.subscription(delivery.subscription, of: team)?.isEnabled == false
            }
    }

    /// Messages come to a queue, are received, committed, and only then deleted.
    mutating func senders(mayDie: Bool = true) throws {
        let triggers = memory.allTriggers.sorted { $0.id < $1.id }
        guard triggers.count >= 2 else { return try makeTrigger() }
        // One trigger reads the queue; the other is changed now and then.
        let trigger = triggers[0]
        if mayDie {
            for _ in 0..<Int.random(in: 0...2, using: &numbers) {
                guard let digest = Digest256(bytes: numbers.bytes(32)) else { continue }
                messages.append(digest)
                sentMessages.insert(digest)
            }
            if let other = triggers.last, numbers.chance(1, of: 4) {
                try process([
                    submission(
                        .modifyTrigger(
                            SeenTrigger(other), TriggerChanges(isEnabled: !other.isEnabled)),
                        keyed: true)
                ])
            }
        }
        let received = messages.prefix(3)
        var batch: [Submission] = []
        for digest in received {
            let arrival = Arrival(
                trigger: SeenTrigger(trigger), scope: AnyID(team), digests: [digest],
                keptSeconds: 15 * 86_400)
            let payload = SaltedPayload(numbers.bytes(10), salt: numbers.bytes(16))
            // Told by the message alone, so that it is the same each time.
            let isUsable = digest.words.0 % 5 != 0
            let command: Command =
                isUsable
                ? .arrive(arrival, input: payload.payload)
                : .refuse(
                    arrival,
                    NewRefusal(
                        reason: .invalidJSON, detail: "no", contentType: nil,
                        body: payload.payload))
            batch.append(submission(command, by: .trigger(trigger.id), payload: payload))
        }
        guard !batch.isEmpty else { return }
        // Sometimes a message is given out twice at once.
        if mayDie, numbers.chance(1, of: 4) { batch.append(batch[0].again(id: 900_000 + asked)) }
        let outcomes = try process(batch, mayDie: mayDie)
        // Where the process died, nobody knows what became of them: they come again.
        guard outcomes.count == batch.count else { return }
        for (submission, outcome) in zip(batch, outcomes) {
            guard case .accepted(let accepted) = outcome else { continue }
            if !accepted.isChange { note(.messageCameAgain) }
            if case .refusal = accepted.answer { note(.messageRefused) }
            // Deleted; now and then the deletion is lost, and the message comes again.
            guard !mayDie || !numbers.chance(1, of: 5) else { continue }
            switch submission.command {
            case .arrive(let arrival, _), .refuse(let arrival, _):
                messages.removeAll { arrival.digests.contains($0) }
            default: break
            }
        }
    }

    private mutating func makeTrigger() throws {
        guard let workflow = memory.allWorkflows.min(by: { $0.id < $1.id }) else { return }
        try process([
            submission(
                .createTrigger(
                    NewTrigger(
                        workflow: workflow.id, source: .sqs, name: "queue", configuration: [],
                        secret: nil)), keyed: true)
        ])
    }

    /// Sends what is due, as the deliverer does, and records what became of it.
    mutating func deliverer(mayDie: Bool = true) throws {
        let subscriptions = memory.allSubscriptions.sorted { $0.id < $1.id }
        guard subscriptions.count >= 2 else { return try subscribe() }
        if mayDie, numbers.chance(1, of: 20) {
            let subscription = numbers.pick(subscriptions)
            let command: Command =
                numbers.chance(1, of: 3)
                ? .deleteSubscription(subscription.id)
                : .modifySubscription(
                    subscription.id, SubscriptionChanges(isEnabled: !subscription.isEnabled))
            try process([submission(command, keyed: true)])
            circuits.forget(subscription.id)
        }
        guard judge() == .good else { return }
        let now = clock.now()
        var isLeftAlone = false
        let (ready, next) = try disk.store.read { view in
            try DeliveryStep.next(view, of: team, now: now) { subscription in
                switch circuits.state(of: subscription, at: now) {
                case .open(let end):
                    isLeftAlone = true
                    return .closed(until: end)
                case .halfOpen: return .open(1)
                case .closed: return .open(3)
                }
            }
        }
        for (subscription, ready) in Dictionary(grouping: ready, by: { $0.subscription?.id }) {
            guard let subscription else { continue }
            let most =
                switch circuits.state(of: subscription, at: now) {
                case .open: 0
                case .halfOpen: 1
                case .closed: 3
                }
            guard ready.count <= most else {
                throw Broken(
                    description: "\(ready.count) deliveries to \(subscription), not \(most)")
            }
        }
        // Nothing else happens for as long as a receiver is left alone.
        if isLeftAlone, let next, numbers.chance(1, of: 3) {
            clock.advance(microseconds: max(0, next.microseconds(since: now)))
            observeClock()
        }
        if numbers.chance(1, of: 10) { isReceiverDown.toggle() }
        var batch: [Submission] = []
        for one in ready.prefix(6) {
            batch.append(try tell(one, mayFail: mayDie))
        }
        let outcomes = try process(batch, mayDie: mayDie)
        for case .accepted(let accepted) in outcomes {
            guard case .delivery(let delivery) = accepted.answer else { continue }
            if delivery.status == .retrying { note(.tellingRetried) }
        }
    }

    private mutating func subscribe() throws {
        try process([
            submission(
                .createSubscription(
                    NewSubscription(
                        name: "receiver", url: "https://example.com/",
                        actions: Actions(Action.allCases),
                        maxRetries: Int.random(in: 0...8, using: &numbers),
                        retryBackoffSeconds: 1, secret: .number(1))), keyed: true)
        ])
    }

    private mutating func tell(_ ready: ReadyDelivery, mayFail: Bool) throws -> Submission {
        let delivery = ready.delivery
        guard ready.subscription != nil else {
            note(.toldAfterDeletion)
            return record(delivery, number: 0, .cancelled)
        }
        if let before = told[delivery.id] {
            note(.toldAgain)
            guard before.isSameToReceivers(as: delivery) else {
                throw Broken(description: "I32: \(delivery.id) was told in two ways")
            }
        }
        told[delivery.id] = delivery
        let verdict: DeliveryVerdict
        if !mayFail {
            verdict = .delivered
        } else if isReceiverDown {
            verdict = .failedForNow(retryAfterSeconds: nil)
        } else {
            verdict =
                switch Int.random(in: 0..<14, using: &numbers) {
                case 0: .gone
                case 1, 2: .failedForGood
                case 3, 4: .failedForNow(retryAfterSeconds: nil)
                case 5, 6: .failedForNow(retryAfterSeconds: 5)
                default: .delivered
                }
        }
        if verdict == .gone { note(.receiverGone) }
        judgeReceiver(delivery.subscription, verdict)
        return record(delivery, number: delivery.attempts + 1, verdict)
    }

    /// Opens and closes the receiver's circuit as the deliverer does.
    private mutating func judgeReceiver(_ subscription: SubscriptionID, _ verdict: DeliveryVerdict)
    {
        let now = clock.now()
        if circuits.state(of: subscription, at: now) == .halfOpen { note(.circuitHalfOpen) }
        if case .failedForNow = verdict {
            circuits.failed(subscription, at: now)
        } else {
            circuits.succeeded(subscription)
        }
        if case .open = circuits.state(of: subscription, at: now) { note(.circuitOpen) }
    }

    private mutating func record(
        _ delivery: Delivery, number: Int, _ verdict: DeliveryVerdict
    ) -> Submission {
        submission(
            .recordDelivery(
                delivery.id,
                DeliveryAttempt(
                    number: number, startedAt: clock.now(), latencyMilliseconds: 1,
                    statusCode: nil, error: nil, answer: nil), verdict),
            by: .system(.deliverer))
    }

    /// Everything is let in and let out again, so that it can come to its end.
    mutating func openEdges() throws {
        for subscription in memory.allSubscriptions.sorted(by: { $0.id < $1.id }) {
            try process(
                [
                    submission(
                        .modifySubscription(
                            subscription.id, SubscriptionChanges(isEnabled: true)))
                ], mayDie: false)
        }
        for trigger in memory.allTriggers.sorted(by: { $0.id < $1.id }) {
            try process(
                [
                    submission(
                        .modifyTrigger(SeenTrigger(trigger), TriggerChanges(isEnabled: true)))
                ], mayDie: false)
        }
    }

    func checkEdges() throws {
        guard messages.isEmpty else {
            throw Broken(description: "I31: \(messages.count) messages were never taken")
        }
        var counts: [Digest256: Int] = [:]
        for event in entries.flatMap(\.events) {
            switch event {
            case .runQueued(let queued):
                for digest in queued.deduplication?.digests ?? [] {
                    counts[digest, default: 0] += 1
                }
            case .messageRefused(let refused):
                for digest in refused.deduplication?.digests ?? [] {
                    counts[digest, default: 0] += 1
                }
            default: break
            }
        }
        for digest in sentMessages where counts[digest] != 1 {
            throw Broken(
                description: "I31: a message became \(counts[digest] ?? 0) runs or refusals")
        }
        guard areEdgesQuiet else { throw Broken(description: "I32: a delivery never ended") }
        for delivery in memory.allDeliveries
        where delivery.status == .delivered && told[delivery.id] == nil {
            throw Broken(description: "I32: \(delivery.id) counts as told, and nobody was told")
        }
    }
}

extension Submission {
    /// The same once more, as somebody else's.
    fileprivate func again(id: UInt64) -> Submission {
        Submission(command, by: actor, team: team, id: .number(id), payload: payload)
    }
}

extension Delivery {
    /// Whether what receivers see of it is the same.
    fileprivate func isSameToReceivers(as other: Delivery) -> Bool {
        id == other.id && action == other.action && occurredAt == other.occurredAt
            && workflow == other.workflow && run == other.run && schedule == other.schedule
    }
}
