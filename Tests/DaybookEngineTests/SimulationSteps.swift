import DaybookCore
import DaybookEngine
import DaybookStore
import Support

/// What can happen in a simulated world.
extension Simulation {
    mutating func step() throws {
        switch Int.random(in: 0..<100, using: &numbers) {
        case 0..<4: try senders()
        case 4..<9: try deliverer()
        case 9..<22: try clients()
        case 22..<40: try timer()
        case 40..<58: try dispatcher()
        case 58..<74: try executors()
        case 74..<82: try workers()
        case 82..<94: moveClock()
        case 94..<97: try limits()
        case 97: try pause()
        default: try restart()
        }
    }

    private func now() -> Instant { clock.now() }

    private mutating func moveClock() {
        let small = Int64.random(in: 1...3_000_000, using: &numbers)
        switch Int.random(in: 0..<24, using: &numbers) {
        case 0..<14: clock.advance(microseconds: small)
        case 14..<18: clock.advance(seconds: Int.random(in: 5...70, using: &numbers))
        case 18: clock.advance(seconds: 4_000)
        case 19:
            clock.jump(seconds: 3_600)
            observeClock()
            if judge() == .ahead { note(.clockAhead) }
        case 20:
            clock.jump(seconds: -3_600)
            observeClock()
            if judge() == .behind { note(.clockBehind) }
        default:
            // Time enough for a suspicion to end.
            for _ in 0..<12 {
                clock.advance(seconds: 1)
                observeClock()
            }
        }
        observeClock()
    }

    private mutating func clients() throws {
        var batch: [Submission] = []
        for _ in 0..<Int.random(in: 1...6, using: &numbers) { batch.append(client()) }
        // Sometimes a client asks twice, because it did not hear.
        if numbers.chance(1, of: 6), let first = batch.first(where: { $0.idempotency != nil }) {
            batch.append(first)
        }
        // Not fired yet, though their time has come.
        let due = memory.allSchedules.filter { $0.status == .pending && $0.scheduledTime <= now() }
        let dueIDs = Set(due.map(\.id))
        let outcomes = try process(batch)
        for (submission, outcome) in zip(batch, outcomes) {
            switch (submission.command, outcome) {
            case (.cancelSchedule(let id), .accepted) where dueIDs.contains(id):
                note(.cancelBeatFire)
            case (.cancelSchedule, .refused(.scheduleNotPending(_, .some, _))):
                note(.fireBeatCancel)
            case (.modifySchedule(let id, _), .accepted) where dueIDs.contains(id):
                note(.modifyBeatFire)
            default: break
            }
        }
    }

    private mutating func client() -> Submission {
        let workflows = memory.allWorkflows.sorted { $0.id < $1.id }
        guard workflows.count >= 3, !numbers.chance(1, of: 40) else { return newWorkflow() }
        let workflow = numbers.pick(workflows).id
        let schedules = memory.allSchedules.sorted { $0.id < $1.id }.suffix(12)
        let soon = now().adding(
            microseconds: Int64.random(in: -1_000_000...8_000_000, using: &numbers))
        switch Int.random(in: 0..<20, using: &numbers) {
        case 0..<8:
            let payload = SaltedPayload(numbers.bytes(20), salt: numbers.bytes(16))
            let new = NewSchedule(
                scheduledTime: soon, input: payload.payload,
                expiresAt: numbers.chance(1, of: 4) ? soon.adding(seconds: 3) : nil,
                priority: Int.random(in: 4...6, using: &numbers))
            return submission(.createSchedule(workflow, new), keyed: true, payload: payload)
        case 8..<11:
            guard let schedule = schedules.randomElement(using: &numbers) else { break }
            return submission(
                .modifySchedule(schedule.id, ScheduleChanges(scheduledTime: soon)), keyed: true)
        case 11..<14:
            guard let schedule = schedules.randomElement(using: &numbers) else { break }
            return submission(.cancelSchedule(schedule.id), keyed: true)
        case 14, 15: return submission(.execute(workflow, NewRun()), keyed: true)
        case 16:
            return submission(.editDraft(workflow, definition()), keyed: true)
        case 17:
            return submission(
                .saveVersion(workflow, NewVersion(markAsActive: numbers.chance(1, of: 2))),
                keyed: true)
        case 18: return submission(.activateVersion(workflow, number: 0), keyed: true)
        default:
            let runs = memory.allRuns.filter { !$0.status.isFinal }.sorted { $0.id < $1.id }
            guard let run = runs.randomElement(using: &numbers) else { break }
            return submission(.cancelRun(run.id), keyed: true)
        }
        return submission(.execute(workflow, NewRun()), keyed: true)
    }

