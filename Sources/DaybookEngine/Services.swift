import DaybookCore
import ServiceLifecycle

/// Runs the writer: first of the services to start, last to stop.
package struct WriterService: Service {
    private let engine: Engine
    private let makeAdminKey: @Sendable (KeyID) throws -> Digest256

    /// - Parameter makeAdminKey: see `Engine.start`.
    package init(
        engine: Engine, makeAdminKey: @escaping @Sendable (KeyID) throws -> Digest256
    ) {
        self.engine = engine
        self.makeAdminKey = makeAdminKey
    }

    /// Ends after a graceful shutdown, and throws when the storage fails.
    package func run() async throws {
        engine.start(makeAdminKey: makeAdminKey)
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await engine.waitForEnd() }
                group.addTask {
                    try? await gracefulShutdown()
                    await engine.stop()
                }
                await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
        }
        if let failure = engine.failure { throw failure }
    }
}

/// Looks after disk and clock every second.
package struct HousekeepingService: Service {
    private let engine: Engine

    package init(engine: Engine) {
        self.engine = engine
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                engine.keepHouse()
                try? await engine.clock.sleep(until: engine.clock.now().adding(seconds: 1))
            }
        }
    }
}
