import Foundation
import NIOCore

/// Sends requests of one kind over kept connections: as fast as they are answered (closed loop), or at a
/// fixed rate (open loop). In an open loop a request's time begins when it was meant to be sent, also where
/// no connection was free then: a server that stalls is not asked less.
struct DriveSpecification: Decodable {
    let port: Int
    let key: String?
    let connections: Int
    /// How long it is measured; 0 where `count` says when it ends.
    let seconds: Double
    /// Before it is measured.
    let warmup: Double
    /// Since when it is measured instead, in microseconds since 1970; 0 for after `warmup`.
    let measureFrom: Int64
    /// Requests in all; 0 where `seconds` says when it ends.
    let count: Int
    /// Requests a second of an open loop; 0 for a closed one.
    let rate: Double
    let request: Request

    struct Request: Decodable {
        enum Kind: String, Decodable { case get, create, batch, execute }
        let kind: Kind
        /// Several are asked in turn.
        let paths: [String]
        /// Bytes of each `run_input`.
        let inputBytes: Int
        /// Items of a batch.
        let items: Int
        /// Between these schedules are due, at random: microseconds since 1970, or since the request where that
        /// would be long ago.
        let from: Int64
        let to: Int64
    }
}

/// Everything in it is touched on its one event loop alone, which makes it safe to be handed there.
final class Drive: @unchecked Sendable {
    private let loop = Loop()
    private let specification: DriveSpecification
    private let heads: [RequestHead]
    private var numbers = SystemRandomNumberGenerator()
    /// Used in turn: the server closes those that bring nothing.
    private var free: CircularBuffer<Connection> = []
    private var waiting: CircularBuffer<Int64> = []
    private var begun: Int64 = 0
    private var measuredFrom = Int64.max
    private var end = Int64.max
    /// Requests that were sent or wait for a connection.
    private var sent = 0
    private var made = 0
    private var underWay = 0
    private var isSending = true
    private var ticks: Int64 = 0

    private var times = Times()
    private var answers = 0
    private var items = 0
    private var measuredAnswers = 0
    private var measuredItems = 0
    /// Answers that came while it was measured, whenever their requests were meant to be sent.
    private var answersInTime = 0
    private var lastAnswer: Int64 = 0
    private var statuses: [Int: Int] = [:]
    private var longestWait = 0

    init(_ specification: DriveSpecification) {
        self.specification = specification
        let method = specification.request.kind == .get ? "GET" : "POST"
        heads = specification.request.paths.map {
            RequestHead(method, $0, key: specification.key)
        }
    }

