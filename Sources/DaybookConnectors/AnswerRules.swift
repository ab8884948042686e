import AsyncHTTPClient
import DaybookCore
import DaybookWire
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// What is read out of answers of other services, and out of there being none.
enum AnswerRules {
    /// Of the 4xx, only these say that the same request may succeed later.
    static func mayPass(_ status: Int) -> Bool { [408, 409, 425, 429].contains(status) }

    /// RFC 9110, section 10.2.3: seconds or an HTTP date; held within bounds, anything else ignored.
    static func retryAfter(
        _ headers: HTTPHeaders, within bounds: ClosedRange<Int>, now: Instant
    ) -> Int? {
        guard let text = headers.first(name: "Retry-After") else { return nil }
        let seconds: Int
        if !text.isEmpty, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) {
            // More than fits is surely more than the bounds.
            seconds = Int(text) ?? .max
        } else if let date = httpDates.lazy.compactMap({ $0.date(from: text) }).first {
            let now = Double(now.microseconds) / 1_000_000
            seconds = Int(min(max(date.timeIntervalSince1970 - now, 0), 1_000_000))
        } else {
            return nil
        }
        return min(max(seconds, bounds.lowerBound), bounds.upperBound)
    }

    /// RFC 9110, section 5.6.7: the form of today and the two that are obsolete.
    private static let httpDates: [DateFormatter] = [
        "EEE, dd MMM yyyy HH:mm:ss 'GMT'", "EEEE, dd-MMM-yy HH:mm:ss 'GMT'",
        "EEE MMM d HH:mm:ss yyyy",
    ].map { format in
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = format
        return formatter
    }

    static func isTimeout(_ error: any Error) -> Bool {
        if error is ExchangeTimeout { return true }
        guard let error = error as? HTTPClientError else { return false }
        return [.deadlineExceeded, .readTimeout, .connectTimeout, .requestStreamCancelled]
            .contains(error)
    }
}

extension AnswerRules {
    /// Why there was no answer, for people outside: nothing of the inside of this service.
    static func message(of error: any Error, seconds: Int) -> String {
        switch error {
        case let refusal as EgressRefusal: return "the url \(refusal.message)"
        case _ where isTimeout(error): return "no answer within \(seconds) s"
        case is NIOConnectionError, is IOError: return "no answer: it could not be connected to"
        case let error as HTTPClientError:
            return "no answer: \(error.shortDescription)"
        case is HTTPParserError: return "no answer: what came is not HTTP"
        default: return "no answer: the connection failed (\(type(of: error)))"
        }
    }
}

/// The whole exchange took longer than it may.
struct ExchangeTimeout: Error {}

extension OutboundClients {
    /// Sends a request and reads its answer, all of it within so many seconds.
    ///
    /// - Throws: `EgressRefusal`, `ExchangeTimeout`, and what the client and `read` throw.
    func exchange<Value: Sendable>(
        _ request: HTTPClientRequest, with url: OutboundURL, seconds: Int,
        _ read: @escaping @Sendable (HTTPClientResponse) async throws -> Value
    ) async throws -> Value {
        // The client's own time-out ends with the head of the answer.
        try await within(seconds: seconds) {
            try await self.withClient(for: url) { client in
                try await read(
                    try await client.execute(request, timeout: .seconds(Int64(seconds))))
            }
        }
    }
}

/// Does something that must not take longer; throws `ExchangeTimeout` where it does.
func within<Value: Sendable>(
    seconds: Int, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: .seconds(seconds))
            throw ExchangeTimeout()
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
    }
}
