import DaybookCore
import DequeModule

/// Who starts next, in memory: `startable`, `ready` and `turn` of a rebuild.
struct WaitingRuns {
    /// By workflow, then lane: in the order queued. Runs nearly always come last and go first.
    private var lanes: [WorkflowID: [Lane: Deque<Startable>]] = [:]
    private var ready: [TeamID: [Queue: Ordered<Ready>]] = [:]
    private var turns: Set<Turn> = []

    mutating func change(_ row: Startable, isThere: Bool) {
        lanes[row.workflow, default: [:]][row.lane, default: []].change(row, isThere: isThere)
        if !isThere, lanes[row.workflow]?[row.lane]?.isEmpty == true {
            lanes[row.workflow]?[row.lane] = nil
        }
    }

    mutating func change(_ row: Ready, isThere: Bool) {
        ready[row.team, default: [:]][row.lane.queue, default: Ordered()]
            .change(row, isThere: isThere)
    }

    mutating func change(_ row: Turn, isThere: Bool) {
        if isThere { turns.insert(row) } else { turns.remove(row) }
    }

    func firstReady(of team: TeamID, in queue: Queue) -> Ready? { ready[team]?[queue]?.first }

    func firstStartable(of workflow: WorkflowID, in lane: Lane) -> Startable? {
        lanes[workflow]?[lane]?.first
    }

    func nextLane(of workflow: WorkflowID, after lane: Lane?) -> Lane? {
        var next: Lane?
        for found in (lanes[workflow] ?? [:]).keys
        where lane.map({ $0 < found }) ?? true && next.map({ found < $0 }) ?? true {
            next = found
        }
        return next
    }

    func forEach(_ body: (IndexEntry) throws -> Void) rethrows {
        for lane in lanes.values.flatMap(\.values) {
            for row in lane { try body(.startable(row)) }
        }
        for rows in ready.values.flatMap(\.values) {
            for row in rows.elements { try body(.ready(row)) }
        }
        for row in turns { try body(.turn(row)) }
    }

    /// A set in its order.
    private struct Ordered<Element: Comparable> {
        private(set) var elements = Deque<Element>()

        var first: Element? { elements.first }

        mutating func change(_ element: Element, isThere: Bool) {
            elements.change(element, isThere: isThere)
        }
    }
}

extension Deque where Element: Comparable {
    /// Inserts into, or removes from, what stands in its order, each element once.
    fileprivate mutating func change(_ element: Element, isThere: Bool) {
        var (low, high) = (0, count)
        if let last, last < element {
            low = count
        } else if let first, first == element {
            high = 0
        }
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        let isKnown = low < count && self[low] == element
        if isThere, !isKnown { insert(element, at: low) }
        if !isThere, isKnown { remove(at: low) }
    }
}
