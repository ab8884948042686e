import DaybookCore
import DequeModule
import LMDB

/// Decoded rows of one table, by id. A class, because a read keeps what it has read.
final class KeptRows<ID: Hashable, Row: Sendable> {
    /// Rows are large: each stands in a place of its own, and is changed there.
    private final class Slot {
        let id: ID
        var row: Row
        /// What stands in the table.
        var written: RowBox<Row>?
        var isChanged: Bool

        init(_ id: ID, _ row: Row, written: RowBox<Row>?, isChanged: Bool) {
            self.id = id
            self.row = row
            self.written = written
            self.isChanged = isChanged
        }
    }

    private let isOpen: (Row) -> Bool
    private let read: (ID, TeamID) -> Row?
    private var slots: [ID: Slot] = [:]
    /// Found last: what is read is nearly always set next.
    private var last: Slot?
    /// Those that are to be written, in the order in which they came, which is nearly that of ids.
    private var changed: [Slot] = []
    private var hasWritten = false
    /// How many changed rows have settled.
    private(set) var settledCount = 0

    /// - Parameters:
    ///   - isOpen: whether the row has not settled yet.
    ///   - read: the row that stands in the table.
    init(isOpen: @escaping (Row) -> Bool, _ read: @escaping (ID, TeamID) -> Row?) {
        self.isOpen = isOpen
        self.read = read
    }

    /// How many changed rows are open.
    var openCount: Int { changed.count - settledCount }
    /// How many there are, changed or not.
    var count: Int { slots.count }

    func row(_ id: ID, _ team: TeamID) -> Row? {
        if let slot = slot(id) { return slot.row }
        guard hasWritten, let row = read(id, team) else { return nil }
        keep(Slot(id, row, written: RowBox(row), isChanged: false))
        return row
    }

    /// - Parameter row: is new, or was read before.
    func set(_ row: Row, _ id: ID) {
        if !isOpen(row) { settledCount += 1 }
        if let slot = slot(id) {
            if slot.isChanged {
                if !isOpen(slot.row) { settledCount -= 1 }
            } else {
                slot.isChanged = true
                changed.append(slot)
            }
            slot.row = row
        } else {
            let slot = Slot(id, row, written: nil, isChanged: true)
            keep(slot)
            changed.append(slot)
        }
    }

    private func slot(_ id: ID) -> Slot? {
        if let last, last.id == id { return last }
        guard let slot = slots[id] else { return nil }
        last = slot
        return slot
    }

    private func keep(_ slot: Slot) {
        slots[slot.id] = slot
        last = slot
    }

    /// The changed rows that have settled, which are forgotten; and the open ones where `takesOpen`.
    func takeChanged(open takesOpen: Bool) -> [RowChange<Row>] {
        var changes: [RowChange<Row>] = []
        changes.reserveCapacity(takesOpen ? changed.count : settledCount)
        var left: [Slot] = []
        for slot in changed {
            let isOpen = isOpen(slot.row)
            if isOpen, !takesOpen {
                left.append(slot)
                continue
            }
            let row = RowBox(slot.row)
            changes.append(RowChange(old: slot.written, new: row))
            slot.written = row
            slot.isChanged = false
            if !isOpen { slots[slot.id] = nil }
        }
        changed = left
        settledCount = 0
        last = nil
        hasWritten = true
        return changes
    }

    /// Rows that stand in the table are read again when they are asked for.
    func forgetUnchanged() {
        slots = Dictionary(uniqueKeysWithValues: changed.map { ($0.id, $0) })
        last = nil
    }
}

/// A row that does not change any more.
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
