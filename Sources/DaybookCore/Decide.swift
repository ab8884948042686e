/// What a command is judged by besides the state.
package struct Context: Sendable {
    /// The entry's recorded time: the only "now".
    package let recordedAt: Instant
    package let actor: Actor
    /// The team whose command it is; `nil` for the system's own.
    package let team: TeamID?
    /// The id for whatever the command makes.
    package let newID: AnyID
    /// The revisions that the client would have changed (`If-Match`); `nil` for any.
    package let expectedRevisions: Set<UInt64>?

    package init(
        recordedAt: Instant, actor: Actor, team: TeamID?, newID: AnyID,
        expectedRevisions: Set<UInt64>? = nil
    ) {
        self.recordedAt = recordedAt
        self.actor = actor
        self.team = team
        self.newID = newID
        self.expectedRevisions = expectedRevisions
    }
}

/// Judges a command against the state: the events that it causes, or why it is refused.
///
/// No events means that the command is granted and changes nothing: there will be no entry.
package func decide<S: State & ~Copyable>(
    _ command: Command, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let key: APIKey?
    switch context.actor {
    case .key(let id):
        guard let found = state.apiKey(id), found.isValid(at: context.recordedAt) else {
            throw .notAuthenticated
        }
        key = found
    case .system, .trigger: key = nil
    }
    let events: [Event]
    do {
        events = try judge(command, context, state)
    } catch {
        // An unknown object is told before a missing right, and a missing right before all else.
        if case .notFound = error { throw error }
        try allow(command, key, in: context.team)
        throw error
    }
    try allow(command, key, in: context.team)
    return events
}

private func allow(_ command: Command, _ key: APIKey?, in team: TeamID?) throws(Rejection) {
    guard let key else { return }
    let needed = command.requiredRole ?? .admin
    guard key.role.allows(needed), command.requiredRole != nil else {
        throw .notAllowed(needs: needed)
    }
    // Only an administrator reaches beyond the key's own team, and only with an admin's command.
    guard key.team == team || needed == .admin else { throw .notFound(.team) }
}

