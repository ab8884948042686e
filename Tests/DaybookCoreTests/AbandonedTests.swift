import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Abandoned runs")
struct AbandonedTests {
    /// Whatever happened before, and whoever died holding whatever: once every deadline has passed,
    /// nothing is held.
    @Test("a thousand random histories whose workers all die end with no slot held")
    func nothingIsHeld() async throws {
        var met = 0
        for numbers in RandomCases(1_000) {
            // Other tests share the threads.
            await Task.yield()
            var state = MemoryState()
            var entries: [Entry] = []
            var workload = Workload(numbers)
            func take(_ asked: Asked) {
                guard case .events(let events) = asked.judged(by: state), !events.isEmpty else {
                    return
                }
                let entry = asked.entry(events, at: state.service().position + 1)
                apply(entry, to: &state)
                entries.append(entry)
            }
            for _ in 0..<80 { take(workload.next(state)) }
            met += state.allRuns.count { $0.status == .inProgress }
            // All workers are dead: the timer is alone from here on.
            let later = state.service().recordedAt.adding(seconds: 90_000)
            var asked: UInt64 = 1 << 32
            func own(_ command: Command, of team: TeamID, at now: Instant) {
                asked += 1
                take(
                    Asked(
                        command, by: .system(.timer), team: team, at: now,
                        newID: .number(1 << 30), commandID: .number(asked)))
            }
            if state.service().isPaused { own(.resume, of: .number(0), at: later) }
            // The minute after a resume is over.
            let last = later.adding(seconds: Limits.reapFloorSeconds)
            for due in state.allDue where due.kind == .runDeadline || due.kind == .leaseEnd {
                own(.reap(RunID(due.id), attempt: Int(due.revision)), of: due.team, at: last)
            }
            let held = state.allRuns.filter { $0.status == .inProgress }
            #expect(held.isEmpty, "\(numbers.hint)")
            for team in state.allTeams {
                #expect(state.usage(of: team.id).inProgress == 0, "\(numbers.hint)")
            }
            for workflow in state.allWorkflows {
                #expect(
                    state.usage(of: workflow.id, team: workflow.team).inProgress == 0,
                    "\(numbers.hint)")
            }
            let violations = Invariants.check(memory: state, entries: entries)
            try #require(violations.isEmpty, "\(violations) \(numbers.hint)")
        }
        #expect(met > 0, "no run was ever in progress when the workers died")
    }
}
