import DaybookCore
import Synchronization

/// Wakes the one task that waits for it. A ring that nobody heard is kept for the next wait.
package final class Bell: Sendable {
    private struct State {
        var isRinging = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func ring() {
        let sleeper = state.withLock { state in
            state.isRinging = state.sleeper == nil
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume()
    }

    /// Returns when it rings, at `instant`, or when the task is cancelled.
    package func wait(until instant: Instant, _ clock: any ServiceClock) async {
        await wait { try await clock.sleep(until: instant) }
    }

    /// Returns when it rings, when so much time has gone by, or when the task is cancelled.
    package func wait(microseconds: Int64, _ clock: any ServiceClock) async {
        await wait { try await clock.sleep(microseconds: microseconds) }
    }

    private func wait(orSleep sleep: @escaping @Sendable () async throws -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await sleep() }
            group.addTask { await self.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    /// Returns when it rings, or when the task is cancelled.
    package func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !state.isRinging, !Task.isCancelled else {
                        state.isRinging = false
                        return false
                    }
                    precondition(state.sleeper == nil, "a bell wakes one task")
                    state.sleeper = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                defer { state.sleeper = nil }
                return state.sleeper
            }
            sleeper?.resume()
        }
    }
}
