import DaybookCore
import Synchronization

/// What triggers did since the process started, beside what is in the log: calls that were turned away, and how
/// their sources are. Bounded, and gone with the process.
package final class TriggerActivity: Sendable {
    /// A call that was turned away.
    package struct TurnedAway: Hashable, Sendable {
        package let at: Instant
        package let reason: String
    }

    /// How the source of a trigger is.
    package enum Health: Hashable, Sendable {
        case good
        /// Nothing is fetched now: the service is paused, a copy, or has no room.
        case held
        case degraded(since: Instant, reason: String)
    }

    package struct Summary: Sendable {
        /// By reason.
        package var counts: [String: Int] = [:]
        /// The newest last.
        package var recent: [TurnedAway] = []
    }

    /// So many calls of each trigger are kept one by one.
    package static let recentLimit = 100

    private struct State {
        var summaries: [TriggerID: Summary] = [:]
        var health: [TriggerID: Health] = [:]
        /// Why messages cannot be deleted, and since when.
        var undeletable: [TriggerID: (since: Instant, reason: String)] = [:]
    }

    /// Since when there has been counting.
    package let since: Instant
    private let state = Mutex(State())

    package init(since: Instant) {
        self.since = since
    }

    /// - Parameter trigger: one that there is: others are not kept apart.
    package func turnedAway(by trigger: TriggerID, _ reason: String, at instant: Instant) {
        state.withLock { state in
            var summary = state.summaries[trigger] ?? Summary()
            summary.counts[reason, default: 0] += 1
            summary.recent.append(TurnedAway(at: instant, reason: reason))
            if summary.recent.count > Self.recentLimit { summary.recent.removeFirst() }
            state.summaries[trigger] = summary
        }
    }

    package func summary(of trigger: TriggerID) -> Summary {
        state.withLock { $0.summaries[trigger] ?? Summary() }
    }

    package func health(of trigger: TriggerID) -> Health {
        state.withLock { state in
            if let health = state.health[trigger] { return health }
            return state.undeletable[trigger].map {
                .degraded(since: $0.since, reason: $0.reason)
            } ?? .good
        }
    }

    /// That messages of the trigger's queue can be read and not deleted; `nil` where they can.
    package func note(undeletable reason: String?, _ trigger: TriggerID, at instant: Instant) {
        state.withLock { state in
            state.undeletable[trigger] = reason.map {
                (state.undeletable[trigger]?.since ?? instant, $0)
            }
        }
    }

    /// Forgets a trigger that is gone.
    package func forget(_ trigger: TriggerID) {
        state.withLock { state in
            state.summaries[trigger] = nil
            state.health[trigger] = nil
            state.undeletable[trigger] = nil
        }
    }

    /// Keeps since when it has been so; tells whether that is new.
    @discardableResult
    package func note(degraded reason: String?, _ trigger: TriggerID, at instant: Instant) -> Bool {
        state.withLock { state in
            guard let reason else { return state.health.removeValue(forKey: trigger) != nil }
            if case .degraded(let since, let known)? = state.health[trigger] {
                state.health[trigger] = .degraded(since: since, reason: reason)
                return known != reason
            }
            state.health[trigger] = .degraded(since: instant, reason: reason)
            return true
        }
    }

    /// Forgets what is not among these.
    package func keepOnly(health triggers: Set<TriggerID>) {
        state.withLock { state in
            state.health = state.health.filter { triggers.contains($0.key) }
            state.undeletable = state.undeletable.filter { triggers.contains($0.key) }
        }
    }
}
