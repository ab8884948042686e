import DaybookStore
import Logging
import Synchronization

/// Whether there is room on the disk and in the map, as it was when it was last looked at.
final class DiskWatch: Sendable {
    /// Percent in use at which it is told.
    private static let stages = [70, 85]

    private let full = Atomic<Bool>(false)
    private let stage = Atomic<Int>(0)

    /// Whether new work is refused.
    var isFull: Bool { full.load(ordering: .relaxed) }

    /// How many percent of the disk or the map are in use at least, where that is much; 0 otherwise.
    var warning: Int { stage.load(ordering: .relaxed) }

    func look(at store: Store, _ settings: Settings, _ logger: Logger) {
        do {
            let space = try store.space()
            let isFull =
                space.availableBytes < settings.diskReserveBytes
                || space.diskUse > 1 - settings.diskReserveFraction
                || space.mapUse > 1 - settings.diskReserveFraction
            let percent = Int(max(space.diskUse, space.mapUse) * 100)
            let reached = Self.stages.last { $0 <= percent } ?? 0
            if stage.exchange(reached, ordering: .relaxed) < reached {
                logger.warning(
                    "disk or map fill up", metadata: ["used_percent": "\(percent)"])
            }
            if full.exchange(isFull, ordering: .relaxed) != isFull {
                logger.warning(
                    isFull ? "the disk is nearly full: new work is refused" : "there is room again",
                    metadata: ["available_bytes": "\(space.availableBytes)"])
            }
        } catch {
            logger.error("the disk cannot be looked at", metadata: ["error": "\(error)"])
        }
    }
}

extension Engine {
    /// What is left on the disk and in the map.
    package struct SpaceUse: Sendable {
        package let diskBytes: Int
        package let diskAvailableBytes: Int
        package let mapBytes: Int
        package let mapUsedBytes: Int
    }

    package func space() throws -> SpaceUse {
        let space = try store.space()
        return SpaceUse(
            diskBytes: space.totalBytes, diskAvailableBytes: space.availableBytes,
            mapBytes: space.mapSize, mapUsedBytes: space.mapUsedBytes)
    }
}
