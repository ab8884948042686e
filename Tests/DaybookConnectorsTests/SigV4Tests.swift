import DaybookCore
import DaybookWire
import Foundation
import NIOHTTP1
import Support
import Testing

@testable import DaybookConnectors

@Suite("AWS signatures")
struct SigV4Tests {
    private static func signature(_ headers: [(name: String, value: String)]) -> String {
        let value = headers.first { $0.name == "authorization" }?.value ?? ""
        return String(value.split(separator: "=").last ?? "")
    }

    /// Of AWS's published test suite (`aws-sig-v4-test-suite`), what has a POST to the root.
    @Test(
        "AWS's own vectors",
        arguments: [
            ([], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                [("My-Header1", "VALUE1")], "",
                "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"
            ),
            (
                [("Content-Type", "application/x-www-form-urlencoded")], "Param1=value1",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
            ),
        ] as [([(String, String)], String, String)])
    func vectors(_ more: [(String, String)], _ body: String, _ signature: String) throws {
        let signer = SigV4(
            credentials: AWSCredentials(
                accessKeyID: "AKIDEXAMPLE",
                secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1", service: "service")
        let signed = signer.sign(
            headers: [("Host", "example.amazonaws.com")] + more, body: Array(body.utf8),
            at: try RFC3339.parse("2015-08-30T12:36:00Z"))
        #expect(Self.signature(signed) == signature)
    }

    private struct Case: Codable {
        let id, secret: String
        let token: String?
        let region, time: String
        let headers: [String: String]
        let body: String
    }

    /// Signs each case as botocore does, at the time that the case says.
    private static let program = """
        import base64, json, sys
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        for case in json.load(sys.stdin):
            auth = SigV4Auth(
                Credentials(case["id"], case["secret"], case.get("token")), "sqs", case["region"])
            request = AWSRequest(
                method="POST", url="https://" + case["headers"]["host"] + "/",
                headers=case["headers"], data=base64.b64decode(case["body"]))
            request.context["timestamp"] = case["time"]
            auth._modify_request_before_signing(request)
            text = auth.string_to_sign(request, auth.canonical_request(request))
            print(auth.signature(text, request))
        """

    @Test(
        "botocore signs the same requests alike",
        .enabled(if: Python.has("botocore"), "python3 or its package botocore is not installed"))
    func botocore() throws {
        for cases in RandomCases(1) {
            var numbers = SeededGenerator(seed: cases.seed)
            let letters = Array("abcXYZ0189-_./:;,=+ ()é~")
            func text(_ range: ClosedRange<Int>) -> String {
                let count = Int.random(in: range, using: &numbers)
                return String((0..<count).map { _ in numbers.pick(letters.filter(\.isASCII)) })
                    .trimmingCharacters(in: .whitespaces) + "x"
            }
            var generated: [(Case, String)] = []
            for _ in 0..<200 {
                let instant = Instant(
                    microseconds: Int64.random(in: 0...4_000_000_000_000_000, using: &numbers))
                let credentials = AWSCredentials(
                    accessKeyID: "AKID", secretAccessKey: text(1...50),
                    sessionToken: numbers.chance(1, of: 2) ? text(1...300) : nil)
                let region = numbers.pick(["eu-central-1", "us-east-1", "cn-north-1"])
                let headers = [
                    ("host", "sqs.\(region).amazonaws.com"),
                    ("content-type", "application/x-amz-json-1.0"),
                    ("x-amz-target", "AmazonSQS." + text(1...30)), ("x-a", text(0...40)),
                ]
                let body = numbers.bytes(Int.random(in: 0...2_000, using: &numbers))
                let signed = SigV4(credentials: credentials, region: region, service: "sqs")
                    .sign(headers: headers, body: body, at: instant)
                let time = try #require(signed.first { $0.name == "x-amz-date" }?.value)
                #expect(time.utf8.count == 16)
                generated.append(
                    (
                        Case(
                            id: credentials.accessKeyID, secret: credentials.secretAccessKey,
                            token: credentials.sessionToken, region: region, time: time,
                            headers: Dictionary(uniqueKeysWithValues: headers),
                            body: Data(body).base64EncodedString()),
                        Self.signature(signed)
                    ))
            }
            let input = String(
                decoding: try JSONEncoder().encode(generated.map(\.0)), as: UTF8.self)
            let (status, output) = try Python.run(Self.program, input)
            #expect(status == 0)
            let theirs = output.split(separator: "\n").map { String($0) }
            #expect(theirs == generated.map(\.1), "\(numbers.hint)")
        }
    }
}

@Suite("AWS credentials")
struct AWSCredentialTests {
    private func found(
        _ environment: [String: String], clock: ManualClock = ManualClock()
    ) async throws -> AWSCredentials {
        let chain = AWSCredentialChain(environment: environment, clock: clock)
        do {
            let found = try await chain.credentials()
            await chain.shutDown()
            return found
        } catch {
            await chain.shutDown()
            throw error
        }
    }

    private static let none = ["AWS_EC2_METADATA_DISABLED": "true"]

    @Test("the environment comes first, an empty variable is none")
    func environment() async throws {
        let known = try await found([
            "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "token",
        ])
        #expect(
            known
                == AWSCredentials(
                    accessKeyID: "id", secretAccessKey: "secret", sessionToken: "token"))
        await #expect(throws: AWSCredentialChain.NotFound.self) {
            try await found(
                Self.none.merging(["AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": ""]) { $1 })
        }
    }

