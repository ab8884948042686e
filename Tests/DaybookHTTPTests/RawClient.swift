import Dispatch
import Glibc

/// A plain socket to a port on loopback, for requests that no HTTP library would send.
///
/// What blocks is done on a queue of its own; each read ends after some seconds at the latest.
final class RawClient: Sendable {
    struct Failure: Error {
        let call: String
        let code: Int32
    }

    private static let readSeconds = 20
    private let socket: Int32
    private let queue = DispatchQueue(label: "raw client")

    /// - Parameter receiveBytes: how much the socket takes before anybody reads.
    init(port: Int, receiveBytes: Int32? = nil) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Failure(call: "socket", code: errno) }
        if var bytes = receiveBytes {
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var limit = timeval(tv_sec: Self.readSeconds, tv_usec: 0)
        setsockopt(
            socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                connect(socket, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(socket)
            throw Failure(call: "connect", code: errno)
        }
    }

    deinit { close(socket) }

    /// Sends as much as the other side takes; that it has closed is no failure.
    func send(_ bytes: [UInt8]) async {
        await onQueue { [socket] in
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes { buffer in
                    Glibc.send(
                        socket, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                sent += count
            }
        }
    }

    func send(_ text: String) async { await send(Array(text.utf8)) }

    /// Has the connection reset when this client goes, as by a process that is killed.
    func resetAtTheEnd() {
        var off = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            socket, SOL_SOCKET, SO_LINGER, &off, socklen_t(MemoryLayout<linger>.size))
    }

    /// Ends this side's sending.
    func finish() { shutdown(socket, Int32(SHUT_WR)) }

    /// Everything up to the end of the connection, or until `isEnough`; `nil` where nothing more
    /// came for a long time.
    func read(until isEnough: @escaping @Sendable (String) -> Bool = { _ in false }) async
        -> String?
    {
        await onQueue { [socket] in
            var all: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while true {
                let text = String(decoding: all, as: UTF8.self)
                if isEnough(text) { return text }
                let count = recv(socket, &chunk, chunk.count, 0)
                if count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) { return nil }
                guard count > 0 else { return text }
                all += chunk[..<count]
            }
        }
    }

    private func onQueue<Value: Sendable>(
        _ body: @escaping @Sendable () -> Value
    ) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }
}
