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
        /// But so many in any case.
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
        let underWay = UnderWay()
        let follower = engine.feed.follow { [engine] entries in
            for event in entries.lazy.flatMap(\.events) {
                // A new address or secret gets a new chance.
                switch event {
                case .subscriptionModified(let event):
                    engine.circuits.forget(event.subscription)
                case .subscriptionDeleted(let event):
                    engine.circuits.forget(event.subscription)
                default: break
                }
            }
            if entries.isEmpty
                || entries.contains(where: { $0.events.contains(where: \.concernsDeliveries) })
            {
                bell.ring()
            }
        }
        defer { engine.feed.unfollow(follower) }
        await cancelWhenGracefulShutdown {
            await engine.ready()
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    let next = startSome(underWay, bell, in: &group)
                    await bell.wait(until: next, engine.clock)
                }
                group.cancelAll()
            }
        }
    }

    /// Starts what may be sent now; tells when there may be more.
    private func startSome(
        _ underWay: UnderWay, _ bell: Bell, in group: inout DiscardingTaskGroup
    ) -> Instant {
        let now = engine.clock.now()
        // So often what nobody rings for is looked at: the clock, an endpoint that was left alone.
        let fallback = now.adding(seconds: 5)
        guard !engine.isCopy, engine.clockJudgement == .good else { return fallback }
        do {
            // Before the snapshot: what ends meanwhile must not look as if it waited.
            let sending = underWay.bySubscription
            let step = try engine.read { view in
                try DeliveryStep.next(view, now: now, underWay: { sending[$0] ?? [] }) {
                    subscription in
                    room(of: subscription, sending[subscription]?.count ?? 0, now)
                }
            }
            for ready in step.ready {
                let (all, ofTeam) = underWay.counts(of: ready.delivery.team)
                guard all < limits.underWay else { break }
                guard ofTeam < max(limits.perTeam, (limits.underWay - all) / 2) else { continue }
                underWay.add(ready.delivery)
                group.addTask {
                    await deliver(ready)
                    underWay.remove(ready.delivery)
                    bell.ring()
                }
            }
            return min(step.next ?? fallback, fallback)
        } catch {
            logger.error("deliveries cannot be read", metadata: ["error": "\(error)"])
            return now.adding(seconds: 1)
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

    private func deliver(_ ready: ReadyDelivery) async {
        let delivery = ready.delivery
        let start = engine.clock.now()
        guard let subscription = ready.subscription else {
            await engine.record(
                delivery,
                DeliveryAttempt(
                    number: 0, startedAt: start, latencyMilliseconds: 0, statusCode: nil,
                    error: "the subscription was deleted", answer: nil),
                .cancelled, answer: nil)
            return
        }
        let result = await attempt(delivery, to: subscription)
        guard let result else { return }
        if result.verdict == .delivered {
            engine.circuits.succeeded(subscription.id)
        } else if case .failedForNow = result.verdict {
            engine.circuits.failed(subscription.id, at: engine.clock.now())
        }
        let answer = result.answer.isEmpty ? nil : engine.salted(result.answer)
        await engine.record(
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
        do {
            let url = try OutboundURL(subscription.url)
            let request = try request(for: delivery, to: subscription, url)
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
            guard !Task.isCancelled else { return nil }
            // The status says it all: that its body broke off or was too slow changes nothing.
            if let result = heard.withLock({ $0 }) { return result }
            return Result(
                verdict: .failedForNow(retryAfterSeconds: nil),
                error: message(of: error, subscription))
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

    private func message(of error: any Error, _ subscription: Subscription) -> String {
        if let refusal = error as? EgressRefusal { return "the url \(refusal.message)" }
        if AnswerRules.isTimeout(error) {
            return "no answer within \(subscription.timeoutSeconds) s"
        }
        return String("no answer: \(error)".prefix(300))
    }
}

/// The deliveries that are being sent.
private final class UnderWay: Sendable {
    private struct State {
        var bySubscription: [SubscriptionID: Set<DeliveryID>] = [:]
        var byTeam: [TeamID: Int] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    var bySubscription: [SubscriptionID: Set<DeliveryID>] { state.withLock { $0.bySubscription } }

    func counts(of team: TeamID) -> (all: Int, ofTeam: Int) {
        state.withLock { ($0.count, $0.byTeam[team] ?? 0) }
    }

    func add(_ delivery: Delivery) {
        state.withLock { state in
            state.bySubscription[delivery.subscription, default: []].insert(delivery.id)
            state.byTeam[delivery.team, default: 0] += 1
            state.count += 1
        }
    }

    func remove(_ delivery: Delivery) {
        state.withLock { state in
            state.bySubscription[delivery.subscription]?.remove(delivery.id)
            if state.bySubscription[delivery.subscription]?.isEmpty == true {
                state.bySubscription[delivery.subscription] = nil
            }
            state.byTeam[delivery.team, default: 0] -= 1
            if state.byTeam[delivery.team] == 0 { state.byTeam[delivery.team] = nil }
            state.count -= 1
        }
    }
}
