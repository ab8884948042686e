import DaybookCore
import Foundation
import SwiftProtobuf

/// The values that the events of an entry are made of.
extension EntryCodec {
    static func decode(_ actor: Daybook_Actor) throws(EntryError) -> Actor {
        try known(actor)
        switch actor.kind {
        case .system:
            guard let part = Actor.Part(rawValue: UInt8(clamping: actor.part.rawValue)) else {
                throw .unknown("part \(actor.part.rawValue) of the system")
            }
            return .system(part)
        case .key: return .key(try id(actor.id))
        case .trigger: return .trigger(try id(actor.id))
        case .unspecified, .UNRECOGNIZED: throw .unknown("actor \(actor.kind.rawValue)")
        }
    }

    static func decode(_ payload: Daybook_Payload) throws(EntryError) -> Payload {
        try known(payload)
        return Payload(
            byteCount: Int(clamping: payload.byteCount), digest: try digest(payload.digest))
    }

    static func decode(_ secret: Daybook_SealedSecret) throws(EntryError) -> SealedSecret {
        try known(secret)
        return SealedSecret(
            keyNumber: secret.keyNumber, nonce: Array(secret.nonce),
            ciphertext: Array(secret.ciphertext))
    }

    static func decode(_ queue: Daybook_Queue) throws(EntryError) -> Queue {
        try known(queue)
        switch queue.kind {
        case .echo: return .echo
        case .http: return .http
        case .worker: return .worker(queue.name)
        case .unspecified, .UNRECOGNIZED: throw .unknown("queue \(queue.kind.rawValue)")
        }
    }

    static func decode(_ definition: Daybook_Definition) throws(EntryError) -> Definition {
        try known(definition)
        return Definition(bytes: Array(definition.json), queue: try decode(definition.queue))
    }

    static func decode(_ policy: Daybook_RetryPolicy) throws(EntryError) -> RetryPolicy {
        try known(policy)
        return RetryPolicy(
            maxAttempts: Int(policy.maxAttempts),
            initialBackoffSeconds: Int(policy.initialBackoffSeconds),
            maxBackoffSeconds: Int(policy.maxBackoffSeconds))
    }

    static func decode(_ reason: Daybook_Reason) throws(EntryError) -> RunError.Reason {
        guard let known = RunError.Reason(rawValue: UInt8(clamping: reason.rawValue)) else {
            throw .unknown("reason \(reason.rawValue)")
        }
        return known
    }

    static func decode(
        _ event: Daybook_PayloadsErased
    ) throws(EntryError) -> PayloadsErased {
        try known(event)
        var payloads: [PayloadLocation] = []
        for location in event.payloads { payloads.append(try decode(location)) }
        var run: RunLink?
        if event.hasRun {
            try known(event.run)
            run = RunLink(run: try id(event.run.run), previous: event.run.previous)
        }
        var refusal: RefusalLink?
        if event.hasRefusal {
            try known(event.refusal)
            refusal = RefusalLink(
                refusal: try id(event.refusal.refusal), trigger: try id(event.refusal.trigger),
                previous: event.refusal.previous)
        }
        return PayloadsErased(
            schedule: event.hasSchedule ? try decode(event.schedule) : nil, run: run,
            namesRun: event.namesRun, refusal: refusal, payloads: payloads)
    }

    static func decode(_ ids: Daybook_Deduplication) throws(EntryError) -> Deduplication {
        try known(ids)
        var digests: [Digest256] = []
        for bytes in ids.digests { digests.append(try digest(bytes)) }
        return Deduplication(
            scope: try id(ids.scope), digests: digests, endsAt: Instant(microseconds: ids.endsAt))
    }

    static func decode(
        _ location: Daybook_PayloadLocation
    ) throws(EntryError) -> PayloadLocation {
        try known(location)
        guard let event = UInt16(exactly: location.event) else {
            throw .malformed("an event's index")
        }
        return PayloadLocation(position: location.position, event: Int(event))
    }

    static func decode(_ link: Daybook_ScheduleLink) throws(EntryError) -> ScheduleLink {
        try known(link)
        return ScheduleLink(schedule: try id(link.schedule), previous: link.previous)
    }

    static func known(_ message: some Message) throws(EntryError) {
        guard message.unknownFields.data.isEmpty else {
            throw .unknown("a field of \(type(of: message).protoMessageName)")
        }
    }

    static func id<Kind>(_ bytes: Data) throws(EntryError) -> Identifier<Kind> {
        guard let id = Identifier<Kind>(span: bytes.span) else { throw .malformed("an id") }
        return id
    }

    static func optionalID<Kind>(_ bytes: Data) throws(EntryError) -> Identifier<Kind>? {
        bytes.isEmpty ? nil : try id(bytes)
    }

    static func digest(_ bytes: Data) throws(EntryError) -> Digest256 {
        guard let digest = Digest256(span: bytes.span) else { throw .malformed("a digest") }
        return digest
    }
}
