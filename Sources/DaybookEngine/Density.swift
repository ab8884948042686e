import DaybookCore
import DaybookStore

/// How many schedules fall into one of the equal parts of a span of time.
package struct DensityPart: Sendable, Equatable {
    /// Inclusive.
    package let from: Instant
    /// Exclusive.
    package let to: Instant
    package fileprivate(set) var counts: [Schedule.Status: Int] = [:]
    /// Of those that have fired.
    package fileprivate(set) var maximumLateness: Int64?
}

/// A span of time in equal parts.
package struct TimeParts: Sendable {
    package let from: Instant
    package let to: Instant
    package let count: Int

    /// - Parameters:
    ///   - to: later than `from`.
    ///   - count: at least 1.
    package init(from: Instant, to: Instant, count: Int) {
        precondition(from < to && count >= 1)
        self.from = from
        self.to = to
        self.count = count
    }

    private var width: Int128 { Int128(to.microseconds(since: from)) }

    /// The part that an instant of the span lies in.
    fileprivate func index(of instant: Instant) -> Int {
        Int(Int128(instant.microseconds(since: from)) * Int128(count) / width)
    }

    /// The first instant of a part; of the one behind the last, the span's end.
    fileprivate func start(of index: Int) -> Instant {
        let offset = (width * Int128(index) + Int128(count) - 1) / Int128(count)
        return from.adding(microseconds: Int64(offset))
    }
}

extension Engine {
    /// Counts the team's schedules by part of a span of time and by status; only parts that hold something
    /// are given, in order. Counts a bounded number: where there are more, the next answer begins behind
    /// `next`, perhaps within the last part of this one.
    package func density(
        of team: TeamID, workflow: WorkflowID?, in span: TimeParts, after cursor: [UInt8]?
    ) async throws -> Page<DensityPart> {
        var filter = ScheduleFilter()
        filter.workflow = workflow
        filter.from = span.from
        filter.to = span.to
        filter.order = .scheduledTime
        var parts: [DensityPart] = []
        var last = -1
        var next = cursor
        var done = 0
        repeat {
            let work = min(settings.listWorkPerSnapshot, settings.densityWork - done)
            let page = try read { view in
                try view.schedules(of: team, filter, after: next, limit: work, work: work)
            }
            for schedule in page.items {
                let index = span.index(of: schedule.scheduledTime)
                if index != last {
                    parts.append(
                        DensityPart(from: span.start(of: index), to: span.start(of: index + 1)))
                    last = index
                }
                parts[parts.count - 1].count(schedule)
            }
            done += work
            next = page.next
            await Task.yield()
        } while next != nil && done < settings.densityWork && !Task.isCancelled
        return Page(items: parts, next: next)
    }
}

extension DensityPart {
    fileprivate init(from: Instant, to: Instant) {
        self.from = from
        self.to = to
    }

    fileprivate mutating func count(_ schedule: Schedule) {
        counts[schedule.status, default: 0] += 1
        if let firedAt = schedule.firedAt {
            let lateness = firedAt.milliseconds(since: schedule.scheduledTime)
            maximumLateness = max(maximumLateness ?? lateness, lateness)
        }
    }
}
