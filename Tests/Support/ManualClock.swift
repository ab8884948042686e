import DaybookCore
import DaybookEngine
import Synchronization

/// A clock that stands until it is moved. Wall and boot time can be moved apart.
package final class ManualClock: ServiceClock {
    /// What is slept for.
    private enum End {
        case wall(Instant)
        case boot(Int64)
    }

    private struct State {
        var wall: Instant
        var boot: Int64 = 1_000_000
        var nextSleeper = 0
        var sleepers: [Int: (until: End, continuation: CheckedContinuation<Void, any Error>)] =
            [:]
        var onSleep: (@Sendable () -> Void)?
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

        func isOver(_ end: End) -> Bool {
            switch end {
            case .wall(let instant): instant <= wall
            case .boot(let microseconds): microseconds <= boot
            }
        }
    }

    private let state: Mutex<State>

    package init(_ start: Instant = .dayOne) {
        state = Mutex(State(wall: start))
    }

    package func now() -> Instant { state.withLock { $0.wall } }
    package func sinceBoot() -> Int64 { state.withLock { $0.boot } }

    /// Moves both clocks on, and wakes who has slept long enough.
    package func advance(microseconds: Int64) { move(wall: microseconds, boot: microseconds) }
    package func advance(seconds: Int) { advance(microseconds: Int64(seconds) * 1_000_000) }

    /// Moves the wall clock alone, as an administrator or a broken time server does.
    package func jump(seconds: Int) { move(wall: Int64(seconds) * 1_000_000, boot: 0) }

    private func move(wall: Int64, boot: Int64) {
        let woken = state.withLock { state in
            state.wall = state.wall.adding(microseconds: wall)
            state.boot += boot
            let woken = state.sleepers.filter { state.isOver($0.value.until) }
            for id in woken.keys { state.sleepers[id] = nil }
            return woken.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    package func sleep(until instant: Instant) async throws {
        try await sleep(until: .wall(instant))
    }

    package func sleep(microseconds: Int64) async throws {
        try await sleep(until: .boot(sinceBoot() + microseconds))
    }

    private func sleep(until end: End) async throws {
        let id = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (isOver, watchers, onSleep) = state.withLock { state in
                    guard !state.isOver(end), !Task.isCancelled else {
                        return (true, [CheckedContinuation<Void, Never>](), state.onSleep)
                    }
                    state.sleepers[id] = (end, continuation)
                    let ready = state.watchers.filter { $0.count <= state.sleepers.count }
                    state.watchers.removeAll { $0.count <= state.sleepers.count }
                    return (false, ready.map(\.continuation), state.onSleep)
                }
                for watcher in watchers { watcher.resume() }
                guard isOver else {
                    onSleep?()
                    return
                }
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    continuation.resume()
                }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Is called whenever somebody goes to sleep; `nil` for nobody.
    package func setOnSleep(_ call: (@Sendable () -> Void)?) {
        state.withLock { $0.onSleep = call }
    }

    /// How many sleep now.
    package var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// Returns once so many sleep at the same time.
    package func waitForSleepers(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isEnough = state.withLock { state in
                guard state.sleepers.count < count else { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isEnough { continuation.resume() }
        }
    }
}

extension Settings {
    /// For a manual clock, whose great steps are not standstills of the process.
    package static var stepped: Settings {
        var settings = Settings()
        settings.standstillSeconds = 1_000_000
        return settings
    }
}
