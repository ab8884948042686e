import DaybookCore
import DaybookStore
import Support
import Testing

/// The bytes of entries, which stay for ever: what is stored once must read the same in every later
/// version. A line here is never changed; a new event adds one.
@Suite("Golden entries")
struct GoldenTests {
    @Test("every event has the bytes that it always had, and reads back", arguments: Golden.all)
    func bytesStay(_ golden: Golden) throws {
        let bytes = EntryCodec.encode(golden.entry)
        #expect(lowercaseHex(bytes) == golden.hex, "\(golden.name)")
        let read = try #require(
            bytesOfLowercaseHex(golden.hex, count: golden.hex.utf8.count / 2))
        #expect(try EntryCodec.decode(read) == golden.entry)
    }

    @Test("there is a golden entry for every kind of event")
    func nothingIsMissing() {
        let kinds = Set(Golden.all.flatMap(\.entry.events).map { "\($0)".prefix { $0 != "(" } })
        #expect(kinds.count == 58)
    }

    @Test("what this binary does not know is refused, not passed over")
    func unknownIsRefused() {
        let entry = EntryCodec.encode(Golden.entry([.stopped]))
        // Field 200 of an entry; event number 77; command number 99.
        #expect(throws: EntryError.self) { try EntryCodec.decode(entry + [0xC0, 0x0C, 0x01]) }
        #expect(throws: EntryError.self) {
            try EntryCodec.decode(entry + [0x52, 0x03, 0xEA, 0x04, 0x00])
        }
        #expect(throws: EntryError.self) { try EntryCodec.decode(entry + [0x48, 0x63]) }
        #expect(throws: EntryError.self) { try EntryCodec.decode(Array(entry.dropLast())) }
        #expect(throws: EntryError.self) { try EntryCodec.decode([0xFF, 0xFF]) }
    }
}
