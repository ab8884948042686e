import DaybookCore
import DaybookStore

/// Which deliveries to send next.
package enum DeliveryStep {
    /// Deliveries of a deleted subscription that end in one step.
    private static let cancelledAtOnce = 100

    /// The deliveries of a team that may be sent now, and when its next one may.
    ///
    /// - Parameters:
    ///   - room: how many more of a subscription's may be under way, or until when it is left alone.
    ///   - underWay: those of a subscription that are being sent.
    package static func next(
        _ view: borrowing View, of team: TeamID, now: Instant,
        underWay: (SubscriptionID) -> Set<DeliveryID> = { _ in [] },
        room: (SubscriptionID) -> EndpointRoom
    ) throws -> (ready: [ReadyDelivery], next: Instant?) {
        guard try !view.service().isPaused else { return ([], nil) }
        var ready: [ReadyDelivery] = []
        var next: Instant?
        func note(_ instant: Instant?) {
            if let instant { next = min(next ?? instant, instant) }
        }
        for endpoint in try view.waitingEndpoints(of: team) {
            let subscription = try view.subscription(endpoint.subscription, of: endpoint.team)
            guard let subscription else {
                // Nobody is to be told any more, whenever it was to be.
                let sending = underWay(endpoint.subscription)
                let waiting = try view.waitingDeliveries(
                    of: endpoint, upTo: .latest, limit: cancelledAtOnce + sending.count)
                for delivery in waiting where !sending.contains(delivery.id) {
                    ready.append(ReadyDelivery(delivery: delivery, subscription: nil))
                }
                continue
            }
            // What waits for one that is disabled is held.
            guard subscription.isEnabled else { continue }
            var limit = 0
            switch room(endpoint.subscription) {
            case .closed(let until):
                note(until)
                continue
            case .open(let count): limit = count
            }
            guard limit > 0 else { continue }
            let sending = underWay(endpoint.subscription)
            let waiting = try view.waitingDeliveries(
                of: endpoint, upTo: now, limit: limit + sending.count)
            for delivery in waiting where !sending.contains(delivery.id) && limit > 0 {
                limit -= 1
                ready.append(ReadyDelivery(delivery: delivery, subscription: subscription))
            }
            note(try view.nextWaiting(of: endpoint, after: now))
        }
        return (ready, next)
    }
}

/// What may be sent to an endpoint.
package enum EndpointRoom: Hashable, Sendable {
    case open(Int)
    /// Its circuit is open.
    case closed(until: Instant)
}

/// A delivery that is to be sent, and where; to nobody where the subscription was deleted.
package struct ReadyDelivery: Sendable {
    package let delivery: Delivery
    package let subscription: Subscription?
}

/// What a deliverer needs besides the delivery itself.
package struct DeliveryMaterial: Sendable {
    package let output: StoredPayload?
    package let errorMessage: StoredPayload?
    /// The secrets that sign it: two while a rotation lasts, the newer one first.
    package let secrets: [[UInt8]]
    package let bearerToken: String?
    /// The W3C trace context of what it tells of.
    package let traceparent: String?
}

/// Questions about subscriptions and deliveries.
extension Engine {
    package func subscription(_ id: SubscriptionID, of team: TeamID) throws -> Subscription? {
        try read { try $0.subscription(id, of: team) }
    }

