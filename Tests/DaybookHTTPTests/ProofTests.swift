import DaybookCore
import DaybookEngine
import DaybookStore
import Foundation
import HTTPTypes
import Testing

@testable import DaybookHTTP

@Suite("Proofs over REST")
struct ProofTests {
    private func hashes(_ answer: TestAPI.Answer) -> [[UInt8]] {
        (answer.json["hashes"] as? [String] ?? []).compactMap { Data(base64Encoded: $0) }
            .map(Array.init)
    }

    private func verifier(_ api: TestAPI) async throws -> NoteVerifier {
        let answer = try await api.call(.get, "/log/public-key", key: "")
        #expect(answer.status == 200)
        return try #require(NoteVerifier(answer.text.trimmingCharacters(in: .newlines)))
    }

    @Test("an entry's bytes, its proof and the signed checkpoint fit together")
    func inclusion() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.workflow()
            for _ in 0..<20 {
                _ = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            }
            let verifier = try await verifier(api)
            for position in [1, 2, 5, 17] {
                let proof = try await api.call(.get, "/log/\(position)/proof")
                #expect(proof.status == 200, "\(proof.text)")
                let bytes = try await api.call(
                    .get, "/log/\(position)", headers: [.accept: "application/protobuf"]
                ).body
                let checkpoint = try Checkpoint(
                    note: proof.json["checkpoint"] as? String ?? "", verifier: verifier)
                #expect(proof.json["position"] as? Int == position)
                #expect(proof.json["tree_size"] as? Int == Int(checkpoint.size))
                #expect(
                    proof.json["leaf_hash"] as? String
                        == Data(Chain.leaf(bytes)).base64EncodedString())
                #expect(
                    Merkle.proves(
                        Chain.leaf(bytes), at: UInt64(position - 1), in: checkpoint.size,
                        by: hashes(proof), root: checkpoint.root))
            }
            // Against a checkpoint that somebody kept from before.
            let then = try await api.call(.get, "/log/4/proof?tree_size=7")
            let before = try Checkpoint(
                note: then.json["checkpoint"] as? String ?? "", verifier: verifier)
            #expect(before.size == 7)
            for query in ["tree_size=3", "tree_size=100000", "tree_size=0", "tree_size=x"] {
                let answer = try await api.call(.get, "/log/4/proof?\(query)")
                #expect(answer.status == 422, "\(query): \(answer.text)")
            }
            for path in ["/log/0/proof", "/log/999999/proof", "/log/x/proof"] {
                #expect(try await api.call(.get, path).status == 404)
            }
        }
    }

    @Test("a later log is shown to continue an earlier one")
    func consistency() async throws {
        try await TestAPI.run { api in
            let verifier = try await verifier(api)
            let old = try await api.call(.get, "/log/checkpoint")
            #expect(old.headers[.contentType] == "text/plain; charset=utf-8")
            let before = try Checkpoint(note: old.text, verifier: verifier)
            let workflow = try await api.workflow()
            _ = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            let now = try Checkpoint(
                note: try await api.call(.get, "/log/checkpoint").text, verifier: verifier)
            #expect(now.size > before.size)
            let proof = try await api.call(
                .get, "/log/consistency?from=\(before.size)&to=\(now.size)")
            #expect(proof.status == 200)
            #expect(
                Merkle.proves(
                    before.root, of: before.size, beginning: now.root, of: now.size,
                    by: hashes(proof)))
            #expect(
                try Checkpoint(
                    note: proof.json["checkpoint"] as? String ?? "", verifier: verifier) == now)
            for query in [
                "", "from=0", "from=0&to=0", "from=9&to=8", "from=1&to=100000", "from=-1",
                "from=x&to=2",
            ] {
                let answer = try await api.call(.get, "/log/consistency?\(query)")
                #expect(answer.status == 422, "\(query): \(answer.text)")
            }
        }
    }

    @Test("with payloads, an entry shows the salts that its digests were made with")
    func payloads() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.workflow()
            let run = try await api.call(
                .post, "/workflows/\(workflow)/execute", #"{"run_input":{"name":"Ada"}}"#)
            let position = try #require(run.position)
            let plain = try await api.call(.get, "/log/\(position)")
            #expect(plain.json["payloads"] == nil)
            let shown = try await api.call(.get, "/log/\(position)?payloads=true")
            let items = try #require(shown.json["payloads"] as? [[String: any Sendable]])
            #expect(items.count == 1)
            let payload = try #require(items.first)
            let salt = try #require(Data(base64Encoded: payload["salt"] as? String ?? ""))
            let bytes = try #require(Data(base64Encoded: payload["base64"] as? String ?? ""))
            #expect(String(decoding: bytes, as: UTF8.self) == #"{"name":"Ada"}"#)
            let entry = try #require(try api.engine.entry(at: Position(position))).entry
            let index = try #require(payload["event_index"] as? Int)
            #expect(
                entry.events[index].payload
                    == SaltedPayload(Array(bytes), salt: Array(salt)).payload)
            let log = try await api.call(.get, "/log?payloads=true&after=\(position - 1)&limit=1")
            #expect(
                ((log.items.first?["payloads"] as? [Any])?.first as? [String: any Sendable])?[
                    "base64"]
                    as? String == payload["base64"] as? String, "\(log.text)")
            let both = try await api.call(
                .get, "/log/\(position)?payloads=true",
                headers: [.accept: "application/protobuf"])
            #expect(both.status == 422)
            #expect(try await api.call(.get, "/log/\(position)?payloads=1").status == 422)
        }
    }

    @Test("a team's key gets proofs of its own entries alone")
    func otherTeams() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.workflow()
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            let position = try #require(run.position)
            let reader = try await api.newKey(.read, of: api.teamOfAdmin())
            #expect(try await api.call(.get, "/log/\(position)/proof", key: reader).status == 200)
            #expect(try await api.call(.get, "/log/1/proof", key: reader).status == 404)
            #expect(try await api.call(.get, "/log/checkpoint", key: reader).status == 200)
            #expect(try await api.call(.get, "/log/checkpoint", key: "").status == 401)
        }
    }
}
