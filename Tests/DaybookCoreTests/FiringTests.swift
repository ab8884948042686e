import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Firing")
struct FiringTests {
    private func fired(
        _ given: Given, _ schedule: Schedule, version: Int = 0, definition: Position,
        queue: Queue = .echo, retry: RetryPolicy = .once, timeoutSeconds: Int = 3_600
    ) -> Judged {
        let run = RunID(given.nextID)
        return .events([
            .scheduleFired(
                ScheduleFired(
                    schedule: schedule.id, previous: schedule.touched.position, run: run,
                    scheduledTime: schedule.scheduledTime, firedAt: given.now)),
            .runQueued(
                RunQueued(
                    run: run, workflow: schedule.workflow, version: version,
                    definitionLocation: .first(definition), queue: queue, mode: .scheduled,
                    schedule: schedule.id, trigger: nil, scheduledTime: schedule.scheduledTime,
                    input: schedule.input.map { .stored($0) } ?? .none,
                    priority: schedule.priority, expiresAt: schedule.expiresAt,
                    timeoutSeconds: timeoutSeconds, retry: retry)),
        ])
    }

    @Test(arguments: [0, 1, 59_999_999])
    func `a due schedule fires, and both events say when`(_ microsecondsLate: Int64) throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        given.now = .second(60).adding(microseconds: microsecondsLate)
        let schedule = try #require(given.state.schedule(setting.id, of: given.team))
        let definition = given.position(of: setting.workflow)
        #expect(
            try given.when(.fire(setting.id, revision: 1))
                == fired(given, schedule, definition: definition))
    }

    @Test func `nothing fires a microsecond too early`() throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        given.now = .second(60).adding(microseconds: -1)
        #expect(try given.when(.fire(setting.id, revision: 1)) == .refused(.notDue))
    }

    @Test(arguments: [0, 2, UInt64.max])
    func `a timer that was armed for another revision fires nothing`(_ revision: UInt64) throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        given.now = .second(60)
        #expect(try given.when(.fire(setting.id, revision: revision)) == .refused(.notDue))
    }

    @Test func `a change before the firing makes the old timer stale`() throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        try given.happened(
            .modifySchedule(setting.id, ScheduleChanges(scheduledTime: .second(30))))
        given.now = .second(60)
        #expect(try given.when(.fire(setting.id, revision: 1)) == .refused(.notDue))
        let schedule = try #require(given.state.schedule(setting.id, of: given.team))
        #expect(
            try given.when(.fire(setting.id, revision: 2))
                == fired(given, schedule, definition: given.position(of: setting.workflow)))
    }

    @Test(arguments: [(119, false), (120, true), (9_999, true)])
    func `a promise whose end has passed expires instead, without a run`(
        _ second: Int, _ hasExpired: Bool
    ) throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        let position = given.position(of: setting.id)
        given.now = .second(second)
        let judged = try given.when(.fire(setting.id, revision: 1))
        let expired = Judged.events([
            .scheduleExpired(
                ScheduleExpired(
                    schedule: setting.id, previous: position, expiresAt: .second(120)))
        ])
        #expect((judged == expired) == hasExpired)
        guard hasExpired else { return }
        try given.happened(.fire(setting.id, revision: 1))
        let row = try #require(given.state.schedule(setting.id, of: given.team))
        #expect(row.status == .failed && row.failure == .expired && row.run == nil)
        #expect(row.firedAt == nil && given.state.allRuns.isEmpty && given.state.allDue.isEmpty)
    }

    @Test func `while the service is paused nothing fires and nothing expires`() throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        try given.happened(.pause)
        for second in [0, 60, 120] {
            given.now = .second(second)
            #expect(try given.when(.fire(setting.id, revision: 1)) == .refused(.paused))
        }
        try given.happened(.resume)
        given.now = .second(119)
        #expect(try given.when(.fire(setting.id, revision: 1)) != .refused(.paused))
    }

    @Test func `a paused workflow fires; its run waits`() throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        try given.happened(.modifyWorkflow(setting.workflow, WorkflowChanges(isPaused: true)))
        given.now = .second(60)
        let run = try given.fire(setting.id)
        #expect(given.state.run(run, of: given.team)?.status == .queued)
        #expect(
            try given.when(.claim(.echo, worker: nil, leaseSeconds: nil))
                == .refused(.nothingStartable))
    }

    @Test func `without a pin the version that is active at the firing runs`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow(.echo)
        let first = given.position(of: workflow)
        let id = try given.newSchedule(of: workflow, at: .second(60))
        try given.happened(.editDraft(workflow, .http))
        let second = given.position(of: workflow)
        given.now = .second(60)
        let schedule = try #require(given.state.schedule(id, of: given.team))
        // The draft is active and was edited.
        #expect(
            try given.when(.fire(id, revision: 1))
                == fired(given, schedule, definition: second, queue: .http))
        // A version made of it, then the draft goes on.
        try given.happened(.saveVersion(workflow, NewVersion(markAsActive: true)))
        try given.happened(.editDraft(workflow, .worker("later")))
        #expect(
            try given.when(.fire(id, revision: 1))
                == fired(given, schedule, version: 1, definition: second, queue: .http))
        #expect(first != second)
    }

    @Test func `a pinned version runs, whatever is active`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow(.worker("pinned"))
        let definition = given.position(of: workflow)
        try given.happened(.saveVersion(workflow, NewVersion()))
        let id = try given.newSchedule(of: workflow, at: .second(60), version: 1)
        try given.happened(.editDraft(workflow, .http))
        try given.happened(.saveVersion(workflow, NewVersion(markAsActive: true)))
        given.now = .second(60)
        let schedule = try #require(given.state.schedule(id, of: given.team))
        #expect(
            try given.when(.fire(id, revision: 1))
                == fired(
                    given, schedule, version: 1, definition: definition,
                    queue: .worker("pinned")))
    }

    @Test func `the run takes time-out and retry as the workflow has them at the firing`() throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        let definition = given.position(of: setting.workflow)
        try given.happened(
            .modifyWorkflow(
                setting.workflow, WorkflowChanges(runTimeoutSeconds: 5, retry: .thrice)))
        given.now = .second(60)
        let schedule = try #require(given.state.schedule(setting.id, of: given.team))
        #expect(
            try given.when(.fire(setting.id, revision: 1))
                == fired(
                    given, schedule, definition: definition, retry: .thrice, timeoutSeconds: 5))
    }

    @Test func `the run takes the input that the schedule had last`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        let id = try given.newSchedule(of: workflow, at: .second(60), input: .text("first"))
        try given.happened(
            .modifySchedule(id, ScheduleChanges(input: SaltedPayload.text("second").payload)),
            payload: .text("second"))
        let brought = given.position(of: id)
        given.now = .second(60)
        let run = try given.fire(id)
        #expect(
            given.state.run(run, of: given.team)?.input
                == PayloadLocation(position: brought, event: 0))
    }

    @Test func `firing leaves the schedule in progress and a whole run`() throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        given.now = .second(61)
        let id = try given.fire(setting.id)
        let header = try #require(given.entries.last?.header)
        let schedule = try #require(given.state.schedule(setting.id, of: given.team))
        #expect(schedule.status == .inProgress && schedule.run == id)
        #expect(schedule.firedAt == .second(61) && schedule.revision == 2)
        #expect(
            given.state.run(id, of: given.team)
                == Run(
                    id: id, team: given.team, workflow: setting.workflow, version: 0,
                    definitionLocation: .first(given.position(of: setting.workflow)), queue: .echo,
                    mode: .scheduled, status: .queued, schedule: setting.id, trigger: nil,
                    scheduledTime: .second(60), input: nil, output: nil, error: nil, attempt: 0,
                    tries: 0, priority: 5, expiresAt: .second(120), timeoutSeconds: 3_600,
                    retry: .once, queuedAt: .second(61), queuedPosition: header.position,
                    firstStartedAt: nil, startedAt: nil, startedPosition: 0, deadline: nil,
                    leaseEndsAt: nil, leaseSeconds: nil, isAccepted: false, notBefore: nil,
                    finishedAt: nil, worker: nil, touched: Touched(created: header)))
    }

    @Test func `the end of a schedule follows from its run's`() throws {
        let ends: [(ScheduleScene, Schedule.Failure?)] = [
            (.inProgress, nil), (.completed, nil), (.failedByCancelledRun, .runCancelled),
            (.failed, .run(RunError(reason: .error, message: nil, attempt: 1))),
            (.failedByExpiredRun, .expired), (.expired, .expired),
        ]
        for (scene, failure) in ends {
            let setting = try scene.setting()
            let row = setting.given.state.schedule(setting.id, of: setting.given.team)
            #expect(row?.failure == failure, "\(scene)")
            #expect(row?.status == scene.status)
        }
    }
}
