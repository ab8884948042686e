import DaybookCore
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Synchronization

/// What a connection may take, in time and in number.
package struct ConnectionLimits: Sendable {
    /// Open at once.
    package var total = 8_192
    /// Open at once from one address.
    package var perAddress = 1_024
    /// A request's head must be there so many seconds after the connection, and after the answer before it
    /// where the connection is kept.
    package var headSeconds: Int64 = 20
    /// On which no request comes for so long is closed.
    package var idleSeconds: Int64 = 120
    /// All of a body must be there after so many seconds.
    package var bodySeconds: Int64 = 300
    /// A body must come at so many bytes a second, looked at every `rateSeconds`.
    package var bodyBytesPerSecond = 1_000
    package var rateSeconds: Int64 = 10
    /// A client that takes nothing of an answer for so long is let go.
    package var stallSeconds: Int64 = 30
    /// What still comes of a body that was answered before its end is read and dropped for so long.
    package var dropSeconds: Int64 = 5

    package init() {}
}

/// Counts the open connections, all and by address.
final class ConnectionCounts: Sendable {
    private struct State {
        var total = 0
        var byAddress: [String: Int] = [:]
    }

    private let limits: ConnectionLimits
    private let state = Mutex(State())

    init(_ limits: ConnectionLimits) {
        self.limits = limits
    }

    var total: Int { state.withLock { $0.total } }

    fileprivate func enter(_ address: String) -> Bool {
        state.withLock { state in
            guard state.total < limits.total,
                state.byAddress[address, default: 0] < limits.perAddress
            else { return false }
            state.total += 1
            state.byAddress[address, default: 0] += 1
            return true
        }
    }

    fileprivate func leave(_ address: String) {
        state.withLock { state in
            state.total -= 1
            let count = state.byAddress[address, default: 0] - 1
            state.byAddress[address] = count > 0 ? count : nil
        }
    }
}

/// Takes the host from a request of HTTP/1.1 that has none, or has several (RFC 9112, 3.2): such a request is
/// refused behind, as one with an empty host is. It stands before the codec, which knows of the first one alone.
private final class HostCheck: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else {
            return context.fireChannelRead(data)
        }
        let count = head.headers["host"].count
        if count > 1 || count == 0 && head.version != .http1_0 {
            head.headers.replaceOrAdd(name: "host", value: "")
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}

/// Closes a connection that is one too many, or whose client takes too long over a request. It stands behind
/// the decoder: what it waits for are whole heads, and bodies piece by piece.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let counts: ConnectionCounts
    private let limits: ConnectionLimits
    private var address = ""
    private var isCounted = false
    private var timer: Scheduled<Void>?
    private var bodyStart = NIODeadline.now()
    private var bodyBytes = 0
    /// Whether the end of the last request is still to come.
    private var isReceiving = false
    /// Requests that have come, at least in part, and have no whole answer yet.
    private var open = 0
    /// Whether the client was told that the connection ends with this answer.
    private var closes = false
    /// Whether all of that answer was written, and whether it was sent.
    private var isAnswered = false
    private var isSent = false
    /// Runs while the client takes nothing of what is to be sent.
    private var stall: Scheduled<Void>?

    init(_ counts: ConnectionCounts, _ limits: ConnectionLimits) {
        self.counts = counts
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        if let codec = try? pipeline.handler(type: HTTP1ToHTTPServerCodec.self) {
            try? pipeline.addHandler(HostCheck(), position: .before(codec))
        }
        address = context.remoteAddress?.ipAddress ?? ""
        guard counts.enter(address) else { return turnAway(context) }
        isCounted = true
        wait(context, seconds: limits.headSeconds)
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            // Of another request on a connection that ends.
            guard !isAnswered else { return }
            timer?.cancel()
            bodyStart = .now()
            bodyBytes = 0
            isReceiving = true
            open += 1
            watchBody(context, since: 0)
        case .body(let bytes): bodyBytes += bytes.readableBytes
        case .end:
            isReceiving = false
            // The answer is on its way, or is there.
            if isAnswered { return isSent ? wait(context, seconds: 0) : () }
            timer?.cancel()
            timer = nil
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case _ where isAnswered:
            // Of another request on a connection that ends.
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        case .head(var head) where isReceiving && open == 1 && head.status.kind != .informational:
            closes = true
            head.headerFields[.connection] = "close"
            return context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .head(let head): closes = head.headerFields[.connection] == "close"
        case .end where closes:
            isAnswered = true
            let sent = promise ?? context.eventLoop.makePromise()
            sent.futureResult.assumeIsolated().whenComplete { [self] _ in
                isSent = true
                // Closed at once, what the client is still sending would take the answer from it.
                wait(context, seconds: isReceiving ? limits.dropSeconds : 0)
            }
            return context.write(data, promise: sent)
        case .end where timer == nil: wait(context, seconds: limits.idleSeconds)
        case .body, .end: break
        }
        if case .end = unwrapOutboundIn(data) { open -= 1 }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        let channel = context.channel
        if !channel.isWritable {
            stall = context.eventLoop.scheduleTask(in: .seconds(limits.stallSeconds)) {
                channel.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    private func wait(_ context: ChannelHandlerContext, seconds: Int64) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: .seconds(seconds)) {
            channel.close(promise: nil)
        }
    }

    private func watchBody(_ context: ChannelHandlerContext, since counted: Int) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .seconds(limits.rateSeconds)) {
            let (guarding, context) = bound.value
            let limits = guarding.limits
            let isLate =
                NIODeadline.now() - guarding.bodyStart > .seconds(limits.bodySeconds)
            let came = guarding.bodyBytes - counted
            guard !isLate, came >= limits.bodyBytesPerSecond * Int(limits.rateSeconds) else {
                return context.channel.close(promise: nil)
            }
            guarding.watchBody(context, since: guarding.bodyBytes)
        }
    }

    /// There is no room for it: it hears so, whatever it asks for.
    private func turnAway(_ context: ChannelHandlerContext) {
        var fields = HTTPFields()
        fields[.retryAfter] = "1"
        fields[.connection] = "close"
        fields[.contentLength] = "0"
        let head = HTTPResponse(status: .serviceUnavailable, headerFields: fields)
        let channel = context.channel
        channel.write(HTTPResponsePart.head(head), promise: nil)
        channel.writeAndFlush(HTTPResponsePart.end(nil)).whenComplete { _ in
            channel.close(promise: nil)
        }
    }

    private func leave() {
        timer?.cancel()
        timer = nil
        stall?.cancel()
        stall = nil
        guard isCounted else { return }
        isCounted = false
        counts.leave(address)
    }
}