    @Test("then the shared credentials file, with its profile")
    func file() async throws {
        let directory = try TestStore.makeDirectory()
        defer { TestStore.remove(directory) }
        let path = directory + "/credentials"
        try """
        # mine
        [default]
        aws_access_key_id = one
        aws_secret_access_key=two=2

        [other]
        AWS_ACCESS_KEY_ID = three
        ; aws_secret_access_key = no
        aws_secret_access_key = four
        aws_session_token = five
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let environment = Self.none.merging(["AWS_SHARED_CREDENTIALS_FILE": path]) { $1 }
        #expect(
            try await found(environment)
                == AWSCredentials(accessKeyID: "one", secretAccessKey: "two=2"))
        let other = environment.merging(["AWS_PROFILE": "other"]) { $1 }
        #expect(
            try await found(other)
                == AWSCredentials(
                    accessKeyID: "three", secretAccessKey: "four", sessionToken: "five"))
        await #expect(throws: AWSCredentialChain.NotFound.self) {
            try await found(environment.merging(["AWS_PROFILE": "missing"]) { $1 })
        }
    }

    private static func answer(_ more: String = "") -> [UInt8] {
        Array(
            #"{"Code":"Success","AccessKeyId":"AK","SecretAccessKey":"SK","Token":"TK"\#(more)}"#
                .utf8)
    }

    @Test("then the container's endpoint, with its token, and nowhere else")
    func container() async throws {
        let receiver = try await Receiver { request in
            request.headers.first(name: "authorization") == "secret-token"
                ? .answer(200, body: Self.answer()) : .answer(403)
        }
        let environment = Self.none.merging([
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(receiver.port)/creds",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret-token",
        ]) { $1 }
        #expect(
            try await found(environment)
                == AWSCredentials(accessKeyID: "AK", secretAccessKey: "SK", sessionToken: "TK"))
        await #expect(throws: AWSCredentialChain.NotFound.self) {
            try await found(
                Self.none.merging(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/x"]) {
                    $1
                }
            )
        }
        try await receiver.stop()
    }

    @Test("then the instance's, by a token of its own; kept until five minutes before their end")
    func instance() async throws {
        let role = "/latest/meta-data/iam/security-credentials/"
        let receiver = try await Receiver { request in
            switch (request.method, request.uri) {
            case ("PUT", "/latest/api/token"): return .answer(200, body: Array("tok".utf8))
            case ("GET", role)
            where request.headers.first(name: "x-aws-ec2-metadata-token") == "tok":
                return .answer(200, body: Array("my-role\n".utf8))
            case ("GET", role + "my-role"):
                return .answer(
                    200, body: Self.answer(#","Expiration":"2026-01-01T01:00:00Z""#))
            default: return .answer(404)
            }
        }
        let clock = ManualClock()
        let chain = AWSCredentialChain(
            environment: [
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:\(receiver.port)/"
            ], clock: clock)
        #expect(try await chain.credentials().expiresAt == .second(3_600))
        clock.advance(seconds: 3_299)
        _ = try await chain.credentials()
        #expect(receiver.received.count == 3)
        clock.advance(seconds: 1)
        _ = try await chain.credentials()
        #expect(receiver.received.count == 6)
        chain.forget()
        _ = try await chain.credentials()
        #expect(receiver.received.count == 9)
        await chain.shutDown()
        try await receiver.stop()
    }
}
