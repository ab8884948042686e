import DaybookCore
import DaybookStore
import Support
import Testing

/// The model and the tables side by side, under commands in random order.
private struct Twins {
    let disk: TestStore
    var memory = MemoryState()
    var entries: [Entry] = []
    var workload: Workload
    var seen: Coverage

    init(_ numbers: SeededGenerator, _ seen: Coverage) throws {
        disk = try TestStore()
        workload = Workload(numbers)
        self.seen = seen
    }

    /// Judges commands on both in one batch, which is committed or dropped.
    mutating func batch(of count: Int, commits: Bool) throws {
        var batch = try disk.store.beginBatch()
        var trial = memory
        var new: [Entry] = []
        for _ in 0..<count {
            let asked = workload.next(trial)
            if let key = asked.idempotency {
                let kept = trial.keptAnswer(key.scope)
                try #require(batch.keptAnswer(key.scope) == kept)
                // The answer is given again; nothing is judged.
                if let kept, asked.at < kept.endsAt { continue }
            }
            let position = batch.nextPosition
            let judged = asked.judged(by: trial)
            try #require(batch.take(asked) == judged, "\(asked.command)")
            seen.note(judged)
            if case .events(let events) = judged, !events.isEmpty {
                let entry = asked.entry(events, at: position)
                apply(entry, to: &trial)
                new.append(entry)
                try #require(answer(to: entry, batch) == answer(to: entry, trial))
            }
        }
        try #require(batch.failure == nil)
        if commits {
            try batch.commit()
            memory = trial
            entries += new
        } else {
            batch.abort()
        }
    }

    func compare() throws {
        try #require(try disk.dump().firstDifference(from: memory.dump) == nil)
        let violations = Invariants.check(memory: memory, entries: entries)
        try #require(violations.isEmpty, "\(violations.joined(separator: "\n"))")
    }
}

/// What the commands of a campaign have led to.
private final class Coverage {
    private(set) var seen: Set<String> = []

    func note(_ judged: Judged) {
        switch judged {
        case .events(let events): for event in events { seen.insert(event.kind) }
        case .refused(let rejection): seen.insert(rejection.kind)
        }
    }

    /// Every event, and every rejection that `decide` knows.
    static let wanted: Set<String> = [
        "initialised", "started", "stopped", "paused", "resumed", "clockTrusted", "teamCreated",
        "licenseSet", "keyCreated", "keyRevoked", "workflowCreated", "workflowModified",
        "concurrencySet", "secretRotated", "draftEdited", "versionSaved", "versionRenamed",
        "versionActivated", "scheduleCreated", "scheduleModified", "scheduleCancelled",
        "scheduleFired", "scheduleExpired", "runQueued", "runStarted", "leaseRenewed",
        "runAccepted", "runReleased", "runCompleted", "runRetryScheduled", "runFailed",
        "keysUsed", "workflowDeleted", "workflowClosed", "workflowReopened", "versionDeleted",
        "versionImported", "operationStarted", "operationAdvanced", "operationFinished",
        "workflowInUse", "versionInUse",
        "runRequeued", "runCancelled", "payloadsErased", "notFinished", "changedMeanwhile",
        "notAuthenticated", "notFound", "notAllowed",
        "scheduleNotPending", "runState", "staleAttempt", "revisionMismatch", "invalid",
        "deduplicated", "nothingStartable", "notDue", "alreadyInitialised",
    ]
}

@Suite("Random commands")
struct RandomCommandTests {
    @Test func `the tables and the model decide, apply and hold the same`() throws {
        let coverage = Coverage()
        var count = 0
        for var numbers in RandomCases(200) {
            count += 1
            do {
                var twins = try Twins(SeededGenerator(seed: numbers.next()), coverage)
                for _ in 0..<Int.random(in: 4...7, using: &numbers) {
                    try twins.batch(
                        of: Int.random(in: 1...30, using: &numbers),
                        commits: !numbers.chance(1, of: 5))
                    try twins.compare()
                }
                #expect(try twins.disk.entries() == twins.entries)
                try twins.disk.store.clearProjections()
                try twins.disk.store.replay(batchSize: Int.random(in: 1...9, using: &numbers))
                try twins.compare()
            } catch {
                Issue.record("\(error); \(numbers.hint)")
                return
            }
        }
        if count >= 200 {
            #expect(Coverage.wanted.subtracting(coverage.seen).isEmpty)
        }
    }
}
