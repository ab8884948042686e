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
        var lastTurn = engine.clock.sinceBoot()
        while !Task.isCancelled {
            let now = engine.clock.now()
            let turn = engine.clock.sinceBoot()
            let stoodStill = (turn - lastTurn) / 1_000_000
            lastTurn = turn
            if stoodStill > engine.settings.standstillSeconds {
                await startAgain(after: stoodStill)
            }
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

extension TimerService {
    /// After a standstill (the process was stopped, the machine slept) no worker could renew its
    /// lease: they get the time that they have after a start.
    private func startAgain(after seconds: Int64) async {
        logger.warning("the process stood still", metadata: ["seconds": "\(seconds)"])
        _ = await engine.submitOwn([engine.own(.start)])
    }
}

/// Wakes the timer when a moment earlier than the one it sleeps for is put into the index.
private final class Alarm: Sendable {
    private let next = Mutex(Instant.latest)
    private let bell = Bell()

    /// What the timer sleeps for.
    var instant: Instant { next.withLock { $0 } }

    func set(_ instant: Instant) { next.withLock { $0 = instant } }

    func ring() { bell.ring() }

    func wait(until instant: Instant, _ clock: any ServiceClock) async {
        await bell.wait(until: instant, clock)
    }
}
