import DaybookCore
import Foundation
import LMDB
import Support
import Testing

@testable import DaybookStore

@Suite("Checkpoints")
struct CheckpointTests {
    private let checkpoint = Checkpoint(
        origin: "daybook/0102", size: 7, root: [UInt8](repeating: 9, count: 32))

    @Test("a signed checkpoint is a note of four parts, and reads back")
    func roundTrip() throws {
        let key = CheckpointKey()
        let verifier = key.verifier(of: checkpoint.origin)
        let note = try key.sign(checkpoint)
        let lines = note.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 6 && lines[5].isEmpty)
        #expect(lines[0] == "daybook/0102" && lines[1] == "7" && lines[3].isEmpty)
        #expect(Data(base64Encoded: String(lines[2])) == Data(checkpoint.root))
        #expect(lines[4].hasPrefix("\u{2014} daybook/0102 "))
        #expect(try Checkpoint(note: note, verifier: verifier) == checkpoint)
        #expect(NoteVerifier("\(verifier)") == verifier)
    }

    /// A verifier key and a note that golang.org/x/mod/sumdb/note publishes in its documentation.
    @Test("a verifier key of the standard's first implementation reads, and only as it is")
    func foreignKey() throws {
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        let verifier = try #require(NoteVerifier(text))
        #expect(verifier.name == "PeterNeumann")
        #expect("\(verifier)" == text)
        for wrong in [
            "", "PeterNeumann", "PeterNeumann+c74f20a3", text.replacing("c74f", with: "c74e"),
            text.replacing("Peter", with: "Paul"), text.replacing("ARpc", with: "AhpC"),
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", text + "A",
        ] {
            #expect(NoteVerifier(wrong) == nil, "\(wrong)")
        }
    }

    @Test("any changed byte of a note is noticed")
    func everyByte() throws {
        let key = CheckpointKey()
        let verifier = key.verifier(of: checkpoint.origin)
        let note = Array(try key.sign(checkpoint).utf8)
        for index in note.indices {
            for bit in [UInt8(1), 4, 32] {
                var changed = note
                changed[index] ^= bit
                guard let text = String(validating: changed, as: UTF8.self) else { continue }
                // Nothing but another way to write the same signature may pass.
                if let read = try? Checkpoint(note: text, verifier: verifier) {
                    #expect(read == checkpoint && index >= note.count - 3, "\(index), \(bit)")
                }
            }
        }
        #expect(throws: Checkpoint.NoteError.notSigned(by: checkpoint.origin)) {
            try Checkpoint(
                note: String(decoding: note, as: UTF8.self),
                verifier: CheckpointKey().verifier(of: checkpoint.origin))
        }
        #expect(throws: Checkpoint.NoteError.malformed) {
            try Checkpoint(note: "", verifier: verifier)
        }
    }

    /// A directory with a log of so many entries besides the first.
    private func directory(_ teams: UInt32, logID: UInt8 = 1) throws -> TestStore {
        let disk = try TestStore()
        try disk.commit([
            Asked(
                .initialise(logID: [UInt8](repeating: logID, count: 16)), team: nil,
                at: .second(0), newID: .number(1), commandID: .number(1))
        ])
        try add(teams, to: disk)
        return disk
    }

    private func add(_ teams: UInt32, named name: String = "team", to disk: TestStore) throws {
        let first = UInt32(try disk.store.read { try $0.lastPosition() }) + 1
        try disk.commit(
            (first..<first + teams).map { number in
                Asked(
                    .createTeam(name: name, maxConcurrentRuns: 5), team: nil, at: .second(0),
                    newID: .number(number), commandID: .number(UInt64(number)))
            })
    }

    private func sign(_ disk: TestStore) throws -> String {
        try CheckpointKey(path: disk.store.checkpointKeyPath).sign(
            disk.store.read { try $0.checkpoint(of: $0.lastPosition()) })
    }

    @Test("a start finds out an older copy, another history and another log")
    func rollback() throws {
        let disk = try directory(3)
        let path = disk.directory + "/outside"
        let file = try #require(CheckpointFile(path: path))
        // Nothing is known yet.
        try file.compare(with: disk.store)
        try file.write(try sign(disk))
        try file.compare(with: disk.store)
        try add(2, to: disk)
        try file.compare(with: disk.store)

        try file.write(try sign(disk))
        let key = try Data(contentsOf: URL(fileURLWithPath: disk.store.checkpointKeyPath))
        let older = try directory(3)
        try key.write(to: URL(fileURLWithPath: older.store.checkpointKeyPath))
        #expect(throws: CheckpointFile.Disagreement.rolledBack(path: path, size: 6, here: 4)) {
            try file.compare(with: older.store)
        }
        try add(5, named: "another", to: older)
        #expect(throws: CheckpointFile.Disagreement.forked(path: path, size: 6)) {
            try file.compare(with: older.store)
        }
        // Another entry in an old place, with the stored hashes left as they were.
        let rewritten = try directory(5)
        try key.write(to: URL(fileURLWithPath: rewritten.store.checkpointKeyPath))
        try file.compare(with: rewritten.store)
        try rewritten.reopen { directory in
            try RawRows.edit(directory) { transaction, tables in
                var chain = Chain.start
                for position in 1...Position(6) {
                    let row = Keys.position(position)
                    let value = try #require(try transaction.get(tables.log, row))
                    var entry = try EntryCodec.decode(try #require(LogRecord(value: value)).entry)
                    if position == 3 {
                        entry = Entry(
                            header: entry.header,
                            events: [
                                .teamCreated(
                                    TeamCreated(
                                        team: .number(3), name: "rewritten", maxConcurrentRuns: 5))
                            ])
                    }
                    let record = LogRecord(entry: EntryCodec.encode(entry), after: chain)
                    try transaction.put(tables.log, row, record.value)
                    chain = record.chain
                }
            }
        }
        #expect(throws: CheckpointFile.Disagreement.forked(path: path, size: 6)) {
            try file.compare(with: rewritten.store)
        }
        let other = try directory(6, logID: 2)
        #expect(throws: CheckpointFile.Disagreement.self) { try file.compare(with: other.store) }
        let stranger = try directory(5)
        #expect(throws: CheckpointFile.Disagreement.self) { try file.compare(with: stranger.store) }
        try file.write("rubbish")
        #expect(throws: CheckpointFile.Disagreement.self) { try file.compare(with: disk.store) }
    }
}
