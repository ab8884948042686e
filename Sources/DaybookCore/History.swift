/// An object that an event is about, and the entry that touched it before.
package struct Touch: Hashable, Sendable {
    package let object: AnyID
    /// 0 where the event made the object.
    package let previous: Position
}

extension Event {
    /// What the event is about. An object's history is walked back along these.
    package var touches: [Touch] {
        switch self {
        case .initialised, .started, .stopped, .paused, .resumed, .clockTrusted: return []
        case .teamCreated(let event): return [touch(event.team, 0)]
        case .licenseSet(let event): return [touch(event.team, event.previous)]
        case .keyCreated(let event): return [touch(event.key, 0)]
        case .keyRevoked(let event): return [touch(event.key, event.previous)]
        case .workflowCreated(let event): return [touch(event.workflow, 0)]
        case .workflowModified(let event): return [touch(event.workflow, event.previous)]
        case .concurrencySet(let event): return [touch(event.workflow, event.previous)]
        case .secretRotated(let event): return [touch(event.workflow, event.previous)]
        case .draftEdited(let event): return [touch(event.workflow, event.previous)]
        case .versionSaved(let event): return [touch(event.workflow, event.previous)]
        case .versionRenamed(let event): return [touch(event.workflow, event.previous)]
        case .versionActivated(let event): return [touch(event.workflow, event.previous)]
        case .scheduleCreated(let event): return [touch(event.schedule, 0)]
        case .scheduleModified(let event): return [touch(event.schedule, event.previous)]
        case .scheduleCancelled(let event): return [touch(event.schedule, event.previous)]
        case .scheduleFired(let event): return [touch(event.schedule, event.previous)]
        case .scheduleExpired(let event): return [touch(event.schedule, event.previous)]
        case .runQueued(let event): return [touch(event.run, 0)]
        case .runStarted(let event): return [touch(event.run, event.previous)]
        case .leaseRenewed(let event): return [touch(event.run, event.previous)]
        case .runAccepted(let event): return [touch(event.run, event.previous)]
        case .runReleased(let event): return [touch(event.run, event.previous)]
        case .runRetryScheduled(let event): return [touch(event.run, event.previous)]
        case .runRequeued(let event): return [touch(event.run, event.previous)]
        case .runCompleted(let event):
            return [touch(event.run, event.previous)] + touch(event.schedule)
        case .runFailed(let event):
            return [touch(event.run, event.previous)] + touch(event.schedule)
        case .runCancelled(let event):
            return [touch(event.run, event.previous)] + touch(event.schedule)
        case .payloadsErased(let event):
            return event.namesRun
                ? touch(event.run) + touch(event.schedule)
                : touch(event.schedule) + touch(event.run)
        }
    }

    private func touch(_ link: RunLink?) -> [Touch] {
        link.map { [touch($0.run, $0.previous)] } ?? []
    }

    private func touch<Kind>(_ object: Identifier<Kind>, _ previous: Position) -> Touch {
        Touch(object: AnyID(object), previous: previous)
    }

    private func touch(_ link: ScheduleLink?) -> [Touch] {
        link.map { [touch($0.schedule, $0.previous)] } ?? []
    }
}
