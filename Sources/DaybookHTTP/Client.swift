import DaybookEngine
import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Who is at the other end of a connection: still there, or gone.
final class Client: Sendable {
    private struct State {
        var isGone = false
        var undo: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    /// Rings when the client goes.
    private let bell = Bell()

    var isGone: Bool { state.withLock { $0.isGone } }

    /// Returns when the client has gone, or when the task is cancelled.
    func waitUntilGone() async {
        if !isGone { await bell.wait() }
    }

    /// Has `undo` done, on any thread, if the client goes before `settle` is called; at once if it
    /// has gone already.
    func hold(_ undo: @escaping @Sendable () -> Void) {
        let isGone = state.withLock { state in
            if !state.isGone { state.undo = undo }
            return state.isGone
        }
        if isGone { undo() }
    }

    /// The answer has been written: nothing is to be undone any more.
    func settle() { state.withLock { $0.undo = nil } }

    fileprivate func leave() {
        let undo = state.withLock { state in
            state.isGone = true
            defer { state.undo = nil }
            return state.undo
        }
        undo?()
        bell.ring()
    }
}

/// Notices that the client has closed its side of the connection, or that all of it is closed. Who
/// closes its side does not wait for an answer.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    let client = Client()

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { client.leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        client.leave()
        context.fireChannelInactive()
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
