import Foundation
import LMDB
import Support
import Testing

@Suite("The structure of a data file")
struct DataFileTests {
    @Test("what LMDB leaves after any commits is well, and so are its copies")
    func well() throws {
        for var numbers in RandomCases(3) {
            let directory = TemporaryDirectory()
            let path = directory.database
            try createDatabase(path)
            try DataFile.verify(in: path)
            // Long keys make trees deep.
            let keyByteCount = Bool.random(using: &numbers) ? 8 : 400
            for _ in 0..<8 {
                try change(path, &numbers, keyByteCount)
                try DataFile.verifyMetaPages(in: path)
                try DataFile.verify(in: path)
            }
            for compacting in [false, true] {
                let copy = directory.path + "/copy-\(compacting)"
                try FileSystem.createDirectory(copy)
                let environment = try openDatabase(path)
                try environment.copy(to: copy, compacting: compacting)
                environment.close()
                try DataFile.verify(in: copy)
                try change(copy, &numbers, keyByteCount)
                try DataFile.verify(in: copy)
            }
        }
    }

    @Test("a wrong bit of a transaction's number is found, unless the two still follow each other")
    func metaPages() throws {
        for var numbers in RandomCases(2) {
            let directory = TemporaryDirectory()
            try createDatabase(directory.database)
            try change(directory.database, &numbers)
            let data = try Data(
                contentsOf: URL(fileURLWithPath: directory.database + "/data.mdb"))
            func number(_ page: Int) -> UInt64 {
                data[page * 4_096 + 144..<page * 4_096 + 152].reversed()
                    .reduce(0) { $0 << 8 | UInt64($1) }
            }
            for page in [0, 1] {
                for bit in 0..<64 {
                    let (changed, other) = (number(page) ^ 1 << bit, number(1 - page))
                    // Two of number 0 are a new database's.
                    let isNew = changed == 0 && other == 0
                    let follows =
                        changed % 2 == page && (changed &+ 1 == other || other &+ 1 == changed)
                    try flip(directory.database, 4_096 * page + 144 + bit / 8, 1 << (bit % 8)) {
                        let isFound =
                            (try? DataFile.verifyMetaPages(in: directory.database)) == nil
                        #expect(isFound != (follows || isNew), "\(page) \(bit) \(numbers.hint)")
                    }
                }
            }
            try DataFile.verifyMetaPages(in: directory.database)
        }
    }

    @Test("a page in use that counts as free is found, and one that is in two places")
    func pages() throws {
        for var numbers in RandomCases(2) {
            let directory = TemporaryDirectory()
            let path = directory.database
            try createDatabase(path)
            for _ in 0..<4 { try change(path, &numbers) }
            let file = path + "/data.mdb"
            let data = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
            // The numbers of pages stand in lists and in branches: any of them, as another one.
            let pages = data.count / 4_096
            var found = 0
            for page in 2..<pages {
                let start = page * 4_096
                for place in stride(from: start + 16, to: start + 4_096, by: 2) {
                    guard Int.random(in: 0..<200, using: &numbers) == 0 else { continue }
                    try flip(path, place, UInt8(1 << Int.random(in: 0..<3, using: &numbers))) {
                        do {
                            try DataFile.verify(in: path)
                        } catch is DataFileError {
                            found += 1
                        }
                    }
                }
            }
            #expect(found > 0, "\(numbers.hint)")
            try DataFile.verify(in: path)
            try damagePrecisely(path, &numbers)
        }
    }

