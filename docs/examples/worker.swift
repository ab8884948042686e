// A worker: takes runs from a queue, does them, and says how it went.
//
//     swiftc -O -swift-version 6 worker.swift -o worker
//     DAYBOOK_KEY=dbk_... ./worker --server http://localhost:8080 --queue calls --name w1
//
// Put your own work into `work`. The rules that the rest keeps:
//
// - A claimed run is this worker's while it sends heartbeats. When they stop for `--lease-seconds`,
//   the server takes the run for lost, and it starts again elsewhere as its next attempt.
// - Every word about a run carries its attempt. Once the server has given the run away, cancelled
//   it or seen its deadline pass, the answer is 409: this attempt no longer counts, its work stops.
// - So a run is done at least once, not exactly once: a worker can die after its work and before
//   its answer. What `work` does to the world must be harmless the second time; use `run.id`, which
//   stays the same over all attempts, as the key that tells the world so.
// - Answers can be sent again safely. No answer, or 503, means: wait and say it again.
// - At SIGTERM or SIGINT the worker gives its runs back, which costs them no try, and exits with 0.

import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Does one run and returns its output, any JSON. Replace this.
///
/// Throwing fails the attempt, to be tried again as the workflow's `retry` allows; throwing
/// `Hopeless` fails the run for good. When the result is no longer wanted, the task is cancelled:
/// work that takes long should notice and end soon, by throwing anything.
@concurrent
func work(_ run: Run) async throws -> JSON {
    if let seconds = run.input["seconds"]?.number { try await Task.sleep(for: .seconds(seconds)) }
    if run.input["fail"] == .bool(true) { throw AskedToFail() }
    return .object(["echo": run.input])
}

struct AskedToFail: Error {}

/// Thrown by `work` where trying again would not help.
struct Hopeless: Error {
    let reason: String
}

/// One attempt of one run.
struct Run: Decodable, Sendable {
    let id: String
    let attempt: Int
    let input: JSON
    let heartbeatEverySeconds: Double

    private enum CodingKeys: String, CodingKey {
        case id = "run_id"
        case attempt
        case input = "run_input"
        case heartbeatEverySeconds = "heartbeat_every_seconds"
    }
}

