import DaybookCore
import Glibc
import Synchronization

/// Where the service reads the time. Everything that waits or judges by time is given one.
package protocol ServiceClock: Sendable {
    /// The wall clock.
    func now() -> Instant
    /// Microseconds since the machine was started, its sleep included: moves evenly.
    func sinceBoot() -> Int64
    /// Returns when the wall clock may have reached `instant`, at the latest; throws when cancelled.
    func sleep(until instant: Instant) async throws
    /// Returns when so much time has gone by, whatever is done to the wall clock meanwhile; throws when cancelled.
    func sleep(microseconds: Int64) async throws
}

/// The clocks of the machine.
package struct SystemClock: ServiceClock {
    package init() {}

    package func now() -> Instant { Instant(microseconds: Self.read(CLOCK_REALTIME)) }

    package func sinceBoot() -> Int64 { Self.read(CLOCK_BOOTTIME) }

    package func sleep(until instant: Instant) async throws {
        let wait = instant.microseconds(since: now())
        if wait > 0 { try await sleep(microseconds: wait) }
    }

    package func sleep(microseconds: Int64) async throws {
        try await Task.sleep(for: .microseconds(microseconds), tolerance: .zero)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        let result = clock_gettime(clock, &time)
        precondition(result == 0, "the machine has no clock \(clock)")
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}

/// Judges the wall clock by the boot-time clock and by the last entry.
package struct ClockGuard: Sendable {
    package enum Judgement: Hashable, Sendable {
        case good
        /// Far ahead: an entry from the future could never be undone, so none is written.
        case ahead
        /// Far behind: entries get the last one's time; firing, reaping and expiry wait.
        case behind
    }

    private let tolerance: Int64
    private var baseline: Int64
    private var goodSince: Int64?
    /// The last entry's time when an administrator vouched: up to there the log may be ahead.
    private var vouchedFor = Instant.epoch
    package private(set) var judgement = Judgement.good

    /// How long the clocks must agree again before a suspicion ends, in microseconds.
    private static let agreement: Int64 = 10_000_000

    package init(tolerance: Int64, wall: Instant, boot: Int64, lastRecorded: Instant) {
        self.tolerance = tolerance
        baseline = wall.microseconds - boot
        if lastRecorded.microseconds - wall.microseconds > tolerance { judgement = .behind }
    }

    /// To be called about every second.
    package mutating func observe(wall: Instant, boot: Int64, lastRecorded: Instant) {
        let drift = wall.microseconds - boot - baseline
        let seen: Judgement =
            if drift > tolerance {
                .ahead
            } else if drift < -tolerance
                || (lastRecorded.microseconds - wall.microseconds > tolerance
                    && lastRecorded > vouchedFor)
            {
                .behind
            } else {
                .good
            }
        guard seen == .good, judgement != .good else {
            goodSince = nil
            judgement = seen
            return
        }
        let since = goodSince ?? boot
        goodSince = since
        if boot - since >= Self.agreement {
            judgement = .good
            goodSince = nil
        }
    }

    /// An administrator vouches for the wall clock as it is.
    package mutating func trust(wall: Instant, boot: Int64, lastRecorded: Instant) {
        vouchedFor = lastRecorded
        baseline = wall.microseconds - boot
        judgement = .good
        goodSince = nil
    }
}

/// The judgement of the clock that the whole service goes by.
package final class ClockMonitor: Sendable {
    private struct State {
        var clockGuard: ClockGuard
        var lastRecorded: Instant
    }

    private let clock: any ServiceClock
    private let tolerance: Int64
    private let state: Mutex<State>

    package init(clock: any ServiceClock, tolerance: Int64) {
        self.clock = clock
        self.tolerance = tolerance
        state = Mutex(
            State(
                clockGuard: ClockGuard(
                    tolerance: tolerance, wall: clock.now(), boot: clock.sinceBoot(),
                    lastRecorded: .epoch),
                lastRecorded: .epoch))
    }

    package var judgement: ClockGuard.Judgement { state.withLock { $0.clockGuard.judgement } }

    /// Takes the clocks as they are for the ones to go by: at a start, once the log is read.
    package func begin() {
        state.withLock { state in
            state.clockGuard = ClockGuard(
                tolerance: tolerance, wall: clock.now(), boot: clock.sinceBoot(),
                lastRecorded: state.lastRecorded)
        }
    }

    /// To be told of the last entry's time, at the start and after each commit.
    package func noteRecorded(_ instant: Instant) {
        state.withLock { $0.lastRecorded = max($0.lastRecorded, instant) }
    }

    /// To be called about every second; returns whether the judgement changed.
    package func observe() -> Bool {
        state.withLock { state in
            let before = state.clockGuard.judgement
            state.clockGuard.observe(
                wall: clock.now(), boot: clock.sinceBoot(), lastRecorded: state.lastRecorded)
            return state.clockGuard.judgement != before
        }
    }

    /// An administrator vouches for the wall clock as it is.
    package func trust() {
        state.withLock { state in
            state.clockGuard.trust(
                wall: clock.now(), boot: clock.sinceBoot(), lastRecorded: state.lastRecorded)
        }
    }
}
