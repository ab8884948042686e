import DaybookCore
import DaybookEngine
import DaybookStore
import Logging
import ServiceLifecycle
import Support
import Testing

@Suite("What watches over the service", .timeLimit(.minutes(5)))
struct WatchTests {
    /// Runs one more service beside the writer, for as long as `body` takes.
    private static func run(
        _ service: (LiveEngine) -> any Service, beside live: LiveEngine,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let group = ServiceGroup(
            configuration: .init(services: [service(live)], logger: LiveEngine.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private static func claim(_ live: LiveEngine, lease: Int) async -> Claimed {
        await live.engine.claim(
            ClaimRequest(
                team: live.team, actor: .system(.command), queue: "nobody", worker: "w",
                maximum: 1, leaseSeconds: lease, waitSeconds: 0,
                requestID: live.engine.newCommandID()))
    }

    @Test("after a standstill of the process leases get a minute before they are reaped")
    func standstill() async throws {
        let disk = try TestStore()
        var settings = Settings()
        settings.standstillSeconds = 10
        try await LiveEngine.run(on: disk, settings: settings) { live in
            let run = try await live.execute(try await live.workflow())
            guard case .runs = await Self.claim(live, lease: 30) else { return }
            #expect(try live.status(of: run) == .inProgress)
            try await Self.run(
                { TimerService(engine: $0.engine, logger: LiveEngine.logger) }, beside: live
            ) {
                await live.clock.waitForSleepers(1)
                let before = try live.engine.service()
                live.clock.advance(seconds: 600)
                while try live.engine.service().floorPosition == before.floorPosition {
                    await Task.yield()
                }
                let floor = try live.engine.service().reapFloor
                #expect(floor == live.clock.now().adding(seconds: Limits.reapFloorSeconds))
                // The worker is still there, and says so in time.
                guard
                    case .accepted = await live.submit(.renewLease(run, attempt: 1))
                else {
                    Issue.record("the lease was not renewed")
                    return
                }
                for _ in 0..<25 {
                    await live.clock.waitForSleepers(1)
                    live.clock.advance(seconds: 1)
                }
                #expect(try live.status(of: run) == .inProgress)
                for _ in 0..<40 where try live.status(of: run) == .inProgress {
                    await live.clock.waitForSleepers(1)
                    live.clock.advance(seconds: 1)
                }
                while try live.status(of: run) == .inProgress { await Task.yield() }
                #expect(try live.status(of: run) == .failed)
            }
        }
    }

    @Test(
        "a recount that finds a mismatch stops firing and starting, and is found again until a rebuild"
    )
    func recount() async throws {
        let disk = try TestStore()
        let clock = ManualClock()
        let store = disk.store
        try await LiveEngine.run(on: disk, clock: clock) { live in
            _ = try await live.execute(try await live.workflow())
            try await Self.run(
                { RecountService(engine: $0.engine, logger: LiveEngine.logger) }, beside: live
            ) {
                await clock.waitForSleepers(1)
                #expect(live.engine.mismatch == nil)
                // A slot leaks.
                var batch = try store.beginBatch()
                var usage = batch.usage(of: live.team)
                usage.inProgress += 1
                batch.set(usage, of: live.team)
                try batch.commit()
                clock.advance(seconds: 3_600)
                while live.engine.mismatch == nil { await Task.yield() }
            }
            #expect(live.engine.mismatch?.contains("1 slots are counted") == true)
            #expect(!live.engine.mayFire)
            guard case .unavailable(.inconsistent) = await Self.claim(live, lease: 30) else {
                Issue.record("a claim was taken though the projections disagree")
                return
            }
            // A rebuild beside it finds the row and puts everything right.
            _ = try live.engine.startRebuild()
            while live.engine.rebuildStatus?.finishedAt == nil { await Task.yield() }
            guard case .finished(_, let differences, let told) = live.engine.rebuildStatus?.state
            else {
                Issue.record("\(String(describing: live.engine.rebuildStatus))")
                return
            }
            #expect(differences == 1 && told.first?.table == "usage", "\(told)")
            #expect(live.engine.mismatch == nil && live.engine.mayFire)
            guard case .runs = await Self.claim(live, lease: 30) else {
                Issue.record("nothing is claimed after the rebuild")
                return
            }
            // Another slot leaks, and nobody looks before the next start.
            var batch = try store.beginBatch()
            var usage = batch.usage(of: live.team)
            usage.inProgress += 1
            batch.set(usage, of: live.team)
            try batch.commit()
            _ = try await live.execute(try await live.workflow())
        }
        try disk.reopen()
        try disk.store.clearProjections()
        try await LiveEngine.run(on: disk, clock: clock) { live in
            try await Self.run(
                { RecountService(engine: $0.engine, logger: LiveEngine.logger) }, beside: live
            ) {
                await clock.waitForSleepers(1)
                #expect(live.engine.mismatch == nil)
                guard case .runs(let runs) = await Self.claim(live, lease: 30) else { return }
                #expect(runs.count == 1)
            }
        }
    }
}
