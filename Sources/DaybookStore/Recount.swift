import DaybookCore

/// Where a recount stands: it goes on from there in another snapshot.
package struct RecountCursor: Hashable, Sendable {
    fileprivate enum Part: Int, CaseIterable, Sendable {
        case due, schedules, runs, runLists, startable, ready, turn, teams, workflows, deliveries,
            deliveryLists, triggers, triggerTeams
    }

    fileprivate var part = Part.due
    /// The last key that was looked at.
    fileprivate var key: [UInt8]?

    package init() {}

    fileprivate var nextPart: RecountCursor? {
        guard let part = Part(rawValue: part.rawValue + 1) else { return nil }
        var next = RecountCursor()
        next.part = part
        return next
    }
}

/// Compares slots, due moments and queues with the rows that they are derived from, both ways. What is
/// compared lies in one snapshot, so pieces of any size may be done one after the other, beside the
/// writer; only the keys of one team's unfinished runs are counted in one piece. It shares nothing with the code that keeps the indexes.
extension View {
    /// Looks at the next `rows` rows.
    ///
    /// - Returns: where to go on, `nil` at the end; and the first thing that does not agree.
    package borrowing func recount(
        _ cursor: RecountCursor, rows: Int
    ) throws -> (next: RecountCursor?, mismatch: String?) {
        var looked = 0
        var last: [UInt8]?
        var mismatch: String?
        var isFull = false
        try scan(table(of: cursor.part), after: cursor.key) { key, value in
            guard looked < rows else {
                isFull = true
                return false
            }
            looked += 1
            last = key
            if let what = try disagreement(cursor.part, key, value) {
                mismatch = "\(table(of: cursor.part).rawValue) \(lowercaseHex(key)): \(what)"
                return false
            }
            return true
        }
        guard isFull, mismatch == nil else { return (cursor.nextPart, mismatch) }
        var next = cursor
        next.key = last
        return (next, nil)
    }

    private borrowing func table(of part: RecountCursor.Part) -> TableName {
        switch part {
        case .due: .due
        case .schedules: .schedules
        case .runs: .runs
        case .runLists: .runLists
        case .startable: .startable
        case .ready: .ready
        case .turn: .turn
        case .teams: .teams
        case .workflows: .workflows
        case .deliveries: .deliveries
        case .deliveryLists: .deliveryLists
        case .triggers: .triggers
        case .triggerTeams: .triggerTeams
        }
    }

    private borrowing func disagreement(
        _ part: RecountCursor.Part, _ key: [UInt8], _ value: [UInt8]
    ) throws -> String? {
        switch part {
        case .due: return try disagreement(of: try Keys.readDue(key))
        case .schedules:
            let schedule = try Schedule(row: value)
            guard let due = schedule.dueMoment, try !has(.due(due)) else { return nil }
            return "a pending schedule is not in the due index"
        case .runs: return try disagreement(of: try Run(row: value))
        case .runLists: return try listDisagreement(key)
        case .startable: return try disagreement(of: try Keys.readStartable(key))
        case .ready: return try disagreement(of: try Keys.readReady(key))
        case .turn:
            let turn = try Keys.readTurn(key)
            return try self.turn(of: turn.team, in: turn.queue) == turn
                ? nil : "a team has a turn that it should not have"
        case .teams:
            let team = try Team(row: value)
            for queue in Queue.inner {
                guard let turn = try self.turn(of: team.id, in: queue) else { continue }
                if try !has(.turn(turn)) { return "the team's turn in \(queue.name) is missing" }
            }
            let subscriptions = try count(.subscriptions, prefix: team.id.bytes)
            let triggers = try count(.triggers, prefix: team.id.bytes)
            let operations = try count(.operationLists, prefix: [1] + team.id.bytes)
            guard team.operations == operations else {
                return "the team counts \(team.operations) operations under way, \(operations) are"
            }
            guard team.subscriptions == subscriptions, team.triggers == triggers else {
                return "the team counts \(team.subscriptions) subscriptions and \(team.triggers) "
                    + "triggers, \(subscriptions) and \(triggers) are there"
            }
            return try disagreement(ofUsageOf: team.id)
        case .workflows:
            let workflow = try Workflow(row: value)
            return slots(
                counted: try usage(of: workflow.id, team: workflow.team).inProgress,
                held: try count(
                    .runLists, prefix: [3] + workflow.team.bytes + workflow.id.bytes))
        case .deliveries:
            let delivery = try Delivery(row: value)
            let list = DeliveryIndex.bySubscription(
                delivery.team, delivery.subscription, delivery.id)
            guard try has(.delivery(list)) else {
                return "a delivery is not in the list of its subscription"
            }
            guard let place = delivery.waitingPlace, try !has(.delivery(place)) else { return nil }
            return "a delivery that waits is not in its queue"
        case .deliveryLists:
            guard key.first == 1 else { return nil }
            let row = try Keys.readWaiting(key)
            let delivery = try self.delivery(row.delivery, of: row.team)
            return delivery?.waitingPlace
                == .waiting(row.team, row.subscription, row.instant, row.delivery)
                ? nil : "a queue of deliveries has one that does not wait there"
        case .triggers:
            let trigger = try Trigger(row: value)
            return try self.trigger(trigger.id) == trigger
                ? nil : "a trigger is not found by its id"
        case .triggerTeams:
            guard let id = TriggerID(bytes: key), try trigger(id) != nil else {
                return "an id leads to no trigger"
            }
            return nil
        }
    }

