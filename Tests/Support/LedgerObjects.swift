import DaybookCore

// Workflows and schedules, as the log tells of them.
extension Ledger {
    mutating func readWorkflow(
        _ event: Event, _ team: TeamID, _ location: PayloadLocation, _ header: EntryHeader
    ) {
        switch event {
        case .workflowCreated(let created):
            expect(workflows[created.workflow] == nil, "I16: a workflow is made twice")
            workflows[created.workflow] = WorkflowRecord(
                team: team, limit: created.maxConcurrentRuns,
                timeoutSeconds: created.runTimeoutSeconds, retry: created.retry,
                versions: [
                    0: .init(definition: .first(header.position), queue: created.definition.queue)
                ], touched: header.position)
        case .workflowModified(let modified):
            change(modified.workflow, modified.previous, team, header) { workflow in
                let changes = modified.changes
                if let seconds = changes.runTimeoutSeconds { workflow.timeoutSeconds = seconds }
                if let retry = changes.retry { workflow.retry = retry }
                if let isPaused = changes.isPaused { workflow.isPaused = isPaused }
            }
        case .concurrencySet(let set):
            change(set.workflow, set.previous, team, header) { $0.limit = set.maxConcurrentRuns }
        case .secretRotated(let rotated):
            change(rotated.workflow, rotated.previous, team, header) { _ in }
        case .draftEdited(let edited):
            change(edited.workflow, edited.previous, team, header) { workflow in
                workflow.versions[0] = .init(
                    definition: .first(header.position), queue: edited.definition.queue)
            }
        case .versionSaved(let saved):
            let workflow = workflows[saved.workflow]
            let source = workflow?.versions[saved.source]
            expect(
                source?.definition == saved.definitionLocation && source?.queue == saved.queue,
                "I28: version \(saved.number) is not what version \(saved.source) was")
            expect(
                saved.number == (workflow?.lastVersion ?? 0) + 1,
                "I16: version \(saved.number) is not the next one")
            change(saved.workflow, saved.previous, team, header) { workflow in
                workflow.lastVersion = saved.number
                workflow.versions[saved.number] = .init(
                    definition: saved.definitionLocation, queue: saved.queue)
            }
        case .versionRenamed(let renamed):
            expect(
                workflows[renamed.workflow]?.versions[renamed.number] != nil,
                "I28: version \(renamed.number) is renamed and not there")
            change(renamed.workflow, renamed.previous, team, header) { _ in }
        case .versionActivated(let activated):
            expect(
                workflows[activated.workflow]?.versions[activated.number] != nil,
                "I28: version \(activated.number) is activated and not there")
            change(activated.workflow, activated.previous, team, header) { workflow in
                workflow.activeVersion = activated.number
            }
        case .workflowDeleted(let deleted):
            expect(
                !schedules.values.contains {
                    $0.workflow == deleted.workflow && $0.status == .pending
                } && !runs.values.contains { $0.workflow == deleted.workflow && !$0.isFinal },
                "I28: workflow \(deleted.workflow) is deleted and still needed")
            change(deleted.workflow, deleted.previous, team, header) { $0.isDeleted = true }
        case .workflowClosed(let closed):
            expect(
                operations[closed.operation]?.workflow == closed.workflow,
                "I16: workflow \(closed.workflow) is closed by no operation of its own")
            change(closed.workflow, closed.previous, team, header) {
                $0.deletion = closed.operation
            }
        case .workflowReopened(let reopened):
            change(reopened.workflow, reopened.previous, team, header) { $0.deletion = nil }
        case .versionDeleted(let deleted):
            let workflow = workflows[deleted.workflow]
            expect(
                deleted.number > 0 && workflow?.versions[deleted.number] != nil
                    && workflow?.activeVersion != deleted.number,
                "I28: version \(deleted.number) is deleted, which cannot be")
            expect(
                !schedules.values.contains {
                    $0.workflow == deleted.workflow && $0.status == .pending
                        && $0.version == deleted.number
                },
                "I28: version \(deleted.number) is deleted and a promise asks for it")
            change(deleted.workflow, deleted.previous, team, header) { workflow in
                workflow.versions[deleted.number] = nil
            }
        case .versionImported(let imported):
            expect(
                workflows[imported.workflow]?.touched == header.position,
                "I5: a version is imported into a workflow that was there")
            let (number, queue) = (imported.version.number, imported.version.definition.queue)
            workflows[imported.workflow]?.versions[number] = .init(
                definition: location, queue: queue)
            workflows[imported.workflow]?.lastVersion = number
        default: break
        }
    }

    mutating func readOperation(_ event: Event, _ team: TeamID, _ header: EntryHeader) {
        switch event {
        case .operationStarted(let started):
            expect(operations[started.operation] == nil, "I16: an operation is made twice")
            var workflow: WorkflowID?
            if case .deleteWorkflow(let id) = started.task { workflow = id }
            operations[started.operation] = OperationRecord(
                team: team, workflow: workflow, touched: header.position)
        case .operationAdvanced(let advanced):
            change(advanced.operation, advanced.previous, team, header) {
                $0.changed += advanced.step.changed
            }
        case .operationFinished(let finished):
            change(finished.operation, finished.previous, team, header) {
                $0.status = finished.failure == nil ? .completed : .failed
            }
        default: break
        }
    }

