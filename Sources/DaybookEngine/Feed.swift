import DaybookCore
import Synchronization

/// Tells those who follow the log what has been committed.
///
/// A follower takes from it that it is time to look; what there is, it reads from the store. So a
/// slow one costs nothing and misses nothing.
package final class Feed: Sendable {
    private struct State {
        var position: Position = 0
        var nextID = 0
        var followers: [Int: @Sendable ([Entry]) -> Void] = [:]
        var runWaiters: [RunID: [Int: Bell]] = [:]
        var isEnded = false
    }

    private let state = Mutex(State())

    package init() {}

    /// The position of the last entry that was published.
    package var position: Position { state.withLock { $0.position } }

    /// Names a follower.
    package struct Follower: Sendable {
        fileprivate let id: Int
    }

    /// Calls `notice` after each commit with its entries, on the writer's thread: it must be quick.
    /// Without entries it means that something else changed, and that it is worth looking again.
    package func follow(_ notice: @escaping @Sendable ([Entry]) -> Void) -> Follower {
        state.withLock { state in
            state.nextID += 1
            state.followers[state.nextID] = notice
            return Follower(id: state.nextID)
        }
    }

    package func unfollow(_ follower: Follower) {
        state.withLock { state in state.followers[follower.id] = nil }
    }

    /// Has every follower look again.
    func nudgeAll() {
        for notice in state.withLock({ Array($0.followers.values) }) { notice([]) }
    }

    func publish(_ entries: [Entry]) {
        guard let last = entries.last else { return }
        let (followers, waiters) = state.withLock { state in
            state.position = last.header.position
            var waiters: [Bell] = []
            if !state.runWaiters.isEmpty {
                for run in entries.lazy.flatMap(\.events).compactMap(\.endedRun) {
                    if let ended = state.runWaiters.removeValue(forKey: run) {
                        waiters += ended.values
                    }
                }
            }
            return (Array(state.followers.values), waiters)
        }
        for notice in followers { notice(entries) }
        for waiter in waiters { waiter.ring() }
    }

    /// Returns when the run has ended, at `deadline`, when the task is cancelled, or when the
    /// service stops, whichever comes first.
    ///
    /// - Parameter hasEnded: is asked once the waiting has begun, so that no end is missed.
    package func waitForEnd(
        of run: RunID, until deadline: Instant, clock: any ServiceClock,
        hasEnded: () throws -> Bool
    ) async rethrows {
        let bell = Bell()
        let id = state.withLock { state -> Int? in
            guard !state.isEnded else { return nil }
            state.nextID += 1
            state.runWaiters[run, default: [:]][state.nextID] = bell
            return state.nextID
        }
        guard let id else { return }
        defer { remove(id, for: run) }
        if try !hasEnded() { await bell.wait(until: deadline, clock) }
    }

    private func remove(_ id: Int, for run: RunID) {
        state.withLock { state in
            state.runWaiters[run]?[id] = nil
            if state.runWaiters[run]?.isEmpty == true { state.runWaiters[run] = nil }
        }
    }

    /// Ends all waiting with what there is: the service stops.
    package func end() {
        let waiters = state.withLock { state in
            state.isEnded = true
            defer { state.runWaiters = [:] }
            return state.runWaiters.values.flatMap(\.values)
        }
        for waiter in waiters { waiter.ring() }
        nudgeAll()
    }

    package var hasEnded: Bool { state.withLock { $0.isEnded } }
}

extension Event {
    /// The run that this event ends.
    var endedRun: RunID? {
        switch self {
        case .runCompleted(let event): event.run
        case .runFailed(let event): event.run
        case .runCancelled(let event): event.run
        default: nil
        }
    }

    /// The run that is no longer in progress after this event.
    var stoppedRun: RunID? {
        switch self {
        case .runReleased(let event): event.run
        case .runRetryScheduled(let event): event.run
        default: endedRun
        }
    }

    /// Whether a run may be able to start after this event that was not before.
    var opensADoor: Bool {
        switch self {
        case .runQueued, .runRequeued, .licenseSet, .concurrencySet, .workflowModified, .resumed:
            true
        default: stoppedRun != nil
        }
    }

    /// The first moment that this event puts into the due index, if it puts one there.
    var earliestDue: Instant? {
        switch self {
        case .scheduleCreated(let event): event.scheduledTime
        case .scheduleModified(let event): event.changes.scheduledTime
        case .runQueued(let event): event.expiresAt
        case .runStarted(let event): min(event.deadline, event.lease?.endsAt ?? event.deadline)
        case .runRetryScheduled(let event): event.notBefore
        case .resumed: .epoch
        default: nil
        }
    }
}