    private borrowing func disagreement(of due: Due) throws -> String? {
        let asked: [Due] =
            switch due.kind {
            case .schedule:
                try schedule(ScheduleID(due.id), of: due.team)?.dueMoment.map { [$0] } ?? []
            case .runExpiry, .runDeadline, .leaseEnd, .retry:
                try run(RunID(due.id), of: due.team)?.dueMoments ?? []
            }
        return asked.contains(due) ? nil : "a moment is due that no row asks for"
    }

    private borrowing func disagreement(of run: Run) throws -> String? {
        if run.status.isFinal { return nil }
        if run.status == .inProgress, run.deadline == nil {
            return "a run in progress has no deadline"
        }
        for due in run.dueMoments where try !has(.due(due)) {
            return "a moment of an unfinished run is not in the due index"
        }
        guard try has(.run(.unfinished(run.team, run.id))) else {
            return "an unfinished run is not in the list of them"
        }
        switch run.status {
        case .inProgress:
            return try has(.run(.inProgress(run.team, run.workflow, run.id)))
                ? nil : "a run in progress is not in the list of them"
        default:
            return try !run.isStartable || has(.startable(run.startable))
                ? nil : "a run that may start is not in its queue"
        }
    }

    private borrowing func listDisagreement(_ key: [UInt8]) throws -> String? {
        guard let kind = key.first, kind != 2, key.count >= 25,
            let team = TeamID(bytes: key[1..<13])
        else { return nil }
        let run = try run(try Keys.trailingID(key), of: team)
        if kind == 1 {
            return run.map { !$0.status.isFinal } ?? false
                ? nil : "the list of the unfinished has a run that is not"
        }
        guard let run, run.status == .inProgress, Array(key[13..<25]) == run.workflow.bytes else {
            return "a slot is held by a run that is not in progress"
        }
        let (ofTeam, ofWorkflow) = (
            try usage(of: team).inProgress, try usage(of: run.workflow, team: team).inProgress
        )
        return ofTeam > 0 && ofWorkflow > 0 ? nil : "a run in progress is not counted"
    }

    private borrowing func disagreement(of row: Startable) throws -> String? {
        guard let run = try run(row.run, of: row.team), run.isStartable, run.startable == row else {
            return "the queue has a run that may not start"
        }
        let ready = try self.ready(row.workflow, of: row.team, in: row.lane)
        guard let ready, try !has(.ready(ready)) else { return nil }
        return "a workflow with room and a waiting run has no turn"
    }

    private borrowing func disagreement(of row: Ready) throws -> String? {
        guard try ready(row.workflow, of: row.team, in: row.lane) == row,
            try hasKey(.startable, prefix: Keys.lane(row.team, row.workflow, row.lane))
        else { return "a workflow has a turn that it should not have" }
        return nil
    }

    /// The row that the workflow should have for a lane in which something waits.
    private borrowing func ready(
        _ id: WorkflowID, of team: TeamID, in lane: Lane
    ) throws -> Ready? {
        guard let workflow = try workflow(id, of: team), !workflow.isPaused else { return nil }
        let usage = try usage(of: id, team: team)
        guard
            workflow.maxConcurrentRuns == 0 || usage.inProgress < workflow.maxConcurrentRuns
        else { return nil }
        return Ready(
            team: team, lane: lane, lastStart: usage.lastStart(in: lane.queue), workflow: id)
    }

    /// The turn that the team should have in an inner queue.
    private borrowing func turn(of id: TeamID, in queue: Queue) throws -> Turn? {
        guard let team = try team(id) else { return nil }
        let usage = try usage(of: id)
        guard usage.inProgress < team.maxConcurrentRuns,
            try hasKey(.ready, prefix: Keys.ready(id, queue))
        else { return nil }
        return Turn(queue: queue, lastStart: usage.lastStart(in: queue), team: id)
    }

    private borrowing func disagreement(ofUsageOf team: TeamID) throws -> String? {
        let usage = try usage(of: team)
        let held = try count(.runLists, prefix: [3] + team.bytes)
        if let mismatch = slots(counted: usage.inProgress, held: held) { return mismatch }
        let queued = try count(.runLists, prefix: [1] + team.bytes) - held
        return usage.queued == queued
            ? nil : "\(usage.queued) runs are counted as queued, \(queued) are"
    }

    private borrowing func slots(counted: Int, held: Int) -> String? {
        counted == held ? nil : "\(counted) slots are counted, \(held) runs are in progress"
    }
}
