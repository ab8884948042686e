import DaybookCore
import DaybookStore
import Foundation
import Logging
import Synchronization

/// How a rebuild beside the running service goes, or went.
package struct RebuildStatus: Sendable {
    package enum State: Sendable {
        case replaying(Position, of: Position)
        case comparing(table: String)
        /// So many entries were replayed, and so many rows of the old projections were not what they
        /// gave; the first of these are told. `nil` where the old ones could not be compared.
        case finished(entries: Position, differences: Int?, told: [Difference])
        case failed(String)
    }

    /// A row of the old projections that was not what the log gives.
    package struct Difference: Sendable {
        package let table: String
        package let key: [UInt8]
        package let what: String
    }

    package let startedAt: Instant
    package fileprivate(set) var finishedAt: Instant?
    package fileprivate(set) var state: State
}

/// The one rebuild that there may be at a time, on a thread of its own.
final class Rebuilding: Sendable {
    private struct Current {
        var status: RebuildStatus?
        var task: Task<Void, Never>?
    }

    /// The writer gets at least as much time as the rebuild takes, and the rebuild is not held up longer.
    private static let longestPause = 0.05

    private let current = Mutex(Current())
    private let isEnding = Atomic<Bool>(false)

    private struct Stopping: Error, CustomStringConvertible {
        let description = "the service stopped; the old projections are in use"
    }

    private struct DiskFull: Error, CustomStringConvertible {
        let description = "the disk is nearly full; the old projections are in use"
    }

    var status: RebuildStatus? { current.withLock { $0.status } }

    /// Begins one, unless one is under way; returns how it stands.
    func start(_ engine: Engine) -> RebuildStatus {
        current.withLock { current in
            let isOver = current.status.map { $0.finishedAt != nil } ?? true
            if let status = current.status, !isOver { return status }
            guard !isEnding.load(ordering: .acquiring) else {
                return RebuildStatus(
                    startedAt: engine.clock.now(), finishedAt: engine.clock.now(),
                    state: .failed("\(Stopping())"))
            }
            let status = RebuildStatus(
                startedAt: engine.clock.now(), finishedAt: nil, state: .replaying(0, of: 0))
            current.status = status
            current.task = Task { await self.run(engine) }
            return status
        }
    }

    /// Returns when none is under way any more; from now on none begins.
    func end() async {
        let task = current.withLock { current in
            isEnding.store(true, ordering: .releasing)
            return current.task
        }
        await task?.value
    }

    private func run(_ engine: Engine) async {
        let state: RebuildStatus.State
        do {
            let report = try await onOwnThread("daybook-rebuild") { [self] in
                var begun = Date()
                return try engine.store.rebuild(.beside) { stage in
                    guard !isEnding.load(ordering: .acquiring) else { throw Stopping() }
                    guard !engine.hasDiskFull else { throw DiskFull() }
                    current.withLock { $0.status?.state = RebuildStatus.State(stage) }
                    Thread.sleep(
                        forTimeInterval: min(-begun.timeIntervalSinceNow, Self.longestPause))
                    begun = Date()
                }
            }
            engine.projectionsWereRebuilt(report)
            state = .finished(
                entries: report.entries, differences: report.differences,
                told: report.told.map { finding in
                    RebuildStatus.Difference(
                        table: finding.table ?? "", key: finding.key ?? [], what: finding.what)
                })
        } catch {
            engine.logger.error("a rebuild ended early", metadata: ["error": "\(error)"])
            state = .failed("\(error)")
        }
        current.withLock { current in
            current.status?.state = state
            current.status?.finishedAt = engine.clock.now()
        }
    }
}

extension RebuildStatus.State {
    fileprivate init(_ stage: Store.RebuildStage) {
        switch stage {
        case .replaying(let reached, let last): self = .replaying(reached, of: last)
        case .comparing(let table): self = .comparing(table: table)
        }
    }
}

extension Engine {
    /// Builds the projections anew beside the running service; one at a time.
    package func startRebuild() throws(Unavailable) -> RebuildStatus {
        switch currentPhase {
        case .replaying(let percent): throw .replaying(percent: percent)
        case .stopping: throw .stopping
        case .serving: break
        }
        // The second set can become as large as the first.
        let space = try? store.space()
        if hasDiskFull || (space.map { $0.availableBytes < $0.mapUsedBytes } ?? false) {
            throw .diskFull
        }
        return rebuilding.start(self)
    }

    /// Returns when no rebuild is under way any more, after a failure of the writer too.
    package func endRebuilding() async { await rebuilding.end() }

    /// The rebuild that is under way, or the last one of this process.
    package var rebuildStatus: RebuildStatus? { rebuilding.status }
}
