import AsyncHTTPClient
import DaybookCore
import DaybookEngine
import DaybookWire
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization

/// Sends deliveries to their subscriptions, each at least once, until it succeeded or failed for good.
package struct DelivererService: Service {
    package struct Limits: Sendable {
        /// Deliveries under way to one subscription.
        package var perEndpoint = 2
        /// Deliveries under way to all of them. Slow ones hold theirs for up to a minute, so a team takes no more
        /// than half of what is left.
        package var underWay = 1_000
        /// But each team has so many of its own.
        package var perTeam = 8
        /// What is kept of an answer.
        package var answerBytes = 4 << 10
        package var retryAfterSeconds = 1...1_800

        package init() {}
    }

    private let engine: Engine
    private let clients: OutboundClients
    private let limits: Limits
    private let logger: Logger

    package init(
        engine: Engine, clients: OutboundClients, limits: Limits = Limits(), logger: Logger
    ) {
        self.engine = engine
        self.clients = clients
        self.limits = limits
        self.logger = logger
    }

    package func run() async throws {
        let bell = Bell()
        let agenda = DeliveryAgenda()
        let underWay = DeliveriesUnderWay()
        let follower = engine.feed.follow { [engine] entries in
            for event in entries.lazy.flatMap(\.events) {
                // What was changed gets a new chance.
                switch event {
                case .subscriptionModified(let event):
                    engine.circuits.forget(event.subscription)
                case .subscriptionSecretRotated(let event):
                    engine.circuits.forget(event.subscription)
                case .subscriptionDeleted(let event):
                    engine.circuits.forget(event.subscription)
                default: break
                }
            }
            if agenda.note(entries) { bell.ring() }
        }
        defer { engine.feed.unfollow(follower) }
        await cancelWhenGracefulShutdown {
            await engine.ready()
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    startSome(agenda, underWay, bell, in: &group)
                    await bell.wait(until: agenda.next, engine.clock)
                }
                group.cancelAll()
            }
        }
    }

    /// Starts what may be sent now.
    private func startSome(
        _ agenda: DeliveryAgenda, _ underWay: DeliveriesUnderWay, _ bell: Bell,
        in group: inout DiscardingTaskGroup
    ) {
        let now = engine.clock.now()
        do {
            let isOpen = !engine.isCopy && engine.clockJudgement == .good
            if agenda.takeFullLook(at: now), isOpen {
                for team in try engine.teamsWithDeliveries() {
                    agenda.note(team, at: now)
                }
            }
            let teams = agenda.take(at: now)
            guard isOpen else { return }
            // Who has the fewest under way comes first.
            let counts = teams.map { (team: $0, count: underWay.counts(of: $0).ofTeam) }
            for (team, _) in (counts.sorted { $0.count < $1.count }) {
                // Before the snapshot: what ends meanwhile must not look as if it waited.
                let sending = underWay.bySubscription
                let step = try engine.read { view in
                    try DeliveryStep.next(
                        view, of: team, now: now, underWay: { sending[$0] ?? [] }
                    ) { subscription in
                        room(of: subscription, sending[subscription]?.count ?? 0, now)
                    }
                }
                if let next = step.next { agenda.note(team, at: next) }
                for ready in step.ready {
                    let (all, ofTeam) = underWay.counts(of: team)
                    guard ofTeam < max(limits.perTeam, (limits.underWay - all) / 2) else {
                        agenda.postpone(team)
                        break
                    }
                    underWay.add(ready.delivery)
                    group.addTask {
                        // What could not be recorded is not sent again by this process.
                        guard await deliver(ready) else { return }
                        underWay.remove(ready.delivery)
                        agenda.noteEnd(of: team, at: engine.clock.now())
                        bell.ring()
                    }
                }
            }
        } catch {
            logger.error("deliveries cannot be read", metadata: ["error": "\(error)"])
        }
    }

    private func room(
        of subscription: SubscriptionID, _ sending: Int, _ now: Instant
    ) -> EndpointRoom {
        switch engine.circuits.state(of: subscription, at: now) {
        case .open(let end): .closed(until: end)
        case .halfOpen: .open(max(0, 1 - sending))
        case .closed: .open(max(0, limits.perEndpoint - sending))
        }
    }

    /// - Returns: whether it may be looked at again.
    private func deliver(_ ready: ReadyDelivery) async -> Bool {
        let delivery = ready.delivery
        let start = engine.clock.now()
        guard let subscription = ready.subscription else {
            return await engine.record(
                delivery,
                DeliveryAttempt(
                    number: 0, startedAt: start, latencyMilliseconds: 0, statusCode: nil,
                    error: "the subscription was deleted", answer: nil),
                .cancelled, answer: nil)
        }
        let result = await attempt(delivery, to: subscription)
        guard let result else { return true }
        if case .failedForNow = result.verdict {
            engine.circuits.failed(subscription.id, at: engine.clock.now())
        } else {
            // Whatever it says, somebody is there.
            engine.circuits.succeeded(subscription.id)
        }
        let answer = result.answer.isEmpty ? nil : engine.salted(result.answer)
        return await engine.record(
            delivery,
            DeliveryAttempt(
                number: delivery.attempts + 1, startedAt: start,
                latencyMilliseconds: Int(
                    min(max(0, engine.clock.now().milliseconds(since: start)), 86_400_000)),
                statusCode: result.statusCode, error: result.error, answer: answer?.payload),
            result.verdict, answer: answer)
    }

    private struct Result: Sendable {
        var verdict: DeliveryVerdict
        var statusCode: Int?
        var error: String?
        var answer: [UInt8] = []
    }

    /// Sends it once; `nil` where the service stops meanwhile: then it is sent again at the next start.
    private func attempt(_ delivery: Delivery, to subscription: Subscription) async -> Result? {
        let heard = Mutex<Result?>(nil)
        let (url, request): (OutboundURL, HTTPClientRequest)
        do {
            url = try OutboundURL(subscription.url)
            request = try self.request(for: delivery, to: subscription, url)
        } catch {
            // Our own fault and not the receiver's: it costs no try.
            logger.error(
                "a delivery cannot be made",
                metadata: ["delivery_id": "\(delivery.id)", "error": "\(error)"])
            engine.circuits.hold(subscription.id, until: engine.clock.now().adding(seconds: 60))
            return nil
        }
        do {
            try await clients.exchange(
                request, with: url, seconds: subscription.timeoutSeconds
            ) { response in
                heard.withLock { $0 = result(of: response) }
                for try await part in response.body {
                    let isEnough = heard.withLock { result in
                        guard let kept = result?.answer.count else { return true }
                        result?.answer += part.readableBytesView.prefix(limits.answerBytes - kept)
                        return kept + part.readableBytes >= limits.answerBytes
                    }
                    if isEnough { break }
                }
            }
            return heard.withLock { $0 }
        } catch {
            // The status says it all: that its body broke off or was too slow changes nothing.
            if let result = heard.withLock({ $0 }) { return result }
            guard !Task.isCancelled else { return nil }
            return Result(
                verdict: .failedForNow(retryAfterSeconds: nil),
                error: AnswerRules.message(of: error, seconds: subscription.timeoutSeconds))
        }
    }

    private func request(
        for delivery: Delivery, to subscription: Subscription, _ url: OutboundURL
    ) throws -> HTTPClientRequest {
        let material = try engine.material(for: delivery, to: subscription)
        let body = delivery.body(output: material.output, errorMessage: material.errorMessage)
        var request = HTTPClientRequest(url: url.text)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "Daybook")
        if let token = material.bearerToken {
            request.headers.add(name: "Authorization", value: "Bearer \(token)")
        }
        let signed = StandardWebhooks.headers(
            id: delivery.id.description, now: engine.clock.now(), body: body,
            secrets: material.secrets.compactMap { WebhookSecret(bytes: $0) })
        for (name, value) in signed { request.headers.add(name: name, value: value) }
        if let trace = material.traceparent {
            request.headers.add(name: "traceparent", value: trace)
        }
        request.body = .bytes(ByteBuffer(bytes: body))
        return request
    }

    private func result(of response: HTTPClientResponse) -> Result {
        let status = Int(response.status.code)
        var result = Result(verdict: .failedForGood, statusCode: status)
        switch status {
        case 200..<300: result.verdict = .delivered
        case 410: result.verdict = .gone
        case _ where AnswerRules.mayPass(status) || (500..<600).contains(status):
            result.verdict = .failedForNow(
                retryAfterSeconds: AnswerRules.retryAfter(
                    response.headers, within: limits.retryAfterSeconds, now: engine.clock.now()))
        default: break
        }
        if result.verdict != .delivered { result.error = "the answer was \(status)" }
        return result
    }
}
