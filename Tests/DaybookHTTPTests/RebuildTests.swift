import DaybookCore
import DaybookEngine
import DaybookStore
import HTTPTypes
import Testing

@testable import DaybookHTTP

@Suite("Rebuild beside the service", .timeLimit(.minutes(5)))
struct RebuildTests {
    private func finished(_ api: TestAPI) async throws -> TestAPI.Answer {
        while true {
            let answer = try await api.call(.get, "/rebuild")
            #expect(answer.status == 200, "\(answer.text)")
            if answer.json["finished_at"] is String { return answer }
            await Task.yield()
        }
    }

    @Test("promises are kept meanwhile, and everything is as before")
    func whileServing() async throws {
        try await TestAPI.run { api in
            #expect(try await api.call(.get, "/rebuild").status == 404)
            let workflow = try await api.workflow()
            for _ in 0..<30 {
                _ = try await api.call(.post, "/workflows/\(workflow)/execute", "{}")
            }
            let position = try api.position()
            let begun = try await api.call(.post, "/rebuild")
            #expect(begun.status == 202, "\(begun.text)")
            #expect(begun.json["started_at"] is String)
            // Asked again it is the same one.
            let again = try await api.call(.post, "/rebuild", "{}")
            #expect(again.status == 202)
            var runs = 0
            repeat {
                let run = try await api.call(.post, "/workflows/\(workflow)/execute?wait=20", "{}")
                #expect(run.json["status"] as? String == "completed", "\(run.text)")
                runs += 1
            } while try await !(api.call(.get, "/rebuild").json["finished_at"] is String)
            let answer = try await finished(api)
            #expect(answer.json["status"] as? String == "finished", "\(answer.text)")
            #expect(answer.json["differences"] as? Int == 0, "\(answer.text)")
            #expect((answer.json["entries"] as? Int ?? 0) >= position)
            let license = try await api.call(.get, "/license")
            #expect(license.json["in_progress"] as? Int == 0)
            #expect(try api.engine.read { try $0.checkIndexes() } == nil)
            let run = try await api.call(.post, "/workflows/\(workflow)/execute?wait=20", "{}")
            #expect(run.json["status"] as? String == "completed")
            let second = try await api.call(.post, "/rebuild")
            #expect(second.status == 202)
            _ = try await finished(api)
        }
    }
}
