import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Foundation
import Logging
import NIOHTTP1
import Support
import Synchronization
import Testing

@testable import DaybookConnectors

/// A queue on loopback that does what a test tells it.
private final class FakeQueue: Sendable {
    struct Message: Sendable {
        var id: String
        var body: String
        var receiveCount = 1
        var attributes: [String: String] = [:]
    }

    struct State {
        /// Given out in order, each of the lists by one request.
        var batches: [[Message]] = []
        var deleted: [String] = []
        var hidden: [(handles: [String], seconds: Int)] = []
        var requests: [String] = []
        /// Answers given instead, in order.
        var failures: [(status: Int, type: String)] = []
        /// Handles whose deletion fails once.
        var undeletable: Set<String> = []
        var isMute = false
        var isDeletionRefused = false
        var hasRedrivePolicy = false
        var isSigned = true
    }

    let state = Mutex(State())
    /// Called before a deletion is answered.
    /// Called once, before messages are given out.
    let onReceive = Mutex<(@Sendable () -> Void)?>(nil)
    /// Called after each answer.
    let onAnswer = Mutex<(@Sendable () -> Void)?>(nil)
    let onDelete = Mutex<(@Sendable ([String]) -> Void)?>(nil)
    private let receiver: Receiver

    init() async throws {
        let shared = Shared()
        receiver = try await Receiver { request in shared.queue?.answer(request) ?? .answer(500) }
        shared.set(self)
    }

    private final class Shared: Sendable {
        private let box = Mutex<FakeQueue?>(nil)
        var queue: FakeQueue? { box.withLock { $0 } }
        func set(_ queue: FakeQueue) { box.withLock { $0 = queue } }
    }

    var endpoint: String { "http://127.0.0.1:\(receiver.port)" }

    func put(_ messages: Message...) { state.withLock { $0.batches.append(messages) } }

    func stop() async throws { try await receiver.stop() }