    private mutating func definition() -> Definition {
        .on(numbers.pick([.echo, .http, .worker("w")]))
    }

    private mutating func newWorkflow() -> Submission {
        submission(
            .createWorkflow(
                NewWorkflow(
                    name: "workflow", definition: definition(),
                    runTimeoutSeconds: numbers.pick([5, 60, 600]),
                    retry: numbers.pick([
                        .once,
                        RetryPolicy(
                            maxAttempts: 3, initialBackoffSeconds: 1, maxBackoffSeconds: 4),
                    ]),
                    maxConcurrentRuns: Int.random(in: 0...2, using: &numbers),
                    secret: .number(1))), keyed: true)
    }

    mutating func timer(limit: Int = 20) throws {
        guard judge() == .good else { return }
        let step = try disk.store.read { view in
            try TimerStep.next(view, now: now(), limit: limit)
        }
        let commands = step.due.map { due in
            submission(TimerStep.command(for: due), by: .system(.timer))
        }
        guard !commands.isEmpty else { return }
        // Sometimes a client's word comes into the same batch, before the timer's.
        var batch = commands
        if numbers.chance(1, of: 4), case .fire(let id, _) = commands[0].command {
            batch.insert(submission(.cancelSchedule(id), keyed: true), at: 0)
        }
        let outcomes = try process(batch)
        for (submission, outcome) in zip(batch, outcomes) {
            switch (submission.command, outcome) {
            case (.reap, .accepted): note(.reapBeatComplete)
            case (.reap, .refused(.runState)): note(.completeBeatReap)
            case (.expire, .accepted): note(.expired)
            case (.retry, .accepted): note(.retried)
            default: break
            }
        }
        for run in started where memory.run(run.id, of: team)?.attempt != run.attempt {
            old.append(run)
        }
    }

    mutating func dispatcher() throws {
        guard judge() == .good, started.count < 8 else { return }
        let claims = try disk.store.read { view in try DispatchStep.claims(view, limit: 4) }
        let outcomes = try process(
            claims.map { claim in
                submission(
                    .claim(claim.queue, worker: nil, leaseSeconds: nil),
                    by: .system(.dispatcher))
            })
        for case .accepted(let accepted) in outcomes {
            if case .run(let run) = accepted.answer, accepted.isChange { started.append(run) }
        }
    }

    private mutating func executors() throws {
        guard !started.isEmpty || !old.isEmpty else { return }
        let overtaken = old.filter { run in
            let current = memory.run(run.id, of: team)
            return current?.status == .inProgress && current?.attempt != run.attempt
        }
        if !old.isEmpty, numbers.chance(1, of: overtaken.isEmpty ? 3 : 1) {
            // Late, for an attempt that is over.
            let run = numbers.pick(overtaken.isEmpty ? old : overtaken)
            let outcomes = try process([
                submission(
                    .complete(run.id, attempt: run.attempt, output: nil),
                    by: .system(.dispatcher))
            ])
            if case .refused(.staleAttempt)? = outcomes.first { note(.staleAttempt) }
            if case .refused(.runState)? = outcomes.first,
                memory.run(run.id, of: team)?.error?.reason == .timeout
            {
                note(.reapBeatComplete)
            }
            return
        }
        guard !started.isEmpty else { return }
        let index = Int.random(in: started.indices, using: &numbers)
        let run = started.remove(at: index)
        old.append(run)
        switch Int.random(in: 0..<12, using: &numbers) {
        case 0..<6: try answer(run, .complete(run.id, attempt: run.attempt, output: nil))
        case 6, 7:
            try answer(run, .fail(run.id, attempt: run.attempt, Failure(reason: .error)))
        case 8: try answer(run, .accept(run.id, attempt: run.attempt))
        case 9:
            try answer(run, .complete(run.id, attempt: run.attempt, output: nil))
            try answer(run, .fail(run.id, attempt: run.attempt, Failure(reason: .error)))
        case 10:
            // Complete and reap in one batch, where its time is over.
            let outcomes = try process([
                submission(.complete(run.id, attempt: run.attempt, output: nil)),
                submission(.reap(run.id, attempt: run.attempt), by: .system(.timer)),
            ])
            if case .accepted? = outcomes.first, case .refused(.runState)? = outcomes.last {
                note(.completeBeatReap)
            }
        default: break  // It died without a word.
        }
    }

