import DaybookCore

/// Gives ids whose order is the order in which they were given, over restarts too.
package struct IDGenerator: Sendable {
    private var last: AnyID
    private let random: @Sendable () -> UInt64

    /// - Parameter last: the greatest id that the log holds.
    package init(after last: AnyID, random: @escaping @Sendable () -> UInt64) {
        self.last = last
        self.random = random
    }

    /// An id for something made at `instant`.
    package mutating func next(at instant: Instant) -> AnyID {
        let milliseconds = instant.milliseconds
        if milliseconds > last.high >> 16 {
            // The first bit of the count is 0, so that counting up has room.
            let count = random() & (1 << 47 - 1)
            last = AnyID(
                high: milliseconds << 16 | count >> 32, low: UInt32(truncatingIfNeeded: count))
        } else {
            let (low, overflow) = last.low.addingReportingOverflow(1)
            last = AnyID(high: overflow ? last.high + 1 : last.high, low: low)
        }
        return last
    }
}
