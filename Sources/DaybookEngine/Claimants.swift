import DaybookCore
import Synchronization

/// The claims that wait for a run, by team and worker queue, in the order in which they came.
///
/// A commit that opens a door for a team rings one claim in each of its queues, for each door: a
/// freed slot or a queued run lets one run start at most. A claim that got something rings the next,
/// since a raised limit lets several start. Who leaves with a ring unheard passes it on. So none is
/// lost, nobody polls, and a run wakes no crowd.
package final class Claimants: Sendable {
    struct Place: Hashable, Sendable {
        let team: TeamID
        let queue: Queue
    }

    /// One claim that waits or is about to.
    struct Claimant: Sendable {
        fileprivate let id: Int
        let place: Place
        let bell = Bell()
    }

    /// Who asks for runs of a queue. Not derived from the log: it begins anew with the process.
    package struct Presence: Hashable, Sendable {
        package let waiting: Int
        package let lastAskedAt: Instant?
    }

    fileprivate struct State {
        var nextID = 0
        var lines: [Place: [(claimant: Claimant, isRung: Bool)]] = [:]
        var queues: [TeamID: Set<Queue>] = [:]
        var waiting: [TeamID: Int] = [:]
        var count = 0
        var lastAsked: [TeamID: [Queue: Instant]] = [:]
        var isEnded = false
    }

    private let state = Mutex(State())
    private let maximum: Int
    /// Queues of a team whose last claim is remembered.
    private static let rememberedQueues = 1_000

    init(maximum: Int) {
        self.maximum = maximum
    }

    /// Puts a claim at the end of its line. Throws where too many wait or the service stops.
    func enter(_ place: Place, at now: Instant) throws(Unavailable) -> Claimant {
        let result = state.withLock { state -> Result<Claimant, Unavailable> in
            guard !state.isEnded else { return .failure(.stopping) }
            guard state.count < maximum,
                state.waiting[place.team, default: 0] < max(1, maximum / 4)
            else { return .failure(.overloaded) }
            state.nextID += 1
            let claimant = Claimant(id: state.nextID, place: place)
            state.lines[place, default: []].append((claimant, false))
            state.queues[place.team, default: []].insert(place.queue)
            state.waiting[place.team, default: 0] += 1
            state.count += 1
            state.remember(place, at: now, limit: Self.rememberedQueues)
            return .success(claimant)
        }
        return try result.get()
    }

    /// The claim is going to look: a ring up to now has been heard.
    func look(_ claimant: Claimant) {
        state.withLock { state in
            guard let index = state.index(of: claimant) else { return }
            state.lines[claimant.place]?[index].isRung = false
        }
    }

    /// Takes the claim out of its line.
    ///
    /// - Parameter gotSomething: whether there may be more where that came from.
    func leave(_ claimant: Claimant, gotSomething: Bool) {
        let bells = state.withLock { state -> [Bell] in
            guard let index = state.index(of: claimant),
                let left = state.lines[claimant.place]?.remove(at: index)
            else { return [] }
            let place = claimant.place
            state.count -= 1
            let others = state.waiting[place.team, default: 1] - 1
            state.waiting[place.team] = others == 0 ? nil : others
            if state.lines[place]?.isEmpty == true {
                state.lines[place] = nil
                state.queues[place.team]?.remove(place.queue)
                if state.queues[place.team]?.isEmpty == true { state.queues[place.team] = nil }
            }
            return [left.isRung, gotSomething].filter(\.self)
                .compactMap { _ in state.next(at: place) }
        }
        for bell in bells { bell.ring() }
    }

    /// Rings where the committed entries opened doors; without entries, everywhere. Called on the
    /// writer's thread.
    func notice(_ entries: [Entry]) {
        let bells = state.withLock { state -> [Bell] in
            guard state.count > 0 else { return [] }
            if entries.isEmpty { return state.nextEverywhere() }
            var doors: [Place: Int] = [:]
            var bells: [Bell] = []
            for entry in entries {
                for event in entry.events where event.opensADoor {
                    guard let team = entry.header.team else {
                        bells += state.nextEverywhere()
                        continue
                    }
                    if case .runQueued(let queued) = event {
                        doors[Place(team: team, queue: queued.queue), default: 0] += 1
                    } else {
                        for queue in state.queues[team] ?? [] {
                            doors[Place(team: team, queue: queue), default: 0] += 1
                        }
                    }
                }
            }
            for (place, count) in doors {
                for _ in 0..<count {
                    guard let bell = state.next(at: place) else { break }
                    bells.append(bell)
                }
            }
            return bells
        }
        for bell in bells { bell.ring() }
    }

    /// Ends all waiting: the service stops.
    func end() {
        let bells = state.withLock { state in
            state.isEnded = true
            return state.lines.values.joined().map(\.claimant.bell)
        }
        for bell in bells { bell.ring() }
    }

    var hasEnded: Bool { state.withLock { $0.isEnded } }

    func presence(at place: Place) -> Presence {
        state.withLock { state in
            Presence(
                waiting: state.lines[place]?.count ?? 0,
                lastAskedAt: state.lastAsked[place.team]?[place.queue])
        }
    }

    /// Claims that wait now.
    package var count: Int { state.withLock { $0.count } }
}

extension Claimants.State {
    fileprivate func index(of claimant: Claimants.Claimant) -> Int? {
        lines[claimant.place]?.firstIndex { $0.claimant.id == claimant.id }
    }

    /// Marks the first in the line that was not rung yet, and gives its bell.
    fileprivate mutating func next(at place: Claimants.Place) -> Bell? {
        guard let index = lines[place]?.firstIndex(where: { !$0.isRung }) else { return nil }
        lines[place]?[index].isRung = true
        return lines[place]?[index].claimant.bell
    }

    /// Notes when a queue was asked for; forgets the one asked for longest ago where there are many.
    fileprivate mutating func remember(
        _ place: Claimants.Place, at now: Instant, limit: Int
    ) {
        var queues = lastAsked[place.team] ?? [:]
        if queues[place.queue] == nil, queues.count >= limit,
            let oldest = queues.min(by: { $0.value < $1.value })?.key
        {
            queues[oldest] = nil
        }
        queues[place.queue] = now
        lastAsked[place.team] = queues
    }

    fileprivate mutating func nextEverywhere() -> [Bell] {
        Array(lines.keys).compactMap { next(at: $0) }
    }
}
