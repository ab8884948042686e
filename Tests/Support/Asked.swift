import DaybookCore
import DaybookStore

/// A command with all that it is judged by, and what it brings along.
package struct Asked: Sendable {
    package var command: Command
    package var actor: Actor
    package var team: TeamID?
    package var at: Instant
    package var newID: AnyID
    package var ifMatch: Set<UInt64>?
    package var commandID: CommandID
    package var idempotency: Idempotency?
    /// The bytes of the payload that the command's event brings.
    package var payload: SaltedPayload?

    package init(
        _ command: Command, by actor: Actor = .system(.service), team: TeamID?, at: Instant,
        newID: AnyID, commandID: CommandID, ifMatch: Set<UInt64>? = nil,
        idempotency: Idempotency? = nil, payload: SaltedPayload? = nil
    ) {
        self.command = command
        self.actor = actor
        self.team = team
        self.at = at
        self.newID = newID
        self.commandID = commandID
        self.ifMatch = ifMatch
        self.idempotency = idempotency
        self.payload = payload
    }

    /// The team that the entry will belong to: of a command about a whole team, that team.
    private var entryTeam: TeamID? {
        switch command {
        case .createTeam: TeamID(newID)
        case .setLicense(let team, _): team
        case .initialise, .start, .stop, .pause, .resume, .trustClock, .recordKeyUse: nil
        default: team
        }
    }

    package func judged<S: State & ~Copyable>(by state: borrowing S) -> Judged {
        let context = Context(
            recordedAt: at, actor: actor, team: entryTeam, newID: newID,
            expectedRevisions: ifMatch)
        do {
            return .events(try decide(command, context, state))
        } catch {
            return .refused(error)
        }
    }

    package func entry(_ events: [Event], at position: Position) -> Entry {
        Entry(
            header: EntryHeader(
                position: position, recordedAt: at, team: entryTeam, actor: actor,
                commandID: commandID, causation: 0, idempotency: idempotency, traceparent: nil,
                command: command.name),
            events: events)
    }

    package func payloads(for events: [Event]) -> [(event: Int, payload: SaltedPayload)] {
        guard let payload else { return [] }
        return events.enumerated()
            .filter { $0.element.payload == payload.payload }
            .prefix(1)
            .map { ($0.offset, payload) }
    }
}

/// What became of a command: no events where it is granted and changes nothing.
package enum Judged: Hashable, Sendable {
    case events([Event])
    case refused(Rejection)

    package static let nothing = Judged.events([])
}

extension Batch {
    /// Judges a command as the writer does and, where it is granted and changes something, appends
    /// and applies its entry.
    package mutating func take(_ asked: Asked) -> Judged {
        let judged = asked.judged(by: self)
        if case .events(let events) = judged, !events.isEmpty {
            let entry = asked.entry(events, at: nextPosition)
            append(entry, payloads: asked.payloads(for: events))
            apply(entry, to: &self)
        }
        return judged
    }
}
