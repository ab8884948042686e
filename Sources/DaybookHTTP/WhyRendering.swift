import DaybookCore
import DaybookEngine
import DaybookWire

extension JSONWriter {
    /// `waits_for` has everything that a queued run waits for and is empty for any other; each cause
    /// names the entries of the log that prove it.
    mutating func why(_ why: Why, errorMessage: String?) {
        let run = why.run
        object { writer in
            writer.field("run_id", run.id)
            writer.field("team_id", run.team)
            writer.field("status", run.status.name)
            writer.field("position", why.position)
            writer.field("summary", why.summary)
            writer.array("waits_for") { writer in
                for cause in why.causes { writer.cause(cause, run) }
            }
            writer.name("running")
            if run.status == .inProgress { writer.running(run) } else { writer.null() }
            writer.name("ended")
            if let end = why.end { writer.end(end, run, errorMessage) } else { writer.null() }
        }
    }

    private mutating func cause(_ cause: Why.Cause, _ run: Run) {
        object { writer in
            writer.field("reason", cause.reason)
            writer.field("detail", cause.detail(of: run))
            switch cause {
            case .servicePaused, .clockSuspect, .inconsistent, .copy, .workflowPaused: break
            case .notBefore(let instant, _): writer.field("not_before", instant)
            case .workflowLimit(let slots), .teamLimit(let slots):
                writer.field("limit", slots.limit)
                writer.field("in_progress", slots.inProgress)
                writer.array("held_by") { writer in
                    for holder in slots.holders {
                        writer.object { writer in
                            writer.field("run_id", holder.run)
                            writer.field("position", holder.position)
                        }
                    }
                }
            case .executionsLimit(let limit, let underWay):
                writer.field("limit", limit)
                writer.field("in_progress", underWay)
            case .noWorker(let last):
                writer.field("queue", run.queue.name)
                writer.field("last_claim_at", last)
            case .turn(let place):
                writer.field("queue", run.queue.name)
                writer.field("place", place.runsBefore + 1)
                writer.field("turns_before", place.turnsBefore)
                writer.field("teams_before", place.teamsBefore)
            }
            writer.array("positions") { writer in
                for position in cause.positions(of: run) { writer.integer(position) }
            }
        }
    }

    private mutating func running(_ run: Run) {
        object { writer in
            writer.field("attempt", run.attempt)
            writer.field("worker", run.worker)
            writer.field("started_at", run.startedAt)
            writer.field("deadline", run.deadline)
            writer.field("lease_expires_at", run.leaseEndsAt)
            writer.array("positions") { writer in
                writer.integer(run.startedPosition)
                // The last word about it: a renewed lease, an accepted request.
                if run.touched.position != run.startedPosition {
                    writer.integer(run.touched.position)
                }
            }
        }
    }

    private mutating func end(_ end: Why.End, _ run: Run, _ message: String?) {
        object { writer in
            writer.field("command", end.command.text)
            writer.field("by", end.by.description)
            writer.field("at", end.at)
            writer.field("reason", run.error?.reason.name)
            writer.field("message", message)
            writer.field("attempt", run.attempt)
            writer.array("positions") { $0.integer(end.position) }
        }
    }
}

extension Why {
    /// One sentence for a person.
    fileprivate var summary: String {
        switch run.status {
        case .queued:
            let details = causes.map { $0.detail(of: run) }
            return "waits: " + details.joined(separator: "; ")
        case .inProgress: return "is being carried out, attempt \(run.attempt)"
        case .completed: return "completed in attempt \(run.attempt)"
        case .cancelled: return "was cancelled by \(end.map { "\($0.by)" } ?? "nobody known")"
        case .failed:
            switch run.error?.reason {
            case .expired: return "expired before its first start"
            case .timeout where end?.command == .reap:
                let what =
                    end?.wasPastDeadline == true ? "its deadline passed" : "its lease ran out"
                return "was reaped in attempt \(run.attempt): \(what)"
            case let reason: return "failed in attempt \(run.attempt): \(reason?.name ?? "error")"
            }
        }
    }
}

extension Why.Cause {
    fileprivate var reason: String {
        switch self {
        case .servicePaused: "service_paused"
        case .clockSuspect: "clock_suspect"
        case .inconsistent: "inconsistent"
        case .copy: "copy"
        case .notBefore: "not_before"
        case .workflowPaused: "workflow_paused"
        case .workflowLimit: "workflow_limit"
        case .teamLimit: "team_limit"
        case .executionsLimit: "executions_limit"
        case .noWorker: "no_worker"
        case .turn: "turn"
        }
    }

    fileprivate func detail(of run: Run) -> String {
        switch self {
        case .servicePaused: "the service is paused"
        case .clockSuspect: "the clock of the machine is suspect"
        case .inconsistent: "the projections disagree and must be rebuilt"
        case .copy: "this is a copy, which starts nothing until it is resumed"
        case .notBefore(let instant, _):
            "attempt \(run.attempt) failed (\(run.error?.reason.name ?? "error")); "
                + "the next try is at \(RFC3339.format(instant))"
        case .workflowPaused: "the workflow is paused"
        case .workflowLimit(let slots):
            "the workflow's limit of \(slots.limit) is used up (\(slots.inProgress) in progress)"
        case .teamLimit(let slots):
            "the team's limit of \(slots.limit) is used up (\(slots.inProgress) in progress)"
        case .executionsLimit(let limit, _):
            "\(limit) executions are under way, as many as may be at once"
        case .noWorker(let last):
            "no worker asks for runs of the queue \(run.queue.name)"
                + (last.map { " (the last one at \(RFC3339.format($0)))" } ?? "")
        case .turn(let place) where place.isNext: "it is next in the queue \(run.queue.name)"
        case .turn(let place):
            "in the queue \(run.queue.name), before it: \(place.runsBefore) runs of its workflow, "
                + "\(place.turnsBefore) turns of workflows, \(place.teamsBefore) teams"
        }
    }

    fileprivate func positions(of run: Run) -> [Position] {
        switch self {
        case .servicePaused(let position), .notBefore(_, let position): [position]
        case .workflowPaused(let position): [position].compactMap(\.self)
        case .workflowLimit(let slots), .teamLimit(let slots):
            [slots.position].compactMap(\.self) + slots.holders.map(\.position)
        case .turn: [run.queuedPosition]
        case .clockSuspect, .inconsistent, .copy, .executionsLimit, .noWorker: []
        }
    }
}

extension Why.Place {
    fileprivate var isNext: Bool { runsBefore == 0 && turnsBefore == 0 && teamsBefore == 0 }
}
