import LMDB
import Testing

@Suite("Scans and seeks")
struct ScanTests {
    @Test("they find what a sorted list would, for any bounds, either way, in any transaction")
    func agreementWithSortedList() throws {
        try withDatabase { environment in
            // Every other key is present, so that bounds are hit and missed.
            let present = stride(from: 0, to: everyKey.count, by: 2).map { everyKey[$0] }
            try environment.write { transaction in
                for key in present.reversed() {
                    try transaction.put(environment.letters, key, key + key)
                }
                try expectAgreement(of: transaction, environment.letters, with: present)
            }
            try environment.read { transaction in
                try expectAgreement(of: transaction, environment.letters, with: present)
                try expectAgreement(of: transaction, environment.numbers, with: [])
            }
        }
    }

    @Test("they cross pages")
    func manyPages() throws {
        try withDatabase { environment in
            try environment.write { transaction in
                for number in 0..<5_000 {
                    try transaction.append(environment.numbers, key(number), key(-number))
                }
            }
            try environment.read { transaction in
                var next = 10
                try transaction.scan(environment.numbers, from: key(10), to: key(4_900)) {
                    #expect($0 == key(next) && $1 == key(-next))
                    next += 1
                    return true
                }
                #expect(next == 4_900)
                try transaction.scanKeys(
                    environment.numbers, from: key(10), to: key(4_900), descending: true
                ) {
                    next -= 1
                    #expect($0 == key(next))
                    return true
                }
                #expect(next == 10)
            }
        }
    }

    @Test("a scan ends when its closure says so", arguments: [false, true])
    func stop(descending: Bool) throws {
        try withDatabase { environment in
            try environment.write { transaction in
                for number in 0..<10 {
                    try transaction.append(environment.numbers, key(number), [])
                }
            }
            try environment.read { transaction in
                var seen: [[UInt8]] = []
                try transaction.scanKeys(
                    environment.numbers, from: nil, to: nil, descending: descending
                ) {
                    seen.append($0)
                    return seen.count < 3
                }
                #expect(seen == (descending ? [9, 8, 7] : [0, 1, 2]).map(key))
            }
        }
    }

    @Test("what the closure of a scan throws comes out, and the transaction goes on")
    func closureThatThrows() throws {
        struct Reason: Error {}
        try withDatabase { environment in
            try environment.write { transaction in
                try transaction.put(environment.letters, [1], [1])
                #expect(throws: Reason.self) {
                    try transaction.scan(environment.letters, from: nil, to: nil) { _, _ in
                        throw Reason()
                    }
                }
                try transaction.put(environment.letters, [2], [2])
            }
            try environment.read { try #expect($0.count(environment.letters) == 2) }
        }
    }

    @Test("the same table may be read and scanned inside a scan")
    func nestedScans() throws {
        try withDatabase { environment in
            try environment.write { transaction in
                for number in 0..<4 { try transaction.append(environment.numbers, key(number), []) }
            }
            try environment.read { transaction in
                var pairs = 0
                try transaction.scanKeys(environment.numbers, from: nil, to: nil) { outer in
                    let found = try transaction.first(environment.numbers, atOrAfter: outer)
                    #expect(found?.key == outer)
                    try transaction.scanKeys(environment.numbers, from: nil, to: outer) { _ in
                        pairs += 1
                        return true
                    }
                    return true
                }
                #expect(pairs == 6)
            }
        }
    }
}

/// All keys of one and two bytes out of four, in order.
private let everyKey: [[UInt8]] = {
    let alphabet: [UInt8] = [0, 1, 128, 255]
    return alphabet.flatMap { first in [[first]] + alphabet.map { [first, $0] } }
}()

/// Compares every scan and seek, for every pair of bounds, with the same on the sorted `keys`.
/// The value of each is the key twice.
private func expectAgreement(
    of access: borrowing some ReadAccess & ~Copyable, _ table: Table, with keys: [[UInt8]]
) throws {
    let tooLong = [UInt8](repeating: 128, count: 600)
    let bounds: [[UInt8]?] = [nil, [], tooLong] + everyKey
    for from in bounds {
        for to in bounds {
            let inside = keys.filter { key in
                (from.map { !isLess(key, $0) } ?? true) && (to.map { isLess(key, $0) } ?? true)
            }
            for descending in [false, true] {
                var entries: [[UInt8]] = []
                try access.scan(table, from: from, to: to, descending: descending) { key, value in
                    #expect(value == key + key)
                    entries.append(key)
                    return true
                }
                var keysAlone: [[UInt8]] = []
                try access.scanKeys(table, from: from, to: to, descending: descending) { key in
                    keysAlone.append(key)
                    return true
                }
                let expected = descending ? inside.reversed() : inside
                #expect(entries == expected, "from \(String(describing: from)), to \(to as Any)")
                #expect(keysAlone == expected)
            }
        }
        let last = try access.last(table, before: from)
        #expect(last?.key == keys.last { key in from.map { isLess(key, $0) } ?? true })
        #expect(last?.value == last.map { $0.key + $0.key })
        if let from {
            var entries: [[UInt8]] = []
            try access.scanInPlace(table, from: from) { key, value in
                let key = Array(copying: key)
                #expect(Array(copying: value) == key + key)
                entries.append(key)
                return entries.count < 5
            }
            #expect(entries == keys.filter { !isLess($0, from) }.prefix(5).map { $0 })
            let first = try access.first(table, atOrAfter: from)
            #expect(first?.key == keys.first { !isLess($0, from) })
            #expect(first?.value == first.map { $0.key + $0.key })
        }
    }
}

private func isLess(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.lexicographicallyPrecedes(right)
}
