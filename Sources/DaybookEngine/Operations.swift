import DaybookCore
import DaybookStore
import Logging
import ServiceLifecycle

/// Carries out operations: a step of each in turn, and each change as a command of whoever asked.
///
/// A step's changes carry idempotency keys made from the operation and the object, so that a step that broke
/// off is done again without doing anything twice.
package struct OperationService: Service {
    private let engine: Engine
    private let logger: Logger

    /// Changes of one step: they go into one commit, or a few.
    static let stepChanges = 250
    /// How often changes are made anew of promises that somebody else changed meanwhile.
    private static let freshTries = 20
    /// After a step that could not be done, in milliseconds.
    private static let patience: Int64 = 200

    package init(engine: Engine, logger: Logger) {
        self.engine = engine
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await engine.ready()
            let bell = Bell()
            let follower = engine.feed.follow { entries in
                // Without entries, something else changed that may let a step be done.
                if entries.isEmpty || entries.contains(where: \.startsOperation) { bell.ring() }
            }
            defer { engine.feed.unfollow(follower) }
            var walk = Walks()
            while !Task.isCancelled {
                let pause = await steps(&walk)
                switch pause {
                case .none: await Task.yield()
                case .some(nil): await bell.wait()
                case .some(let milliseconds?):
                    await bell.wait(
                        until: engine.clock.now().adding(microseconds: milliseconds * 1_000),
                        engine.clock)
                }
            }
        }
    }

    /// How far each list was walked past what was recorded.
    struct Walks {
        var cursors: [OperationID: AnyID?] = [:]
    }

    /// Takes a step of each operation that is under way.
    ///
    /// - Returns: `nil` to go on at once; otherwise how many milliseconds to wait, `nil` inside for until there
    ///   is something new.
    private func steps(_ walks: inout Walks) async -> Int64?? {
        let running: [BulkOperation]
        do {
            running = try engine.runningOperations()
        } catch {
            logger.error("operations cannot be read", metadata: ["error": "\(error)"])
            return .some(1_000)
        }
        walks.cursors = walks.cursors.filter { known in running.contains { $0.id == known.key } }
        guard !running.isEmpty, !engine.isCopy else { return .some(nil) }
        var isHeld = true
        for operation in running where !Task.isCancelled {
            do {
                if try await step(operation, &walks) { isHeld = false }
            } catch {
                logger.error(
                    "a step of an operation failed",
                    metadata: ["operation_id": "\(operation.id)", "error": "\(error)"])
            }
        }
        return isHeld ? .some(Self.patience) : .none
    }

    /// One thing to change.
    private struct Change {
        let object: AnyID
        let command: Command
        /// It is only meant as it was seen.
        let revision: UInt64?
    }

    /// Takes one step; tells whether it could.
    private func step(_ operation: BulkOperation, _ walks: inout Walks) async throws -> Bool {
        let cursor = walks.cursors[operation.id] ?? operation.cursor
        let found = try next(of: operation, after: cursor)
        var tally = Tally(room: Limits.namedRefusals - operation.refusals.count)
        switch await carryOut(found.changes, for: operation, &tally) {
        case .done: break
        case .held: return false
        case .keyInvalid: return await finish(operation, .keyInvalid)
        }
        if found.changes.isEmpty, found.next != nil {
            // Nothing of it is to be recorded.
            walks.cursors[operation.id] = .some(found.next)
            return true
        }
        if !found.changes.isEmpty {
            let step = tally.step(cursor: found.next ?? found.changes.last?.object)
            guard await record(.advanceOperation(operation.id, step), for: operation) else {
                return false
            }
            walks.cursors[operation.id] = nil
        }
        return found.next == nil ? await end(operation, &walks) : true
    }

    /// What the next step is to change, and where the one after it begins; `nil` at the end of the list.
    private func next(
        of operation: BulkOperation, after cursor: AnyID?
    ) throws -> (changes: [Change], next: AnyID?) {
        let work = engine.settings.listWorkPerSnapshot
        func promises(
            _ filter: PendingFilter, before end: AnyID, _ command: (Schedule) -> Command
        ) throws -> (changes: [Change], next: AnyID?) {
            let (schedules, next) = try engine.read { view in
                try view.pending(
                    of: operation.team, filter, after: cursor, before: end,
                    limit: Self.stepChanges, work: work)
            }
            let changes = schedules.map {
                Change(object: AnyID($0.id), command: command($0), revision: $0.revision)
            }
            return (changes, next)
        }
        switch operation.task {
        case .cancel(let filter):
            return try promises(filter, before: AnyID(operation.id)) { .cancelSchedule($0.id) }
        case .modify(let filter, let changes):
            return try promises(filter, before: AnyID(operation.id)) {
                .modifySchedule($0.id, changes.changes(of: $0))
            }
        case .deleteWorkflow(let workflow):
            let usage = try engine.read { try $0.usage(of: workflow, team: operation.team) }
            guard usage.pending == 0 else {
                return try promises(PendingFilter(workflow: workflow), before: .highest) {
                    .cancelSchedule($0.id)
                }
            }
            let (runs, next) = try engine.read { view in
                try view.unfinished(
                    of: operation.team, workflow, after: cursor, limit: Self.stepChanges,
                    work: work)
            }
            let changes = runs.map {
                Change(object: AnyID($0.id), command: .cancelRun($0.id), revision: nil)
            }
            return (changes, next)
        }
    }

    private struct Tally {
        var room: Int
        var changed = 0
        var unchanged = 0
        var refused = 0
        var refusals: [BulkOperation.Refused] = []

        mutating func refuse(_ object: AnyID, _ rejection: Rejection) {
            refused += 1
            guard refusals.count < room else { return }
            refusals.append(
                BulkOperation.Refused(
                    object: object, code: rejection.code, detail: rejection.detail))
        }

        func step(cursor: AnyID?) -> BulkOperation.Step {
            BulkOperation.Step(
                cursor: cursor, changed: changed, unchanged: unchanged, refused: refused,
                refusals: refusals)
        }
    }

    private enum Progress {
        case done
        /// The service does not take commands now.
        case held
        case keyInvalid
    }

    private func carryOut(
        _ changes: [Change], for operation: BulkOperation, _ tally: inout Tally
    ) async -> Progress {
        var waiting = changes
        for _ in 0..<Self.freshTries where !waiting.isEmpty {
            let outcomes = await engine.submitTogether(
                waiting.map { submission(of: $0, for: operation) }, in: .service)
            var again: [Change] = []
            for (change, outcome) in zip(waiting, outcomes) {
                switch outcome {
                case .accepted(let accepted):
                    if accepted.isChange || accepted.isReplayed {
                        tally.changed += 1
                    } else {
                        tally.unchanged += 1
                    }
                case .unavailable: return .held
                case .refused(.notAuthenticated), .refused(.notAllowed): return .keyInvalid
                case .refused(.revisionMismatch):
                    if let fresh = try? renewed(change, of: operation) { again.append(fresh) }
                case .refused(let rejection): tally.refuse(change.object, rejection)
                }
            }
            waiting = again
        }
        for change in waiting { tally.refuse(change.object, .changedMeanwhile) }
        return .done
    }

    /// The change as it is for the promise as it is now; `nil` where it does not match any more.
    private func renewed(_ change: Change, of operation: BulkOperation) throws -> Change? {
        let found = try engine.read {
            try $0.schedule(ScheduleID(change.object), of: operation.team)
        }
        guard let schedule = found else { return nil }
        switch operation.task {
        case .cancel(let filter):
            guard filter.matches(schedule) else { return nil }
            return Change(
                object: change.object, command: change.command, revision: schedule.revision)
        case .modify(let filter, let changes):
            guard filter.matches(schedule) else { return nil }
            return Change(
                object: change.object,
                command: .modifySchedule(schedule.id, changes.changes(of: schedule)),
                revision: schedule.revision)
        case .deleteWorkflow:
            return Change(object: change.object, command: change.command, revision: nil)
        }
    }

    /// Comes to the end of the list: the operation is over, or there is another one.
    private func end(_ operation: BulkOperation, _ walks: inout Walks) async -> Bool {
        guard case .deleteWorkflow(let workflow) = operation.task else {
            return await finish(operation, nil)
        }
        walks.cursors[operation.id] = .some(nil)
        let deletion = Change(
            object: AnyID(workflow), command: .deleteWorkflow(workflow), revision: nil)
        let outcomes = await engine.submitTogether(
            [submission(of: deletion, for: operation)], in: .service)
        switch outcomes.first {
        case .accepted, .refused(.notFound): return await finish(operation, nil)
        case .refused(.notAuthenticated), .refused(.notAllowed):
            return await finish(operation, .keyInvalid)
        // Not yet: from the beginning.
        case .refused(.workflowInUse): return true
        default: return false
        }
    }

    private func finish(
        _ operation: BulkOperation, _ failure: BulkOperation.Failure?
    ) async -> Bool {
        await record(.finishOperation(operation.id, failure), for: operation)
    }

    /// A command about the operation itself, which is the service's own.
    private func record(_ command: Command, for operation: BulkOperation) async -> Bool {
        let outcomes = await engine.submitOwn([
            Submission(
                command, by: .system(.service), team: operation.team, id: engine.newCommandID(),
                causation: operation.startedPosition)
        ])
        if case .accepted = outcomes.first { return true }
        return false
    }

    private func submission(of change: Change, for operation: BulkOperation) -> Submission {
        let key = SaltedPayload.digest(operation.id.bytes, change.object.bytes)
        return Submission(
            change.command, by: operation.touched.createdBy, team: operation.team,
            id: engine.newCommandID(), idempotency: IdempotencyKey(scope: key, request: key),
            expectedRevisions: change.revision.map { [$0] },
            causation: operation.startedPosition)
    }
}

extension Entry {
    fileprivate var startsOperation: Bool { header.command == .startOperation }
}

/// Questions about operations.
extension Engine {
    package func operation(_ id: OperationID, of team: TeamID) throws -> BulkOperation? {
        try read { try $0.operation(id, of: team) }
    }

    func runningOperations() throws -> [BulkOperation] {
        try read { try $0.runningOperations() }
    }

    /// How many of the team's promises match now. Looks at all that are still to fire, in many short snapshots.
    package func countPending(of team: TeamID, _ filter: PendingFilter) async throws -> Int {
        var count = 0
        var cursor: AnyID?
        repeat {
            let part = try read { view in
                try view.pending(
                    of: team, filter, after: cursor, before: .highest, limit: .max,
                    work: settings.listWorkPerSnapshot)
            }
            count += part.schedules.count
            cursor = part.next
            await Task.yield()
        } while cursor != nil && !Task.isCancelled
        return count
    }

    /// What keeps the workflow from being deleted.
    package func usage(of workflow: WorkflowID, team: TeamID) throws -> Usage {
        try read { try $0.usage(of: workflow, team: team) }
    }
}
