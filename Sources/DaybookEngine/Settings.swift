/// Every bound and default of the engine, each with its reason.
package struct Settings: Sendable {
    /// A client that retries a day later, or after a long weekend, must still be recognised.
    package var idempotencySeconds = 7 * 24 * 3_600
    /// Whether a start pauses the service: nothing fires until it is told to.
    package var startsPaused = false
    /// Waiting commands of clients. At 5,000 commands a second, two seconds of work.
    package var mailboxCommands = 10_000
    /// Their payloads together.
    package var mailboxBytes = 64 << 20
    /// A batch stays far from LMDB's limit of dirty pages, and its commit near a millisecond.
    package var batchCommands = 1_000
    package var batchBytes = 4 << 20
    /// A command that nobody reached in this time is dropped unheard: its caller has given up.
    package var commandSeconds = 10
    /// How far wall clock and boot-time clock may part.
    package var clockToleranceSeconds = 60
    /// What the timer submits at once: clients' commands go in between.
    package var timerBatch = 500
    /// Claims that wait for a run at once, a quarter of them for one team.
    package var waitingClaims = 10_000
    /// Followers of the log over HTTP at once.
    package var logStreams = 1_000
    /// A follower hears so often, in seconds, at least how far the log was looked at.
    package var streamHeartbeatSeconds = 15
    /// A follower that takes nothing for so many seconds is cut off.
    package var streamPatienceSeconds = 60
    /// Who has asked for runs of a queue in so many seconds counts as there.
    package var workerPresenceSeconds = 60
    /// When the timer comes so late, the process stood still: leases get their time anew. Far longer
    /// than a busy machine delays a task, shorter than the shortest usual lease.
    package var standstillSeconds = 10
    /// Recounts lie so far apart.
    package var recountSeconds = 3_600
    /// When keys were used last is recorded so often.
    package var keyUseSeconds = 3_600
    /// The newest checkpoint is written to its file so often.
    package var checkpointSeconds = 60
    /// Requests of executors open at once.
    package var executionsInFlight = 1_000
    /// Open requests of executors get so long at a stop.
    package var executionGraceSeconds = 20
    /// Rows that one list request may look at before it answers with what it has.
    package var listWork = 200_000
    /// Schedules that are counted for one answer.
    package var densityWork = 20_000
    /// Rows looked at in one snapshot: a few milliseconds.
    package var listWorkPerSnapshot = 2_000
    /// Entries that one request for the log may look at, each decoded and verified.
    package var logWork = 20_000
    /// A page of the log ends at about so many bytes.
    package var logPageBytes = 1 << 20
    /// Entries of one object that a look into its past may walk.
    package var historyWork = 10_000
    /// Below either, new work is refused.
    package var diskReserveBytes = 256 << 20
    package var diskReserveFraction = 0.05

    package init() {}
}
