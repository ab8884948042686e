/// When and by whom a row was made and last touched.
package struct Touched: Hashable, Sendable {
    package var createdAt: Instant
    package var createdBy: Actor
    package var updatedAt: Instant
    package var updatedBy: Actor
    /// The entry that touched the row last.
    package var position: Position

    package init(created header: EntryHeader) {
        createdAt = header.recordedAt
        createdBy = header.actor
        updatedAt = header.recordedAt
        updatedBy = header.actor
        position = header.position
    }

    package init(
        createdAt: Instant, createdBy: Actor, updatedAt: Instant, updatedBy: Actor,
        position: Position
    ) {
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.updatedAt = updatedAt
        self.updatedBy = updatedBy
        self.position = position
    }

    package mutating func update(by header: EntryHeader) {
        updatedAt = header.recordedAt
        updatedBy = header.actor
        position = header.position
    }
}

/// A tenant and its license.
package struct Team: Hashable, Sendable {
    package let id: TeamID
    package var name: String
    /// How many runs may be in progress at once; 0 starts nothing.
    package var maxConcurrentRuns: Int
    /// How many triggers it has.
    package var triggers: Int
    /// How many subscriptions it has.
    package var subscriptions: Int
    /// The number that was given to a subscription last.
    package var lastSubscription: Int
    /// How many operations are under way.
    package var operations: Int
    package var revision: UInt64
    package var touched: Touched

    package init(
        id: TeamID, name: String, maxConcurrentRuns: Int, triggers: Int, subscriptions: Int,
        lastSubscription: Int, operations: Int, revision: UInt64, touched: Touched
    ) {
        self.id = id
        self.name = name
        self.maxConcurrentRuns = maxConcurrentRuns
        self.triggers = triggers
        self.subscriptions = subscriptions
        self.lastSubscription = lastSubscription
        self.operations = operations
        self.revision = revision
        self.touched = touched
    }
}

/// An API key, known by the digest of its secret.
package struct APIKey: Hashable, Sendable {
    package let id: KeyID
    package let team: TeamID
    package let role: Role
    package let name: String
    /// SHA-256 of the secret's text.
    package let secretDigest: Digest256
    package let expiresAt: Instant?
    package var revokedAt: Instant?
    /// Recorded now and then, so it may be some time behind.
    package var lastUsedAt: Instant?
    package var touched: Touched

    package init(
        id: KeyID, team: TeamID, role: Role, name: String, secretDigest: Digest256,
        expiresAt: Instant?, revokedAt: Instant?, lastUsedAt: Instant?, touched: Touched
    ) {
        self.id = id
        self.team = team
        self.role = role
        self.name = name
        self.secretDigest = secretDigest
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.lastUsedAt = lastUsedAt
        self.touched = touched
    }

    /// Whether it administers the service, and will not stop doing so by itself.
    package var administersForEver: Bool {
        role == .admin && expiresAt == nil && revokedAt == nil
    }

    /// Whether the key opens anything at `now`.
    package func isValid(at now: Instant) -> Bool {
        revokedAt == nil && expiresAt.map { now < $0 } ?? true
    }
}

/// What a team or a workflow uses of its limit, derived from its runs.
package struct Usage: Hashable, Sendable {
    package var inProgress: Int
    /// Counted for teams; 0 for workflows.
    package var queued: Int
    /// Promises that are still to fire. Counted for workflows; 0 for teams.
    package var pending: Int
    /// What keeps each version from being deleted, in the order of their numbers. Of workflows.
    package private(set) var versionUses: [VersionUse]
    /// The last start in each queue, in the order of the queues. Turns are taken by it, each queue
    /// by itself: who starts much in one must not lose the place in another. Of a team, for the
    /// inner queues only, since the others are its own.
    package private(set) var lastStarts: [LastStart]

    package struct VersionUse: Hashable, Sendable {
        package let number: Int
        /// Pending promises that ask for it.
        package fileprivate(set) var pinned: Int
        package fileprivate(set) var unfinishedRuns: Int

        package init(number: Int, pinned: Int, unfinishedRuns: Int) {
            self.number = number
            self.pinned = pinned
            self.unfinishedRuns = unfinishedRuns
        }
    }

    package struct LastStart: Hashable, Sendable {
        package let queue: Queue
        package let position: Position

        package init(queue: Queue, position: Position) {
            self.queue = queue
            self.position = position
        }
    }

    package init(
        inProgress: Int = 0, queued: Int = 0, pending: Int = 0, versionUses: [VersionUse] = [],
        lastStarts: [LastStart] = []
    ) {
        self.inProgress = inProgress
        self.queued = queued
        self.pending = pending
        self.versionUses = versionUses
        self.lastStarts = lastStarts
    }

    /// The position of the last start in the queue; 0 before the first.
    package func lastStart(in queue: Queue) -> Position {
        lastStarts.first { $0.queue == queue }?.position ?? 0
    }

    package var unfinishedRuns: Int { versionUses.reduce(0) { $0 + $1.unfinishedRuns } }

    package func use(of version: Int) -> VersionUse {
        versionUses.first { $0.number == version }
            ?? VersionUse(number: version, pinned: 0, unfinishedRuns: 0)
    }

    /// Counts promises that are still to fire, pinned to a version or not.
    package mutating func countPending(pinnedTo version: Int?, by count: Int) {
        // Never below zero, also where a count was lost: `apply` is total.
        pending = max(0, pending + count)
        guard let version else { return }
        change(version) { $0.pinned = max(0, $0.pinned + count) }
    }

    package mutating func countUnfinished(of version: Int, by count: Int) {
        change(version) { $0.unfinishedRuns = max(0, $0.unfinishedRuns + count) }
    }

    private mutating func change(_ version: Int, _ change: (inout VersionUse) -> Void) {
        let place = versionUses.firstIndex { version <= $0.number } ?? versionUses.endIndex
        var use = use(of: version)
        change(&use)
        let isThere = place < versionUses.endIndex && versionUses[place].number == version
        switch (isThere, use.pinned + use.unfinishedRuns > 0) {
        case (true, true): versionUses[place] = use
        case (true, false): versionUses.remove(at: place)
        case (false, true): versionUses.insert(use, at: place)
        case (false, false): break
        }
    }

    package mutating func noteStart(in queue: Queue, at position: Position) {
        lastStarts.removeAll { $0.queue == queue }
        let place = lastStarts.firstIndex { queue < $0.queue } ?? lastStarts.endIndex
        lastStarts.insert(LastStart(queue: queue, position: position), at: place)
    }
}

/// What the service as a whole is doing.
package struct ServiceState: Hashable, Sendable {
    /// Sixteen random bytes that name this log, from its first entry.
    package var logID: [UInt8]
    package var isPaused: Bool
    /// The entry of the pause in force; 0 while there is none.
    package var pausePosition: Position
    /// Runs that were in progress at `floorPosition` are not reaped before this instant.
    package var reapFloor: Instant
    /// The entry of the last start or resume.
    package var floorPosition: Position
    package var position: Position
    package var recordedAt: Instant

    package init(
        logID: [UInt8] = [], isPaused: Bool = false, pausePosition: Position = 0,
        reapFloor: Instant = .epoch, floorPosition: Position = 0, position: Position = 0,
        recordedAt: Instant = .epoch
    ) {
        self.logID = logID
        self.isPaused = isPaused
        self.pausePosition = pausePosition
        self.reapFloor = reapFloor
        self.floorPosition = floorPosition
        self.position = position
        self.recordedAt = recordedAt
    }
}
