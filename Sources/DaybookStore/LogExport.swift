import Crypto
import DaybookCore
import Foundation

/// A payload as it is kept: what an export carries along with the entry that brought it.
package struct KeptPayload: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        case bytes(salt: [UInt8], bytes: [UInt8])
        case erased(by: Position)
    }

    /// The event's index in its entry.
    package let event: Int
    package let content: Content
}

/// An entry with everything that belongs to it outside the projections.
package struct KeptEntry: Sendable {
    package let entry: Entry
    package let bytes: [UInt8]
    package let payloads: [KeptPayload]
}

/// What an export of the log says and is refused for.
package enum LogExportError: Error, Hashable, Sendable, CustomStringConvertible {
    case notAnExport
    /// A frame whose digest is not that of its bytes, or whose bytes are none of the kinds.
    case damaged(after: Position)
    /// It ends without the frame that says how far it goes.
    case brokenOff(after: Position)
    /// It begins later than the log that it should continue ends.
    case gap(begins: Position, here: Position)
    case anotherLog(named: String, here: String)
    /// The log here has another entry at this position.
    case forked(Position)
    case payloadMissing(Position)

    package var description: String {
        switch self {
        case .notAnExport: "this is not an export of a log"
        case .damaged(let position): "the export is damaged after entry \(position)"
        case .brokenOff(let position):
            "the export breaks off after entry \(position): what came before was taken"
        case .gap(let begins, let here):
            "the export begins with entry \(begins), and the log here ends at \(here)"
        case .anotherLog(let named, let here):
            "the export is of the log \(named), and here is \(here)"
        case .forked(let position): "the log here has another entry \(position) than the export"
        case .payloadMissing(let position):
            "the export has not every payload of entry \(position), or other bytes"
        }
    }
}

/// The log as a stream that depends on no database: `DAYBKLOG`, then frames of a length (4 bytes,
/// big-endian), so many bytes, and their SHA-256. `docs/data-format.md` has the frames.
package enum LogExport {
    static let magic = Array("DAYBKLOG".utf8)
    /// No entry with its payloads comes near to it.
    static let maximumFrame = 64 << 20

    enum Frame {
        case begin(logID: [UInt8], after: Position, chain: [UInt8])
        case entry(bytes: [UInt8], payloads: [KeptPayload])
        case end(last: Position, chain: [UInt8])
    }

    static func bytes(_ frame: Frame) -> [UInt8] {
        var body = ByteWriter(capacity: 1_024)
        switch frame {
        case .begin(let logID, let after, let chain):
            body.byte(1)
            body.counted(logID)
            body.uint64(after)
            body.raw(chain)
        case .entry(let bytes, let payloads):
            body.byte(2)
            body.counted(bytes)
            body.int(payloads.count)
            for payload in payloads {
                body.uint16(payload.event)
                switch payload.content {
                case .bytes(let salt, let bytes):
                    body.byte(1)
                    body.raw(salt)
                    body.counted(bytes)
                case .erased(let position):
                    body.byte(2)
                    body.uint64(position)
                }
            }
        case .end(let last, let chain):
            body.byte(3)
            body.uint64(last)
            body.raw(chain)
        }
        var whole = ByteWriter(capacity: body.bytes.count + 36)
        whole.counted(body.bytes)
        whole.raw(SHA256.hash(data: body.bytes))
        return whole.bytes
    }

    static func frame(_ body: [UInt8]) throws(MalformedRow) -> Frame {
        var reader = ByteReader(body)
        let frame: Frame
        switch try reader.byte() {
        case 1:
            frame = .begin(
                logID: try reader.counted(), after: try reader.uint64(), chain: try reader.raw(32))
        case 2:
            let bytes = try reader.counted()
            var payloads: [KeptPayload] = []
            for _ in 0..<(try reader.int()) {
                let event = try reader.uint16()
                switch try reader.byte() {
                case 1:
                    let salt = try reader.raw(SaltedPayload.saltByteCount)
                    payloads.append(
                        KeptPayload(
                            event: event,
                            content: .bytes(salt: salt, bytes: try reader.counted())))
                case 2:
                    payloads.append(
                        KeptPayload(event: event, content: .erased(by: try reader.uint64())))
                default: throw MalformedRow()
                }
            }
            frame = .entry(bytes: bytes, payloads: payloads)
        case 3: frame = .end(last: try reader.uint64(), chain: try reader.raw(32))
        default: throw MalformedRow()
        }
        try reader.end()
        return frame
    }
}

/// Takes an export apart, frame by frame.
struct LogExportReader {
    private let read: (Int) throws -> [UInt8]
    private var buffer: [UInt8] = []
    private var offset = 0
    private var hasBegun = false

    /// - Parameter read: gives up to so many of the next bytes; none at the end.
    init(_ read: @escaping (Int) throws -> [UInt8]) {
        self.read = read
    }

    /// The next frame; `nil` at the end of the stream.
    mutating func next(after position: Position) throws -> LogExport.Frame? {
        if !hasBegun {
            guard try take(LogExport.magic.count) == LogExport.magic else {
                throw LogExportError.notAnExport
            }
            hasBegun = true
        }
        guard let head = try take(4) else {
            guard offset == buffer.count else { throw LogExportError.brokenOff(after: position) }
            return nil
        }
        var reader = ByteReader(head)
        let count = try reader.int()
        guard count <= LogExport.maximumFrame else {
            throw LogExportError.damaged(after: position)
        }
        guard let body = try take(count), let digest = try take(32) else {
            throw LogExportError.brokenOff(after: position)
        }
        guard Array(SHA256.hash(data: body)) == digest,
            let frame = try? LogExport.frame(body)
        else { throw LogExportError.damaged(after: position) }
        return frame
    }

    /// Whether nothing follows. Otherwise the next frame is to be the first of another export.
    mutating func isAtEnd() throws -> Bool {
        hasBegun = false
        guard offset == buffer.count else { return false }
        buffer = try read(1 << 20)
        offset = 0
        return buffer.isEmpty
    }

    /// The next so many bytes, all of them or none.
    private mutating func take(_ count: Int) throws -> [UInt8]? {
        while buffer.count - offset < count {
            let more = try read(1 << 20)
            guard !more.isEmpty else { return nil }
            buffer.removeFirst(offset)
            offset = 0
            buffer.append(contentsOf: more)
        }
        defer { offset += count }
        return Array(buffer[offset..<offset + count])
    }
}
