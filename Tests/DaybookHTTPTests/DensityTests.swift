import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

@Suite("Density of schedules")
struct DensityTests {
    private static let path = "/workflow-schedules/density"

    @Test("the counts are those of the schedules, however many answers they come in")
    func counts() async throws {
        for numbers in RandomCases(1) { try await count(numbers) }
    }

    private func count(_ seeded: SeededGenerator) async throws {
        var numbers = seeded
        let count = 120
        let times = (0..<count).map { _ in
            Instant(
                microseconds: 2_000_000_000_000_000 + Int64(numbers.next() % 7_000_000_000))
        }
        let from = Instant(microseconds: 2_000_000_000_000_000)
        let to = Instant(microseconds: 2_000_007_000_000_000)
        var settings = TestAPI.settings
        settings.densityWork = 50
        settings.listWorkPerSnapshot = 20
        try await TestAPI.run(settings: settings) { [numbers] api in
            var numbers = numbers
            let workflow = try await api.waitingWorkflow()
            let other = try await api.waitingWorkflow()
            var cancelled: Set<Int> = []
            for (index, time) in times.enumerated() {
                let id = try await api.call(
                    .post, "/workflows/\(index % 4 == 0 ? other : workflow)/schedules",
                    #"{"scheduled_time":"\#(RFC3339.format(time))"}"#
                ).id
                guard numbers.next() % 5 == 0 else { continue }
                #expect(try await api.call(.delete, "/workflow-schedules/\(id)").status == 200)
                cancelled.insert(index)
            }
            for buckets in [1, 7, 500] {
                for only in [nil, workflow] {
                    var pending: [String: Int] = [:]
                    var ended: [String: Int] = [:]
                    var cursor: String?
                    var answers = 0
                    repeat {
                        var query = "from=\(RFC3339.format(from))&to=\(RFC3339.format(to))"
                        query += "&buckets=\(buckets)"
                        if let only { query += "&workflow_id=\(only)" }
                        if let cursor { query += "&cursor=\(cursor)" }
                        let answer = try await api.call(.get, "\(Self.path)?\(query)")
                        try #require(answer.status == 200, "\(answer.text)")
                        for item in try #require(answer.json["items"] as? [[String: Any]]) {
                            let start = try #require(item["from"] as? String)
                            pending[start, default: 0] += try #require(item["pending"] as? Int)
                            ended[start, default: 0] += try #require(item["cancelled"] as? Int)
                        }
                        cursor = answer.json["next_cursor"] as? String
                        answers += 1
                    } while cursor != nil
                    #expect(answers == 3)
                    var wanted: (pending: [Int], ended: [Int]) = ([], [])
                    for part in 0..<buckets {
                        let inside = times.indices.filter { index in
                            let offset = times[index].microseconds(since: from)
                            return Int(offset) * buckets / 7_000_000_000 == part
                                && (only == nil || index % 4 != 0)
                        }
                        guard !inside.isEmpty else { continue }
                        wanted.ended.append(inside.count(where: { cancelled.contains($0) }))
                        wanted.pending.append(inside.count - (wanted.ended.last ?? 0))
                    }
                    let order = pending.keys.sorted { left, right in
                        guard let left = try? RFC3339.parse(left),
                            let right = try? RFC3339.parse(right)
                        else { return false }
                        return left < right
                    }
                    #expect(
                        order.map { pending[$0] ?? 0 } == wanted.pending,
                        "\(buckets) \(seeded.hint)")
                    #expect(
                        order.map { ended[$0] ?? 0 } == wanted.ended, "\(buckets) \(seeded.hint)")
                }
            }
        }
    }

    @Test("what is no span is refused, and the widest one is none too wide")
    func spans() async throws {
        try await TestAPI.run { api in
            for query in [
                "", "?from=2030-01-01T00:00:00Z&to=2030-01-01T00:00:00Z&buckets=1",
                "?from=2030-01-02T00:00:00Z&to=2030-01-01T00:00:00Z&buckets=1",
                "?from=2030-01-01T00:00:00Z&to=2031-01-01T00:00:00Z&buckets=501",
                "?from=2030-01-01T00:00:00Z&to=2031-01-01T00:00:00Z&buckets=0",
                "?from=2030-01-01T00:00:00Z&to=2031-01-01T00:00:00Z&buckets=1&cursor=x",
            ] {
                #expect(try await api.call(.get, Self.path + query).status == 422, "\(query)")
            }
            let workflow = try await api.waitingWorkflow()
            let last = "9999-12-31T23:59:59.999998Z"
            _ = try await api.call(
                .post, "/workflows/\(workflow)/schedules", #"{"scheduled_time":"\#(last)"}"#)
            let answer = try await api.call(
                .get,
                Self.path
                    + "?from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59.999999Z&buckets=500")
            #expect((answer.json["items"] as? [[String: Any]])?.count == 1, "\(answer.text)")
        }
    }
}
