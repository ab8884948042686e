import DaybookCore
import Support
import Testing

@Suite("Instants")
struct InstantTests {
    @Test(arguments: [
        (0, Instant.dayOne), (1, .second(1)), (-1, Instant.dayOne.adding(microseconds: -1_000_000)),
        (.max, .latest), (.min, .epoch), (Int.max / 1_000_000, .latest),
        (Int.min / 1_000_000, .epoch),
    ])
    func `moved by seconds, an instant stays within what can be written`(
        _ seconds: Int, _ expected: Instant
    ) {
        #expect(Instant.dayOne.adding(seconds: seconds) == expected)
    }

    @Test func `moved by microseconds, an instant stays within what can be written`() {
        #expect(Instant.dayOne.adding(microseconds: .max) == .latest)
        #expect(Instant.dayOne.adding(microseconds: .min) == .epoch)
        #expect(Instant.latest.adding(microseconds: 1) == .latest)
        #expect(Instant.epoch.adding(microseconds: -1) == .epoch)
        #expect(Instant.latest.adding(microseconds: -1) < .latest)
    }

    @Test(arguments: [(0, 0), (999, 0), (1_000, 1), (-1, -1), (-1_000, -1), (-1_001, -2)])
    func `whole milliseconds are rounded down, also before`(_ delta: Int64, _ expected: Int64) {
        let moved = Instant(microseconds: Instant.dayOne.microseconds + delta)
        #expect(moved.milliseconds(since: .dayOne) == expected)
        #expect(moved.microseconds(since: .dayOne) == delta)
    }

    @Test func `ids begin with the milliseconds since 1970`() {
        #expect(Instant.dayOne.milliseconds == 1_767_225_600_000)
        #expect(Instant(microseconds: -5).milliseconds == 0)
    }
}

@Suite("Ids and digests")
struct IdentifierTests {
    @Test func `an id is 24 lowercase hexadecimal digits, and reads back`() throws {
        let id = RunID(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98)
        #expect(id.description == "0123456789abcdeffedcba98")
        #expect(RunID(hex: id.description) == id)
        #expect(RunID(bytes: id.bytes) == id)
        #expect(id.bytes.count == RunID.byteCount)
        #expect(RunID(AnyID(id)) == id)
    }

    @Test(arguments: [
        "", "0123456789abcdeffedcba9", "0123456789abcdeffedcba988", "0123456789ABCDEFFEDCBA98",
        "0123456789abcdeffedcba9g", " 123456789abcdeffedcba98", "0x23456789abcdeffedcba98",
        "０123456789abcdeffedcba9", "0123456789abcdeffedcba9\u{0}",
    ])
    func `anything else is no id`(_ text: String) {
        #expect(RunID(hex: text) == nil)
    }

    @Test(arguments: [0, 11, 13])
    func `other counts of bytes are no id`(_ count: Int) {
        #expect(RunID(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test func `ids, their bytes and their texts have one order`() {
        let ids = [
            RunID.lowest, RunID(high: 0, low: 1), RunID(high: 0, low: .max), RunID(high: 1, low: 0),
            RunID(high: 1 << 63, low: 0), .highest,
        ]
        for (left, right) in zip(ids, ids.dropFirst()) {
            #expect(left < right)
            #expect(left.bytes.lexicographicallyPrecedes(right.bytes))
            #expect(left.description < right.description)
        }
    }

    @Test func `command ids and digests read back from their bytes`() {
        let id = CommandID(high: 1, low: .max)
        #expect(CommandID(bytes: id.bytes) == id)
        #expect(id.description == "0000000000000001ffffffffffffffff")
        #expect(CommandID(bytes: [1]) == nil)
        let bytes = (0..<32).map { UInt8($0) }
        #expect(Digest256(bytes: bytes)?.bytes == bytes)
        #expect(Digest256(bytes: bytes.dropLast()) == nil)
        #expect(Digest256(bytes: bytes)?.description.hasPrefix("000102") == true)
    }

    @Test func `digests that differ in any byte are different`() {
        for index in 0..<32 {
            var bytes = [UInt8](repeating: 5, count: 32)
            bytes[index] = 6
            #expect(Digest256(bytes: bytes) != .filled(5))
            #expect(Digest256.filled(5) < Digest256(bytes: bytes) ?? .filled(0))
        }
    }
}

@Suite("Names")
struct NameTests {
    @Test(arguments: [
        ("a", true), ("Za9._-", true), ("", false), ("a b", false), ("é", false), ("a/b", false),
        ("a\u{0}", false), (String(repeating: "q", count: 64), true),
        (String(repeating: "q", count: 65), false),
    ])
    func `worker queues have plain names`(_ name: String, _ isName: Bool) {
        #expect(Queue.isName(name) == isName)
    }

    @Test func `inner queues come before worker queues, which go by the bytes of their names`() {
        let queues: [Queue] = [
            .echo, .http, .worker("A"), .worker("a"), .worker("a-"), .worker("a.b"), .worker("ab"),
        ]
        #expect(queues.shuffled().sorted() == queues)
        #expect(queues.map(\.isInner) == [true, true, false, false, false, false, false])
    }

    @Test func `every state, mode, reason and role reads back from its name`() {
        for value in Schedule.Status.allCases {
            #expect(Schedule.Status(name: value.name) == value)
        }
        for value in Run.Status.allCases { #expect(Run.Status(name: value.name) == value) }
        for value in Run.Mode.allCases { #expect(Run.Mode(name: value.name) == value) }
        for value in RunError.Reason.allCases {
            #expect(RunError.Reason(name: value.name) == value)
        }
        for value in Role.allCases { #expect(Role(name: value.name) == value) }
        #expect(Run.Status(name: "Queued") == nil && Role(name: "") == nil)
    }

    @Test func `an actor's text says what it is`() {
        #expect(Actor.system(.timer).description == "system:timer")
        #expect(Actor.key(.number(1)).description == "key:\(KeyID.number(1))")
        #expect(Actor.trigger(.number(2)).description == "trigger:\(TriggerID.number(2))")
        #expect(Set(Actor.Part.allCases.map(\.name)).count == Actor.Part.allCases.count)
    }

    @Test(arguments: ["", "a b", "a\u{0}", "é", String(repeating: "q", count: 65)])
    func `a name that no queue can have is refused wherever it comes from`(_ name: String) throws {
        var given = try Given()
        let workflow = try given.newWorkflow()
        let queue = Queue.worker(name)
        let definition = Definition(bytes: [], queue: queue)
        for command in [
            Command.claim(queue, worker: nil, leaseSeconds: 60), .editDraft(workflow, definition),
            .createWorkflow(
                NewWorkflow(name: "w", definition: definition, secret: .number(1))),
        ] {
            guard case .refused(.invalid) = try given.when(command, team: given.team) else {
                Issue.record("\(command.name) took the queue \(name.debugDescription)")
                continue
            }
        }
    }
}