private func judge<S: State & ~Copyable>(
    _ command: Command, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    switch command {
    case .initialise, .start, .stop, .pause, .resume, .trustClock:
        return try decideService(command, context, state)
    case .createTeam, .setLicense, .createKey, .revokeKey:
        return try decideTeam(command, context, state)
    case .recordKeyUse(let uses): return try decideKeyUse(uses, state)
    default: break
    }
    guard let team = context.team, state.team(team) != nil else { throw .notFound(.team) }
    switch command {
    case .createWorkflow(let new): return try decideCreate(new, context)
    case .modifyWorkflow(let id, let changes):
        return try decideModify(id, changes, team, context, state)
    case .setConcurrency(let id, let maximum):
        return try decideConcurrency(id, maximum, team, context, state)
    case .deleteWorkflow(let id): return try decideDelete(id, team, context, state)
    case .importWorkflow(let new, let versions, let active):
        return try decideImport(new, versions, active, context)
    case .rotateSecret(let id, let secret):
        return try decideRotation(id, secret, team, context, state)
    case .editDraft(let id, let definition):
        return try decideEdit(id, definition, team, context, state)
    case .saveVersion(let id, let new): return try decideSave(id, new, team, context, state)
    case .renameVersion(let id, let number, let name):
        return try decideRename(id, number, name, team, context, state)
    case .activateVersion(let id, let number):
        return try decideActivate(id, number, team, context, state)
    case .deleteVersion(let id, let number):
        return try decideDelete(number, of: id, team, context, state)
    case .createSchedule(let workflow, let new):
        return try decideCreate(new, of: workflow, team, context, state)
    case .modifySchedule(let id, let changes):
        return try decideModify(id, changes, team, context, state)
    case .cancelSchedule(let id): return try decideCancel(id, team, context, state)
    case .fire(let id, let revision): return try decideFire(id, revision, team, context, state)
    case .execute(let workflow, let new):
        return try decideExecute(workflow, new, team, context, state)
    case .claim(let queue, let worker, let lease):
        return try decideClaim(queue, worker, lease, team, context, state)
    case .renewLease(let id, let attempt):
        return try decideRenewal(id, attempt, team, context, state)
    case .accept(let id, let attempt): return try decideAccept(id, attempt, team, state)
    case .release(let id, let attempt): return try decideRelease(id, attempt, team, state)
    case .complete(let id, let attempt, let output):
        return try decideComplete(id, attempt, output, team, state)
    case .fail(let id, let attempt, let failure):
        return try decideFail(id, attempt, failure, team, context, state)
    case .reap(let id, let attempt): return try decideReap(id, attempt, team, context, state)
    case .retry(let id, let attempt): return try decideRetry(id, attempt, team, context, state)
    case .expire(let id): return try decideExpire(id, team, context, state)
    case .cancelRun(let id): return try decideCancel(id, team, state)
    case .erase(let target, let erasure):
        return try decideErase(target, erasure, team, context, state)
    case .createTrigger(let new): return try decideCreate(new, team, context, state)
    case .modifyTrigger(let seen, let changes):
        return try decideModify(seen, changes, team, context, state)
    case .deleteTrigger(let seen): return try decideDelete(seen, team, context, state)
    case .rotateTriggerSecret(let seen, let secret):
        return try decideRotation(seen, secret, team, context, state)
    case .arrive(let arrival, let input):
        return try decideArrival(arrival, input, team, context, state)
    case .refuse(let arrival, let new):
        return try decideRefusal(arrival, new, team, context, state)
    case .retryRefusal(let id, let seen, let input):
        return try decideRetry(id, of: seen, input, team, context, state)
    case .createSubscription(let new): return try decideCreate(new, team, context, state)
    case .modifySubscription(let id, let changes):
        return try decideModify(id, changes, team, context, state)
    case .deleteSubscription(let id): return try decideDelete(id, team, context, state)
    case .rotateSubscriptionSecret(let id, let secret):
        return try decideRotation(id, secret, team, context, state)
    case .recordDelivery(let id, let attempt, let verdict):
        return try decideRecord(id, attempt, verdict, team, context, state)
    case .redeliver(let id): return try decideRedelivery(id, team, context, state)
    case .replay(let id, let deliveries, let nextAfter):
        return try decideReplay(id, deliveries, nextAfter, team, context, state)
    case .startOperation(let task, let matched):
        return try decideStart(task, matched: matched, team, context, state)
    case .advanceOperation(let id, let step): return try decideAdvance(id, step, team, state)
    case .finishOperation(let id, let failure):
        return try decideFinish(id, failure, team, state)
    case .initialise, .start, .stop, .pause, .resume, .trustClock, .createTeam, .setLicense,
        .createKey, .revokeKey, .recordKeyUse:
        preconditionFailure("judged above")
    }
}

private func decideService<S: State & ~Copyable>(
    _ command: Command, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    let service = state.service()
    let floor = context.recordedAt.adding(seconds: Limits.reapFloorSeconds)
    switch command {
    case .initialise(let logID):
        guard service.position == 0 else { throw .alreadyInitialised }
        return [.initialised(logID: logID, format: entryFormat)]
    case .start: return [.started(reapFloor: floor)]
    case .stop: return [.stopped]
    case .pause: return service.isPaused ? [] : [.paused]
    case .resume: return service.isPaused ? [.resumed(reapFloor: floor)] : []
    case .trustClock: return [.clockTrusted]
    default: preconditionFailure("not a command of the service")
    }
}

/// The format of entries that this code writes, stated in the first entry of a log.
package let entryFormat = 1

