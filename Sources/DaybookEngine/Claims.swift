import DaybookCore
import DaybookStore
import Logging
import Synchronization

/// A worker's request for runs of one of its team's queues.
package struct ClaimRequest: Sendable {
    package let team: TeamID
    package let actor: Actor
    package let queue: String
    package let worker: String
    package let maximum: Int
    package let leaseSeconds: Int
    /// How long to wait for the first run.
    package let waitSeconds: Int
    /// The id of the first command.
    package let requestID: CommandID
    package let traceparent: String?
    /// One for each run up to `maximum`, or none.
    package let idempotency: [IdempotencyKey]

    package init(
        team: TeamID, actor: Actor, queue: String, worker: String, maximum: Int,
        leaseSeconds: Int, waitSeconds: Int, requestID: CommandID, traceparent: String? = nil,
        idempotency: [IdempotencyKey] = []
    ) {
        precondition(idempotency.isEmpty || idempotency.count == maximum)
        self.team = team
        self.actor = actor
        self.queue = queue
        self.worker = worker
        self.maximum = maximum
        self.leaseSeconds = leaseSeconds
        self.waitSeconds = waitSeconds
        self.requestID = requestID
        self.traceparent = traceparent
        self.idempotency = idempotency
    }
}

/// What became of a claim.
package enum Claimed: Sendable {
    /// The runs that were started, each with its entry; none where nothing could start in time.
    case runs([Accepted])
    case refused(Rejection)
    case unavailable(Unavailable)
}

extension Engine {
    /// Starts up to `maximum` runs for a worker, at once where there are some, otherwise as soon as
    /// a commit lets one start. Ends early, with what it has, when the task is cancelled or the
    /// service stops.
    package func claim(_ request: ClaimRequest) async -> Claimed {
        // By a clock that nobody sets.
        let deadline = clock.sinceBoot() + Int64(request.waitSeconds) * 1_000_000
        do {
            guard let scope = request.idempotency.first?.scope else {
                return try await startOrWait(request, until: deadline)
            }
            // The same request at the same time: one goes, the others hear what it was given.
            let patience = deadline + Int64(settings.commandSeconds) * 1_000_000
            while let other = flights.begin(scope) {
                let left = patience - clock.sinceBoot()
                guard left > 0 else { throw Unavailable.outcomeUnknown }
                guard !Task.isCancelled else { return .runs([]) }
                await other.wait(microseconds: left, clock)
            }
            defer { flights.end(scope) }
            if let again = try startedBefore(request) { return again }
            return try await startOrWait(request, until: deadline)
        } catch let reason as Unavailable {
            return .unavailable(reason)
        } catch {
            logger.error("startable runs cannot be read", metadata: ["error": "\(error)"])
            return .unavailable(.outcomeUnknown)
        }
    }

    private func startOrWait(
        _ request: ClaimRequest, until deadline: Int64
    ) async throws -> Claimed {
        if let refusal = refusal(of: request.command) { throw refusal }
        let place = Claimants.Place(team: request.team, queue: .worker(request.queue))
        let claimant = try claimants.enter(place, at: clock.now())
        var claimed = Claimed.runs([])
        defer { claimants.leave(claimant, gotSomething: claimed.hasRuns) }
        // The first command is submitted in any case: it has the claim itself judged.
        claimed = await start(max(1, try claimable(request)), for: request)
        while case .runs(let runs) = claimed, runs.isEmpty,
            case let left = deadline - clock.sinceBoot(), left > 0, !Task.isCancelled,
            !claimants.hasEnded
        {
            await claimant.bell.wait(microseconds: left, clock)
            claimants.look(claimant)
            if let refusal = refusal(of: request.command) { throw refusal }
            let count = try claimable(request)
            if count > 0, !Task.isCancelled { claimed = await start(count, for: request) }
        }
        return claimed
    }

    /// Gives back what was started for a worker that is gone before it could be told: queued again
    /// at its old place, no try counted. Where it cannot be said, the end of the lease says it.
    package func release(_ runs: [Run]) {
        post(
            runs.map { run in
                Submission(
                    .release(run.id, attempt: run.attempt), by: .system(.service),
                    team: run.team, id: newCommandID(), causation: run.startedPosition)
            }, in: .ends)
    }

    /// Says that runs which were just started failed: what they are to do cannot be read.
    package func fail(_ runs: [Run], because error: any Error) {
        logger.error("a run cannot be carried out", metadata: ["error": "\(error)"])
        post(
            runs.map { run in
                let message = salted(Array("the service cannot read what to do: \(error)".utf8))
                return Submission(
                    .fail(
                        run.id, attempt: run.attempt,
                        Failure(reason: .error, message: message.payload)),
                    by: .system(.service), team: run.team, id: newCommandID(),
                    causation: run.startedPosition, payload: message)
            }, in: .ends)
    }

    /// The runs that the same request was given before.
    private func startedBefore(_ request: ClaimRequest) throws -> Claimed? {
        guard let first = request.idempotency.first else { return nil }
        let now = clock.now()
        let kept = try read { view in
            var kept: [KeptAnswer] = []
            for key in request.idempotency {
                guard let answer = try view.keptAnswer(key.scope), now < answer.endsAt else {
                    break
                }
                kept.append(answer)
            }
            return kept
        }
        guard !kept.isEmpty else { return nil }
        guard kept[0].request == first.request else { return .refused(.idempotencyKeyReused) }
        return .runs(
            kept.map {
                Accepted(
                    position: $0.position, answer: $0.answer, isReplayed: true, isChange: false)
            })
    }

    private func claimable(_ request: ClaimRequest) throws -> Int {
        try read { view in
            try view.claimable(
                in: .worker(request.queue), of: request.team, maximum: request.maximum)
        }
    }

    private func start(_ count: Int, for request: ClaimRequest) async -> Claimed {
        let outcomes = await submitTogether(
            (0..<count).map { index in
                Submission(
                    request.command, by: request.actor, team: request.team,
                    id: index == 0 ? request.requestID : newCommandID(),
                    idempotency: request.idempotency.isEmpty ? nil : request.idempotency[index],
                    traceparent: request.traceparent)
            }, in: .requests)
        var accepted: [Accepted] = []
        var other: Claimed?
        for outcome in outcomes {
            switch outcome {
            case .accepted(let run): accepted.append(run)
            case .refused(.nothingStartable): break
            case .refused(let rejection): other = other ?? .refused(rejection)
            case .unavailable(let reason): other = other ?? .unavailable(reason)
            }
        }
        return accepted.isEmpty ? other ?? .runs([]) : .runs(accepted)
    }
}

extension ClaimRequest {
    fileprivate var command: Command {
        .claim(.worker(queue), worker: worker, leaseSeconds: leaseSeconds)
    }
}

extension Claimed {
    fileprivate var hasRuns: Bool {
        if case .runs(let runs) = self { !runs.isEmpty } else { false }
    }
}

/// Requests with an idempotency key that are under way, so that the same one does not go twice.
final class Flights: Sendable {
    private let state = Mutex<[Digest256: [Bell]]>([:])

    /// Begins a request; where the same one is under way, gives a bell that rings at its end instead.
    func begin(_ scope: Digest256) -> Bell? {
        state.withLock { state in
            guard state[scope] != nil else {
                state[scope] = []
                return nil
            }
            let bell = Bell()
            state[scope]?.append(bell)
            return bell
        }
    }

    func end(_ scope: Digest256) {
        for bell in state.withLock({ $0.removeValue(forKey: scope) }) ?? [] { bell.ring() }
    }
}
