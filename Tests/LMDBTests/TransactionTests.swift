import LMDB
import Testing

@Suite("Transactions")
struct TransactionTests {
    @Test("what was put is got back, byte for byte")
    func putAndGet() throws {
        try withDatabase { environment in
            let values = [[], [0], [0, 255, 0], [UInt8](repeating: 7, count: 100_000)]
            try environment.write { transaction in
                for (number, value) in values.enumerated() {
                    try transaction.put(environment.letters, key(number), value)
                    try #expect(transaction.get(environment.letters, key(number)) == value)
                }
            }
            try environment.read { transaction in
                for (number, value) in values.enumerated() {
                    try #expect(transaction.get(environment.letters, key(number)) == value)
                    try #expect(transaction.contains(environment.letters, key(number)))
                }
                try #expect(transaction.count(environment.letters) == values.count)
                try #expect(transaction.get(environment.letters, key(9)) == nil)
                try #expect(!transaction.contains(environment.letters, key(9)))
                try #expect(transaction.count(environment.numbers) == 0)
            }
        }
    }

    @Test("keys of 1 and of 511 bytes are fine")
    func shortestAndLongestKeys() throws {
        try withDatabase { environment in
            let longest = [UInt8](repeating: 3, count: 511)
            try environment.write { transaction in
                try transaction.put(environment.letters, [1], [1])
                try transaction.put(environment.letters, longest, [2])
            }
            try environment.read { transaction in
                try #expect(transaction.get(environment.letters, [1]) == [1])
                try #expect(transaction.get(environment.letters, longest) == [2])
            }
        }
    }

    @Test("a put replaces the earlier value")
    func replacement() throws {
        try withDatabase { environment in
            try environment.write { transaction in
                try transaction.put(environment.letters, [1], [1, 1, 1])
                try transaction.put(environment.letters, [1], [2])
                try #expect(transaction.get(environment.letters, [1]) == [2])
                try #expect(transaction.count(environment.letters) == 1)
            }
        }
    }

    @Test("a delete says whether there was something")
    func deletion() throws {
        try withDatabase { environment in
            try environment.write { transaction in
                try transaction.put(environment.letters, [1], [1])
                try #expect(transaction.delete(environment.letters, [1]))
                try #expect(!transaction.delete(environment.letters, [1]))
                try #expect(transaction.get(environment.letters, [1]) == nil)
            }
        }
    }

    @Test("emptying a table leaves the others alone")
    func deletionOfAll() throws {
        try withDatabase { environment in
            try environment.write { transaction in
                for number in 0..<1_000 {
                    try transaction.put(environment.letters, key(number), key(number))
                    try transaction.put(environment.numbers, key(number), key(number))
                }
                try transaction.deleteAll(environment.letters)
                try #expect(transaction.count(environment.letters) == 0)
                try #expect(transaction.first(environment.letters, atOrAfter: [0]) == nil)
                try transaction.put(environment.letters, [5], [5])
            }
            try environment.read { transaction in
                try #expect(transaction.count(environment.letters) == 1)
                try #expect(transaction.count(environment.numbers) == 1_000)
            }
        }
    }

