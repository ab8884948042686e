import CoreMetrics
import HTTPTypes

/// Requests by route and class of status, and how long the answers took. Routes are those of the table, never
/// paths with ids in them.
final class HTTPMetrics: Sendable {
    private let requests: [String: [Counter]]
    private let durations: [String: Timer]

    init(_ factory: any MetricsFactory) {
        var requests: [String: [Counter]] = [:]
        for route in Route.all {
            requests[route.label] = (2...5).map { statusClass in
                Counter(
                    label: "daybook_http_requests",
                    dimensions: [("route", route.label), ("status", "\(statusClass)xx")],
                    factory: factory)
            }
        }
        self.requests = requests
        durations = Dictionary(
            uniqueKeysWithValues: ["read", "command", "wait"].map { kind in
                (
                    kind,
                    Timer(
                        label: "daybook_http_request_duration", dimensions: [("kind", kind)],
                        factory: factory)
                )
            })
    }

    func note(_ route: Route, _ status: HTTPResponse.Status, microseconds: Int64) {
        let place = status.code / 100 - 2
        if let counters = requests[route.label], counters.indices.contains(place) {
            counters[place].increment()
        }
        let kind = route.takesTime ? "wait" : route.method == .get ? "read" : "command"
        durations[kind]?.recordMicroseconds(microseconds)
    }
}

extension Route {
    fileprivate var label: String { "\(method) \(path)" }
}
