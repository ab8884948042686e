import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Schedules")
struct ScheduleTests {
    private func created(
        _ given: Given, _ workflow: WorkflowID, _ new: NewSchedule
    ) -> Judged {
        .events([
            .scheduleCreated(
                ScheduleCreated(
                    schedule: ScheduleID(given.nextID), workflow: workflow,
                    scheduledTime: new.scheduledTime, input: new.input, version: new.version,
                    scheduledByName: new.scheduledByName, expiresAt: new.expiresAt,
                    priority: new.priority, deduplicationKey: new.deduplicationKey))
        ])
    }

    @Test func `a promise with nothing but a time is taken`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        let new = NewSchedule(scheduledTime: .second(60))
        #expect(try given.when(.createSchedule(workflow, new)) == created(given, workflow, new))
    }

    @Test func `a promise with everything is taken, and its row holds it`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        try given.happened(.saveVersion(workflow, NewVersion()))
        let input = SaltedPayload.text("{}")
        let new = NewSchedule(
            scheduledTime: .second(60), input: input.payload, version: 1,
            scheduledByName: "Ada", expiresAt: .second(61), priority: 9,
            deduplicationKey: DeduplicationKey("é"))
        #expect(try given.when(.createSchedule(workflow, new)) == created(given, workflow, new))

        let id = ScheduleID(given.nextID)
        try given.happened(.createSchedule(workflow, new), payload: input)
        let header = try #require(given.entries.last?.header)
        #expect(
            given.state.schedule(id, of: given.team)
                == Schedule(
                    id: id, team: given.team, workflow: workflow, scheduledTime: .second(60),
                    status: .pending,
                    input: PayloadLocation(position: header.position, event: 0), version: 1,
                    scheduledByName: "Ada", expiresAt: .second(61), priority: 9,
                    deduplicationKey: DeduplicationKey("é"), run: nil, failure: nil,
                    firedAt: nil, revision: 1, touched: Touched(created: header)))
    }

    @Test func `all that is wrong with a promise is told at once`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        let new = NewSchedule(
            scheduledTime: .dayOne, version: 7, scheduledByName: "", expiresAt: .dayOne,
            priority: 10, deduplicationKey: DeduplicationKey(String(repeating: "k", count: 256)))
        #expect(
            try given.when(.createSchedule(workflow, new)).wrongFields == [
                "scheduled_time", "expires_at", "version", "priority", "scheduled_by_name",
                "dedup_key",
            ])
    }

    @Test(arguments: [
        (NewSchedule(scheduledTime: .dayOne.adding(microseconds: 1)), []),
        (NewSchedule(scheduledTime: .dayOne), ["scheduled_time"]),
        (NewSchedule(scheduledTime: .dayOne.adding(seconds: -1)), ["scheduled_time"]),
        (NewSchedule(scheduledTime: .latest), []),
        (
            NewSchedule(
                scheduledTime: Instant(microseconds: Instant.latest.microseconds + 1)),
            ["scheduled_time"]
        ),
        (NewSchedule(scheduledTime: .second(9), expiresAt: .second(9)), ["expires_at"]),
        (
            NewSchedule(
                scheduledTime: .second(9), expiresAt: .second(9).adding(microseconds: 1)), []
        ),
        (
            NewSchedule(
                scheduledTime: .second(9),
                expiresAt: Instant(microseconds: Instant.latest.microseconds + 1)),
            ["expires_at"]
        ),
        (NewSchedule(scheduledTime: .second(9), version: 0), []),
        (NewSchedule(scheduledTime: .second(9), version: -1), ["version"]),
        (NewSchedule(scheduledTime: .second(9), version: .max), ["version"]),
        (NewSchedule(scheduledTime: .second(9), priority: 0), []),
        (NewSchedule(scheduledTime: .second(9), priority: -1), ["priority"]),
        (NewSchedule(scheduledTime: .second(9), scheduledByName: "a\u{0}b"), ["scheduled_by_name"]),
        (
            NewSchedule(
                scheduledTime: .second(9), scheduledByName: String(repeating: "é", count: 75)), []
        ),
        (
            NewSchedule(
                scheduledTime: .second(9), scheduledByName: String(repeating: "é", count: 76)),
            ["scheduled_by_name"]
        ),
        (
            NewSchedule(scheduledTime: .second(9), deduplicationKey: DeduplicationKey("")),
            ["dedup_key"]
        ),
        (
            NewSchedule(
                scheduledTime: .second(9),
                deduplicationKey: DeduplicationKey(String(repeating: "k", count: 255))), []
        ),
    ])
    func `a promise is held to its bounds`(_ new: NewSchedule, _ wrong: [String]) throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        let judged = try given.when(.createSchedule(workflow, new))
        #expect(judged.wrongFields ?? [] == wrong)
        if wrong.isEmpty { #expect(judged == created(given, workflow, new)) }
    }

    @Test(arguments: ScheduleScene.allCases)
    func `a deduplication key is taken as long as its schedule is pending`(
        _ scene: ScheduleScene
    ) throws {
        let setting = try scene.setting()
        let given = setting.given
        let new = NewSchedule(
            scheduledTime: .second(999), deduplicationKey: DeduplicationKey("promise"))
        let judged = try given.when(.createSchedule(setting.workflow, new))
        if scene == .pending {
            let position = given.position(of: setting.id)
            #expect(judged == .refused(.deduplicated(setting.id, position: position)))
        } else {
            #expect(judged == created(given, setting.workflow, new))
        }
    }

    @Test func `a deduplication key is one workflow's, and compared by its bytes`() throws {
        var given = try Given()
        let (first, second) = (try given.newWorkflow(), try given.newWorkflow())
        _ = try given.newSchedule(of: first, at: .second(9), key: "é")
        let other = NewSchedule(
            scheduledTime: .second(9), deduplicationKey: DeduplicationKey("e\u{301}"))
        #expect(try given.when(.createSchedule(first, other)) == created(given, first, other))
        let same = NewSchedule(scheduledTime: .second(9), deduplicationKey: DeduplicationKey("é"))
        #expect(try given.when(.createSchedule(second, same)) == created(given, second, same))
    }

    @Test(arguments: ScheduleScene.allCases)
    func `a schedule changes, ends and fires only while it is pending`(
        _ scene: ScheduleScene
    ) throws {
        let setting = try scene.setting()
        var given = setting.given
        let id = setting.id
        let schedule = try #require(given.state.schedule(id, of: given.team))
        #expect(schedule.status == scene.status)
        guard scene != .pending else { return }
        given.now = .second(60)
        let refusal = Judged.refused(
            .scheduleNotPending(
                scene.status, run: schedule.run, position: schedule.touched.position))
        #expect((schedule.run == nil) == (scene == .expired || scene == .cancelled))
        #expect(try given.when(.cancelSchedule(id)) == refusal)
        #expect(try given.when(.fire(id, revision: schedule.revision)) == refusal)
        #expect(try given.when(.fire(id, revision: 1)) == refusal)
        #expect(try given.when(.modifySchedule(id, ScheduleChanges(priority: 1))) == refusal)
        #expect(try given.when(.modifySchedule(id, ScheduleChanges())) == refusal)
    }

    @Test func `a pending schedule can be cancelled, and its row stays`() throws {
        var (given, id) = (try ScheduleScene.pending.setting()).parts
        let position = given.position(of: id)
        #expect(
            try given.when(.cancelSchedule(id))
                == .events([
                    .scheduleCancelled(ScheduleCancelled(schedule: id, previous: position))
                ]))
        given.now = .second(5)
        try given.happened(.cancelSchedule(id), by: .system(.command))
        let row = try #require(given.state.schedule(id, of: given.team))
        #expect(row.status == .cancelled && row.revision == 2 && row.run == nil)
        #expect(row.touched.updatedAt == .second(5) && row.touched.updatedBy == .system(.command))
        #expect(row.touched.createdAt == .dayOne)
        #expect(given.state.allDue.isEmpty)
    }

    @Test func `an overdue schedule can still be cancelled and changed`() throws {
        var (given, id) = (try ScheduleScene.pending.setting()).parts
        given.now = .second(3_600)
        #expect(try given.when(.cancelSchedule(id)).onlyEvent != nil)
        let judged = try given.when(.modifySchedule(id, ScheduleChanges(priority: 1)))
        #expect(judged.onlyEvent != nil)
    }
}

