import DaybookCore
import Foundation
import SwiftProtobuf

/// Events about triggers and what they refused.
extension EntryCodec {
    static func encodeTrigger(_ event: Event) -> Daybook_Event.OneOf_Kind {
        switch event {
        case .triggerCreated(let event):
            .triggerCreated(
                .with {
                    $0.trigger = event.trigger.data
                    $0.workflow = event.workflow.data
                    $0.source =
                        Daybook_TriggerSource(rawValue: Int(event.source.rawValue)) ?? .unspecified
                    $0.name = event.name
                    if let version = event.version { $0.version = UInt32(version) }
                    $0.isEnabled = event.isEnabled
                    $0.configuration = Data(event.configuration)
                    if let secret = event.secret { $0.secret = encode(secret) }
                })
        case .triggerModified(let event):
            .triggerModified(
                .with {
                    $0.trigger = event.trigger.data
                    $0.previous = event.previous
                    let changes = event.changes
                    if let name = changes.name { $0.name = name }
                    switch changes.version {
                    case .keep: break
                    case .set(let version?): $0.version = UInt32(version)
                    case .set(nil): $0.clearsVersion = true
                    }
                    if let isEnabled = changes.isEnabled { $0.isEnabled = isEnabled }
                    if let bytes = changes.configuration { $0.configuration = Data(bytes) }
                })
        case .triggerDeleted(let event):
            .triggerDeleted(
                .with {
                    $0.trigger = event.trigger.data
                    $0.previous = event.previous
                })
        case .triggerSecretRotated(let event):
            .triggerSecretRotated(
                .with {
                    $0.trigger = event.trigger.data
                    $0.previous = event.previous
                    $0.secret = encode(event.secret)
                    $0.oldEndsAt = event.oldEndsAt.microseconds
                })
        case .messageRefused(let event):
            .messageRefused(
                .with {
                    $0.refusal = event.refusal.data
                    $0.trigger = event.trigger.data
                    $0.reason =
                        Daybook_MessageRefused.Reason(rawValue: Int(event.reason.rawValue))
                        ?? .unspecified
                    $0.detail = event.detail
                    if let type = event.contentType { $0.contentType = type }
                    $0.body = encode(event.body)
                    if let ids = event.deduplication { $0.deduplication = encode(ids) }
                })
        case .refusalRetried(let event):
            .refusalRetried(
                .with {
                    $0.refusal = event.refusal.data
                    $0.trigger = event.trigger.data
                    $0.previous = event.previous
                    $0.run = event.run.data
                })
        default: preconditionFailure("not an event about triggers")
        }
    }

    static func decodeTrigger(_ event: Daybook_Event) throws(EntryError) -> Event {
        switch event.kind {
        case .triggerCreated(let event):
            try known(event)
            guard let source = Trigger.Source(rawValue: UInt8(clamping: event.source.rawValue))
            else { throw .unknown("source \(event.source.rawValue) of a trigger") }
            return .triggerCreated(
                TriggerCreated(
                    trigger: try id(event.trigger), workflow: try id(event.workflow),
                    source: source, name: event.name,
                    version: event.hasVersion ? Int(event.version) : nil,
                    isEnabled: event.isEnabled, configuration: Array(event.configuration),
                    secret: event.hasSecret ? try decode(event.secret) : nil))
        case .triggerModified(let event):
            try known(event)
            var changes = TriggerChanges()
            if event.hasName { changes.name = event.name }
            if event.hasVersion { changes.version = .set(Int(event.version)) }
            if event.clearsVersion { changes.version = .set(nil) }
            if event.hasIsEnabled { changes.isEnabled = event.isEnabled }
            if event.hasConfiguration { changes.configuration = Array(event.configuration) }
            return .triggerModified(
                TriggerModified(
                    trigger: try id(event.trigger), previous: event.previous, changes: changes))
        case .triggerDeleted(let event):
            try known(event)
            return .triggerDeleted(
                TriggerDeleted(trigger: try id(event.trigger), previous: event.previous))
        case .triggerSecretRotated(let event):
            try known(event)
            return .triggerSecretRotated(
                TriggerSecretRotated(
                    trigger: try id(event.trigger), previous: event.previous,
                    secret: try decode(event.secret),
                    oldEndsAt: Instant(microseconds: event.oldEndsAt)))
        case .messageRefused(let event):
            try known(event)
            guard let reason = Refusal.Reason(rawValue: UInt8(clamping: event.reason.rawValue))
            else { throw .unknown("reason \(event.reason.rawValue) of a refusal") }
            return .messageRefused(
                MessageRefused(
                    refusal: try id(event.refusal), trigger: try id(event.trigger),
                    reason: reason, detail: event.detail,
                    contentType: event.hasContentType ? event.contentType : nil,
                    body: try decode(event.body),
                    deduplication: event.hasDeduplication
                        ? try decode(event.deduplication) : nil))
        case .refusalRetried(let event):
            try known(event)
            return .refusalRetried(
                RefusalRetried(
                    refusal: try id(event.refusal), trigger: try id(event.trigger),
                    previous: event.previous, run: try id(event.run)))
        default: preconditionFailure("not an event about triggers")
        }
    }
}
