import DaybookCore
import LMDB

// The log from one place to another: exports, imports, and restores up to a position.
extension View {
    /// Visits entries from `first` on with all that belongs to them, each verified; payloads too.
    borrowing func kept(from first: Position, _ body: (KeptEntry) throws -> Bool) throws {
        try records(from: first) { verified in
            let entry = verified.entry
            var payloads: [KeptPayload] = []
            for (index, event) in entry.events.enumerated() {
                guard let payload = event.payload else { continue }
                let location = PayloadLocation(position: entry.header.position, event: index)
                let brought = try storedPayload(at: location, as: payload).brought
                let content: KeptPayload.Content
                if case .bytes(let bytes) = brought.payload {
                    content = .bytes(salt: brought.salt, bytes: bytes)
                } else {
                    content = .erased(by: try eraser(of: location) ?? 0)
                }
                payloads.append(KeptPayload(event: index, content: content))
            }
            return try body(KeptEntry(entry: entry, bytes: verified.bytes, payloads: payloads))
        }
    }
}

extension Store {
    /// Entries that one snapshot or one transaction takes.
    private static let transferBatch: Position = 500

    /// Writes the entries after a position, up to another or to the end, as a `LogExport`.
    ///
    /// Snapshots are short, so it may run beside a server. Memory: a few MiB at most.
    package func exportLog(
        after: Position, to: Position?, progress: (Position, Position) -> Void = { _, _ in },
        write: ([UInt8]) throws -> Void
    ) throws {
        let end = min(try read { try $0.lastPosition() }, to ?? .max)
        let begin = try read { view in
            LogExport.Frame.begin(
                logID: try view.logID() ?? [], after: after, chain: try view.chain(at: after))
        }
        try write(LogExport.magic + LogExport.bytes(begin))
        var position = after
        while position < end {
            let stop = min(position + Self.transferBatch, end)
            var bytes: [UInt8] = []
            while position < stop, bytes.count < 4 << 20 {
                let first = position + 1
                try read { view in
                    try view.kept(from: first) { kept in
                        bytes += LogExport.bytes(
                            .entry(bytes: kept.bytes, payloads: kept.payloads))
                        position = kept.entry.header.position
                        return position < stop && bytes.count < 4 << 20
                    }
                }
            }
            try write(bytes)
            progress(position, end)
        }
        let last = max(after, end)
        try write(
            LogExport.bytes(.end(last: last, chain: try read { try $0.chain(at: last) })))
    }

    /// Appends what an export has beyond the log, up to a position; what both have must be the same.
    ///
    /// Each transaction leaves a valid beginning of the log, so it can be broken off and begun again.
    ///
    /// - Parameter read: gives up to so many of the next bytes; none at the end.
    /// - Returns: where the log ends now.
    @discardableResult
    package func importLog(
        to limit: Position = .max, progress: (Position) -> Void = { _ in },
        read: @escaping (Int) throws -> [UInt8]
    ) throws -> Position {
        var reader = LogExportReader(read)
        repeat { try importOne(&reader, to: limit, progress) } while try !reader.isAtEnd()
        return try self.read { try $0.lastPosition() }
    }

    /// One export; several may follow each other.
    private func importOne(
        _ reader: inout LogExportReader, to limit: Position, _ progress: (Position) -> Void
    ) throws {
        guard case .begin(let logID, let after, let chain)? = try reader.next(after: 0) else {
            throw LogExportError.notAnExport
        }
        let here = try self.read { view in
            (logID: try view.logID(), last: try view.lastPosition())
        }
        if let known = here.logID, known != logID {
            throw LogExportError.anotherLog(named: lowercaseHex(logID), here: lowercaseHex(known))
        }
        guard after < limit else { return try skip(&reader, after: after) }
        guard after <= here.last else {
            throw LogExportError.gap(begins: after + 1, here: here.last)
        }
        guard try self.read({ try $0.chain(at: after) }) == chain else {
            throw LogExportError.forked(after)
        }
        var importer = Importer(store: self, position: after)
        do {
            while let frame = try reader.next(after: importer.position) {
                switch frame {
                case .begin: throw LogExportError.damaged(after: importer.position)
                case .end(let last, let chain):
                    if importer.position == limit, last > limit { return try importer.end() }
                    try importer.flush()
                    let ours = try self.read { try $0.chain(at: last) }
                    guard last == importer.position, ours == chain else {
                        throw LogExportError.forked(last)
                    }
                    return try importer.end()
                case .entry(let bytes, let payloads):
                    // What comes behind the limit is read, so that the export is seen to be whole.
                    guard importer.position < limit else { continue }
                    try importer.take(bytes, payloads)
                    if importer.position % Self.transferBatch == 0 { progress(importer.position) }
                }
            }
        } catch {
            // What was read before is whole.
            try importer.end()
            throw error
        }
        try importer.end()
        throw LogExportError.brokenOff(after: importer.position)
    }

