import DaybookCore
import DaybookEngine
import DaybookWire
import Foundation
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// Secrets go in, and come out to receivers alone.
@Suite("Secrets")
struct SecretTests {
    private static let canary = "canary-d41d8c"

    private static func definition(_ header: String, url: String = "https://example.com/") -> String
    {
        #"{"executor":{"type":"http","url":"\#(url)","headers":{\#(header)}}}"#
    }

    /// What a header of the version holds, opened.
    private static func opened(
        _ api: TestAPI, _ workflow: String, _ version: Int, _ name: String
    ) throws -> String? {
        let team = try api.teamOfAdmin()
        let id = try #require(WorkflowID(hex: workflow))
        let detail = try #require(try api.engine.version(version, of: id, team: team))
        let definition = try #require(WorkflowDefinition(stored: detail.definition.bytes))
        guard case .sealed(let text) = definition.headers.first(where: { $0.name == name })?.value
        else { return nil }
        let sealed = try #require(SealedSecret(text: text))
        return String(
            decoding: try api.engine.open(sealed, for: .header, of: team), as: UTF8.self)
    }

    @Test("a header's secret is kept over edits and in snapshots, and no answer has it")
    func keptSecret() async throws {
        try await TestAPI.run { api in
            let secret = #""X-Token":{"secret":"\#(Self.canary)"}"#
            var answers = [
                try await api.call(
                    .post, "/workflows", #"{"name":"n","definition":\#(Self.definition(secret))}"#)
            ]
            let id = answers[0].id
            let base = "/workflows/\(id)"
            #expect(try Self.opened(api, id, 0, "X-Token") == Self.canary)
            answers.append(try await api.call(.post, base + "/versions"))
            let kept = Self.definition(
                #""a":"1","x-token":{"secret":true}"#, url: "https://example.com/b")
            answers.append(try await api.call(.put, base + "/versions/0/definition", kept))
            #expect(try Self.opened(api, id, 0, "x-token") == Self.canary)
            let other = Self.definition(#""x-token":{"secret":"\#(Self.canary)-2"}"#)
            answers.append(try await api.call(.put, base + "/versions/0/definition", other))
            #expect(try Self.opened(api, id, 0, "x-token") == Self.canary + "-2")
            #expect(try Self.opened(api, id, 1, "X-Token") == Self.canary)
            // A mistake beside a secret does not show it either.
            let wrong = Self.definition(#""X\n":"1",\#(secret)"#)
            let refused = try await api.call(.put, base + "/versions/0/definition", wrong)
            #expect(refused.status == 422)
            answers.append(refused)
            for path in ["", "/versions", "/versions/0", "/versions/1"] {
                answers.append(try await api.call(.get, base + path))
            }
            answers.append(try await api.call(.get, "/workflows"))
            for answer in answers {
                #expect(!answer.text.contains(Self.canary), "\(answer.text)")
                #expect(!answer.text.contains("sealed"), "\(answer.text)")
            }
            #expect(answers[1].text.contains(#""X-Token":{"secret": true}"#))
        }
    }

    @Test("no file has a secret or a key in clear")
    func files() async throws {
        try await TestAPI.run { api in
            let definition = Self.definition(#""A":{"secret":"\#(Self.canary)"}"#)
            let made = try await api.call(
                .post, "/workflows", #"{"name":"n","definition":\#(definition)}"#)
            let signing = try WebhookSecret(try #require(made.json["secret"] as? String))
            let key = try #require(APIKeyText(api.adminKey))
            let workflow = made.id
            let hooks = try await ["standard", "bearer", "none"].asyncMap { type in
                try await api.call(
                    .post, "/workflow-triggers",
                    #"{"kind":"webhook","workflow_id":"\#(workflow)","name":"t","verification":{"type":"\#(type)"}}"#
                )
            }
            let token = "canary-bearer-71f2"
            let told = try await api.call(
                .post, "/workflow-webhooks",
                #"{"name":"s","url":"https://example.com/","actions":["workflow_created"],"bearer_token":"\#(token)"}"#
            )
            var secrets = try (hooks + [told]).map { answer in
                Array(try #require(answer.json["secret"] as? String, "\(answer.text)").utf8)
            }
            secrets.append(try WebhookSecret(String(decoding: secrets[0], as: UTF8.self)).bytes)
            secrets.append(try WebhookSecret(String(decoding: secrets[3], as: UTF8.self)).bytes)
            secrets.append(Array(token.utf8))
            let files = try #require(
                FileManager.default.enumerator(
                    at: URL(fileURLWithPath: api.directory), includingPropertiesForKeys: nil)
            ).compactMap { $0 as? URL }.filter { !$0.hasDirectoryPath }
            #expect(files.contains { $0.lastPathComponent == "data.mdb" })
            for file in files {
                let bytes = try Data(contentsOf: file)
                for secret in [
                    Array(Self.canary.utf8), signing.bytes, Array(signing.text.utf8.dropFirst(6)),
                    Array(key.secret.utf8),
                ] + secrets {
                    #expect(bytes.range(of: Data(secret)) == nil, "\(file.lastPathComponent)")
                }
            }
        }
    }

    @Test("a secret is shown by the answer that made it, and by no other")
    func signingSecret() async throws {
        try await TestAPI.run { api in
            let made = try await api.call(
                .post, "/workflows", #"{"name":"n","definition":{"executor":{"type":"echo"}}}"#)
            let path = "/workflows/\(made.id)"
            let rotated = try await api.call(.post, path + "/secret/rotate")
            let texts = [made, rotated].compactMap { $0.json["secret"] as? String }
            #expect(Set(texts).count == 2)
            for text in texts { #expect(try WebhookSecret(text).bytes.count == 32) }
            for answer in [
                try await api.call(.get, path), try await api.call(.get, "/workflows"),
                try await api.call(.patch, path, #"{"name":"other"}"#),
                try await api.call(.patch, path + "/concurrency", #"{"max_concurrent_runs":1}"#),
                try await api.call(.post, path + "/versions/0/activate"),
                try await api.call(.post, path + "/secret/rotate", #"{"x":1}"#),
            ] {
                #expect(!answer.text.contains("whsec_"))
                #expect(answer.json["secret"] == nil)
            }
        }
    }
}

extension Array {
    fileprivate func asyncMap<New>(_ map: (Element) async throws -> New) async rethrows -> [New] {
        var new: [New] = []
        for element in self { new.append(try await map(element)) }
        return new
    }
}
