import DaybookEngine
import Synchronization

/// Keeps what it is asked to carry out, and ends it when it is told to.
package final class RecordingExecutor: Executor {
    private struct State {
        var works: [Work] = []
        var cancelled: [Work] = []
        var open: [Int: CheckedContinuation<Execution, Never>] = [:]
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var works: [Work] { state.withLock { $0.works } }
    package var cancelled: [Work] { state.withLock { $0.cancelled } }

    package func execute(_ work: Work) async -> Execution {
        let index = state.withLock { state in
            state.works.append(work)
            return state.works.count - 1
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    state.open[index] = continuation
                    let ready = state.watchers.filter { $0.count <= state.works.count }
                    state.watchers.removeAll { $0.count <= state.works.count }
                    return ready
                }
                for watcher in ready { watcher.continuation.resume() }
                if Task.isCancelled { end(index, .abandoned) }
            }
        } onCancel: {
            state.withLock { $0.cancelled.append(work) }
            end(index, .abandoned)
        }
    }

    /// Ends the execution with this number, counted from 0.
    package func end(_ index: Int, _ execution: Execution) {
        state.withLock { $0.open.removeValue(forKey: index) }?.resume(returning: execution)
    }

    /// Returns once so many executions have been asked for.
    package func waitForWorks(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isEnough = state.withLock { state in
                guard state.works.count < count else {
                    return true
                }
                state.watchers.append((count, continuation))
                return false
            }
            if isEnough { continuation.resume() }
        }
    }
}
