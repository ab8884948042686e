import DaybookCore
import DaybookEngine
import DaybookWire
import Logging
import ServiceLifecycle

/// Reads the queues of all SQS triggers: what is received is committed, and only then deleted.
package struct SQSSourceService: Service {
    package struct Limits: Sendable {
        /// A request for messages waits so long for the first.
        package var waitSeconds = 20
        /// While a message waits to be committed it is hidden for so long again and again.
        package var extensionSeconds = 60
        /// So often it is looked what a queue's own rules are.
        package var attributesSeconds = 60
        /// The longest pause after failures.
        package var backoffSeconds = 60
        /// Readers of one queue at once.
        package var readers = 2
        package var inputBytes = 256 << 10

        package init() {}
    }

    private let engine: Engine
    private let clients: OutboundClients
    private let credentials: AWSCredentialChain
    private let limits: Limits
    private let logger: Logger

    package init(
        engine: Engine, clients: OutboundClients, credentials: AWSCredentialChain,
        limits: Limits = Limits(), logger: Logger
    ) {
        self.engine = engine
        self.clients = clients
        self.credentials = credentials
        self.limits = limits
        self.logger = logger
    }

    package func run() async throws {
        let bell = Bell()
        let follower = engine.feed.follow { entries in
            if entries.isEmpty
                || entries.contains(where: { $0.events.contains(where: \.concernsTriggers) })
            {
                bell.ring()
            }
        }
        defer { engine.feed.unfollow(follower) }
        await cancelWhenGracefulShutdown {
            await engine.ready()
            await withDiscardingTaskGroup { group in
                var running: [TriggerID: (revision: UInt64, task: Task<Void, Never>)] = [:]
                while !Task.isCancelled {
                    start(&running, in: &group)
                    // Looked at now and then in any case: a look may have failed.
                    await bell.wait(
                        until: engine.clock.now().adding(seconds: 5), engine.clock)
                }
                for reader in running.values { reader.task.cancel() }
                group.cancelAll()
            }
        }
    }

    /// Has exactly the triggers read that are enabled, each as it is now.
    private func start(
        _ running: inout [TriggerID: (revision: UInt64, task: Task<Void, Never>)],
        in group: inout DiscardingTaskGroup
    ) {
        let triggers: [Trigger]
        do {
            triggers = engine.isCopy ? [] : try engine.queueTriggers()
        } catch {
            logger.error("triggers cannot be read", metadata: ["error": "\(error)"])
            return
        }
        let revisions = Dictionary(
            triggers.map { ($0.id, $0.revision) }, uniquingKeysWith: { first, _ in first })
        for (id, reader) in running where revisions[id] != reader.revision {
            reader.task.cancel()
            running[id] = nil
        }
        engine.triggerActivity.keepOnly(health: Set(revisions.keys))
        for trigger in triggers where running[trigger.id] == nil {
            guard
                let configuration = TriggerConfiguration(stored: trigger.configuration, .sqs),
                case .sqs(let queue) = configuration.source
            else {
                engine.triggerActivity.note(
                    degraded: "its configuration does not read", trigger.id,
                    at: engine.clock.now())
                continue
            }
            let reader = SQSReader(
                engine: engine, trigger: trigger, configuration: configuration, queue: queue,
                client: SQSClient(
                    queue: queue, credentials: credentials, clients: clients,
                    clock: engine.clock),
                limits: limits, logger: logger)
            let task = Task { await reader.run() }
            running[trigger.id] = (trigger.revision, task)
            group.addTask {
                await withTaskCancellationHandler {
                    await task.value
                } onCancel: {
                    task.cancel()
                }
            }
        }
    }
}

extension Event {
    fileprivate var concernsTriggers: Bool {
        switch self {
        case .triggerCreated, .triggerModified, .triggerDeleted, .resumed: true
        default: false
        }
    }
}

/// Reads one queue for one trigger as it is.
private struct SQSReader: Sendable {
    let engine: Engine
    let trigger: Trigger
    let configuration: TriggerConfiguration
    let queue: TriggerConfiguration.SQSQueue
    let client: SQSClient
    let limits: SQSSourceService.Limits
    let logger: Logger

    /// The most that SQS gives at once.
    private static let batch = 10

