import DaybookCore
import DaybookStore
import Support
import Testing

/// What `State` promises, over both of its implementations: the dictionaries and the tables.
@Suite("State")
struct StateConformanceTests {
    private static let team = TeamID.number(1)
    private static let other = TeamID.number(2)
    private static let touched = Touched(
        createdAt: .second(1), createdBy: .system(.timer), updatedAt: .second(2),
        updatedBy: .key(.number(9)), position: 7)

    // MARK: Rows

    private func rows<S: State & ~Copyable>(_ state: inout S) {
        let (team, other) = (Self.team, Self.other)
        #expect(state.service() == ServiceState())
        #expect(state.team(team) == nil && state.apiKey(.number(3)) == nil)
        #expect(state.workflow(.number(4), of: team) == nil)
        #expect(state.version(0, of: .number(4), team: team) == nil)
        #expect(state.schedule(.number(5), of: team) == nil)
        #expect(state.run(.number(6), of: team) == nil)
        #expect(state.usage(of: team) == Usage())
        #expect(state.usage(of: .number(4), team: team) == Usage())

        for isFull in [true, false] {
            let service = ServiceState(
                logID: isFull ? [1, 2] : [], isPaused: isFull, reapFloor: .second(3),
                floorPosition: 4, position: .max, recordedAt: .latest)
            state.set(service)
            #expect(state.service() == service)
            let row = Team(
                id: team, name: isFull ? "é\u{0}" : "", maxConcurrentRuns: isFull ? 1_000_000 : 0,
                triggers: isFull ? 1_000 : 0, subscriptions: isFull ? 100 : 0,
                lastSubscription: isFull ? 16_777_215 : 0, operations: isFull ? 3 : 0,
                revision: .max, touched: Self.touched)
            state.set(row)
            #expect(state.team(team) == row && state.team(other) == nil)
            let key = APIKey(
                id: .number(3), team: team, role: .work, name: "n", secretDigest: .filled(1),
                expiresAt: isFull ? .second(9) : nil, revokedAt: isFull ? .epoch : nil,
                lastUsedAt: isFull ? .second(8) : nil,
                touched: Self.touched)
            state.set(key)
            #expect(state.apiKey(.number(3)) == key)
            let workflow = workflow(isFull: isFull)
            state.set(workflow)
            #expect(state.workflow(.number(4), of: team) == workflow)
            #expect(state.workflow(.number(4), of: other) == nil)
            let schedule = schedule(isFull: isFull)
            state.set(schedule)
            #expect(state.schedule(.number(5), of: team) == schedule)
            #expect(state.schedule(.number(5), of: other) == nil)
            let run = run(isFull: isFull)
            state.set(run)
            #expect(state.run(.number(6), of: team) == run)
            #expect(state.run(.number(6), of: other) == nil)
        }
    }

    private func workflow(isFull: Bool) -> Workflow {
        Workflow(
            id: .number(4), team: Self.team, name: "w", description: isFull ? "" : nil,
            runTimeoutSeconds: 86_400, retry: .thrice, maxConcurrentRuns: 3, isPaused: isFull,
            activeVersion: 1, lastVersion: 1_000_000, secret: .number(1),
            previousSecret: isFull ? .init(secret: .number(2), endsAt: .second(5)) : nil,
            deletion: isFull ? .number(7) : nil, deletedAt: isFull ? .second(6) : nil, revision: 3,
            touched: Self.touched)
    }

    private func schedule(isFull: Bool) -> Schedule {
        Schedule(
            id: .number(5), team: Self.team, workflow: .number(4), scheduledTime: .latest,
            status: isFull ? .failed : .pending,
            input: isFull ? PayloadLocation(position: 8, event: 65_535) : nil,
            version: isFull ? 1_000_000 : nil, scheduledByName: isFull ? "Ada" : nil,
            expiresAt: isFull ? .latest : nil, priority: 9,
            deduplicationKey: isFull ? DeduplicationKey("k") : nil,
            run: isFull ? .number(6) : nil,
            failure: isFull ? .run(RunError(reason: .timeout, message: nil, attempt: 3)) : nil,
            firedAt: isFull ? .epoch : nil, revision: 2, touched: Self.touched)
    }

