import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Bytes of entries")
struct EntryCodecTests {
    /// Every event with each of its optional fields absent and present.
    private static let events: [Event] = {
        var events = Golden.events.flatMap(\.events)
        let payload = SaltedPayload.text("x").payload
        let link = ScheduleLink(schedule: .number(8), previous: 6)
        for bits in 0..<64 {
            func has(_ bit: Int) -> Bool { bits & (1 << bit) != 0 }
            events += [
                .keyCreated(
                    KeyCreated(
                        key: .number(3), role: .admin, name: "", secretDigest: .filled(0),
                        expiresAt: has(0) ? .epoch : nil)),
                .workflowCreated(
                    WorkflowCreated(
                        workflow: .number(4), name: "", description: has(0) ? "" : nil,
                        definition: Definition(bytes: [], queue: has(1) ? .worker("q") : .echo),
                        runTimeoutSeconds: 1, retry: .once, maxConcurrentRuns: 0,
                        secret: SealedSecret(keyNumber: 0, nonce: [], ciphertext: []))),
                .workflowModified(
                    WorkflowModified(
                        workflow: .number(4), previous: 0,
                        changes: WorkflowChanges(
                            name: has(0) ? "" : nil,
                            description: has(1) ? .set(has(2) ? "" : nil) : .keep,
                            runTimeoutSeconds: has(3) ? 0 : nil, retry: has(4) ? .once : nil,
                            isPaused: has(5) ? has(0) : nil))),
                .versionSaved(
                    VersionSaved(
                        workflow: .number(4), previous: 0, number: 1, source: 0,
                        name: has(0) ? "" : nil, definitionLocation: .first(0), queue: .http)),
                .scheduleCreated(
                    ScheduleCreated(
                        schedule: .number(8), workflow: .number(4), scheduledTime: .epoch,
                        input: has(0) ? payload : nil, version: has(1) ? 0 : nil,
                        scheduledByName: has(2) ? "" : nil, expiresAt: has(3) ? .epoch : nil,
                        priority: 0, deduplicationKey: has(4) ? DeduplicationKey("") : nil)),
                .scheduleModified(
                    ScheduleModified(
                        schedule: .number(8), previous: 0,
                        changes: ScheduleChanges(
                            scheduledTime: has(0) ? .epoch : nil, input: has(1) ? payload : nil,
                            version: has(2) ? .set(has(3) ? 0 : nil) : .keep,
                            expiresAt: has(4) ? .set(has(3) ? .epoch : nil) : .keep,
                            priority: has(5) ? 0 : nil))),
                .runQueued(
                    RunQueued(
                        run: .number(9), workflow: .number(4), version: 0,
                        definitionLocation: .first(0),
                        queue: .echo, mode: has(0) ? .scheduled : .triggered,
                        schedule: has(0) ? .number(8) : nil, trigger: has(1) ? .number(1) : nil,
                        scheduledTime: has(2) ? .epoch : nil,
                        input: has(3)
                            ? has(4)
                                ? .brought(payload)
                                : .stored(PayloadLocation(position: 0, event: 0)) : .none,
                        priority: 0, expiresAt: has(5) ? .epoch : nil, timeoutSeconds: 0,
                        retry: RetryPolicy(
                            maxAttempts: 0, initialBackoffSeconds: 0, maxBackoffSeconds: 0))),
                .runStarted(
                    RunStarted(
                        run: .number(9), previous: 0, attempt: 0, tries: 0, deadline: .epoch,
                        lease: has(0) ? Lease(endsAt: .epoch, seconds: 0) : nil,
                        worker: has(1) ? "" : nil)),
                .runCompleted(
                    RunCompleted(
                        run: .number(9), previous: 0, attempt: 1, output: has(0) ? payload : nil,
                        schedule: has(1) ? link : nil)),
                .runRetryScheduled(
                    RunRetryScheduled(
                        run: .number(9), previous: 0, attempt: 1, reason: .connection,
                        message: has(0) ? payload : nil, notBefore: .latest)),
                .runFailed(
                    RunFailed(
                        run: .number(9), previous: 0, attempt: 1, reason: .invalidOutput,
                        message: has(0) ? payload : nil, schedule: has(1) ? link : nil)),
                .runCancelled(
                    RunCancelled(
                        run: .number(9), previous: .max, schedule: has(0) ? link : nil)),
                .payloadsErased(
                    PayloadsErased(
                        schedule: has(0) ? link : nil,
                        run: has(1) ? RunLink(run: .number(9), previous: 0) : nil,
                        namesRun: has(2),
                        payloads: has(3) ? [PayloadLocation(position: 0, event: 0)] : [])),
            ]
        }
        return events
    }()

