import DaybookCore
import Support

/// An entry and its bytes in hexadecimal.
struct Golden: Sendable, CustomStringConvertible {
    let name: String
    let entry: Entry
    let hex: String

    var description: String { name }

    static func entry(
        _ events: [Event], team: TeamID? = .number(2), idempotency: Idempotency? = nil
    ) -> Entry {
        Entry(
            header: EntryHeader(
                position: 7, recordedAt: .second(1), team: team, actor: .key(.number(3)),
                commandID: .number(4), causation: idempotency == nil ? 0 : 5,
                idempotency: idempotency,
                traceparent: idempotency == nil
                    ? nil : "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                command: .stop),
            events: events)
    }

    /// One event of each kind, with every optional field, and some without.
    static let events: [(name: String, events: [Event])] = [
        ("initialised", [.initialised(logID: [UInt8](0..<16), format: 1)]),
        ("service", [.started(reapFloor: .second(60)), .stopped, .paused, .clockTrusted]),
        ("resumed", [.resumed(reapFloor: .second(61))]),
        (
            "team",
            [
                .teamCreated(
                    TeamCreated(team: .number(2), name: "clinic", maxConcurrentRuns: 50)),
                .licenseSet(LicenseSet(team: .number(2), previous: 6, maxConcurrentRuns: 0)),
            ]
        ),
        (
            "key",
            [
                .keyCreated(
                    KeyCreated(
                        key: .number(3), role: .work, name: "desk", secretDigest: .filled(9),
                        expiresAt: .second(99))),
                .keyRevoked(KeyRevoked(key: .number(3), previous: 6)),
            ]
        ),
        (
            "workflow",
            [
                .workflowCreated(
                    WorkflowCreated(
                        workflow: .number(5), name: "call", description: "a call",
                        definition: .worker("q"), runTimeoutSeconds: 60, retry: .thrice,
                        maxConcurrentRuns: 3, secret: .number(1))),
                .workflowModified(
                    WorkflowModified(
                        workflow: .number(5), previous: 6,
                        changes: WorkflowChanges(
                            name: "calls", description: .set(nil), runTimeoutSeconds: 61,
                            retry: .once, isPaused: true))),
                .workflowModified(
                    WorkflowModified(
                        workflow: .number(5), previous: 6,
                        changes: WorkflowChanges(description: .set("x"), isPaused: false))),
                .concurrencySet(
                    ConcurrencySet(workflow: .number(5), previous: 6, maxConcurrentRuns: 4)),
                .secretRotated(
                    SecretRotated(
                        workflow: .number(5), previous: 6, secret: .number(2),
                        oldEndsAt: .second(9))),
            ]
        ),
        (
            "version",
            [
                .draftEdited(
                    DraftEdited(workflow: .number(5), previous: 6, definition: .http)),
                .versionSaved(
                    VersionSaved(
                        workflow: .number(5), previous: 6, number: 2, source: 1, name: "two",
                        definitionLocation: .first(4), queue: .echo)),
                .versionRenamed(
                    VersionRenamed(workflow: .number(5), previous: 6, number: 2, name: "three")),
                .versionActivated(
                    VersionActivated(workflow: .number(5), previous: 6, number: 2)),
            ]
        ),
        (
            "schedule",
            [
                .scheduleCreated(
                    ScheduleCreated(
                        schedule: .number(8), workflow: .number(5), scheduledTime: .second(10),
                        input: SaltedPayload.text("{}").payload, version: 0,
                        scheduledByName: "Ada", expiresAt: .second(20), priority: 9,
                        deduplicationKey: DeduplicationKey("k"))),
                .scheduleCreated(
                    ScheduleCreated(
                        schedule: .number(8), workflow: .number(5), scheduledTime: .second(10),
                        input: nil, version: nil, scheduledByName: nil, expiresAt: nil,
                        priority: 5, deduplicationKey: nil)),
                .scheduleModified(
                    ScheduleModified(
                        schedule: .number(8), previous: 6,
                        changes: ScheduleChanges(
                            scheduledTime: .second(11), input: SaltedPayload.text("1").payload,
                            version: .set(nil), expiresAt: .set(nil), priority: 1))),
                .scheduleModified(
                    ScheduleModified(
                        schedule: .number(8), previous: 6,
                        changes: ScheduleChanges(
                            version: .set(3), expiresAt: .set(.second(30))))),
                .scheduleCancelled(ScheduleCancelled(schedule: .number(8), previous: 6)),
                .scheduleFired(
                    ScheduleFired(
                        schedule: .number(8), previous: 6, run: .number(9),
                        scheduledTime: .second(10), firedAt: .second(11))),
                .scheduleExpired(
                    ScheduleExpired(
                        schedule: .number(8), previous: 6, expiresAt: .second(20))),
            ]
        ),
        (
            "queued",
            [
                .runQueued(queued(.stored(PayloadLocation(position: 3, event: 1)), full: true)),
                .runQueued(queued(.brought(SaltedPayload.text("2").payload), full: false)),
                .runQueued(queued(.none, full: false)),
            ]
        ),
        (
            "started",
            [
                .runStarted(
                    RunStarted(
                        run: .number(9), previous: 6, attempt: 2, tries: 1,
                        deadline: .second(70),
                        lease: Lease(endsAt: .second(60), seconds: 60), worker: "one")),
                .leaseRenewed(
                    LeaseRenewed(run: .number(9), previous: 6, attempt: 2, endsAt: .second(90))),
                .runAccepted(RunAccepted(run: .number(9), previous: 6, attempt: 2)),
                .runReleased(RunReleased(run: .number(9), previous: 6, attempt: 2)),
                .runRequeued(RunRequeued(run: .number(9), previous: 6, attempt: 2)),
            ]
        ),
        (
            "ended",
            [
                .runCompleted(
                    RunCompleted(
                        run: .number(9), previous: 6, attempt: 2,
                        output: SaltedPayload.text("3").payload, schedule: link)),
                .runRetryScheduled(
                    RunRetryScheduled(
                        run: .number(9), previous: 6, attempt: 2, reason: .httpStatus,
                        message: SaltedPayload.text("no").payload, notBefore: .second(80))),
                .runFailed(
                    RunFailed(
                        run: .number(9), previous: 6, attempt: 2, reason: .timeout, message: nil,
                        schedule: link)),
                .runCancelled(RunCancelled(run: .number(9), previous: 6, schedule: nil)),
            ]
        ),
        (
            "erased",
            [
                .payloadsErased(
                    PayloadsErased(
                        schedule: link, run: RunLink(run: .number(9), previous: 6), namesRun: true,
                        payloads: [
                            PayloadLocation(position: 5, event: 0),
                            PayloadLocation(position: 6, event: 1),
                        ])),
                .payloadsErased(
                    PayloadsErased(
                        schedule: nil, run: RunLink(run: .number(9), previous: 6), namesRun: false,
                        payloads: [])),
            ]
        ),
        (
            "trigger",
            [
                .triggerCreated(
                    TriggerCreated(
                        trigger: .number(6), workflow: .number(5), source: .webhook,
                        name: "intake", version: 2, isEnabled: true,
                        configuration: Array("{}".utf8), secret: .number(1))),
                .triggerCreated(
                    TriggerCreated(
                        trigger: .number(6), workflow: .number(5), source: .sqs, name: "queue",
                        version: nil, isEnabled: false, configuration: [], secret: nil)),
                .triggerModified(
                    TriggerModified(
                        trigger: .number(6), previous: 6,
                        changes: TriggerChanges(
                            name: "in", version: .set(nil), isEnabled: false,
                            configuration: Array("{}".utf8)))),
                .triggerModified(
                    TriggerModified(
                        trigger: .number(6), previous: 6,
                        changes: TriggerChanges(version: .set(3)))),
                .triggerSecretRotated(
                    TriggerSecretRotated(
                        trigger: .number(6), previous: 6, secret: .number(2),
                        oldEndsAt: .second(9))),
                .triggerDeleted(TriggerDeleted(trigger: .number(6), previous: 6)),
            ]
        ),
        (
            "message",
            [
                .messageRefused(
                    MessageRefused(
                        refusal: .number(10), trigger: .number(6), reason: .invalidJSON,
                        detail: "no", contentType: "text/plain",
                        body: SaltedPayload.text("{").payload,
                        deduplication: Deduplication(
                            scope: .number(6), digests: [.filled(1), .filled(2)],
                            endsAt: .second(90)))),
                .messageRefused(
                    MessageRefused(
                        refusal: .number(10), trigger: .number(6), reason: .versionGone,
                        detail: "", contentType: nil, body: SaltedPayload.text("").payload,
                        deduplication: nil)),
                .runQueued(
                    RunQueued(
                        run: .number(9), workflow: .number(5), version: 1,
                        definitionLocation: .first(4),
                        queue: .echo, mode: .triggered, schedule: nil, trigger: .number(6),
                        scheduledTime: nil, input: .none, priority: 5, expiresAt: nil,
                        timeoutSeconds: 60, retry: .once,
                        deduplication: Deduplication(
                            scope: .number(2), digests: [.filled(3)], endsAt: .second(91)))
                ),
                .refusalRetried(
                    RefusalRetried(
                        refusal: .number(10), trigger: .number(6), previous: 6, run: .number(9))),
                .payloadsErased(
                    PayloadsErased(
                        schedule: nil, run: nil, namesRun: false,
                        refusal: RefusalLink(
                            refusal: .number(10), trigger: .number(6), previous: 6),
                        payloads: [PayloadLocation(position: 5, event: 0)])),
            ]
        ),
        (
            "subscription",
            [
                .subscriptionCreated(
                    SubscriptionCreated(
                        subscription: .number(11), number: 1, name: "crm",
                        url: "https://example.com/", actions: Actions(Action.allCases),
                        workflows: [.number(5), .number(6)], isEnabled: true, timeoutSeconds: 10,
                        maxRetries: 3, retryBackoffSeconds: 11, bearerToken: .number(2),
                        secret: .number(1))),
                .subscriptionCreated(
                    SubscriptionCreated(
                        subscription: .number(11), number: 2, name: "crm",
                        url: "https://example.com/", actions: Actions([.workflowCreated]),
                        workflows: [], isEnabled: false, timeoutSeconds: 1, maxRetries: 0,
                        retryBackoffSeconds: 1, bearerToken: nil, secret: .number(1))),
                .subscriptionModified(
                    SubscriptionModified(
                        subscription: .number(11), previous: 6,
                        changes: SubscriptionChanges(
                            name: "x", url: "https://example.org/",
                            actions: Actions([.workflowRunStarted]), workflows: [],
                            isEnabled: false, isGone: true, timeoutSeconds: 20, maxRetries: 0,
                            retryBackoffSeconds: 5, bearerToken: .set(nil)))),
                .subscriptionModified(
                    SubscriptionModified(
                        subscription: .number(11), previous: 6,
                        changes: SubscriptionChanges(
                            workflows: [.number(5)], bearerToken: .set(.number(3))))),
                .subscriptionSecretRotated(
                    SubscriptionSecretRotated(
                        subscription: .number(11), previous: 6, secret: .number(2),
                        oldEndsAt: .second(9))),
                .subscriptionDeleted(
                    SubscriptionDeleted(subscription: .number(11), previous: 6)),
            ]
        ),
        (
            "delivery",
            [
                .deliverySucceeded(
                    DeliverySucceeded(
                        delivery: DeliveryID(position: 5, event: 1, subscription: 2),
                        previous: 6,
                        attempt: DeliveryAttempt(
                            number: 1, startedAt: .second(1), latencyMilliseconds: 12,
                            statusCode: 200, error: nil,
                            answer: SaltedPayload.text("ok").payload))),
                .deliveryRetryScheduled(
                    DeliveryRetryScheduled(
                        delivery: DeliveryID(position: 5, event: 1, subscription: 2),
                        previous: 6,
                        attempt: DeliveryAttempt(
                            number: 2, startedAt: .second(2), latencyMilliseconds: 0,
                            statusCode: nil, error: "no answer", answer: nil),
                        notBefore: .second(12))),
                .deliveryFailed(
                    DeliveryFailed(
                        delivery: DeliveryID(position: 5, event: 1, subscription: 2),
                        previous: 6,
                        attempt: DeliveryAttempt(
                            number: 0, startedAt: .second(2), latencyMilliseconds: 0,
                            statusCode: nil, error: nil, answer: nil))),
                .deliveryRequeued(
                    DeliveryRequeued(
                        delivery: DeliveryID(position: 5, event: 1, subscription: 2),
                        previous: 6, notBefore: .second(13))),
                .deliveriesRequeued(
                    DeliveriesRequeued(
                        subscription: .number(11),
                        deliveries: [
                            .init(
                                delivery: DeliveryID(position: 5, event: 1, subscription: 2),
                                previous: 6),
                            .init(
                                delivery: DeliveryID(position: 6, event: 0, subscription: 2),
                                previous: 7),
                        ], notBefore: .second(14), nextAfter: 6)),
            ]
        ),
        (
            "ends",
            [
                .keysUsed([KeyUse(key: .number(3), usedAt: .second(7))]),
                .workflowClosed(
                    WorkflowClosed(workflow: .number(5), previous: 6, operation: .number(12))),
                .workflowReopened(WorkflowReopened(workflow: .number(5), previous: 7)),
                .workflowDeleted(WorkflowDeleted(workflow: .number(5), previous: 8)),
                .versionDeleted(VersionDeleted(workflow: .number(5), previous: 9, number: 3)),
                .versionImported(
                    VersionImported(
                        workflow: .number(5),
                        version: ImportedVersion(number: 2, name: "two", definition: .echo))),
                .versionSaved(
                    VersionSaved(
                        workflow: .number(5), previous: 9, number: 4, source: 2, name: nil,
                        definitionLocation: PayloadLocation(position: 4, event: 2), queue: .echo)),
            ]
        ),
        (
            "operations",
            [
                .operationStarted(
                    OperationStarted(
                        operation: .number(12),
                        task: .cancel(
                            PendingFilter(
                                workflow: .number(5), deduplicationKey: DeduplicationKey("k"),
                                from: .second(1), to: .second(2))), matched: 40)),
                .operationStarted(
                    OperationStarted(
                        operation: .number(13),
                        task: .modify(
                            PendingFilter(),
                            BulkChanges(
                                time: .shift(seconds: -60), version: .set(nil),
                                expiresAt: .set(.second(9)), priority: 3)), matched: 0)),
                .operationStarted(
                    OperationStarted(
                        operation: .number(14), task: .deleteWorkflow(.number(5)), matched: 1)),
                .operationAdvanced(
                    OperationAdvanced(
                        operation: .number(12), previous: 5,
                        step: BulkOperation.Step(
                            cursor: .number(8), changed: 2, unchanged: 1, refused: 1,
                            refusals: [
                                BulkOperation.Refused(
                                    object: .number(8), code: "not_pending", detail: "fired")
                            ]))),
                .operationFinished(
                    OperationFinished(
                        operation: .number(12), previous: 6, failure: .keyInvalid)),
            ]
        ),
    ]

    private static let link = ScheduleLink(schedule: .number(8), previous: 5)

    private static func queued(_ input: RunInput, full: Bool) -> RunQueued {
        RunQueued(
            run: .number(9), workflow: .number(5), version: 1, definitionLocation: .first(4),
            queue: .http, mode: full ? .scheduled : .manual, schedule: full ? .number(8) : nil,
            trigger: full ? .number(6) : nil, scheduledTime: full ? .second(10) : nil,
            input: input, priority: 5, expiresAt: full ? .second(20) : nil, timeoutSeconds: 60,
            retry: .once)
    }

    static let all: [Golden] =
        events.map { name, events in
            Golden(name: name, entry: entry(events), hex: GoldenBytes.hex[name] ?? "")
        } + [
            Golden(
                name: "envelope",
                entry: entry(
                    [], team: nil,
                    idempotency: Idempotency(
                        scope: .filled(1), request: .filled(2), endsAt: .second(600))),
                hex: GoldenBytes.hex["envelope"] ?? "")
        ]
}
