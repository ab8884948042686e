import DaybookCore
import DaybookStore
import Synchronization

/// Why a run is where it is, with the entries of the log that prove it.
package struct Why: Sendable {
    package let run: Run
    /// The last entry that this answer knows of.
    package let position: Position
    /// Everything that a queued run waits for; empty for any other.
    package let causes: [Cause]
    /// What ended it.
    package let end: End?

    package enum Cause: Sendable {
        case servicePaused(Position)
        case clockSuspect
        case inconsistent
        /// This is a copy of the directory whose promises are kept.
        case copy
        /// Its next try's time has not come. With the entry that set it.
        case notBefore(Instant, Position)
        /// With its entry, where that does not lie too far back to be looked for.
        case workflowPaused(Position?)
        case workflowLimit(Slots)
        case teamLimit(Slots)
        /// As many executions as may be are under way inside the process.
        case executionsLimit(limit: Int, underWay: Int)
        /// Nobody asks for runs of its worker queue.
        case noWorker(lastAskedAt: Instant?)
        case turn(Place)
    }

    /// A limit that is used up.
    package struct Slots: Sendable {
        package let limit: Int
        package let inProgress: Int
        /// The entry that set the limit; `nil` where it lies too far back to be looked for.
        package let position: Position?
        /// The first of those that hold the slots.
        package let holders: [Holder]
    }

    package struct Holder: Sendable {
        package let run: RunID
        /// The entry of its start.
        package let position: Position
    }

    /// A place in the queue. Counts end at `countLimit`.
    package struct Place: Sendable {
        /// Startable runs of the workflow that come first: of higher priority, or queued earlier.
        package let runsBefore: Int
        /// Turns of the team's workflows in the queue that come first.
        package let turnsBefore: Int
        /// Teams that come first; 0 in a worker queue, which belongs to one team.
        package let teamsBefore: Int

        package static let countLimit = 100_000
    }

    package struct End: Sendable {
        package let at: Instant
        package let by: Actor
        package let command: CommandName
        package let position: Position
        /// Whether it was reaped for its deadline; otherwise for its lease, where it was reaped.
        package let wasPastDeadline: Bool
    }
}

extension Engine {
    /// Why the run is where it is; `nil` where the team has no such run.
    package func why(_ id: RunID, of team: TeamID) throws -> Why? {
        let now = clock.now()
        let (mayFire, judgement) = (mismatch == nil, clockJudgement)
        return try read { view in
            guard let run = try view.run(id, of: team) else { return nil }
            let service = try view.service()
            var causes: [Why.Cause] = []
            if run.status == .queued {
                if service.isPaused { causes.append(.servicePaused(service.pausePosition)) }
                if judgement != .good { causes.append(.clockSuspect) }
                if !mayFire { causes.append(.inconsistent) }
                if isCopy { causes.append(.copy) }
                if let notBefore = run.notBefore {
                    causes.append(.notBefore(notBefore, run.touched.position))
                } else {
                    causes += try view.limits(of: run)
                    causes += try executor(of: run, at: now, view)
                    causes.append(.turn(try view.place(of: run)))
                }
            }
            return Why(
                run: run, position: service.position, causes: causes, end: try view.end(of: run))
        }
    }

    /// Whether somebody is there who could carry it out.
    private func executor(
        of run: Run, at now: Instant, _ view: borrowing View
    ) throws -> [Why.Cause] {
        guard case .worker = run.queue else {
            let underWay = executionsUnderWay.load(ordering: .relaxed)
            let limit = settings.executionsInFlight
            return underWay < limit ? [] : [.executionsLimit(limit: limit, underWay: underWay)]
        }
        let presence = claimants.presence(at: Claimants.Place(team: run.team, queue: run.queue))
        let isRecent =
            presence.lastAskedAt.map {
                now.microseconds(since: $0) < Int64(settings.workerPresenceSeconds) * 1_000_000
            } ?? false
        // A worker that is busy with a run of the queue is there too.
        return try presence.waiting > 0 || isRecent || view.isServed(run.queue, of: run.team)
            ? [] : [.noWorker(lastAskedAt: presence.lastAskedAt)]
    }
}

