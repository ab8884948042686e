import DaybookCore
import DaybookStore

extension Instant {
    /// 2026-01-01T00:00:00Z: when the histories of tests begin.
    package static let dayOne = Instant(microseconds: 1_767_225_600_000_000)

    /// Seconds after the beginning.
    package static func second(_ seconds: Int) -> Instant { dayOne.adding(seconds: seconds) }
}

extension Identifier {
    /// An id of its own for each number; their order is the numbers'.
    package static func number(_ number: UInt32) -> Self {
        Self(high: Instant.dayOne.milliseconds << 16, low: number)
    }
}

extension CommandID {
    package static func number(_ number: UInt64) -> Self {
        CommandID(high: 0xC0DE_C0DE_C0DE_C0DE, low: number)
    }
}

extension Digest256 {
    /// Thirty-two times the same byte.
    package static func filled(_ byte: UInt8) -> Self {
        guard let digest = Digest256(bytes: [UInt8](repeating: byte, count: 32)) else {
            preconditionFailure("a digest has 32 bytes")
        }
        return digest
    }
}

extension SaltedPayload {
    /// The text's bytes with a salt that is always the same.
    package static func text(_ text: String) -> Self {
        SaltedPayload(Array(text.utf8), salt: [UInt8](repeating: 7, count: 16))
    }
}

extension SealedSecret {
    package static func number(_ number: UInt8) -> Self {
        SealedSecret(
            keyNumber: 1, nonce: [UInt8](repeating: number, count: 12),
            ciphertext: [UInt8](repeating: number, count: 40))
    }
}

extension Definition {
    package static let echo = Definition(
        bytes: Array(#"{"executor":{"type":"echo"}}"#.utf8), queue: .echo)
    package static let http = Definition(
        bytes: Array(#"{"executor":{"type":"http","url":"https://example.com/"}}"#.utf8),
        queue: .http)

    package static func worker(_ queue: String) -> Definition {
        Definition(
            bytes: Array(#"{"executor":{"type":"worker","queue":"\#(queue)"}}"#.utf8),
            queue: .worker(queue))
    }

    package static func on(_ queue: Queue) -> Definition {
        switch queue {
        case .echo: echo
        case .http: http
        case .worker(let name): worker(name)
        }
    }
}

extension RetryPolicy {
    /// Three tries, the second after 10 s and the third after 20 s, each less up to a fifth.
    package static let thrice = RetryPolicy(
        maxAttempts: 3, initialBackoffSeconds: 10, maxBackoffSeconds: 300)
}

extension PayloadLocation {
    /// The first event of the entry at the position.
    package static func first(_ position: Position) -> Self {
        PayloadLocation(position: position, event: 0)
    }
}
