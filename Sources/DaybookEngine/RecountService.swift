import DaybookCore
import DaybookStore
import Logging
import ServiceLifecycle

/// Recounts slots, due moments and queues after the start and hourly, in small pieces beside everything
/// else. A mismatch stops firing and starting: what the projections say can't be trusted then.
package struct RecountService: Service {
    private let engine: Engine
    private let logger: Logger

    package init(engine: Engine, logger: Logger) {
        self.engine = engine
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await engine.ready()
            while !Task.isCancelled {
                await recount()
                try? await engine.clock.sleep(
                    until: engine.clock.now().adding(seconds: engine.settings.recountSeconds))
            }
        }
    }

    private func recount() async {
        var cursor: RecountCursor? = RecountCursor()
        var count = engine.rebuildCount
        do {
            defer { engine.audit(logger) }
            while let here = cursor, !Task.isCancelled {
                count = engine.rebuildCount
                let step = try engine.read { view in
                    try view.recount(here, rows: engine.settings.listWorkPerSnapshot)
                }
                if let mismatch = step.mismatch { engine.alarm(mismatch, seenAt: count) }
                cursor = step.next
                await Task.yield()
            }
        } catch let error as LogError {
            // A row that does not read agrees with nothing.
            engine.alarm("\(error)", seenAt: count)
        } catch {
            logger.error("a recount broke off", metadata: ["error": "\(error)"])
        }
    }
}
