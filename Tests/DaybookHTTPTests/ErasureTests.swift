import DaybookCore
import DaybookEngine
import DaybookStore
import Foundation
import HTTPTypes
import Testing

@testable import DaybookHTTP

@Suite("Erasure over REST")
struct ErasureTests {
    /// A run that failed once with a message and then ended with an output, each with a word that must go.
    private func finishedRun(
        _ api: TestAPI, _ workflow: String, _ word: String
    ) async throws -> String {
        let run = try await api.call(
            .post, "/workflows/\(workflow)/execute", #"{"run_input":"\#(word)-input"}"#
        ).id
        for attempt in 1...2 {
            let claim = try await api.call(
                .post, "/queues/nobody/claim", #"{"worker":"w","max":1,"wait_seconds":20}"#)
            #expect((claim.json["runs"] as? [Any])?.count == 1, "\(claim.text)")
            if attempt == 1 {
                let answer = try await api.call(
                    .post, "/workflow-runs/\(run)/fail",
                    #"{"attempt":1,"reason":"error","message":"\#(word)-message"}"#)
                #expect(answer.status == 200)
            }
        }
        let answer = try await api.call(
            .post, "/workflow-runs/\(run)/complete", #"{"attempt":2,"output":"\#(word)-output"}"#)
        #expect(answer.status == 200, "\(answer.text)")
        return run
    }

    private static let definition =
        #"{"name":"call","definition":{"executor":{"type":"worker","queue":"nobody"}},"#
        + #""retry":{"max_attempts":2,"initial_backoff_seconds":0,"max_backoff_seconds":0}}"#

    @Test("everything that the run brought is gone from every answer, and the log is well")
    func erase() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.call(.post, "/workflows", Self.definition).id
            let run = try await finishedRun(api, workflow, "canary")
            let other = try await finishedRun(api, workflow, "stays")
            let before = try await api.call(.get, "/workflow-runs/\(run)")
            #expect(before.text.contains("canary-input") && before.text.contains("canary-output"))
            #expect(before.json["erased"] == nil)

            let path = "/workflow-runs/\(run)/erase"
            let key: [HTTPField.Name: String] = [HTTPField.Name("Idempotency-Key")!: "once"]
            let erased = try await api.call(.post, path, "{}", headers: key)
            #expect(erased.status == 200, "\(erased.text)")
            #expect(erased.json["erased"] as? Bool == true)
            let position = try #require(erased.position)
            let again = try await api.call(.post, path, "{}", headers: key)
            #expect(again.position == position && again.status == 200)
            // Nothing is left to erase: no entry.
            let third = try await api.call(.post, path)
            #expect(third.status == 200 && third.position == position)

            for answer in [
                "/workflow-runs/\(run)", "/workflow-runs", "/workflow-runs/\(run)/why",
                "/workflow-runs/\(run)/history", "/log?limit=100",
                "/workflow-runs/\(run)?as_of=\(position - 1)",
            ] {
                let text = try await api.call(.get, answer).text
                #expect(!text.contains("canary"), "\(answer): \(text)")
            }
            for at in 1...position {
                let text = try await api.call(.get, "/log/\(at)?payloads=true").text
                for word in ["canary-input", "canary-output", "canary-message"] {
                    let base64 = Data(word.utf8).base64EncodedString()
                    #expect(!text.contains(base64.dropLast(4)), "\(at)")
                }
            }
            #expect(
                try await api.call(.get, "/workflow-runs/\(other)").text.contains("stays-output"))
            let history = try await api.call(.get, "/workflow-runs/\(run)/history")
            let last = try #require(history.items.first)
            #expect(last["command"] as? String == "erase")
            #expect((last["actor"] as? String)?.hasPrefix("key:") == true)
            let (seen, finding) = try api.engine.read { try $0.checkLog() }
            #expect(finding == nil)
            #expect(seen.erasedPayloads == 3 && seen.payloads == 3)
        }
    }

    @Test("a schedule goes with its run, and what is pending only with force")
    func schedules() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.waitingWorkflow()
            let pending = try await api.call(
                .post, "/workflows/\(workflow)/schedules",
                #"{"scheduled_time":"2999-01-01T00:00:00Z","run_input":"canary"}"#
            ).id
            let path = "/workflow-schedules/\(pending)"
            _ = try await api.call(.patch, path, #"{"run_input":"canary-again"}"#)
            let refused = try await api.call(.post, path + "/erase")
            #expect(refused.status == 409 && refused.code == "not_finished", "\(refused.text)")
            #expect(try await api.call(.post, path + "/erase", #"{"force":1}"#).status == 422)
            let forced = try await api.call(.post, path + "/erase", #"{"force":true}"#)
            #expect(forced.status == 200 && forced.json["erased"] as? Bool == true)
            #expect(forced.json["status"] as? String == "pending")
            let event = try #require(
                try api.engine.entry(at: Position(forced.position ?? 0))?.entry.events.first)
            guard case .payloadsErased(let erased) = event else {
                Issue.record("\(event)")
                return
            }
            #expect(erased.payloads.count == 2)
            let run = try await api.call(
                .post, "/workflows/\(workflow)/execute", #"{"run_input":1}"#
            ).id
            let running = try await api.call(.post, "/workflow-runs/\(run)/erase")
            #expect(running.status == 409 && running.code == "run_state")
            _ = try await api.call(.post, "/workflow-runs/\(run)/cancel")
            #expect(try await api.call(.post, "/workflow-runs/\(run)/erase").status == 200)
            let nobody = "0123456789abcdef01234567"
            #expect(try await api.call(.post, "/workflow-runs/\(nobody)/erase").status == 404)
            let mismatch = try await api.call(
                .post, path + "/erase", #"{"force":true}"#, headers: [.ifMatch: "\"77\""])
            #expect(mismatch.status == 412)
        }
    }
}
