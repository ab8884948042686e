import DaybookCore

/// What a log says by itself: a second reading of it that shares no code with `decide` and `apply`,
/// and finds what should not have happened.
struct Ledger {
    struct TeamRecord {
        var limit: Int
        var active = 0
        var lastStarts: [Queue: Position] = [:]
        var touched: Position

        var hasRoom: Bool { active < limit }
    }

    struct KeyRecord {
        let team: TeamID
        let role: Role
        let expiresAt: Instant?
        var isRevoked = false
        var touched: Position
    }

    struct WorkflowRecord {
        struct VersionRecord {
            var definition: PayloadLocation
            var queue: Queue
        }

        let team: TeamID
        var limit: Int
        var timeoutSeconds: Int
        var retry: RetryPolicy
        var isPaused = false
        var activeVersion = 0
        var lastVersion = 0
        var deletion: OperationID?
        var isDeleted = false
        var versions: [Int: VersionRecord]
        var active = 0
        var lastStarts: [Queue: Position] = [:]
        var touched: Position

        var hasRoom: Bool { !isPaused && (limit == 0 || active < limit) }
    }

    struct ScheduleRecord {
        let team: TeamID
        let workflow: WorkflowID
        var status = Schedule.Status.pending
        var time: Instant
        var input: PayloadLocation?
        var version: Int?
        var expiresAt: Instant?
        var priority: Int
        var run: RunID?
        var touched: Position
    }

    struct OperationRecord {
        let team: TeamID
        let workflow: WorkflowID?
        var status = BulkOperation.Status.running
        var changed = 0
        var touched: Position
    }

    struct RunRecord {
        enum Status { case queued, waiting, inProgress, completed, failed, cancelled }

        let team: TeamID
        let workflow: WorkflowID
        let queue: Queue
        let priority: Int
        let schedule: ScheduleID?
        let expiresAt: Instant?
        let timeoutSeconds: Int
        let retry: RetryPolicy
        let queuedAt: Position
        var status = Status.queued
        var attempt = 0
        var tries = 0
        var wasStarted = false
        var startedAt: Position = 0
        var deadline: Instant?
        var leaseEndsAt: Instant?
        var isAccepted = false
        var notBefore: Instant?
        var touched: Position

        var isFinal: Bool {
            switch status {
            case .queued, .waiting, .inProgress: false
            case .completed, .failed, .cancelled: true
            }
        }
    }

    let findings = Findings()
    var teams: [TeamID: TeamRecord] = [:]
    var keys: [KeyID: KeyRecord] = [:]
    var workflows: [WorkflowID: WorkflowRecord] = [:]
    var schedules: [ScheduleID: ScheduleRecord] = [:]
    var runs: [RunID: RunRecord] = [:]
    var triggers: [TriggerID: TriggerRecord] = [:]
    var refusals: [RefusalID: RefusalRecord] = [:]
    var seen: [SeenMessage.Key: Instant] = [:]
    var subscriptions: [SubscriptionID: SubscriptionRecord] = [:]
    var deliveries: [DeliveryID: DeliveryRecord] = [:]
    var operations: [OperationID: OperationRecord] = [:]
    var isPaused = false
    var reapFloor = Instant.epoch
    var floorPosition: Position = 0
    private var position: Position = 0
    private var recordedAt = Instant.epoch
    private var commandIDs: Set<CommandID> = []
    private var erasedPayloads: Set<PayloadLocation> = []

