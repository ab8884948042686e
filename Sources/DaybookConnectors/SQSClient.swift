import AsyncHTTPClient
import DaybookCore
import DaybookEngine
import DaybookWire
import Foundation
import NIOCore
import NIOHTTP1

/// Amazon SQS over its AWS JSON 1.0 protocol ("Amazon SQS API Reference").
struct SQSClient: Sendable {
    struct Message: Decodable, Sendable {
        struct Attribute: Decodable, Sendable {
            let StringValue: String?
        }

        let MessageId: String
        let ReceiptHandle: String
        let Body: String
        let Attributes: [String: String]?
        let MessageAttributes: [String: Attribute]?

        /// How often it was received, this time included.
        var receiveCount: Int {
            Attributes?["ApproximateReceiveCount"].flatMap { Int($0) } ?? 1
        }
    }

    /// An answer that is no success.
    struct Refused: Error, CustomStringConvertible {
        let status: Int
        /// Such as `QueueDoesNotExist`.
        let code: String
        let message: String

        var description: String { "\(code) (\(status)): \(message)" }

        /// Whether other credentials might do.
        var concernsCredentials: Bool {
            [
                "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId",
                "UnrecognizedClientException", "SignatureDoesNotMatch",
                "InvalidSignatureException", "InvalidAccessKeyId",
            ].contains(code)
        }
    }

    private struct Malformed: Error, CustomStringConvertible {
        let description = "the answer is not what SQS answers"
    }

    /// Ten messages of 1 MiB, escaped.
    private static let answerBytes = 64 << 20

    let queue: TriggerConfiguration.SQSQueue
    let credentials: AWSCredentialChain
    let clients: OutboundClients
    let clock: any ServiceClock

    func receive(_ count: Int, waitSeconds: Int) async throws -> [Message] {
        struct Question: Encodable {
            let QueueUrl: String
            let MaxNumberOfMessages: Int
            let WaitTimeSeconds: Int
            let AttributeNames = ["ApproximateReceiveCount"]
            let MessageSystemAttributeNames = ["ApproximateReceiveCount"]
            let MessageAttributeNames = ["All"]
        }
        struct Answer: Decodable {
            let Messages: [Message]?
        }
        let answer: Answer = try await ask(
            "ReceiveMessage",
            Question(
                QueueUrl: queue.url, MaxNumberOfMessages: count, WaitTimeSeconds: waitSeconds),
            seconds: waitSeconds + 15)
        return answer.Messages ?? []
    }

    private struct Failures: Decodable {
        struct Failure: Decodable {
            let Id: String
        }

        let Failed: [Failure]?
    }

    /// Deletes messages; gives back those that an answer of 200 says were not.
    func delete(_ messages: [Message]) async throws -> [Message] {
        struct Entry: Encodable {
            let Id: String
            let ReceiptHandle: String
        }
        struct Question: Encodable {
            let QueueUrl: String
            let Entries: [Entry]
        }
        let entries = messages.enumerated().map {
            Entry(Id: "m\($0.offset)", ReceiptHandle: $0.element.ReceiptHandle)
        }
        let answer: Failures = try await ask(
            "DeleteMessageBatch", Question(QueueUrl: queue.url, Entries: entries))
        let failed = Set((answer.Failed ?? []).map(\.Id))
        return messages.enumerated().filter { failed.contains("m\($0.offset)") }.map(\.element)
    }

    /// Hides messages for so long from now on; 0 shows them at once.
    func hide(_ messages: [Message], seconds: Int) async throws {
        struct Entry: Encodable {
            let Id: String
            let ReceiptHandle: String
            let VisibilityTimeout: Int
        }
        struct Question: Encodable {
            let QueueUrl: String
            let Entries: [Entry]
        }
        let entries = messages.enumerated().map {
            Entry(
                Id: "m\($0.offset)", ReceiptHandle: $0.element.ReceiptHandle,
                VisibilityTimeout: seconds)
        }
        let _: Failures = try await ask(
            "ChangeMessageVisibilityBatch", Question(QueueUrl: queue.url, Entries: entries))
    }

    struct QueueAttributes: Sendable {
        /// Whether the queue takes messages that are received too often to a dead-letter queue.
        var hasRedrivePolicy = false
        /// How long a received message is hidden.
        var visibilitySeconds = 30
    }

    func attributes() async throws -> QueueAttributes {
        struct Question: Encodable {
            let QueueUrl: String
            let AttributeNames = ["RedrivePolicy", "VisibilityTimeout"]
        }
        struct Answer: Decodable {
            let Attributes: [String: String]?
        }
        let answer: Answer = try await ask("GetQueueAttributes", Question(QueueUrl: queue.url))
        var attributes = QueueAttributes()
        attributes.hasRedrivePolicy =
            answer.Attributes?["RedrivePolicy"].map { !$0.isEmpty } ?? false
        if let seconds = answer.Attributes?["VisibilityTimeout"].flatMap({ Int($0) }) {
            attributes.visibilitySeconds = seconds
        }
        return attributes
    }

    private func ask<Answer: Decodable>(
        _ action: String, _ question: some Encodable, seconds: Int = 15
    ) async throws -> Answer {
        let endpoint = try OutboundURL(queue.endpoint ?? queue.url)
        let body = Array(try JSONEncoder().encode(question))
        let signed = SigV4(
            credentials: try await credentials.credentials(), region: queue.region, service: "sqs"
        ).sign(
            headers: [
                ("host", endpoint.authority), ("content-type", "application/x-amz-json-1.0"),
                ("x-amz-target", "AmazonSQS.\(action)"),
            ], body: body, at: clock.now())
        var request = HTTPClientRequest(
            url: "\(endpoint.scheme.rawValue)://\(endpoint.authority)/")
        request.method = .POST
        for (name, value) in signed { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        let (status, bytes) = try await clients.exchange(
            request, with: endpoint, seconds: seconds
        ) { response in
            (
                Int(response.status.code),
                Array(try await response.body.collect(upTo: Self.answerBytes).readableBytesView)
            )
        }
        guard status == 200 else {
            let refused = Self.refused(status, bytes)
            guard refused.concernsCredentials else { throw refused }
            credentials.forget()
            // What AWS says of a signature can repeat what was signed, session token included.
            throw Refused(
                status: status, code: refused.code, message: "the credentials were refused")
        }
        do {
            return try JSONDecoder().decode(
                Answer.self, from: Data(bytes.isEmpty ? Array("{}".utf8) : bytes))
        } catch {
            throw Malformed()
        }
    }

    private static func refused(_ status: Int, _ bytes: [UInt8]) -> Refused {
        struct Problem: Decodable {
            let __type: String?
            let message: String?
            let Message: String?
        }
        let problem = try? JSONDecoder().decode(Problem.self, from: Data(bytes))
        let code = problem?.__type?.split(separator: "#").last.map { String($0) }
        return Refused(
            status: status, code: code ?? "Unknown",
            message: String((problem?.message ?? problem?.Message ?? "").prefix(300)))
    }
}
