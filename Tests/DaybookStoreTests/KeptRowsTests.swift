import DaybookCore
import Support
import Testing

@testable import DaybookStore

@Suite("Rows that a fold keeps")
struct KeptRowsTests {
    private struct Row: Hashable, Sendable {
        let id: Int
        var value: Int
        var isOpen: Bool
    }

    /// What stands in the table.
    private final class Table {
        var rows: [Int: Row] = [:]
    }

    private let team = TeamID(high: 1, low: 1)

    @Test("each row is the one set last, and taken once for each time that it was changed")
    func random() throws {
        for var numbers in RandomCases(20) {
            let table = Table()
            let kept = KeptRows<Int, Row>(isOpen: \.isOpen) { id, _ in table.rows[id] }
            var model: [Int: Row] = [:]
            var changed: Set<Int> = []
            func take(open takesOpen: Bool) {
                let expected = changed.filter { takesOpen || model[$0]?.isOpen == false }
                let changes = kept.takeChanged(open: takesOpen)
                #expect(Set(changes.map(\.new.row.id)) == expected, "\(numbers.hint)")
                #expect(changes.count == expected.count, "\(numbers.hint)")
                for change in changes {
                    let id = change.new.row.id
                    #expect(change.old?.row == table.rows[id], "\(numbers.hint)")
                    #expect(change.new.row == model[id], "\(numbers.hint)")
                    table.rows[id] = change.new.row
                }
                changed.subtract(expected)
            }
            for value in 0..<400 {
                let id = Int.random(in: 0..<30, using: &numbers)
                switch Int.random(in: 0..<20, using: &numbers) {
                case 0: take(open: false)
                case 1: take(open: true)
                case 2: kept.forgetUnchanged()
                case 3..<8: #expect(kept.row(id, team) == model[id], "\(numbers.hint)")
                default:
                    #expect(kept.row(id, team) == model[id], "\(numbers.hint)")
                    let row = Row(id: id, value: value, isOpen: numbers.chance(2, of: 3))
                    kept.set(row, id)
                    model[id] = row
                    changed.insert(id)
                }
                let open = changed.filter { model[$0]?.isOpen == true }.count
                #expect(kept.openCount == open, "\(numbers.hint)")
                #expect(kept.settledCount == changed.count - open, "\(numbers.hint)")
                #expect(kept.count >= changed.count, "\(numbers.hint)")
            }
            kept.forgetUnchanged()
            #expect(kept.count == changed.count, "\(numbers.hint)")
            take(open: true)
            #expect(table.rows == model, "\(numbers.hint)")
        }
    }
}
