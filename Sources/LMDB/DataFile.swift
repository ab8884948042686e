import Glibc

/// What the pages of a data file say that cannot be so.
package struct DataFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
}

/// The structure of a data file, read by itself: LMDB believes what its pages say, has no checksums, and writes over
/// whatever its list of free pages names.
///
/// The layout is that of LMDB's data version 1 (0.9) with 64-bit words in the machine's order, as in `mdb.c`.
package final class DataFile {
    private static let headerByteCount = 16
    private static let metaByteCount = headerByteCount + 136
    private static let databaseByteCount = 48
    private static let magic: UInt32 = 0xBEEF_C0DE

    private enum PageFlags {
        static let branch: UInt16 = 1
        static let leaf: UInt16 = 2
        static let overflow: UInt16 = 4
        static let kinds: UInt16 = 0x6F
    }

    private enum NodeFlags {
        static let isBig: UInt16 = 1
        static let isDatabase: UInt16 = 2
    }

    private struct Meta {
        let pageSize: Int
        let free: Tree
        let main: Tree
        let lastPage: UInt64
        let transaction: UInt64
    }

    /// `MDB_db`: a table.
    private struct Tree {
        static let none = UInt64.max

        let depth: UInt16
        let entries: UInt64
        let root: UInt64

        init(_ bytes: Bytes, at offset: Int) {
            depth = bytes.load(offset + 6)
            entries = bytes.load(offset + 32)
            root = bytes.load(offset + 40)
        }
    }

    private let descriptor: Int32
    private let path: String
    private let pageCount: UInt64
    private let meta: Meta
    /// By page: whether a tree was found to use it.
    private var isUsed: [Bool]

    /// Throws unless the two meta pages tell of two transactions of which one came right after the other, as LMDB leaves
    /// them after each commit: where a bit of their numbers is wrong, an older state is taken for the last. (Not where it
    /// makes the newer number the one before the older.)
    ///
    /// To be called before an environment is open in `directory`; others may write to it meanwhile.
    package static func verifyMetaPages(in directory: String) throws {
        let path = directory + "/data.mdb"
        let file = try FileSystem.open(path, O_RDONLY)
        defer { _ = Glibc.close(file) }
        // Between the two reads somebody may commit.
        for _ in 0..<10 {
            if (try? newestMeta(file, path)) != nil { return }
        }
        _ = try newestMeta(file, path)
    }

    /// Reads the whole file, which nobody may write to: every page of every table is where it must be, and what it says
    /// it is; none is used twice; none in use counts as free.
    ///
    /// - Throws: `DataFileError`, `FileSystemError`.
    package static func verify(in directory: String) throws {
        let path = directory + "/data.mdb"
        let descriptor = try FileSystem.open(path, O_RDONLY)
        defer { _ = Glibc.close(descriptor) }
        try DataFile(descriptor, path).verify()
    }

    private init(_ descriptor: Int32, _ path: String) throws {
        self.descriptor = descriptor
        self.path = path
        meta = try Self.newestMeta(descriptor, path)
        pageCount = UInt64(try FileSystem.fileSize(of: path) / meta.pageSize)
        isUsed = Array(repeating: false, count: Int(pageCount))
    }

    private static func newestMeta(_ file: Int32, _ path: String) throws -> Meta {
        // The second page begins where the first one says; both are read at once.
        let first = try read(file, at: 0, count: metaByteCount, path)
        let pageSize = Int(first.load(headerByteCount + 24, as: UInt32.self))
        guard pageSize.nonzeroBitCount == 1, (512...65_536).contains(pageSize) else {
            throw DataFileError(description: "data.mdb: the first page is no meta page")
        }
        let both = try read(file, at: 0, count: pageSize + metaByteCount, path)
        let metas = try [0, 1].map { page in
            let start = page * pageSize + headerByteCount
            guard both.load(start, as: UInt32.self) == magic,
                both.load(start + 4, as: UInt32.self) == 1
            else { throw DataFileError(description: "data.mdb: page \(page) is no meta page") }
            return Meta(
                pageSize: pageSize, free: Tree(both, at: start + 24),
                main: Tree(both, at: start + 24 + databaseByteCount),
                lastPage: both.load(start + 24 + 2 * databaseByteCount),
                transaction: both.load(start + 32 + 2 * databaseByteCount))
        }
        let (even, odd) = (metas[0].transaction, metas[1].transaction)
        // A database that nobody has written to has two of number 0.
        let isNew = even == 0 && odd == 0
        guard isNew || (even % 2 == 0 && odd % 2 == 1 && (even &+ 1 == odd || odd &+ 1 == even))
        else {
            throw DataFileError(
                description: """
                    data.mdb: the two meta pages tell of transactions \(even) and \(odd), which do not follow each other: \
                    the last commit may be lost
                    """)
        }
        return metas[even > odd ? 0 : 1]
    }

    private static func read(
        _ file: Int32, at offset: Int, count: Int, _ path: String
    ) throws -> Bytes {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, count, off_t(offset)) }
        guard got >= 0 else { throw FileSystemError(code: errno, operation: "pread", path: path) }
        guard got == count else {
            throw DataFileError(description: "data.mdb: it ends within a page that is in use")
        }
        return Bytes(bytes)
    }

    // MARK: Trees

    private func verify() throws {
        var free: [UInt64] = []
        try walk(meta.free, "the list of free pages") { key, value in
            free += try freePages(key, value)
        }
        try walk(meta.main, "the names of tables") { key, value in
            guard value.flags & NodeFlags.isDatabase != 0,
                value.bytes.count == Self.databaseByteCount
            else { throw error("a name of a table has no table") }
            try walk(Tree(value.bytes, at: 0), String(decoding: key, as: UTF8.self)) { _, _ in }
        }
        for page in free where page < pageCount && isUsed[Int(page)] {
            throw error("page \(page) is in use and counts as free")
        }
    }

    private typealias Value = (flags: UInt16, bytes: Bytes)

    /// Visits every row of a table.
    private func walk(
        _ tree: Tree, _ table: String,
        _ body: (_ key: [UInt8], _ value: Value) throws -> Void
    ) throws {
        var count: UInt64 = 0
        if tree.root != Tree.none {
            // Deeper than this, LMDB does not go.
            guard (1...32).contains(tree.depth) else {
                throw error("\(table): it is \(tree.depth) pages deep")
            }
            try walk(page: tree.root, depth: tree.depth, table) { key, value in
                count += 1
                try body(key, value)
            }
        }
        guard count == tree.entries else {
            throw error("\(table): it has \(count) rows, and is said to have \(tree.entries)")
        }
    }

    private func walk(
        page number: UInt64, depth: UInt16, _ table: String,
        _ body: (_ key: [UInt8], _ value: Value) throws -> Void
    ) throws {
        let page = try take(number, table)
        let flags = page.load(10, as: UInt16.self) & PageFlags.kinds
        guard flags == (depth > 1 ? PageFlags.branch : PageFlags.leaf) else {
            throw error("\(table): page \(number) is not of the kind that belongs there")
        }
        let lower = Int(page.load(12, as: UInt16.self))
        guard lower >= Self.headerByteCount, lower <= meta.pageSize, lower % 2 == 0 else {
            throw error("\(table): page \(number) has no valid list of rows")
        }
        for place in stride(from: Self.headerByteCount, to: lower, by: 2) {
            let start = Int(page.load(place, as: UInt16.self))
            guard start >= lower, start + 8 <= meta.pageSize else {
                throw error("\(table): a row of page \(number) is outside of it")
            }
            let (low, high) = (
                page.load(start, as: UInt16.self), page.load(start + 2, as: UInt16.self)
            )
            let flags = page.load(start + 4, as: UInt16.self)
            let size = Int(low) | Int(high) << 16
            let keyEnd = start + 8 + Int(page.load(start + 6, as: UInt16.self))
            guard keyEnd <= meta.pageSize else {
                throw error("\(table): a key of page \(number) is outside of it")
            }
            if depth > 1 {
                try walk(
                    page: UInt64(size) | UInt64(flags) << 32, depth: depth - 1, table, body)
                continue
            }
            let isBig = flags & NodeFlags.isBig != 0
            guard keyEnd + (isBig ? 8 : size) <= meta.pageSize else {
                throw error("\(table): a value of page \(number) is outside of it")
            }
            let value =
                isBig
                ? try bigValue(at: page.load(keyEnd), count: size, table)
                : page[keyEnd..<keyEnd + size]
            try body(Array(page[start + 8..<keyEnd].bytes), (flags, value))
        }
    }

    /// The bytes of a page that nothing else may use.
    private func take(_ number: UInt64, _ table: String) throws -> Bytes {
        guard number >= 2, number <= meta.lastPage, number < pageCount else {
            throw error("\(table): page \(number) is not in the file")
        }
        guard !isUsed[Int(number)] else { throw error("\(table): page \(number) is used twice") }
        isUsed[Int(number)] = true
        let page = try Self.read(
            descriptor, at: Int(number) * meta.pageSize, count: meta.pageSize, path)
        guard page.load(0, as: UInt64.self) == number else {
            throw error("\(table): at the place of page \(number) is another one")
        }
        return page
    }

    /// A value on pages of its own, which follow each other.
    private func bigValue(
        at number: UInt64, count: Int, _ table: String
    ) throws -> Bytes {
        let first = try take(number, table)
        let pages = UInt64(first.load(12, as: UInt32.self))
        // A smaller value takes the pages of the one before it.
        let needed = UInt64((Self.headerByteCount + count + meta.pageSize - 1) / meta.pageSize)
        guard first.load(10, as: UInt16.self) & PageFlags.kinds == PageFlags.overflow,
            pages >= needed, pages <= pageCount - number
        else { throw error("\(table): page \(number) does not begin a value of \(count) bytes") }
        for page in number + 1..<number + pages {
            guard !isUsed[Int(page)] else { throw error("\(table): page \(page) is used twice") }
            isUsed[Int(page)] = true
        }
        return try Self.read(
            descriptor, at: Int(number) * meta.pageSize + Self.headerByteCount, count: count, path)
    }

    /// The pages that a transaction freed: how many, and then their numbers from the last one down.
    private func freePages(_ key: [UInt8], _ value: Value) throws -> [UInt64] {
        let words = value.bytes.count / 8
        guard key.count == 8, words > 0, value.bytes.count % 8 == 0,
            value.bytes.load(0, as: UInt64.self) < UInt64(words)
        else { throw error("the list of free pages does not read") }
        return (0..<Int(value.bytes.load(0, as: UInt64.self))).map { index in
            value.bytes.load(8 * (index + 1))
        }
    }

    private func error(_ what: String) -> DataFileError {
        DataFileError(description: "data.mdb: \(what)")
    }
}

/// Bytes of which numbers are read.
private struct Bytes {
    let bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }
    private init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    var count: Int { bytes.count }

    subscript(range: Range<Int>) -> Bytes {
        Bytes(bytes[bytes.startIndex + range.lowerBound..<bytes.startIndex + range.upperBound])
    }

    func load<Number: FixedWidthInteger & BitwiseCopyable>(
        _ offset: Int, as type: Number.Type = Number.self
    ) -> Number {
        precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= count)
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
    }
}
