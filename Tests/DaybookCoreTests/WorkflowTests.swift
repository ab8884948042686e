import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Workflows")
struct WorkflowTests {
    private func workflow() throws -> (Given, WorkflowID) {
        var given = try Given()
        let id = WorkflowID(given.nextID)
        try given.happened(
            .createWorkflow(
                NewWorkflow(
                    name: "nightly", description: "report", definition: .http,
                    runTimeoutSeconds: 60, retry: .thrice, maxConcurrentRuns: 2,
                    secret: .number(1))))
        given.now = .second(5)
        return (given, id)
    }

    @Test func `a workflow is made with its draft, which is active`() throws {
        let (given, id) = try workflow()
        let header = try #require(given.entries.last?.header)
        #expect(
            given.entries.last?.events == [
                .workflowCreated(
                    WorkflowCreated(
                        workflow: id, name: "nightly", description: "report",
                        definition: .http, runTimeoutSeconds: 60, retry: .thrice,
                        maxConcurrentRuns: 2, secret: .number(1)))
            ])
        #expect(
            given.state.workflow(id, of: given.team)
                == Workflow(
                    id: id, team: given.team, name: "nightly", description: "report",
                    runTimeoutSeconds: 60, retry: .thrice, maxConcurrentRuns: 2,
                    isPaused: false, activeVersion: 0, lastVersion: 0, secret: .number(1),
                    previousSecret: nil, deletion: nil, deletedAt: nil, revision: 1,
                    touched: Touched(created: header)))
        #expect(
            given.state.version(0, of: id, team: given.team)
                == Version(
                    workflow: id, team: given.team, number: 0, name: nil,
                    definitionLocation: .first(header.position), queue: .http, source: nil,
                    touched: Touched(created: header)))
    }

    @Test(arguments: [
        (NewWorkflow(name: "n", definition: .echo, secret: .number(1)), []),
        (NewWorkflow(name: "", definition: .echo, secret: .number(1)), ["name"]),
        (
            NewWorkflow(
                name: String(repeating: "n", count: 151),
                description: String(repeating: "d", count: 4_001), definition: .echo,
                runTimeoutSeconds: 0,
                retry: RetryPolicy(
                    maxAttempts: 0, initialBackoffSeconds: -1, maxBackoffSeconds: 86_401),
                maxConcurrentRuns: -1, secret: .number(1)),
            [
                "name", "description", "run_timeout_seconds", "retry/max_attempts",
                "retry/initial_backoff_seconds", "retry/max_backoff_seconds",
                "max_concurrent_runs",
            ]
        ),
        (
            NewWorkflow(
                name: "n", description: "", definition: .echo, runTimeoutSeconds: 86_400,
                retry: RetryPolicy(
                    maxAttempts: 100, initialBackoffSeconds: 86_400, maxBackoffSeconds: 86_400),
                maxConcurrentRuns: 1_000_000, secret: .number(1)), []
        ),
        (
            NewWorkflow(
                name: "n", definition: .echo, runTimeoutSeconds: 86_401,
                retry: RetryPolicy(
                    maxAttempts: 101, initialBackoffSeconds: 2, maxBackoffSeconds: 1),
                maxConcurrentRuns: 1_000_001, secret: .number(1)),
            [
                "run_timeout_seconds", "retry/max_attempts", "retry/max_backoff_seconds",
                "max_concurrent_runs",
            ]
        ),
        (
            NewWorkflow(
                name: "a\u{0}", description: "b\u{0}", definition: .echo, secret: .number(1)),
            ["name", "description"]
        ),
    ])
    func `a workflow is held to its bounds`(_ new: NewWorkflow, _ wrong: [String]) throws {
        let given = try Given()
        #expect(try given.when(.createWorkflow(new)).wrongFields ?? [] == wrong)
    }

    @Test(arguments: [
        WorkflowChanges(name: "weekly"), WorkflowChanges(description: .set(nil)),
        WorkflowChanges(description: .set("other")), WorkflowChanges(runTimeoutSeconds: 61),
        WorkflowChanges(retry: .once), WorkflowChanges(isPaused: true),
        WorkflowChanges(
            name: "weekly", description: .set(""), runTimeoutSeconds: 1, retry: .once,
            isPaused: true),
    ])
    func `a workflow takes a change of any field`(_ changes: WorkflowChanges) throws {
        var (given, id) = try workflow()
        let modified = WorkflowModified(
            workflow: id, previous: given.position(of: id), changes: changes)
        #expect(
            try given.when(.modifyWorkflow(id, changes)) == .events([.workflowModified(modified)]))
        var expected = try #require(given.state.workflow(id, of: given.team))
        try given.happened(.modifyWorkflow(id, changes))
        if let name = changes.name { expected.name = name }
        if case .set(let text) = changes.description { expected.description = text }
        if let seconds = changes.runTimeoutSeconds { expected.runTimeoutSeconds = seconds }
        if let retry = changes.retry { expected.retry = retry }
        if let isPaused = changes.isPaused { expected.isPaused = isPaused }
        expected.revision = 2
        expected.touched.updatedAt = .second(5)
        expected.touched.position = given.position(of: id)
        #expect(given.state.workflow(id, of: given.team) == expected)
    }

    @Test(arguments: [
        WorkflowChanges(), WorkflowChanges(name: "nightly"),
        WorkflowChanges(description: .set("report")), WorkflowChanges(runTimeoutSeconds: 60),
        WorkflowChanges(retry: .thrice), WorkflowChanges(isPaused: false),
        WorkflowChanges(
            name: "nightly", description: .set("report"), runTimeoutSeconds: 60, retry: .thrice,
            isPaused: false),
    ])
    func `a change to what is there already is no event`(_ changes: WorkflowChanges) throws {
        let (given, id) = try workflow()
        #expect(try given.when(.modifyWorkflow(id, changes)) == .nothing)
    }

    @Test func `only what really changes is in the event`() throws {
        let (given, id) = try workflow()
        let asked = WorkflowChanges(
            name: "nightly", description: .set("report"), runTimeoutSeconds: 7, retry: .thrice)
        let modified = WorkflowModified(
            workflow: id, previous: given.position(of: id),
            changes: WorkflowChanges(runTimeoutSeconds: 7))
        #expect(
            try given.when(.modifyWorkflow(id, asked)) == .events([.workflowModified(modified)]))
    }

    @Test(arguments: [
        (WorkflowChanges(name: ""), ["name"]),
        (
            WorkflowChanges(description: .set(String(repeating: "d", count: 4_001))),
            ["description"]
        ),
        (WorkflowChanges(runTimeoutSeconds: 0), ["run_timeout_seconds"]),
        (
            WorkflowChanges(
                retry: RetryPolicy(
                    maxAttempts: 1, initialBackoffSeconds: 9, maxBackoffSeconds: 8)),
            ["retry/max_backoff_seconds"]
        ),
    ])
    func `a change is held to the bounds of a workflow`(
        _ changes: WorkflowChanges, _ wrong: [String]
    ) throws {
        let (given, id) = try workflow()
        #expect(try given.when(.modifyWorkflow(id, changes)).wrongFields == wrong)
    }

    @Test func `a cap can be set, within its bounds`() throws {
        var (given, id) = try workflow()
        for maximum in [0, 3, 1_000_000] {
            let set = ConcurrencySet(
                workflow: id, previous: given.position(of: id), maxConcurrentRuns: maximum)
            #expect(
                try given.when(.setConcurrency(id, maxConcurrentRuns: maximum))
                    == .events([.concurrencySet(set)]))
        }
        #expect(try given.when(.setConcurrency(id, maxConcurrentRuns: 2)) == .nothing)
        for maximum in [-1, 1_000_001] {
            #expect(
                try given.when(.setConcurrency(id, maxConcurrentRuns: maximum)).wrongFields
                    == ["max_concurrent_runs"])
        }
        try given.happened(.setConcurrency(id, maxConcurrentRuns: 7))
        let row = try #require(given.state.workflow(id, of: given.team))
        #expect(row.maxConcurrentRuns == 7 && row.revision == 2)
    }

    @Test func `a replaced secret holds for another day`() throws {
        var (given, id) = try workflow()
        let rotated = SecretRotated(
            workflow: id, previous: given.position(of: id), secret: .number(2),
            oldEndsAt: .second(5 + 86_400))
        #expect(
            try given.when(.rotateSecret(id, .number(2))) == .events([.secretRotated(rotated)]))
        try given.happened(.rotateSecret(id, .number(2)))
        try given.happened(.rotateSecret(id, .number(3)))
        let row = try #require(given.state.workflow(id, of: given.team))
        #expect(row.secret == .number(3) && row.revision == 3)
        #expect(
            row.previousSecret
                == Workflow.PreviousSecret(secret: .number(2), endsAt: .second(5 + 86_400)))
    }

    @Test func `If-Match holds the workflow's revision in every command about it`() throws {
        var (given, id) = try workflow()
        try given.happened(.saveVersion(id, NewVersion()))
        let commands: [Command] = [
            .modifyWorkflow(id, WorkflowChanges(name: "x")), .modifyWorkflow(id, WorkflowChanges()),
            .setConcurrency(id, maxConcurrentRuns: 9), .rotateSecret(id, .number(2)),
            .editDraft(id, .echo), .saveVersion(id, NewVersion()),
            .renameVersion(id, number: 1, name: "x"), .activateVersion(id, number: 1),
        ]
        for command in commands {
            #expect(
                try given.when(command, ifMatch: [1, 3]) == .refused(.revisionMismatch(current: 2)),
                "\(command.name)")
            guard case .events = try given.when(command, ifMatch: [2]) else {
                Issue.record("\(command.name) is refused under the right revision")
                continue
            }
        }
    }

    @Test func `another team's workflow is like one that is not there`() throws {
        var (given, id) = try workflow()
        let other = try given.newTeam("other")
        for (id, team) in [(id, other), (WorkflowID.number(99), given.team)] {
            let commands: [Command] = [
                .modifyWorkflow(id, WorkflowChanges(name: "")),
                .setConcurrency(id, maxConcurrentRuns: -1), .rotateSecret(id, .number(2)),
                .editDraft(id, .echo), .saveVersion(id, NewVersion(source: 9)),
                .renameVersion(id, number: 0, name: ""), .activateVersion(id, number: 0),
                .createSchedule(id, NewSchedule(scheduledTime: .epoch)),
                .execute(id, NewRun(priority: 99)),
            ]
            for command in commands {
                #expect(
                    try given.when(command, team: team, ifMatch: [77])
                        == .refused(.notFound(.workflow)), "\(command.name)")
            }
        }
    }
}
