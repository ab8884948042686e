import Foundation
import NIOCore

/// Workers that claim runs of a queue and complete them.
struct WorkSpecification: Decodable {
    let port: Int
    let key: String
    let queue: String
    let workers: Int
    /// Runs that a worker holds at most; what is missing is claimed when half of them are done.
    let claim: Int
    /// Completions that a worker has under way at once, each over a connection of its own.
    let completions: Int
    /// Runs that are there.
    let expect: Int
    /// Fails then, where not all were completed.
    let seconds: Double
}

/// Everything in it is touched on its one event loop alone, which makes it safe to be handed there.
final class Work: @unchecked Sendable {
    private final class Worker {
        var claims: Connection?
        var isClaiming = false
        var runs: CircularBuffer<(run: [UInt8], attempt: [UInt8])> = []
        var free: [Connection] = []
        var completing = 0

        var held: Int { runs.count + completing }
    }

    private let loop = Loop()
    private let specification: WorkSpecification
    private var workers: [Worker] = []
    private var connected = 0
    private var begun: Int64 = 0
    private var seen: Set<[UInt8]> = []
    private var completed = 0
    private var claims = 0
    private var emptyClaims = 0
    private var unsent = 0
    private var most = 0
    private var claimTimes = Times()
    private var completionTimes = Times()
    private let claimHead: RequestHead

    init(_ specification: WorkSpecification) {
        self.specification = specification
        workers = (0..<specification.workers).map { _ in Worker() }
        claimHead = RequestHead(
            "POST", "/queues/\(specification.queue)/claim", key: specification.key)
    }

    func run() {
        for number in 0..<specification.workers * (1 + specification.completions) {
            loop.connect(specification.port) { self.add($0, number) }
        }
        loop.group.any().scheduleTask(in: .nanoseconds(Int64(specification.seconds * 1e9))) {
            fail("\(self.completed) of \(self.specification.expect) runs were completed in time")
        }
        dispatchMain()
    }

    private func add(_ connection: Connection, _ number: Int) {
        let index = number % specification.workers
        let worker = workers[index]
        connection.tag = index
        if number < specification.workers {
            connection.onAnswer = { [unowned self] in takeClaim($1, $0) }
            worker.claims = connection
        } else {
            connection.onAnswer = { [unowned self] in takeCompletion($1, $0) }
            worker.free.append(connection)
        }
        connected += 1
        guard connected == specification.workers * (1 + specification.completions) else { return }
        begun = Moments.monotonic()
        for worker in workers { step(worker) }
    }

    /// Completes what is there, and claims more when half of what it may hold is done.
    private func step(_ worker: Worker) {
        while let connection = worker.free.last, let next = worker.runs.popFirst() {
            worker.free.removeLast()
            worker.completing += 1
            unsent -= 1
            let head = RequestHead(
                "POST", "/workflow-runs/\(String(decoding: next.run, as: UTF8.self))/complete",
                key: specification.key)
            let body = Array("{\"attempt\":".utf8) + next.attempt + Array(",\"output\":7}".utf8)
            connection.intended = Moments.monotonic()
            connection.send(head.request(body))
        }
        guard !worker.isClaiming, worker.held <= specification.claim / 2,
            let claims = worker.claims
        else { return }
        worker.isClaiming = true
        claims.intended = Moments.monotonic()
        let most = specification.claim - worker.held
        let body = "{\"worker\":\"w\(claims.tag)\",\"max\":\(most),\"wait_seconds\":5}"
        claims.send(claimHead.request(Array(body.utf8)))
    }

    private func takeClaim(_ answer: Answer, _ connection: Connection) {
        let worker = workers[connection.tag]
        guard answer.status == 200 else { fail("a claim was answered \(answer.status)") }
        claimTimes.record(Moments.monotonic() - connection.intended)
        worker.isClaiming = false
        claims += 1
        var rest = Array(answer.body.readableBytesView)[...]
        var count = 0
        while let run = Scan.text("run_id", in: rest) {
            rest = rest[run.endIndex...]
            guard let place = Scan.place(Array("\"attempt\":".utf8), in: rest) else {
                fail("a claimed run without an attempt")
            }
            let attempt = rest[place...].prefix { (48...57).contains($0) }
            guard seen.insert(Array(run)).inserted else { fail("a run was handed out twice") }
            worker.runs.append((Array(run), Array(attempt)))
            count += 1
        }
        // Those whose completion is under way may have ended already: the answer comes by another connection.
        unsent += count
        most = max(most, unsent)
        if count == 0 { emptyClaims += 1 }
        step(worker)
    }

    private func takeCompletion(_ answer: Answer, _ connection: Connection) {
        let now = Moments.monotonic()
        guard answer.status == 200 else {
            fail(
                "a completion was answered \(answer.status): "
                    + String(buffer: answer.body).prefix(300))
        }
        completionTimes.record(now - connection.intended)
        completed += 1
        if completed == specification.expect { finish(now) }
        let worker = workers[connection.tag]
        worker.completing -= 1
        worker.free.append(connection)
        step(worker)
    }

    private func finish(_ now: Int64) -> Never {
        let seconds = Double(now - begun) / 1e9
        say([
            "completed": completed, "seconds": seconds,
            "per_second": Double(completed) / seconds, "claims": claims,
            "empty_claims": emptyClaims, "most_in_progress": most,
            "claim": claimTimes.summary ?? [:], "completion": completionTimes.summary ?? [:],
        ])
        exit(0)
    }
}
