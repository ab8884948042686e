import Foundation
import NIOCore

/// Reads `/log/stream` and measures how late firings are: by what the log says, and by when the commit is
/// told here.
struct FollowSpecification: Decodable {
    let port: Int
    let key: String
    /// Firings that are awaited.
    let expect: Int
    /// Ends then, also where fewer have come.
    let seconds: Double
}

/// Everything in it is touched on its one event loop alone, which makes it safe to be handed there.
final class Follow: @unchecked Sendable {
    private let loop = Loop()
    private let specification: FollowSpecification
    private var text: [UInt8] = []
    private var isKnown = false
    private var fired: Set<String> = []
    private var repeats = 0
    private var early = 0
    private var byRecord = Times()
    private var byFeed = Times()
    private var firstPosition = 0
    private var lastPosition = 0

    init(_ specification: FollowSpecification) { self.specification = specification }

    func run() {
        loop.connect(specification.port, receives: 64 << 10) { self.begin($0) }
        dispatchMain()
    }

    private func begin(_ connection: Connection) {
        connection.onBody = { [unowned self] in take($0) }
        connection.onAnswer = { _, answer in
            fail("the stream ended with status \(answer.status)")
        }
        connection.send(
            RequestHead("GET", "/log/stream?event=schedule_fired", key: specification.key)
                .request())
        loop.group.any().scheduleTask(in: .nanoseconds(Int64(specification.seconds * 1e9))) {
            self.finish()
        }
    }

    private func take(_ bytes: ByteBuffer) {
        let now = Moments.wall()
        text.append(contentsOf: bytes.readableBytesView)
        var start = 0
        while let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) {
            line(text[start..<end], now)
            start = end + 1
        }
        text.removeFirst(start)
    }

    private func line(_ line: ArraySlice<UInt8>, _ now: Int64) {
        let prefix = Array("data: ".utf8)
        guard line.starts(with: prefix) else { return }
        let data = Data(line.dropFirst(prefix.count))
        guard let entry = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            fail("the stream holds what is no JSON")
        }
        if !isKnown {
            isKnown = true
            say(["ready": true])
        }
        guard let events = entry["events"] as? [[String: Any]] else { return }
        for event in events where event["event"] as? String == "schedule_fired" {
            note(event, entry["position"] as? Int ?? 0, now)
        }
        if fired.count >= specification.expect { finish() }
    }

    private func note(_ event: [String: Any], _ position: Int, _ now: Int64) {
        guard let schedule = event["schedule_id"] as? String,
            let due = (event["scheduled_time"] as? String).flatMap({ Moments.read($0.utf8) }),
            let at = (event["fired_at"] as? String).flatMap({ Moments.read($0.utf8) })
        else { fail("a firing without its times") }
        if !fired.insert(schedule).inserted { repeats += 1 }
        if at < due || now < due * 1_000 { early += 1 }
        if firstPosition == 0 { firstPosition = position }
        lastPosition = position
        byRecord.record((at - due) * 1_000)
        byFeed.record(now - due * 1_000)
    }

    private func finish() -> Never {
        var figures: [String: Any] = [
            "fired": fired.count, "repeats": repeats, "early": early,
            "first_position": firstPosition, "last_position": lastPosition,
        ]
        if let summary = byRecord.summary { figures["recorded"] = summary }
        if let summary = byFeed.summary { figures["committed"] = summary }
        say(figures)
        exit(0)
    }
}