    func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
        if !holds { findings.add("\(message()), at position \(position)") }
    }

    mutating func read(_ entry: Entry) {
        let header = entry.header
        position += 1
        expect(header.position == position, "I1: the entry calls itself \(header.position)")
        expect(header.recordedAt >= recordedAt, "I9: recorded before its predecessor")
        recordedAt = header.recordedAt
        expect(
            commandIDs.insert(header.commandID).inserted,
            "I5: command \(header.commandID) has a second entry")
        expect(
            isShape(entry.events, of: header.command),
            "I5: \(header.command) does not bring \(entry.events)")
        checkActor(entry)
        for (index, event) in entry.events.enumerated() {
            read(event, at: index, header)
            owe(event, at: index, header)
        }
    }

    private mutating func read(_ event: Event, at index: Int, _ header: EntryHeader) {
        switch event {
        case .initialised, .started, .stopped, .paused, .resumed, .clockTrusted:
            expect(header.team == nil, "I34: an event of the service belongs to a team")
            readService(event, header)
        case .teamCreated, .licenseSet, .keyCreated, .keyRevoked: readTeam(event, header)
        case .keysUsed(let uses):
            expect(header.team == nil, "I34: the use of keys belongs to a team")
            expect(!uses.isEmpty, "I5: the use of no key is recorded")
            for use in uses { expect(keys[use.key] != nil, "I16: a key is used and not there") }
        default:
            guard let team = header.team, teams[team] != nil else {
                return expect(false, "I34: the entry belongs to no team")
            }
            let location = PayloadLocation(position: header.position, event: index)
            switch event {
            case .workflowCreated, .workflowModified, .concurrencySet, .secretRotated,
                .draftEdited, .versionSaved, .versionRenamed, .versionActivated,
                .workflowDeleted, .workflowClosed, .workflowReopened, .versionDeleted,
                .versionImported:
                readWorkflow(event, team, location, header)
            case .operationStarted, .operationAdvanced, .operationFinished:
                readOperation(event, team, header)
            case .scheduleCreated, .scheduleModified, .scheduleCancelled, .scheduleFired,
                .scheduleExpired:
                readSchedule(event, team, location, header)
            case .payloadsErased(let erased): readErased(erased, team, header)
            case .triggerCreated, .triggerModified, .triggerDeleted, .triggerSecretRotated,
                .messageRefused, .refusalRetried:
                readTrigger(event, team, header)
            case .subscriptionCreated, .subscriptionModified, .subscriptionDeleted,
                .subscriptionSecretRotated:
                readSubscription(event, team, header)
            case .deliverySucceeded, .deliveryRetryScheduled, .deliveryFailed,
                .deliveryRequeued, .deliveriesRequeued:
                readDelivery(event, team, header)
            default: readRun(event, team, location, header)
            }
        }
    }

    private mutating func readErased(
        _ erased: PayloadsErased, _ team: TeamID, _ header: EntryHeader
    ) {
        expect(!erased.payloads.isEmpty, "I40: nothing is erased")
        for location in erased.payloads {
            expect(location.position < header.position, "I40: what comes later is erased")
            expect(erasedPayloads.insert(location).inserted, "I40: \(location) is erased twice")
        }
        expect(
            erased.schedule != nil || erased.run != nil || erased.refusal != nil,
            "I40: an erasure of nothing in particular")
        if let link = erased.refusal {
            expect(refusals[link.refusal]?.team == team, "I34: another team's is erased")
            expect(refusals[link.refusal]?.touched == link.previous, "I5h: an erasure's previous")
            refusals[link.refusal]?.touched = header.position
        }
        if let link = erased.schedule {
            expect(schedules[link.schedule]?.team == team, "I34: another team's is erased")
            expect(schedules[link.schedule]?.touched == link.previous, "I5h: an erasure's previous")
            expect(
                schedules[link.schedule]?.run == erased.run?.run,
                "I40: run and schedule are not one")
            schedules[link.schedule]?.touched = header.position
        }
        if let link = erased.run {
            expect(runs[link.run]?.team == team, "I34: another team's is erased")
            expect(runs[link.run]?.touched == link.previous, "I5h: an erasure's previous")
            expect(
                runs[link.run]?.schedule == erased.schedule?.schedule,
                "I40: schedule and run are not one")
            runs[link.run]?.touched = header.position
        }
    }

    private mutating func readService(_ event: Event, _ header: EntryHeader) {
        switch event {
        case .initialised: expect(header.position == 1, "I16: initialised a second time")
        case .started(let floor):
            (reapFloor, floorPosition) = (floor, header.position)
        case .paused:
            expect(!isPaused, "I16: paused twice")
            isPaused = true
        case .resumed(let floor):
            expect(isPaused, "I16: resumed without a pause")
            isPaused = false
            (reapFloor, floorPosition) = (floor, header.position)
        default: break
        }
    }

    private mutating func readTeam(_ event: Event, _ header: EntryHeader) {
        switch event {
        case .teamCreated(let created):
            expect(teams[created.team] == nil, "I16: a team is made twice")
            expect(header.team == created.team, "I34: another team than the entry's is made")
            teams[created.team] = TeamRecord(
                limit: created.maxConcurrentRuns, touched: header.position)
        case .licenseSet(let set):
            expect(header.team == set.team, "I34: another team's license is set")
            guard var team = teams[set.team] else {
                return expect(false, "I16: a license for a team that is not there")
            }
            expect(set.previous == team.touched, "I5h: the license's previous is \(set.previous)")
            team.limit = set.maxConcurrentRuns
            team.touched = header.position
            teams[set.team] = team
        case .keyCreated(let created):
            expect(keys[created.key] == nil, "I16: a key is made twice")
            guard let team = header.team, teams[team] != nil else {
                return expect(false, "I34: a key of no team")
            }
            keys[created.key] = KeyRecord(
                team: team, role: created.role, expiresAt: created.expiresAt,
                touched: header.position)
        case .keyRevoked(let revoked):
            guard var key = keys[revoked.key] else {
                return expect(false, "I16: a key is revoked that is not there")
            }
            expect(!key.isRevoked, "I16: a key is revoked twice")
            expect(key.team == header.team, "I34: another team's key is revoked")
            expect(revoked.previous == key.touched, "I5h: the key's previous")
            key.isRevoked = true
            key.touched = header.position
            keys[revoked.key] = key
        default: break
        }
    }

    /// Who asked, and whether that one might.
    private func checkActor(_ entry: Entry) {
        let header = entry.header
        switch header.actor {
        case .system: break
        case .trigger(let id):
            expect(triggers[id]?.team == header.team, "I35: trigger \(id) is not there")
            expect(
                [.acceptHook, .acceptMessage, .refuseMessage].contains(header.command),
                "I35: a trigger asked for \(header.command)")
        case .key(let id):
            guard let key = keys[id] else {
                return expect(false, "I35: key \(id) is not there")
            }
            expect(!key.isRevoked, "I35: key \(id) is revoked")
            expect(
                key.expiresAt.map { header.recordedAt < $0 } ?? true, "I35: key \(id) has expired")
            let allowed: [Role] =
                switch header.command {
                case .initialise, .start, .stop, .fire, .accept, .reap, .retry, .expire,
                    .acceptHook, .acceptMessage, .refuseMessage, .recordDelivery,
                    .recordKeyUse, .advanceOperation, .finishOperation:
                    []
                case _ where concernsQueue(entry): [.admin]
                case .pause, .resume, .trustClock, .createTeam, .setLicense, .createKey,
                    .revokeKey:
                    [.admin]
                case .claim, .renewLease, .release, .complete, .fail: [.work, .write, .admin]
                default: [.write, .admin]
                }
            expect(
                allowed.contains(key.role),
                "I35: a key with role \(key.role) asked for \(header.command)")
            expect(
                key.team == header.team || allowed == [.admin],
                "I34: a key of another team asked for \(header.command)")
        }
    }

    /// Whether a trigger that reads a queue is made, changed or deleted.
    private func concernsQueue(_ entry: Entry) -> Bool {
        entry.events.contains { event in
            switch event {
            case .triggerCreated(let event): event.source == .sqs
            case .triggerModified(let event): triggers[event.trigger]?.source == .sqs
            case .triggerDeleted(let event): triggers[event.trigger]?.source == .sqs
            case .triggerSecretRotated(let event): triggers[event.trigger]?.source == .sqs
            default: false
            }
        }
    }

    /// Whether these are events that the command brings, all of them and nothing else.
    private func isShape(_ events: [Event], of command: CommandName) -> Bool {
        let shapes: [[String]] =
            switch command {
            case .initialise: [["initialised"]]
            case .start: [["started"]]
            case .stop: [["stopped"]]
            case .pause: [["paused"]]
            case .resume: [["resumed"]]
            case .trustClock: [["clockTrusted"]]
            case .createTeam: [["teamCreated"]]
            case .setLicense: [["licenseSet"]]
            case .createKey: [["keyCreated"]]
            case .revokeKey: [["keyRevoked"]]
            case .recordKeyUse: [["keysUsed"]]
            case .deleteWorkflow: [["workflowDeleted"]]
            case .deleteVersion: [["versionDeleted"]]
            case .importWorkflow:
                [
                    ["workflowCreated"]
                        + events.compactMap { event in
                            if case .versionImported = event { event.kind } else { nil }
                        } + (events.last?.kind == "versionActivated" ? ["versionActivated"] : [])
                ]
            case .startOperation:
                [["operationStarted"], ["operationStarted", "workflowClosed"]]
            case .advanceOperation: [["operationAdvanced"]]
            case .finishOperation:
                [["operationFinished"], ["operationFinished", "workflowReopened"]]
            case .createWorkflow: [["workflowCreated"]]
            case .modifyWorkflow: [["workflowModified"]]
            case .setConcurrency: [["concurrencySet"]]
            case .rotateSecret:
                [["secretRotated"], ["triggerSecretRotated"], ["subscriptionSecretRotated"]]
            case .editDraft: [["draftEdited"]]
            case .saveVersion: [["versionSaved"], ["versionSaved", "versionActivated"]]
            case .renameVersion: [["versionRenamed"]]
            case .activateVersion: [["versionActivated"]]
            case .createSchedule: [["scheduleCreated"]]
            case .modifySchedule: [["scheduleModified"]]
            case .cancelSchedule: [["scheduleCancelled"]]
            case .fire: [["scheduleFired", "runQueued"], ["scheduleExpired"]]
            case .execute: [["runQueued"]]
            case .claim: [["runStarted"]]
            case .renewLease: [["leaseRenewed"]]
            case .accept: [["runAccepted"]]
            case .release: [["runReleased"]]
            case .complete: [["runCompleted"]]
            case .fail, .reap: [["runRetryScheduled"], ["runFailed"]]
            case .retry: [["runRequeued"]]
            case .expire: [["runFailed"]]
            case .cancelRun: [["runCancelled"]]
            case .erase: [["payloadsErased"]]
            case .createTrigger: [["triggerCreated"]]
            case .modifyTrigger: [["triggerModified"]]
            case .deleteTrigger: [["triggerDeleted"]]
            case .acceptHook, .acceptMessage: [["runQueued"]]
            case .refuseMessage: [["messageRefused"]]
            case .retryRefusal: [["runQueued", "refusalRetried"]]
            case .createSubscription: [["subscriptionCreated"]]
            case .modifySubscription: [["subscriptionModified"]]
            case .deleteSubscription: [["subscriptionDeleted"]]
            case .recordDelivery:
                [
                    ["deliverySucceeded"], ["deliveryRetryScheduled"], ["deliveryFailed"],
                    ["deliveryFailed", "subscriptionModified"],
                ]
            case .redeliver: [["deliveryRequeued"]]
            case .replayDeliveries: [["deliveriesRequeued"]]
            }
        return shapes.contains(events.map(\.kind))
    }
}

extension Event {
    /// The name of the case, such as `scheduleFired`.
    package var kind: String { caseName(of: self) }
}

extension Rejection {
    /// The name of the case, such as `runState`.
    package var kind: String { caseName(of: self) }
}

private func caseName(of value: Any) -> String {
    Mirror(reflecting: value).children.first?.label ?? "\(value)"
}
