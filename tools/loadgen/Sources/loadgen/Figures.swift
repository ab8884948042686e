import Foundation
import Histogram

/// Times in nanoseconds, kept to three digits.
struct Times {
    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1_000, highestTrackableValue: 3_600_000_000_000,
        numberOfSignificantValueDigits: .three)
    private(set) var least = Int64.max
    private(set) var greatest = Int64.min
    private(set) var count = 0

    mutating func record(_ nanoseconds: Int64) {
        least = min(least, nanoseconds)
        greatest = max(greatest, nanoseconds)
        count += 1
        guard histogram.record(UInt64(max(0, nanoseconds))) else {
            fail("a time of \(nanoseconds) ns is beyond what can be kept")
        }
    }

    /// Milliseconds at the usual percentiles; nothing where nothing was recorded.
    var summary: [String: Double]? {
        guard count > 0 else { return nil }
        func at(_ percentile: Double) -> Double {
            Double(histogram.valueAtPercentile(percentile)) / 1e6
        }
        return [
            "p50_ms": at(50), "p90_ms": at(90), "p99_ms": at(99), "p999_ms": at(99.9),
            "min_ms": Double(least) / 1e6, "max_ms": Double(greatest) / 1e6,
        ]
    }
}

/// Ends the process: what was measured until now is worth nothing.
func fail(_ what: String) -> Never {
    FileHandle.standardError.write(Data("loadgen: \(what)\n".utf8))
    exit(1)
}

/// Prints one JSON object as one line, at once.
func say(_ figures: [String: Any]) {
    guard let line = try? JSONSerialization.data(withJSONObject: figures, options: [.sortedKeys])
    else { fail("a result cannot be written") }
    FileHandle.standardOutput.write(line + Data("\n".utf8))
}