    private func answer(_ request: Receiver.Received) -> Receiver.Reply {
        let action =
            (request.headers.first(name: "x-amz-target") ?? "")
            .split(separator: ".").last.map { String($0) } ?? ""
        let question =
            (try? JSONSerialization.jsonObject(with: Data(request.body))) as? [String: Any] ?? [:]
        let entries = question["Entries"] as? [[String: Any]] ?? []
        let handles = entries.compactMap { $0["ReceiptHandle"] as? String }
        defer { onAnswer.withLock { $0 }?() }
        if action == "ReceiveMessage" {
            let call = onReceive.withLock { call in
                defer { call = nil }
                return call
            }
            call?()
        }
        if action == "DeleteMessageBatch" { onDelete.withLock { $0 }?(handles) }
        return state.withLock { state in
            state.requests.append(action)
            let authorization = request.headers.first(name: "authorization") ?? ""
            if !authorization.hasPrefix("AWS4-HMAC-SHA256 Credential=id/") {
                state.isSigned = false
            }
            if !state.failures.isEmpty {
                let failure = state.failures.removeFirst()
                return Self.json(
                    failure.status,
                    #"{"__type":"com.amazonaws.sqs#\#(failure.type)","message":"no"}"#)
            }
            switch action {
            case "GetQueueAttributes":
                return Self.json(
                    200,
                    state.hasRedrivePolicy ? #"{"Attributes":{"RedrivePolicy":"{}"}}"# : "{}")
            case "ReceiveMessage":
                guard !state.batches.isEmpty else { return .silence }
                return Self.json(200, Self.text(state.batches.removeFirst()))
            case "DeleteMessageBatch":
                if state.isMute { return .reset }
                if state.isDeletionRefused {
                    return Self.json(403, #"{"__type":"x#AccessDenied","message":"no"}"#)
                }
                var failed: [String] = []
                for (index, handle) in handles.enumerated() {
                    if state.undeletable.remove(handle) != nil {
                        failed.append(#"{"Id":"m\#(index)","SenderFault":false,"Code":"x"}"#)
                    } else {
                        state.deleted.append(handle)
                    }
                }
                return Self.json(
                    200, #"{"Successful":[],"Failed":[\#(failed.joined(separator: ","))]}"#)
            case "ChangeMessageVisibilityBatch":
                state.hidden.append(
                    (handles, entries.first?["VisibilityTimeout"] as? Int ?? -1))
                return Self.json(200, #"{"Successful":[],"Failed":[]}"#)
            default: return .answer(400)
            }
        }
    }

    private static func text(_ messages: [Message]) -> String {
        let all: [[String: Any]] = messages.map { message in
            [
                "MessageId": message.id, "ReceiptHandle": "h-\(message.id)", "Body": message.body,
                "Attributes": ["ApproximateReceiveCount": "\(message.receiveCount)"],
                "MessageAttributes": message.attributes.mapValues {
                    ["StringValue": $0, "DataType": "String"]
                },
            ]
        }
        let data = try? JSONSerialization.data(withJSONObject: ["Messages": all])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    private static func json(_ status: Int, _ text: String) -> Receiver.Reply {
        .answer(
            status, headers: [("Content-Type", "application/x-amz-json-1.0")],
            body: Array(text.utf8))
    }
}

@Suite("SQS source", .timeLimit(.minutes(5)))
struct SQSSourceTests {
    private static func trigger(
        _ edge: LiveEdge, _ queue: FakeQueue, _ workflow: WorkflowID? = nil,
        idPlace: TriggerConfiguration.IDPlace? = nil, acceptsText: Bool = false,
        maxReceiveCount: Int = 3
    ) async throws -> Trigger {
        let configuration = TriggerConfiguration(
            source: .sqs(
                .init(
                    url: "https://sqs.eu-central-1.amazonaws.com/1/q", region: "eu-central-1",
                    endpoint: queue.endpoint, maxReceiveCount: maxReceiveCount)),
            idPlace: idPlace, acceptsText: acceptsText)
        let workflow = if let workflow { workflow } else { try await edge.workflow() }
        guard
            case .trigger(let trigger) = try await edge.submit(
                .createTrigger(
                    NewTrigger(
                        workflow: workflow, source: .sqs, name: "q",
                        configuration: configuration.bytes, secret: nil)))
        else { throw LiveEdge.Refused(outcome: nil) }
        return trigger
    }

    private static func reading(
        _ edge: LiveEdge, _ body: () async throws -> Void
    ) async throws {
        let credentials = AWSCredentialChain(
            environment: ["AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"],
            clock: edge.clock)
        var limits = SQSSourceService.Limits()
        limits.readers = 1
        let service = SQSSourceService(
            engine: edge.engine, clients: edge.clients, credentials: credentials, limits: limits,
            logger: LiveEdge.logger)
        try await edge.with({ try await service.run() }, body)
        await credentials.shutDown()
    }

    private static func runs(_ edge: LiveEdge, _ trigger: Trigger) throws -> [RunDetail] {
        var filter = RunFilter()
        filter.trigger = trigger.id
        return try edge.engine.runs(
            of: edge.team, filter, after: nil, limit: 100, maximumBytes: .max
        ).items
    }

    /// Moves the clock on for whoever sleeps, until the condition holds: it is asked anew whenever the queue has
    /// answered, something was committed, or somebody went to sleep.
    private static func pushing(
        _ edge: LiveEdge, _ queue: FakeQueue, seconds: Int = 10, _ condition: () throws -> Bool
    ) async throws {
        let (news, one) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let follower = edge.engine.feed.follow { _ in one.yield() }
        edge.clock.setOnSleep { one.yield() }
        queue.onAnswer.withLock { $0 = { one.yield() } }
        defer {
            edge.engine.feed.unfollow(follower)
            edge.clock.setOnSleep(nil)
            queue.onAnswer.withLock { $0 = nil }
        }
        one.yield()
        for await _ in news {
            if try condition() { return }
            if edge.clock.sleepers > 0 { edge.clock.advance(seconds: seconds) }
        }
    }

    @Test("a message is a run before it is deleted, byte for byte")
    func commitThenDelete() async throws {
        let queue = try await FakeQueue()
        try await LiveEdge.run(on: try TestStore()) { edge in
            let trigger = try await Self.trigger(edge, queue)
            queue.put(
                FakeQueue.Message(id: "a", body: #"{"é":1e400, "x":[1.50]}"#),
                FakeQueue.Message(id: "b", body: "7"))
            let atDeletion = Mutex<Int?>(nil)
            let engine = edge.engine
            let (team, id) = (edge.team, trigger.id)
            queue.onDelete.withLock {
                $0 = { _ in
                    var filter = RunFilter()
                    filter.trigger = id
                    let page = try? engine.runs(
                        of: team, filter, after: nil, limit: 10, maximumBytes: .max)
                    atDeletion.withLock { $0 = page?.items.count }
                }
            }
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    queue.state.withLock { $0.deleted.count == 2 }
                }
            }
            #expect(atDeletion.withLock { $0 } == 2)
            let runs = try Self.runs(edge, trigger)
            #expect(
                Set(runs.map(\.input)) == [
                    .bytes(Array(#"{"é":1e400, "x":[1.50]}"#.utf8)), .bytes(Array("7".utf8)),
                ])
            #expect(runs.allSatisfy { $0.run.touched.createdBy == .trigger(trigger.id) })
            #expect(queue.state.withLock { $0.isSigned })
        }
        try await queue.stop()
    }

    @Test("what comes again, under its own id or the sender's, is deleted and starts nothing")
    func duplicates() async throws {
        let queue = try await FakeQueue()
        try await LiveEdge.run(on: try TestStore()) { edge in
            let trigger = try await Self.trigger(edge, queue, idPlace: .attribute("order"))
            func message(_ id: String, _ order: String?) -> FakeQueue.Message {
                FakeQueue.Message(
                    id: id, body: "{}", attributes: order.map { ["order": $0] } ?? [:])
            }
            queue.put(message("a", "1"), message("a", "1"), message("b", nil))
            queue.put(message("c", "1"), message("b", "2"), message("d", "3"))
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    queue.state.withLock { $0.deleted.count == 6 }
                }
            }
            #expect(try Self.runs(edge, trigger).count == 3)
        }
        try await queue.stop()
    }

    @Test("what an answer of 200 says was not deleted is deleted again")
    func failedDeletions() async throws {
        let queue = try await FakeQueue()
        try await LiveEdge.run(on: try TestStore()) { edge in
            let trigger = try await Self.trigger(
                edge, queue, idPlace: JSONPointer("/id").map { .pointer($0) })
            queue.state.withLock { $0.undeletable = ["h-b"] }
            queue.put(
                FakeQueue.Message(id: "a", body: #"{"id":1}"#),
                FakeQueue.Message(id: "b", body: #"{"id":2}"#),
                FakeQueue.Message(id: "c", body: #"{"id":1}"#))
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    queue.state.withLock { Set($0.deleted) == ["h-a", "h-b", "h-c"] }
                }
            }
            #expect(try Self.runs(edge, trigger).count == 2)
        }
        try await queue.stop()
    }

    @Test("poison becomes a refusal at its last receipt, and is then deleted")
    func poison() async throws {
        let queue = try await FakeQueue()
        try await LiveEdge.run(on: try TestStore()) { edge in
            let trigger = try await Self.trigger(edge, queue)
            queue.put(
                FakeQueue.Message(id: "early", body: "{", receiveCount: 2),
                FakeQueue.Message(id: "late", body: "[[", receiveCount: 3),
                FakeQueue.Message(id: "good", body: "{}"))
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    queue.state.withLock { $0.deleted.count == 2 }
                }
            }
            #expect(queue.state.withLock { Set($0.deleted) } == ["h-late", "h-good"])
            let refusals = try edge.engine.refusals(
                of: trigger.id, team: edge.team, after: nil, limit: 10, maximumBytes: .max
            ).items
            #expect(refusals.map(\.body) == [.bytes(Array("[[".utf8))])
            #expect(refusals.first?.refusal.reason == .invalidJSON)
            #expect(try Self.runs(edge, trigger).count == 1)
        }
        try await queue.stop()
    }

    @Test("a corrected message under the sender's id of one that was refused becomes a run")
    func corrected() async throws {
        let queue = try await FakeQueue()
        try await LiveEdge.run(on: try TestStore()) { edge in
            let trigger = try await Self.trigger(
                edge, queue, idPlace: .attribute("order"), maxReceiveCount: 1)
            let order = ["order": "7"]
            queue.put(FakeQueue.Message(id: "bad", body: "{", attributes: order))
            queue.put(
                FakeQueue.Message(id: "bad", body: "{", attributes: order),
                FakeQueue.Message(id: "good", body: "{}", attributes: order))
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    queue.state.withLock { $0.deleted.count == 3 }
                }
            }
            #expect(try Self.runs(edge, trigger).count == 1)
            let refusals = try edge.engine.refusals(
                of: trigger.id, team: edge.team, after: nil, limit: 10, maximumBytes: .max
            ).items
            #expect(refusals.count == 1)
        }
        try await queue.stop()
    }

    @Test("two triggers of one queue know each other's messages, and one that was made anew")
    func sharedQueue() async throws {
        let queue = try await FakeQueue()
        try await LiveEdge.run(on: try TestStore()) { edge in
            let workflow = try await edge.workflow()
            let first = try await Self.trigger(edge, queue, workflow)
            queue.put(FakeQueue.Message(id: "a", body: "{}"))
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    queue.state.withLock { $0.deleted.count == 1 }
                }
            }
            try await edge.submit(.deleteTrigger(SeenTrigger(first)))
            let second = try await Self.trigger(edge, queue, workflow)
            queue.put(
                FakeQueue.Message(id: "a", body: "{}"), FakeQueue.Message(id: "b", body: "{}"))
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    queue.state.withLock { $0.deleted.count == 3 }
                }
            }
            #expect(try Self.runs(edge, first).count == 1)
            #expect(try Self.runs(edge, second).count == 1)
        }
        try await queue.stop()
    }

    @Test("a queue that cannot be deleted from is shown as degraded")
    func undeletable() async throws {
        let queue = try await FakeQueue()
        try await LiveEdge.run(on: try TestStore()) { edge in
            let trigger = try await Self.trigger(edge, queue)
            queue.state.withLock { $0.isDeletionRefused = true }
            queue.put(FakeQueue.Message(id: "a", body: "{}"))
            let activity = edge.engine.triggerActivity
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    if case .degraded(_, let reason) = activity.health(of: trigger.id) {
                        return reason.contains("cannot be deleted")
                            && reason.contains("AccessDenied")
                    }
                    return false
                }
                queue.state.withLock { $0.isDeletionRefused = false }
                queue.put(FakeQueue.Message(id: "a", body: "{}"))
                try await Self.pushing(edge, queue) { activity.health(of: trigger.id) == .good }
            }
            #expect(try Self.runs(edge, trigger).count == 1)
        }
        try await queue.stop()
    }

    @Test("where the queue has a redrive policy, poison is left to it")
    func redrive() async throws {
        let queue = try await FakeQueue()
        queue.state.withLock { $0.hasRedrivePolicy = true }
        try await LiveEdge.run(on: try TestStore()) { edge in
            let trigger = try await Self.trigger(edge, queue, acceptsText: true)
            queue.put(
                FakeQueue.Message(
                    id: "huge", body: String(repeating: "x", count: 300 << 10), receiveCount: 900),
                FakeQueue.Message(id: "text", body: "no json"))
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    queue.state.withLock { $0.deleted.count == 1 }
                }
            }
            #expect(queue.state.withLock { $0.deleted } == ["h-text"])
            #expect(
                try Self.runs(edge, trigger).first?.input
                    == .bytes(Array(#"{"content_type":null,"body":"no json"}"#.utf8)))
        }
        try await queue.stop()
    }

    @Test("a process that dies between commit and deletion gets the message again, and one run")
    func crash() async throws {
        let queue = try await FakeQueue()
        let disk = try TestStore()
        let clock = ManualClock()
        queue.state.withLock { $0.isMute = true }
        queue.put(FakeQueue.Message(id: "a", body: "{}"))
        let first = Mutex<TriggerID?>(nil)
        try await LiveEdge.run(on: disk, clock: clock) { edge in
            let trigger = try await Self.trigger(edge, queue)
            first.withLock { $0 = trigger.id }
            try await Self.reading(edge) {
                try await edge.until { try !Self.runs(edge, trigger).isEmpty }
            }
        }
        #expect(queue.state.withLock { $0.deleted.isEmpty })
        queue.state.withLock { $0.isMute = false }
        queue.put(FakeQueue.Message(id: "a", body: "{}", receiveCount: 2))
        try disk.reopen()
        try await LiveEdge.run(on: disk, clock: clock) { edge in
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    queue.state.withLock { $0.deleted == ["h-a"] }
                }
            }
            let id = try #require(first.withLock { $0 })
            let trigger = try #require(try edge.engine.trigger(id))
            #expect(try Self.runs(edge, trigger).count == 1)
        }
        try await queue.stop()
    }

    @Test("failures are waited out, shown with their reason, and slow no other trigger")
    func failures() async throws {
        let (bad, good) = (try await FakeQueue(), try await FakeQueue())
        bad.state.withLock {
            $0.failures = [
                (400, "RequestThrottled"), (403, "ExpiredToken"), (500, "InternalFailure"),
                (403, "SignatureDoesNotMatch"),
            ]
        }
        bad.put(FakeQueue.Message(id: "a", body: "{}"))
        good.put(FakeQueue.Message(id: "b", body: "{}"))
        try await LiveEdge.run(on: try TestStore()) { edge in
            let workflow = try await edge.workflow()
            let failing = try await Self.trigger(edge, bad, workflow)
            let other = try await Self.trigger(edge, good, workflow)
            let activity = edge.engine.triggerActivity
            let seen = Mutex<Set<String>>([])
            try await Self.reading(edge) {
                try await edge.until { try !Self.runs(edge, other).isEmpty }
                try await Self.pushing(edge, bad) {
                    if case .degraded(_, let reason) = activity.health(of: failing.id) {
                        seen.withLock { _ = $0.insert(reason) }
                    }
                    return bad.state.withLock { $0.deleted == ["h-a"] }
                }
                #expect(activity.health(of: failing.id) == .good)
            }
            #expect(seen.withLock { $0.contains { $0.contains("RequestThrottled (400)") } })
            #expect(activity.health(of: other.id) == .good)
        }
        try await bad.stop()
        try await good.stop()
    }

    @Test("a trigger that is disabled or deleted is not read any more; a changed one anew")
    func changes() async throws {
        let queue = try await FakeQueue()
        try await LiveEdge.run(on: try TestStore()) { edge in
            let trigger = try await Self.trigger(edge, queue)
            try await Self.reading(edge) {
                queue.put(FakeQueue.Message(id: "a", body: "{}"))
                try await edge.submit(
                    .modifyTrigger(SeenTrigger(trigger), TriggerChanges(name: "other")))
                try await edge.until { try Self.runs(edge, trigger).count == 1 }
                let changed = try #require(try edge.engine.trigger(trigger.id))
                try await edge.submit(
                    .modifyTrigger(SeenTrigger(changed), TriggerChanges(isEnabled: false)))
                queue.put(FakeQueue.Message(id: "b", body: "{}"))
                let disabled = try #require(try edge.engine.trigger(trigger.id))
                try await edge.submit(
                    .modifyTrigger(SeenTrigger(disabled), TriggerChanges(isEnabled: true)))
                try await edge.until { try Self.runs(edge, trigger).count == 2 }
            }
        }
        try await queue.stop()
    }

    @Test("what cannot be committed yet stays hidden, and is committed and deleted when it can be")
    func visibility() async throws {
        let queue = try await FakeQueue()
        try await LiveEdge.run(on: try TestStore()) { edge in
            let trigger = try await Self.trigger(edge, queue)
            let (clock, engine) = (edge.clock, edge.engine)
            // The clock jumps while the message is on its way: nothing is written.
            queue.onReceive.withLock {
                $0 = {
                    clock.jump(seconds: 4_000)
                    engine.keepHouse()
                }
            }
            queue.put(FakeQueue.Message(id: "a", body: "{}"))
            try await Self.reading(edge) {
                try await Self.pushing(edge, queue) {
                    queue.state.withLock { $0.hidden.count >= 2 }
                }
                #expect(queue.state.withLock { $0.deleted.isEmpty })
                #expect(
                    queue.state.withLock {
                        $0.hidden.allSatisfy { $0.handles == ["h-a"] && $0.seconds == 60 }
                    })
                clock.jump(seconds: -4_000)
                try await Self.pushing(edge, queue) {
                    engine.keepHouse()
                    return queue.state.withLock { $0.deleted == ["h-a"] }
                }
            }
            #expect(try Self.runs(edge, trigger).count == 1)
        }
        try await queue.stop()
    }

    @Test("while paused nothing is fetched, and what comes just then is shown again at once")
    func pause() async throws {
        let queue = try await FakeQueue()
        try await LiveEdge.run(on: try TestStore()) { edge in
            let trigger = try await Self.trigger(edge, queue)
            try await edge.submit(.pause)
            queue.put(FakeQueue.Message(id: "a", body: "{}"))
            try await Self.reading(edge) {
                await edge.clock.waitForSleepers(1)
                #expect(queue.state.withLock { !$0.requests.contains("ReceiveMessage") })
                try await edge.submit(.resume)
                try await Self.pushing(edge, queue) { try Self.runs(edge, trigger).count == 1 }
            }
        }
        try await queue.stop()
    }
}
