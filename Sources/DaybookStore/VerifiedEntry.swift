import DaybookCore
import LMDB

/// An entry whose bytes, chain hash and position were verified.
struct VerifiedEntry: Sendable {
    let entry: Entry
    let bytes: [UInt8]
    let leaf: [UInt8]

    static func decode(_ bytes: [UInt8], at position: Position) throws(LogError) -> Entry {
        try decode(bytes.span.bytes, at: position)
    }

    static func decode(_ bytes: RawSpan, at position: Position) throws(LogError) -> Entry {
        let entry: Entry
        do {
            entry = try EntryCodec.decode(bytes)
        } catch {
            throw .unknown(position, error)
        }
        guard entry.header.position == position else { throw .damaged(position) }
        return entry
    }
}

extension ReadAccess where Self: ~Copyable {
    /// Visits the entries of the table `log` from `first` on, up to `last` or to the end, each of which follows the
    /// chain; the one before `first` is believed.
    ///
    /// - Parameter body: is given the position, the entry's bytes, and its leaf; what it keeps, it copies. It returns
    ///   false to stop.
    borrowing func followChain(
        _ log: Table, from first: Position, to last: Position? = nil,
        _ body: (Position, _ entry: Span<UInt8>, _ leaf: Span<UInt8>) throws -> Bool
    ) throws {
        guard first > 0 else { throw LogError.missing(first) }
        if let last, last < first { return }
        var verifier = ChainVerifier()
        var position = first > 1 ? first - 1 : first
        var isStopped = false
        try scanInPlace(log, from: Keys.position(position)) { key, value in
            guard Keys.isPosition(position, key) else { throw LogError.missing(position) }
            if position < first {
                guard verifier.goOn(after: value) else { throw LogError.damaged(position) }
            } else {
                guard verifier.verify(value) else { throw LogError.damaged(position) }
                let entry = value.extracting(LogRecord.headerByteCount...)
                guard try body(position, entry, verifier.leaf.span) else {
                    isStopped = true
                    return false
                }
            }
            position += 1
            return last.map { position <= $0 } ?? true
        }
        // At least the one before must be there.
        guard isStopped || position > last ?? (first - 1) else { throw LogError.missing(position) }
    }

    /// The same of decoded entries.
    borrowing func records(
        _ log: Table, from first: Position, _ body: (VerifiedEntry) throws -> Bool
    ) throws {
        try followChain(log, from: first) { position, bytes, leaf in
            try body(
                VerifiedEntry(
                    entry: try VerifiedEntry.decode(bytes.bytes, at: position),
                    bytes: Array(copying: bytes), leaf: Array(copying: leaf)))
        }
    }
}
