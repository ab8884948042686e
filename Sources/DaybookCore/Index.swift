/// One row of an index: a key without a value. Every index is a set, ordered as its fields stand.
package enum IndexEntry: Hashable, Sendable {
    case schedule(ScheduleIndex)
    case run(RunIndex)
    case due(Due)
    case startable(Startable)
    case ready(Ready)
    case turn(Turn)
    case delivery(DeliveryIndex)
    case operation(OperationIndex)
}

/// The lists of schedules beside the one by id.
package enum ScheduleIndex: Hashable, Comparable, Sendable {
    case byStatus(TeamID, Schedule.Status, ScheduleID)
    case byTime(TeamID, Instant, ScheduleID)
    case byWorkflow(TeamID, WorkflowID, ScheduleID)
}

/// The lists of runs beside the one by id.
package enum RunIndex: Hashable, Comparable, Sendable {
    case unfinished(TeamID, RunID)
    case byWorkflow(TeamID, WorkflowID, RunID)
    /// Who holds the slots of a team and of its workflows.
    case inProgress(TeamID, WorkflowID, RunID)
}

extension Schedule.Status: Comparable {
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// An instant at which something must happen. Ordered by time.
package struct Due: Hashable, Comparable, Sendable {
    /// Raw values are stored in projections.
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case schedule = 1
        case runExpiry = 3
        case runDeadline = 4
        case leaseEnd = 5
        case retry = 6
    }

    package let instant: Instant
    package let kind: Kind
    package let team: TeamID
    package let id: AnyID
    /// The schedule's revision, or the run's attempt, that asked for it.
    package let revision: UInt64

    package init(instant: Instant, kind: Kind, team: TeamID, id: AnyID, revision: UInt64) {
        self.instant = instant
        self.kind = kind
        self.team = team
        self.id = id
        self.revision = revision
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.instant, left.kind.rawValue, left.team, left.id, left.revision)
            < (right.instant, right.kind.rawValue, right.team, right.id, right.revision)
    }
}

/// A place where runs of one workflow wait: the higher priority first within a queue.
package struct Lane: Hashable, Comparable, Sendable {
    package let queue: Queue
    package let priority: Int

    package init(queue: Queue, priority: Int) {
        self.queue = queue
        self.priority = priority
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.queue != right.queue ? left.queue < right.queue : left.priority > right.priority
    }
}

/// A run that may start as soon as there is room: workflow, lane, then the order queued.
package struct Startable: Hashable, Comparable, Sendable {
    package let team: TeamID
    package let workflow: WorkflowID
    package let lane: Lane
    package let queuedPosition: Position
    package let run: RunID

    package init(
        team: TeamID, workflow: WorkflowID, lane: Lane, queuedPosition: Position, run: RunID
    ) {
        self.team = team
        self.workflow = workflow
        self.lane = lane
        self.queuedPosition = queuedPosition
        self.run = run
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.team, left.workflow, left.lane, left.queuedPosition, left.run)
            < (right.team, right.workflow, right.lane, right.queuedPosition, right.run)
    }
}

/// A workflow with something startable in a lane, and room under its cap: the one whose last start in
/// the queue lies furthest back comes first within a priority.
package struct Ready: Hashable, Comparable, Sendable {
    package let team: TeamID
    package let lane: Lane
    package let lastStart: Position
    package let workflow: WorkflowID

    package init(team: TeamID, lane: Lane, lastStart: Position, workflow: WorkflowID) {
        self.team = team
        self.lane = lane
        self.lastStart = lastStart
        self.workflow = workflow
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.team, left.lane, left.lastStart, left.workflow)
            < (right.team, right.lane, right.lastStart, right.workflow)
    }
}

/// A team with a ready workflow in an inner queue, and room under its license.
package struct Turn: Hashable, Comparable, Sendable {
    package let queue: Queue
    package let lastStart: Position
    package let team: TeamID

    package init(queue: Queue, lastStart: Position, team: TeamID) {
        self.queue = queue
        self.lastStart = lastStart
        self.team = team
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.queue, left.lastStart, left.team) < (right.queue, right.lastStart, right.team)
    }
}
