import DaybookCore
import Synchronization

/// Endpoints that failed again and again are left alone for a while. In memory: every circuit is closed at a start.
package final class Circuits: Sendable {
    package enum State: Hashable, Sendable {
        case closed
        case open(until: Instant)
        /// The time is over: one delivery tries whether the endpoint is back.
        case halfOpen

        package var name: String {
            switch self {
            case .closed: "closed"
            case .open: "open"
            case .halfOpen: "half_open"
            }
        }
    }

    private struct Circuit {
        var failures = 0
        var openUntil: Instant?
        var openings = 0
    }

    /// A circuit opens at so many failures in a row.
    package static let failures = 5
    private static let firstSeconds = 30
    private static let lastSeconds = 600

    private let circuits = Mutex<[SubscriptionID: Circuit]>([:])

    package init() {}

    package func state(of subscription: SubscriptionID, at now: Instant) -> State {
        circuits.withLock { circuits in
            guard let end = circuits[subscription]?.openUntil else { return .closed }
            return now < end ? .open(until: end) : .halfOpen
        }
    }

    package func succeeded(_ subscription: SubscriptionID) {
        circuits.withLock { $0[subscription] = nil }
    }

    package func failed(_ subscription: SubscriptionID, at now: Instant) {
        circuits.withLock { circuits in
            var circuit = circuits[subscription] ?? Circuit()
            circuit.failures += 1
            if circuit.failures >= Self.failures, circuit.openUntil.map({ $0 <= now }) ?? true {
                let seconds = min(
                    Self.firstSeconds << min(circuit.openings, 10), Self.lastSeconds)
                circuit.openUntil = now.adding(seconds: seconds)
                circuit.openings += 1
            }
            circuits[subscription] = circuit
        }
    }

    /// Leaves it alone until then, for a reason that is none of its own.
    package func hold(_ subscription: SubscriptionID, until instant: Instant) {
        circuits.withLock { $0[subscription, default: Circuit()].openUntil = instant }
    }

    /// Forgets a subscription that was changed or deleted: what it was is of the past.
    package func forget(_ subscription: SubscriptionID) { succeeded(subscription) }
}