    private func run(isFull: Bool) -> Run {
        let instant: Instant? = isFull ? .second(77) : nil
        let location = isFull ? PayloadLocation(position: 9, event: 1) : nil
        return Run(
            id: .number(6), team: Self.team, workflow: .number(4), version: 2,
            definitionLocation: .first(3), queue: isFull ? .worker("a-") : .http, mode: .triggered,
            status: .inProgress, schedule: isFull ? .number(5) : nil,
            trigger: isFull ? .number(8) : nil, scheduledTime: instant, input: location,
            output: location,
            error: isFull ? RunError(reason: .httpStatus, message: location, attempt: 100) : nil,
            attempt: 100,
            tries: 99, priority: 0, expiresAt: instant, timeoutSeconds: 1, retry: .thrice,
            queuedAt: .epoch, queuedPosition: 4, firstStartedAt: instant, startedAt: instant,
            startedPosition: 5, deadline: instant, leaseEndsAt: instant,
            leaseSeconds: isFull ? 3_600 : nil, isAccepted: isFull, notBefore: instant,
            finishedAt: instant, worker: isFull ? "w" : nil, touched: Self.touched)
    }

    @Test func `a row reads as it was written last, and for its team alone`() throws {
        var memory = MemoryState()
        rows(&memory)
        try ScratchStore.withBatch { rows(&$0) }
    }

    private func edges<S: State & ~Copyable>(_ state: inout S) {
        let (team, other) = (Self.team, Self.other)
        for isFull in [true, false] {
            let old = Workflow.PreviousSecret(secret: .number(2), endsAt: .second(5))
            let trigger = Trigger(
                id: .number(7), team: team, workflow: .number(4),
                source: isFull ? .sqs : .webhook, name: "t", version: isFull ? 3 : nil,
                isEnabled: isFull, configuration: isFull ? Array("{}".utf8) : [],
                secret: isFull ? .number(1) : nil, previousSecret: isFull ? old : nil,
                revision: .max, touched: Self.touched)
            state.set(trigger)
            #expect(state.trigger(.number(7), of: team) == trigger)
            #expect(state.trigger(.number(7), of: other) == nil)
            let refusal = Refusal(
                id: .number(8), team: team, trigger: .number(7), reason: .invalidJSON,
                detail: isFull ? "é" : "", contentType: isFull ? "text/plain" : nil,
                body: PayloadLocation(position: 9, event: 0), run: isFull ? .number(6) : nil,
                touched: Self.touched)
            state.set(refusal)
            #expect(state.refusal(.number(8), of: .number(7), team: team) == refusal)
            #expect(state.refusal(.number(8), of: .number(7), team: other) == nil)
            #expect(state.refusal(.number(8), of: .number(6), team: team) == nil)
            let subscription = Subscription(
                id: .number(9), team: team, number: 16_777_215, name: "s",
                url: "https://example.com/", actions: Actions(isFull ? Action.allCases : []),
                workflows: isFull ? [.number(4), .number(5)] : [], isEnabled: isFull,
                isGone: !isFull, timeoutSeconds: 60, maxRetries: 10, retryBackoffSeconds: 300,
                bearerToken: isFull ? .number(3) : nil, secret: .number(1),
                previousSecret: isFull ? old : nil, revision: 2, touched: Self.touched)
            state.set(subscription)
            #expect(state.subscription(.number(9), of: team) == subscription)
            #expect(state.subscription(.number(9), of: other) == nil)
            #expect(state.subscriptions(of: team) == [subscription])
            #expect(state.subscriptions(of: other).isEmpty)
            let delivery = Delivery(
                id: DeliveryID(position: 8, event: 1, subscription: 16_777_215), team: team,
                subscription: .number(9), action: .workflowRunCompleted, occurredAt: .second(3),
                workflow: Delivery.About(
                    id: .number(4), name: "w", activeVersion: 2, isPaused: isFull, revision: 3),
                run: isFull ? run(isFull: true) : nil,
                schedule: isFull ? nil : schedule(isFull: true),
                status: isFull ? .retrying : .delivered, attempts: 3, tries: 2,
                notBefore: isFull ? .second(4) : nil, statusCode: isFull ? 503 : nil,
                finishedAt: isFull ? nil : .second(5), touched: Self.touched)
            state.set(delivery)
            #expect(state.delivery(delivery.id, of: team) == delivery)
            #expect(state.delivery(delivery.id, of: other) == nil)
        }
        state.removeTrigger(.number(7), of: team)
        #expect(state.trigger(.number(7), of: team) == nil)
        state.removeSubscription(.number(9), of: team)
        #expect(state.subscriptions(of: team).isEmpty)
    }