    /// Appends the other store's log, up to a position, to this one's, which is empty.
    package func takeLog(
        of other: Store, to limit: Position, progress: (Position) -> Void = { _ in }
    ) throws {
        var importer = Importer(store: self, position: 0)
        while importer.position < limit {
            try other.read { view in
                let stop = min(importer.position + Self.transferBatch, limit)
                try view.kept(from: importer.position + 1) { kept in
                    try importer.take(kept.bytes, kept.payloads)
                    return importer.position < stop
                }
            }
            progress(importer.position)
        }
        try importer.end()
    }
}

extension Store {
    /// Reads an export of which nothing is wanted, so that it is seen to be whole.
    private func skip(_ reader: inout LogExportReader, after position: Position) throws {
        while let frame = try reader.next(after: position) {
            if case .end = frame { return }
        }
        throw LogExportError.brokenOff(after: position)
    }
}

/// Verifies entries that come from outside and appends them in batches.
private struct Importer {
    let store: Store
    /// The last entry that was taken.
    private(set) var position: Position
    private var waiting: [KeptEntry] = []
    private var waitingBytes = 0
    /// Payloads that came erased, by entries that have not come yet.
    private var erased: [PayloadLocation: Position] = [:]

    init(store: Store, position: Position) {
        self.store = store
        self.position = position
    }

    mutating func take(_ bytes: [UInt8], _ payloads: [KeptPayload]) throws {
        guard let entry = try? EntryCodec.decode(bytes), entry.header.position == position + 1
        else { throw LogExportError.damaged(after: position) }
        guard Self.isComplete(entry, payloads) else {
            throw LogExportError.payloadMissing(position + 1)
        }
        position += 1
        for payload in payloads {
            guard case .erased(let eraser) = payload.content else { continue }
            let location = PayloadLocation(position: position, event: payload.event)
            guard eraser > position else { throw LogExportError.payloadMissing(position) }
            if eraser != PayloadChunks.elsewhere { erased[location] = eraser }
        }
        for case .payloadsErased(let event) in entry.events {
            for location in event.payloads {
                let eraser = erased.removeValue(forKey: location)
                guard eraser == nil || eraser == position else {
                    throw LogExportError.payloadMissing(location.position)
                }
            }
        }
        waiting.append(KeptEntry(entry: entry, bytes: bytes, payloads: payloads))
        waitingBytes +=
            bytes.count
            + payloads.reduce(0) { sum, payload in
                if case .bytes(_, let bytes) = payload.content { sum + bytes.count } else { sum }
            }
        if waiting.count >= 500 || waitingBytes > 4 << 20 { try flush() }
    }

    private static func isComplete(_ entry: Entry, _ payloads: [KeptPayload]) -> Bool {
        var left = payloads[...]
        for (index, event) in entry.events.enumerated() {
            guard let payload = event.payload else { continue }
            guard let kept = left.popFirst(), kept.event == index else { return false }
            if case .bytes(let salt, let bytes) = kept.content,
                SaltedPayload(bytes, salt: salt).payload != payload
            {
                return false
            }
        }
        return left.isEmpty
    }

    /// Writes what is left. Payloads whose erasure lies beyond the end are noted so: another entry will have
    /// that position here.
    mutating func end() throws {
        try flush()
        let last = position
        if let (location, _) = erased.first(where: { $0.value <= last }) {
            throw LogExportError.payloadMissing(location.position)
        }
        let end = try store.read { try $0.lastPosition() }
        let beyond = erased.filter { $0.value > end }.keys
        guard !beyond.isEmpty else { return }
        var batch = try store.beginBatch()
        batch.noteErasedElsewhere(beyond)
        try batch.commit()
    }

    mutating func flush() throws {
        guard !waiting.isEmpty else { return }
        let entries = waiting
        (waiting, waitingBytes) = ([], 0)
        let last = try store.read { try $0.lastPosition() }
        for kept in entries where kept.entry.header.position <= last {
            let position = kept.entry.header.position
            guard try store.read({ try $0.entryBytes(at: position) }) == kept.bytes else {
                throw LogExportError.forked(position)
            }
        }
        var batch = try store.beginBatch()
        for kept in entries where kept.entry.header.position > last {
            batch.append(kept)
        }
        try batch.commit()
    }
}
