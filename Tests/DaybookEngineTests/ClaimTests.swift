import DaybookCore
import DaybookEngine
import DaybookStore
import Support
import Testing

@Suite("Claims", .timeLimit(.minutes(2)))
struct ClaimTests {
    private static func request(
        _ live: LiveEngine, max: Int = 1, wait: Int = 0, lease: Int = 60, keys: UInt8? = nil
    ) -> ClaimRequest {
        ClaimRequest(
            team: live.team, actor: .system(.command), queue: "nobody", worker: "w",
            maximum: max, leaseSeconds: lease, waitSeconds: wait,
            requestID: live.engine.newCommandID(),
            idempotency: keys.map { first in
                (0..<max).map {
                    IdempotencyKey(
                        scope: .filled(first + UInt8($0)), request: .filled(first))
                }
            } ?? [])
    }

    private static func runs(_ claimed: Claimed) -> [Run] {
        guard case .runs(let accepted) = claimed else {
            Issue.record("\(claimed)")
            return []
        }
        return accepted.compactMap { accepted in
            if case .run(let run) = accepted.answer { run } else { nil }
        }
    }

    /// A claim that waits, once it does.
    private static func waiting(
        _ live: LiveEngine, _ request: ClaimRequest
    ) async -> Task<Claimed, Never> {
        let (engine, count) = (live.engine, live.engine.claimants.count)
        let task = Task { await engine.claim(request) }
        while engine.claimants.count <= count { await Task.yield() }
        return task
    }

