import DaybookCore
import LMDB

/// Triggers, and what they refused.
extension View {
    package borrowing func trigger(_ id: TriggerID, of team: TeamID) throws -> Trigger? {
        try row(tables.triggers, Keys.row(team, id))
    }

    /// The trigger of whichever team: callers name none.
    package borrowing func trigger(_ id: TriggerID) throws -> Trigger? {
        guard let bytes = try transaction.get(tables.triggerTeams, Keys.id(id)) else { return nil }
        guard let team = TeamID(bytes: bytes) else {
            throw LogError.damagedProjection(tables.triggerTeams.name)
        }
        return try trigger(id, of: team)
    }

    /// A page of the team's triggers, newest first.
    package borrowing func triggers(
        of team: TeamID, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<Trigger> {
        try page(
            tables.triggers, ListRange(prefix: team.bytes, descending: true), cursor, limit, .max
        ) { _, value in try Trigger(row: value) }
    }

    /// All enabled triggers of this source, of all teams.
    package borrowing func enabledTriggers(_ source: Trigger.Source) throws -> [Trigger] {
        var found: [Trigger] = []
        try transaction.scan(tables.triggers, from: nil, to: nil) { _, value in
            let trigger = try Trigger(row: value)
            if trigger.source == source, trigger.isEnabled { found.append(trigger) }
            return true
        }
        return found
    }

    package borrowing func refusal(
        _ id: RefusalID, of trigger: TriggerID, team: TeamID
    ) throws -> Refusal? {
        try row(tables.refusals, Keys.refusal(team, RefusalKey(trigger: trigger, refusal: id)))
    }

    /// A page of what the trigger refused, newest first.
    package borrowing func refusals(
        of trigger: TriggerID, team: TeamID, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<Refusal> {
        try page(
            tables.refusals, ListRange(prefix: team.bytes + trigger.bytes, descending: true),
            cursor, limit, .max
        ) { _, value in try Refusal(row: value) }
    }
}
