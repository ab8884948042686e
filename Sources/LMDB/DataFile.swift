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
        // Who opens it says that.
        guard try FileSystem.exists(path), try FileSystem.fileSize(of: path) > 0 else { return }
        let file = try FileSystem.open(path, O_RDONLY)
        defer { _ = Glibc.close(file) }
        // Between the two reads somebody may commit.
        for _ in 0..<10 {
            if (try? newestMeta(file, path)) != nil { return }
        }
        _ = try newestMeta(file, path)
    }

    /// Reads the whole file, which nobody may write to: every page of every table is where it must be, and of the kind
    /// that it must be; its keys are in order, and between those that lead to it; no page is used twice, and none in use
    /// counts as free.
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
        return metas[even >= odd ? 0 : 1]
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

    private typealias Visit = (_ key: Bytes, _ flags: UInt16, _ value: Bytes) throws -> Void

    private func verify() throws {
        var free: [UInt64] = []
        try walk(meta.free, "the list of free pages", isBefore: Self.isLowerNumber) {
            key, _, value in
            let transaction: UInt64 = key.count == 8 ? key.load(0) : 0
            guard transaction > 0, transaction <= self.meta.transaction else {
                throw self.error("the list of free pages has a key that is no transaction's number")
            }
            free += try self.freePages(value)
        }
        try walk(meta.main, "the names of the tables", isBefore: Bytes.isBefore) {
            key, flags, value in
            guard flags & NodeFlags.isDatabase != 0, value.count == Self.databaseByteCount else {
                throw self.error("a name of a table has no table")
            }
            try self.walk(Tree(value, at: 0), String(decoding: key.bytes, as: UTF8.self))
        }
        for page in free where page < pageCount && isUsed[Int(page)] {
            throw error("page \(page) is in use and counts as free")
        }
    }

    /// Walks through all pages of a table.
    ///
    /// - Parameter visit: is given every row; values on pages of their own are read only for this.
    private func walk(
        _ tree: Tree, _ table: String,
        isBefore: @escaping (Bytes, Bytes) -> Bool = Bytes.isBefore, visit: Visit? = nil
    ) throws {
        var count: UInt64 = 0
        if tree.root != Tree.none {
            // Deeper than this, LMDB does not go.
            guard (1...32).contains(tree.depth) else {
                throw error("\(table): it is \(tree.depth) pages deep")
            }
            let walk = TreeWalk(table: table, isBefore: isBefore, visit: visit)
            count = try rows(below: tree.root, depth: tree.depth, from: nil, to: nil, walk)
        }
        guard count == tree.entries else {
            throw error("\(table): it has \(count) rows, and is said to have \(tree.entries)")
        }
    }

    private struct TreeWalk {
        let table: String
        let isBefore: (Bytes, Bytes) -> Bool
        let visit: Visit?
    }

    /// Walks through a page and all below it, whose keys must rise, from `first` on and below `end`: a search goes by the
    /// keys of the pages above.
    ///
    /// - Returns: how many rows there are.
    private func rows(
        below number: UInt64, depth: UInt16, from first: Bytes?, to end: Bytes?, _ walk: TreeWalk
    ) throws -> UInt64 {
        let table = walk.table
        let page = try take(number, table)
        let flags = page.load(10, as: UInt16.self) & PageFlags.kinds
        guard flags == (depth > 1 ? PageFlags.branch : PageFlags.leaf) else {
            throw error("\(table): page \(number) is not of the kind that belongs there")
        }
        let lower = Int(page.load(12, as: UInt16.self))
        guard lower >= Self.headerByteCount, lower <= meta.pageSize, lower % 2 == 0 else {
            throw error("\(table): page \(number) has no valid list of rows")
        }
        let nodes = try stride(from: Self.headerByteCount, to: lower, by: 2).map { place in
            try node(at: Int(page.load(place, as: UInt16.self)), of: page, number, depth, table)
        }
        var last = first
        for (index, node) in nodes.enumerated() {
            // The first key of a branch is not looked at.
            if depth > 1 && index == 0 { continue }
            let isInOrder =
                last.map {
                    depth > 1 || index > 0
                        ? walk.isBefore($0, node.key) : !walk.isBefore(node.key, $0)
                }
                ?? true
            guard isInOrder, end.map({ walk.isBefore(node.key, $0) }) ?? true else {
                throw error("\(table): the keys of page \(number) are out of order")
            }
            last = node.key
        }
        guard depth > 1 else {
            for node in nodes {
                let value =
                    node.flags & NodeFlags.isBig != 0
                    ? try bigValue(of: node, table, reads: walk.visit != nil) : node.value
                try walk.visit?(node.key, node.flags, value)
            }
            return UInt64(nodes.count)
        }
        var count: UInt64 = 0
        for (index, node) in nodes.enumerated() {
            count += try rows(
                below: UInt64(node.size) | UInt64(node.flags) << 32, depth: depth - 1,
                from: index == 0 ? first : node.key,
                to: index + 1 < nodes.count ? nodes[index + 1].key : end, walk)
        }
        return count
    }

    /// `MDB_node`: a row of a leaf, or what leads to a page below a branch.
    private struct Node {
        /// Of a branch, bits of the number of a page.
        let flags: UInt16
        let size: Int
        let key: Bytes
        /// In a branch empty.
        let value: Bytes
    }

    private func node(
        at start: Int, of page: Bytes, _ number: UInt64, _ depth: UInt16, _ table: String
    ) throws -> Node {
        guard start >= Self.headerByteCount, start + 8 <= meta.pageSize else {
            throw error("\(table): a row of page \(number) is outside of it")
        }
        let (low, high) = (page.load(start, as: UInt16.self), page.load(start + 2, as: UInt16.self))
        let flags = page.load(start + 4, as: UInt16.self)
        let size = Int(low) | Int(high) << 16
        let keyEnd = start + 8 + Int(page.load(start + 6, as: UInt16.self))
        let valueByteCount = depth > 1 ? 0 : flags & NodeFlags.isBig != 0 ? 8 : size
        guard keyEnd + valueByteCount <= meta.pageSize else {
            throw error("\(table): a row of page \(number) is outside of it")
        }
        return Node(
            flags: flags, size: size, key: page[start + 8..<keyEnd],
            value: page[keyEnd..<keyEnd + valueByteCount])
    }

    /// The list of free pages has numbers for keys.
    private static let isLowerNumber: @Sendable (Bytes, Bytes) -> Bool = { left, right in
        left.count == 8 && right.count == 8
            && left.load(0, as: UInt64.self) < right.load(0, as: UInt64.self)
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
    private func bigValue(of node: Node, _ table: String, reads: Bool) throws -> Bytes {
        let number: UInt64 = node.value.load(0)
        let first = try take(number, table)
        let pages = UInt64(first.load(12, as: UInt32.self))
        // A smaller value takes the pages of the one before it.
        let needed = UInt64((Self.headerByteCount + node.size + meta.pageSize - 1) / meta.pageSize)
        guard first.load(10, as: UInt16.self) & PageFlags.kinds == PageFlags.overflow,
            pages >= needed, pages <= min(pageCount, meta.lastPage + 1) - number
        else {
            throw error("\(table): page \(number) does not begin a value of \(node.size) bytes")
        }
        for page in number + 1..<number + pages {
            guard !isUsed[Int(page)] else { throw error("\(table): page \(page) is used twice") }
            isUsed[Int(page)] = true
        }
        guard reads else { return node.value }
        return try Self.read(
            descriptor, at: Int(number) * meta.pageSize + Self.headerByteCount, count: node.size,
            path)
    }

    /// The pages that a transaction freed: how many, and then their numbers from the last one down.
    private func freePages(_ value: Bytes) throws -> [UInt64] {
        let words = value.count / 8
        guard words > 0, value.count % 8 == 0, value.load(0, as: UInt64.self) < UInt64(words) else {
            throw error("the list of free pages does not read")
        }
        return (0..<Int(value.load(0, as: UInt64.self))).map { value.load(8 * ($0 + 1)) }
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

    /// LMDB's order: byte by byte, and a shorter key before what it begins.
    static func isBefore(_ left: Bytes, _ right: Bytes) -> Bool {
        left.bytes.withUnsafeBytes { own in
            right.bytes.withUnsafeBytes { other in
                let common = min(own.count, other.count)
                let difference =
                    common > 0 ? memcmp(own.baseAddress!, other.baseAddress!, common) : 0
                return difference != 0 ? difference < 0 : own.count < other.count
            }
        }
    }

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
