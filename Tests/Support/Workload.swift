import DaybookCore
import DaybookStore

/// Random commands over a small world: few teams, workflows, keys and queues, so that commands meet
/// one another in every state, legal and illegal, about objects of their own team, of another team
/// and of none. The same seed and the same states give the same commands.
package struct Workload {
    var numbers: SeededGenerator
    var clock = Instant.dayOne
    private var asked: UInt32 = 0
    /// The keys that were asked for, whether they were made or not.
    private var keys: [KeyID] = []
    /// The payloads whose erasure was asked for, whether it was granted or not.
    private var erased: Set<PayloadLocation> = []

    package init(_ numbers: SeededGenerator) {
        self.numbers = numbers
    }

    /// The next command, in view of what there is.
    package mutating func next(_ state: MemoryState) -> Asked {
        asked += 1
        moveClock()
        let world = World(state)
        var team = numbers.chance(1, of: 30) ? TeamID.number(0) : world.team(&numbers)
        let (command, payload) = command(state, world, team)
        if let owner = world.owner(of: command), !numbers.chance(1, of: 25) { team = owner }
        if case .claim(let queue, _, _) = command,
            let ready = state.allReady.first(where: { $0.lane.queue == queue }), !rarely()
        {
            team = ready.team
        }
        if case .createKey = command { keys.append(.number(asked)) }
        var asked = Asked(
            command, by: actor(for: command), team: team,
            at: max(clock, state.service().recordedAt), newID: .number(asked),
            commandID: .number(UInt64(asked)), payload: payload)
        if numbers.chance(1, of: 8) {
            asked.ifMatch = Set([UInt64.random(in: 1...3, using: &numbers)])
        }
        if numbers.chance(1, of: 6) {
            asked.idempotency = Idempotency(
                scope: .filled(UInt8.random(in: 1...6, using: &numbers)),
                request: .filled(UInt8.random(in: 1...2, using: &numbers)),
                endsAt: asked.at.adding(seconds: Int.random(in: 0...90, using: &numbers)))
        }
        return asked
    }

    /// Mostly on by little, sometimes by much, sometimes back.
    private mutating func moveClock() {
        switch Int.random(in: 0..<20, using: &numbers) {
        case 0..<8: break
        case 8..<11: clock = clock.adding(microseconds: 1)
        case 11..<17: clock = clock.adding(seconds: Int.random(in: 1...20, using: &numbers))
        case 17: clock = clock.adding(seconds: 61)
        case 18: clock = clock.adding(seconds: 4_000)
        default: clock = clock.adding(seconds: -30)
        }
    }

    private mutating func actor(for command: Command) -> Actor {
        guard command.requiredRole != nil || numbers.chance(1, of: 20) else {
            switch command {
            case .arrive(let arrival, _), .refuse(let arrival, _):
                return .trigger(arrival.trigger.id)
            case .recordDelivery: return .system(.deliverer)
            default: return .system(.timer)
            }
        }
        guard !keys.isEmpty, numbers.chance(1, of: 4) else { return .system(.command) }
        return .key(numbers.chance(1, of: 20) ? .number(0) : numbers.pick(keys))
    }

    mutating func payload() -> SaltedPayload? {
        switch Int.random(in: 0..<8, using: &numbers) {
        case 0..<4: nil
        case 4: SaltedPayload([], salt: numbers.bytes(16))
        case 5: SaltedPayload(numbers.bytes(2_000), salt: numbers.bytes(16))
        default:
            SaltedPayload(
                numbers.bytes(Int.random(in: 1...40, using: &numbers)), salt: numbers.bytes(16))
        }
    }

    private mutating func command(
        _ state: MemoryState, _ world: World, _ team: TeamID
    ) -> (Command, SaltedPayload?) {
        if state.service().position == 0 {
            return (.initialise(logID: [UInt8](repeating: 7, count: 16)), nil)
        }
        if world.teams.count < 2 {
            let limit = Int.random(in: 0...3, using: &numbers)
            return (.createTeam(name: "team", maxConcurrentRuns: limit), nil)
        }
        if world.workflows.count < 3 {
            return (rarely() ? importedWorkflow() : newWorkflow(), nil)
        }
        if state.service().isPaused, numbers.chance(1, of: 5) { return (.resume, nil) }
        switch Int.random(in: 0..<100, using: &numbers) {
        case 0..<6: return (serviceOrTeam(team), nil)
        case 6..<14: return (aboutWorkflow(world.workflow(&numbers), world), nil)
        case 14..<28: return aboutSchedule(state, world)
        case 28..<46: return timer(state, world)
        case 46..<56: return execute(world)
        case 56..<70: return (claim(state), nil)
        case 70..<86: return aboutRun(state, world)
        case 86..<91: return aboutTrigger(state, world)
        case 91..<93: return (aboutOperation(world), nil)
        default: return aboutDelivery(world)
        }
    }

    private mutating func serviceOrTeam(_ team: TeamID) -> Command {
        switch Int.random(in: 0..<15, using: &numbers) {
        case 13:
            .recordKeyUse(
                keys.isEmpty ? [] : [KeyUse(key: numbers.pick(keys), usedAt: clock)])
        case 0: .initialise(logID: [])
        case 1: .start
        case 2: .stop
        case 3: .pause
        case 4, 5: .resume
        case 6: .trustClock
        case 7:
            .createTeam(
                name: rarely() ? "" : "team",
                maxConcurrentRuns: Int.random(in: 0...4, using: &numbers))
        case 8, 9: .setLicense(team: team, maxConcurrentRuns: limit())
        case 10, 11, 12:
            .createKey(
                NewKey(
                    role: numbers.pick(Role.allCases), name: "key",
                    secretDigest: .filled(1),
                    expiresAt: numbers.chance(1, of: 4)
                        ? clock.adding(seconds: Int.random(in: -5...500, using: &numbers)) : nil))
        default:
            .revokeKey(keys.isEmpty ? .number(0) : numbers.pick(keys))
        }
    }

    private mutating func newWorkflow() -> Command {
        .createWorkflow(
            NewWorkflow(
                name: rarely() ? "" : "workflow", definition: definition(),
                runTimeoutSeconds: numbers.pick([5, 60, 3_600]),
                retry: numbers.pick([
                    .once, .thrice,
                    RetryPolicy(maxAttempts: 2, initialBackoffSeconds: 0, maxBackoffSeconds: 0),
                ]), maxConcurrentRuns: Int.random(in: 0...2, using: &numbers),
                secret: .number(1)))
    }

    private mutating func importedWorkflow() -> Command {
        let new = NewWorkflow(
            name: "imported", definition: definition(), maxConcurrentRuns: 1, secret: .number(1))
        let numbers = self.numbers.pick([[], [1], [2, 5], [1, 2, 3], [5, 2]])
        return .importWorkflow(
            new,
            versions: numbers.map {
                ImportedVersion(number: $0, name: "v\($0)", definition: definition())
            }, activeVersion: rarely() ? 4 : numbers.last ?? 0)
    }

    private mutating func aboutOperation(_ world: World) -> Command {
        guard let operation = world.operations.randomElement(using: &numbers), !rarely() else {
            return .startOperation(
                .modify(
                    PendingFilter(from: clock),
                    BulkChanges(
                        time: numbers.pick([.keep, .set(clock), .shift(seconds: -60)]),
                        version: numbers.pick([.keep, .set(nil), .set(1)]), priority: priority())),
                matched: 2)
        }
        guard numbers.chance(1, of: 2) else {
            return .advanceOperation(
                operation.id,
                BulkOperation.Step(
                    cursor: numbers.pick([nil, .number(3)]), changed: 2, unchanged: 1, refused: 1,
                    refusals: [
                        BulkOperation.Refused(
                            object: .number(4), code: "not_pending", detail: "é")
                    ]))
        }
        return .finishOperation(operation.id, numbers.pick([nil, .keyInvalid]))
    }

    mutating func rarely() -> Bool { numbers.chance(1, of: 15) }

    private mutating func limit() -> Int {
        rarely() ? -1 : Int.random(in: 0...3, using: &numbers)
    }

    private mutating func definition() -> Definition { .on(queue()) }

    private mutating func queue() -> Queue {
        numbers.pick([.echo, .http, .worker("a"), .worker("a-"), .worker("ab")])
    }

    private mutating func aboutWorkflow(_ id: WorkflowID, _ world: World) -> Command {
        switch Int.random(in: 0..<19, using: &numbers) {
        case 14:
            numbers.chance(1, of: 3)
                ? .deleteWorkflow(world.idle.randomElement(using: &numbers) ?? id)
                : importedWorkflow()
        case 15, 16:
            // Few are free: without looking for one, hardly any is ever deleted.
            (numbers.chance(1, of: 2) && !world.unused.isEmpty ? world.unused : world.versions)
                .randomElement(using: &numbers).map {
                    .deleteVersion($0.workflow, number: $0.number)
                } ?? .deleteVersion(id, number: 1)
        case 17, 18:
            .startOperation(
                numbers.chance(1, of: 2)
                    ? .deleteWorkflow(id) : .cancel(PendingFilter(workflow: id)), matched: 3)
        case 0: newWorkflow()
        case 1, 2, 3: .modifyWorkflow(id, WorkflowChanges(isPaused: numbers.chance(1, of: 3)))
        case 4:
            .modifyWorkflow(
                id,
                WorkflowChanges(
                    name: rarely() ? "" : numbers.pick(["workflow", "other"]),
                    description: numbers.pick([.keep, .set(nil), .set("text")]),
                    runTimeoutSeconds: numbers.pick([nil, 5, 60]),
                    retry: numbers.pick([nil, .once, .thrice])))
        case 5, 6:
            .setConcurrency(id, maxConcurrentRuns: limit())
        case 7: .rotateSecret(id, .number(UInt8.random(in: 1...9, using: &numbers)))
        case 8, 9: .editDraft(id, definition())
        case 10, 11:
            .saveVersion(
                id,
                NewVersion(
                    source: rarely() ? 3 : Int.random(in: 0...1, using: &numbers),
                    name: rarely() ? "" : "one", markAsActive: numbers.chance(1, of: 2)))
        case 12:
            .renameVersion(
                id, number: Int.random(in: 0...1, using: &numbers),
                name: rarely() ? "" : numbers.pick(["one", "two"]))
        default: .activateVersion(id, number: Int.random(in: 0...2, using: &numbers))
        }
    }

    /// Mostly in the future.
    private mutating func time(after start: Instant? = nil) -> Instant {
        (start ?? clock).adding(seconds: rarely() ? 0 : numbers.pick([1, 5, 10, 60, 600]))
    }

    /// The draft is there, the next version mostly is not.
    mutating func version() -> Int? { rarely() ? 1 : numbers.pick([nil, nil, 0]) }

    private mutating func aboutSchedule(
        _ state: MemoryState, _ world: World
    ) -> (Command, SaltedPayload?) {
        let payload = payload()
        let kind = world.schedules.isEmpty ? 0 : Int.random(in: 0..<11, using: &numbers)
        switch kind {
        case 0..<6:
            let key = rarely() ? "" : numbers.pick([nil, "k", "kk", "é"])
            let time = time()
            let new = NewSchedule(
                scheduledTime: time, input: payload?.payload, version: version(),
                scheduledByName: numbers.pick([nil, "Ada"]),
                expiresAt: numbers.chance(1, of: 3) ? self.time(after: time) : nil,
                priority: priority(), deduplicationKey: key.map { DeduplicationKey($0) })
            return (.createSchedule(world.workflow(&numbers), new), payload)
        case 6..<9:
            let id = numbers.pick(world.schedules)
            let time = numbers.chance(1, of: 2) ? time() : nil
            let changes = ScheduleChanges(
                scheduledTime: time, input: payload?.payload,
                version: numbers.pick([.keep, .keep, .set(version())]),
                expiresAt: numbers.pick([
                    .keep, .keep, .set(nil),
                    .set(self.time(after: time ?? clock.adding(seconds: 600))),
                ]),
                priority: numbers.pick([nil, 0, 9]))
            return (.modifySchedule(id, changes), payload)
        case 9: return (.cancelSchedule(numbers.pick(world.schedules)), nil)
        default: return (erase(.schedule(numbers.pick(world.schedules)), state), nil)
        }
    }

    /// The payloads that the rows name now, each of them once: who erases them walks the log.
    mutating func erase(_ target: ErasureTarget, _ state: MemoryState) -> Command {
        let schedule: Schedule?
        let run: Run?
        var refusal: Refusal?
        switch target {
        case .schedule(let id):
            schedule = state.allSchedules.first { $0.id == id }
            run = schedule?.run.flatMap { id in state.allRuns.first { $0.id == id } }
        case .run(let id):
            run = state.allRuns.first { $0.id == id }
            schedule = run?.schedule.flatMap { id in state.allSchedules.first { $0.id == id } }
        case .refusal(_, let id):
            (schedule, run) = (nil, nil)
            refusal = state.allRefusals.first { $0.id == id }
        }
        let named = [
            schedule?.input, run?.input, run?.output, run?.error?.message, refusal?.body,
        ]
        let payloads = Set(named.compactMap(\.self)).subtracting(erased)
        erased.formUnion(payloads)
        let seen = max(
            schedule?.touched.position ?? 0, run?.touched.position ?? 0,
            refusal?.touched.position ?? 0)
        return .erase(
            target,
            Erasure(
                payloads: payloads.sorted {
                    ($0.position, $0.event) < ($1.position, $1.event)
                }, seen: rarely() ? seen + 1 : seen, force: numbers.chance(1, of: 2)))
    }

    private mutating func priority() -> Int { rarely() ? 10 : numbers.pick([0, 5, 5, 5, 9]) }

    private mutating func execute(_ world: World) -> (Command, SaltedPayload?) {
        let payload = payload()
        let new = NewRun(
            input: payload?.payload, version: version(),
            priority: priority(), expiresAt: numbers.chance(1, of: 3) ? time() : nil)
        return (.execute(world.workflow(&numbers), new), payload)
    }

    /// Mostly of a queue where something is ready; by `owner` then also of its team.
    private mutating func claim(_ state: MemoryState) -> Command {
        let ready = state.allReady
        return .claim(
            ready.isEmpty || rarely() ? queue() : numbers.pick(ready).lane.queue,
            worker: rarely() ? "" : "worker",
            leaseSeconds: rarely() ? 1 : numbers.pick([nil, 5, 60]))
    }

    /// What the timer would submit: mostly what is due, sometimes what is not.
    private mutating func timer(
        _ state: MemoryState, _ world: World
    ) -> (Command, SaltedPayload?) {
        let due = state.allDue.filter { $0.instant <= clock }
        let moments = due.isEmpty && numbers.chance(1, of: 6) ? state.allDue : due
        guard !moments.isEmpty else { return execute(world) }
        let moment = numbers.pick(moments)
        let attempt = Int(moment.revision) + (rarely() ? 1 : 0)
        switch moment.kind {
        case .schedule: return (.fire(ScheduleID(moment.id), revision: UInt64(attempt)), nil)
        case .runExpiry: return (.expire(RunID(moment.id)), nil)
        case .runDeadline, .leaseEnd: return (.reap(RunID(moment.id), attempt: attempt), nil)
        case .retry: return (.retry(RunID(moment.id), attempt: attempt), nil)
        }
    }

    private mutating func aboutRun(
        _ state: MemoryState, _ world: World
    ) -> (Command, SaltedPayload?) {
        guard !world.runs.isEmpty else { return execute(world) }
        // Those in progress more often: that is where most can happen.
        let running = world.runs.filter { $0.status == .inProgress }
        let isAny = numbers.chance(1, of: 5)
        guard isAny || !running.isEmpty else { return (claim(state), nil) }
        let run = numbers.pick(isAny ? world.runs : running)
        let attempt = run.attempt - (rarely() ? 1 : 0)
        let payload = payload()
        switch Int.random(in: 0..<17, using: &numbers) {
        case 0, 1: return (.renewLease(run.id, attempt: attempt), nil)
        case 2, 3: return (.accept(run.id, attempt: attempt), nil)
        case 4, 5: return (.release(run.id, attempt: attempt), nil)
        case 6..<9:
            return (.complete(run.id, attempt: attempt, output: payload?.payload), payload)
        case 9..<13:
            let failure = Failure(
                reason: numbers.pick([.error, .httpStatus, .connection, .invalidOutput]),
                message: payload?.payload, isRetryable: !numbers.chance(1, of: 4),
                retryAfterSeconds: numbers.pick([nil, nil, 0, 30]))
            return (.fail(run.id, attempt: attempt, failure), payload)
        case 13: return (.expire(run.id), nil)
        case 14: return (.reap(run.id, attempt: attempt), nil)
        case 15: return (.cancelRun(run.id), nil)
        default: return (erase(.run(run.id), state), nil)
        }
    }
}

