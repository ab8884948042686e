import DaybookCore
import Foundation
import SwiftProtobuf

/// Events about operations.
extension EntryCodec {
    static func encodeOperation(_ event: Event) -> Daybook_Event.OneOf_Kind {
        switch event {
        case .operationStarted(let event):
            .operationStarted(
                .with {
                    $0.operation = event.operation.data
                    $0.matched = UInt32(event.matched)
                    switch event.task {
                    case .cancel(let filter):
                        $0.task = .cancel
                        $0.filter = encode(filter)
                    case .modify(let filter, let changes):
                        $0.task = .modify
                        $0.filter = encode(filter)
                        $0.changes = encode(changes)
                    case .deleteWorkflow(let workflow):
                        $0.task = .deleteWorkflow
                        $0.workflow = workflow.data
                    }
                })
        case .operationAdvanced(let event):
            .operationAdvanced(
                .with {
                    $0.operation = event.operation.data
                    $0.previous = event.previous
                    if let cursor = event.step.cursor { $0.cursor = cursor.data }
                    $0.changed = UInt32(event.step.changed)
                    $0.unchanged = UInt32(event.step.unchanged)
                    $0.refused = UInt32(event.step.refused)
                    $0.refusals = event.step.refusals.map { refused in
                        .with {
                            $0.object = refused.object.data
                            $0.code = refused.code
                            $0.detail = refused.detail
                        }
                    }
                })
        case .operationFinished(let event):
            .operationFinished(
                .with {
                    $0.operation = event.operation.data
                    $0.previous = event.previous
                    if let failure = event.failure {
                        $0.failure =
                            Daybook_OperationFinished.Failure(rawValue: Int(failure.rawValue))
                            ?? .unspecified
                    }
                })
        default: preconditionFailure("not an event about operations")
        }
    }

    static func decodeOperation(_ event: Daybook_Event) throws(EntryError) -> Event {
        switch event.kind {
        case .operationStarted(let event):
            try known(event)
            return .operationStarted(
                OperationStarted(
                    operation: try id(event.operation), task: try task(of: event),
                    matched: Int(event.matched)))
        case .operationAdvanced(let event):
            try known(event)
            var refusals: [BulkOperation.Refused] = []
            for refused in event.refusals {
                try known(refused)
                refusals.append(
                    BulkOperation.Refused(
                        object: try id(refused.object), code: refused.code,
                        detail: refused.detail))
            }
            return .operationAdvanced(
                OperationAdvanced(
                    operation: try id(event.operation), previous: event.previous,
                    step: BulkOperation.Step(
                        cursor: try optionalID(event.cursor),
                        changed: Int(event.changed),
                        unchanged: Int(event.unchanged),
                        refused: Int(event.refused), refusals: refusals)))
        case .operationFinished(let event):
            try known(event)
            var failure: BulkOperation.Failure?
            if event.failure != .unspecified {
                failure = BulkOperation.Failure(rawValue: UInt8(clamping: event.failure.rawValue))
                guard failure != nil else { throw .unknown("failure \(event.failure.rawValue)") }
            }
            return .operationFinished(
                OperationFinished(
                    operation: try id(event.operation), previous: event.previous,
                    failure: failure))
        default: preconditionFailure("not an event about operations")
        }
    }

    private static func task(
        of event: Daybook_OperationStarted
    ) throws(EntryError) -> BulkOperation.Task {
        switch event.task {
        case .cancel: return .cancel(try decode(event.filter))
        case .modify: return .modify(try decode(event.filter), try decode(event.changes))
        case .deleteWorkflow: return .deleteWorkflow(try id(event.workflow))
        case .unspecified, .UNRECOGNIZED: throw .unknown("task \(event.task.rawValue)")
        }
    }

    private static func encode(_ filter: PendingFilter) -> Daybook_PendingFilter {
        .with {
            if let workflow = filter.workflow { $0.workflow = workflow.data }
            if let key = filter.deduplicationKey { $0.dedupKey = Data(key.bytes) }
            if let from = filter.from { $0.from = from.microseconds }
            if let to = filter.to { $0.to = to.microseconds }
        }
    }

    private static func decode(_ filter: Daybook_PendingFilter) throws(EntryError) -> PendingFilter
    {
        try known(filter)
        return PendingFilter(
            workflow: try optionalID(filter.workflow),
            deduplicationKey: filter.hasDedupKey
                ? DeduplicationKey(bytes: Array(filter.dedupKey)) : nil,
            from: filter.hasFrom ? Instant(microseconds: filter.from) : nil,
            to: filter.hasTo ? Instant(microseconds: filter.to) : nil)
    }

    private static func encode(_ changes: BulkChanges) -> Daybook_BulkChanges {
        .with {
            switch changes.time {
            case .keep: break
            case .set(let time): $0.scheduledTime = time.microseconds
            case .shift(let seconds): $0.shiftSeconds = Int32(clamping: seconds)
            }
            switch changes.version {
            case .keep: break
            case .set(let version?): $0.version = UInt32(version)
            case .set(nil): $0.clearsVersion = true
            }
            switch changes.expiresAt {
            case .keep: break
            case .set(let end?): $0.expiresAt = end.microseconds
            case .set(nil): $0.clearsExpiresAt = true
            }
            if let priority = changes.priority { $0.priority = UInt32(priority) }
        }
    }

    private static func decode(_ message: Daybook_BulkChanges) throws(EntryError) -> BulkChanges {
        try known(message)
        var changes = BulkChanges()
        if message.hasScheduledTime {
            changes.time = .set(Instant(microseconds: message.scheduledTime))
        } else if message.hasShiftSeconds {
            changes.time = .shift(seconds: Int(message.shiftSeconds))
        }
        if message.hasVersion { changes.version = .set(Int(message.version)) }
        if message.clearsVersion { changes.version = .set(nil) }
        if message.hasExpiresAt {
            changes.expiresAt = .set(Instant(microseconds: message.expiresAt))
        }
        if message.clearsExpiresAt { changes.expiresAt = .set(nil) }
        if message.hasPriority { changes.priority = Int(message.priority) }
        return changes
    }
}
