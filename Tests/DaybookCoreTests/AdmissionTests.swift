import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Admission")
struct AdmissionTests {
    private static let claim = Command.claim(.echo, worker: nil, leaseSeconds: nil)

    /// Claims until nothing is left that may start; the runs in the order of their starts.
    private func startAll(
        _ given: inout Given, _ queue: Queue = .echo, team: TeamID? = nil
    ) throws -> [RunID] {
        var runs: [RunID] = []
        while given.state.nextToStart(of: team ?? given.team, in: queue) != nil {
            if let run = try given.start(queue, team: team) { runs.append(run) }
        }
        #expect(
            try given.when(.claim(queue, worker: nil, leaseSeconds: nil), team: team)
                == .refused(.nothingStartable))
        return runs
    }

    @Test func `inside a workflow runs start in the order queued`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        let runs = try (0..<5).map { _ in try given.newRun(of: workflow) }
        #expect(try startAll(&given) == runs)
    }

    @Test func `a higher priority starts first, whatever was queued before`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        let other = try given.newWorkflow()
        var runs: [Int: [RunID]] = [:]
        for priority in [5, 0, 9, 5, 1, 9] {
            runs[priority, default: []].append(
                try given.newRun(of: priority == 1 ? other : workflow, priority: priority))
        }
        let order = [9, 5, 1, 0].flatMap { runs[$0] ?? [] }
        #expect(try startAll(&given) == order)
    }

    @Test func `workflows of one priority take turns`() throws {
        var given = try Given()
        let workflows = try (0..<3).map { _ in try given.newWorkflow() }
        // The first has a long backlog before the others come.
        var queued: [[RunID]] = [[], [], []]
        for _ in 0..<4 { queued[0].append(try given.newRun(of: workflows[0])) }
        for _ in 0..<2 {
            queued[1].append(try given.newRun(of: workflows[1]))
            queued[2].append(try given.newRun(of: workflows[2]))
        }
        let order = [
            queued[0][0], queued[1][0], queued[2][0], queued[0][1], queued[1][1], queued[2][1],
            queued[0][2], queued[0][3],
        ]
        #expect(try startAll(&given) == order)
    }

    @Test func `a run now is not held up by another workflow's backlog`() throws {
        var given = try Given()
        let (busy, urgent) = (try given.newWorkflow(), try given.newWorkflow())
        for _ in 0..<200 { _ = try given.newRun(of: busy) }
        try given.start()
        let now = try given.newRun(of: urgent)
        #expect(try given.start() == now)
    }

    @Test func `the workflow whose last start lies furthest back is next`() throws {
        var given = try Given()
        let (first, second) = (try given.newWorkflow(), try given.newWorkflow())
        let early = try given.newRun(of: second)
        #expect(try given.start() == early)
        // The first has never started anything, though the second was queued before it.
        let later = try given.newRun(of: second)
        let other = try given.newRun(of: first)
        #expect(try startAll(&given) == [other, later])
    }

    @Test func `queues do not mix, also where one's name begins another's`() throws {
        var given = try Given()
        let queues: [Queue] = [
            .echo, .http, .worker("a"), .worker("a-"), .worker("aa"), .worker("echo"),
        ]
        var runs: [Queue: RunID] = [:]
        for queue in queues.reversed() {
            runs[queue] = try given.newRun(of: try given.newWorkflow(queue))
        }
        for queue in queues {
            #expect(try startAll(&given, queue) == [runs[queue]])
        }
        #expect(
            try given.when(.claim(.worker("aa"), worker: nil, leaseSeconds: nil))
                == .refused(.nothingStartable))
    }

    @Test func `a workflow at its cap blocks only itself, whatever its priority`() throws {
        var given = try Given()
        let (capped, free) = (try given.newWorkflow(limit: 2), try given.newWorkflow())
        let first = try (0..<4).map { _ in try given.newRun(of: capped, priority: 9) }
        let second = try (0..<2).map { _ in try given.newRun(of: free, priority: 0) }
        #expect(try startAll(&given) == [first[0], first[1], second[0], second[1]])
        try given.happened(.complete(first[1], attempt: 1, output: nil))
        #expect(try startAll(&given) == [first[2]])
    }

    @Test func `a team at its license starts nothing; another team is not held up`() throws {
        var given = try Given(teamLimit: 2)
        let other = try given.newTeam("other", limit: 1)
        let workflow = try given.newWorkflow()
        let theirs = try given.newWorkflow(team: other)
        let runs = try (0..<3).map { _ in try given.newRun(of: workflow) }
        let foreign = try (0..<2).map { _ in try given.newRun(of: theirs, team: other) }
        #expect(try startAll(&given) == Array(runs.prefix(2)))
        #expect(try startAll(&given, team: other) == [foreign[0]])
        try given.happened(.cancelRun(runs[0]))
        #expect(try startAll(&given) == [runs[2]])
        #expect(
            given.state.usage(of: given.team)
                == Usage(
                    inProgress: 2, queued: 0,
                    lastStarts: [
                        Usage.LastStart(queue: .echo, position: given.nextPosition - 1)
                    ]))
    }

    @Test func `a license of 0 starts nothing; a cap of 0 sets no limit`() throws {
        var given = try Given(teamLimit: 0)
        let workflow = try given.newWorkflow(limit: 0)
        let run = try given.newRun(of: workflow)
        #expect(try given.when(Self.claim) == .refused(.nothingStartable))
        #expect(given.state.allTurns.isEmpty && given.state.allReady.count == 1)
        try given.happened(.setLicense(team: given.team, maxConcurrentRuns: 1))
        #expect(try startAll(&given) == [run])
    }

    @Test func `raising a limit opens, lowering one stops nothing that runs`() throws {
        var given = try Given(teamLimit: 3)
        let workflow = try given.newWorkflow(limit: 1)
        let runs = try (0..<5).map { _ in try given.newRun(of: workflow) }
        #expect(try startAll(&given) == [runs[0]])
        try given.happened(.setConcurrency(workflow, maxConcurrentRuns: 4))
        #expect(try startAll(&given) == [runs[1], runs[2]])
        try given.happened(.setLicense(team: given.team, maxConcurrentRuns: 4))
        #expect(try startAll(&given) == [runs[3]])

        try given.happened(.setLicense(team: given.team, maxConcurrentRuns: 1))
        try given.happened(.setConcurrency(workflow, maxConcurrentRuns: 2))
        for run in runs.prefix(4) {
            #expect(given.state.run(run, of: given.team)?.status == .inProgress)
        }
        // Only once the use has fallen below both is there room again.
        for run in runs.prefix(3) {
            #expect(try given.when(Self.claim) == .refused(.nothingStartable))
            try given.happened(.complete(run, attempt: 1, output: nil))
        }
        #expect(try given.when(Self.claim) == .refused(.nothingStartable))
        try given.happened(.complete(runs[3], attempt: 1, output: nil))
        #expect(try startAll(&given) == [runs[4]])
    }

    @Test func `a paused workflow's runs wait, and start when it goes on`() throws {
        var given = try Given()
        let (paused, other) = (try given.newWorkflow(), try given.newWorkflow())
        let waiting = try given.newRun(of: paused, priority: 9)
        try given.happened(.modifyWorkflow(paused, WorkflowChanges(isPaused: true)))
        let late = try given.newRun(of: paused)
        let running = try given.newRun(of: other)
        #expect(try startAll(&given) == [running])
        try given.happened(.modifyWorkflow(paused, WorkflowChanges(isPaused: false)))
        #expect(try startAll(&given) == [waiting, late])
    }

    @Test func `while the service is paused a claim starts nothing`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        let run = try given.newRun(of: workflow)
        try given.happened(.pause)
        #expect(try given.when(Self.claim) == .refused(.paused))
        try given.happened(.resume)
        #expect(try startAll(&given) == [run])
    }

    @Test func `a run that waits for its next try holds no slot and blocks nobody`() throws {
        var given = try Given(teamLimit: 1)
        let workflow = try given.newWorkflow(retry: .thrice, limit: 1)
        let first = try given.newRun(of: workflow)
        let second = try given.newRun(of: workflow)
        try given.start()
        try given.happened(.fail(first, attempt: 1, Failure(reason: .error)))
        #expect(try given.start() == second)
        given.now = .second(10)
        try given.happened(.retry(first, attempt: 1))
        #expect(try given.when(Self.claim) == .refused(.nothingStartable))
        try given.happened(.complete(second, attempt: 1, output: nil))
        #expect(try given.start() == first)
    }

    @Test func `teams with something startable and room stand in turn, by their last start`() throws
    {
        var given = try Given()
        var teams = [given.team]
        for name in ["b", "c"] { teams.append(try given.newTeam(name)) }
        for team in teams.reversed() {
            let workflow = try given.newWorkflow(.http, team: team)
            for _ in 0..<2 { _ = try given.newRun(of: workflow, team: team) }
        }
        #expect(given.state.allTurns.map(\.team) == teams)
        try given.start(.http, team: teams[1])
        #expect(given.state.allTurns.map(\.team) == [teams[0], teams[2], teams[1]])
        try given.start(.http, team: teams[1])
        #expect(given.state.allTurns.map(\.team) == [teams[0], teams[2]])
        try given.happened(.setLicense(team: teams[0], maxConcurrentRuns: 0))
        #expect(given.state.allTurns.map(\.team) == [teams[2]])
        try given.happened(.setLicense(team: teams[0], maxConcurrentRuns: 1))
        #expect(given.state.allTurns.map(\.team) == [teams[0], teams[2]])
    }

    @Test func `worker queues have no turns: their team's own workers claim`() throws {
        var given = try Given()
        _ = try given.newRun(of: try given.newWorkflow(.worker("w")))
        #expect(given.state.allTurns.isEmpty && given.state.allReady.count == 1)
    }
}