    private mutating func change(
        _ id: OperationID, _ previous: Position, _ team: TeamID, _ header: EntryHeader,
        _ change: (inout OperationRecord) -> Void
    ) {
        guard var operation = operations[id], operation.status == .running else {
            return expect(false, "I16: operation \(id) is not under way")
        }
        expect(operation.team == team, "I34: operation \(id) is another team's")
        expect(operation.touched == previous, "I5h: operation \(id)'s previous")
        change(&operation)
        operation.touched = header.position
        operations[id] = operation
    }

    private mutating func change(
        _ id: WorkflowID, _ previous: Position, _ team: TeamID, _ header: EntryHeader,
        _ change: (inout WorkflowRecord) -> Void
    ) {
        guard var workflow = workflows[id] else {
            return expect(false, "I16: workflow \(id) is not there")
        }
        expect(workflow.team == team, "I34: workflow \(id) is another team's")
        expect(!workflow.isDeleted, "I16: workflow \(id) is deleted")
        // The second event of an entry still names the entry before it.
        expect(
            workflow.touched == previous || workflow.touched == header.position,
            "I5h: workflow \(id) was touched at \(workflow.touched), not \(previous)")
        change(&workflow)
        workflow.touched = header.position
        workflows[id] = workflow
    }

    mutating func readSchedule(
        _ event: Event, _ team: TeamID, _ location: PayloadLocation, _ header: EntryHeader
    ) {
        switch event {
        case .scheduleCreated(let created):
            expect(schedules[created.schedule] == nil, "I16: a schedule is made twice")
            expect(
                workflows[created.workflow]?.team == team, "I34: a schedule of a foreign workflow")
            let workflow = workflows[created.workflow]
            expect(
                workflow?.isDeleted == false && workflow?.deletion == nil,
                "I16: a promise of a workflow that takes none")
            schedules[created.schedule] = ScheduleRecord(
                team: team, workflow: created.workflow, time: created.scheduledTime,
                input: created.input.map { _ in location }, version: created.version,
                expiresAt: created.expiresAt, priority: created.priority,
                touched: header.position)
        case .scheduleModified(let modified):
            change(modified.schedule, modified.previous, team, header) { schedule in
                let changes = modified.changes
                if let time = changes.scheduledTime { schedule.time = time }
                if changes.input != nil { schedule.input = location }
                if case .set(let version) = changes.version { schedule.version = version }
                if case .set(let end) = changes.expiresAt { schedule.expiresAt = end }
                if let priority = changes.priority { schedule.priority = priority }
            }
        case .scheduleCancelled(let cancelled):
            change(cancelled.schedule, cancelled.previous, team, header) { $0.status = .cancelled }
        case .scheduleFired(let fired):
            if let schedule = schedules[fired.schedule] { checkFiring(fired, schedule, header) }
            change(fired.schedule, fired.previous, team, header) { schedule in
                schedule.status = .inProgress
                schedule.run = fired.run
            }
        case .scheduleExpired(let expired):
            if let schedule = schedules[expired.schedule] {
                expect(!isPaused, "I16: a schedule expired while paused")
                expect(
                    schedule.expiresAt == expired.expiresAt
                        && expired.expiresAt <= header.recordedAt
                        && schedule.time <= header.recordedAt,
                    "I19: schedule \(expired.schedule) expired early")
            }
            change(expired.schedule, expired.previous, team, header) { $0.status = .failed }
        default: break
        }
    }

    private func checkFiring(
        _ fired: ScheduleFired, _ schedule: ScheduleRecord, _ header: EntryHeader
    ) {
        let id = fired.schedule
        expect(schedule.run == nil, "I17: schedule \(id) fired a second time")
        expect(schedule.status != .cancelled, "I21: schedule \(id) fired after its cancellation")
        expect(!isPaused, "I16: schedule \(id) fired while paused")
        expect(
            header.recordedAt >= schedule.time && fired.firedAt == header.recordedAt,
            "I19: schedule \(id) fired early")
        expect(
            fired.scheduledTime == schedule.time, "I22: schedule \(id) fired for another time")
        expect(
            schedule.expiresAt.map { header.recordedAt < $0 } ?? true,
            "I16: schedule \(id) fired after it had expired")
        expect(runs[fired.run] == nil, "I17: run \(fired.run) was there before it was fired")
    }

    private mutating func change(
        _ id: ScheduleID, _ previous: Position, _ team: TeamID, _ header: EntryHeader,
        _ change: (inout ScheduleRecord) -> Void
    ) {
        guard var schedule = schedules[id] else {
            return expect(false, "I16: schedule \(id) is not there")
        }
        expect(schedule.team == team, "I34: schedule \(id) is another team's")
        expect(schedule.status == .pending, "I16: schedule \(id) is \(schedule.status)")
        expect(
            schedule.touched == previous,
            "I5h: schedule \(id) was touched at \(schedule.touched), not \(previous)")
        change(&schedule)
        schedule.touched = header.position
        schedules[id] = schedule
    }

    /// The end of a schedule follows from its run's.
    mutating func endSchedule(
        of id: RunID, _ link: ScheduleLink?, as status: Schedule.Status, _ header: EntryHeader
    ) {
        expect(link?.schedule == runs[id]?.schedule, "I16: run \(id) ends another schedule")
        guard let link, var schedule = schedules[link.schedule] else { return }
        expect(schedule.run == id, "I17: run \(id) is not the schedule's")
        expect(schedule.status == .inProgress, "I16: an ended schedule ends again")
        expect(schedule.touched == link.previous, "I5h: schedule \(link.schedule)'s previous")
        schedule.status = status
        schedule.touched = header.position
        schedules[link.schedule] = schedule
    }
}
