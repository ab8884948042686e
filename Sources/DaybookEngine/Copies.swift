import DaybookCore
import DaybookStore
import Logging
import Synchronization

/// A copy of a data directory keeps no promises until it is told to.
extension Engine {
    /// Whether promises are kept from this directory; notes it where it is new.
    func standsFirst() throws -> Bool {
        switch try store.standing() {
        case .original: return true
        case .new:
            try store.settle()
            return true
        case .copy:
            keepsNoPromises.store(true, ordering: .releasing)
            logger.warning(
                """
                this is a copy of a data directory: it serves reads, and fires, starts and sends \
                nothing until POST /resume
                """)
            return false
        }
    }

    /// From now on the promises are kept here, whoever asks for it and how many at once.
    func becomeOriginal() async throws -> Unavailable? {
        let task = resuming.withLock { resuming in
            let task = resuming ?? Task { try await settle() }
            resuming = task
            return task
        }
        defer { resuming.withLock { $0 = nil } }
        return try await task.value
    }

    /// Paused first: whoever asked resumes.
    private func settle() async throws -> Unavailable? {
        guard isCopy else { return nil }
        for outcome in await put(together: [own(.start), own(.pause)], in: .service) {
            if case .unavailable(let reason) = outcome { return reason }
        }
        try await onOwnThread("daybook-settle") { [store] in try store.settle() }
        keepsNoPromises.store(false, ordering: .releasing)
        feed.nudgeAll()
        return nil
    }
}