    @Test("appending a key that is not the greatest fails and changes nothing")
    func appendOutOfOrder() throws {
        try withDatabase { environment in
            try environment.write { transaction in
                try transaction.append(environment.numbers, key(1), [1])
                try transaction.append(environment.numbers, key(5), [5])
                for wrong in [5, 3] {
                    let error = #expect(throws: LMDBError.self) {
                        try transaction.append(environment.numbers, key(wrong), [0])
                    }
                    #expect(error == LMDBError(code: -30799, operation: "append"))
                    #expect(error?.isFatal == false)
                }
                try transaction.append(environment.numbers, key(6), [6])
            }
            try environment.read { transaction in
                try #expect(transaction.count(environment.numbers) == 3)
                try #expect(transaction.get(environment.numbers, key(5)) == [5])
            }
        }
    }

    @Test("an abort drops everything")
    func abort() throws {
        try withDatabase { environment in
            var transaction = try environment.beginWrite()
            try transaction.put(environment.letters, [1], [1])
            transaction.abort()
            try environment.read { try #expect($0.count(environment.letters) == 0) }
        }
    }

    @Test("a transaction that just goes is dropped, and the next one can begin")
    func abandonment() throws {
        try withDatabase { environment in
            do {
                var transaction = try environment.beginWrite()
                try transaction.put(environment.letters, [1], [1])
            }
            try environment.write { try $0.put(environment.letters, [2], [2]) }
            try environment.read { transaction in
                try #expect(transaction.get(environment.letters, [1]) == nil)
                try #expect(transaction.get(environment.letters, [2]) == [2])
            }
        }
    }

    @Test("a write whose closure throws is dropped, and the error comes out")
    func writeThatThrows() throws {
        struct Reason: Error {}
        try withDatabase { environment in
            #expect(throws: Reason.self) {
                try environment.write { transaction in
                    try transaction.put(environment.letters, [1], [1])
                    throw Reason()
                }
            }
            try environment.read { try #expect($0.count(environment.letters) == 0) }
        }
    }

    @Test("what was committed is there after the database was closed and opened again")
    func durability() throws {
        let directory = TemporaryDirectory()
        try createDatabase(directory.database)
        var environment = try openDatabase(directory.database)
        let result = try environment.write { transaction in
            try transaction.put(environment.letters, bytes("a"), bytes("first"))
            return 42
        }
        #expect(result == 42)
        environment.close()
        environment = try openDatabase(directory.database)
        try environment.read { transaction in
            try #expect(transaction.get(environment.letters, bytes("a")) == bytes("first"))
        }
        environment.close()
    }

    @Test("a reader keeps its snapshot while writers commit")
    func snapshots() throws {
        try withDatabase { environment in
            try environment.write { try $0.put(environment.letters, [1], bytes("old")) }
            try environment.read { reader in
                try environment.write { writer in
                    try writer.put(environment.letters, [1], bytes("new"))
                    try writer.put(environment.letters, [2], bytes("more"))
                    try #expect(reader.get(environment.letters, [1]) == bytes("old"))
                }
                try #expect(reader.get(environment.letters, [1]) == bytes("old"))
                try #expect(reader.count(environment.letters) == 1)
                try environment.read { later in
                    try #expect(later.get(environment.letters, [1]) == bytes("new"))
                    #expect(later.snapshotID == reader.snapshotID + 1)
                }
            }
        }
    }

    @Test("one thread may have many readers open")
    func manyReadersOnOneThread() throws {
        try withDatabase(smallOptions(readers: 12)) { environment in
            try environment.write { try $0.put(environment.letters, [1], [1]) }
            try nestedReads(10, of: environment) { transaction in
                try #expect(transaction.get(environment.letters, [1]) == [1])
            }
        }
    }

    @Test("when all reader slots are taken, a read says so, and works again afterwards")
    func readersFull() throws {
        try withDatabase(smallOptions(readers: 2)) { environment in
            let error = #expect(throws: LMDBError.self) {
                try nestedReads(environment.info.maximumReaders + 1, of: environment) { _ in }
            }
            #expect(error?.isReadersFull == true)
            #expect(error?.isFatal == false)
            try environment.read { try #expect($0.count(environment.letters) == 0) }
        }
    }

    @Test("a full map is reported as that, and the environment stays usable")
    func mapFull() throws {
        try withDatabase(smallOptions(mapSize: 1 << 20)) { environment in
            try environment.write { try $0.put(environment.letters, [1], [1]) }
            var transaction = try environment.beginWrite()
            var error: LMDBError?
            for number in 0..<2_000 where error == nil {
                do throws(LMDBError) {
                    try transaction.put(
                        environment.numbers, key(number), [UInt8](repeating: 1, count: 1_000))
                } catch let full {
                    error = full
                }
            }
            #expect(error?.isMapFull == true)
            #expect(error?.isFatal == false)
            var commitError: LMDBError?
            do throws(LMDBError) { try transaction.commit() } catch { commitError = error }
            #expect(commitError == LMDBError(code: -30782, operation: "commit"))

            try environment.write { try $0.put(environment.letters, [2], [2]) }
            try environment.read { transaction in
                try #expect(transaction.count(environment.letters) == 2)
                try #expect(transaction.count(environment.numbers) == 0)
            }
        }
    }

    @Test("what is read through the protocol is the same as through a transaction")
    func readAccess() throws {
        try withDatabase { environment in
            try environment.write { transaction in
                try transaction.put(environment.letters, [1], [1])
                try #expect(sum(of: environment.letters, in: transaction) == 1)
            }
            try environment.read { transaction in
                try #expect(sum(of: environment.letters, in: transaction) == 1)
            }
        }
    }
}

/// Opens `count` read transactions, one inside the other, and runs `body` in each.
private func nestedReads(
    _ count: Int, of environment: Environment, _ body: (borrowing ReadTransaction) throws -> Void
) throws {
    guard count > 0 else { return }
    try environment.read { transaction in
        try nestedReads(count - 1, of: environment, body)
        try body(transaction)
    }
}

private func sum(of table: Table, in access: borrowing some ReadAccess & ~Copyable) throws -> Int {
    var sum = 0
    try access.scan(table, from: nil, to: nil) { _, value in
        sum += value.reduce(0) { $0 + Int($1) }
        return true
    }
    return sum
}
