import DaybookCore
import DaybookStore

/// The first three entries of a log: its id and format, the team `default`, its first admin key.
struct FirstEntries {
    static let teamName = "default"
    static let keyName = "first admin key"

    let store: Store
    let clock: any ServiceClock
    let random: @Sendable () -> UInt64
    let newCommandID: () -> CommandID

    /// Writes them in one commit where the log is empty. The key's text is kept before the commit:
    /// a process that dies in between makes a new one at its next start.
    func writeIfEmpty(makeAdminKey: (KeyID) throws -> Digest256) throws {
        var batch = try store.beginBatch()
        guard batch.nextPosition == 1 else { return batch.abort() }
        do {
            try write(to: &batch, makeAdminKey)
        } catch {
            batch.abort()
            throw error
        }
        try batch.commit()
    }

    private func write(to batch: inout Batch, _ makeAdminKey: (KeyID) throws -> Digest256) throws {
        let now = clock.now()
        var ids = IDGenerator(after: .lowest, random: random)
        let team = ids.next(at: now)
        let key = ids.next(at: now)
        let commands: [(command: Command, team: TeamID?, newID: AnyID)] = [
            (.initialise(logID: newCommandID().bytes), nil, team),
            (
                .createTeam(
                    name: Self.teamName, maxConcurrentRuns: Limits.defaultTeamRuns),
                TeamID(team), team
            ),
            (
                .createKey(
                    NewKey(
                        role: .admin, name: Self.keyName,
                        secretDigest: try makeAdminKey(KeyID(key)), expiresAt: nil)),
                TeamID(team), key
            ),
        ]
        for (command, team, newID) in commands {
            let context = Context(
                recordedAt: now, actor: .system(.service), team: team, newID: newID)
            let entry = Entry(
                header: EntryHeader(
                    position: batch.nextPosition, recordedAt: now, team: team,
                    actor: .system(.service), commandID: newCommandID(), causation: 0,
                    idempotency: nil, traceparent: nil, command: command.name),
                events: try decide(command, context, batch))
            batch.append(entry, payloads: [])
            apply(entry, to: &batch)
        }
    }
}
