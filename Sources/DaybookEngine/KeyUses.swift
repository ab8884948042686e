import DaybookCore
import ServiceLifecycle
import Synchronization

/// When each key was used last, as far as it is not recorded yet.
final class KeyUses: Sendable {
    private let uses = Mutex<[KeyID: Instant]>([:])

    func note(_ key: KeyID, at now: Instant) { uses.withLock { $0[key] = now } }

    func lastUse(of key: KeyID) -> Instant? { uses.withLock { $0[key] } }

    func take() -> [KeyUse] {
        let taken = uses.withLock { uses in
            defer { uses = [:] }
            return uses
        }
        return taken.map { KeyUse(key: $0.key, usedAt: $0.value) }.sorted { $0.key < $1.key }
    }
}

extension Engine {
    /// Notes that a request came with the key.
    package func noteUse(of key: KeyID) { keyUses.note(key, at: clock.now()) }

    /// When the key was used last, known to the minute.
    package func lastUse(of key: APIKey) -> Instant? {
        guard let last = [key.lastUsedAt, keyUses.lastUse(of: key.id)].compactMap(\.self).max()
        else { return nil }
        return Instant(microseconds: last.microseconds - last.microseconds % 60_000_000)
    }

    /// Records what was noted, for all keys together in one entry.
    func recordKeyUses() async {
        let uses = keyUses.take()
        guard !uses.isEmpty else { return }
        _ = await submitOwn([own(.recordKeyUse(uses))])
    }
}

/// Records hourly when keys were used last.
package struct KeyUseService: Service {
    private let engine: Engine

    package init(engine: Engine) {
        self.engine = engine
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await engine.ready()
            while !Task.isCancelled {
                try? await engine.clock.sleep(
                    until: engine.clock.now().adding(seconds: engine.settings.keyUseSeconds))
                if !Task.isCancelled { await engine.recordKeyUses() }
            }
        }
    }
}