    @Test func `a trigger, a refusal, a subscription and a delivery read as they were written`()
        throws
    {
        var memory = MemoryState()
        edges(&memory)
        try ScratchStore.withBatch { edges(&$0) }
    }

    private func seenMessages<S: State & ~Copyable>(_ state: inout S) {
        func key(_ trigger: UInt32, _ byte: UInt8) -> SeenMessage.Key {
            SeenMessage.Key(scope: .number(trigger), digest: .filled(byte))
        }
        let run = SeenMessage(outcome: .run(.number(6)), endsAt: .second(20))
        let refusal = SeenMessage(outcome: .refusal(.number(2), .number(8)), endsAt: .second(10))
        state.set(run, for: key(1, 1))
        state.set(refusal, for: key(2, 1))
        #expect(state.seenMessage(key(1, 1)) == run && state.seenMessage(key(2, 1)) == refusal)
        #expect(state.seenMessage(key(1, 2)) == nil)
        // Anew, for longer: the earlier end is none any more.
        state.set(SeenMessage(outcome: .run(.number(7)), endsAt: .second(30)), for: key(1, 1))
        let removed1 = state.removeOldestSeenMessage(endedBy: .second(9))
        #expect(!removed1)
        let removed2 = state.removeOldestSeenMessage(endedBy: .second(10))
        #expect(removed2)
        #expect(state.seenMessage(key(2, 1)) == nil)
        let removed3 = state.removeOldestSeenMessage(endedBy: .second(29))
        #expect(!removed3)
        #expect(state.seenMessage(key(1, 1))?.outcome == .run(.number(7)))
        let removed4 = state.removeOldestSeenMessage(endedBy: .second(30))
        #expect(removed4)
        #expect(state.seenMessage(key(1, 1)) == nil)
    }

    @Test func `messages count as seen until their ends, those of each trigger by themselves`()
        throws
    {
        var memory = MemoryState()
        seenMessages(&memory)
        try ScratchStore.withBatch { seenMessages(&$0) }
    }

    private func versions<S: State & ~Copyable>(_ state: inout S) {
        for number in [0, 1, 255, 256, 1_000_000] {
            let row = Version(
                workflow: .number(4), team: Self.team, number: number,
                name: number == 0 ? nil : "v\(number)", definitionLocation: .first(3),
                queue: .worker("q"), source: number == 0 ? nil : 0, touched: Self.touched)
            state.set(row)
            #expect(state.version(number, of: .number(4), team: Self.team) == row)
            #expect(state.version(number, of: .number(4), team: Self.other) == nil)
            #expect(state.version(number, of: .number(5), team: Self.team) == nil)
        }
        for number in [-1, 2, 1_000_001, Int.max, Int.min] {
            #expect(state.version(number, of: .number(4), team: Self.team) == nil)
        }
    }

