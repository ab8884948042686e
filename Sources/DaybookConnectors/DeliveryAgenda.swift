import DaybookCore
import DaybookEngine
import Synchronization

/// When the deliverer looks at which team. Only teams that something happened to are looked at, so that what waits
/// for the endpoints of one costs the others nothing.
final class DeliveryAgenda: Sendable {
    private struct State {
        var due: [TeamID: Instant] = [:]
        /// Teams that had more to send than they may at once.
        var postponed: Set<TeamID> = []
        var fullLook = Instant.epoch
    }

    /// All teams are looked at so often, whatever nobody rang for.
    private static let seconds = 5

    private let state = Mutex(State())

    /// When there may be something to do.
    var next: Instant {
        state.withLock { state in min(state.fullLook, state.due.values.min() ?? state.fullLook) }
    }

    func note(_ team: TeamID, at instant: Instant) {
        state.withLock { state in state.due[team] = min(state.due[team] ?? instant, instant) }
    }

    /// Takes up what was committed; tells whether it concerns deliveries.
    func note(_ entries: [Entry]) -> Bool {
        state.withLock { state in
            // Something else changed.
            guard !entries.isEmpty else {
                state.fullLook = .epoch
                return true
            }
            var concerns = false
            for entry in entries where entry.events.contains(where: \.concernsDeliveries) {
                concerns = true
                if let team = entry.header.team {
                    state.due[team] = .epoch
                } else {
                    state.fullLook = .epoch
                }
            }
            return concerns
        }
    }

    func postpone(_ team: TeamID) { state.withLock { _ = $0.postponed.insert(team) } }

    /// A delivery has ended: there is room again.
    func noteEnd(of team: TeamID, at now: Instant) {
        state.withLock { state in
            for team in state.postponed.union([team]) { state.due[team] = now }
            state.postponed = []
        }
    }

    /// Whether all teams are to be looked at.
    func takeFullLook(at now: Instant) -> Bool {
        state.withLock { state in
            guard state.fullLook <= now else { return false }
            state.fullLook = now.adding(seconds: Self.seconds)
            return true
        }
    }

    /// The teams to be looked at.
    func take(at now: Instant) -> [TeamID] {
        state.withLock { state in
            let due = state.due.filter { $0.value <= now }.map(\.key)
            for team in due { state.due[team] = nil }
            return due
        }
    }
}

/// The deliveries that are being sent.
final class DeliveriesUnderWay: Sendable {
    private struct State {
        var bySubscription: [SubscriptionID: Set<DeliveryID>] = [:]
        var byTeam: [TeamID: Int] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    var bySubscription: [SubscriptionID: Set<DeliveryID>] { state.withLock { $0.bySubscription } }

    func counts(of team: TeamID) -> (all: Int, ofTeam: Int) {
        state.withLock { ($0.count, $0.byTeam[team] ?? 0) }
    }

    func add(_ delivery: Delivery) {
        state.withLock { state in
            state.bySubscription[delivery.subscription, default: []].insert(delivery.id)
            state.byTeam[delivery.team, default: 0] += 1
            state.count += 1
        }
    }

    func remove(_ delivery: Delivery) {
        state.withLock { state in
            state.bySubscription[delivery.subscription]?.remove(delivery.id)
            if state.bySubscription[delivery.subscription]?.isEmpty == true {
                state.bySubscription[delivery.subscription] = nil
            }
            state.byTeam[delivery.team, default: 0] -= 1
            if state.byTeam[delivery.team] == 0 { state.byTeam[delivery.team] = nil }
            state.count -= 1
        }
    }
}
