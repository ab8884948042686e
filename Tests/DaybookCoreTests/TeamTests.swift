import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Teams and keys")
struct TeamTests {
    @Test func `a team is made with its license`() throws {
        var given = try Given()
        let id = TeamID(given.nextID)
        let created = TeamCreated(team: id, name: "new", maxConcurrentRuns: 0)
        let command = Command.createTeam(name: "new", maxConcurrentRuns: 0)
        #expect(try given.when(command) == .events([.teamCreated(created)]))
        try given.happened(command)
        let header = try #require(given.entries.last?.header)
        #expect(header.team == id)
        #expect(
            given.state.team(id)
                == Team(
                    id: id, name: "new", maxConcurrentRuns: 0, triggers: 0, subscriptions: 0,
                    lastSubscription: 0, operations: 0, revision: 1,
                    touched: Touched(created: header)))
    }

    @Test(arguments: [
        ("n", 0, []), ("n", 1_000_000, []), ("", -1, ["name", "max_concurrent_runs"]),
        ("n", 1_000_001, ["max_concurrent_runs"]),
        (String(repeating: "n", count: 151), 1, ["name"]),
    ])
    func `a team is held to its bounds`(_ name: String, _ limit: Int, _ wrong: [String]) throws {
        let given = try Given()
        let command = Command.createTeam(name: name, maxConcurrentRuns: limit)
        #expect(try given.when(command).wrongFields ?? [] == wrong)
    }

    @Test func `a license can be set, within its bounds`() throws {
        var given = try Given(teamLimit: 3)
        let team = given.team
        let set = LicenseSet(team: team, previous: 2, maxConcurrentRuns: 4)
        let command = Command.setLicense(team: team, maxConcurrentRuns: 4)
        #expect(try given.when(command) == .events([.licenseSet(set)]))
        #expect(try given.when(.setLicense(team: team, maxConcurrentRuns: 3)) == .nothing)
        for limit in [-1, 1_000_001] {
            #expect(
                try given.when(.setLicense(team: team, maxConcurrentRuns: limit)).wrongFields
                    == ["max_concurrent_runs"])
        }
        #expect(
            try given.when(command, ifMatch: [2]) == .refused(.revisionMismatch(current: 1)))
        try given.happened(command)
        let row = try #require(given.state.team(team))
        #expect(row.maxConcurrentRuns == 4 && row.revision == 2 && row.touched.position == 3)
        #expect(
            try given.when(.setLicense(team: .number(99), maxConcurrentRuns: -1))
                == .refused(.notFound(.team)))
    }

    @Test(arguments: Role.allCases)
    func `a key is made with its role`(_ role: Role) throws {
        var given = try Given()
        let new = NewKey(
            role: role, name: "ci", secretDigest: .filled(3), expiresAt: .second(60))
        let id = KeyID(given.nextID)
        let created = KeyCreated(
            key: id, role: role, name: "ci", secretDigest: .filled(3), expiresAt: .second(60))
        #expect(try given.when(.createKey(new)) == .events([.keyCreated(created)]))
        try given.happened(.createKey(new))
        let header = try #require(given.entries.last?.header)
        #expect(
            given.state.apiKey(id)
                == APIKey(
                    id: id, team: given.team, role: role, name: "ci", secretDigest: .filled(3),
                    expiresAt: .second(60), revokedAt: nil, lastUsedAt: nil,
                    touched: Touched(created: header)))
    }

    @Test func `a key is held to its bounds, and to a team that is there`() throws {
        let given = try Given()
        func key(_ name: String, _ end: Instant?) -> Command {
            .createKey(
                NewKey(role: .read, name: name, secretDigest: .filled(3), expiresAt: end))
        }
        #expect(try given.when(key("", .dayOne)).wrongFields == ["name", "expires_at"])
        #expect(try given.when(key("n", nil)).onlyEvent != nil)
        #expect(
            try given.when(key("", nil), team: .number(99)) == .refused(.notFound(.team)))
    }

    @Test func `a key is revoked once; a second time changes nothing`() throws {
        var given = try Given()
        let key = try given.newKey(.read)
        let other = try given.newTeam("other")
        let revoked = KeyRevoked(key: key, previous: 3)
        #expect(try given.when(.revokeKey(key)) == .events([.keyRevoked(revoked)]))
        #expect(try given.when(.revokeKey(key), team: other) == .refused(.notFound(.key)))
        #expect(try given.when(.revokeKey(.number(99))) == .refused(.notFound(.key)))
        // Of two administrators that are revoked at once, one stays.
        let besides = try given.when(.revokeKey(key, besides: .number(99)))
        #expect(besides == .refused(.changedMeanwhile))
        given.now = .second(7)
        try given.happened(.revokeKey(key))
        #expect(given.state.apiKey(key)?.revokedAt == .second(7))
        #expect(try given.when(.revokeKey(key)) == .nothing)
    }
}

@Suite("Who may ask for what")
struct RightsTests {
    /// One command of every kind, about objects that are there and take it.
    private struct Everything {
        var given: Given
        let commands: [Command]