    @Test func `a version is found by its number, and no other number is there`() throws {
        var memory = MemoryState()
        versions(&memory)
        try ScratchStore.withBatch { versions(&$0) }
    }

    private func usage<S: State & ~Copyable>(_ state: inout S) {
        let (first, second) = (
            Usage(
                inProgress: 1, queued: 2,
                lastStarts: [
                    Usage.LastStart(queue: .http, position: 3),
                    Usage.LastStart(queue: .worker("q"), position: 4),
                ]),
            Usage(lastStarts: [Usage.LastStart(queue: .echo, position: .max)])
        )
        state.set(first, of: Self.team)
        state.set(second, of: .number(4), team: Self.team)
        #expect(state.usage(of: Self.team) == first && state.usage(of: Self.other) == Usage())
        #expect(state.usage(of: .number(4), team: Self.team) == second)
        #expect(state.usage(of: .number(5), team: Self.team) == Usage())
    }

    @Test func `a team's usage and its workflows' are apart`() throws {
        var memory = MemoryState()
        usage(&memory)
        try ScratchStore.withBatch { usage(&$0) }
    }

    private func pendingKeys<S: State & ~Copyable>(_ state: inout S) {
        let long = DeduplicationKey(String(repeating: "k", count: 255))
        let keys = [DeduplicationKey("k"), DeduplicationKey("kk"), DeduplicationKey("é"), long]
        for (number, key) in keys.enumerated() {
            #expect(state.pendingSchedule(key, of: .number(4), team: Self.team) == nil)
            let id = ScheduleID.number(UInt32(number))
            state.setPendingSchedule(id, for: key, of: .number(4), team: Self.team)
        }
        for (number, key) in keys.enumerated() {
            let id = ScheduleID.number(UInt32(number))
            #expect(state.pendingSchedule(key, of: .number(4), team: Self.team) == id)
            #expect(state.pendingSchedule(key, of: .number(5), team: Self.team) == nil)
        }
        let decomposed = DeduplicationKey("e\u{301}")
        #expect(state.pendingSchedule(decomposed, of: .number(4), team: Self.team) == nil)
        state.setPendingSchedule(nil, for: keys[0], of: .number(4), team: Self.team)
        state.setPendingSchedule(nil, for: keys[0], of: .number(4), team: Self.team)
        #expect(state.pendingSchedule(keys[0], of: .number(4), team: Self.team) == nil)
        #expect(state.pendingSchedule(keys[1], of: .number(4), team: Self.team) == .number(1))
    }

    @Test func `a deduplication key leads to its schedule until it is taken away`() throws {
        var memory = MemoryState()
        pendingKeys(&memory)
        try ScratchStore.withBatch { pendingKeys(&$0) }
    }

    // MARK: Indexes

    private static func ready(
        _ queue: Queue, _ priority: Int, _ lastStart: Position, _ workflow: UInt32,
        _ team: TeamID = team
    ) -> Ready {
        Ready(
            team: team, lane: Lane(queue: queue, priority: priority), lastStart: lastStart,
            workflow: .number(workflow))
    }

    private func readyOrder<S: State & ~Copyable>(_ state: inout S) {
        let order = [
            Self.ready(.worker("a"), 9, 300, 5), Self.ready(.worker("a"), 5, 0, 9),
            Self.ready(.worker("a"), 5, 1, 1), Self.ready(.worker("a"), 5, 256, 2),
            Self.ready(.worker("a"), 5, 256, 3), Self.ready(.worker("a"), 0, 0, 4),
        ]
        let others = [
            Self.ready(.echo, 9, 0, 1), Self.ready(.http, 9, 0, 1),
            Self.ready(.worker("a-"), 9, 0, 1), Self.ready(.worker("aa"), 9, 0, 1),
            Self.ready(.worker("A"), 9, 0, 1), Self.ready(.worker("a"), 9, 0, 1, Self.other),
        ]
        for row in order.reversed() + others { state.insert(.ready(row)) }
        // Twice is once.
        for row in order { state.insert(.ready(row)) }
        for row in order {
            #expect(state.firstReady(of: Self.team, in: .worker("a")) == row)
            state.remove(.ready(row))
            state.remove(.ready(row))
        }
        #expect(state.firstReady(of: Self.team, in: .worker("a")) == nil)
        for row in others {
            #expect(state.firstReady(of: row.team, in: row.lane.queue) == row)
        }
        #expect(state.firstReady(of: Self.team, in: .worker("")) == nil)
        #expect(state.firstReady(of: Self.team, in: .worker("aaa")) == nil)
        #expect(state.firstReady(of: .number(0), in: .echo) == nil)
        #expect(state.firstReady(of: .number(3), in: .echo) == nil)
    }

