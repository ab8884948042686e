import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A real HTTP server on loopback that answers as it is told and keeps what it got.
final class Receiver: Sendable {
    struct Received: Sendable {
        let method: String
        let uri: String
        let headers: HTTPHeaders
        let body: [UInt8]
    }

    enum Reply: Sendable {
        case answer(Int, headers: [(String, String)] = [], body: [UInt8] = [])
        /// Head and half of the body, then the connection ends.
        case half
        /// Head and half of the body, then nothing more.
        case stall
        /// The connection ends without a word.
        case reset
        /// Never.
        case silence
    }

    private let got = Mutex<[Received]>([])
    private let channel: any Channel
    private let arrivals: AsyncStream<Void>
    let port: Int

    init(_ reply: @escaping @Sendable (Received) -> Reply) async throws {
        let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
        self.arrivals = arrivals
        let box = Box()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Handler { received in
                            box.owner?.keep(received)
                            arrival.yield()
                            return reply(received)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
        box.set(self)
    }

    var received: [Received] { got.withLock { $0 } }

    /// Returns when a request has come.
    func waitForRequest() async {
        for await _ in arrivals { return }
    }

    func stop() async throws { try await channel.close() }

    private func keep(_ received: Received) { got.withLock { $0.append(received) } }

    /// The receiver, once it is there.
    private final class Box: Sendable {
        private let state = Mutex<Receiver?>(nil)
        var owner: Receiver? { state.withLock { $0 } }
        func set(_ receiver: Receiver) { state.withLock { $0 = receiver } }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let reply: @Sendable (Received) -> Reply
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ reply: @escaping @Sendable (Received) -> Reply) {
            self.reply = reply
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let bytes): body += bytes.readableBytesView
            case .end:
                guard let head else { return }
                answer(
                    reply(
                        Received(
                            method: head.method.rawValue, uri: head.uri, headers: head.headers,
                            body: body)), context)
            }
        }

        private func answer(_ reply: Reply, _ context: ChannelHandlerContext) {
            switch reply {
            case .silence: break
            case .reset: context.close(promise: nil)
            case .half:
                write(200, [("Content-Length", "100")], [0x5B, 0x31], context, ends: false)
                context.flush()
                context.close(promise: nil)
            case .stall:
                write(200, [("Content-Length", "100")], [0x5B, 0x31], context, ends: false)
                context.flush()
            case .answer(let status, let headers, let body):
                write(
                    status, headers + [("Content-Length", "\(body.count)")], body, context,
                    ends: true)
                context.flush()
            }
        }

        private func write(
            _ status: Int, _ headers: [(String, String)], _ body: [UInt8],
            _ context: ChannelHandlerContext, ends: Bool
        ) {
            let head = HTTPResponseHead(
                version: .http1_1, status: .init(statusCode: status), headers: .init(headers))
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(
                wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
            if ends { context.write(wrapOutboundOut(.end(nil)), promise: nil) }
        }
    }
}
