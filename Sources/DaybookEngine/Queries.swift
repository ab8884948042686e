import DaybookCore
import DaybookStore

/// A schedule with the payloads that its row refers to.
package struct ScheduleDetail: Sendable {
    package let schedule: Schedule
    package let input: StoredPayload?
    /// What its run said of its failure.
    package let failureMessage: StoredPayload?

    package init(
        schedule: Schedule, input: StoredPayload?, failureMessage: StoredPayload?
    ) {
        self.schedule = schedule
        self.input = input
        self.failureMessage = failureMessage
    }
}

/// A run with the payloads that its row refers to.
package struct RunDetail: Sendable {
    package let run: Run
    package let input: StoredPayload?
    package let output: StoredPayload?
    package let errorMessage: StoredPayload?

    package init(
        run: Run, input: StoredPayload?, output: StoredPayload?, errorMessage: StoredPayload?
    ) {
        self.run = run
        self.input = input
        self.output = output
        self.errorMessage = errorMessage
    }
}

/// What a worker is told of a run that was started for it.
package struct Assignment: Sendable {
    package let run: Run
    package let definition: Definition
    package let input: StoredPayload?
}

/// A version with its definition.
package struct VersionDetail: Sendable {
    package let version: Version
    package let definition: Definition
    package let isActive: Bool
}

/// Questions about what is durable. Each snapshot is short and ends before anything is sent.
extension Engine {
    /// The key, if it is known, not revoked, and not past its end.
    package func validKey(_ id: KeyID) throws -> APIKey? {
        let now = clock.now()
        return try read { view in
            guard let key = try view.apiKey(id), key.isValid(at: now) else { return nil }
            return key
        }
    }

    package func apiKey(_ id: KeyID) throws -> APIKey? { try read { try $0.apiKey(id) } }

    /// The name of the key that an actor is; `nil` of any other actor.
    package func name(of actor: Actor) throws -> String? {
        if case .key(let id) = actor { try apiKey(id)?.name } else { nil }
    }

    /// A page of all teams, newest first.
    package func teams(after cursor: [UInt8]?, limit: Int) throws -> Page<Team> {
        try read { try $0.teams(after: cursor, limit: limit) }
    }