    @Test("it starts what there is at once, up to the limits, and nothing else")
    func atOnce() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            #expect(Self.runs(await live.engine.claim(Self.request(live))).isEmpty)
            let workflow = try await live.workflow()
            var queued: [RunID] = []
            for _ in 0..<5 { queued.append(try await live.execute(workflow)) }
            _ = await live.submit(.setLicense(team: live.team, maxConcurrentRuns: 3))
            let started = Self.runs(await live.engine.claim(Self.request(live, max: 10)))
            #expect(started.map(\.id) == Array(queued.prefix(3)))
            #expect(started.allSatisfy { $0.attempt == 1 && $0.leaseSeconds == 60 })
            #expect(Self.runs(await live.engine.claim(Self.request(live))).isEmpty)
        }
    }

    @Test(
        "it waits for time that goes by, whatever is done to the wall clock",
        arguments: [-3_600, 3_600])
    func waitsByBootTime(jump: Int) async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let sleepers = live.clock.sleepers
            let claim = await Self.waiting(live, Self.request(live, wait: 5))
            await live.clock.waitForSleepers(sleepers + 1)
            live.clock.jump(seconds: jump)
            live.clock.advance(seconds: 4)
            #expect(live.engine.claimants.count == 1)
            live.clock.advance(seconds: 1)
            #expect(Self.runs(await claim.value).isEmpty)
        }
    }

    @Test("the commit that lets a run start wakes the claim that came first, and it alone")
    func woken() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let workflow = try await live.workflow()
            let first = await Self.waiting(live, Self.request(live, wait: 60))
            let second = await Self.waiting(live, Self.request(live, wait: 60))
            let run = try await live.execute(workflow)
            #expect(Self.runs(await first.value).map(\.id) == [run])
            #expect(live.engine.claimants.count == 1)
            // A slot that is given back wakes too.
            live.engine.release([try #require(try live.engine.run(run, of: live.team)).run])
            let again = Self.runs(await second.value)
            #expect(again.map(\.id) == [run])
            #expect(again.map(\.attempt) == [2])
            #expect(again.map(\.tries) == [1])
        }
    }

    @Test("a raised license wakes as many as it lets start")
    func raised() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            _ = await live.submit(.setLicense(team: live.team, maxConcurrentRuns: 0))
            let workflow = try await live.workflow()
            for _ in 0..<6 { _ = try await live.execute(workflow) }
            var claims: [Task<Claimed, Never>] = []
            for _ in 0..<5 {
                claims.append(await Self.waiting(live, Self.request(live, wait: 60)))
            }
            _ = await live.submit(.setLicense(team: live.team, maxConcurrentRuns: 4))
            for claim in claims.prefix(4) { #expect(Self.runs(await claim.value).count == 1) }
            #expect(live.engine.claimants.count == 1)
            claims[4].cancel()
            #expect(Self.runs(await claims[4].value).isEmpty)
            #expect(try live.engine.usage(of: live.team).inProgress == 4)
        }
    }

    @Test("waiting ends at its time, with the task, and when the service stops")
    func ends() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let timed = await Self.waiting(live, Self.request(live, wait: 20))
            await live.clock.waitForSleepers(1)
            live.clock.advance(seconds: 21)
            #expect(Self.runs(await timed.value).isEmpty)
            let cancelled = await Self.waiting(live, Self.request(live, wait: 20))
            await live.clock.waitForSleepers(1)
            cancelled.cancel()
            #expect(Self.runs(await cancelled.value).isEmpty)
            let stopped = await Self.waiting(live, Self.request(live, wait: 20))
            await live.clock.waitForSleepers(1)
            live.engine.endWaiting()
            #expect(Self.runs(await stopped.value).isEmpty)
            guard case .unavailable(.stopping) = await live.engine.claim(Self.request(live)) else {
                Issue.record("a claim after the stop was taken")
                return
            }
            #expect(live.engine.claimants.count == 0)
        }
    }

    @Test("the same request with the same keys gets the same runs and attempts, and no more")
    func sameKeys() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let workflow = try await live.workflow()
            for _ in 0..<2 { _ = try await live.execute(workflow) }
            let first = Self.runs(
                await live.engine.claim(Self.request(live, max: 4, keys: 10)))
            _ = try await live.execute(workflow)
            _ = await live.submit(.complete(first[0].id, attempt: 1, output: nil))
            let again = Self.runs(
                await live.engine.claim(Self.request(live, max: 4, keys: 10)))
            #expect(first.count == 2)
            #expect(again == first)
            let other = ClaimRequest(
                team: live.team, actor: .system(.command), queue: "nobody", worker: "w",
                maximum: 1, leaseSeconds: 5, waitSeconds: 0,
                requestID: live.engine.newCommandID(),
                idempotency: [IdempotencyKey(scope: .filled(10), request: .filled(99))])
            guard case .refused(.idempotencyKeyReused) = await live.engine.claim(other) else {
                Issue.record("another request with a used key was taken")
                return
            }
        }
    }

    @Test("the same request with the same keys at the same time has one effect and one answer")
    func sameKeysAtOnce() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let workflow = try await live.workflow()
            let engine = live.engine
            let claims = (0..<8).map { _ in
                let request = Self.request(live, max: 3, wait: 60, keys: 30)
                return Task { await engine.claim(request) }
            }
            while engine.claimants.count == 0 { await Task.yield() }
            for _ in 0..<10 { _ = try await live.execute(workflow) }
            var answers: [[Run]] = []
            for claim in claims { answers.append(Self.runs(await claim.value)) }
            #expect(Set(answers).count == 1)
            #expect(answers[0].count >= 1)
            #expect(try engine.usage(of: live.team).inProgress == answers[0].count)
        }
    }

    @Test("who waits for the same request's answer is not sent away when the wall clock is set")
    func sameWaitsByBootTime() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let engine = live.engine
            let workflow = try await live.workflow()
            let request = Self.request(live, wait: 5, keys: 30)
            let sleepers = live.clock.sleepers
            let first = await Self.waiting(live, request)
            await live.clock.waitForSleepers(sleepers + 1)
            let second = Task { await engine.claim(request) }
            await live.clock.waitForSleepers(sleepers + 2)
            // Longer than both would wait, and too short to be suspect.
            live.clock.jump(seconds: 30)
            let run = try await live.execute(workflow)
            #expect(Self.runs(await first.value).map(\.id) == [run])
            #expect(Self.runs(await second.value).map(\.id) == [run])
        }
    }

    @Test("nothing is claimed while the service is paused or its clock is behind")
    func notNow() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            _ = try await live.execute(try await live.workflow())
            _ = await live.submit(.pause)
            guard case .refused(.paused) = await live.engine.claim(Self.request(live)) else {
                Issue.record("a claim was taken while paused")
                return
            }
            _ = await live.submit(.resume)
            live.clock.jump(seconds: -3_600)
            live.engine.keepHouse()
            guard case .unavailable(.clockSuspect) = await live.engine.claim(Self.request(live))
            else {
                Issue.record("a claim was taken while the clock was behind")
                return
            }
        }
    }

    @Test("only so many wait, and a quarter of them for one team")
    func bounded() async throws {
        let disk = try TestStore()
        var settings = Settings.stepped
        settings.waitingClaims = 8
        try await LiveEngine.run(on: disk, settings: settings) { live in
            for _ in 0..<2 { _ = await Self.waiting(live, Self.request(live, wait: 60)) }
            guard
                case .unavailable(.overloaded) = await live.engine.claim(
                    Self.request(live, wait: 60))
            else {
                Issue.record("a third claim of the team waits")
                return
            }
            live.engine.endWaiting()
        }
    }

    /// Workers come, wait, give up and finish in any order: whenever all is quiet, no run that may
    /// start waits beside a claim that does.
    @Test("no wake is lost, whoever leaves at whichever moment")
    func noneLost() async throws {
        for var numbers in RandomCases(8) {
            let disk = try TestStore()
            let hint = numbers.hint
            let seed = numbers.next()
            try await LiveEngine.run(on: disk) { live in
                var numbers = SeededGenerator(seed: seed)
                let workflow = try await live.workflow()
                _ = await live.submit(.setLicense(team: live.team, maxConcurrentRuns: 3))
                var claims: [Task<Claimed, Never>] = []
                for _ in 0..<120 {
                    switch Int.random(in: 0..<10, using: &numbers) {
                    case 0..<3:
                        let request = Self.request(
                            live, max: Int.random(in: 1...3, using: &numbers), wait: 60)
                        claims.append(Task { await live.engine.claim(request) })
                    case 3..<6: _ = try await live.execute(workflow)
                    case 6: claims.randomElement(using: &numbers)?.cancel()
                    case 7:
                        let limit = Int.random(in: 0...4, using: &numbers)
                        _ = await live.submit(
                            .setLicense(team: live.team, maxConcurrentRuns: limit))
                    default:
                        let held = try live.engine.read { view in
                            try view.slotHolders(of: live.team, limit: 10)
                        }
                        guard let id = held.randomElement(using: &numbers),
                            let run = try live.engine.run(id, of: live.team)?.run
                        else { continue }
                        _ = await live.submit(
                            numbers.chance(1, of: 3)
                                ? .release(id, attempt: run.attempt)
                                : .complete(id, attempt: run.attempt, output: nil))
                    }
                }
                // Quiet comes when nothing more can start or nobody waits.
                while try live.engine.claimants.count > 0
                    && live.engine.read({ view in
                        try view.claimable(
                            in: .worker("nobody"), of: live.team, maximum: 1) > 0
                    })
                { await Task.yield() }
                let usage = try live.engine.usage(of: live.team)
                let license = try #require(try live.engine.team(live.team)).maxConcurrentRuns
                #expect(
                    live.engine.claimants.count == 0 || usage.queued == 0
                        || usage.inProgress >= license, "\(hint)")
                live.engine.endWaiting()
                for claim in claims { _ = await claim.value }
            }
        }
    }
}
