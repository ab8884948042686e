import DaybookCore
import DaybookEngine
import DaybookStore
import DaybookWire
import Foundation
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// The end of versions, what is different between two, and workflows that move elsewhere.
@Suite("Versions and bundles", .timeLimit(.minutes(5)))
struct VersionTests {
    private static let secretive = """
        {"executor":{"type":"http","url":"https://example.com/a","timeout_seconds":5,\
        "headers":{"X-Team":"one","X-Key":{"secret":"s1"}}}}
        """

    @Test("a version goes only when nothing needs it, and its number never comes back")
    func deletion() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let versions = "/workflows/\(workflow)/versions"
            for _ in 1...3 { _ = try await api.call(.post, versions, "{}") }
            func delete(_ number: Int) async throws -> TestAPI.Answer {
                try await api.call(.delete, "\(versions)/\(number)")
            }
            #expect(try await delete(0).code == "version_in_use")
            _ = try await api.call(.post, "\(versions)/1/activate", "{}")
            #expect(try await delete(1).json["detail"] as? String == "it is the active one")
            let promise = try await api.schedule(workflow, more: #","version":2"#)
            let pinned = try await delete(2)
            #expect(pinned.status == 409 && pinned.json["pending"] as? Int == 1)
            _ = try await api.call(.patch, "/workflow-schedules/\(promise)", #"{"version":null}"#)
            let run = try await api.call(
                .post, "/workflows/\(workflow)/execute?version=2", "{}")
            let needed = try await delete(2)
            #expect(needed.status == 409 && needed.json["unfinished_runs"] as? Int == 1)
            _ = try await api.call(.post, "/workflow-runs/\(run.id)/cancel", "{}")
            #expect(try await delete(2).status == 200)
            #expect(try await delete(2).status == 404)
            #expect(try await delete(3).status == 200)
            let next = try await api.call(.post, versions, "{}")
            #expect(next.json["version_number"] as? Int == 4)
            let list = try await api.call(.get, versions).items
            #expect(list.compactMap { $0["version_number"] as? Int } == [4, 1, 0])
            // A run that has ended still tells what it ran.
            let ended = try await api.call(.get, "/workflow-runs/\(run.id)")
            #expect(ended.json["version"] as? Int == 2)
        }
    }

    @Test("a diff tells path, old and new, and shows no secret")
    func diff() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.workflow(Self.secretive)
            let path = "/workflows/\(workflow)/versions"
            _ = try await api.call(.post, path, "{}")
            let kept = Self.secretive.replacing(#"{"secret":"s1"}"#, with: #"{"secret":true}"#)
                .replacing("/a", with: "/b").replacing(#","timeout_seconds":5"#, with: "")
            let edited = try await api.call(.put, "\(path)/0/definition", kept)
            #expect(edited.status == 200, "\(edited.text)")
            let diff = try await api.call(.get, "\(path)/1/diff/0")
            #expect(
                diff.text.contains(
                    #""changes":[{"path":"executor.timeout_seconds","old":5},{"path":"executor.url","old":"https://example.com/a","new":"https://example.com/b"}]"#
                ), "\(diff.text)")
            _ = try await api.call(
                .put, "\(path)/0/definition", Self.secretive.replacing("s1", with: "s2"))
            let secrets = try await api.call(.get, "\(path)/1/diff/0")
            #expect(
                secrets.text.contains(
                    #"[{"path":"executor.headers.X-Key","old":{"secret": true},"new":{"secret": true}}]"#
                ), "\(secrets.text)")
            #expect(!secrets.text.contains("sealed"))
            #expect(try await api.call(.get, "\(path)/1/diff/9").status == 404)
        }
    }

    @Test("an exported workflow is made anew elsewhere, once its secrets are filled in")
    func bundle() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.workflow(Self.secretive)
            let versions = "/workflows/\(workflow)/versions"
            for name in ["one", "two", "three"] {
                _ = try await api.call(.post, versions, #"{"version_name":"\#(name)"}"#)
            }
            _ = try await api.call(.delete, "\(versions)/1")
            _ = try await api.call(.post, "\(versions)/2/activate", "{}")
            let bundle = try await api.call(.get, "/workflows/\(workflow)/export")
            #expect(bundle.status == 200 && !bundle.text.contains("s1"))
            let part = try await api.call(.get, "/workflows/\(workflow)/export?versions=3")
            let numbers = (part.json["versions"] as? [[String: any Sendable]])?
                .compactMap { $0["version_number"] as? Int }
            #expect(numbers == [2, 3], "the active one is always there")
            #expect(
                try await api.call(.get, "/workflows/\(workflow)/export?versions=1").status == 422)
            let other = try await api.newKey(.write, of: try await api.newTeam())
            let refused = try await api.call(
                .post, "/workflows/import", bundle.text, key: other)
            #expect(refused.status == 422)
            #expect(refused.text.contains("/versions/0/definition"), "\(refused.text)")
            let filled = bundle.text.replacing(#"{"secret": true}"#, with: #"{"secret":"n"}"#)
            let made = try await api.call(.post, "/workflows/import", filled, key: other)
            #expect(made.status == 201, "\(made.text)")
            #expect(made.json["active_version"] as? Int == 2)
            #expect(made.json["secret"] is String)
            let read = try await api.call(
                .get, "/workflows/\(made.id)/versions/3", key: other)
            #expect(read.json["version_name"] as? String == "three", "\(read.text)")
            let copy = try await api.call(
                .post, "/workflows/\(made.id)/versions", #"{"source_version_number":3}"#,
                key: other)
            #expect(copy.json["version_number"] as? Int == 4)
            let diff = try await api.call(
                .get, "/workflows/\(made.id)/versions/3/diff/4", key: other)
            #expect(diff.text.contains(#""changes":[]"#))
            let run = try await api.call(
                .post, "/workflows/\(made.id)/execute?wait=5", #"{"run_input":1}"#, key: other)
            #expect(run.json["version"] as? Int == 2, "\(run.text)")
            let again = try await api.call(
                .get, "/workflows/\(made.id)/export?versions=2,3", key: other)
            #expect(again.text == bundle.text)
        }
    }

    @Test("a bundle that does not hold together makes nothing")
    func badBundles() async throws {
        try await TestAPI.run { api in
            let before = try api.position()
            let good = #"{"executor":{"type":"echo"}}"#
            for (versions, active) in [
                ("[]", 3),
                (
                    #"[{"version_number":2,"definition":\#(good)},{"version_number":1,"definition":\#(good)}]"#,
                    1
                ),
                (#"[{"version_number":0,"definition":\#(good)}]"#, 0),
                (#"[{"version_number":1}]"#, 1), (#"[{"version_number":1,"definition":{}}]"#, 0),
                (#"[{"version_number":1,"definition":\#(good),"colour":1}]"#, 0), ("{}", 0),
            ] {
                let answer = try await api.call(
                    .post, "/workflows/import",
                    #"{"format":"daybook-workflow","format_version":1,"name":"a","active_version":\#(active),"definition":\#(good),"versions":\#(versions)}"#
                )
                #expect(answer.status == 422, "\(versions) \(answer.text)")
            }
            let foreign = try await api.call(
                .post, "/workflows/import",
                #"{"format":"other","format_version":2,"name":"a","definition":\#(good)}"#)
            #expect(foreign.status == 422 && foreign.text.contains("/format_version"))
            #expect(try api.position() == before)
        }
    }
}
