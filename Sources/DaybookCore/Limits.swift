/// Every bound of the core, each with its reason. All counts of text are bytes of UTF-8.
package enum Limits {
    /// A license or cap beyond this is surely a slip of the keyboard, and it fits an Int32 anywhere.
    package static let concurrentRuns = 0...1_000_000
    /// What a team may run at once when nobody has said otherwise.
    package static let defaultTeamRuns = 50
    /// Names of workflows, as the REST contract has them.
    package static let nameBytes = 1...150
    package static let descriptionBytes = 0...4_000
    /// Who asked for a schedule, a worker's name, a version's name: shown, never looked up.
    package static let labelBytes = 1...150
    /// Part of a key of at most 511 bytes together with two ids.
    package static let deduplicationKeyBytes = 1...255
    /// Letters, digits, `.`, `_`, `-`: part of a key, and of a path.
    package static let queueNameBytes = 1...64
    package static let priorities = 0...9
    package static let defaultPriority = 5
    /// A day is the longest run; beyond it a run is a service.
    package static let runTimeoutSeconds = 1...86_400
    package static let defaultRunTimeoutSeconds = 3_600
    package static let attempts = 1...100
    package static let backoffSeconds = 0...86_400
    /// A worker that is silent for longer is gone.
    package static let leaseSeconds = 5...3_600
    package static let defaultLeaseSeconds = 60
    /// Numbers of versions are kept in 32 bits.
    package static let versionNumbers = 0...1_000_000
    /// After a start or a resume, runs that were already in progress are left alone so long.
    package static let reapFloorSeconds = 60
    /// Ended idempotency rows that one entry clears away: more than it can add, so they never pile up.
    package static let expiredRowsPerEntry = 4
    /// A workflow's replaced secret holds so long.
    package static let secretOverlapSeconds = 24 * 3_600
    /// Versions in a bundle: one entry carries all their definitions.
    package static let importedVersions = 100
    /// Under way at once for a team: each takes its share of the writer.
    package static let operations = 10
    /// Of what an operation could not change, so many are named.
    package static let namedRefusals = 100
    /// A year either way.
    package static let shiftSeconds = -31_622_400...31_622_400
    /// Of a team: far more than anybody has senders.
    package static let triggers = 1_000
    /// Of a team: each costs a look at every event that may be told.
    package static let subscriptions = 100
    /// Numbers of subscriptions are 24 bits of a delivery's id.
    package static let subscriptionNumbers = 1...16_777_215
    /// Workflows that a subscription can name; its row stays small.
    package static let subscriptionWorkflows = 100
    package static let deliveryTimeoutSeconds = 1...60
    package static let defaultDeliveryTimeoutSeconds = 10
    package static let deliveryRetries = 0...10
    package static let defaultDeliveryRetries = 3
    package static let deliveryBackoffSeconds = 1...300
    package static let defaultDeliveryBackoffSeconds = 10
    /// No wait between two attempts to deliver is longer, in seconds.
    package static let deliveryBackoffCap = 1_800
}