    package func subscriptions(
        of team: TeamID, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<Subscription> {
        try read { try $0.subscriptions(of: team, after: cursor, limit: limit) }
    }

    /// The teams that have deliveries waiting.
    package func teamsWithDeliveries() throws -> [TeamID] { try read { try $0.teamsWithWaiting() } }

    package func delivery(_ id: DeliveryID, of team: TeamID) throws -> Delivery? {
        try read { try $0.delivery(id, of: team) }
    }

    package func deliveries(
        of team: TeamID, _ filter: DeliveryFilter, after cursor: [UInt8]?, limit: Int,
        maximumBytes: Int
    ) throws -> Page<Delivery> {
        try pages(cursor, limit, maximumBytes) { view, cursor, limit in
            try view.deliveries(
                of: team, filter, after: cursor, limit: limit, work: settings.listWorkPerSnapshot)
        } size: { _ in
            0
        } cursor: { delivery in
            View.cursor(of: delivery)
        }
    }

    /// The attempts to make a delivery, the last one first, with what was answered.
    ///
    /// - Parameter position: the entry to begin at; nothing where that is not about the delivery.
    package func attempts(
        of delivery: DeliveryID, from position: Position, limit: Int
    ) throws -> (items: [DeliveryAttemptDetail], next: Position?) {
        try read { view in
            var items: [DeliveryAttemptDetail] = []
            var next: Position?
            try view.history(of: AnyID(delivery), from: position) { entry in
                guard
                    let index = entry.events.firstIndex(where: { event in
                        event.touches.contains { $0.object == AnyID(delivery) }
                    })
                else { return false }
                guard items.count < limit else {
                    next = entry.header.position
                    return false
                }
                if let attempt = entry.events[index].deliveryAttempt, attempt.number > 0 {
                    let location = PayloadLocation(position: entry.header.position, event: index)
                    items.append(
                        DeliveryAttemptDetail(
                            attempt: attempt,
                            answer: try attempt.answer.map { _ in
                                try view.payload(at: location)
                            }, position: entry.header.position))
                }
                return true
            }
            return (items, next)
        }
    }

    package func material(
        for delivery: Delivery, to subscription: Subscription
    ) throws -> DeliveryMaterial {
        let now = clock.now()
        let (output, message) = try read { view in
            (
                try delivery.run?.output.map { try view.payload(at: $0) },
                try delivery.run?.error?.message.map { try view.payload(at: $0) }
            )
        }
        var sealed = [subscription.secret]
        if let old = subscription.previousSecret, now < old.endsAt { sealed.append(old.secret) }
        return DeliveryMaterial(
            output: output, errorMessage: message,
            secrets: try sealed.map {
                try open($0, for: .subscriptionSecret, of: subscription.team)
            },
            bearerToken: try subscription.bearerToken.map {
                String(
                    decoding: try open($0, for: .bearerToken, of: subscription.team),
                    as: UTF8.self)
            },
            traceparent: try delivery.run.map { try traceparent(of: $0) }
                ?? read { try $0.entry(at: delivery.position).header.traceparent })
    }

    /// The subscription's deliveries that have ended, of a range of the log: who lost them gets them again.
    package func ended(
        of subscription: SubscriptionID, team: TeamID, after: Position, upTo last: Position,
        limit: Int
    ) throws -> (ended: [DeliveryID], next: Position?) {
        try read { view in
            let found = try view.deliveries(
                of: subscription, team: team, after: after, upTo: last, limit: limit + 1)
            // An entry's deliveries stay together: a page ends between two entries.
            var page = found
            if found.count > limit, let end = found.last?.position {
                page.removeAll { $0.position == end }
            }
            let next = page.count < found.count ? page.last?.position : nil
            return (page.filter { !$0.status.isWaiting }.map(\.id), next)
        }
    }

    /// The last position recorded at or before an instant.
    package func position(recordedBy instant: Instant) throws -> Position {
        try read { try $0.lastPosition(recordedBy: instant) }
    }

    /// Submits what became of an attempt, and says it again until it is durable or of no interest any more.
    ///
    /// - Returns: whether it was said; otherwise the process ends, and the next one sends it again.
    @discardableResult
    package func record(
        _ delivery: Delivery, _ attempt: DeliveryAttempt, _ verdict: DeliveryVerdict,
        answer: SaltedPayload?
    ) async -> Bool {
        let submission = Submission(
            .recordDelivery(delivery.id, attempt, verdict), by: .system(.deliverer),
            team: delivery.team, id: newCommandID(), causation: delivery.position,
            payload: answer)
        return await submitUntilDurable(submission)
    }
}

package struct DeliveryAttemptDetail: Sendable {
    package let attempt: DeliveryAttempt
    package let answer: StoredPayload?
    package let position: Position
}

extension Event {
    fileprivate var deliveryAttempt: DeliveryAttempt? {
        switch self {
        case .deliverySucceeded(let event): event.attempt
        case .deliveryRetryScheduled(let event): event.attempt
        case .deliveryFailed(let event): event.attempt
        default: nil
        }
    }

    /// Whether a delivery may be there to be sent after this event that was not before.
    package var concernsDeliveries: Bool {
        switch self {
        case .subscriptionModified, .subscriptionDeleted, .resumed, .deliveryRequeued,
            .deliveriesRequeued, .deliveryRetryScheduled:
            true
        default: action != nil
        }
    }
}
