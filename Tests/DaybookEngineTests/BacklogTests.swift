import DaybookCore
import DaybookEngine
import DaybookStore
import Support
import Testing

@Suite("A backlog of 100,000", .timeLimit(.minutes(5)))
struct BacklogTests {
    /// A store with so many queued runs of one workflow.
    private static func disk(queued: Int) async throws -> (TestStore, WorkflowID) {
        var given = try Given(teamLimit: 50)
        let busy = try given.newWorkflow(.worker("nobody"), limit: 1)
        var options = TestStore.options
        options.mapSize = 1 << 30
        let disk = try TestStore(options)
        var batch = try disk.store.beginBatch()
        for entry in given.entries {
            batch.append(entry, payloads: [])
            apply(entry, to: &batch)
        }
        try batch.commit()
        for first in stride(from: 0, to: queued, by: 2_000) {
            // Other tests share the threads.
            await Task.yield()
            try disk.commit(
                (first..<first + 2_000).map { number in
                    Asked(
                        .execute(busy, NewRun()), team: given.team, at: given.now,
                        newID: .number(UInt32(1_000 + number)),
                        commandID: .number(UInt64(1_000 + number)))
                })
        }
        try disk.store.settle()
        return (disk, busy)
    }

    @Test("of a workflow at its cap delays no other workflow, and all of it is accounted for")
    func delaysNobody() async throws {
        let (disk, busy) = try await Self.disk(queued: 100_000)
        try await LiveEngine.run(on: disk) { live in
            func claim(_ maximum: Int) async -> [Run] {
                let claimed = await live.engine.claim(
                    ClaimRequest(
                        team: live.team, actor: .system(.command), queue: "nobody", worker: "w",
                        maximum: maximum, leaseSeconds: 60, waitSeconds: 0,
                        requestID: live.engine.newCommandID()))
                guard case .runs(let accepted) = claimed else { return [] }
                return accepted.compactMap { accepted in
                    if case .run(let run) = accepted.answer { run } else { nil }
                }
            }
            #expect(try live.engine.usage(of: live.team).queued == 100_000)
            let first = await claim(100)
            #expect(first.map(\.workflow) == [busy])
            // Run now: the next claim has it.
            let other = try await live.workflow()
            let urgent = try await live.execute(other)
            #expect(await claim(100).map(\.id) == [urgent])
            // The capped one waits for its own slot alone, and says so.
            let last = RunID(AnyID.number(100_999))
            let why = try #require(try live.engine.why(last, of: live.team))
            guard case .workflowLimit(let slots)? = why.causes.first,
                case .turn(let place)? = why.causes.last
            else {
                Issue.record("\(why.causes)")
                return
            }
            #expect(slots.holders.map(\.run) == first.map(\.id))
            #expect(place.runsBefore == 99_998)
            var cursor: RecountCursor? = RecountCursor()
            while let here = cursor {
                let step = try live.engine.read { try $0.recount(here, rows: 10_000) }
                #expect(step.mismatch == nil)
                cursor = step.next
            }
        }
    }
}
