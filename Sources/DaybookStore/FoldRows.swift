import DaybookCore
import DequeModule
import LMDB

/// Decoded rows of one table, by id. A class, because a read keeps what it has read.
final class KeptRows<ID: Hashable, Row: Sendable> {
    private final class Slot {
        let id: ID
        var current: RowBox<Row>
        /// What stands in the table.
        var written: RowBox<Row>?
        var isChanged = false

        init(_ id: ID, _ current: RowBox<Row>, written: RowBox<Row>?) {
            self.id = id
            self.current = current
            self.written = written
        }
    }

    /// Unchanged rows are kept up to so many.
    private let limit: Int
    private let read: (ID, TeamID) -> Row?
    private var slots: [ID: Slot] = [:]
    /// Found last: what is read is nearly always set next.
    private var last: Slot?
    /// Those that are to be written, in the order in which they came, which is nearly that of ids.
    private var changed: [Slot] = []
    private var hasWritten = false

    init(limit: Int, _ read: @escaping (ID, TeamID) -> Row?) {
        self.limit = limit
        self.read = read
    }

    var changedCount: Int { changed.count }

    func row(_ id: ID, _ team: TeamID) -> Row? {
        if let slot = slot(id) { return slot.current.row }
        guard hasWritten, let row = read(id, team) else { return nil }
        let box = RowBox(row)
        let slot = Slot(id, box, written: box)
        slots[id] = slot
        last = slot
        return row
    }

    func set(_ row: Row, _ id: ID) {
        if let slot = slot(id) {
            slot.current = RowBox(row)
            note(slot)
        } else {
            let slot = Slot(id, RowBox(row), written: nil)
            slots[id] = slot
            note(slot)
        }
    }

    private func slot(_ id: ID) -> Slot? {
        if let last, last.id == id { return last }
        guard let slot = slots[id] else { return nil }
        last = slot
        return slot
    }

    private func note(_ slot: Slot) {
        if !slot.isChanged { changed.append(slot) }
        slot.isChanged = true
    }

    /// The changed rows. Those that will hardly be touched again are forgotten.
    func takeChanged(keep: (Row) -> Bool) -> [RowChange<Row>] {
        var changes: [RowChange<Row>] = []
        changes.reserveCapacity(changed.count)
        for slot in changed {
            changes.append(RowChange(old: slot.written, new: slot.current))
            slot.written = slot.current
            slot.isChanged = false
            if !keep(slot.current.row) { slots[slot.id] = nil }
        }
        changed = []
        last = nil
        hasWritten = true
        if slots.count > limit { slots = [:] }
        return changes
    }
}

/// A row that does not change any more. Rows are large, so each stands in a box and is not moved about.
final class RowBox<Row: Sendable>: Sendable {
    let row: Row

    init(_ row: Row) {
        self.row = row
    }
}

/// A row that is to be written, and what stands in its place; nothing where it is new.
struct RowChange<Row: Sendable>: Sendable {
    let old: RowBox<Row>?
    let new: RowBox<Row>

    /// Visits the changes in the order of ids, so that what is derived from them nearly is in its order as it comes.
    static func forEach<Kind>(
        _ changes: [Self], orderedBy id: (Row) -> Identifier<Kind>,
        _ body: (_ old: Row?, _ new: Row) -> Void
    ) {
        // The ids apart: rows are spread over the memory.
        var order: [(id: Identifier<Kind>, index: Int)] = []
        order.reserveCapacity(changes.count)
        for (index, change) in changes.enumerated() { order.append((id(change.new.row), index)) }
        order.sort { $0.id < $1.id }
        for (_, index) in order { body(changes[index].old?.row, changes[index].new.row) }
    }
}

/// Entries of indexes that are to be put and deleted, each once.
struct IndexEdits {
    /// By list, and schedules also by status. Rows come in the order of their ids, and so what is in one of these
    /// nearly comes in the order of its keys.
    private(set) var edits: [Fold.TableEdits] = {
        let tables: [TableName] =
            Array(repeating: .scheduleLists, count: statuses + 2)
            + Array(repeating: .runLists, count: 3) + [.due, .startable, .deliveryLists]
        return tables.map { Fold.TableEdits(table: $0) }
    }()

    private static let statuses = Schedule.Status.allCases.count

    /// Which of them has the entry.
    private static func place(_ entry: IndexEntry) -> Int {
        switch entry {
        case .schedule(.byStatus(_, let status, _)): Int(status.rawValue) - 1
        case .schedule(.byTime): statuses
        case .schedule(.byWorkflow): statuses + 1
        case .run(.unfinished): statuses + 2
        case .run(.byWorkflow): statuses + 3
        case .run(.inProgress): statuses + 4
        case .due: statuses + 5
        case .startable: statuses + 6
        case .delivery: statuses + 7
        case .ready, .turn, .operation:
            preconditionFailure("an entry that does not follow from one row")
        }
    }

    mutating func add(_ entry: IndexEntry, isThere: Bool) {
        edits[Self.place(entry)].rows.change(entry, isThere: isThere)
    }
}

/// Rows that end by time: when each ends stays in memory, what it says until it was written.
struct EndingRows<Key: Hashable & Comparable & Sendable, Value: Sendable> {
    private var ends: [Key: Instant] = [:]
    /// In their order; new ones nearly always come last.
    private var order = Deque<RowEnd<Key>>()
    var changes: [Key: Value?] = [:]
    /// Whether each is there in the end.
    var endChanges: [RowEnd<Key>: Bool] = [:]

    var count: Int { changes.count + endChanges.count }

    mutating func set(_ value: Value, for key: Key, endingAt instant: Instant) {
        if let old = ends[key] { remove(RowEnd(end: old, key: key)) }
        let end = RowEnd(end: instant, key: key)
        order.insert(end, at: place(of: end))
        ends[key] = instant
        endChanges[end] = true
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
        endChanges[end] = false
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