    func run() {
        for _ in 0..<specification.connections {
            loop.connect(specification.port) { self.add($0) }
        }
        signal(SIGTERM, SIG_IGN)
        let asked = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .main)
        asked.setEventHandler { self.loop.group.any().execute { self.stop() } }
        asked.resume()
        withExtendedLifetime(asked) { dispatchMain() }
    }

    private func add(_ connection: Connection) {
        connection.onAnswer = { [unowned self] connection, answer in take(answer, connection) }
        free.append(connection)
        if free.count == specification.connections { begin() }
    }

    private func begin() {
        begun = Moments.monotonic()
        measuredFrom = begun + Int64(specification.warmup * 1e9)
        if specification.measureFrom > 0 {
            measuredFrom = begun + specification.measureFrom * 1_000 - Moments.wall()
        }
        if specification.seconds > 0 {
            end = measuredFrom + Int64(specification.seconds * 1e9)
        }
        if specification.rate > 0 { return tick() }
        while hasMore, let connection = free.popFirst() {
            sendNext(connection, intended: Moments.monotonic())
        }
    }

    /// Sends nothing more; what is under way still counts.
    private func stop() {
        end = min(end, Moments.monotonic())
        isSending = false
        finishIfDone()
    }

    private var hasMore: Bool { specification.count == 0 || sent < specification.count }

    /// Sends what was meant to be sent by now, and comes again at the next such moment.
    private func tick() {
        let now = Moments.monotonic()
        let step = 1e9 / specification.rate
        while isSending {
            let intended = begun + Int64(Double(ticks) * step)
            guard intended < end, hasMore else {
                isSending = false
                break
            }
            guard intended <= now else {
                loop.group.any().scheduleTask(in: .nanoseconds(intended - now)) { self.tick() }
                return
            }
            ticks += 1
            if let connection = free.popFirst() {
                sendNext(connection, intended: intended)
            } else {
                sent += 1
                waiting.append(intended)
                longestWait = max(longestWait, waiting.count)
            }
        }
        finishIfDone()
    }

    private func sendNext(_ connection: Connection, intended: Int64, isCounted: Bool = false) {
        let request = makeRequest()
        if !isCounted { sent += 1 }
        made += 1
        underWay += 1
        connection.intended = intended
        connection.send(request)
    }

    private func take(_ answer: Answer, _ connection: Connection) {
        let now = Moments.monotonic()
        underWay -= 1
        answers += 1
        lastAnswer = now
        statuses[answer.status, default: 0] += 1
        let done = specification.request.kind == .batch ? Self.accepted(answer.body) : 1
        items += done
        if now >= measuredFrom, now < end { answersInTime += 1 }
        // By the moment of its answer in a closed loop, of its intention in an open one.
        let moment = specification.rate > 0 ? connection.intended : now
        if moment >= measuredFrom, moment < end {
            times.record(now - connection.intended)
            measuredAnswers += 1
            measuredItems += done
        }
        if specification.rate > 0 {
            if let intended = waiting.popFirst() {
                sendNext(connection, intended: intended, isCounted: true)
            } else {
                free.append(connection)
            }
        } else if now < end, hasMore {
            sendNext(connection, intended: now)
        } else {
            isSending = false
        }
        finishIfDone()
    }

    private func finishIfDone() {
        guard !isSending, underWay == 0, waiting.isEmpty else { return }
        // By a count, up to the last answer; by time, the whole time.
        let measuredEnd = min(end, specification.seconds > 0 ? end : lastAnswer)
        let seconds = Double(measuredEnd - measuredFrom) / 1e9
        guard seconds > 0, measuredAnswers > 0 else { fail("nothing was measured") }
        var figures: [String: Any] = [
            "sent": sent, "answers": answers, "items": items, "seconds": seconds,
            "measured": measuredAnswers,
            "per_second": Double(measuredAnswers) / seconds,
            "items_per_second": Double(measuredItems) / seconds,
            "answered_per_second": Double(answersInTime) / seconds,
            "statuses": Dictionary(
                uniqueKeysWithValues: statuses.map { (String($0.key), $0.value) }),
            "longest_wait": longestWait,
        ]
        if let summary = times.summary { figures["latency"] = summary }
        say(figures)
        exit(0)
    }

    // Requests

    private func makeRequest() -> ByteBuffer {
        let head = heads[made % heads.count]
        let request = specification.request
        switch request.kind {
        case .get: return head.request()
        case .create, .execute:
            var body: [UInt8] = []
            body.reserveCapacity(request.inputBytes + 96)
            writeItem(to: &body)
            return head.request(body)
        case .batch:
            var body: [UInt8] = []
            body.reserveCapacity(request.items * (request.inputBytes + 96))
            body.append(UInt8(ascii: "["))
            for index in 0..<request.items {
                if index > 0 { body.append(UInt8(ascii: ",")) }
                writeItem(to: &body)
            }
            body.append(UInt8(ascii: "]"))
            return head.request(body)
        }
    }

    private func writeItem(to body: inout [UInt8]) {
        let request = specification.request
        if request.kind == .execute {
            body.append(contentsOf: "{\"run_input\":\"".utf8)
        } else {
            body.append(contentsOf: "{\"scheduled_time\":\"".utf8)
            var moment =
                request.from < request.to
                ? Int64.random(in: request.from..<request.to, using: &numbers) : request.from
            if request.to < 100_000_000_000_000 { moment += Moments.wall() / 1_000 }
            Moments.write(moment, to: &body)
            body.append(contentsOf: "\",\"run_input\":\"".utf8)
        }
        // A text of random digits and then letters; with its quotes it has so many bytes.
        let length = max(16, request.inputBytes - 2)
        var number = numbers.next()
        for _ in 0..<16 {
            body.append(UInt8(ascii: "a") + UInt8(number & 15))
            number >>= 4
        }
        body.append(contentsOf: repeatElement(UInt8(ascii: "x"), count: length - 16))
        body.append(contentsOf: "\"}".utf8)
    }

    /// How many lines of a batch's answer say 201.
    private static func accepted(_ body: ByteBuffer) -> Int {
        let wanted = Array("\"status\":201,".utf8)
        return body.withUnsafeReadableBytes { bytes in
            var count = 0
            var line = 0
            while line < bytes.count, let start = bytes.baseAddress {
                let end =
                    memchr(start + line, 10, bytes.count - line).map {
                        $0 - UnsafeMutableRawPointer(mutating: start)
                    } ?? bytes.count
                // {"index":123,"status":201,… : behind the first comma.
                if let comma = memchr(start + line, 44, end - line) {
                    let place = comma - UnsafeMutableRawPointer(mutating: start) + 1
                    if end - place > wanted.count,
                        memcmp(start + place, wanted, wanted.count) == 0
                    {
                        count += 1
                    }
                }
                line = end + 1
            }
            return count
        }
    }
}
