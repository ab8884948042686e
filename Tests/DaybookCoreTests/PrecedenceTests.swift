import DaybookCore
import DaybookStore
import Support
import Testing

/// Where several rejections apply: not authenticated, not found, not allowed, wrong state, wrong
/// revision, invalid value, limit. Each row takes the first one away and finds the next.
@Suite("Which rejection wins")
struct PrecedenceTests {
    @Test func `for a change of a schedule`() throws {
        let setting = try ScheduleScene.cancelled.setting()
        var given = setting.given
        let (read, write) = (try given.newKey(.read), try given.newKey(.write))
        let revoked = try given.newKey(.admin)
        try given.happened(.revokeKey(revoked))
        let pending = try given.newSchedule(of: setting.workflow, at: .second(600))
        let wrong = ScheduleChanges(scheduledTime: .dayOne, priority: 99)
        let row = try #require(given.state.schedule(setting.id, of: given.team))

        func judged(_ id: ScheduleID, by key: KeyID, ifMatch: Set<UInt64>?) throws -> Judged {
            try given.when(.modifySchedule(id, wrong), by: .key(key), ifMatch: ifMatch)
        }
        #expect(
            try judged(.number(99), by: revoked, ifMatch: [9]) == .refused(.notAuthenticated))
        #expect(
            try judged(.number(99), by: read, ifMatch: [9]) == .refused(.notFound(.schedule)))
        #expect(
            try judged(setting.id, by: read, ifMatch: [9])
                == .refused(.notAllowed(needs: .write)))
        #expect(
            try judged(setting.id, by: write, ifMatch: [9])
                == .refused(
                    .scheduleNotPending(.cancelled, run: nil, position: row.touched.position)))
        #expect(
            try judged(pending, by: write, ifMatch: [9])
                == .refused(.revisionMismatch(current: 1)))
        #expect(
            try judged(pending, by: write, ifMatch: [1]).wrongFields
                == ["scheduled_time", "priority"])
    }

    @Test func `for a promise, a taken key comes last`() throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        let read = try given.newKey(.read)
        let key = DeduplicationKey("promise")
        let wrong = NewSchedule(scheduledTime: .dayOne, deduplicationKey: key)
        let right = NewSchedule(scheduledTime: .second(60), deduplicationKey: key)
        #expect(
            try given.when(.createSchedule(.number(99), wrong), by: .key(read))
                == .refused(.notFound(.workflow)))
        #expect(
            try given.when(.createSchedule(setting.workflow, wrong), by: .key(read))
                == .refused(.notAllowed(needs: .write)))
        #expect(
            try given.when(.createSchedule(setting.workflow, wrong)).wrongFields
                == ["scheduled_time"])
        #expect(
            try given.when(.createSchedule(setting.workflow, right))
                == .refused(.deduplicated(setting.id, position: given.position(of: setting.id))))
        #expect(
            try given.when(.createSchedule(setting.workflow, right), by: .key(read))
                == .refused(.notAllowed(needs: .write)))
    }

    @Test func `for an answer about a run`() throws {
        let ended = try RunScene.completed.setting()
        var given = ended.given
        let (read, work) = (try given.newKey(.read), try given.newKey(.work))
        let running = try given.newRun(of: ended.workflow)
        try given.start()
        func judged(_ id: RunID, by key: KeyID, attempt: Int) throws -> Judged {
            try given.when(.complete(id, attempt: attempt, output: nil), by: .key(key))
        }
        #expect(try judged(.number(99), by: read, attempt: 9) == .refused(.notFound(.run)))
        #expect(
            try judged(ended.id, by: read, attempt: 9) == .refused(.notAllowed(needs: .work)))
        #expect(
            try judged(ended.id, by: work, attempt: 9)
                == .refused(.runState(.completed, position: given.position(of: ended.id))))
        #expect(
            try judged(running, by: work, attempt: 9)
                == .refused(.staleAttempt(current: 1, position: given.position(of: running))))
        #expect(try judged(running, by: work, attempt: 1).onlyEvent != nil)
    }

    @Test func `for a firing`() throws {
        let setting = try ScheduleScene.pending.setting()
        var given = setting.given
        try given.happened(.pause)
        #expect(
            try given.when(.fire(.number(99), revision: 9)) == .refused(.notFound(.schedule)))
        #expect(try given.when(.fire(setting.id, revision: 9)) == .refused(.paused))
        try given.happened(.resume)
        #expect(try given.when(.fire(setting.id, revision: 9)) == .refused(.notDue))
        try given.happened(.cancelSchedule(setting.id))
        try given.happened(.pause)
        let position = given.position(of: setting.id)
        #expect(
            try given.when(.fire(setting.id, revision: 9))
                == .refused(.scheduleNotPending(.cancelled, run: nil, position: position)))
    }

    @Test func `for a reaping and an expiry`() throws {
        let setting = try RunScene.inProgress.setting()
        var given = setting.given
        let queued = try given.newRun(of: setting.workflow, expiresAt: .second(99))
        try given.happened(.pause)
        #expect(
            try given.when(.reap(setting.id, attempt: 9))
                == .refused(.staleAttempt(current: 1, position: given.position(of: setting.id))))
        #expect(try given.when(.reap(setting.id, attempt: 1)) == .refused(.paused))
        #expect(
            try given.when(.reap(queued, attempt: 0))
                == .refused(.runState(.queued, position: given.position(of: queued))))
        #expect(try given.when(.expire(queued)) == .refused(.paused))
        #expect(
            try given.when(.expire(setting.id))
                == .refused(.runState(.inProgress, position: given.position(of: setting.id))))
    }

    @Test func `for a claim, a pause comes before a value that is wrong`() throws {
        var given = try Given()
        let read = try given.newKey(.read)
        let wrong = Command.claim(.echo, worker: "", leaseSeconds: 1)
        #expect(try given.when(wrong, team: .number(99)) == .refused(.notFound(.team)))
        #expect(try given.when(wrong, by: .key(read)) == .refused(.notAllowed(needs: .work)))
        #expect(try given.when(wrong).wrongFields == ["worker", "lease_seconds"])
        #expect(
            try given.when(.claim(.echo, worker: nil, leaseSeconds: nil))
                == .refused(.nothingStartable))
        try given.happened(.pause)
        #expect(try given.when(wrong) == .refused(.paused))
    }

    @Test func `a command for a team that is not there is not found`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        for command in [
            Command.createWorkflow(NewWorkflow(name: "", definition: .echo, secret: .number(1))),
            .modifyWorkflow(workflow, WorkflowChanges(name: "")),
            .claim(.echo, worker: nil, leaseSeconds: nil), .cancelRun(.number(99)),
        ] {
            #expect(try given.when(command, team: .number(99)) == .refused(.notFound(.team)))
        }
    }
}
