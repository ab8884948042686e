import DaybookConnectors
import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Foundation
import Logging
import Support
import Synchronization

/// A running engine, to whose edge a test adds the services that it is about.
final class LiveEdge: Sendable {
    struct Refused: Error {
        let outcome: Outcome?
    }

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let engine: Engine
    let clock: ManualClock
    let clients: OutboundClients
    let team: TeamID
    private let commits: Mutex<AsyncStream<Void>.Continuation?>
    private let store: Store

    private init(
        _ disk: TestStore, _ clock: ManualClock, _ allowed: [String],
        _ resolver: any AddressResolver,
        _ commit: @escaping @Sendable (consuming Batch) throws -> Void
    ) async throws {
        self.clock = clock
        store = disk.store
        var settings = Settings.stepped
        settings.diskReserveBytes = 0
        settings.diskReserveFraction = 0
        engine = Engine(
            store: disk.store, secrets: try SecretKeys(path: disk.directory + "/secrets.keys"),
            settings: settings, clock: clock, logger: Self.logger, commit: commit)
        clients = OutboundClients(
            egress: EgressRules(allowed: try allowed.map { try CIDR($0) }), resolver: resolver,
            logger: Self.logger)
        commits = Mutex(nil)
        engine.start { _ in .filled(1) }
        await engine.ready()
        team = try engine.read { view in try view.teams().first?.id } ?? .lowest
    }

    /// Runs `body` with the engine going, and ends everything afterwards, whatever became of it.
    static func run(
        on disk: TestStore, clock: ManualClock = ManualClock(),
        allowed: [String] = ["127.0.0.0/8"], resolver: any AddressResolver = SystemResolver(),
        commit: @escaping @Sendable (consuming Batch) throws -> Void = { try $0.commit() },
        _ body: (LiveEdge) async throws -> Void
    ) async throws {
        let edge = try await LiveEdge(disk, clock, allowed, resolver, commit)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(edge))
        } catch {
            result = .failure(error)
        }
        await edge.engine.stop()
        await edge.clients.shutDown()
        try result.get()
    }

    /// Runs a service beside `body`.
    func with(
        _ service: @escaping @Sendable () async throws -> Void, _ body: () async throws -> Void
    ) async throws {
        let task = Task { try await service() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        task.cancel()
        _ = await task.result
        try result.get()
    }

    func delivering(
        _ limits: DelivererService.Limits = DelivererService.Limits(),
        _ body: () async throws -> Void
    ) async throws {
        let service = DelivererService(
            engine: engine, clients: clients, limits: limits, logger: Self.logger)
        try await with({ try await service.run() }, body)
    }

    @discardableResult
    func submit(
        _ command: Command, of team: TeamID? = nil, payload: SaltedPayload? = nil,
        traceparent: String? = nil
    ) async throws -> Answer {
        let outcome = await engine.submit(
            Submission(
                command, by: .system(.command), team: team ?? self.team,
                id: engine.newCommandID(), traceparent: traceparent, payload: payload))
        guard case .accepted(let accepted) = outcome else { throw Refused(outcome: outcome) }
        return accepted.answer
    }

    func otherTeam() async throws -> TeamID {
        guard
            case .team(let team) = try await submit(
                .createTeam(name: "other", maxConcurrentRuns: 5))
        else { throw Refused(outcome: nil) }
        return team.id
    }

    func workflow(of team: TeamID? = nil) async throws -> WorkflowID {
        let team = team ?? self.team
        guard
            case .workflow(let workflow) = try await submit(
                .createWorkflow(
                    NewWorkflow(
                        name: "w", definition: .worker("q"),
                        secret: engine.seal(Bench.secret, for: .workflowSecret, of: team))),
                of: team)
        else { throw Refused(outcome: nil) }
        return workflow.id
    }

    func subscription(
        _ url: String, _ actions: [Action] = [.workflowCreated], retries: Int = 3,
        backoff: Int = 10, timeout: Int = 10, token: String? = nil, of team: TeamID? = nil
    ) async throws -> SubscriptionID {
        let team = team ?? self.team
        guard
            case .subscription(let subscription) = try await submit(
                .createSubscription(
                    NewSubscription(
                        name: "s", url: url, actions: Actions(actions), timeoutSeconds: timeout,
                        maxRetries: retries, retryBackoffSeconds: backoff,
                        bearerToken: token.map {
                            engine.seal(Array($0.utf8), for: .bearerToken, of: team)
                        },
                        secret: engine.seal(Bench.secret, for: .subscriptionSecret, of: team))),
                of: team)
        else { throw Refused(outcome: nil) }
        return subscription.id
    }

    /// The deliveries of a subscription, newest first.
    func deliveries(
        of subscription: SubscriptionID, team: TeamID? = nil
    ) throws -> [Delivery] {
        var filter = DeliveryFilter()
        filter.subscription = subscription
        return try engine.deliveries(
            of: team ?? self.team, filter, after: nil, limit: 100, maximumBytes: .max
        ).items
    }

    /// Returns once the condition holds: it is asked anew after each commit.
    func until(_ condition: () throws -> Bool) async throws {
        let (news, one) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let follower = engine.feed.follow { _ in one.yield() }
        defer { engine.feed.unfollow(follower) }
        one.yield()
        for await _ in news where try condition() { return }
    }
}
