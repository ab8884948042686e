/// Which run starts next, and the indexes that tell it in O(log n).
///
/// - `startable` holds every run that waits in a lane.
/// - `ready` holds each (workflow, lane) with something startable whose workflow has room.
/// - `turn` holds each (inner queue, team) with something ready whose team has room.
///
/// The last two move whenever usage, a limit or a pause changes, so each such change goes through
/// `changingAdmission`.
extension State where Self: ~Copyable {
    /// The run that a claim of the team on the queue would start now.
    package borrowing func nextToStart(of team: TeamID, in queue: Queue) -> RunID? {
        guard hasRoom(team), let ready = firstReady(of: team, in: queue) else { return nil }
        return firstStartable(of: ready.workflow, team: team, in: ready.lane)?.run
    }

    borrowing func hasRoom(_ id: TeamID) -> Bool {
        guard let team = team(id) else { return false }
        return usage(of: id).inProgress < team.maxConcurrentRuns
    }

    borrowing func hasRoom(_ id: WorkflowID, of team: TeamID) -> Bool {
        guard let workflow = workflow(id, of: team), !workflow.isPaused else { return false }
        return workflow.maxConcurrentRuns == 0
            || usage(of: id, team: team).inProgress < workflow.maxConcurrentRuns
    }

    /// Puts a run into its lane and counts it as queued.
    mutating func enqueue(_ run: Run) {
        countQueued(of: run, by: 1)
        guard Self.keepsIndexes else { return }
        let lane = run.lane
        // A lane that already holds something has its ready and turn rows, or must not have them.
        let isFirst = firstStartable(of: run.workflow, team: run.team, in: lane) == nil
        insert(.startable(run.startable))
        guard isFirst, hasRoom(run.workflow, of: run.team) else { return }
        let hadTurn = !lane.queue.isInner || firstReady(of: run.team, in: lane.queue) != nil
        let lastStart = usage(of: run.workflow, team: run.team).lastStart(in: lane.queue)
        insert(
            .ready(
                Ready(
                    team: run.team, lane: lane, lastStart: lastStart, workflow: run.workflow)))
        if !hadTurn, hasRoom(run.team) {
            insert(
                .turn(
                    Turn(
                        queue: lane.queue, lastStart: usage(of: run.team).lastStart(in: lane.queue),
                        team: run.team)))
        }
    }

    /// Takes a waiting run out of its lane. It stays counted as queued until told otherwise.
    mutating func dequeue(_ run: Run) {
        guard Self.keepsIndexes else { return }
        changingAdmission(of: run.workflow, team: run.team) { state in
            state.remove(.startable(run.startable))
        }
    }

    /// Takes the slots of a run that starts: out of its lane, into use.
    mutating func takeSlot(_ run: Run, at position: Position) {
        changingAdmission(of: run.workflow, team: run.team) { state in
            if Self.keepsIndexes { state.remove(.startable(run.startable)) }
            state.countInProgress(of: run, by: 1, queued: -1, startedAt: position)
        }
    }

    /// Gives back the slots of a run that was in progress.
    mutating func freeSlot(_ run: Run) {
        // Where both have room already, more of it moves nothing.
        if Self.keepsIndexes, hasRoom(run.team), hasRoom(run.workflow, of: run.team) {
            return countInProgress(of: run, by: -1)
        }
        changingAdmission(of: run.workflow, team: run.team) { state in
            state.countInProgress(of: run, by: -1)
        }
    }

    /// What waits is counted for the team alone.
    mutating func countQueued(of run: Run, by count: Int) {
        var usage = usage(of: run.team)
        usage.queued = max(0, usage.queued + count)
        set(usage, of: run.team)
    }

    private mutating func countInProgress(
        of run: Run, by count: Int, queued: Int = 0, startedAt position: Position? = nil
    ) {
        var ofTeam = usage(of: run.team)
        // Never below zero, also where a count was lost: `apply` is total, and a recount tells.
        ofTeam.queued = max(0, ofTeam.queued + queued)
        ofTeam.inProgress = max(0, ofTeam.inProgress + count)
        var ofWorkflow = usage(of: run.workflow, team: run.team)
        ofWorkflow.inProgress = max(0, ofWorkflow.inProgress + count)
        if let position {
            if run.queue.isInner { ofTeam.noteStart(in: run.queue, at: position) }
            ofWorkflow.noteStart(in: run.queue, at: position)
        }
        set(ofTeam, of: run.team)
        set(ofWorkflow, of: run.workflow, team: run.team)
    }

    /// Makes a change that may move the workflow's ready rows or the team's turns, and moves them.
    mutating func changingAdmission(
        of workflow: WorkflowID?, team: TeamID, _ change: (inout Self) -> Void
    ) {
        guard Self.keepsIndexes else { return change(&self) }
        let readyBefore = workflow.map { readyRows(of: $0, team: team) } ?? []
        let turnsBefore = turns(of: team)
        change(&self)
        let readyAfter = workflow.map { readyRows(of: $0, team: team) } ?? []
        if readyBefore != readyAfter {
            // What comes before what goes: a table that is never empty keeps its pages.
            for row in readyAfter where !readyBefore.contains(row) { insert(.ready(row)) }
            for row in readyBefore where !readyAfter.contains(row) { remove(.ready(row)) }
        }
        // After the ready rows: turns are read from them.
        let turnsAfter = turns(of: team)
        if turnsBefore != turnsAfter {
            for turn in turnsAfter where !turnsBefore.contains(turn) { insert(.turn(turn)) }
            for turn in turnsBefore where !turnsAfter.contains(turn) { remove(.turn(turn)) }
        }
    }

    /// The ready rows that the workflow should have: one for each lane that holds something.
    package borrowing func readyRows(of workflow: WorkflowID, team: TeamID) -> [Ready] {
        guard hasRoom(workflow, of: team) else { return [] }
        let usage = usage(of: workflow, team: team)
        var rows: [Ready] = []
        var lane = nextLane(of: workflow, team: team, after: nil)
        while let found = lane {
            rows.append(
                Ready(
                    team: team, lane: found, lastStart: usage.lastStart(in: found.queue),
                    workflow: workflow))
            lane = nextLane(of: workflow, team: team, after: found)
        }
        return rows
    }

    /// The turns that the team should have, going by its ready rows.
    package borrowing func turns(of team: TeamID) -> [Turn] {
        guard hasRoom(team) else { return [] }
        let usage = usage(of: team)
        var turns: [Turn] = []
        for queue in Queue.inner where firstReady(of: team, in: queue) != nil {
            turns.append(Turn(queue: queue, lastStart: usage.lastStart(in: queue), team: team))
        }
        return turns
    }
}

extension Run {
    package var lane: Lane { Lane(queue: queue, priority: priority) }

    /// Its place in its lane, as long as it has one.
    package var waitingPlace: Startable? { isStartable ? startable : nil }

    package var startable: Startable {
        Startable(
            team: team, workflow: workflow, lane: lane, queuedPosition: queuedPosition, run: id)
    }
}
