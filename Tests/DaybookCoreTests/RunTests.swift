import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Runs")
struct RunTests {
    @Test func `execute queues a run of the active version, with its input`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow(.http, retry: .thrice, timeoutSeconds: 60)
        let input = SaltedPayload.text(#"{"a":1}"#)
        given.now = .second(3)
        let command = Command.execute(
            workflow, NewRun(input: input.payload, priority: 9, expiresAt: .second(5)))
        let id = RunID(given.nextID)
        let queued = RunQueued(
            run: id, workflow: workflow, version: 0,
            definitionLocation: .first(given.position(of: workflow)), queue: .http, mode: .manual,
            schedule: nil, trigger: nil, scheduledTime: nil, input: .brought(input.payload),
            priority: 9, expiresAt: .second(5), timeoutSeconds: 60, retry: .thrice)
        #expect(try given.when(command) == .events([.runQueued(queued)]))

        try given.happened(command, payload: input)
        let header = try #require(given.entries.last?.header)
        #expect(
            given.state.run(id, of: given.team)
                == Run(
                    id: id, team: given.team, workflow: workflow, version: 0,
                    definitionLocation: queued.definitionLocation, queue: .http, mode: .manual,
                    status: .queued, schedule: nil, trigger: nil, scheduledTime: nil,
                    input: PayloadLocation(position: header.position, event: 0), output: nil,
                    error: nil, attempt: 0, tries: 0, priority: 9, expiresAt: .second(5),
                    timeoutSeconds: 60, retry: .thrice, queuedAt: .second(3),
                    queuedPosition: header.position, firstStartedAt: nil, startedAt: nil,
                    startedPosition: 0, deadline: nil, leaseEndsAt: nil, leaseSeconds: nil,
                    isAccepted: false, notBefore: nil, finishedAt: nil, worker: nil,
                    touched: Touched(created: header)))
    }

    @Test(arguments: [
        (NewRun(version: 7), ["version"]), (NewRun(version: -1), ["version"]),
        (NewRun(priority: 10), ["priority"]), (NewRun(expiresAt: .dayOne), ["expires_at"]),
        (
            NewRun(version: 7, priority: -1, expiresAt: .epoch),
            ["version", "priority", "expires_at"]
        ),
        (NewRun(expiresAt: .dayOne.adding(microseconds: 1)), []),
    ])
    func `execute is held to its bounds`(_ new: NewRun, _ wrong: [String]) throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        #expect(try given.when(.execute(workflow, new)).wrongFields ?? [] == wrong)
    }

    @Test func `execute can name a version`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow(.worker("old"))
        let definition = given.position(of: workflow)
        try given.happened(.saveVersion(workflow, NewVersion()))
        try given.happened(.editDraft(workflow, .http))
        guard
            case .runQueued(let queued)? = try given.when(
                .execute(workflow, NewRun(version: 1))
            ).onlyEvent
        else {
            Issue.record("no run")
            return
        }
        #expect(queued.version == 1 && queued.queue == .worker("old"))
        #expect(queued.definitionLocation == .first(definition))
    }

    @Test(arguments: [nil, 5, 60, 3_600])
    func `a claim starts the run, with its deadline and its lease`(_ lease: Int?) throws {
        let setting = try RunScene.queued.setting()
        var given = setting.given
        let started = RunStarted(
            run: setting.id, previous: given.position(of: setting.id), attempt: 1, tries: 1,
            deadline: .second(3_610),
            lease: lease.map { Lease(endsAt: .second(10 + $0), seconds: $0) }, worker: "worker-1")
        let claim = Command.claim(.echo, worker: "worker-1", leaseSeconds: lease)
        #expect(try given.when(claim) == .events([.runStarted(started)]))

        var expected = try #require(setting.run)
        try given.happened(claim)
        expected.status = .inProgress
        expected.attempt = 1
        expected.tries = 1
        expected.firstStartedAt = .second(10)
        expected.startedAt = .second(10)
        expected.startedPosition = given.position(of: setting.id)
        expected.deadline = .second(3_610)
        expected.leaseEndsAt = lease.map { .second(10 + $0) }
        expected.leaseSeconds = lease
        expected.worker = "worker-1"
        expected.touched.updatedAt = .second(10)
        expected.touched.position = given.position(of: setting.id)
        #expect(given.state.run(setting.id, of: given.team) == expected)
    }

    @Test(arguments: [
        (4, "w", ["lease_seconds"]), (3_601, "w", ["lease_seconds"]), (60, "", ["worker"]),
        (-1, "\u{0}", ["worker", "lease_seconds"]),
        (60, String(repeating: "w", count: 151), ["worker"]),
    ])
    func `a claim is held to its bounds`(_ lease: Int, _ worker: String, _ wrong: [String]) throws {
        let given = try RunScene.queued.setting().given
        #expect(
            try given.when(.claim(.echo, worker: worker, leaseSeconds: lease)).wrongFields == wrong)
    }

    @Test(arguments: RunScene.allCases)
    func `only a queued run that waits for nothing is claimed`(_ scene: RunScene) throws {
        let judged = try scene.setting().given.when(
            .claim(.echo, worker: nil, leaseSeconds: nil))
        if scene == .queued || scene == .released {
            #expect(judged.onlyEvent != nil)
        } else {
            #expect(judged == .refused(.nothingStartable))
        }
    }

    @Test(arguments: [(8, true), (9, false), (10, false)])
    func `a run past its end does not start, also before the timer has come to it`(
        _ second: Int, _ starts: Bool
    ) throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        _ = try given.newRun(of: workflow, expiresAt: .second(9))
        given.now = .second(second)
        let judged = try given.when(.claim(.echo, worker: nil, leaseSeconds: nil))
        #expect((judged == .refused(.nothingStartable)) != starts)
    }

    @Test func `once a run was started its end holds no longer`() throws {
        let setting = try RunScene.released.setting(expiresAt: .second(15))
        var given = setting.given
        given.now = .second(30)
        #expect(try given.when(.claim(.echo, worker: nil, leaseSeconds: nil)).onlyEvent != nil)
        #expect(
            try given.when(.expire(setting.id))
                == .refused(.runState(.queued, position: given.position(of: setting.id))))
    }

    @Test(arguments: [(39, false), (40, false), (41, true), (69, true), (75, true)])
    func `a lease is renewed by an entry only when less than half of it remains`(
        _ second: Int, _ isRenewed: Bool
    ) throws {
        let setting = try RunScene.leased.setting()
        var given = setting.given
        given.now = .second(second)
        let renewed = LeaseRenewed(
            run: setting.id, previous: given.position(of: setting.id), attempt: 1,
            endsAt: .second(second + 60))
        let judged = try given.when(.renewLease(setting.id, attempt: 1))
        #expect(judged == (isRenewed ? .events([.leaseRenewed(renewed)]) : .nothing))
        guard isRenewed else { return }
        try given.happened(.renewLease(setting.id, attempt: 1))
        #expect(
            given.state.run(setting.id, of: given.team)?.leaseEndsAt == .second(second + 60))
        #expect(try given.when(.renewLease(setting.id, attempt: 1)) == .nothing)
    }

    @Test func `half a lease to the microsecond is not yet less than half`() throws {
        let setting = try RunScene.leased.setting()
        var given = setting.given
        given.now = .second(40)
        #expect(try given.when(.renewLease(setting.id, attempt: 1)) == .nothing)
        given.now = .second(40).adding(microseconds: 1)
        #expect(try given.when(.renewLease(setting.id, attempt: 1)) != .nothing)
    }

    @Test func `an accepted run stays in progress and is marked`() throws {
        let setting = try RunScene.inProgress.setting()
        var given = setting.given
        let accepted = RunAccepted(
            run: setting.id, previous: given.position(of: setting.id), attempt: 1)
        #expect(
            try given.when(.accept(setting.id, attempt: 1)) == .events([.runAccepted(accepted)]))
        try given.happened(.accept(setting.id, attempt: 1))
        let run = try #require(given.state.run(setting.id, of: given.team))
        #expect(run.isAccepted && run.status == .inProgress && run.deadline == .second(3_610))
    }

    @Test(arguments: RunScene.startedOnes)
    func `a released run is queued again at its old place, the try not counted`(
        _ scene: RunScene
    ) throws {
        let setting = try scene.setting()
        var given = setting.given
        let before = try #require(setting.run)
        // Queued after it, and yet it comes first again.
        let later = try given.newRun(of: setting.workflow)
        given.now = .second(12)
        let released = RunReleased(run: setting.id, previous: before.touched.position, attempt: 1)
        #expect(
            try given.when(.release(setting.id, attempt: 1)) == .events([.runReleased(released)]))
        try given.happened(.release(setting.id, attempt: 1))
        var expected = before
        expected.status = .queued
        expected.tries = 0
        expected.deadline = nil
        expected.leaseEndsAt = nil
        expected.leaseSeconds = nil
        expected.isAccepted = false
        expected.touched.updatedAt = .second(12)
        expected.touched.position = given.position(of: setting.id)
        #expect(given.state.run(setting.id, of: given.team) == expected)
        #expect(given.state.usage(of: given.team).inProgress == 0)

        #expect(try given.start() == setting.id)
        let again = try #require(given.state.run(setting.id, of: given.team))
        #expect(again.attempt == 2 && again.tries == 1)
        #expect(again.firstStartedAt == .second(10) && again.startedAt == .second(12))
        #expect(try given.start() == later)
    }

    @Test(arguments: RunScene.startedOnes)
    func `a completed run keeps its output and gives its slot back`(_ scene: RunScene) throws {
        let setting = try scene.setting()
        var given = setting.given
        let output = SaltedPayload.text("42")
        given.now = .second(20)
        let command = Command.complete(setting.id, attempt: 1, output: output.payload)
        let completed = RunCompleted(
            run: setting.id, previous: given.position(of: setting.id), attempt: 1,
            output: output.payload, schedule: nil)
        #expect(try given.when(command) == .events([.runCompleted(completed)]))
        var expected = try #require(setting.run)
        try given.happened(command, payload: output)
        let position = given.position(of: setting.id)
        expected.status = .completed
        expected.output = PayloadLocation(position: position, event: 0)
        expected.leaseEndsAt = nil
        expected.leaseSeconds = nil
        expected.isAccepted = false
        expected.finishedAt = .second(20)
        expected.touched.updatedAt = .second(20)
        expected.touched.position = position
        #expect(given.state.run(setting.id, of: given.team) == expected)
        #expect(given.state.usage(of: given.team).inProgress == 0)
        #expect(given.state.allDue.isEmpty)
    }

    @Test func `the error of an earlier attempt goes when a later one completes`() throws {
        let setting = try RunScene.waiting.setting()
        var given = setting.given
        #expect(setting.run?.error == RunError(reason: .error, message: nil, attempt: 1))
        given.now = .second(40)
        try given.happened(.retry(setting.id, attempt: 1))
        try given.start()
        try given.happened(.complete(setting.id, attempt: 2, output: nil))
        #expect(given.state.run(setting.id, of: given.team)?.error == nil)
    }

    @Test(arguments: RunScene.allCases.filter { !$0.status.isFinal })
    func `an unfinished run can be cancelled, wherever it is`(_ scene: RunScene) throws {
        let setting = try scene.setting(expiresAt: .second(500))
        var given = setting.given
        let cancelled = RunCancelled(
            run: setting.id, previous: given.position(of: setting.id), schedule: nil)
        #expect(
            try given.when(.cancelRun(setting.id)) == .events([.runCancelled(cancelled)]))
        try given.happened(.cancelRun(setting.id))
        let run = try #require(given.state.run(setting.id, of: given.team))
        #expect(run.status == .cancelled && run.finishedAt == given.now && run.notBefore == nil)
        let usage = given.state.usage(of: given.team)
        #expect(usage.inProgress == 0 && usage.queued == 0)
        #expect(given.state.allDue.isEmpty && given.state.allStartable.isEmpty)
    }

    @Test func `the end of a run names its schedule and who touched it last`() throws {
        let setting = try ScheduleScene.inProgress.setting()
        var given = setting.given
        let run = try #require(given.state.schedule(setting.id, of: given.team)?.run)
        let link = ScheduleLink(
            schedule: setting.id, previous: given.position(of: setting.id))
        func linked(_ command: Command) throws -> ScheduleLink? {
            switch try given.when(command).onlyEvent {
            case .runCompleted(let event): event.schedule
            case .runFailed(let event): event.schedule
            case .runCancelled(let event): event.schedule
            default: nil
            }
        }
        #expect(try linked(.cancelRun(run)) == link)
        try given.start()
        #expect(try linked(.complete(run, attempt: 1, output: nil)) == link)
        #expect(
            try linked(.fail(run, attempt: 1, Failure(reason: .error, isRetryable: false))) == link)
        given.now = .second(9_999)
        #expect(try linked(.reap(run, attempt: 1)) == link)
    }
}
