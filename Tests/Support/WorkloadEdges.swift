import DaybookCore
import DaybookStore

// Commands about triggers, messages, subscriptions and deliveries.
extension Workload {
    mutating func aboutTrigger(
        _ state: MemoryState, _ world: World
    ) -> (Command, SaltedPayload?) {
        guard !world.triggers.isEmpty, !rarely() else { return (newTrigger(world), nil) }
        let trigger = numbers.pick(world.triggers)
        let seen = SeenTrigger(
            id: trigger.id, source: trigger.source,
            revision: rarely() ? trigger.revision + 1 : trigger.revision)
        switch Int.random(in: 0..<20, using: &numbers) {
        case 0: return (newTrigger(world), nil)
        case 1, 2:
            return (
                .modifyTrigger(
                    seen,
                    TriggerChanges(
                        name: rarely() ? "" : numbers.pick([nil, "other"]),
                        version: numbers.pick([.keep, .set(nil), .set(version())]),
                        isEnabled: !numbers.chance(1, of: 3),
                        configuration: numbers.pick([nil, Array("{}".utf8)]))), nil
            )
        case 3: return (.rotateTriggerSecret(seen, .number(2)), nil)
        case 4: return numbers.chance(1, of: 2) ? (.deleteTrigger(seen), nil) : arrival(seen)
        case 5..<9:
            let payload = payload() ?? SaltedPayload([], salt: numbers.bytes(16))
            return (
                .refuse(
                    arrival(of: seen),
                    NewRefusal(
                        reason: numbers.pick(Refusal.Reason.allCases), detail: "no",
                        contentType: numbers.pick([nil, "text/plain"]), body: payload.payload)),
                payload
            )
        case 9..<12:
            guard let refusal = world.refusals.randomElement(using: &numbers) else { break }
            let payload = payload()
            let owner = world.triggers.first { $0.id == refusal.trigger } ?? trigger
            return (
                .retryRefusal(refusal.id, of: SeenTrigger(owner), input: payload?.payload), payload
            )
        case 12:
            guard let refusal = world.refusals.randomElement(using: &numbers) else { break }
            return (erase(.refusal(refusal.trigger, refusal.id), state), nil)
        default: break
        }
        return arrival(seen)
    }

    private mutating func newTrigger(_ world: World) -> Command {
        .createTrigger(
            NewTrigger(
                workflow: world.workflow(&numbers),
                source: numbers.pick(Trigger.Source.allCases), name: rarely() ? "" : "trigger",
                version: version(), isEnabled: !numbers.chance(1, of: 5),
                configuration: [], secret: .number(1)))
    }

    private mutating func arrival(_ seen: SeenTrigger) -> (Command, SaltedPayload?) {
        let payload = payload()
        return (.arrive(arrival(of: seen), input: payload?.payload), payload)
    }

    /// Of few ids, so that many come again.
    private mutating func arrival(of seen: SeenTrigger) -> Arrival {
        var digests = [Digest256.filled(UInt8.random(in: 1...8, using: &numbers))]
        if numbers.chance(1, of: 3) {
            digests.append(.filled(UInt8.random(in: 9...12, using: &numbers)))
        }
        return Arrival(
            trigger: seen, scope: AnyID(seen.id), digests: numbers.chance(1, of: 5) ? [] : digests,
            keptSeconds: Int.random(in: 0...90, using: &numbers))
    }

    mutating func aboutDelivery(_ world: World) -> (Command, SaltedPayload?) {
        guard !world.subscriptions.isEmpty, !rarely() else { return (newSubscription(world), nil) }
        let subscription = numbers.pick(world.subscriptions)
        switch Int.random(in: 0..<20, using: &numbers) {
        case 0: return (newSubscription(world), nil)
        case 1, 2:
            return (
                .modifySubscription(
                    subscription.id,
                    SubscriptionChanges(
                        name: rarely() ? "" : nil, actions: rarely() ? Actions([]) : actions(),
                        workflows: numbers.pick([nil, [], [world.workflow(&numbers)]]),
                        isEnabled: !numbers.chance(1, of: 4),
                        maxRetries: rarely() ? 11 : numbers.pick([nil, 0, 2]),
                        bearerToken: numbers.pick([.keep, .set(nil), .set(.number(3))]))), nil
            )
        case 3: return (.rotateSubscriptionSecret(subscription.id, .number(4)), nil)
        case 4:
            return numbers.chance(1, of: 2)
                ? (.deleteSubscription(subscription.id), nil) : (newSubscription(world), nil)
        case 5:
            let few = world.deliveries.filter { _ in numbers.chance(1, of: 2) }.map(\.id)
            return (.replay(subscription.id, few, nextAfter: numbers.pick([nil, 7])), nil)
        case 6:
            guard let delivery = world.deliveries.randomElement(using: &numbers) else { break }
            return (.redeliver(delivery.id), nil)
        default: break
        }
        let waiting = world.deliveries.filter(\.status.isWaiting)
        let all = waiting.isEmpty || rarely() ? world.deliveries : waiting
        guard !all.isEmpty else { return (newSubscription(world), nil) }
        let delivery = numbers.pick(all)
        let verdict: DeliveryVerdict = numbers.pick([
            .delivered, .delivered, .failedForNow(retryAfterSeconds: nil),
            .failedForNow(retryAfterSeconds: 30), .failedForGood, .gone, .cancelled,
        ])
        let payload = payload()
        return (
            .recordDelivery(
                delivery.id,
                DeliveryAttempt(
                    number: rarely()
                        ? delivery.attempts + 2
                        : verdict == .cancelled ? 0 : delivery.attempts + 1,
                    startedAt: clock, latencyMilliseconds: 5,
                    statusCode: numbers.pick([nil, 200, 503]), error: numbers.pick([nil, "no"]),
                    answer: payload?.payload), verdict), payload
        )
    }

    private mutating func newSubscription(_ world: World) -> Command {
        .createSubscription(
            NewSubscription(
                name: rarely() ? "" : "receiver", url: "https://example.com/", actions: actions(),
                workflows: numbers.chance(1, of: 3) ? [world.workflow(&numbers)] : [],
                isEnabled: !numbers.chance(1, of: 6),
                timeoutSeconds: rarely() ? 0 : 10, maxRetries: numbers.pick([0, 1, 3]),
                bearerToken: numbers.pick([nil, .number(3)]), secret: .number(1)))
    }

    private mutating func actions() -> Actions {
        Actions(Action.allCases.filter { _ in numbers.chance(2, of: 3) })
    }
}
