import DaybookCore
import Metrics

/// What the engine measures. Lateness is in the log too; here it is in sums that a monitor can watch.
struct EngineMetrics: Sendable {
    /// From a batch's first look at the store until everybody in it was answered.
    let batchDuration: Timer
    let batchCommands: Recorder
    private let entries: Counter
    /// From the time a schedule was due until it was fired.
    private let timerLag: Timer
    /// From the time a run was queued until its first start: for a slot, its turn, a worker.
    private let slotWait: Timer
    /// From the start of an attempt until its executor has it.
    private let pickUp: Timer
    /// From the last start of a run until its end.
    private let runDuration: Timer
    private let commands: [CommandName: Counter]
    private let deliveries: [Delivery.Status: Counter]

    init(_ factory: any MetricsFactory) {
        func timer(_ label: String) -> Timer {
            Timer(label: label, dimensions: [], factory: factory)
        }
        batchDuration = timer("daybook_batch_duration")
        batchCommands = Recorder(
            label: "daybook_batch_commands", dimensions: [], aggregate: true, factory: factory)
        entries = Counter(label: "daybook_entries", dimensions: [], factory: factory)
        timerLag = timer("daybook_timer_lag")
        slotWait = timer("daybook_slot_wait")
        pickUp = timer("daybook_pick_up")
        runDuration = timer("daybook_run_duration")
        func counters<Key: Hashable>(
            _ label: String, _ dimension: String, _ keys: [Key], _ name: (Key) -> String
        ) -> [Key: Counter] {
            Dictionary(
                uniqueKeysWithValues: keys.map { key in
                    (
                        key,
                        Counter(
                            label: label, dimensions: [(dimension, name(key))], factory: factory)
                    )
                })
        }
        commands = counters("daybook_commands", "command", CommandName.allCases, \.text)
        deliveries = counters(
            "daybook_delivery_attempts", "outcome", [.delivered, .retrying, .failed], \.name)
    }

    func note(_ entries: [Entry]) {
        self.entries.increment(by: entries.count)
        for entry in entries { commands[entry.header.command]?.increment() }
    }

    /// Measures what a command brought about, once it is durable.
    func note(_ accepted: Accepted) {
        guard accepted.isChange else { return }
        switch accepted.answer {
        case .schedule(let schedule):
            if let fired = schedule.firedAt { record(timerLag, schedule.scheduledTime, fired) }
        case .run(let run):
            if run.status == .inProgress, run.startedPosition == accepted.position,
                let started = run.startedAt, run.firstStartedAt == started
            {
                record(slotWait, run.queuedAt, started)
            }
            if let started = run.startedAt, let finished = run.finishedAt {
                record(runDuration, started, finished)
            }
        case .delivery(let delivery) where delivery.touched.updatedBy == .system(.deliverer):
            deliveries[delivery.status]?.increment()
        default: break
        }
    }

    func notePickUp(of run: Run, at now: Instant) {
        if let started = run.startedAt { record(pickUp, started, now) }
    }

    private func record(_ timer: Timer, _ from: Instant, _ to: Instant) {
        timer.recordMicroseconds(max(0, to.microseconds(since: from)))
    }
}

extension Engine {
    /// The executor of the run's attempt has it now.
    package func notePickUp(of run: Run) { metrics.notePickUp(of: run, at: clock.now()) }
}
