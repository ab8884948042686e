/// A point in time: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
package struct Instant: Hashable, Comparable, Sendable {
    package let microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    package static let epoch = Instant(microseconds: 0)
    /// 9999-12-31T23:59:59.999999Z, the last instant that RFC 3339 can write.
    package static let latest = Instant(microseconds: 253_402_300_799_999_999)

    package static func < (left: Self, right: Self) -> Bool {
        left.microseconds < right.microseconds
    }

    /// This instant moved by some seconds, held within `epoch...latest`.
    package func adding(seconds: Int) -> Instant {
        let (delta, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000)
        if overflow { return seconds < 0 ? .epoch : .latest }
        return adding(microseconds: delta)
    }

    /// This instant moved by some microseconds, held within `epoch...latest`.
    package func adding(microseconds delta: Int64) -> Instant {
        let (sum, overflow) = microseconds.addingReportingOverflow(delta)
        if overflow { return delta < 0 ? .epoch : .latest }
        return Instant(
            microseconds: min(max(sum, Instant.epoch.microseconds), Instant.latest.microseconds))
    }

    /// Microseconds from `other` until this instant; negative where this one comes first.
    package func microseconds(since other: Instant) -> Int64 {
        microseconds - other.microseconds
    }

    /// Whole milliseconds from `other` until this instant, rounded down.
    package func milliseconds(since other: Instant) -> Int64 {
        let difference = microseconds(since: other)
        return difference >= 0 ? difference / 1000 : -((999 - difference) / 1000)
    }

    /// Whole milliseconds since 1970, as ids begin with.
    package var milliseconds: UInt64 { UInt64(max(0, microseconds) / 1000) }
}