    private mutating func answer(_ run: Run, _ command: Command) throws {
        try process([submission(command, by: .system(.dispatcher))])
    }

    private mutating func workers() throws {
        let outcomes = try process([
            submission(.claim(.worker("w"), worker: "one", leaseSeconds: 10))
        ])
        for case .accepted(let accepted) in outcomes {
            guard case .run(let run) = accepted.answer, accepted.isChange else { continue }
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0: old.append(run)  // Its lease will run out.
            case 1:
                try process([submission(.release(run.id, attempt: run.attempt))])
                note(.released)
            case 2:
                clock.advance(seconds: 6)
                observeClock()
                try process([submission(.renewLease(run.id, attempt: run.attempt))])
                started.append(run)
            default: started.append(run)
            }
        }
    }

    private mutating func limits() throws {
        let usage = memory.usage(of: team).inProgress
        let limit = Int.random(in: 0...4, using: &numbers)
        if limit < usage { note(.limitLoweredBelowUse) }
        var batch = [submission(.setLicense(team: team, maxConcurrentRuns: limit))]
        if let workflow = memory.allWorkflows.min(by: { $0.id < $1.id }) {
            batch.append(
                submission(
                    .setConcurrency(
                        workflow.id, maxConcurrentRuns: Int.random(in: 0...2, using: &numbers))))
            batch.append(
                submission(
                    .modifyWorkflow(
                        workflow.id, WorkflowChanges(isPaused: numbers.chance(1, of: 3)))))
        }
        try process(batch)
    }

    private mutating func pause() throws {
        let isPaused = memory.service().isPaused
        if !isPaused { note(.pausedService) }
        try process([submission(isPaused ? .resume : .pause)])
    }

    /// Makes the world healthy and lets everything that was promised come to its end.
    mutating func drain() throws {
        clock.jump(
            seconds: Int(
                max(0, memory.service().recordedAt.microseconds(since: now()) / 1_000_000 + 1)))
        try openEdges()
        var opening = [
            submission(.trustClock), submission(.resume),
            submission(.setLicense(team: team, maxConcurrentRuns: 5)),
        ]
        for workflow in memory.allWorkflows.sorted(by: { $0.id < $1.id }) {
            opening.append(
                submission(.modifyWorkflow(workflow.id, WorkflowChanges(isPaused: false))))
        }
        try process(opening, mayDie: false)
        for _ in 0..<400 {
            let isQuiet =
                memory.allRuns.allSatisfy(\.status.isFinal)
                && memory.allSchedules.allSatisfy { $0.status != .pending } && areEdgesQuiet
            if isQuiet { break }
            try timer(limit: 100)
            try senders(mayDie: false)
            try deliverer(mayDie: false)
            try dispatcher()
            try process(
                [submission(.claim(.worker("w"), worker: "two", leaseSeconds: 10))],
                mayDie: false)
            started = []
            for run in memory.allRuns.sorted(by: { $0.id < $1.id }) where run.status == .inProgress
            {
                try process(
                    [submission(.complete(run.id, attempt: run.attempt, output: nil))],
                    mayDie: false)
            }
            clock.advance(seconds: 20)
            observeClock()
        }
        let open = memory.allRuns.filter { !$0.status.isFinal }
        guard open.isEmpty else {
            throw Broken(description: "I27: \(open.count) runs never ended: \(open[0])")
        }
        guard memory.allSchedules.allSatisfy({ $0.status != .pending }) else {
            throw Broken(description: "I18: a promise was not kept")
        }
        try checkEdges()
        guard memory.usage(of: team).inProgress == 0, memory.usage(of: team).queued == 0 else {
            throw Broken(description: "I15: slots are held by nobody")
        }
    }
}
