import CoreMetrics
import DaybookCore
import DaybookEngine
import Foundation
import HTTPTypes
import Support
import Testing

@testable import DaybookHTTP

@Suite("Metrics", .timeLimit(.minutes(5)))
struct MetricsTests {
    @Test("names, types, labels and buckets are as Prometheus reads them")
    func text() {
        let registry = PrometheusRegistry()
        let counter = Counter(label: "b", dimensions: [("k", "a\"\\\n")], factory: registry)
        counter.increment(by: 3)
        Counter(label: "b", dimensions: [("k", "a\"\\\n")], factory: registry).increment()
        Recorder(label: "a", dimensions: [], aggregate: false, factory: registry).record(2.5)
        let timer = Timer(label: "c", dimensions: [], factory: registry)
        timer.recordMilliseconds(2)
        timer.recordSeconds(7_200)
        let lines = registry.text.split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(4) == [
                "# TYPE a gauge", "a 2.5", "# TYPE b_total counter",
                #"b_total{k="a\"\\\n"} 4"#,
            ])
        #expect(lines.contains("# TYPE c_seconds histogram"))
        #expect(lines.contains(#"c_seconds_bucket{le="0.001"} 0"#))
        #expect(lines.contains(#"c_seconds_bucket{le="0.0025"} 1"#))
        #expect(lines.contains(#"c_seconds_bucket{le="3600.0"} 1"#))
        #expect(lines.contains(#"c_seconds_bucket{le="+Inf"} 2"#))
        #expect(lines.contains("c_seconds_count 2"))
        #expect(lines.contains("c_seconds_sum 7200.002"))
    }

    @Test("each part of a run's way is measured once")
    func lateness() async throws {
        try await TestAPI.run { api in
            let workflow = try await api.workflow()
            let made = try await api.call(
                .post, "/workflows/\(workflow)/execute?wait=60", "{}")
            #expect(made.status == 200, "\(made.text)")
            let promised = try await api.soon(workflow)
            while try await api.call(.get, "/workflow-schedules/\(promised.id)").json["status"]
                as? String != "completed"
            { await Task.yield() }
            // The writer counts after it has answered: the next commit comes after that.
            _ = try await api.call(.post, "/workflows/\(workflow)/execute?wait=60", "{}")
            let answer = try await api.call(.get, "/metrics")
            #expect(answer.status == 200)
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            let text = answer.text
            #expect(text.contains("\ndaybook_timer_lag_seconds_count 1\n"))
            for name in ["slot_wait", "pick_up", "run_duration"] {
                let count = text.firstMatch(
                    of: try Regex(
                        "daybook_\(name)_seconds_count ([0-9]+)", as: (Substring, Substring).self))
                #expect(count.flatMap { Int($0.1) }.map { $0 >= 2 } == true, "\(name): \(text)")
            }
            #expect(text.contains("\ndaybook_inconsistent 0\n"))
            #expect(text.contains("daybook_commands_total{command=\"fire\"} 1\n"))
            let asked = "route=\"POST /workflows/{workflow_id}/execute\",status=\"2xx\""
            #expect(text.contains("daybook_http_requests_total{\(asked)} 2\n"), "\(text)")
            #expect(!text.contains(workflow), "no id is a label")
            for name in [
                "disk_bytes", "map_used_bytes", "oldest_reader_commits", "audit_overdue",
                "mailbox_oldest_microseconds",
            ] { #expect(text.contains("\ndaybook_\(name) "), "\(name)") }
            #expect(text.contains("\ndaybook_log_position \(try api.position())\n"))
            let run = try await api.call(.get, "/workflow-runs?schedule_id=\(promised.id)").items
            let durations = try #require(run.first?["durations"] as? [String: any Sendable])
            #expect((durations["timer_lag_ms"] as? Int).map { $0 >= 0 } == true)
            #expect(durations["slot_wait_ms"] is Int)
            #expect(durations["run_ms"] is Int)
        }
    }

    @Test("dashboard and alert rules ask for what is measured")
    func monitoring() async throws {
        let docs = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("docs/monitoring")
        try await TestAPI.run { api in
            let workflow = try await api.workflow()
            _ = try await api.call(.post, "/workflows/\(workflow)/execute?wait=60", "{}")
            let measured = try await api.call(.get, "/metrics").text
            for name in ["grafana-dashboard.json", "alerts.yml"] {
                let text = try String(
                    contentsOf: docs.appendingPathComponent(name), encoding: .utf8)
                let asked = Set(text.matches(of: /daybook_[a-z_]+/).map { String($0.output) })
                #expect(asked.count > 10)
                for metric in asked {
                    #expect(measured.contains("\n\(metric)"), "\(metric) in \(name)")
                }
            }
        }
    }
}
