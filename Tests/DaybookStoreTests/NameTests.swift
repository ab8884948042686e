import DaybookCore
import DaybookStore
import Foundation
import Support
import Testing

/// Names that people and programs outside see are those of `docs/daybook.proto`.
@Suite("Names")
struct NameTests {
    @Test("every event is named as the schema of the log names it")
    func events() throws {
        var met: Set<String> = []
        for golden in Golden.all {
            let text = try EntryText.json(EntryCodec.encode(golden.entry))
            let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            let events = json?["events"] as? [[String: Any]] ?? []
            #expect(events.flatMap(\.keys) == golden.entry.events.map(\.name), "\(golden.name)")
            met.formUnion(golden.entry.events.map(\.name))
        }
        #expect(met == Set(Event.names))
        #expect(Event.names.count == met.count)
    }

    @Test("every command is named as the schema of the log names it")
    func commands() throws {
        for name in CommandName.allCases {
            let plain = Golden.entry([.stopped])
            let header = plain.header
            let entry = Entry(
                header: EntryHeader(
                    position: header.position, recordedAt: header.recordedAt, team: header.team,
                    actor: header.actor, commandID: header.commandID, causation: 0,
                    idempotency: nil, traceparent: nil, command: name),
                events: plain.events)
            let text = try EntryText.json(EntryCodec.encode(entry))
            #expect(text.contains("\"COMMAND_\(name.text.uppercased())\""), "\(text)")
            #expect(CommandName(text: name.text) == name)
        }
        #expect(CommandName(text: "claims") == nil)
    }
}
