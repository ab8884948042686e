import DaybookCore
import HTTPTypes
import NIOCore
import NIOHTTPTypes
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

    init(_ counts: ConnectionCounts, _ limits: ConnectionLimits) {
        self.counts = counts
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
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
            timer?.cancel()
            bodyStart = .now()
            bodyBytes = 0
            watchBody(context, since: 0)
        case .body(let bytes): bodyBytes += bytes.readableBytes
        case .end:
            timer?.cancel()
            timer = nil
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), timer == nil {
            wait(context, seconds: limits.idleSeconds)
        }
        context.write(data, promise: promise)
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
        guard isCounted else { return }
        isCounted = false
        counts.leave(address)
    }
}
