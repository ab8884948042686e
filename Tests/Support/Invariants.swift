import DaybookCore
import DaybookStore

/// The checker of the property tests: what must hold for a log and for the state made from it.
///
/// The log is read by code that shares nothing with `decide` and `apply` (`Ledger`), the state is
/// compared with what the log says, and every index with the rows that it is made from. The numbers
/// in the messages:
///
/// - I1 no gap · I5 a command's events, and nothing else · I9 recorded time never goes back
/// - I10 replaying the entries gives the state · I14 indexes agree with rows · I15 counters are counts
/// - I16 legal transitions · I17 one firing, one run · I19 never early · I21 cancel is decisive
/// - I22 a run is what its schedule and workflow said last · I23 the end is final · I24 fencing
/// - I25 reaped only when over · I26 never more in progress than the limits allow at a start
/// - I27 the run that starts is the one whose turn it is · I28 versions and definitions are there
/// - I30 a message makes one run · I32 an event owes one delivery to each subscription that wants it
/// - I34 teams are apart · I35 nothing happens without somebody who may
/// - I5h `previous` is the entry that touched the object last
package enum Invariants {
    /// What does not hold; empty where all does.
    package static func check(memory state: MemoryState, entries: [Entry]) -> [String] {
        var ledger = Ledger()
        for entry in entries { ledger.read(entry) }
        let check = StateCheck(state: state, ledger: ledger, entries: entries)
        check.replay()
        check.schedules()
        check.runs()
        check.usage()
        check.lists()
        check.due()
        check.admission()
        check.references()
        check.edges()
        check.operations()
        return ledger.findings.violations + check.findings.violations
    }
}

/// What was found not to hold.
final class Findings {
    private(set) var violations: [String] = []

    func add(_ violation: String) { violations.append(violation) }
}

/// Compares a state with what a ledger says.
private struct StateCheck {
    let state: MemoryState
    let ledger: Ledger
    let entries: [Entry]
    let findings = Findings()

