import DaybookCore
import DaybookStore
import Support
import Testing

/// Counts, for everyone who stands in a line, how often others were served while it stood there.
private struct Line<Member: Hashable> {
    private var served: [Member: [Member: Int]] = [:]

    /// Who stands in the line now; whoever has left it begins anew.
    mutating func standing(_ members: Set<Member>) {
        served = served.filter { members.contains($0.key) }
        for member in members where served[member] == nil { served[member] = [:] }
    }

    /// Somebody was served: the most often that this one has been while another stood waiting.
    mutating func serve(_ member: Member) -> Int {
        served[member] = [:]
        var most = 0
        for waiting in served.keys where waiting != member {
            served[waiting]?[member, default: 0] += 1
            most = max(most, served[waiting]?[member] ?? 0)
        }
        return most
    }
}

@Suite("Fairness")
struct FairnessTests {
    /// Whoever stands in a line sees every other one served once at most before its own turn comes:
    /// with k in the line, at most k − 1 starts come first.
    @Test func `nobody is served twice before a team, or a workflow, that waits and may start`()
        throws
    {
        for var numbers in RandomCases(20) {
            var given = try Given(teamLimit: 3)
            var teams = [given.team]
            for index in 0..<3 {
                teams.append(try given.newTeam("team", limit: index + 2))
            }
            var workflows: [(id: WorkflowID, team: TeamID)] = []
            for team in teams {
                for limit in [0, 0, 1, 2] {
                    workflows.append((try given.newWorkflow(limit: limit, team: team), team))
                }
            }
            var line = Line<TeamID>()
            var lines: [TeamID: Line<WorkflowID>] = [:]
            func stand() {
                line.standing(Set(given.state.allTurns.map(\.team)))
                for team in teams {
                    // Priority goes before turns: the line is that of the highest one.
                    let ready = given.state.allReady.filter { $0.team == team }
                    let first = ready.filter { $0.lane == ready.first?.lane }
                    lines[team, default: .init()].standing(Set(first.map(\.workflow)))
                }
            }
            for _ in 0..<150 {
                switch Int.random(in: 0..<10, using: &numbers) {
                case 0..<4:
                    let workflow = numbers.pick(workflows)
                    _ = try given.newRun(
                        of: workflow.id, priority: numbers.chance(1, of: 5) ? 6 : 5,
                        team: workflow.team)
                case 4..<8:
                    guard let team = given.state.allTurns.first?.team else { continue }
                    let started = try given.start(team: team)
                    let run = try #require(started.flatMap { given.state.run($0, of: team) })
                    #expect(line.serve(team) <= 1, "\(numbers.hint)")
                    #expect(
                        lines[team, default: .init()].serve(run.workflow) <= 1, "\(numbers.hint)")
                case 8:
                    let running = given.state.allRuns.filter { $0.status == .inProgress }
                        .sorted { $0.id < $1.id }
                    guard !running.isEmpty else { continue }
                    let run = numbers.pick(running)
                    try given.happened(
                        numbers.chance(1, of: 3)
                            ? .release(run.id, attempt: run.attempt)
                            : .complete(run.id, attempt: run.attempt, output: nil),
                        team: run.team)
                default:
                    let workflow = numbers.pick(workflows)
                    let isPaused =
                        given.state.workflow(workflow.id, of: workflow.team)?.isPaused ?? false
                    try given.happened(
                        .modifyWorkflow(workflow.id, WorkflowChanges(isPaused: !isPaused)),
                        team: workflow.team)
                }
                stand()
            }
            let violations = Invariants.check(memory: given.state, entries: given.entries)
            try #require(violations.isEmpty, "\(violations) \(numbers.hint)")
        }
    }

    @Test func `a team that keeps starting in one queue keeps its turn in the other`() throws {
        var given = try Given(teamLimit: 1_000)
        let busy = given.team
        let other = try given.newTeam("other", limit: 1_000)
        let echo = try given.newWorkflow(.echo, team: busy)
        let waiting = try given.newWorkflow(.http, team: busy)
        let theirs = try given.newWorkflow(.http, team: other)
        for _ in 0..<10 {
            _ = try given.newRun(of: echo, team: busy)
            _ = try given.newRun(of: waiting, team: busy)
            _ = try given.newRun(of: theirs, team: other)
        }
        var served: [TeamID] = []
        for _ in 0..<10 {
            try given.start(.echo, team: busy)
            let turn = try #require(
                given.state.allTurns.first { $0.queue == .http })
            served.append(turn.team)
            try given.start(.http, team: turn.team)
        }
        for (first, second) in zip(served, served.dropFirst()) {
            #expect(first != second, "\(first) was served twice in a row")
        }
        let violations = Invariants.check(memory: given.state, entries: given.entries)
        #expect(violations.isEmpty, "\(violations)")
    }

    @Test func `a workflow that keeps starting in one queue keeps its turn in the other`() throws {
        var given = try Given(teamLimit: 1_000)
        let busy = try given.newWorkflow(.worker("a"))
        let other = try given.newWorkflow(.worker("b"))
        for _ in 0..<10 { _ = try given.newRun(of: busy) }
        // From now on it queues for the other one.
        try given.happened(.editDraft(busy, .worker("b")))
        for _ in 0..<10 {
            _ = try given.newRun(of: busy)
            _ = try given.newRun(of: other)
        }
        var served: [WorkflowID] = []
        for _ in 0..<10 {
            try given.start(.worker("a"))
            let run = try #require(try given.start(.worker("b")))
            served.append(try #require(given.state.run(run, of: given.team)).workflow)
        }
        for (first, second) in zip(served, served.dropFirst()) {
            #expect(first != second, "\(first) was served twice in a row")
        }
    }
}