private func decideTeam<S: State & ~Copyable>(
    _ command: Command, _ context: Context, _ state: borrowing S
) throws(Rejection) -> [Event] {
    var check = Check()
    switch command {
    case .createTeam(let name, let maximum):
        check.name(name)
        check.range("max_concurrent_runs", maximum, Limits.concurrentRuns)
        try check.finish()
        return [
            .teamCreated(
                TeamCreated(
                    team: TeamID(context.newID), name: name, maxConcurrentRuns: maximum))
        ]
    case .setLicense(let id, let maximum):
        guard let team = state.team(id) else { throw .notFound(.team) }
        try expect(context.expectedRevisions, team.revision)
        check.range("max_concurrent_runs", maximum, Limits.concurrentRuns)
        try check.finish()
        guard team.maxConcurrentRuns != maximum else { return [] }
        return [
            .licenseSet(
                LicenseSet(
                    team: id, previous: team.touched.position, maxConcurrentRuns: maximum))
        ]
    case .createKey(let new):
        guard let team = context.team, state.team(team) != nil else { throw .notFound(.team) }
        check.name(new.name)
        if let end = new.expiresAt, end <= context.recordedAt {
            check.add("expires_at", "must lie in the future")
        }
        try check.finish()
        return [
            .keyCreated(
                KeyCreated(
                    key: KeyID(context.newID), role: new.role, name: new.name,
                    secretDigest: new.secretDigest, expiresAt: new.expiresAt))
        ]
    case .revokeKey(let id, let other):
        guard let key = state.apiKey(id), key.team == context.team else { throw .notFound(.key) }
        guard key.revokedAt == nil else { return [] }
        if let other {
            guard let other = state.apiKey(other), other.administersForEver else {
                throw .changedMeanwhile
            }
        }
        return [.keyRevoked(KeyRevoked(key: id, previous: key.touched.position))]
    default: preconditionFailure("not a command about teams")
    }
}

/// Uses that are recorded already are left out.
private func decideKeyUse<S: State & ~Copyable>(
    _ uses: [KeyUse], _ state: borrowing S
) throws(Rejection) -> [Event] {
    var news: [KeyUse] = []
    for use in uses {
        guard let key = state.apiKey(use.key) else { throw .notFound(.key) }
        if let known = key.lastUsedAt, use.usedAt <= known { continue }
        news.append(use)
    }
    return news.isEmpty ? [] : [.keysUsed(news)]
}

func expect(_ expected: Set<UInt64>?, _ current: UInt64) throws(Rejection) {
    if let expected, !expected.contains(current) { throw .revisionMismatch(current: current) }
}

/// Gathers what is wrong with the values of a command, so that all of it is told at once.
struct Check {
    private var violations: [Rejection.Violation] = []

    mutating func add(_ field: String, _ message: String) {
        violations.append(Rejection.Violation(field, message))
    }

    mutating func range(_ field: String, _ value: Int, _ range: ClosedRange<Int>) {
        if !range.contains(value) {
            add(field, "must be between \(range.lowerBound) and \(range.upperBound)")
        }
    }

    mutating func text(_ field: String, _ value: String, _ bytes: ClosedRange<Int>) {
        if !bytes.contains(value.utf8.count) {
            add(
                field,
                "must have \(bytes.lowerBound) to \(bytes.upperBound) bytes of UTF-8, has \(value.utf8.count)"
            )
        } else if value.utf8.contains(0) {
            add(field, "must not contain the character U+0000")
        }
    }

    /// The name of a worker queue is part of keys.
    mutating func queue(_ field: String, _ queue: Queue) {
        if case .worker(let name) = queue, !Queue.isName(name) {
            add(field, "must have 1 to 64 letters, digits, '.', '_' or '-'")
        }
    }

    mutating func name(_ value: String) { text("name", value, Limits.nameBytes) }

    mutating func retry(_ policy: RetryPolicy) {
        range("retry/max_attempts", policy.maxAttempts, Limits.attempts)
        range(
            "retry/initial_backoff_seconds", policy.initialBackoffSeconds, Limits.backoffSeconds)
        range("retry/max_backoff_seconds", policy.maxBackoffSeconds, Limits.backoffSeconds)
        if policy.maxBackoffSeconds < policy.initialBackoffSeconds {
            add("retry/max_backoff_seconds", "must not be less than initial_backoff_seconds")
        }
    }

    func finish() throws(Rejection) {
        if !violations.isEmpty { throw .invalid(violations) }
    }
}
