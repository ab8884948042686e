import DaybookCore
import DequeModule
import Dispatch
import Synchronization

/// One waiting command and where its outcome goes.
struct Ticket: Sendable {
    let submission: Submission
    /// Microseconds since boot after which nobody waits for it.
    let deadline: Int64?
    let caller: Caller?
    /// Microseconds since boot.
    let putAt: Int64
    let complete: @Sendable (Outcome) -> Void
}

/// Whether somebody still waits for a command.
final class Caller: Sendable {
    private let gone = Atomic<Bool>(false)

    var isGone: Bool { gone.load(ordering: .relaxed) }

    func leave() { gone.store(true, ordering: .relaxed) }
}

/// Where commands wait for the writer: bounded, in three lanes that are served in turn.
///
/// Only `requests` is ever refused for being full, and one team may hold at most a quarter of it:
/// what ends something frees a slot, and what the service itself submits is bounded at its source.
final class Mailbox: Sendable {
    enum Lane: Int, CaseIterable, Sendable {
        case ends
        case service
        case requests
    }

    fileprivate struct State {
        var lanes: [Deque<Ticket>] = Lane.allCases.map { _ in Deque() }
        var requestBytes = 0
        var requestsByTeam: [TeamID?: Int] = [:]
        var isClosed = false
        var isWriterWaiting = false
        var nextLane = 0
    }

    private let state = Mutex(State())
    private let writer = DispatchSemaphore(value: 0)
    private let settings: Settings

    init(settings: Settings) {
        self.settings = settings
    }

    /// Puts a ticket into its lane. Returns why not, where it is refused.
    func put(_ tickets: [Ticket], in lane: Lane) -> Unavailable? {
        let (refusal, wakes) = state.withLock { state -> (Unavailable?, Bool) in
            guard !state.isClosed else { return (.stopping, false) }
            if lane == .requests {
                for ticket in tickets {
                    guard state.admits(ticket, settings) else { return (.overloaded, false) }
                }
                for ticket in tickets { state.count(ticket, by: 1) }
            }
            state.lanes[lane.rawValue].append(contentsOf: tickets)
            defer { state.isWriterWaiting = false }
            return (nil, state.isWriterWaiting)
        }
        if wakes { writer.signal() }
        return refusal
    }

    /// Waits for tickets and takes what is there, up to the size of a batch, from the lanes in
    /// turn. Returns none when the mailbox is closed and empty. To be called by the writer alone.
    func take() -> [Ticket] {
        while true {
            let taken = state.withLock { state -> [Ticket]? in
                let tickets = state.take(settings)
                if tickets.isEmpty, !state.isClosed {
                    state.isWriterWaiting = true
                    return nil
                }
                return tickets
            }
            if let taken { return taken }
            writer.wait()
        }
    }

    /// Takes out what nobody waits for any more, while the writer is held up by the disk, say.
    func removeLate(at now: Int64) -> [Ticket] {
        state.withLock { state in
            let lane = Lane.requests.rawValue
            let late = state.lanes[lane].filter { $0.deadline.map { $0 < now } ?? false }
            guard !late.isEmpty else { return [] }
            state.lanes[lane].removeAll { $0.deadline.map { $0 < now } ?? false }
            for ticket in late { state.count(ticket, by: -1) }
            return Array(late)
        }
    }

    /// Takes no more tickets; those inside are still served.
    func close() {
        let wakes = state.withLock { state in
            state.isClosed = true
            defer { state.isWriterWaiting = false }
            return state.isWriterWaiting
        }
        if wakes { writer.signal() }
    }

    /// Whether so many more commands of the team would be taken, with as much again to spare for its clients.
    func hasRoom(for count: Int, of team: TeamID) -> Bool {
        state.withLock { state in
            let waiting = state.lanes[Lane.requests.rawValue].count
            return waiting + count <= settings.mailboxCommands / 2
                && state.requestBytes < settings.mailboxBytes / 2
                && state.requestsByTeam[team, default: 0] + count <= settings.mailboxCommands / 8
        }
    }

    /// Since when the first of the clients' commands waits, in microseconds since boot; `nil` for none.
    var oldest: Int64? {
        state.withLock { $0.lanes[Lane.requests.rawValue].first?.putAt }
    }

    /// Commands that wait now.
    var depth: Int { state.withLock { $0.lanes.reduce(0) { $0 + $1.count } } }
}

extension Mailbox.State {
    func admits(_ ticket: Ticket, _ settings: Settings) -> Bool {
        let count = lanes[Mailbox.Lane.requests.rawValue].count
        return count < settings.mailboxCommands && requestBytes < settings.mailboxBytes
            && requestsByTeam[ticket.submission.team, default: 0] < settings.mailboxCommands / 4
    }

    mutating func count(_ ticket: Ticket, by step: Int) {
        requestBytes += step * ticket.submission.byteCount
        let team = ticket.submission.team
        let count = requestsByTeam[team, default: 0] + step
        requestsByTeam[team] = count == 0 ? nil : count
    }

    /// A third of the batch for each lane that has enough, the rest for whoever has more.
    mutating func take(_ settings: Settings) -> [Ticket] {
        var tickets: [Ticket] = []
        var bytes = 0
        while tickets.count < settings.batchCommands, bytes < settings.batchBytes {
            guard let lane = nextFilledLane() else { break }
            guard let ticket = lanes[lane].popFirst() else { break }
            if lane == Mailbox.Lane.requests.rawValue { count(ticket, by: -1) }
            bytes += ticket.submission.byteCount
            tickets.append(ticket)
        }
        return tickets
    }

    private mutating func nextFilledLane() -> Int? {
        for _ in lanes {
            nextLane = (nextLane + 1) % lanes.count
            if !lanes[nextLane].isEmpty { return nextLane }
        }
        return nil
    }
}
