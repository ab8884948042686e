import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Failing, reaping, trying again")
struct RetryTests {
    private static let message = SaltedPayload.text("it broke")

    @Test(arguments: RunError.Reason.allCases)
    func `a failure that is not to be retried ends the run`(_ reason: RunError.Reason) throws {
        guard reason != .expired else { return }
        let setting = try RunScene.inProgress.setting()
        var given = setting.given
        given.now = .second(20)
        let failure = Failure(reason: reason, message: Self.message.payload, isRetryable: false)
        let failed = RunFailed(
            run: setting.id, previous: given.position(of: setting.id), attempt: 1,
            reason: reason, message: Self.message.payload, schedule: nil)
        #expect(
            try given.when(.fail(setting.id, attempt: 1, failure)) == .events([.runFailed(failed)]))
        try given.happened(.fail(setting.id, attempt: 1, failure), payload: Self.message)
        let run = try #require(given.state.run(setting.id, of: given.team))
        let location = PayloadLocation(position: run.touched.position, event: 0)
        #expect(run.status == .failed && run.finishedAt == .second(20))
        #expect(run.error == RunError(reason: reason, message: location, attempt: 1))
        #expect(given.state.usage(of: given.team).inProgress == 0)
        #expect(given.state.allDue.isEmpty)
    }

    @Test func `a failure with tries left waits for the next one`() throws {
        let setting = try RunScene.inProgress.setting()
        var given = setting.given
        given.now = .second(20)
        let failure = Failure(reason: .connection, message: Self.message.payload)
        guard
            case .runRetryScheduled(let scheduled)? = try given.when(
                .fail(setting.id, attempt: 1, failure)
            ).onlyEvent
        else {
            Issue.record("no retry")
            return
        }
        #expect(
            scheduled
                == RunRetryScheduled(
                    run: setting.id, previous: given.position(of: setting.id), attempt: 1,
                    reason: .connection, message: Self.message.payload,
                    notBefore: scheduled.notBefore))
        let wait = scheduled.notBefore.microseconds(since: .second(20))
        #expect((8_000_000...10_000_000).contains(wait))

        var expected = try #require(setting.run)
        try given.happened(.fail(setting.id, attempt: 1, failure), payload: Self.message)
        let position = given.position(of: setting.id)
        expected.status = .queued
        expected.deadline = nil
        expected.notBefore = scheduled.notBefore
        expected.error = RunError(
            reason: .connection, message: PayloadLocation(position: position, event: 0),
            attempt: 1)
        expected.touched.updatedAt = .second(20)
        expected.touched.position = position
        #expect(given.state.run(setting.id, of: given.team) == expected)
        #expect(given.state.usage(of: given.team).queued == 1)
        #expect(given.state.usage(of: given.team).inProgress == 0)
        #expect(given.state.allStartable.isEmpty)
    }

    @Test func `the last try's failure ends the run`() throws {
        let setting = try RunScene.inProgress.setting()
        var given = setting.given
        for attempt in 1...2 {
            try given.happened(.fail(setting.id, attempt: attempt, Failure(reason: .error)))
            given.now = given.now.adding(seconds: 60)
            try given.happened(.retry(setting.id, attempt: attempt))
            try given.start()
        }
        guard
            case .runFailed(let failed)? = try given.when(
                .fail(setting.id, attempt: 3, Failure(reason: .error))
            ).onlyEvent
        else {
            Issue.record("the run goes on")
            return
        }
        #expect(failed.attempt == 3 && failed.reason == .error)
    }

    @Test func `a released attempt counts as no try`() throws {
        let setting = try RunScene.inProgress.setting(
            retry: RetryPolicy(maxAttempts: 2, initialBackoffSeconds: 0, maxBackoffSeconds: 0))
        var given = setting.given
        for attempt in 1...5 {
            try given.happened(.release(setting.id, attempt: attempt))
            try given.start()
        }
        let judged = try given.when(.fail(setting.id, attempt: 6, Failure(reason: .error)))
        guard case .runRetryScheduled? = judged.onlyEvent else {
            Issue.record("the released attempts counted: \(judged)")
            return
        }
    }

    @Test func `a run waits for its next try to the microsecond, and keeps its place`() throws {
        let setting = try RunScene.waiting.setting()
        var given = setting.given
        let later = try given.newRun(of: setting.workflow)
        let notBefore = try #require(setting.run?.notBefore)
        given.now = notBefore.adding(microseconds: -1)
        #expect(try given.when(.retry(setting.id, attempt: 1)) == .refused(.notDue))
        given.now = notBefore
        for attempt in [0, 2] {
            #expect(try given.when(.retry(setting.id, attempt: attempt)) == .refused(.notDue))
        }
        let requeued = RunRequeued(
            run: setting.id, previous: given.position(of: setting.id), attempt: 1)
        #expect(
            try given.when(.retry(setting.id, attempt: 1)) == .events([.runRequeued(requeued)]))
        try given.happened(.retry(setting.id, attempt: 1))
        let run = try #require(given.state.run(setting.id, of: given.team))
        #expect(run.status == .queued && run.notBefore == nil && run.attempt == 1)
        #expect(try given.start() == setting.id)
        #expect(try given.start() == later)
    }

    @Test(
        arguments: [
            (nil, 8...10), (0, 8...10), (5, 8...10), (-1, 8...10), (30, 30...30),
            (9_999, 9_999...9_999),
        ] as [(Int?, ClosedRange<Int64>)])
    func `Retry-After is the least time to wait`(
        _ seconds: Int?, _ range: ClosedRange<Int64>
    ) throws {
        let setting = try RunScene.inProgress.setting()
        let failure = Failure(reason: .httpStatus, retryAfterSeconds: seconds)
        guard
            case .runRetryScheduled(let scheduled)? = try setting.given.when(
                .fail(setting.id, attempt: 1, failure)
            ).onlyEvent
        else {
            Issue.record("no retry")
            return
        }
        let wait = scheduled.notBefore.microseconds(since: setting.given.now)
        #expect(wait >= range.lowerBound * 1_000_000 && wait <= range.upperBound * 1_000_000)
    }

    @Test(arguments: [Int.max, .max / 1_000_000, .min])
    func `a Retry-After beyond all bounds is no reason to fall over`(_ seconds: Int) throws {
        let setting = try RunScene.inProgress.setting()
        let failure = Failure(reason: .httpStatus, retryAfterSeconds: seconds)
        guard
            case .runRetryScheduled(let scheduled)? = try setting.given.when(
                .fail(setting.id, attempt: 1, failure)
            ).onlyEvent
        else {
            Issue.record("no retry")
            return
        }
        #expect(scheduled.notBefore > setting.given.now && scheduled.notBefore <= .latest)
    }

    /// The waits, in seconds before the jitter, after each of the tries.
    private func waits(_ policy: RetryPolicy, tries: Int) throws -> [Int64] {
        let setting = try RunScene.inProgress.setting(retry: policy)
        var given = setting.given
        var waits: [Int64] = []
        for attempt in 1...tries {
            try given.happened(.fail(setting.id, attempt: attempt, Failure(reason: .error)))
            let notBefore = try #require(
                given.state.run(setting.id, of: given.team)?.notBefore)
            waits.append(notBefore.microseconds(since: given.now))
            given.now = notBefore
            try given.happened(.retry(setting.id, attempt: attempt))
            try given.start()
        }
        return waits
    }

    @Test func `the wait doubles up to the longest, less up to a fifth`() throws {
        let policy = RetryPolicy(
            maxAttempts: 100, initialBackoffSeconds: 3, maxBackoffSeconds: 1_000)
        let waits = try waits(policy, tries: 40)
        for (index, wait) in waits.enumerated() {
            let full = min(3 << Int64(min(index, 30)), 1_000) * 1_000_000
            #expect(wait <= full && wait > full * 4 / 5 - 1, "after try \(index + 1): \(wait)")
        }
        // They are not all the same part of the full wait.
        let parts = Set(waits.suffix(20))
        #expect(parts.count > 10)
    }

    @Test func `without a back-off the next try is at once`() throws {
        let policy = RetryPolicy(maxAttempts: 3, initialBackoffSeconds: 0, maxBackoffSeconds: 0)
        #expect(try waits(policy, tries: 2) == [0, 0])
    }

    @Test func `runs that fail together are tried again apart`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow(retry: .thrice)
        var waits: Set<Int64> = []
        for _ in 0..<20 {
            _ = try given.newRun(of: workflow)
            let started = try given.start()
            let id = try #require(started)
            try given.happened(.fail(id, attempt: 1, Failure(reason: .error)))
            let run = given.state.run(id, of: given.team)
            waits.insert(run?.notBefore?.microseconds(since: given.now) ?? -1)
        }
        #expect(waits.count >= 15 && waits.allSatisfy { (8_000_000...10_000_000).contains($0) })
    }

    @Test(arguments: [
        (RunScene.inProgress, 3_609, false), (.inProgress, 3_610, true), (.accepted, 3_610, true),
        (.accepted, 3_609, false), (.leased, 69, false), (.leased, 70, true),
        (.leased, 3_610, true),
    ])
    func `a run is reaped once its deadline or its lease has passed`(
        _ scene: RunScene, _ second: Int, _ isOver: Bool
    ) throws {
        let setting = try scene.setting()
        var given = setting.given
        given.now = .second(second)
        let judged = try given.when(.reap(setting.id, attempt: 1))
        guard isOver else {
            #expect(judged == .refused(.notDue))
            return
        }
        guard case .runRetryScheduled(let scheduled)? = judged.onlyEvent else {
            Issue.record("no retry: \(judged)")
            return
        }
        #expect(scheduled.reason == .timeout && scheduled.message == nil)
        let single = try scene.setting(retry: .once)
        given = single.given
        given.now = .second(second)
        let failed = RunFailed(
            run: single.id, previous: given.position(of: single.id), attempt: 1,
            reason: .timeout, message: nil, schedule: nil)
        #expect(
            try given.when(.reap(single.id, attempt: 1)) == .events([.runFailed(failed)]))
    }

    @Test func `a renewed lease puts the reaper off, the deadline stays`() throws {
        let setting = try RunScene.leased.setting()
        var given = setting.given
        given.now = .second(69)
        try given.happened(.renewLease(setting.id, attempt: 1))
        given.now = .second(128)
        #expect(try given.when(.reap(setting.id, attempt: 1)) == .refused(.notDue))
        given.now = .second(129)
        #expect(try given.when(.reap(setting.id, attempt: 1)).onlyEvent != nil)
    }

    @Test(arguments: [true, false])
    func `after a start or a resume what was in progress is spared for a minute`(
        _ isResume: Bool
    ) throws {
        let setting = try RunScene.leased.setting()
        var given = setting.given
        given.now = .second(500)
        if isResume {
            try given.happened(.pause)
            #expect(try given.when(.reap(setting.id, attempt: 1)) == .refused(.paused))
            try given.happened(.resume)
        } else {
            try given.happened(.start)
        }
        for (second, isSpared) in [(500, true), (559, true), (560, false)] {
            given.now = .second(second)
            let judged = try given.when(.reap(setting.id, attempt: 1))
            #expect((judged == .refused(.notDue)) == isSpared, "at \(second) s")
        }
    }

    @Test func `a run started after the start of the service is not spared`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow(retry: .thrice)
        try given.happened(.start)
        let id = try given.newRun(of: workflow)
        given.now = .second(1)
        try given.start(leaseSeconds: 5)
        given.now = .second(6)
        #expect(try given.when(.reap(id, attempt: 1)).onlyEvent != nil)
    }

    @Test(arguments: [(99, false), (100, true)])
    func `a queued run expires when its end has passed, not before`(
        _ second: Int, _ hasExpired: Bool
    ) throws {
        let setting = try RunScene.queued.setting(expiresAt: .second(100))
        var given = setting.given
        given.now = .second(second)
        let expired = RunFailed(
            run: setting.id, previous: given.position(of: setting.id), attempt: 0,
            reason: .expired, message: nil, schedule: nil)
        #expect(
            try given.when(.expire(setting.id))
                == (hasExpired ? .events([.runFailed(expired)]) : .refused(.notDue)))
        guard hasExpired else { return }
        try given.happened(.expire(setting.id))
        let run = try #require(given.state.run(setting.id, of: given.team))
        #expect(run.status == .failed && run.finishedAt == .second(100) && run.attempt == 0)
        #expect(run.error == RunError(reason: .expired, message: nil, attempt: 0))
        #expect(given.state.allStartable.isEmpty && given.state.allDue.isEmpty)
    }

    @Test func `a run without an end never expires`() throws {
        let setting = try RunScene.queued.setting()
        var given = setting.given
        given.now = .latest
        #expect(
            try given.when(.expire(setting.id))
                == .refused(.runState(.queued, position: given.position(of: setting.id))))
    }

    @Test func `nothing expires while the service is paused`() throws {
        let setting = try RunScene.queued.setting(expiresAt: .second(100))
        var given = setting.given
        try given.happened(.pause)
        given.now = .second(100)
        #expect(try given.when(.expire(setting.id)) == .refused(.paused))
    }
}