/// What there is, in an order that is the same in every process.
struct World {
    let teams: [TeamID]
    let workflows: [WorkflowID]
    let schedules: [ScheduleID]
    let runs: [Run]
    let triggers: [Trigger]
    let refusals: [Refusal]
    let subscriptions: [Subscription]
    let deliveries: [Delivery]
    let operations: [BulkOperation]
    let versions: [Version]
    /// Versions that nothing needs.
    let unused: [Version]
    /// Workflows of which nothing is still to happen.
    let idle: [WorkflowID]
    private let owners: [AnyID: TeamID]

    init(_ state: MemoryState) {
        teams = state.allTeams.map(\.id).sorted()
        workflows = state.allWorkflows.map(\.id).sorted()
        // The newest: older ones have mostly ended.
        schedules = state.allSchedules.map(\.id).sorted().suffix(8)
        runs = state.allRuns.sorted { $0.id < $1.id }.suffix(12)
        triggers = state.allTriggers.sorted { $0.id < $1.id }.suffix(6)
        refusals = state.allRefusals.sorted { $0.id < $1.id }.suffix(4)
        subscriptions = state.allSubscriptions.sorted { $0.id < $1.id }.suffix(5)
        deliveries = state.allDeliveries.sorted { $0.id < $1.id }.suffix(10)
        versions = state.allVersions.sorted {
            ($0.workflow, $0.number) < ($1.workflow, $1.number)
        }
        unused = versions.filter { version in
            let usage = state.usage(of: version.workflow, team: version.team)
            let use = usage.use(of: version.number)
            let active = state.workflow(version.workflow, of: version.team)?.activeVersion
            return version.number > 0 && version.number != active && use.pinned == 0
                && use.unfinishedRuns == 0
        }
        let busy = Set(
            state.allSchedules.filter { $0.status == .pending }.map(\.workflow)
                + state.allRuns.filter { !$0.status.isFinal }.map(\.workflow))
        idle = workflows.filter { !busy.contains($0) }
        operations = state.allOperations.sorted { $0.id < $1.id }.suffix(3)
        var owners: [AnyID: TeamID] = [:]
        for row in state.allOperations { owners[AnyID(row.id)] = row.team }
        for row in state.allTriggers { owners[AnyID(row.id)] = row.team }
        for row in state.allSubscriptions { owners[AnyID(row.id)] = row.team }
        for row in state.allDeliveries { owners[AnyID(row.id)] = row.team }
        for row in state.allWorkflows { owners[AnyID(row.id)] = row.team }
        for row in state.allSchedules { owners[AnyID(row.id)] = row.team }
        for row in state.allRuns { owners[AnyID(row.id)] = row.team }
        self.owners = owners
    }

