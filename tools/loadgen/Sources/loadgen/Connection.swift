import Glibc
import NIOCore
import NIOPosix

/// What came back for one request.
struct Answer {
    let status: Int
    /// Empty where it was handed out in parts.
    let body: ByteBuffer
}

/// One keep-alive connection of HTTP/1.1, one request at a time, without any more of HTTP than is needed
/// here: every cycle of the client's is one that the server does not have.
///
/// It lives on its event loop and is touched nowhere else.
final class Connection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Part {
        case head
        case counted(Int)
        case chunkSize
        case chunk(Int)
        case chunkEnd
        case trailer
    }

    /// Called with each whole answer.
    var onAnswer: ((Connection, Answer) -> Void)?
    /// Called with each part of a body instead of keeping it.
    var onBody: ((ByteBuffer) -> Void)?
    /// When the request under way was meant to be sent.
    var intended: Int64 = 0
    /// Of use to whoever drives it.
    var tag = 0

    private var context: ChannelHandlerContext?
    private var received = ByteBuffer()
    private var part = Part.head
    private var status = 0
    private var body = ByteBuffer()
    private var isWaiting = false
    private var isClosing = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func send(_ request: ByteBuffer) {
        guard let context, !isWaiting else { fail("a connection was used twice at once") }
        isWaiting = true
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    func close() {
        isClosing = true
        context?.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 {
            received = bytes
        } else {
            received.writeBuffer(&bytes)
        }
        while advance() {}
        if received.readableBytes == 0 { received.clear() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isClosing { fail("the server closed a connection") }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !isClosing { fail("a connection failed: \(error)") }
        context.close(promise: nil)
    }

    /// Takes the next part of an answer, where it is there.
    private func advance() -> Bool {
        switch part {
        case .head: return readHead()
        case .counted(let left):
            let rest = left - keep(left)
            part = .counted(rest)
            if rest == 0 { finish() }
            return rest == 0
        case .chunkSize:
            guard let line = readLine() else { return false }
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16) else {
                fail("a chunk without a size: \(line)")
            }
            part = size == 0 ? .trailer : .chunk(size)
            return true
        case .chunk(let left):
            let rest = left - keep(left)
            part = rest == 0 ? .chunkEnd : .chunk(rest)
            return rest == 0
        case .chunkEnd:
            guard readLine() != nil else { return false }
            part = .chunkSize
            return true
        case .trailer:
            guard let line = readLine() else { return false }
            if line.isEmpty { finish() }
            return true
        }
    }

    private func keep(_ most: Int) -> Int {
        let count = min(most, received.readableBytes)
        guard count > 0, var slice = received.readSlice(length: count) else { return 0 }
        if let onBody { onBody(slice) } else { body.writeBuffer(&slice) }
        return count
    }

    private func readLine() -> String? {
        let length = received.withUnsafeReadableBytes { bytes -> Int? in
            guard let start = bytes.baseAddress,
                let end = memchr(start, 10, bytes.count)
            else { return nil }
            return end - UnsafeMutableRawPointer(mutating: start) + 1
        }
        guard let length, let line = received.readString(length: length) else { return nil }
        return String(line.dropLast(line.hasSuffix("\r\n") ? 1 : 0).filter { !$0.isNewline })
    }

    private func readHead() -> Bool {
        let found = received.withUnsafeReadableBytes {
            bytes -> (length: Int, status: Int, body: Int?)? in
            guard bytes.count >= 16, let end = Scan.place(Scan.endOfHead, in: bytes) else {
                return nil
            }
            let length = end + Scan.endOfHead.count
            let head = UnsafeRawBufferPointer(rebasing: bytes[..<length])
            let status = (9..<12).reduce(0) { $0 * 10 + Int(head[$1]) - 48 }
            return (length, status, Self.bodyLength(head))
        }
        guard let found else { return false }
        received.moveReaderIndex(forwardBy: found.length)
        status = found.status
        guard let length = found.body else {
            part = .chunkSize
            return true
        }
        part = .counted(length)
        if length == 0 { finish() }
        return true
    }

    /// The length that the head gives; `nil` for a body in chunks.
    private static func bodyLength(_ head: UnsafeRawBufferPointer) -> Int? {
        let name = "content-length:"
        return name.withCString { name in
            guard let start = head.baseAddress?.assumingMemoryBound(to: CChar.self) else {
                return nil
            }
            var line = 0
            while line < head.count {
                if head.count - line > 15, strncasecmp(start + line, name, 15) == 0 {
                    return atol(start + line + 15)
                }
                guard let end = memchr(start + line, 10, head.count - line) else { break }
                line = end - UnsafeMutableRawPointer(mutating: start) + 1
            }
            return nil
        }
    }

    private func finish() {
        let answer = Answer(status: status, body: body)
        body = ByteBuffer()
        part = .head
        isWaiting = false
        onAnswer?(self, answer)
    }
}

/// The one event loop, and how connections come to be on it.
struct Loop: Sendable {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Opens a connection; `ready` is called on the loop.
    func connect(
        _ port: Int, receives bytes: Int = 16 << 10,
        ready: @escaping @Sendable (Connection) -> Void
    ) {
        ClientBootstrap(group: group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: bytes)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Connection())
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    guard
                        let connection = try? channel.pipeline.syncOperations.handler(
                            type: Connection.self)
                    else { fail("a connection was lost") }
                    ready(connection)
                case .failure(let error): fail("no connection: \(error)")
                }
            }
    }
}

/// The head of a request, made once.
struct RequestHead {
    private let start: [UInt8]

    init(_ method: String, _ path: String, key: String?) {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if let key { text += "Authorization: Bearer \(key)\r\n" }
        if method != "GET" { text += "Content-Type: application/json\r\n" }
        start = Array(text.utf8)
    }

    func request(_ body: [UInt8]? = nil) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(start.count + 40 + (body?.count ?? 0))
        buffer.writeBytes(start)
        if let body {
            buffer.writeString("Content-Length: \(body.count)\r\n\r\n")
            buffer.writeBytes(body)
        } else {
            buffer.writeStaticString("\r\n")
        }
        return buffer
    }
}
