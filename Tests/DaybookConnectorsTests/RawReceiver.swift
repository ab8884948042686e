import NIOCore
import NIOPosix
import Synchronization

/// A plain server on loopback that answers the first bytes it gets with bytes of the test's own,
/// and tells when the other side has gone.
final class RawReceiver: Sendable {
    enum After: Sendable {
        /// The connection is closed behind the answer.
        case close
        /// Nothing more comes.
        case silence
        /// One more byte every tenth of a second, for ever.
        case trickle
    }

    private let channel: any Channel
    private let arrivals: AsyncStream<Void>
    private let departures: AsyncStream<Void>
    let port: Int

    init(_ answer: String, then after: After = .close) async throws {
        let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
        let (departures, departure) = AsyncStream.makeStream(of: Void.self)
        self.arrivals = arrivals
        self.departures = departures
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Handler(
                            answer, after, onArrival: { arrival.yield() },
                            onDeparture: { departure.yield() }))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// Returns when bytes have come.
    func waitForRequest() async {
        for await _ in arrivals { return }
    }

    /// Returns when a connection has ended.
    func waitForDeparture() async {
        for await _ in departures { return }
    }

    func stop() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let answer: String
        private let after: After
        private let onArrival: @Sendable () -> Void
        private let onDeparture: @Sendable () -> Void
        private var hasAnswered = false
        private var trickle: RepeatedTask?

        init(
            _ answer: String, _ after: After, onArrival: @escaping @Sendable () -> Void,
            onDeparture: @escaping @Sendable () -> Void
        ) {
            self.answer = answer
            self.after = after
            self.onArrival = onArrival
            self.onDeparture = onDeparture
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !hasAnswered else { return }
            hasAnswered = true
            onArrival()
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            switch after {
            case .close: context.close(promise: nil)
            case .silence: break
            case .trickle:
                trickle = context.eventLoop.scheduleRepeatedTask(
                    initialDelay: .milliseconds(100), delay: .milliseconds(100)
                ) { _ in
                    channel.writeAndFlush(ByteBuffer(string: " "), promise: nil)
                }
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            trickle?.cancel()
            onDeparture()
            context.fireChannelInactive()
        }
    }
}
