import LMDB
import Support
import Testing

@Suite("Row edits")
struct RowEditsTests {
    @Test("in their order, in any pieces, they do what puts and deletes one by one do")
    func asOneByOne() throws {
        for var numbers in RandomCases(30) {
            try withDatabase { environment in
                var expected: [[UInt8]: [UInt8]] = [:]
                for _ in 0..<3 {
                    var edits = RowEdits()
                    var keys: Set<[UInt8]> = []
                    for _ in 0..<Int.random(in: 0...80, using: &numbers) {
                        // Short keys: some begin others, some come again in the next round.
                        let key = numbers.bytes(Int.random(in: 1...3, using: &numbers)).map {
                            $0 % 4
                        }
                        guard keys.insert(key).inserted else { continue }
                        let value =
                            numbers.chance(1, of: 3)
                            ? nil : numbers.bytes(Int.random(in: 0...40, using: &numbers))
                        edits.change(key, value)
                        expected[key] = value
                    }
                    edits.sort()
                    try environment.write { transaction in
                        var start = 0
                        while start < edits.count {
                            let end = min(
                                edits.count, start + Int.random(in: 1...30, using: &numbers))
                            try transaction.change(environment.letters, edits, start..<end)
                            start = end
                        }
                    }
                }
                try environment.read { transaction in
                    var found: [[UInt8]: [UInt8]] = [:]
                    try transaction.scan(environment.letters, from: nil, to: nil) { key, value in
                        found[key] = value
                        return true
                    }
                    #expect(found == expected, "\(numbers.hint)")
                }
            }
        }
    }

    @Test("through splits and merges of pages, too")
    func manyPages() throws {
        for var numbers in RandomCases(2) {
            try withDatabase { environment in
                var expected: [[UInt8]: [UInt8]] = [:]
                for round in 0..<4 {
                    var edits = RowEdits()
                    var keys: Set<[UInt8]> = []
                    // At last nearly all of them go.
                    for key in expected.keys where numbers.chance(round == 3 ? 19 : 1, of: 20) {
                        edits.change(key, nil)
                        keys.insert(key)
                    }
                    for _ in 0..<4_000 where round < 3 {
                        let key = numbers.bytes(2) + [0, 0, 0, 0]
                        guard keys.insert(key).inserted else { continue }
                        edits.put(key, numbers.bytes(Int.random(in: 0...120, using: &numbers)))
                    }
                    edits.sort()
                    try environment.write { transaction in
                        try transaction.change(environment.letters, edits, 0..<edits.count)
                        for key in keys {
                            expected[key] = try transaction.get(environment.letters, key)
                        }
                    }
                }
                var found: [[UInt8]] = []
                try environment.read { transaction in
                    try transaction.verifyFreePages()
                    try transaction.scan(environment.letters, from: nil, to: nil) { key, value in
                        #expect(expected[key] == value, "\(numbers.hint)")
                        found.append(key)
                        return true
                    }
                }
                #expect(found.count == expected.count, "\(numbers.hint)")
                #expect(
                    zip(found, found.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
            }
        }
    }
}
