import CoreMetrics
import DaybookCore
import DaybookStore
import Foundation
import Logging
import Synchronization

/// The one thread that writes: takes a batch from the mailbox, has it judged and committed, and
/// only then answers everybody in it.
final class Writer: Sendable {
    private let mailbox: Mailbox
    private let feed: Feed
    private let clock: any ServiceClock
    private let metrics: EngineMetrics
    private let logger: Logger
    private static let threadName = "daybook-writer"

    private let firstFailure = Mutex<(any Error)?>(nil)
    private let end = Signal()

    init(
        mailbox: Mailbox, feed: Feed, clock: any ServiceClock, metrics: EngineMetrics,
        logger: Logger
    ) {
        self.mailbox = mailbox
        self.feed = feed
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
    }

    var failure: (any Error)? { firstFailure.withLock { $0 } }

    /// Starts the thread. `prepare` makes the processor on it, before anything else is written;
    /// `onEnd` is called when the thread has ended, for whatever reason.
    func start(
        prepare: @escaping @Sendable () throws -> BatchProcessor,
        onEnd: @escaping @Sendable () -> Void
    ) {
        let thread = Thread { [self] in
            // For people who look at the process; on Linux, Foundation passes it on only at times.
            Thread.current.name = Self.threadName
            do {
                try run(try prepare())
            } catch {
                firstFailure.withLock { $0 = error }
                logger.critical(
                    "the storage failed; the process stops", metadata: ["error": "\(error)"])
                mailbox.close()
                // Nobody who is still waiting is told "yes".
                while case let tickets = mailbox.take(), !tickets.isEmpty {
                    for ticket in tickets { ticket.complete(.unavailable(.outcomeUnknown)) }
                }
            }
            onEnd()
            end.fire()
        }
        thread.start()
    }

    /// Returns when the thread has ended.
    func waitForEnd() async { await end.wait() }

    private func run(_ first: BatchProcessor) throws {
        var processor = first
        while true {
            let tickets = mailbox.take()
            guard !tickets.isEmpty else { return }
            let begun = clock.sinceBoot()
            try process(tickets.filter { isWanted($0, at: begun) }, &processor)
            metrics.batchDuration.recordMicroseconds(clock.sinceBoot() - begun)
            metrics.batchCommands.record(tickets.count)
        }
    }

    private func isWanted(_ ticket: Ticket, at now: Int64) -> Bool {
        let isLate = ticket.deadline.map { $0 < now } ?? false
        guard isLate || ticket.caller?.isGone == true else { return true }
        ticket.complete(.unavailable(.overloaded))
        return false
    }

    private func process(_ tickets: [Ticket], _ processor: inout BatchProcessor) throws {
        guard !tickets.isEmpty else { return }
        var waiting = tickets[...]
        do {
            try processor.processInParts(tickets.map(\.submission)[...]) { result in
                feed.publish(result.entries)
                for outcome in result.outcomes { waiting.removeFirst().complete(outcome) }
                metrics.note(result.entries)
                for case .accepted(let accepted) in result.outcomes { metrics.note(accepted) }
                if let error = result.noRoom {
                    logger.error("a command did not fit", metadata: ["error": "\(error)"])
                }
            }
        } catch {
            for ticket in waiting { ticket.complete(.unavailable(.outcomeUnknown)) }
            throw error
        }
    }
}

/// Something that happens once, and can be waited for.
final class Signal: Sendable {
    private struct State {
        var hasFired = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func fire() {
        let waiting = state.withLock { state in
            state.hasFired = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let hasFired = state.withLock { state in
                if !state.hasFired { state.waiting.append(continuation) }
                return state.hasFired
            }
            if hasFired { continuation.resume() }
        }
    }
}
