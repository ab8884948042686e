import DaybookCore
import DaybookStore
import Support
import Testing

/// A command about one run.
enum RunCommand: CaseIterable, CustomTestStringConvertible {
    case renewLease, accept, release, complete, fail, reap, retry, expire, cancelRun

    var testDescription: String { "\(self)" }

    /// Whether it is an answer about an attempt of a run in progress.
    var isAnswer: Bool {
        switch self {
        case .renewLease, .accept, .release, .complete, .fail, .reap: true
        case .retry, .expire, .cancelRun: false
        }
    }

    func command(_ id: RunID, attempt: Int) -> Command {
        switch self {
        case .renewLease: .renewLease(id, attempt: attempt)
        case .accept: .accept(id, attempt: attempt)
        case .release: .release(id, attempt: attempt)
        case .complete: .complete(id, attempt: attempt, output: nil)
        case .fail: .fail(id, attempt: attempt, Failure(reason: .error))
        case .reap: .reap(id, attempt: attempt)
        case .retry: .retry(id, attempt: attempt)
        case .expire: .expire(id)
        case .cancelRun: .cancelRun(id)
        }
    }

    /// Whether the command is legal in the scene, the moment and the attempt being right.
    func isLegal(in scene: RunScene) -> Bool {
        switch self {
        case .renewLease, .accept, .release, .complete, .fail, .reap:
            scene.status == .inProgress
        case .retry: scene == .waiting
        case .expire: scene == .queued
        case .cancelRun: !scene.status.isFinal
        }
    }
}

@Suite("Which commands a run takes")
struct RunLegalityTests {
    /// Past every deadline, lease, next try and end that a scene has.
    private static let late = Instant.second(10_000)

    @Test(arguments: RunScene.allCases, RunCommand.allCases)
    func `a run takes a command only in the states for it`(
        _ scene: RunScene, _ command: RunCommand
    ) throws {
        let setting = try scene.setting(expiresAt: .second(9_000))
        var given = setting.given
        given.now = Self.late
        let judged = try given.when(command.command(setting.id, attempt: scene.attempt))
        if command.isLegal(in: scene) {
            guard case .events(let events) = judged else {
                Issue.record("refused: \(judged)")
                return
            }
            // A run without a lease has none to renew, an accepted one is accepted: no event.
            let changesNothing =
                (command == .renewLease && scene != .leased)
                || (command == .accept && scene == .accepted)
            #expect(events.isEmpty == changesNothing)
        } else {
            let position = given.position(of: setting.id)
            #expect(judged == .refused(.runState(scene.status, position: position)))
        }
        #expect(setting.run?.status == scene.status)
    }

    @Test(arguments: RunScene.startedOnes, RunCommand.allCases.filter(\.isAnswer))
    func `an answer about another attempt is stale`(
        _ scene: RunScene, _ command: RunCommand
    ) throws {
        let setting = try scene.setting()
        var given = setting.given
        given.now = Self.late
        let position = given.position(of: setting.id)
        for attempt in [0, 2, -1, Int.max] {
            #expect(
                try given.when(command.command(setting.id, attempt: attempt))
                    == .refused(.staleAttempt(current: 1, position: position)))
        }
    }

    @Test func `an answer about an earlier attempt stays stale after the next start`() throws {
        let setting = try RunScene.waiting.setting()
        var given = setting.given
        given.now = .second(40)
        try given.happened(.retry(setting.id, attempt: 1))
        try given.start(leaseSeconds: 60)
        let position = given.position(of: setting.id)
        given.now = Self.late
        for command in RunCommand.allCases where command.isAnswer {
            #expect(
                try given.when(command.command(setting.id, attempt: 1))
                    == .refused(.staleAttempt(current: 2, position: position)))
            #expect(
                try given.when(command.command(setting.id, attempt: 2))
                    != .refused(.staleAttempt(current: 2, position: position)))
        }
    }

    @Test(arguments: RunScene.allCases)
    func `a wrong attempt is told only of a run in progress`(_ scene: RunScene) throws {
        guard scene.status != .inProgress else { return }
        let setting = try scene.setting()
        let position = setting.given.position(of: setting.id)
        for command in RunCommand.allCases where command.isAnswer {
            #expect(
                try setting.given.when(command.command(setting.id, attempt: 99))
                    == .refused(.runState(scene.status, position: position)))
        }
    }

    @Test(arguments: RunCommand.allCases)
    func `a run that is not there is not found`(_ command: RunCommand) throws {
        let given = try Given()
        #expect(
            try given.when(command.command(.number(99), attempt: 1)) == .refused(.notFound(.run)))
    }

    @Test(arguments: RunScene.allCases, RunCommand.allCases)
    func `another team's run is like one that is not there`(
        _ scene: RunScene, _ command: RunCommand
    ) throws {
        let setting = try scene.setting(expiresAt: .second(9_000))
        var given = setting.given
        let other = try given.newTeam("other")
        given.now = Self.late
        #expect(
            try given.when(command.command(setting.id, attempt: scene.attempt), team: other)
                == .refused(.notFound(.run)))
    }
}