    func team(_ numbers: inout SeededGenerator) -> TeamID {
        teams.isEmpty ? .number(0) : numbers.pick(teams)
    }

    func workflow(_ numbers: inout SeededGenerator) -> WorkflowID {
        workflows.isEmpty || numbers.chance(1, of: 40) ? .number(0) : numbers.pick(workflows)
    }

    /// Whose the object is that the command is about.
    func owner(of command: Command) -> TeamID? {
        switch command {
        case .modifyWorkflow(let id, _), .setConcurrency(let id, _), .rotateSecret(let id, _),
            .editDraft(let id, _), .saveVersion(let id, _), .renameVersion(let id, _, _),
            .activateVersion(let id, _), .deleteVersion(let id, _), .deleteWorkflow(let id),
            .startOperation(.deleteWorkflow(let id), _), .createSchedule(let id, _),
            .execute(let id, _):
            owners[AnyID(id)]
        case .startOperation(.cancel(let filter), _), .startOperation(.modify(let filter, _), _):
            filter.workflow.flatMap { owners[AnyID($0)] }
        case .advanceOperation(let id, _), .finishOperation(let id, _): owners[AnyID(id)]
        case .modifySchedule(let id, _), .cancelSchedule(let id), .fire(let id, _):
            owners[AnyID(id)]
        case .erase(.schedule(let id), _): owners[AnyID(id)]
        case .erase(.run(let id), _): owners[AnyID(id)]
        case .renewLease(let id, _), .accept(let id, _), .release(let id, _),
            .complete(let id, _, _), .fail(let id, _, _), .reap(let id, _), .retry(let id, _),
            .expire(let id), .cancelRun(let id):
            owners[AnyID(id)]
        case .createTrigger(let new): owners[AnyID(new.workflow)]
        case .modifyTrigger(let seen, _), .deleteTrigger(let seen),
            .rotateTriggerSecret(let seen, _), .retryRefusal(_, let seen, _):
            owners[AnyID(seen.id)]
        case .arrive(let arrival, _), .refuse(let arrival, _): owners[AnyID(arrival.trigger.id)]
        case .erase(.refusal(let id, _), _): owners[AnyID(id)]
        case .modifySubscription(let id, _), .deleteSubscription(let id),
            .rotateSubscriptionSecret(let id, _):
            owners[AnyID(id)]
        case .recordDelivery(let id, _, _), .redeliver(let id): owners[AnyID(id)]
        case .replay(let id, _, _): owners[AnyID(id)]
        default: nil
        }
    }
}
