import DaybookCore
import DaybookEngine
import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Who is at the other end of a connection: still there, or gone.
final class Client: Sendable {
    private struct Held: Sendable {
        let delivered: @Sendable () -> Void
        let undelivered: @Sendable () -> Void
    }

    private struct State {
        var isGone: Bool
        /// By the request id of the answer: pipelined requests have several on their way.
        var held: [String: Held] = [:]
    }

    private let state: Mutex<State>
    /// Rings when the client goes.
    private let bell = Bell()
    private let close: @Sendable () -> Void

    /// - Parameter close: ends the connection.
    init(isGone: Bool = false, close: @escaping @Sendable () -> Void = {}) {
        state = Mutex(State(isGone: isGone))
        self.close = close
    }

    /// Ends the connection: what is being written to it fails.
    func disconnect() { close() }

    var isGone: Bool { state.withLock { $0.isGone } }

    /// Returns when the client has gone, or when the task is cancelled.
    func waitUntilGone() async {
        if !isGone { await bell.wait() }
    }

    /// Has one of the two done, on any thread: `delivered` when the whole answer with this request id
    /// has been written to the connection, `undelivered` if the client goes before that; at once if it
    /// has gone already.
    func hold(
        _ answer: CommandID, delivered: @escaping @Sendable () -> Void,
        undelivered: @escaping @Sendable () -> Void
    ) {
        let isGone = state.withLock { state in
            if !state.isGone {
                state.held[answer.description] = Held(
                    delivered: delivered, undelivered: undelivered)
            }
            return state.isGone
        }
        if isGone { undelivered() }
    }

    /// Nothing is to be done for the answer any more, whatever becomes of the client.
    func letGo(_ answer: CommandID) {
        state.withLock { $0.held[answer.description] = nil }
    }

    fileprivate func wasTold(_ answer: String) {
        state.withLock { $0.held.removeValue(forKey: answer) }?.delivered()
    }

    fileprivate func leave() {
        let held = state.withLock { state in
            state.isGone = true
            defer { state.held = [:] }
            return state.held
        }
        for answer in held.values { answer.undelivered() }
        bell.ring()
    }
}

/// The clients of all connections that are open.
final class Clients: Sendable {
    private let state = Mutex<[ObjectIdentifier: Client]>([:])

    /// The client of a connection; one that has gone where the connection is no longer open.
    func client(of channel: any Channel) -> Client {
        state.withLock { $0[ObjectIdentifier(channel)] } ?? Client(isGone: true)
    }

    fileprivate func add(_ client: Client, _ channel: any Channel) {
        state.withLock { $0[ObjectIdentifier(channel)] = client }
    }

    fileprivate func remove(_ channel: any Channel) {
        state.withLock { $0[ObjectIdentifier(channel)] = nil }
    }
}

/// Notices on the connection's event loop when an answer has been written, and when the client has
/// closed its side or all of it is closed. Who closes its side does not wait for an answer. On the one
/// event loop the two have an order: who has read an answer and then leaves, leaves after it.
final class ClientWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let clients: Clients
    private var client = Client()
    /// The request id of the answer that is being written.
    private var answer: String?

    init(_ clients: Clients) {
        self.clients = clients
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        client = Client { channel.close(promise: nil) }
        clients.add(client, channel)
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave(context) }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            answer = head.headerFields[.requestID]
        case .end:
            guard let told = answer else { break }
            answer = nil
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            written.futureResult.whenSuccess { [client] in client.wasTold(told) }
            context.write(data, promise: written)
            return
        case .body: break
        }
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { client.leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave(context)
        context.fireChannelInactive()
    }

    private func leave(_ context: ChannelHandlerContext) {
        clients.remove(context.channel)
        client.leave()
    }
}

extension Call {
    /// Does `work`, and cancels it when the client goes.
    func whileConnected<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Value
    ) async -> Value {
        guard let client else { return await work() }
        return await withTaskGroup(of: Value?.self) { group in
            group.addTask { await work() }
            group.addTask {
                await client.waitUntilGone()
                return nil
            }
            var value: Value?
            for await result in group {
                value = value ?? result
                group.cancelAll()
            }
            guard let value else { preconditionFailure("work ended without a value") }
            return value
        }
    }
}