    @Test func `of a queue the highest priority is ready first, then who started longest ago`()
        throws
    {
        var memory = MemoryState()
        readyOrder(&memory)
        try ScratchStore.withBatch { readyOrder(&$0) }
    }

    private func startableOrder<S: State & ~Copyable>(_ state: inout S) {
        let queues: [Queue] = [.echo, .http, .worker("a"), .worker("a-"), .worker("aa")]
        let lanes = queues.flatMap { queue in
            [9, 5, 0].map { Lane(queue: queue, priority: $0) }
        }
        func row(_ lane: Lane, _ position: Position, _ workflow: UInt32 = 4) -> Startable {
            Startable(
                team: Self.team, workflow: .number(workflow), lane: lane,
                queuedPosition: position, run: .number(UInt32(position)))
        }
        for lane in lanes.reversed() {
            for position: Position in [256, 255, 1] {
                state.insert(.startable(row(lane, position)))
            }
        }
        // Neighbours that must not be seen.
        state.insert(.startable(row(Lane(queue: .echo, priority: 9), 1, 3)))
        state.insert(.startable(row(Lane(queue: .worker("z"), priority: 0), 1, 5)))

        var walked: [Lane] = []
        while let lane = state.nextLane(of: .number(4), team: Self.team, after: walked.last) {
            walked.append(lane)
        }
        #expect(walked == lanes)
        // Also after a lane that holds nothing.
        let empty = Lane(queue: .worker("a"), priority: 7)
        #expect(
            state.nextLane(of: .number(4), team: Self.team, after: empty)
                == Lane(queue: .worker("a"), priority: 5))
        #expect(
            state.nextLane(
                of: .number(4), team: Self.team, after: Lane(queue: .worker("zz"), priority: 0))
                == nil)
        #expect(state.nextLane(of: .number(4), team: Self.other, after: nil) == nil)
        #expect(state.firstStartable(of: .number(4), team: Self.team, in: empty) == nil)
        for lane in lanes {
            for position: Position in [1, 255, 256] {
                let first = state.firstStartable(of: .number(4), team: Self.team, in: lane)
                #expect(first == row(lane, position))
                state.remove(.startable(row(lane, position)))
            }
            #expect(state.firstStartable(of: .number(4), team: Self.team, in: lane) == nil)
        }
        #expect(state.nextLane(of: .number(4), team: Self.team, after: nil) == nil)
    }

    @Test func `lanes come in their order, and what was queued first in a lane comes first`() throws
    {
        var memory = MemoryState()
        startableOrder(&memory)
        try ScratchStore.withBatch { startableOrder(&$0) }
    }

    /// Every read of the admission indexes, over a small world.
    private func reads<S: State & ~Copyable>(_ state: borrowing S) -> [String] {
        var found: [String] = []
        for team in [Self.team, Self.other] {
            for queue in Self.queues {
                found.append("\(String(describing: state.firstReady(of: team, in: queue)))")
                for workflow: UInt32 in 1...3 {
                    for priority in [0, 1, 9] {
                        let lane = Lane(queue: queue, priority: priority)
                        let first = state.firstStartable(
                            of: .number(workflow), team: team, in: lane)
                        let next = state.nextLane(of: .number(workflow), team: team, after: lane)
                        found.append("\(String(describing: first)) \(String(describing: next))")
                    }
                }
            }
        }
        return found
    }

    private static let queues: [Queue] = [
        .echo, .http, .worker("a"), .worker("a."), .worker("aa"), .worker("b"),
    ]

    @Test func `after random inserts and removals every read of an index is the same`() throws {
        for var numbers in RandomCases(20) {
            var memory = MemoryState()
            try ScratchStore.withBatch { batch in
                for _ in 0..<60 {
                    let team = numbers.pick([Self.team, Self.other])
                    let lane = Lane(
                        queue: numbers.pick(Self.queues), priority: numbers.pick([0, 1, 9]))
                    let workflow = WorkflowID.number(UInt32.random(in: 1...3, using: &numbers))
                    let position = numbers.pick([0, 1, 255, 256, Position.max])
                    let entry: IndexEntry =
                        numbers.chance(1, of: 2)
                        ? .ready(
                            Ready(
                                team: team, lane: lane, lastStart: position, workflow: workflow))
                        : .startable(
                            Startable(
                                team: team, workflow: workflow, lane: lane,
                                queuedPosition: position,
                                run: .number(UInt32.random(in: 1...2, using: &numbers))))
                    if numbers.chance(2, of: 3) {
                        memory.insert(entry)
                        batch.insert(entry)
                    } else {
                        memory.remove(entry)
                        batch.remove(entry)
                    }
                }
                try #require(reads(memory) == reads(batch), "\(numbers.hint)")
            }
        }
    }

    // MARK: Kept answers

    private func keptAnswers<S: State & ~Copyable>(_ state: inout S) {
        func kept(_ end: Instant, _ position: Position, _ answer: Answer) -> KeptAnswer {
            KeptAnswer(request: .filled(1), endsAt: end, position: position, answer: answer)
        }
        #expect(state.removeOldestKeptAnswer(endedBy: .latest) == false)
        let answers: [Answer] = [
            .none, .workflow(workflow(isFull: true)), .schedule(schedule(isFull: true)),
            .run(run(isFull: false)),
        ]
        for (index, answer) in answers.enumerated() {
            let row = kept(.second(index), Position(index), answer)
            state.set(row, for: .filled(UInt8(index)))
            #expect(state.keptAnswer(.filled(UInt8(index))) == row)
        }
        #expect(state.keptAnswer(.filled(99)) == nil)
        // The same scope again: the new answer, and the new end alone.
        state.set(kept(.second(60), 9, .none), for: .filled(0))
        #expect(state.removeOldestKeptAnswer(endedBy: .second(0)) == false)
        #expect(state.removeOldestKeptAnswer(endedBy: .second(1).adding(microseconds: -1)) == false)
        #expect(state.removeOldestKeptAnswer(endedBy: .second(1)) == true)
        #expect(state.keptAnswer(.filled(1)) == nil && state.keptAnswer(.filled(2)) != nil)
        #expect(state.removeOldestKeptAnswer(endedBy: .second(1)) == false)
        // Oldest first.
        #expect(state.removeOldestKeptAnswer(endedBy: .latest) == true)
        #expect(state.keptAnswer(.filled(2)) == nil && state.keptAnswer(.filled(3)) != nil)
        #expect(state.removeOldestKeptAnswer(endedBy: .latest) == true)
        #expect(state.keptAnswer(.filled(0)) == kept(.second(60), 9, .none))
        #expect(state.removeOldestKeptAnswer(endedBy: .latest) == true)
        #expect(state.removeOldestKeptAnswer(endedBy: .latest) == false)
    }

    @Test func `kept answers go by their ends, the oldest first, and none before its end`() throws {
        var memory = MemoryState()
        keptAnswers(&memory)
        try ScratchStore.withBatch { keptAnswers(&$0) }
    }
}
