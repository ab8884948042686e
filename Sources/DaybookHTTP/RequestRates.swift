import DaybookCore
import DaybookEngine
import Synchronization

/// How many requests a team may make: a bucket for each that fills at a steady rate and holds some seconds'
/// worth, so that one team's flood is turned away before it takes anything from another.
final class RequestRates: Sendable {
    /// What a full bucket holds, in seconds of the rate.
    private static let burstSeconds = 2

    private struct Bucket {
        /// In millionths of a request.
        var fill: Int64
        /// Microseconds since boot.
        var filledAt: Int64
    }

    private let perSecond: Int64
    private let clock: any ServiceClock
    private let buckets = Mutex<[TeamID: Bucket]>([:])

    /// - Parameter perSecond: 0 sets no limit.
    init(perSecond: Int, clock: any ServiceClock) {
        self.perSecond = Int64(perSecond)
        self.clock = clock
    }

    /// Takes one request of the team; throws what it hears where there is none left.
    func take(_ team: TeamID) throws(Problem) {
        guard perSecond > 0 else { return }
        let now = clock.sinceBoot()
        let full = perSecond * 1_000_000 * Int64(Self.burstSeconds)
        let isThere = buckets.withLock { buckets in
            var bucket = buckets[team] ?? Bucket(fill: full, filledAt: now)
            let passed = min(max(0, now - bucket.filledAt), 60_000_000)
            bucket.fill = min(full, bucket.fill + passed * perSecond)
            bucket.filledAt = now
            defer { buckets[team] = bucket }
            guard bucket.fill >= 1_000_000 else { return false }
            bucket.fill -= 1_000_000
            return true
        }
        guard isThere else { throw .rateLimited(perSecond: Int(perSecond)) }
    }
}