extension ScheduleScene.Setting {
    var parts: (Given, ScheduleID) { (given, id) }
}

@Suite("Changes of schedules")
struct ScheduleModificationTests {
    private func modified(_ given: Given, _ id: ScheduleID, _ changes: ScheduleChanges) -> Judged {
        .events([
            .scheduleModified(
                ScheduleModified(
                    schedule: id, previous: given.position(of: id), changes: changes))
        ])
    }

    @Test(arguments: [
        ScheduleChanges(scheduledTime: .second(30)),
        ScheduleChanges(scheduledTime: .second(119)),
        ScheduleChanges(input: SaltedPayload.text("1").payload),
        ScheduleChanges(version: .set(0)),
        ScheduleChanges(expiresAt: .set(.second(61))),
        ScheduleChanges(expiresAt: .set(nil)),
        ScheduleChanges(priority: 0),
        ScheduleChanges(
            scheduledTime: .second(600), version: .set(0), expiresAt: .set(.second(601)),
            priority: 9),
    ])
    func `a pending schedule takes a change of any field`(_ changes: ScheduleChanges) throws {
        var (given, id) = (try ScheduleScene.pending.setting()).parts
        #expect(
            try given.when(.modifySchedule(id, changes)) == modified(given, id, changes))
        let before = try #require(given.state.schedule(id, of: given.team))
        try given.happened(.modifySchedule(id, changes))
        let position = given.position(of: id)
        var after = before
        if let time = changes.scheduledTime { after.scheduledTime = time }
        if changes.input != nil { after.input = PayloadLocation(position: position, event: 0) }
        if case .set(let version) = changes.version { after.version = version }
        if case .set(let end) = changes.expiresAt { after.expiresAt = end }
        if let priority = changes.priority { after.priority = priority }
        after.revision = 2
        after.touched.position = position
        #expect(given.state.schedule(id, of: given.team) == after)
        #expect(
            given.state.allDue == [
                Due(
                    instant: after.scheduledTime, kind: .schedule, team: given.team,
                    id: AnyID(id), revision: 2)
            ])
    }

    @Test(arguments: [
        ScheduleChanges(),
        ScheduleChanges(scheduledTime: .second(60)),
        ScheduleChanges(version: .set(nil)),
        ScheduleChanges(expiresAt: .set(.second(120))),
        ScheduleChanges(priority: 5),
        ScheduleChanges(
            scheduledTime: .second(60), version: .set(nil), expiresAt: .set(.second(120)),
            priority: 5),
    ])
    func `a change to what is there already is no event`(_ changes: ScheduleChanges) throws {
        let (given, id) = (try ScheduleScene.pending.setting()).parts
        #expect(try given.when(.modifySchedule(id, changes)) == .nothing)
    }

    @Test func `only what really changes is in the event`() throws {
        let (given, id) = (try ScheduleScene.pending.setting()).parts
        let asked = ScheduleChanges(
            scheduledTime: .second(60), version: .set(nil), expiresAt: .set(.second(120)),
            priority: 1)
        #expect(
            try given.when(.modifySchedule(id, asked))
                == modified(given, id, ScheduleChanges(priority: 1)))
    }

    @Test(arguments: [
        (ScheduleChanges(scheduledTime: .dayOne), ["scheduled_time"]),
        (ScheduleChanges(scheduledTime: .second(120)), ["expires_at"]),
        (ScheduleChanges(expiresAt: .set(.second(60))), ["expires_at"]),
        (ScheduleChanges(version: .set(3)), ["version"]),
        (ScheduleChanges(version: .set(-1), priority: 10), ["version", "priority"]),
        (
            ScheduleChanges(
                scheduledTime: Instant(microseconds: Instant.latest.microseconds + 1),
                expiresAt: .set(nil)),
            ["scheduled_time"]
        ),
    ])
    func `a change is held to the bounds of a promise`(
        _ changes: ScheduleChanges, _ wrong: [String]
    ) throws {
        let (given, id) = (try ScheduleScene.pending.setting()).parts
        #expect(try given.when(.modifySchedule(id, changes)).wrongFields == wrong)
    }

    @Test func `a schedule whose time has passed can get a new end without a new time`() throws {
        var (given, id) = (try ScheduleScene.pending.setting()).parts
        given.now = .second(70)
        let changes = ScheduleChanges(expiresAt: .set(.second(300)))
        #expect(try given.when(.modifySchedule(id, changes)) == modified(given, id, changes))
    }

    @Test func `every change raises the revision, and If-Match holds it`() throws {
        var (given, id) = (try ScheduleScene.pending.setting()).parts
        try given.happened(.modifySchedule(id, ScheduleChanges(priority: 1)))
        try given.happened(.modifySchedule(id, ScheduleChanges(priority: 2)))
        let changes = ScheduleChanges(priority: 3)
        for expected: Set<UInt64> in [[3], [1, 3]] {
            #expect(
                try given.when(.modifySchedule(id, changes), ifMatch: expected)
                    == modified(given, id, changes))
            #expect(try given.when(.cancelSchedule(id), ifMatch: expected).onlyEvent != nil)
        }
        for expected: Set<UInt64> in [[], [1], [2, 4]] {
            let refusal = Judged.refused(.revisionMismatch(current: 3))
            #expect(try given.when(.modifySchedule(id, changes), ifMatch: expected) == refusal)
            #expect(try given.when(.cancelSchedule(id), ifMatch: expected) == refusal)
            // A change of nothing looks at it too.
            #expect(
                try given.when(.modifySchedule(id, ScheduleChanges()), ifMatch: expected)
                    == refusal)
        }
    }
}