    @Test func `every event reads back, whatever optional fields it has`() throws {
        for event in Self.events {
            let entry = Golden.entry([event])
            #expect(try EntryCodec.decode(EntryCodec.encode(entry)) == entry)
        }
        let all = Golden.entry(Self.events)
        #expect(try EntryCodec.decode(EntryCodec.encode(all)) == all)
        let none = Golden.entry([])
        #expect(try EntryCodec.decode(EntryCodec.encode(none)) == none)
    }

    @Test func `every envelope reads back`() throws {
        var actors: [Actor] = [.key(.number(1)), .trigger(.highest)]
        actors += Actor.Part.allCases.map { .system($0) }
        let keys = [
            nil, Idempotency(scope: .filled(1), request: .filled(0), endsAt: .second(5)),
        ]
        for command in CommandName.allCases {
            for actor in actors {
                for (index, key) in keys.enumerated() {
                    let header = EntryHeader(
                        position: index == 0 ? .max : 0, recordedAt: index == 0 ? .latest : .epoch,
                        team: index == 0 ? nil : .number(2), actor: actor,
                        commandID: CommandID(high: .max, low: 0), causation: .max,
                        idempotency: key, traceparent: index == 0 ? nil : "00-1-2-03",
                        command: command)
                    let entry = Entry(header: header, events: [.stopped])
                    #expect(try EntryCodec.decode(EntryCodec.encode(entry)) == entry)
                }
            }
        }
    }

    @Test func `every role, mode and reason reads back`() throws {
        var events: [Event] = Role.allCases.map { role in
            .keyCreated(
                KeyCreated(
                    key: .number(3), role: role, name: "n", secretDigest: .filled(1),
                    expiresAt: nil))
        }
        events += RunError.Reason.allCases.map { reason in
            .runFailed(
                RunFailed(
                    run: .number(9), previous: 1, attempt: 1, reason: reason, message: nil,
                    schedule: nil))
        }
        let entry = Golden.entry(events)
        #expect(try EntryCodec.decode(EntryCodec.encode(entry)) == entry)
    }

    @Test(
        "a field that is not known is refused, in whatever message it stands", arguments: Golden.all
    )
    func unknownFieldsAreRefused(_ golden: Golden) throws {
        let bytes = EntryCodec.encode(golden.entry)
        let changed = WireMessage.entry.changes(of: bytes) { fields, _ in
            // Field 2,000, a number.
            [fields + [WireField(number: 2_000, value: .number(1))]]
        }
        #expect(changed.count > golden.entry.events.count)
        for bytes in changed {
            do {
                let read = try EntryCodec.decode(bytes)
                Issue.record("passed over: \(read)")
            } catch EntryError.unknown {
                continue
            }
        }
    }

    @Test("a value that is not known is refused, whatever it is of", arguments: Golden.all)
    func unknownValuesAreRefused(_ golden: Golden) throws {
        let bytes = EntryCodec.encode(golden.entry)
        let changed = WireMessage.entry.changes(of: bytes) { fields, message in
            fields.indices.filter { message.enumerations.contains(fields[$0].number) }
                .flatMap { index in
                    [UInt64(0), 120, 257, 65_537].map { value -> [WireField] in
                        var changed = fields
                        changed[index].value = .number(value)
                        return changed
                    }
                }
        }
        // Of the actor and the command at least.
        #expect(changed.count >= 8)
        for bytes in changed {
            #expect(throws: EntryError.self) { try EntryCodec.decode(bytes) }
        }
    }

    @Test(
        "bytes of a wrong length, and an entry that breaks off, are refused", arguments: Golden.all)
    func malformedIsRefused(_ golden: Golden) throws {
        let bytes = EntryCodec.encode(golden.entry)
        let changed = WireMessage.entry.changes(of: bytes) { fields, message in
            fields.indices.filter { message.fixedBytes.contains(fields[$0].number) }
                .flatMap { index -> [[WireField]] in
                    guard case .bytes(let value) = fields[index].value else { return [] }
                    return [value.dropLast(), value + [0]].map {
                        var changed = fields
                        changed[index].value = .bytes(Array($0))
                        return changed
                    }
                }
        }
        #expect(changed.count >= 4)
        for bytes in changed {
            #expect(throws: EntryError.self) { try EntryCodec.decode(bytes) }
        }
        for count in 0..<bytes.count {
            // A shorter entry may still read, but never as this one.
            let read = try? EntryCodec.decode(Array(bytes.prefix(count)))
            #expect(read != golden.entry)
        }
    }
}
