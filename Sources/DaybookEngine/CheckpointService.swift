import DaybookCore
import DaybookStore
import Logging
import ServiceLifecycle

/// Keeps the newest checkpoint in a file outside the data directory.
package struct CheckpointService: Service {
    private let engine: Engine
    private let file: CheckpointFile?
    private let logger: Logger

    /// - Parameter file: `nil` keeps none.
    package init(engine: Engine, file: CheckpointFile?, logger: Logger) {
        self.engine = engine
        self.file = file
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await engine.ready()
            while !Task.isCancelled {
                do {
                    // Of a copy, others keep the newest one.
                    if let file, !engine.isCopy { try file.write(try engine.signedCheckpoint()) }
                } catch {
                    logger.error(
                        "the checkpoint was not written", metadata: ["error": "\(error)"])
                }
                try? await engine.clock.sleep(
                    until: engine.clock.now().adding(seconds: engine.settings.checkpointSeconds))
            }
        }
    }
}