extension View {
    /// As many holders of slots are named.
    private static var namedHolders: Int { 100 }
    /// So far back the entry is looked for that set what is in force.
    private static var historyLimit: Int { 1_000 }

    fileprivate borrowing func limits(of run: Run) throws -> [Why.Cause] {
        guard let team = try team(run.team),
            let workflow = try workflow(run.workflow, of: run.team)
        else { return [] }
        var causes: [Why.Cause] = []
        if workflow.isPaused {
            let position = try lastEntry(of: workflow) { event in
                if case .workflowModified(let event) = event {
                    event.changes.isPaused == true
                } else {
                    false
                }
            }
            causes.append(.workflowPaused(position))
        }
        let ofWorkflow = try usage(of: workflow.id, team: team.id).inProgress
        if workflow.maxConcurrentRuns > 0, ofWorkflow >= workflow.maxConcurrentRuns {
            let position = try lastEntry(of: workflow) { event in
                switch event {
                case .concurrencySet, .workflowCreated: true
                default: false
                }
            }
            causes.append(
                .workflowLimit(
                    Why.Slots(
                        limit: workflow.maxConcurrentRuns, inProgress: ofWorkflow,
                        position: position, holders: try holders(of: team.id, workflow.id))))
        }
        let ofTeam = try usage(of: team.id).inProgress
        if ofTeam >= team.maxConcurrentRuns {
            causes.append(
                .teamLimit(
                    Why.Slots(
                        limit: team.maxConcurrentRuns, inProgress: ofTeam,
                        // Nothing but its license changes about a team.
                        position: team.touched.position, holders: try holders(of: team.id, nil))))
        }
        return causes
    }

    /// The last entry about the workflow with such an event; `nil` where it lies too far back.
    private borrowing func lastEntry(
        of workflow: Workflow, where isSought: (Event) -> Bool
    ) throws -> Position? {
        var found: Position?
        var looked = 0
        try history(of: AnyID(workflow.id), from: workflow.touched.position) { entry in
            looked += 1
            if entry.events.contains(where: isSought) { found = entry.header.position }
            return found == nil && looked < Self.historyLimit
        }
        return found
    }

    private borrowing func holders(
        of team: TeamID, _ workflow: WorkflowID?
    ) throws -> [Why.Holder] {
        var holders: [Why.Holder] = []
        for id in try slotHolders(of: team, workflow: workflow, limit: Self.namedHolders) {
            guard let run = try run(id, of: team) else { continue }
            holders.append(Why.Holder(run: id, position: run.startedPosition))
        }
        return holders
    }

    /// Whether a worker holds a run of the queue, among the first holders of the team's slots.
    fileprivate borrowing func isServed(_ queue: Queue, of team: TeamID) throws -> Bool {
        for id in try slotHolders(of: team, limit: Self.namedHolders)
        where try run(id, of: team)?.queue == queue { return true }
        return false
    }

    fileprivate borrowing func place(of run: Run) throws -> Why.Place {
        let limit = Why.Place.countLimit
        return Why.Place(
            runsBefore: try runsBefore(run, limit: limit),
            turnsBefore: try turnsBefore(run, limit: limit),
            teamsBefore: run.queue.isInner ? try teamsBefore(run, limit: limit) : 0)
    }

    fileprivate borrowing func end(of run: Run) throws -> Why.End? {
        guard run.status.isFinal, let finishedAt = run.finishedAt else { return nil }
        let header = try entry(at: run.touched.position).header
        return Why.End(
            at: finishedAt, by: header.actor, command: header.command, position: header.position,
            wasPastDeadline: run.deadline.map { $0 <= finishedAt } ?? false)
    }
}