        init() throws {
            given = try Given()
            let workflow = try given.newWorkflow(retry: .thrice)
            let id = try given.newSchedule(of: workflow, at: .second(60))
            let run = try given.newRun(of: workflow)
            try given.start(leaseSeconds: 60)
            _ = try given.newRun(of: workflow)
            let waiting = try given.newRun(of: workflow, priority: 9)
            try given.start()
            try given.happened(.fail(waiting, attempt: 1, Failure(reason: .error)))
            let expiring = try given.newRun(of: workflow, priority: 0, expiresAt: .second(70))
            let key = try given.newKey(.read)
            given.now = .second(5_000)
            let new = NewWorkflow(name: "n", definition: .echo, secret: .number(1))
            commands = [
                .start, .stop, .pause, .resume, .trustClock,
                .createTeam(name: "n", maxConcurrentRuns: 1),
                .setLicense(team: given.team, maxConcurrentRuns: 1),
                .createKey(
                    NewKey(role: .read, name: "n", secretDigest: .filled(1), expiresAt: nil)),
                .revokeKey(key), .createWorkflow(new),
                .modifyWorkflow(workflow, WorkflowChanges(name: "n")),
                .setConcurrency(workflow, maxConcurrentRuns: 9),
                .rotateSecret(workflow, .number(2)), .editDraft(workflow, .http),
                .saveVersion(workflow, NewVersion()),
                .renameVersion(workflow, number: 0, name: "n"),
                .activateVersion(workflow, number: 0),
                .createSchedule(workflow, NewSchedule(scheduledTime: .second(9_999))),
                .modifySchedule(id, ScheduleChanges(priority: 1)), .cancelSchedule(id),
                .fire(id, revision: 1), .execute(workflow, NewRun()),
                .claim(.echo, worker: nil, leaseSeconds: nil), .renewLease(run, attempt: 1),
                .accept(run, attempt: 1), .release(run, attempt: 1),
                .complete(run, attempt: 1, output: nil),
                .fail(run, attempt: 1, Failure(reason: .error)), .reap(run, attempt: 1),
                .retry(waiting, attempt: 1), .expire(expiring), .cancelRun(run),
            ]
        }
    }

    private static let needs: [CommandName: Role?] = {
        var needs: [CommandName: Role?] = [:]
        for name: CommandName in [
            .initialise, .start, .stop, .fire, .accept, .reap, .retry, .expire,
        ] { needs[name] = .some(nil) }
        for name: CommandName in [
            .pause, .resume, .trustClock, .createTeam, .setLicense, .createKey, .revokeKey,
        ] { needs[name] = .admin }
        for name: CommandName in [.claim, .renewLease, .release, .complete, .fail] {
            needs[name] = .work
        }
        for name: CommandName in [
            .createWorkflow, .modifyWorkflow, .setConcurrency, .rotateSecret, .editDraft,
            .saveVersion, .renameVersion, .activateVersion, .createSchedule, .modifySchedule,
            .cancelSchedule, .execute, .cancelRun,
        ] { needs[name] = .write }
        return needs
    }()

    @Test(arguments: Role.allCases)
    func `a role may do what it is for, and what the service does itself no key may`(
        _ role: Role
    ) throws {
        var everything = try Everything()
        let key = try everything.given.newKey(role)
        for command in everything.commands {
            let needed = try #require(Self.needs[command.name], "\(command.name)")
            let judged = try everything.given.when(command, by: .key(key))
            let isAllowed: Bool =
                switch needed {
                case nil: false
                case .read?: true
                case .work?: role != .read
                case .write?: role == .write || role == .admin
                case .admin?: role == .admin
                }
            if isAllowed {
                #expect(judged == (try everything.given.when(command)), "\(command.name)")
                guard case .events = judged else {
                    Issue.record("\(role) is refused \(command.name): \(judged)")
                    continue
                }
            } else {
                #expect(judged == .refused(.notAllowed(needs: needed ?? .admin)))
            }
        }
    }

    @Test func `every command of the vocabulary needs what this table says`() throws {
        for command in try Everything().commands + [.initialise(logID: [])] {
            #expect(try #require(Self.needs[command.name]) == command.requiredRole)
        }
    }

    @Test func `a key that is revoked, expired or not there asks for nothing`() throws {
        var everything = try Everything()
        let revoked = try everything.given.newKey(.admin)
        try everything.given.happened(.revokeKey(revoked))
        let expired = try everything.given.newKey(.admin, expiresAt: .second(5_010))
        for command in everything.commands + [.cancelRun(.number(99))] {
            for key in [revoked, .number(99)] {
                #expect(
                    try everything.given.when(command, by: .key(key))
                        == .refused(.notAuthenticated))
            }
        }
        everything.given.now = .second(5_010).adding(microseconds: -1)
        #expect(try everything.given.when(.pause, by: .key(expired)) == .events([.paused]))
        everything.given.now = .second(5_010)
        #expect(
            try everything.given.when(.pause, by: .key(expired)) == .refused(.notAuthenticated))
    }

    @Test func `a key of another team finds nothing, an administrator's own commands aside`() throws
    {
        var everything = try Everything()
        let own = everything.given.team
        let other = try everything.given.newTeam("other")
        everything.given.team = other
        let key = try everything.given.newKey(.admin)
        everything.given.team = own
        for command in everything.commands {
            let judged = try everything.given.when(command, by: .key(key))
            switch Self.needs[command.name] {
            case .some(.admin?):
                guard case .events = judged else {
                    Issue.record("an administrator is refused \(command.name): \(judged)")
                    continue
                }
            case .some(nil): #expect(judged == .refused(.notAllowed(needs: .admin)))
            default: #expect(judged == .refused(.notFound(.team)), "\(command.name)")
            }
        }
    }
}
