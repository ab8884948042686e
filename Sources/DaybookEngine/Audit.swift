import DaybookCore
import DaybookStore
import Logging

/// What the service found when it looked at itself.
package struct Audit: Hashable, Sendable {
    package let at: Instant
    /// Moments that came a minute ago or more and have not been acted on, though they should have been.
    package let overdue: Int
    /// Whether slots, deadlines and queues agree with the runs.
    package let agrees: Bool
}

extension Engine {
    /// What has waited so long since its moment was missed.
    private static let overdueSeconds = 60

    /// Counts what is due and was not moved, and tells it; what a recount found belongs to it.
    func audit(_ logger: Logger) {
        let now = clock.now()
        do {
            let isPaused = try read { try $0.service().isPaused }
            let isHeld = isPaused || !mayFire
            let overdue =
                isHeld
                ? 0
                : try read { view in
                    try TimerStep.next(
                        view, now: now.adding(seconds: -Self.overdueSeconds), limit: 10_000
                    ).due.count
                }
            let audit = Audit(at: now, overdue: overdue, agrees: mismatch == nil)
            noteAudit(audit)
            logger.log(
                level: overdue > 0 || !audit.agrees ? .error : .info, "audited",
                metadata: ["overdue": "\(overdue)", "agrees": "\(audit.agrees)"])
        } catch {
            logger.error("an audit broke off", metadata: ["error": "\(error)"])
        }
    }

    /// The trace context that the run was asked for with: of its own request, or of the last one that set its
    /// promise.
    package func traceparent(of run: Run) throws -> String? {
        try read { view in
            let queued = try view.entry(at: run.queuedPosition)
            if let trace = queued.header.traceparent { return trace }
            guard let schedule = run.schedule,
                let fired = queued.events.flatMap(\.touches).first(where: {
                    $0.object == AnyID(schedule)
                }), fired.previous > 0
            else { return nil }
            return try view.entry(at: fired.previous).header.traceparent
        }
    }
}
