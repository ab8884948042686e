import DaybookCore
import DaybookStore
import Logging
import ServiceLifecycle
import Synchronization

/// Reads the due index and submits what is due: a trigger, not an authority. `decide` checks each
/// command again.
package enum TimerStep {
    /// The commands for the moments that have come, in due order, and the first that has not.
    package static func next(
        _ view: borrowing View, now: Instant, limit: Int
    ) throws -> (due: [Due], next: Instant?) {
        let service = try view.service()
        guard !service.isPaused else { return ([], nil) }
        let due = try view.due(upTo: now, limit: limit) { due in
            // Runs that were in progress at the last start are left alone for a while. Their
            // moments would otherwise come up again and again until then.
            guard due.kind == .runDeadline || due.kind == .leaseEnd, now < service.reapFloor,
                let run = try view.run(RunID(due.id), of: due.team)
            else { return false }
            return !isReapable(run, service, at: now)
        }
        let next = try view.firstDue(after: now)
        return (due, now < service.reapFloor ? min(next ?? .latest, service.reapFloor) : next)
    }

    package static func command(for due: Due) -> Command {
        switch due.kind {
        case .schedule: .fire(ScheduleID(due.id), revision: due.revision)
        case .runExpiry: .expire(RunID(due.id))
        case .runDeadline, .leaseEnd: .reap(RunID(due.id), attempt: Int(due.revision))
        case .retry: .retry(RunID(due.id), attempt: Int(due.revision))
        }
    }
}

/// Sleeps until the first due moment and fires what is due, one bounded batch in flight.
package struct TimerService: Service {
    private let engine: Engine
    private let logger: Logger

    package init(engine: Engine, logger: Logger) {
        self.engine = engine
        self.logger = logger
    }

    package func run() async throws {
        let alarm = Alarm()
        let follower = engine.feed.follow { entries in
            let earliest = entries.lazy.flatMap(\.events).compactMap(\.earliestDue).min()
            if entries.isEmpty || earliest.map({ $0 < alarm.instant }) ?? false { alarm.ring() }
        }
        defer { engine.feed.unfollow(follower) }
        await cancelWhenGracefulShutdown {
            await engine.ready()
            await work(alarm)
        }
    }

    private func work(_ alarm: Alarm) async {
        while !Task.isCancelled {
            let now = engine.clock.now()
            do {
                // Until the index has been read, every new moment rings.
                alarm.set(.latest)
                let step = try engine.read { view in
                    try TimerStep.next(view, now: now, limit: engine.settings.timerBatch)
                }
                if !step.due.isEmpty, engine.mayFire {
                    let outcomes = await engine.submitOwn(
                        step.due.map { due in
                            Submission(
                                TimerStep.command(for: due), by: .system(.timer), team: due.team,
                                id: engine.newCommandID())
                        })
                    let moved = outcomes.contains { outcome in
                        if case .accepted = outcome { true } else { false }
                    }
                    if moved { continue }
                    logger.debug("nothing that was due could be done")
                }
                let second = now.adding(seconds: 1)
                let wake = min(step.due.isEmpty ? step.next ?? second : second, second)
                alarm.set(step.due.isEmpty ? step.next ?? .latest : .latest)
                await alarm.wait(until: wake, engine.clock)
            } catch {
                logger.error("the due index cannot be read", metadata: ["error": "\(error)"])
                await alarm.wait(until: now.adding(seconds: 1), engine.clock)
            }
        }
    }
}

/// Wakes the timer when a moment earlier than the one it sleeps for is put into the index.
private final class Alarm: Sendable {
    private struct State {
        var instant = Instant.latest
        var isRinging = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// What the timer sleeps for.
    var instant: Instant { state.withLock { $0.instant } }

    func set(_ instant: Instant) { state.withLock { $0.instant = instant } }

    func ring() {
        let sleeper = state.withLock { state in
            state.isRinging = state.sleeper == nil
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume()
    }

    func wait(until instant: Instant, _ clock: any ServiceClock) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await clock.sleep(until: instant) }
            group.addTask { await self.waitForRing() }
            await group.next()
            group.cancelAll()
        }
    }

    private func waitForRing() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !state.isRinging, !Task.isCancelled else {
                        state.isRinging = false
                        return false
                    }
                    state.sleeper = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                defer { state.sleeper = nil }
                return state.sleeper
            }
            sleeper?.resume()
        }
    }
}