    private func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
        if !holds { findings.add(message()) }
    }

    private func expectSame<Row: Hashable>(_ is: [Row], _ should: [Row], _ what: String) {
        let (found, wanted) = (Set(`is`), Set(should))
        for row in found.subtracting(wanted) { findings.add("\(what): not due there: \(row)") }
        for row in wanted.subtracting(found) { findings.add("\(what): missing: \(row)") }
    }

    func replay() {
        var replayed = MemoryState()
        for entry in entries { apply(entry, to: &replayed) }
        if let difference = replayed.dump.firstDifference(from: state.dump) {
            findings.add("I10: \(difference)")
        }
    }

    func schedules() {
        expect(
            state.allSchedules.count == ledger.schedules.count,
            "I16: \(state.allSchedules.count) schedules, the log made \(ledger.schedules.count)")
        for row in state.allSchedules {
            guard let said = ledger.schedules[row.id] else { continue }
            expect(
                row.status == said.status && row.scheduledTime == said.time
                    && row.version == said.version && row.expiresAt == said.expiresAt
                    && row.priority == said.priority && row.input == said.input
                    && row.run == said.run && row.workflow == said.workflow,
                "I16: schedule \(row.id) is not what the log says")
            expect(
                row.touched.position == said.touched,
                "I5h: schedule \(row.id) was touched at \(said.touched)")
            let end: Schedule.Status? =
                switch row.run.flatMap({ ledger.runs[$0] })?.status {
                case nil: nil
                case .queued, .waiting, .inProgress: .inProgress
                case .completed: .completed
                case .failed, .cancelled: .failed
                }
            expect(
                end == nil || row.status == end,
                "I16: schedule \(row.id) is \(row.status) though its run says otherwise")
            expect(
                (row.run == nil) == (row.firedAt == nil),
                "I17: schedule \(row.id) has a run or a firing, not both")
        }
    }

    func runs() {
        expect(
            state.allRuns.count == ledger.runs.count,
            "I16: \(state.allRuns.count) runs, the log made \(ledger.runs.count)")
        for row in state.allRuns {
            guard let said = ledger.runs[row.id] else { continue }
            let status: Run.Status =
                switch said.status {
                case .queued, .waiting: .queued
                case .inProgress: .inProgress
                case .completed: .completed
                case .failed: .failed
                case .cancelled: .cancelled
                }
            expect(
                row.status == status && row.attempt == said.attempt && row.tries == said.tries
                    && row.notBefore == said.notBefore && row.queuedPosition == said.queuedAt
                    && row.leaseEndsAt == said.leaseEndsAt && row.schedule == said.schedule
                    && row.isAccepted == said.isAccepted,
                "I16: run \(row.id) is not what the log says")
            expect(
                row.status != .inProgress || row.deadline == said.deadline,
                "I25: run \(row.id) has another deadline than the log gave it")
            expect(
                row.touched.position == said.touched,
                "I5h: run \(row.id) was touched at \(said.touched)")
            expect(
                row.status.isFinal == (row.finishedAt != nil),
                "I23: run \(row.id) is \(row.status) and finished \(String(describing: row.finishedAt))"
            )
        }
    }

    private func lastStarts(of runs: [Run]) -> [Usage.LastStart] {
        Dictionary(grouping: runs.filter { $0.startedPosition > 0 }, by: \.queue)
            .sorted { $0.key < $1.key }
            .map { queue, runs in
                Usage.LastStart(
                    queue: queue, position: runs.map(\.startedPosition).max() ?? 0)
            }
    }

    func usage() {
        for team in state.allTeams {
            let runs = state.allRuns.filter { $0.team == team.id }
            let should = Usage(
                inProgress: runs.count { $0.status == .inProgress },
                queued: runs.count { $0.status == .queued },
                lastStarts: lastStarts(of: runs.filter(\.queue.isInner)))
            expect(
                state.usage(of: team.id) == should,
                "I15: team \(team.id) counts \(state.usage(of: team.id)), has \(should)")
        }
        for workflow in state.allWorkflows {
            let runs = state.allRuns.filter { $0.workflow == workflow.id }
            let pending = state.allSchedules.filter {
                $0.workflow == workflow.id && $0.status == .pending
            }
            let unfinished = runs.filter { !$0.status.isFinal }
            let numbers = Set(unfinished.map(\.version) + pending.compactMap(\.version))
            let should = Usage(
                inProgress: runs.count { $0.status == .inProgress }, pending: pending.count,
                versionUses: numbers.sorted().map { number in
                    Usage.VersionUse(
                        number: number, pinned: pending.count { $0.version == number },
                        unfinishedRuns: unfinished.count { $0.version == number })
                }, lastStarts: lastStarts(of: runs))
            let usage = state.usage(of: workflow.id, team: workflow.team)
            expect(usage == should, "I15: workflow \(workflow.id) counts \(usage), has \(should)")
        }
    }

    func lists() {
        expectSame(
            state.allScheduleLists,
            state.allSchedules.flatMap { row in
                [
                    ScheduleIndex.byStatus(row.team, row.status, row.id),
                    .byTime(row.team, row.scheduledTime, row.id),
                    .byWorkflow(row.team, row.workflow, row.id),
                ]
            }, "I14 schedule lists")
        expectSame(
            state.allRunLists,
            state.allRuns.flatMap { row in
                [RunIndex.byWorkflow(row.team, row.workflow, row.id)]
                    + (row.status.isFinal ? [] : [.unfinished(row.team, row.id)])
                    + (row.status == .inProgress
                        ? [.inProgress(row.team, row.workflow, row.id)] : [])
            }, "I14 run lists")
        for row in state.allSchedules {
            guard let key = row.deduplicationKey else { continue }
            let pending = state.pendingSchedule(key, of: row.workflow, team: row.team)
            let owners = state.allSchedules.filter {
                $0.workflow == row.workflow && $0.deduplicationKey == key && $0.status == .pending
            }
            expect(
                owners.count <= 1 && pending == owners.first?.id,
                "I14 pending keys: \(key.text) leads to \(String(describing: pending))")
        }
    }

    func due() {
        var should: [Due] = []
        for row in state.allSchedules where row.status == .pending {
            should.append(
                Due(
                    instant: row.scheduledTime, kind: .schedule, team: row.team,
                    id: AnyID(row.id), revision: row.revision))
        }
        for row in state.allRuns {
            func add(_ kind: Due.Kind, _ instant: Instant?) {
                guard let instant else { return }
                should.append(
                    Due(
                        instant: instant, kind: kind, team: row.team, id: AnyID(row.id),
                        revision: UInt64(row.attempt)))
            }
            switch row.status {
            case .queued:
                add(.retry, row.notBefore)
                if row.firstStartedAt == nil { add(.runExpiry, row.expiresAt) }
            case .inProgress:
                add(.runDeadline, row.deadline)
                add(.leaseEnd, row.leaseEndsAt)
            case .completed, .failed, .cancelled: break
            }
        }
        expectSame(state.allDue, should, "I14 due")
    }

    func admission() {
        let waiting = state.allRuns.filter { $0.status == .queued && $0.notBefore == nil }
        expectSame(
            state.allStartable,
            waiting.map { run in
                Startable(
                    team: run.team, workflow: run.workflow,
                    lane: Lane(queue: run.queue, priority: run.priority),
                    queuedPosition: run.queuedPosition, run: run.id)
            }, "I14 startable")
        let open = waiting.filter { ledger.workflows[$0.workflow]?.hasRoom ?? false }
        expectSame(
            state.allReady,
            open.map { run in
                Ready(
                    team: run.team, lane: Lane(queue: run.queue, priority: run.priority),
                    lastStart: ledger.workflows[run.workflow]?.lastStarts[run.queue] ?? 0,
                    workflow: run.workflow)
            }, "I14 ready")
        expectSame(
            state.allTurns,
            open.filter { $0.queue.isInner && ledger.teams[$0.team]?.hasRoom ?? false }
                .map { run in
                    Turn(
                        queue: run.queue,
                        lastStart: ledger.teams[run.team]?.lastStarts[run.queue] ?? 0,
                        team: run.team)
                }, "I14 turn")
        let queues = Set(waiting.map(\.queue)).union(Queue.inner)
        for team in state.allTeams {
            for queue in queues {
                let next = state.nextToStart(of: team.id, in: queue)
                let should = ledger.nextToStart(of: team.id, in: queue)
                expect(
                    next == should,
                    "I27: \(queue) of \(team.id) would start \(String(describing: next)), "
                        + "should start \(String(describing: should))")
            }
        }
    }

    func edges() {
        let triggers = Dictionary(uniqueKeysWithValues: state.allTriggers.map { ($0.id, $0) })
        expect(Set(triggers.keys) == Set(ledger.triggers.keys), "I16: other triggers")
        for (id, said) in ledger.triggers {
            guard let row = triggers[id] else { continue }
            expect(
                row.isEnabled == said.isEnabled && row.version == said.version
                    && row.revision == said.revision && row.touched.position == said.touched,
                "I16: trigger \(id) is not what the log says")
        }
        for row in state.allRefusals {
            let said = ledger.refusals[row.id]
            expect(
                row.run == said?.run && row.touched.position == said?.touched,
                "I16: refusal \(row.id) is not what the log says")
        }
        let open = ledger.subscriptions.filter { !$0.value.isDeleted }
        expect(
            Set(state.allSubscriptions.map(\.id)) == Set(open.keys), "I16: other subscriptions")
        for team in state.allTeams {
            expect(
                team.subscriptions == open.count { $0.value.team == team.id },
                "I15: team \(team.id) counts \(team.subscriptions) subscriptions")
            expect(
                team.triggers == ledger.triggers.count { $0.value.team == team.id },
                "I15: team \(team.id) counts \(team.triggers) triggers")
        }
        expect(
            Set(state.allDeliveries.map(\.id)) == Set(ledger.deliveries.keys),
            "I32: other deliveries than are owed")
        for row in state.allDeliveries {
            let said = ledger.deliveries[row.id]
            expect(
                row.status == said?.status && row.attempts == said?.attempts
                    && row.tries == said?.tries && row.notBefore == said?.notBefore
                    && row.action == said?.action && row.touched.position == said?.touched,
                "I32: delivery \(row.id) is not what the log says")
        }
        expectSame(
            state.allDeliveryLists,
            ledger.deliveries.flatMap { id, said -> [DeliveryIndex] in
                let list = DeliveryIndex.bySubscription(said.team, said.subscription, id)
                guard let instant = said.notBefore else { return [list] }
                return [list, .waiting(said.team, said.subscription, instant, id)]
            }, "I14 delivery lists")
    }

    func operations() {
        expect(
            Set(state.allOperations.map(\.id)) == Set(ledger.operations.keys),
            "I16: other operations")
        for row in state.allOperations {
            guard let said = ledger.operations[row.id] else { continue }
            expect(
                row.status == said.status && row.changed == said.changed
                    && row.touched.position == said.touched,
                "I16: operation \(row.id) is not what the log says")
        }
        let running = ledger.operations.filter { $0.value.status == .running }
        expectSame(
            state.allOperationLists, running.map { .running($0.value.team, $0.key) },
            "I14 operations")
        for team in state.allTeams {
            expect(
                team.operations == running.count { $0.value.team == team.id },
                "I15: team \(team.id) counts \(team.operations) operations")
        }
        for row in state.allWorkflows {
            let said = ledger.workflows[row.id]
            expect(
                row.deletion == said?.deletion && (row.deletedAt != nil) == said?.isDeleted,
                "I16: workflow \(row.id) is deleted, or not, and the log says otherwise")
            let numbers = state.allVersions.filter { $0.workflow == row.id }.map(\.number)
            expect(
                said.map { Set($0.versions.keys) } == Set(numbers),
                "I16: workflow \(row.id) has other versions")
        }
    }

    func references() {
        let positions = Set(
            entries.flatMap { entry in
                entry.events.enumerated().compactMap { index, event -> PayloadLocation? in
                    switch event {
                    case .workflowCreated, .draftEdited, .versionImported:
                        PayloadLocation(position: entry.header.position, event: index)
                    default: nil
                    }
                }
            })
        for row in state.allVersions {
            expect(
                positions.contains(row.definitionLocation),
                "I28: version \(row.number) of \(row.workflow) has no definition")
        }
        for row in state.allSchedules where row.status == .pending {
            let version = row.version ?? state.workflow(row.workflow, of: row.team)?.activeVersion
            expect(
                version.flatMap { state.version($0, of: row.workflow, team: row.team) } != nil,
                "I28: schedule \(row.id) refers to a version that is not there")
        }
        for row in state.allRuns {
            expect(
                positions.contains(row.definitionLocation)
                    && (row.status.isFinal
                        || state.version(row.version, of: row.workflow, team: row.team) != nil),
                "I28: run \(row.id) refers to a definition or version that is not there")
            expect(
                state.workflow(row.workflow, of: row.team) != nil
                    && entry(at: row.touched.position)?.header.team == row.team,
                "I34: run \(row.id) is not its team's alone")
        }
        for row in state.allSchedules {
            expect(
                state.workflow(row.workflow, of: row.team) != nil
                    && entry(at: row.touched.position)?.header.team == row.team,
                "I34: schedule \(row.id) is not its team's alone")
        }
        for row in state.allWorkflows {
            expect(
                entry(at: row.touched.position)?.header.team == row.team,
                "I34: workflow \(row.id) is not its team's alone")
        }
    }

    private func entry(at position: Position) -> Entry? {
        position > 0 && position <= Position(entries.count) ? entries[Int(position) - 1] : nil
    }
}