actor Worker {
    private struct Held {
        let run: Run
        let job: Task<JSON, any Error>
        /// The server has said that this attempt no longer counts.
        var isLost = false
    }

    private struct Answer {
        var status = 503
        var body = JSON.null
        /// How long to wait before asking again.
        var waitSeconds = Double.random(in: 0.5...1.5)

        var detail: String { body["detail"]?.string ?? "" }
    }

    private let options: Options
    private let session: URLSession
    /// By run and attempt: the next attempt may come here while the one before is still ending.
    private var held: [String: Held] = [:]
    private var isStopping = false
    private(set) var isRefused = false

    private static let waitSeconds = 20
    private static let graceSeconds = 5.0

    init(_ options: Options) {
        self.options = options
        let configuration = URLSessionConfiguration.ephemeral
        // A claim keeps its connection busy while it waits; heartbeats must not wait behind it.
        configuration.httpMaximumConnectionsPerHost = options.concurrency * 3 + 2
        session = URLSession(configuration: configuration)
    }

    /// Works until it is stopped, or until a claim is refused for good.
    func run() async {
        await withTaskGroup { group in
            for _ in 0..<options.concurrency { group.addTask { await self.slot() } }
        }
    }

    /// Claims a run and serves it, again and again.
    private func slot() async {
        let claim: [String: JSON] = [
            "worker": .string(options.name), "max": .integer(1),
            "wait_seconds": .integer(Self.waitSeconds),
            "lease_seconds": .integer(options.leaseSeconds),
        ]
        while !isStopping {
            let answer = await post(
                "queues/\(options.queue)/claim", claim, timeout: Self.waitSeconds + 10)
            switch answer.status {
            case 200:
                for run in answer.body["runs"]?.decoded(as: [Run].self) ?? [] { await serve(run) }
            case 429, 500...:
                say("claims again in \(seconds(answer.waitSeconds)): \(answer.detail)")
                try? await Task.sleep(for: .seconds(answer.waitSeconds))
            default:
                say("the claim was refused with \(answer.status): \(answer.detail)")
                isRefused = true
                return
            }
        }
    }

    private func serve(_ run: Run) async {
        let job = Task { try await work(run) }
        held["\(run)"] = Held(run: run, job: job)
        if isStopping { job.cancel() }
        say("\(run): started")
        // The heartbeats go on until the server has the answer, not only until the work is done.
        let heartbeats = Task { await self.heartbeats(run) }
        switch await job.result {
        case .success(let output):
            let status = await self.answer(run, "complete", ["output": output])
            if 400..<500 ~= status, status != 409 {
                let message = "the output was refused with \(status)"
                await self.answer(run, "fail", failure(message, isRetryable: false))
            }
        case .failure where job.isCancelled:
            await self.answer(run, "release")
        case .failure(let error):
            let message = String("\(error)".prefix(4000))
            await self.answer(run, "fail", failure(message, isRetryable: !(error is Hopeless)))
        }
        heartbeats.cancel()
        held["\(run)"] = nil
    }

    private func failure(_ message: String, isRetryable: Bool) -> [String: JSON] {
        [
            "reason": .string("error"), "message": .string(message),
            "retryable": .bool(isRetryable),
        ]
    }

    private func heartbeats(_ run: Run) async {
        var wait = run.heartbeatEverySeconds
        while true {
            try? await Task.sleep(for: .seconds(wait))
            guard !Task.isCancelled else { return }
            let answer = await post(
                "workflow-runs/\(run.id)/heartbeat", ["attempt": .integer(run.attempt)])
            guard !Task.isCancelled else { return }
            wait = run.heartbeatEverySeconds
            if answer.status >= 500 { wait = min(wait, answer.waitSeconds) }
            if 400..<500 ~= answer.status {
                say("\(run): no longer ours (\(answer.detail)), its work stops")
                held["\(run)"]?.isLost = true
                held["\(run)"]?.job.cancel()
                return
            }
        }
    }

    /// Tells the server until it has heard, and gives its status; 409 where nobody asks.
    @discardableResult
    private func answer(_ run: Run, _ word: String, _ body: [String: JSON] = [:]) async -> Int {
        let body = body.merging(["attempt": .integer(run.attempt)]) { $1 }
        while held["\(run)"]?.isLost == false {
            let answer = await post("workflow-runs/\(run.id)/\(word)", body)
            if answer.status < 500 {
                let came = answer.status == 200 ? "" : " came to \(answer.status): \(answer.detail)"
                say("\(run): \(word)\(came)")
                return answer.status
            }
            say("\(run): \(word) again in \(seconds(answer.waitSeconds)): \(answer.detail)")
            try? await Task.sleep(for: .seconds(answer.waitSeconds))
        }
        return 409
    }

    /// Lets work end by itself for a moment, then gives back what is left.
    ///
    /// Claims under way are dropped; what they were given in that moment comes back by its lease.
    func stop() async {
        guard !isStopping else { return }
        say("stops")
        isStopping = true
        for held in held.values { held.job.cancel() }
        let end = Date(timeIntervalSinceNow: Self.graceSeconds)
        while !held.isEmpty, Date() < end { try? await Task.sleep(for: .milliseconds(20)) }
        for run in held.values.map(\.run) {
            let answer = await post(
                "workflow-runs/\(run.id)/release", ["attempt": .integer(run.attempt)], timeout: 2)
            say("\(run): release, \(answer.status)")
        }
        // At once: the end of `main` may be in `exit` already, which must not run twice.
        _exit(0)
    }

    /// Without an answer it is that of a server that cannot just now: 503.
    private func post(
        _ path: String, _ body: [String: JSON], timeout: Int = 10
    ) async -> Answer {
        var request = URLRequest(url: options.server.appendingPathComponent(path))
        request.httpMethod = "POST"
        request.timeoutInterval = Double(timeout)
        request.setValue("Bearer \(options.key)", forHTTPHeaderField: "Authorization")
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        // On Linux, URLSession repeats a request without its body where a kept connection is dead.
        request.setValue("close", forHTTPHeaderField: "Connection")
        var answer = Answer()
        do {
            request.httpBody = try JSONEncoder().encode(body)
            let (data, response) = try await session.data(for: request)
            guard let response = response as? HTTPURLResponse else { return answer }
            answer.body = try JSONDecoder().decode(JSON.self, from: data)
            answer.status = response.statusCode
            if let wait = response.value(forHTTPHeaderField: "Retry-After").flatMap(Double.init) {
                answer.waitSeconds = wait
            }
        } catch {
            answer.body = .object(["detail": .string("no answer: \(error.localizedDescription)")])
        }
        return answer
    }

    private func say(_ text: String) {
        let time = Date().formatted(.iso8601.time(includingFractionalSeconds: false))
        FileHandle.standardError.write(Data("\(time)Z \(options.name): \(text)\n".utf8))
    }

    private func seconds(_ value: Double) -> String { String(format: "%.1f s", value) }
}

