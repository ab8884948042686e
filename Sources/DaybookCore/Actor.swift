/// Who asked for a command. There is no anonymous one.
package enum Actor: Hashable, Sendable {
    case system(Part)
    case key(KeyID)
    case trigger(TriggerID)

    /// The parts of the service that submit commands of their own. Raw values are stored for ever.
    package enum Part: UInt8, Sendable, CaseIterable {
        case service = 1
        case timer = 2
        case dispatcher = 3
        case deliverer = 4
        case command = 5
    }
}

extension Actor.Part {
    package var name: String {
        switch self {
        case .service: "service"
        case .timer: "timer"
        case .dispatcher: "dispatcher"
        case .deliverer: "deliverer"
        case .command: "command"
        }
    }
}

extension Actor: CustomStringConvertible {
    /// `system:timer`, `key:<id>`, `trigger:<id>`.
    package var description: String {
        switch self {
        case .system(let part): "system:\(part.name)"
        case .key(let id): "key:\(id)"
        case .trigger(let id): "trigger:\(id)"
        }
    }
}

/// What an API key may do. Raw values are stored for ever.
package enum Role: UInt8, Sendable, CaseIterable {
    /// Looks at things.
    case read = 1
    /// Claims runs and answers for them; sees nothing else.
    case work = 2
    /// Both, and changes.
    case write = 3
    case admin = 4

    /// Whether a key of this role may do what needs `role`.
    package func allows(_ role: Role) -> Bool {
        switch self {
        case .read, .work: role == self
        case .write: role != .admin
        case .admin: true
        }
    }

    package var name: String {
        switch self {
        case .read: "read"
        case .work: "work"
        case .write: "write"
        case .admin: "admin"
        }
    }

    package init?(name: String) {
        guard let role = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = role
    }
}
