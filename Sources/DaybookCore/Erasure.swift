/// What is to be forgotten: the payloads of a schedule and its run belong together, whichever is named.
package enum ErasureTarget: Hashable, Sendable {
    case schedule(ScheduleID)
    case run(RunID)
    case refusal(TriggerID, RefusalID)
}

/// A wish to erase payloads, made from a look at the log.
package struct Erasure: Hashable, Sendable {
    /// All payloads of the target that are not erased yet.
    package let payloads: [PayloadLocation]
    /// The last entry about the target when its payloads were gathered: a later one may have brought more.
    package let seen: Position
    /// Also where the target is not finished.
    package let force: Bool

    package init(payloads: [PayloadLocation], seen: Position, force: Bool) {
        self.payloads = payloads
        self.seen = seen
        self.force = force
    }
}

/// Salt and bytes of payloads are gone; their lengths and digests stay in the entries that brought them.
package struct PayloadsErased: Hashable, Sendable {
    package let schedule: ScheduleLink?
    package let run: RunLink?
    /// Whether the run was named and not the schedule: it is what the command is answered with.
    package let namesRun: Bool
    /// The refusal, where that was named.
    package let refusal: RefusalLink?
    package let payloads: [PayloadLocation]

    package init(
        schedule: ScheduleLink?, run: RunLink?, namesRun: Bool, refusal: RefusalLink? = nil,
        payloads: [PayloadLocation]
    ) {
        self.schedule = schedule
        self.run = run
        self.refusal = refusal
        self.namesRun = namesRun
        self.payloads = payloads
    }
}

/// The run that an event of another kind is about too.
package struct RunLink: Hashable, Sendable {
    package let run: RunID
    package let previous: Position

    package init(run: RunID, previous: Position) {
        self.run = run
        self.previous = previous
    }
}

/// The refusal whose body was erased.
package struct RefusalLink: Hashable, Sendable {
    package let refusal: RefusalID
    package let trigger: TriggerID
    package let previous: Position

    package init(refusal: RefusalID, trigger: TriggerID, previous: Position) {
        self.refusal = refusal
        self.trigger = trigger
        self.previous = previous
    }
}

extension State where Self: ~Copyable {
    /// The schedule and the run whose payloads belong together.
    borrowing func pair(
        _ target: ErasureTarget, of team: TeamID
    ) throws(Rejection) -> (schedule: Schedule?, run: Run?) {
        switch target {
        case .schedule(let id):
            guard let schedule = schedule(id, of: team) else { throw .notFound(.schedule) }
            return (schedule, schedule.run.flatMap { run($0, of: team) })
        case .run(let id):
            guard let run = run(id, of: team) else { throw .notFound(.run) }
            return (run.schedule.flatMap { schedule($0, of: team) }, run)
        case .refusal: return (nil, nil)
        }
    }
}

func decideErase<S: State & ~Copyable>(
    _ target: ErasureTarget, _ erasure: Erasure, _ team: TeamID, _ context: Context,
    _ state: borrowing S
) throws(Rejection) -> [Event] {
    if case .refusal(let trigger, let id) = target {
        guard let refusal = state.refusal(id, of: trigger, team: team) else {
            throw .notFound(.refusal)
        }
        let previous = refusal.touched.position
        guard erasure.seen == previous else { throw .changedMeanwhile }
        guard !erasure.payloads.isEmpty else { return [] }
        let link = RefusalLink(refusal: id, trigger: trigger, previous: previous)
        return [
            .payloadsErased(
                PayloadsErased(
                    schedule: nil, run: nil, namesRun: false, refusal: link,
                    payloads: erasure.payloads))
        ]
    }
    let (schedule, run) = try state.pair(target, of: team)
    let last = max(schedule?.touched.position ?? 0, run?.touched.position ?? 0)
    if !erasure.force {
        if let run, !run.status.isFinal { throw .runState(run.status, position: last) }
        if let schedule, schedule.status == .pending { throw .notFinished(position: last) }
    }
    var namesRun = true
    if case .schedule = target {
        namesRun = false
        try expect(context.expectedRevisions, schedule?.revision ?? 0)
    }
    guard erasure.seen == last else { throw .changedMeanwhile }
    guard !erasure.payloads.isEmpty else { return [] }
    return [
        .payloadsErased(
            PayloadsErased(
                schedule: schedule.map {
                    ScheduleLink(schedule: $0.id, previous: $0.touched.position)
                },
                run: run.map { RunLink(run: $0.id, previous: $0.touched.position) },
                namesRun: namesRun, payloads: erasure.payloads))
    ]
}

/// The rows go on to name the payloads: that they are gone is known where they were.
func applyErasure<S: State & ~Copyable>(
    _ erased: PayloadsErased, _ team: TeamID, _ header: EntryHeader, to state: inout S
) {
    if let link = erased.schedule, let old = state.schedule(link.schedule, of: team) {
        var new = old
        new.revision += 1
        new.touched.update(by: header)
        state.write(new, over: old)
    }
    if let link = erased.refusal,
        var refusal = state.refusal(link.refusal, of: link.trigger, team: team)
    {
        refusal.touched.update(by: header)
        state.set(refusal)
    }
    if let link = erased.run, let old = state.run(link.run, of: team) {
        var new = old
        new.touched.update(by: header)
        state.write(new, over: old)
    }
}
