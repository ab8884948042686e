import DaybookCore
import DaybookEngine
import DaybookWire
import Hummingbird
import NIOCore
import Synchronization

/// One follower of the log over HTTP. It has no transaction open while it waits for its client, and
/// holds a page of entries at most; a client that takes nothing is cut off.
final class LogStream: Sendable {
    private let engine: Engine
    private let filter: LogFilter
    private let payloads: Bool
    private let after: Position
    private let client: Client?
    /// Whether who asked may still see it.
    private let isAllowed: @Sendable () throws -> Bool
    /// Since when the client has not taken what was written.
    private let writingSince = Mutex<Int64?>(nil)
    private let hasBegun = Atomic<Bool>(false)

    private static let page = 100

    init(
        engine: Engine, filter: LogFilter, payloads: Bool, after: Position, client: Client?,
        isAllowed: @escaping @Sendable () throws -> Bool
    ) {
        self.payloads = payloads
        self.engine = engine
        self.filter = filter
        self.after = after
        self.client = client
        self.isAllowed = isAllowed
    }

    deinit {
        if hasBegun.load(ordering: .relaxed) {
            engine.openStreams.subtract(1, ordering: .relaxed)
        }
    }

    /// Takes one of the places that there are for followers; they are given back when this goes.
    func begin() -> Bool {
        let count = engine.openStreams.add(1, ordering: .relaxed).newValue
        guard count <= engine.settings.logStreams else {
            engine.openStreams.subtract(1, ordering: .relaxed)
            return false
        }
        hasBegun.store(true, ordering: .relaxed)
        return true
    }

    /// Writes until the client goes, its key does not hold any more, or the service stops.
    func write(to writer: inout any ResponseBodyWriter) async throws {
        let bell = Bell()
        let follower = engine.feed.follow { _ in bell.ring() }
        defer { engine.feed.unfollow(follower) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.watch(bell) }
            defer { group.cancelAll() }
            try await follow(bell, &writer)
        }
        try await writer.finish(nil)
    }

    private func follow(_ bell: Bell, _ writer: inout any ResponseBodyWriter) async throws {
        var through = after
        let heartbeat = Int64(engine.settings.streamHeartbeatSeconds) * 1_000_000
        // At once, so that the client knows where it stands.
        var lastWrite = engine.clock.sinceBoot() - heartbeat
        while !Task.isCancelled, client?.isGone != true, !engine.feed.hasEnded,
            try isAllowed()
        {
            let page = try await engine.log(
                after: through, filter, limit: Self.page, payloads: payloads)
            let hasMoved = page.through > through
            through = page.through
            var text = ""
            for entry in page.entries {
                var json = JSONWriter()
                json.entry(
                    entry, actorName: try engine.name(of: entry.header.actor),
                    payloads: payloads ? try engine.payloads(of: entry) : nil)
                text += "id: \(entry.header.position)\nevent: entry\ndata: "
                text += String(decoding: json.finishLine(), as: UTF8.self) + "\n\n"
            }
            let now = engine.clock.sinceBoot()
            if now - lastWrite >= heartbeat {
                text += "id: \(through)\nevent: through\ndata: {\"through\":\(through)}\n\n"
            }
            if !text.isEmpty {
                writingSince.withLock { $0 = now }
                try await writer.write(ByteBuffer(string: text))
                writingSince.withLock { $0 = nil }
                lastWrite = now
            }
            if !hasMoved {
                let rest = max(0, heartbeat - (engine.clock.sinceBoot() - lastWrite))
                await bell.wait(
                    until: engine.clock.now().adding(microseconds: rest), engine.clock)
            }
        }
    }

    /// Ends the waiting when the client goes, and the connection when it takes nothing.
    private func watch(_ bell: Bell) async {
        guard let client else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await client.waitUntilGone()
                bell.ring()
            }
            group.addTask {
                let patience = Int64(self.engine.settings.streamPatienceSeconds) * 1_000_000
                while !Task.isCancelled {
                    let clock = self.engine.clock
                    try? await clock.sleep(until: clock.now().adding(seconds: 1))
                    let since = self.writingSince.withLock { $0 }
                    if let since, clock.sinceBoot() - since > patience { client.disconnect() }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