    func run() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<limits.readers { group.addTask { await read() } }
        }
    }

    private func read() async {
        var failures = 0
        var attributes = SQSClient.QueueAttributes()
        var lookedAt: Instant?
        while !Task.isCancelled {
            do {
                guard try engine.mayFetch(Self.batch, for: trigger.team) else {
                    await pause(seconds: 1)
                    continue
                }
                let now = engine.clock.now()
                if lookedAt.map({ $0.adding(seconds: limits.attributesSeconds) <= now }) ?? true {
                    attributes = try await client.attributes()
                    lookedAt = now
                }
                let messages = try await client.receive(
                    Self.batch, waitSeconds: limits.waitSeconds)
                if engine.triggerActivity.note(degraded: nil, trigger.id, at: now) {
                    logger.notice("a queue is read again", metadata: about)
                }
                failures = 0
                guard !messages.isEmpty else { continue }
                if try engine.service().isPaused {
                    // Paused while it waited: nothing is received.
                    try await client.hide(messages, seconds: 0)
                    continue
                }
                await handle(messages, attributes)
            } catch {
                guard !Task.isCancelled else { return }
                failures += 1
                if engine.triggerActivity.note(
                    degraded: "\(error)", trigger.id, at: engine.clock.now())
                {
                    logger.warning(
                        "a queue cannot be read",
                        metadata: about.merging(["error": "\(error)"]) { $1 })
                }
                await pause(after: failures)
            }
        }
    }

    private var about: Logger.Metadata { ["trigger_id": "\(trigger.id)"] }

    private func pause(seconds: Int) async {
        try? await engine.clock.sleep(until: engine.clock.now().adding(seconds: seconds))
    }

    /// Doubling, less up to a half by chance, so that readers which failed together part.
    private func pause(after failures: Int) async {
        let full = min(1 << min(failures - 1, 10), limits.backoffSeconds) * 1_000_000
        let chance = engine.randomBytes(2).reduce(0) { $0 << 8 | Int($1) }
        let microseconds = Int64(full - full / 2 * chance / 65_536)
        try? await engine.clock.sleep(
            until: engine.clock.now().adding(microseconds: microseconds))
    }

    /// Sees to it that each message is committed and then deleted, or is left to the queue.
    private func handle(
        _ messages: [SQSClient.Message], _ attributes: SQSClient.QueueAttributes
    ) async {
        var waiting = messages.compactMap { message in
            received(message, attributes.hasRedrivePolicy).map { (message: message, received: $0) }
        }
        // Extended well before the time is over.
        var extendAt = engine.clock.now().adding(seconds: attributes.visibilitySeconds / 2)
        var tries = 0
        while !waiting.isEmpty, !Task.isCancelled {
            let receptions = await withTaskGroup(of: (Int, Reception).self) { group in
                for (index, one) in waiting.enumerated() {
                    group.addTask { (index, await engine.receive(one.received)) }
                }
                return await group.reduce(into: [Int: Reception]()) { $0[$1.0] = $1.1 }
            }
            var done: [SQSClient.Message] = []
            var left: [(message: SQSClient.Message, received: ReceivedMessage)] = []
            for (index, one) in waiting.enumerated() {
                switch receptions[index] {
                case .run, .refusal: done.append(one.message)
                // This reader ends; the message comes again to the next one.
                case .triggerChanged, nil: break
                case .unavailable: left.append(one)
                }
            }
            await delete(done)
            waiting = left
            guard !left.isEmpty else { return }
            tries += 1
            await pause(after: min(tries, 4))
            if extendAt <= engine.clock.now() {
                try? await client.hide(left.map(\.message), seconds: limits.extensionSeconds)
                extendAt = engine.clock.now().adding(seconds: limits.extensionSeconds / 2)
            }
        }
    }

    /// Deletes what is durable. What stays all the same comes again, is known, and is deleted then.
    private func delete(_ messages: [SQSClient.Message]) async {
        var left = messages
        var problem = "some deletions failed"
        var attempt = 0
        while !left.isEmpty, attempt < 3, attempt == 0 || !Task.isCancelled {
            attempt += 1
            if attempt > 1 { await pause(after: attempt) }
            do {
                let batch = left
                // Also where the reader is to end: what is durable must not come again without need.
                left = try await Task { try await client.delete(batch) }.value
            } catch {
                problem = "\(error)"
            }
        }
        guard !left.isEmpty else {
            engine.triggerActivity.note(
                undeletable: nil, trigger.id, at: engine.clock.now())
            return
        }
        engine.triggerActivity.note(
            undeletable: "messages cannot be deleted: \(problem)", trigger.id,
            at: engine.clock.now())
        logger.warning(
            "messages that are durable stay in their queue for now",
            metadata: about.merging(["messages": "\(left.count)", "error": "\(problem)"]) { $1 })
    }

    /// The message as the engine takes it; `nil` where it is left to the queue: it cannot be used now, and the
    /// queue's own policy, or a later receipt, decides.
    private func received(
        _ message: SQSClient.Message, _ hasRedrivePolicy: Bool
    ) -> ReceivedMessage? {
        let inbound = InboundMessage(contentType: nil, body: Array(message.Body.utf8))
        let content: ReceivedMessage.Content
        do throws(UnusableMessage) {
            content = .usable(
                try inbound.input(
                    acceptsText: configuration.acceptsText, maximumBytes: limits.inputBytes))
        } catch {
            guard !hasRedrivePolicy, message.receiveCount >= queue.maxReceiveCount else {
                return nil
            }
            content = .unusable(error.reason, detail: error.detail)
        }
        let ids = [MessageID(ofSQS: message.MessageId), id(of: message, inbound)]
        return ReceivedMessage(
            trigger: trigger, scope: AnyID(trigger.team),
            digests: ids.compactMap { $0?.digest(inQueue: queue.url) },
            // What was refused may come again, corrected, under the sender's own id.
            refusalDigests: ids.prefix(1).compactMap { $0?.digest(inQueue: queue.url) },
            keptSeconds: configuration.deduplicationDays * 86_400, contentType: nil,
            body: inbound.body, content: content)
    }

    private func id(of message: SQSClient.Message, _ inbound: InboundMessage) -> MessageID? {
        switch configuration.idPlace {
        case .attribute(let name):
            message.MessageAttributes?[name]?.StringValue.flatMap { MessageID($0) }
        case .pointer(let pointer): inbound.id(at: pointer).flatMap { MessageID($0) }
        case .header, nil: nil
        }
    }
}
