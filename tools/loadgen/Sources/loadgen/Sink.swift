import Foundation
import NIOCore
import NIOPosix

/// What an HTTP executor calls: answers each run with 200 at once, and measures how late it came here.
struct SinkSpecification: Decodable {
    /// Runs that are awaited.
    let expect: Int
    /// Ends then, also where fewer have come.
    let seconds: Double
}

/// Everything in it is touched on its one event loop alone, which makes it safe to be handed there.
final class Sink: @unchecked Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let specification: SinkSpecification
    private var runs: Set<[UInt8]> = []
    private var repeats = 0
    private var early = 0
    private var times = Times()

    init(_ specification: SinkSpecification) { self.specification = specification }

    func run() {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SinkConnection(self))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    guard let port = channel.localAddress?.port else { fail("no port") }
                    say(["port": port])
                case .failure(let error): fail("cannot listen: \(error)")
                }
            }
        group.any().scheduleTask(in: .nanoseconds(Int64(specification.seconds * 1e9))) {
            self.finish()
        }
        dispatchMain()
    }

    func take(_ body: ArraySlice<UInt8>, at now: Int64) {
        guard let run = Scan.text("run_id", in: body),
            let due = Scan.text("scheduled_time", in: body).flatMap({ Moments.read($0) })
        else { fail("a run without its id or time") }
        if !runs.insert(Array(run)).inserted { repeats += 1 }
        if now < due * 1_000 { early += 1 }
        times.record(now - due * 1_000)
    }

    func finishIfDone() {
        // A moment later, so that the last answers get out.
        guard runs.count >= specification.expect else { return }
        group.any().scheduleTask(in: .milliseconds(200)) { self.finish() }
    }

    private func finish() -> Never {
        var figures: [String: Any] = ["runs": runs.count, "repeats": repeats, "early": early]
        if let summary = times.summary { figures["received"] = summary }
        say(figures)
        exit(0)
    }
}

/// One connection of the server's to the sink.
private final class SinkConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let sink: Sink
    private var received: [UInt8] = []
    private static let answer = ByteBuffer(
        string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    init(_ sink: Sink) { self.sink = sink }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let now = Moments.wall()
        received.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        while let (head, length) = Scan.head(received[...]) {
            guard received.count >= head + length else { break }
            sink.take(received[head..<head + length], at: now)
            received.removeFirst(head + length)
            context.writeAndFlush(wrapOutboundOut(Self.answer), promise: nil)
        }
        sink.finishIfDone()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
