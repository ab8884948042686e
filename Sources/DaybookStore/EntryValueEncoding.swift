import DaybookCore
import Foundation
import LMDB
import SwiftProtobuf

/// The values that the events of an entry are made of.
extension EntryCodec {
    static func encode(_ actor: Actor) -> Daybook_Actor {
        .with {
            switch actor {
            case .system(let part):
                $0.kind = .system
                $0.part = Daybook_Actor.Part(rawValue: Int(part.rawValue)) ?? .unspecified
            case .key(let id):
                $0.kind = .key
                $0.id = id.data
            case .trigger(let id):
                $0.kind = .trigger
                $0.id = id.data
            }
        }
    }

    static func encode(_ payload: Payload) -> Daybook_Payload {
        .with {
            $0.byteCount = UInt64(payload.byteCount)
            $0.digest = payload.digest.data
        }
    }

    static func encode(_ secret: SealedSecret) -> Daybook_SealedSecret {
        .with {
            $0.keyNumber = secret.keyNumber
            $0.nonce = Data(secret.nonce)
            $0.ciphertext = Data(secret.ciphertext)
        }
    }

    static func encode(_ queue: Queue) -> Daybook_Queue {
        .with {
            switch queue {
            case .echo: $0.kind = .echo
            case .http: $0.kind = .http
            case .worker(let name):
                $0.kind = .worker
                $0.name = name
            }
        }
    }

    static func encode(_ definition: Definition) -> Daybook_Definition {
        .with {
            $0.json = Data(definition.bytes)
            $0.queue = encode(definition.queue)
        }
    }

    static func encode(_ policy: RetryPolicy) -> Daybook_RetryPolicy {
        .with {
            $0.maxAttempts = UInt32(policy.maxAttempts)
            $0.initialBackoffSeconds = UInt32(policy.initialBackoffSeconds)
            $0.maxBackoffSeconds = UInt32(policy.maxBackoffSeconds)
        }
    }

    static func encode(_ reason: RunError.Reason) -> Daybook_Reason {
        Daybook_Reason(rawValue: Int(reason.rawValue)) ?? .unspecified
    }

    static func encode(_ event: PayloadsErased) -> Daybook_PayloadsErased {
        .with {
            if let link = event.schedule { $0.schedule = encode(link) }
            if let link = event.run {
                $0.run = .with {
                    $0.run = link.run.data
                    $0.previous = link.previous
                }
            }
            if let link = event.refusal {
                $0.refusal = .with {
                    $0.refusal = link.refusal.data
                    $0.trigger = link.trigger.data
                    $0.previous = link.previous
                }
            }
            $0.namesRun = event.namesRun
            $0.payloads = event.payloads.map(encode)
        }
    }

    static func encode(_ location: PayloadLocation) -> Daybook_PayloadLocation {
        .with {
            $0.position = location.position
            $0.event = UInt32(location.event)
        }
    }

    static func encode(_ link: ScheduleLink) -> Daybook_ScheduleLink {
        .with {
            $0.schedule = link.schedule.data
            $0.previous = link.previous
        }
    }

    static func encode(_ ids: Deduplication) -> Daybook_Deduplication {
        .with {
            $0.scope = ids.scope.data
            $0.digests = ids.digests.map { Data($0.bytes) }
            $0.endsAt = ids.endsAt.microseconds
        }
    }
}

extension Identifier {
    /// The 12 bytes.
    var data: Data { Data(bigEndian: high, low) }
}

extension CommandID {
    /// The 16 bytes.
    var data: Data { Data(bigEndian: (high, low)) }
}

extension Digest256 {
    /// The 32 bytes.
    var data: Data { Data(bigEndian: words) }
}