    /// A page of the keys of all teams, or of one, newest first; revoked ones too.
    package func apiKeys(
        of team: TeamID?, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<APIKey> {
        try pages(cursor, limit, .max) { view, cursor, limit in
            try view.apiKeys(
                of: team, after: cursor, limit: limit, work: settings.listWorkPerSnapshot)
        } size: { _ in
            0
        } cursor: { key in
            key.id.bytes
        }
    }

    /// A key other than this one that can administer the service for ever.
    package func administrator(besides key: KeyID) throws -> KeyID? {
        var cursor: [UInt8]?
        repeat {
            let page = try apiKeys(of: nil, after: cursor, limit: 1_000)
            if let other = page.items.first(where: { $0.id != key && $0.administersForEver }) {
                return other.id
            }
            cursor = page.next
        } while cursor != nil
        return nil
    }

    /// How much there is over all teams.
    package struct Counts: Sendable {
        package let position: Position
        package let isPaused: Bool
        package let dueMoments: Int
        package let inProgress: Int
        package let queued: Int
        /// Subscriptions with something to be sent, and when the first of it was to be.
        package let waitingEndpoints: Int
        package let oldestDelivery: Instant?
    }

    package func counts() throws -> Counts {
        try read { view in
            let service = try view.service()
            let endpoints = try view.teamsWithWaiting().flatMap {
                try view.waitingEndpoints(of: $0)
            }
            let usages = try view.teams().map { try view.usage(of: $0.id) }
            return Counts(
                position: service.position, isPaused: service.isPaused,
                dueMoments: try view.dueCount(),
                inProgress: usages.reduce(0) { $0 + $1.inProgress },
                queued: usages.reduce(0) { $0 + $1.queued }, waitingEndpoints: endpoints.count,
                oldestDelivery: endpoints.map(\.first).min())
        }
    }

    /// The team with what it uses, as they are together.
    package func license(of id: TeamID) throws -> (team: Team, usage: Usage)? {
        try read { view in
            guard let team = try view.team(id) else { return nil }
            return (team, try view.usage(of: id))
        }
    }

    package func team(_ id: TeamID) throws -> Team? { try read { try $0.team(id) } }

    package func usage(of team: TeamID) throws -> Usage { try read { try $0.usage(of: team) } }

    package func service() throws -> ServiceState { try read { try $0.service() } }

    package func schedule(_ id: ScheduleID, of team: TeamID) throws -> ScheduleDetail? {
        try read { view in
            guard let schedule = try view.schedule(id, of: team) else { return nil }
            return try view.detail(schedule)
        }
    }

    /// A schedule as a command left it, with its payloads.
    package func detail(_ schedule: Schedule) throws -> ScheduleDetail {
        try read { try $0.detail(schedule) }
    }

    package func run(_ id: RunID, of team: TeamID) throws -> RunDetail? {
        try read { view in
            guard let run = try view.run(id, of: team) else { return nil }
            return try view.detail(run)
        }
    }

    /// A run as a command left it, with its payloads.
    ///
    /// - Parameter knownOutput: its output, where the command brought it: that need not be read back.
    package func detail(_ run: Run, knownOutput: [UInt8]? = nil) throws -> RunDetail {
        try read { try $0.detail(run, knownOutput: knownOutput) }
    }

    /// What the worker needs to carry out runs that were started for it.
    package func assignments(of runs: [Run]) throws -> [Assignment] {
        guard !runs.isEmpty else { return [] }
        return try read { view in
            try runs.map { run in
                Assignment(
                    run: run,
                    definition: try definitions.at(run.definitionLocation) {
                        try view.definition(at: $0)
                    },
                    input: try view.stored(run.input))
            }
        }
    }

    package func workflow(_ id: WorkflowID, of team: TeamID) throws -> Workflow? {
        let workflow = try read { try $0.workflow(id, of: team) }
        return workflow?.deletedAt == nil ? workflow : nil
    }

    /// The same, also where it was deleted: what happened to it can still be asked.
    package func workflowEverMade(_ id: WorkflowID, of team: TeamID) throws -> Workflow? {
        try read { try $0.workflow(id, of: team) }
    }

    package func version(
        _ number: Int, of workflow: WorkflowID, team: TeamID
    ) throws -> VersionDetail? {
        try read { view in
            guard try view.workflow(workflow, of: team)?.deletedAt == nil,
                let row = try view.version(number, of: workflow, team: team)
            else { return nil }
            return try view.detail(row)
        }
    }

    /// A version as a command left it, with its definition.
    package func detail(_ version: Version, isActive: Bool) throws -> VersionDetail {
        let definition = try read { try $0.definition(at: version.definitionLocation) }
        return VersionDetail(version: version, definition: definition, isActive: isActive)
    }

    package func schedules(
        of team: TeamID, _ filter: ScheduleFilter, after cursor: [UInt8]?, limit: Int,
        maximumBytes: Int
    ) throws -> Page<ScheduleDetail> {
        try pages(cursor, limit, maximumBytes) { view, cursor, limit in
            let page = try view.schedules(
                of: team, filter, after: cursor, limit: limit, work: settings.listWorkPerSnapshot)
            return Page(items: try page.items.map { try view.detail($0) }, next: page.next)
        } size: { detail in
            detail.input.byteCount + detail.failureMessage.byteCount
        } cursor: { detail in
            View.cursor(of: detail.schedule, in: filter)
        }
    }

    package func runs(
        of team: TeamID, _ filter: RunFilter, after cursor: [UInt8]?, limit: Int,
        maximumBytes: Int
    ) throws -> Page<RunDetail> {
        try pages(cursor, limit, maximumBytes) { view, cursor, limit in
            let page = try view.runs(
                of: team, filter, after: cursor, limit: limit, work: settings.listWorkPerSnapshot)
            return Page(items: try page.items.map { try view.detail($0) }, next: page.next)
        } size: { detail in
            detail.input.byteCount + detail.output.byteCount + detail.errorMessage.byteCount
        } cursor: { detail in
            View.cursor(of: detail.run)
        }
    }

    package func workflows(
        of team: TeamID, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<Workflow> {
        try read { try $0.workflows(of: team, after: cursor, limit: limit) }
    }

    package func versions(
        of workflow: WorkflowID, team: TeamID, after cursor: [UInt8]?, limit: Int,
        maximumBytes: Int
    ) throws -> Page<VersionDetail> {
        try pages(cursor, limit, maximumBytes) { view, cursor, limit in
            let page = try view.versions(of: workflow, team: team, after: cursor, limit: limit)
            return Page(items: try page.items.map { try view.detail($0) }, next: page.next)
        } size: { detail in
            detail.definition.bytes.count
        } cursor: { detail in
            View.cursor(of: detail.version)
        }
    }

    /// Gathers a page over several short snapshots: until it is full, until its payloads are too
    /// many bytes, or until enough rows have been looked at.
    func pages<Item: Sendable>(
        _ cursor: [UInt8]?, _ limit: Int, _ maximumBytes: Int,
        next: (borrowing View, [UInt8]?, Int) throws -> Page<Item>,
        size: (Item) -> Int, cursor cursorOf: (Item) -> [UInt8]
    ) throws -> Page<Item> {
        var items: [Item] = []
        var cursor = cursor
        var bytes = 0
        for _ in 0..<max(1, settings.listWork / settings.listWorkPerSnapshot) {
            let page = try read { view in try next(view, cursor, limit - items.count) }
            for item in page.items {
                bytes += size(item)
                items.append(item)
                if bytes >= maximumBytes, items.count < limit {
                    return Page(items: items, next: cursorOf(item))
                }
            }
            guard let more = page.next, items.count < limit else {
                return Page(items: items, next: page.next)
            }
            cursor = more
        }
        return Page(items: items, next: cursor)
    }

    /// Whether the attempt of the run is still the one under way.
    func isInProgress(_ run: Run) throws -> Bool {
        let current = try read { view in try view.run(run.id, of: run.team) }
        return current?.status == .inProgress && current?.attempt == run.attempt
    }

    /// What an executor needs to carry out a run that was started.
    func work(for run: Run, isRedelivery: Bool) throws -> Work {
        let now = clock.now()
        let (definition, input, workflow) = try read { view in
            (
                try view.definition(at: run.definitionLocation),
                try run.input.map { try view.payload(at: $0) },
                try view.workflow(run.workflow, of: run.team)
            )
        }
        let bytes: [UInt8]? = if case .bytes(let bytes) = input { bytes } else { nil }
        var sealed: [SealedSecret] = []
        if let workflow { sealed.append(workflow.secret) }
        if let old = workflow?.previousSecret, now < old.endsAt { sealed.append(old.secret) }
        return Work(
            run: run, definition: definition, input: bytes,
            secrets: try sealed.map { try open($0, for: .workflowSecret, of: run.team) },
            isRedelivery: isRedelivery, traceparent: try traceparent(of: run))
    }
}

extension View {
    fileprivate borrowing func detail(_ schedule: Schedule) throws -> ScheduleDetail {
        var message: PayloadLocation?
        if case .run(let error) = schedule.failure { message = error.message }
        return ScheduleDetail(
            schedule: schedule, input: try stored(schedule.input),
            failureMessage: try stored(message))
    }

    fileprivate borrowing func detail(_ run: Run, knownOutput: [UInt8]? = nil) throws -> RunDetail {
        RunDetail(
            run: run, input: try stored(run.input),
            output: try knownOutput.map { .bytes($0) } ?? stored(run.output),
            errorMessage: try stored(run.error?.message))
    }

    fileprivate borrowing func detail(_ version: Version) throws -> VersionDetail {
        VersionDetail(
            version: version, definition: try definition(at: version.definitionLocation),
            isActive: try workflow(version.workflow, of: version.team)?.activeVersion
                == version.number)
    }

    fileprivate borrowing func stored(_ location: PayloadLocation?) throws -> StoredPayload? {
        guard let location else { return nil }
        return try payload(at: location)
    }
}

extension StoredPayload? {
    var byteCount: Int {
        if case .bytes(let bytes) = self { bytes.count } else { 0 }
    }
}
