import CoreMetrics
import Synchronization

/// Keeps what is measured and shows it in Prometheus' text format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
///
/// Counters get the suffix `_total`. Timers become histograms in seconds with the suffix `_seconds`,
/// recorders that aggregate become histograms, and others gauges.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    private struct Name: Hashable, Comparable {
        let family: String
        let labels: String

        static func < (left: Self, right: Self) -> Bool {
            (left.family, left.labels) < (right.family, right.labels)
        }
    }

    private let series = Mutex<[Name: any Series]>([:])

    /// Half a millisecond to an hour: from the lag of a timer to the wait behind a small license.
    private static let seconds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
        300, 1_800, 3_600,
    ]
    private static let counts: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000]

    package init() {}

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label + "_total", dimensions) { Sum() }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate
            ? find(label, dimensions) { Histogram(Self.counts, unit: 1) }
            : find(label, dimensions) { Gauge() }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label + "_seconds", dimensions) { Histogram(Self.seconds, unit: 1e-9) }
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    /// Everything that was measured.
    package var text: String {
        var text = ""
        var family: String?
        for (name, series) in series.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            if name.family != family { text += "# TYPE \(name.family) \(series.type)\n" }
            family = name.family
            for sample in series.samples {
                let labels = [name.labels, sample.labels].filter { !$0.isEmpty }
                    .joined(separator: ",")
                text += name.family + sample.suffix + (labels.isEmpty ? "" : "{\(labels)}")
                text += " \(sample.value)\n"
            }
        }
        return text
    }

    private func find<Made: Series>(
        _ family: String, _ dimensions: [(String, String)], _ make: () -> Made
    ) -> Made {
        let labels = dimensions.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        let name = Name(family: family, labels: labels)
        return series.withLock { series in
            if let found = series[name] as? Made { return found }
            let made = make()
            series[name] = made
            return made
        }
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("\n", with: "\\n")
    }
}

/// The values of one name and one set of labels.
private protocol Series: AnyObject, Sendable {
    var type: String { get }
    var samples: [Sample] { get }
}

private struct Sample {
    let suffix: String
    let labels: String
    let value: String

    init(_ value: String, suffix: String = "", labels: String = "") {
        self.suffix = suffix
        self.labels = labels
        self.value = value
    }
}

private final class Sum: CounterHandler, Series {
    private let value = Mutex<Int64>(0)

    func increment(by amount: Int64) { value.withLock { $0 += amount } }
    func reset() { value.withLock { $0 = 0 } }

    var type: String { "counter" }
    var samples: [Sample] { [Sample("\(value.withLock { $0 })")] }
}

private final class Gauge: RecorderHandler, Series {
    private let value = Mutex<Double>(0)

    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { self.value.withLock { $0 = value } }

    var type: String { "gauge" }
    var samples: [Sample] { [Sample("\(value.withLock { $0 })")] }
}

private final class Histogram: RecorderHandler, TimerHandler, Series {
    private struct State {
        var counts: [Int]
        var sum = 0.0
    }

    private let bounds: [Double]
    /// What one unit of the recorded integers is.
    private let unit: Double
    private let state: Mutex<State>

    init(_ bounds: [Double], unit: Double) {
        self.bounds = bounds
        self.unit = unit
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration)) }

    func record(_ value: Double) {
        let value = value * unit
        let place = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[place] += 1
            state.sum += value
        }
    }

    var type: String { "histogram" }

    var samples: [Sample] {
        let state = state.withLock { $0 }
        var total = 0
        var samples: [Sample] = []
        for (bound, count) in zip(bounds.map { "\($0)" } + ["+Inf"], state.counts) {
            total += count
            samples.append(Sample("\(total)", suffix: "_bucket", labels: "le=\"\(bound)\""))
        }
        samples.append(Sample("\(state.sum)", suffix: "_sum"))
        samples.append(Sample("\(total)", suffix: "_count"))
        return samples
    }
}