extension Run: CustomStringConvertible {
    var description: String { "run \(id), attempt \(attempt)" }
}

/// Any JSON value.
enum JSON: Codable, Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case double(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? value.decode(Int.self) {
            self = .integer(integer)
        } else if let double = try? value.decode(Double.self) {
            self = .double(double)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSON].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .integer(let integer): try value.encode(integer)
        case .double(let double): try value.encode(double)
        case .string(let string): try value.encode(string)
        case .array(let array): try value.encode(array)
        case .object(let object): try value.encode(object)
        }
    }

    subscript(name: String) -> JSON? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    var string: String? { if case .string(let string) = self { string } else { nil } }

    var number: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .double(let double): double
        default: nil
        }
    }

    func decoded<Value: Decodable>(as type: Value.Type) -> Value? {
        try? JSONDecoder().decode(type, from: JSONEncoder().encode(self))
    }
}

struct Options: Sendable {
    var server: URL
    var queue: String
    var name: String
    var leaseSeconds: Int
    var concurrency: Int
    var key: String

    /// `nil` where something is missing or not understood.
    init?(_ arguments: [String], _ environment: [String: String]) {
        var values = ["--server": "http://localhost:8080", "--lease-seconds": "60"]
        values["--concurrency"] = "1"
        var rest = arguments[...]
        while let name = rest.popFirst() {
            let known = ["--server", "--queue", "--name", "--lease-seconds", "--concurrency"]
            guard known.contains(name), let value = rest.popFirst() else { return nil }
            values[name] = value
        }
        guard let server = values["--server"].flatMap({ URL(string: $0) }),
            let queue = values["--queue"], let name = values["--name"],
            let leaseSeconds = values["--lease-seconds"].flatMap({ Int($0) }),
            let concurrency = values["--concurrency"].flatMap({ Int($0) }), concurrency > 0,
            let key = environment["DAYBOOK_KEY"]
        else { return nil }
        self.server = server
        self.queue = queue
        self.name = name
        self.leaseSeconds = leaseSeconds
        self.concurrency = concurrency
        self.key = key
    }
}

/// Calls the action at SIGTERM and SIGINT, as long as the sources live.
func watchSignals(_ action: @escaping @Sendable () -> Void) -> [any DispatchSourceSignal] {
    [SIGTERM, SIGINT].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: action)
        source.resume()
        return source
    }
}

guard
    let options = Options(
        Array(CommandLine.arguments.dropFirst()), ProcessInfo.processInfo.environment)
else {
    FileHandle.standardError.write(
        Data(
            """
            usage: worker --queue Q --name N [--server URL] [--lease-seconds N] [--concurrency N]
            DAYBOOK_KEY must hold a key with the role work

            """.utf8))
    exit(64)
}
let worker = Worker(options)
let sources = watchSignals { Task { await worker.stop() } }
await worker.run()
// After a stop, `stop` ends the process.
if await worker.isRefused { exit(1) }
try? await Task.sleep(for: .seconds(10))
withExtendedLifetime(sources) {}
