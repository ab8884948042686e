import DaybookCore
import DaybookEngine
import Support
import Testing

@Suite("Waiting for the end of a run", .timeLimit(.minutes(5)))
struct FeedTests {
    /// Waits on a task of its own, and returns once it sleeps.
    private func wait(
        for run: RunID, _ live: LiveEngine, seconds: Int
    ) async -> Task<Void, any Error> {
        let task = Task {
            try await live.engine.feed.waitForEnd(
                of: run, until: live.clock.now().adding(seconds: seconds), clock: live.clock
            ) {
                try live.status(of: run)?.isFinal ?? true
            }
        }
        await live.clock.waitForSleepers(1)
        return task
    }

    @Test("it returns when the run ends, for all who wait, and at once where it has ended")
    func ends() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let workflow = try await live.workflow()
            let run = try await live.execute(workflow)
            let first = await wait(for: run, live, seconds: 60)
            let second = Task {
                await live.engine.feed.waitForEnd(of: run, until: .latest, clock: live.clock) {
                    false
                }
            }
            await live.clock.waitForSleepers(2)
            let other = try await live.execute(workflow)
            _ = await live.submit(.cancelRun(other))
            #expect(try live.status(of: run) == .queued)
            _ = await live.submit(.cancelRun(run))
            try await first.value
            await second.value
            try await live.engine.feed.waitForEnd(of: run, until: .latest, clock: live.clock) {
                try live.status(of: run)?.isFinal ?? true
            }
        }
    }

    @Test("it returns at the deadline, with the run as it is")
    func deadline() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let run = try await live.execute(try await live.workflow())
            let waiting = await wait(for: run, live, seconds: 30)
            live.clock.advance(seconds: 30)
            try await waiting.value
            #expect(try live.status(of: run) == .queued)
        }
    }

    @Test("it ends when its task is cancelled, and when the service stops")
    func brokenOff() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let run = try await live.execute(try await live.workflow())
            let cancelled = await wait(for: run, live, seconds: 30)
            cancelled.cancel()
            _ = await cancelled.result
            let waiting = await wait(for: run, live, seconds: 30)
            live.engine.feed.end()
            try await waiting.value
            // And nobody begins to wait any more.
            await live.engine.feed.waitForEnd(of: run, until: .latest, clock: live.clock) {
                false
            }
        }
    }

    @Test("followers are told of what is durable, in order, and of nothing once they left")
    func followers() async throws {
        let disk = try TestStore()
        try await LiveEngine.run(on: disk) { live in
            let positions = Collected<Position>()
            let follower = live.engine.feed.follow { entries in
                for entry in entries { positions.add(entry.header.position) }
            }
            let workflow = try await live.workflow()
            for _ in 0..<20 { _ = try await live.execute(workflow) }
            let seen = positions.all
            #expect(seen.count == 21)
            #expect(zip(seen, seen.dropFirst()).allSatisfy { $0 + 1 == $1 })
            #expect(live.engine.feed.position == seen.last)
            live.engine.feed.unfollow(follower)
            _ = try await live.execute(workflow)
            #expect(positions.all == seen)
        }
    }
}
