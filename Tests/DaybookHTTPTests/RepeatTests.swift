import DaybookCore
import DaybookEngine
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

/// What is asked or said a second time.
@Suite("Said twice")
struct RepeatTests {
    @Test("a replayed answer about a version shows what was active then, not what is now")
    func versionThen() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let base = "/workflows/\(workflow)/versions"
            let save = (path: base, body: #"{"mark_as_active":true}"#)
            let edit = (path: base + "/0/definition", body: #"{"executor":{"type":"echo"}}"#)
            let edited = try await api.call(
                .put, edit.path, edit.body, headers: [.idempotencyKey: "e"])
            #expect(edited.json["is_active"] as? Bool == true)
            let saved = try await api.call(
                .post, save.path, save.body, headers: [.idempotencyKey: "s"])
            #expect(saved.json["is_active"] as? Bool == true)
            let again = try await api.call(
                .put, edit.path, edit.body, headers: [.idempotencyKey: "e"])
            #expect(again.body == edited.body)
            _ = try await api.call(.post, base + "/0/activate", "{}")
            let savedAgain = try await api.call(
                .post, save.path, save.body, headers: [.idempotencyKey: "s"])
            #expect(savedAgain.headers[.idempotentReplayed] == "true")
            #expect(savedAgain.body == saved.body)
        }
    }

    @Test("the same failure again is no mistake, also once its retry is queued, or runs, or ran")
    func failedAgain() async throws {
        try await TestAPI.run { api in
            let team = try api.teamOfAdmin()
            let workflow = try await api.waitingWorkflow()
            _ = try await api.call(
                .patch, "/workflows/\(workflow)",
                #"{"retry":{"max_attempts":3,"initial_backoff_seconds":0,"max_backoff_seconds":0}}"#
            )
            let run = try await api.call(.post, "/workflows/\(workflow)/execute", "{}").id
            let path = "/workflow-runs/\(run)"
            func claim() async throws {
                _ = try await api.submit(
                    .claim(.worker("nobody"), worker: "w", leaseSeconds: 60), team: team)
            }
            try await claim()
            let body = #"{"attempt":1,"reason":"error","message":"no"}"#
            #expect(try await api.call(.post, path + "/fail", body).status == 200)
            var read = try await api.call(.get, path)
            let deadline = api.clock.now().adding(seconds: 60)
            while !read.text.contains(#""not_before":null"#), api.clock.now() < deadline {
                read = try await api.call(.get, path)
            }
            #expect(try await api.call(.post, path + "/fail", body).status == 200)
            try await claim()
            let before = try api.position()
            #expect(try await api.call(.post, path + "/fail", body).status == 200)
            for other in [
                #"{"attempt":1,"reason":"error","message":"yes"}"#,
                #"{"attempt":1,"reason":"timeout","message":"no"}"#, #"{"attempt":1}"#,
            ] {
                #expect(try await api.call(.post, path + "/fail", other).status == 409)
            }
            #expect(try api.position() == before)
            _ = try await api.call(.post, path + "/release", #"{"attempt":2}"#)
            let never = #"{"attempt":2,"reason":"error","message":"no"}"#
            #expect(try await api.call(.post, path + "/fail", never).status == 409)
        }
    }
}
