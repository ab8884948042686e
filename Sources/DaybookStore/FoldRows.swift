import DaybookCore
import DequeModule

/// Decoded rows of one table, by id. A class, because a read keeps what it has read; rows are large, so
/// each stands in a box of its own and is not moved about.
final class KeptRows<ID: Hashable & Comparable, Row> {
    private final class Slot {
        let id: ID
        var row: Row
        var isChanged: Bool

        init(_ id: ID, _ row: Row, isChanged: Bool) {
            self.id = id
            self.row = row
            self.isChanged = isChanged
        }
    }

    /// Unchanged rows are kept up to so many.
    private static var limit: Int { 60_000 }

    private let read: (ID, TeamID) -> Row?
    private var slots: [ID: Slot] = [:]
    /// Those that are to be written, in the order in which they came, which is nearly that of ids.
    private var changed: [Slot] = []
    private var hasWritten = false

    init(_ read: @escaping (ID, TeamID) -> Row?) {
        self.read = read
    }

    func row(_ id: ID, _ team: TeamID) -> Row? {
        if let slot = slots[id] { return slot.row }
        guard hasWritten, let row = read(id, team) else { return nil }
        slots[id] = Slot(id, row, isChanged: false)
        return row
    }

    func set(_ row: Row, _ id: ID) {
        if let slot = slots[id] {
            slot.row = row
            if !slot.isChanged { changed.append(slot) }
            slot.isChanged = true
        } else {
            let slot = Slot(id, row, isChanged: true)
            slots[id] = slot
            changed.append(slot)
        }
    }

    /// The changed rows. Those that will hardly be touched again are forgotten.
    func takeChanged(keep: (Row) -> Bool) -> [Row] {
        var rows: [Row] = []
        rows.reserveCapacity(changed.count)
        for slot in changed {
            rows.append(slot.row)
            slot.isChanged = false
            if !keep(slot.row) { slots[slot.id] = nil }
        }
        changed = []
        hasWritten = true
        if slots.count > Self.limit { slots = [:] }
        return rows
    }
}

/// Entries of an index that came and went: what came and went again was never there.
struct Changes<Element: Hashable & Comparable & Sendable>: Sendable {
    private struct Change: Sendable {
        let element: Element
        /// Whether it is there in the end; `nil` where nothing has changed.
        var isThere: Bool?
    }

    private var places: [Element: Int] = [:]
    /// In the order in which they came, which is nearly that of the keys.
    private var changes: [Change] = []

    var count: Int { changes.count }

    mutating func change(_ element: Element, isThere: Bool) {
        if let place = places[element] {
            changes[place].isThere = changes[place].isThere == nil ? isThere : nil
        } else {
            places[element] = changes.count
            changes.append(Change(element: element, isThere: isThere))
        }
    }

    /// Visits the changes in the order of the elements.
    consuming func forEach(_ body: (Element, Bool) throws -> Void) rethrows {
        var left = changes.filter { $0.isThere != nil }
        left.sort { $0.element < $1.element }
        for change in left {
            if let isThere = change.isThere { try body(change.element, isThere) }
        }
    }
}

/// Rows that end by time: when each ends stays in memory, what it says until it was written.
struct EndingRows<Key: Hashable & Comparable & Sendable, Value: Sendable> {
    private var ends: [Key: Instant] = [:]
    /// In their order; new ones nearly always come last.
    private var order = Deque<RowEnd<Key>>()
    var changes: [Key: Value?] = [:]
    var endChanges = Changes<RowEnd<Key>>()

    var count: Int { changes.count + endChanges.count }

    mutating func set(_ value: Value, for key: Key, endingAt instant: Instant) {
        if let old = ends[key] { remove(RowEnd(end: old, key: key)) }
        let end = RowEnd(end: instant, key: key)
        order.insert(end, at: place(of: end))
        ends[key] = instant
        endChanges.change(end, isThere: true)
        changes[key] = .some(value)
    }

    mutating func removeOldest(endedBy now: Instant) -> Bool {
        guard let oldest = order.first, oldest.end <= now else { return false }
        remove(oldest)
        ends[oldest.key] = nil
        changes[oldest.key] = .some(nil)
        return true
    }

    private mutating func remove(_ end: RowEnd<Key>) {
        let place = place(of: end)
        precondition(place < order.count && order[place] == end, "an end that is not there")
        order.remove(at: place)
        endChanges.change(end, isThere: false)
    }

    private func place(of end: RowEnd<Key>) -> Int {
        if let last = order.last, last < end { return order.count }
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if order[middle] < end { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
