import DaybookCore
import LMDB
import Libcrypto

/// The hashes of the log: `leaf(n) = SHA-256(0x00 ‖ entry bytes)`, the leaf of RFC 6962 section 2.1,
/// and `chain(n) = SHA-256(chain(n-1) ‖ leaf(n))` from 32 zero bytes.
package enum Chain {
    package static let start = [UInt8](repeating: 0, count: SHA256Stream.byteCount)
    /// What a leaf hash begins with.
    private static let leafMark: [UInt8] = [0]

    package static func leaf(_ entry: [UInt8]) -> [UInt8] {
        Array(copying: leaf(entry.span).span)
    }

    package static func next(after chain: [UInt8], leaf: [UInt8]) -> [UInt8] {
        Array(copying: next(after: chain.span, leaf: leaf.span).span)
    }

    fileprivate static func leaf(_ entry: Span<UInt8>) -> SHA256Stream.Digest {
        sha256(leafMark.span, entry)
    }

    fileprivate static func next(
        after chain: Span<UInt8>, leaf: Span<UInt8>
    ) -> SHA256Stream.Digest {
        sha256(chain, leaf)
    }

    private static func sha256(_ first: Span<UInt8>, _ second: Span<UInt8>) -> SHA256Stream.Digest {
        var hash = SHA256Stream()
        hash.update(first)
        hash.update(second)
        return hash.finalize()
    }
}

/// Verifies values of the table `log` in their order, without allocating anything for one.
struct ChainVerifier {
    /// The chain hash of the value before.
    private var chain: SHA256Stream.Digest
    /// The leaf of the value that was verified last.
    private(set) var leaf: SHA256Stream.Digest

    init() {
        chain = .init(repeating: 0)
        leaf = .init(repeating: 0)
    }

    /// Goes on after this value, whose hash is believed.
    ///
    /// - Returns: whether it is a value of the table.
    mutating func goOn(after value: Span<UInt8>) -> Bool {
        guard LogRecord.isOne(value) else { return false }
        for index in chain.indices { chain[index] = value[1 + index] }
        return true
    }

    /// Whether the value has the chain hash that its entry gives after the value before.
    mutating func verify(_ value: Span<UInt8>) -> Bool {
        guard LogRecord.isOne(value) else { return false }
        leaf = Chain.leaf(value.extracting(LogRecord.headerByteCount...))
        chain = Chain.next(after: chain.span, leaf: leaf.span)
        return value.extracting(1..<LogRecord.headerByteCount).holdsSame(as: chain.span)
    }
}

/// A value of the table `log`: a format byte, the chain hash, the entry's bytes.
package struct LogRecord: Sendable {
    package static let format: UInt8 = 1
    /// What `protoc` must skip.
    package static let headerByteCount = 33

    package let chain: [UInt8]
    package let entry: [UInt8]

    package init(entry: [UInt8], after previous: [UInt8]) {
        self.init(entry: entry, leaf: Chain.leaf(entry), after: previous)
    }

    init(entry: [UInt8], leaf: [UInt8], after previous: [UInt8]) {
        self.entry = entry
        chain = Chain.next(after: previous, leaf: leaf)
    }

    /// Whether a stored value is long enough and of this format.
    fileprivate static func isOne(_ value: Span<UInt8>) -> Bool {
        value.count >= headerByteCount && value[0] == format
    }

    /// Takes a stored value apart; `nil` when it is too short or of another format.
    init?(value: [UInt8]) {
        guard Self.isOne(value.span) else { return nil }
        chain = Array(value[1..<Self.headerByteCount])
        entry = Array(value[Self.headerByteCount...])
    }

    var value: [UInt8] {
        var value: [UInt8] = []
        value.reserveCapacity(Self.headerByteCount + entry.count)
        value.append(Self.format)
        value.append(contentsOf: chain)
        value.append(contentsOf: entry)
        return value
    }
}

/// What is wrong with the log, and where.
package enum LogError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no entry at this position, though there should be.
    case missing(Position)
    /// The record's bytes, chain hash or position are not what they were.
    case damaged(Position)
    /// Written by a newer binary.
    case unknown(Position, EntryError)
    /// The last row of the log's table is no entry.
    case foreignRow
    /// The payload's bytes do not give the digest that the entry holds.
    case damagedPayload(PayloadLocation)
    /// A projection's row does not read as one: the projections are to be rebuilt.
    case damagedProjection(String)

    package var description: String {
        switch self {
        case .missing(let position): "the log has no entry \(position)"
        case .damaged(let position): "the log is damaged at position \(position)"
        case .unknown(let position, let error): "at position \(position): \(error)"
        case .foreignRow: "the log's last row is not an entry"
        case .damagedPayload(let location):
            "the payload of event \(location.event) at position \(location.position) is damaged"
        case .damagedProjection(let what):
            "a row of the projections does not read (\(what)): rebuild them"
        }
    }
}

extension SaltedPayload {
    /// Salts and digests bytes. To be done outside the writer's thread.
    package init(_ bytes: [UInt8], salt: [UInt8]) {
        precondition(salt.count == Self.saltByteCount)
        self.init(
            salt: salt, bytes: bytes,
            payload: Payload(byteCount: bytes.count, digest: Self.digest(salt, bytes)))
    }

    package static func digest(_ salt: [UInt8], _ bytes: [UInt8]) -> Digest256 {
        var hash = SHA256Stream()
        hash.update(salt.span)
        hash.update(bytes.span)
        let sum = hash.finalize()
        guard let digest = Digest256(span: sum.span) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return digest
    }
}

/// Payloads as rows: values of at most 1,950 bytes, so that LMDB needs no overflow pages.
enum PayloadChunks {
    static let maximumByteCount = 1_950

    /// Stands for an entry that erased a payload after the end of the log that this one is a copy of.
    static let elsewhere = Position.max

    /// How much stands in the place of an erased payload: less than any salt.
    static let erasedByteCount = 8

    static func values(_ content: KeptPayload.Content) -> [[UInt8]] {
        switch content {
        case .erased(let position): return [Keys.position(position)]
        case .bytes(let salt, let bytes):
            let stored = salt + bytes
            return stride(from: 0, to: stored.count, by: maximumByteCount).map { start in
                Array(stored[start..<min(start + maximumByteCount, stored.count)])
            }
        }
    }
}

extension Event {
    /// The payload that the event brought along, if any.
    package var payload: Payload? {
        switch self {
        case .scheduleCreated(let event): event.input
        case .scheduleModified(let event): event.changes.input
        case .runQueued(let event):
            if case .brought(let payload) = event.input { payload } else { nil }
        case .runCompleted(let event): event.output
        case .runRetryScheduled(let event): event.message
        case .runFailed(let event): event.message
        case .messageRefused(let event): event.body
        case .deliverySucceeded(let event): event.attempt.answer
        case .deliveryRetryScheduled(let event): event.attempt.answer
        case .deliveryFailed(let event): event.attempt.answer
        default: nil
        }
    }
}
