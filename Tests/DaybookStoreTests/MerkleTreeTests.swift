import Crypto
import DaybookCore
import Foundation
import LMDB
import Support
import Testing

@testable import DaybookStore

/// A tree of which everything is computed, by the recursive words of RFC 6962, section 2.1.
private struct WholeTree: MerkleTree {
    var leaves: [[UInt8]]

    init(_ data: [[UInt8]]) {
        leaves = data.map(Chain.leaf)
    }

    func subtree(_ level: Int, _ index: UInt64) -> [UInt8] {
        let start = Int(index) << level
        return hash(leaves[start..<start + (1 << level)])
    }

    /// MTH(D[n]).
    func hash(_ leaves: ArraySlice<[UInt8]>) -> [UInt8] {
        if leaves.isEmpty { return Array(SHA256.hash(data: [] as [UInt8])) }
        if leaves.count == 1 { return leaves[leaves.startIndex] }
        var left = 1
        while left * 2 < leaves.count { left *= 2 }
        let middle = leaves.startIndex + left
        return Array(
            SHA256.hash(data: [1] + hash(leaves[..<middle]) + hash(leaves[middle...])))
    }
}

private func hex(_ bytes: [UInt8]) -> String { lowercaseHex(bytes) }

@Suite("Merkle tree")
struct MerkleTreeTests {
    // The data and hashes of the tests of RFC 6962's reference implementation
    // (github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc).
    private let data: [[UInt8]] = [
        [], [0], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
        [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        Array(0x60...0x6F),
    ]

    @Test("roots are those of the reference implementation")
    func roots() throws {
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        let tree = WholeTree(data)
        for (size, root) in roots.enumerated() {
            #expect(hex(try tree.root(of: UInt64(size))) == root, "\(size)")
        }
    }

    @Test("inclusion proofs are those of the reference implementation")
    func inclusion() throws {
        let tree = WholeTree(data)
        let vectors: [(leaf: UInt64, size: UInt64, path: [String])] = [
            (1, 1, []),
            (
                1, 8,
                [
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ]
            ),
            (
                6, 8,
                [
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ]
            ),
            (3, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
            (
                2, 5,
                [
                    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ]
            ),
        ]
        for vector in vectors {
            let path = try tree.inclusion(of: vector.leaf - 1, in: vector.size)
            #expect(path.map(hex) == vector.path, "\(vector.leaf) of \(vector.size)")
        }
    }

    @Test("consistency proofs are those of the reference implementation")
    func consistency() throws {
        let tree = WholeTree(data)
        let vectors: [(old: UInt64, size: UInt64, path: [String])] = [
            (1, 1, []),
            (
                1, 8,
                [
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ]
            ),
            (
                6, 8,
                [
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ]
            ),
            (
                2, 5,
                [
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ]
            ),
        ]
        for vector in vectors {
            let path = try tree.consistency(from: vector.old, to: vector.size)
            #expect(path.map(hex) == vector.path, "\(vector.old) to \(vector.size)")
        }
    }

    @Test("hashes of another length prove nothing: two of them in one are no leaf")
    func lengths() throws {
        let tree = WholeTree(data)
        let root = try tree.root(of: 2)
        let both = tree.leaves[0] + tree.leaves[1]
        #expect(Merkle.node(both, []) == root)
        #expect(!Merkle.proves(both, at: 0, in: 2, by: [[]], root: root))
        #expect(!Merkle.proves(tree.leaves[0], at: 0, in: 2, by: [[]], root: root))
    }

    @Test("every proof of every small tree verifies, and none after any change")
    func everyProof() throws {
        let tree = WholeTree((0..<40).map { [UInt8($0)] })
        for size in UInt64(1)...40 {
            let root = try tree.root(of: size)
            for index in 0..<size {
                let path = try tree.inclusion(of: index, in: size)
                let leaf = tree.leaves[Int(index)]
                #expect(Merkle.proves(leaf, at: index, in: size, by: path, root: root))
                #expect(!Merkle.proves(root, at: index, in: size, by: path + [leaf], root: root))
                #expect(!Merkle.proves(leaf, at: size, in: size, by: path, root: root))
                if size > 1 {
                    let other = (index + 1) % size
                    #expect(!Merkle.proves(leaf, at: other, in: size, by: path, root: root))
                    #expect(
                        !Merkle.proves(
                            leaf, at: index, in: size, by: Array(path.dropLast()), root: root))
                }
                for place in path.indices {
                    var changed = path
                    changed[place][0] ^= 1
                    #expect(!Merkle.proves(leaf, at: index, in: size, by: changed, root: root))
                }
            }
            for old in 0...size {
                let path = try tree.consistency(from: old, to: size)
                let before = try tree.root(of: old)
                #expect(
                    Merkle.proves(before, of: old, beginning: root, of: size, by: path),
                    "\(old) to \(size)")
                #expect(
                    !Merkle.proves(before, of: old, beginning: root, of: size, by: path + [root]))
                if old > 0 {
                    var other = before
                    other[0] ^= 1
                    #expect(!Merkle.proves(other, of: old, beginning: root, of: size, by: path))
                }
                for place in path.indices {
                    var changed = path
                    changed[place][0] ^= 1
                    #expect(!Merkle.proves(before, of: old, beginning: root, of: size, by: changed))
                }
            }
        }
    }

    @Test("the stored tree gives what the whole tree gives, also after a replay in small steps")
    func storedTree() throws {
        let disk = try TestStore()
        var commands: [Asked] = [
            Asked(
                .initialise(logID: [UInt8](repeating: 1, count: 16)), team: nil, at: .second(0),
                newID: .number(1), commandID: .number(1))
        ]
        for number in UInt32(2)...700 {
            commands.append(
                Asked(
                    .createTeam(name: "team", maxConcurrentRuns: 5), team: nil, at: .second(0),
                    newID: .number(number), commandID: .number(UInt64(number))))
        }
        try disk.commit(commands)
        for batchSize in [0, 7, 1_000] {
            if batchSize > 0 {
                try disk.store.clearProjections()
                try disk.store.replay(batchSize: batchSize)
            }
            let rows = try disk.store.read { view in
                var rows = 0
                try view.scan(.tree, after: nil) { _, _ in
                    rows += 1
                    return true
                }
                return rows
            }
            #expect(rows == 2)
            try disk.store.read { view in
                let tree = WholeTree(try (1...700).map { try view.entryBytes(at: $0) })
                for size in [UInt64(1), 255, 256, 257, 511, 512, 513, 600, 700] {
                    #expect(try view.root(of: size) == tree.root(of: size), "\(size)")
                    for index in [UInt64(0), 1, 254, 255, 256, 300, 511, 512, 699]
                    where index < size {
                        #expect(
                            try view.inclusion(of: index, in: size)
                                == tree.inclusion(of: index, in: size))
                    }
                    #expect(
                        try view.consistency(from: size / 2, to: size)
                            == tree.consistency(from: size / 2, to: size))
                }
                for size in [Position(0), 1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 699, 700] {
                    let root = try view.rootOfLeaves(size)
                    #expect(root == (try tree.root(of: UInt64(size))), "\(size)")
                }
                let checkpoint = try view.checkpoint(of: 700)
                #expect(checkpoint.root == (try tree.root(of: 700)))
                #expect(checkpoint.origin == "daybook/" + String(repeating: "01", count: 16))
            }
        }
    }

    @Test("the rows are the same in whatever batches the log was written, some of them lost")
    func batches() throws {
        for var numbers in RandomCases(4) {
            let disk = try TestStore()
            try disk.commit([
                Asked(
                    .initialise(logID: [UInt8](repeating: 1, count: 16)), team: nil,
                    at: .second(0), newID: .number(1), commandID: .number(1))
            ])
            func commands(_ range: ClosedRange<UInt32>, named name: String) -> [Asked] {
                range.map { number in
                    Asked(
                        .createTeam(name: name, maxConcurrentRuns: 5), team: nil, at: .second(0),
                        newID: .number(number), commandID: .number(UInt64(number)))
                }
            }
            var last: UInt32 = 1
            while last < 800 {
                let next = last + 1...min(800, last + UInt32.random(in: 1...300, using: &numbers))
                switch Int.random(in: 0..<5, using: &numbers) {
                case 0: try disk.reopen { _ in }
                case 1, 2:
                    var lost = try disk.store.beginBatch()
                    for asked in commands(next, named: "lost") { _ = lost.take(asked) }
                    lost.abort()
                default: break
                }
                try disk.commit(commands(next, named: "kept"))
                last = next.upperBound
            }
            try disk.store.read { view in
                let tree = WholeTree(try (1...800).map { try view.entryBytes(at: $0) })
                for size in [UInt64(256), 512, 768, 800] {
                    #expect(
                        try view.root(of: size) == tree.root(of: size), "\(size) \(numbers.hint)")
                }
            }
        }
    }

    @Test("higher rows are made of the rows below")
    func secondHeight() throws {
        let disk = try TestStore()
        let leaves = (0..<65_536).map { Chain.leaf([UInt8($0 & 255), UInt8($0 >> 8)]) }
        let tree = WholeTree([])
        try disk.reopen { directory in
            try RawRows.edit(directory) { transaction, tables in
                var chain = Chain.start
                for position in 1...Position(65_536) {
                    let index = Int(position - 1)
                    let record = LogRecord(
                        entry: [UInt8(index & 255), UInt8(index >> 8)], after: chain)
                    chain = record.chain
                    try transaction.append(
                        tables.log, Keys.position(position), record.value)
                    try StoredTree.complete(position, tables, &transaction)
                }
                #expect(
                    try transaction.get(tables.tree, StoredTree.key(16, 0))
                        == tree.hash(leaves[...]))
                #expect(
                    try transaction.get(tables.tree, StoredTree.key(8, 255))
                        == tree.hash(leaves[65_280...]))
                #expect(try transaction.count(tables.tree) == 257)
                // Not a log that a store would open.
                try transaction.deleteAll(tables.log)
                try transaction.deleteAll(tables.tree)
            }
        }
    }
}