    /// Changes what only a look at all pages together shows.
    private func damagePrecisely(_ path: String, _ numbers: inout SeededGenerator) throws {
        var places: Places?
        for _ in 0..<20 where places == nil {
            try change(path, &numbers)
            places = try Places(of: path)
        }
        let found = try #require(places, "\(numbers.hint)")
        for (place, number, what) in [
            (found.freePage, found.root, "in use and counts as free"),
            (found.freeKey, UInt64.max, "no transaction's number"),
            (found.branchKey, UInt64.max, "out of order"),
        ] {
            let before = try put(place, number, in: path)
            let error = #expect(throws: DataFileError.self, "\(numbers.hint)") {
                try DataFile.verify(in: path)
            }
            #expect(error?.description.contains(what) == true, "\(what) \(numbers.hint)")
            _ = try put(place, before, in: path)
        }
        try DataFile.verify(in: path)
    }

    /// Some puts, deletes and large values, over several commits.
    private func change(
        _ path: String, _ numbers: inout SeededGenerator, _ keyByteCount: Int = 8
    ) throws {
        let environment = try openDatabase(path)
        defer { environment.close() }
        for _ in 0..<Int.random(in: 1...6, using: &numbers) {
            try environment.write { transaction in
                // Some commits mostly delete, and some go through keys in order.
                let deletedOfTen = Int.random(in: 0...9, using: &numbers)
                let first =
                    Bool.random(using: &numbers) ? Int.random(in: 0..<2_000, using: &numbers) : nil
                for index in 0..<Int.random(in: 1...300, using: &numbers) {
                    let number =
                        first.map { ($0 + index) % 2_000 }
                        ?? Int.random(in: 0..<2_000, using: &numbers)
                    let name = key(number) + [UInt8](repeating: 1, count: keyByteCount - 8)
                    let table =
                        Bool.random(using: &numbers) ? environment.letters : environment.numbers
                    if Int.random(in: 0..<10, using: &numbers) < deletedOfTen {
                        _ = try transaction.delete(table, name)
                    } else {
                        let isLarge = Int.random(in: 0..<50, using: &numbers) == 0
                        try transaction.put(table, name, numbers.bytes(isLarge ? 9_000 : 60))
                    }
                }
            }
        }
    }

    private func flip(_ path: String, _ place: Int, _ bit: UInt8, _ body: () throws -> Void) throws
    {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path + "/data.mdb"))
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(place))
        let byte = try #require(try file.read(upToCount: 1)?.first)
        for value in [byte ^ bit, byte] {
            try file.seek(toOffset: UInt64(place))
            try file.write(contentsOf: [value])
            if value != byte { try body() }
        }
    }

    /// Puts a number into the file, and returns the one that was there.
    private func put(_ place: Int, _ number: UInt64, in path: String) throws -> UInt64 {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path + "/data.mdb"))
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(place))
        let before = [UInt8](try #require(try file.read(upToCount: 8)))
        try file.seek(toOffset: UInt64(place))
        try file.write(contentsOf: withUnsafeBytes(of: number.littleEndian) { Data($0) })
        return before.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Where in a data file stand what is worth changing.
private struct Places {
    /// The last number of the last list of free pages, and the key of that list.
    let freePage: Int
    let freeKey: Int
    /// The first key of a branch of `letters` that counts, of eight bytes.
    let branchKey: Int
    /// The page that is the root of `letters`.
    let root: UInt64

    /// `nil` where the file is not of the simple form in which they are easily found.
    init?(of path: String) throws {
        let data = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path + "/data.mdb")))
        func word(_ place: Int) -> UInt64 {
            data[place..<place + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        func half(_ place: Int) -> Int { Int(data[place]) | Int(data[place + 1]) << 8 }
        // A row: size (2 + 2 bytes), flags, size of the key, key, value.
        func rows(_ page: Int) -> [Int] {
            (0..<(half(page + 12) - 16) / 2).map { page + half(page + 16 + 2 * $0) }
        }
        let (isBranch, isLeaf) = (1, 2)
        let meta = word(144) > word(4_096 + 144) ? 0 : 4_096
        guard word(meta + 80) != UInt64.max else { return nil }
        let (free, main) = (Int(word(meta + 80)) * 4_096, Int(word(meta + 128)) * 4_096)
        guard half(free + 10) == isLeaf, half(main + 10) == isLeaf,
            let list = rows(free).last, half(list + 4) == 0, word(list + 16) > 0,
            let letters = rows(main).first(where: {
                String(decoding: data[$0 + 8..<$0 + 15], as: UTF8.self) == "letters"
            })
        else { return nil }
        root = word(letters + 15 + 40)
        guard root != UInt64.max, half(Int(root) * 4_096 + 10) == isBranch else { return nil }
        freeKey = list + 8
        freePage = list + 24 + 8 * (Int(word(list + 16)) - 1)
        branchKey = rows(Int(root) * 4_096)[1] + 8
    }
}
