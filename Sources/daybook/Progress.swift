import DaybookCore
import DaybookStore
import Foundation

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// Seconds and thousandths, such as `12.034`.
    var secondsText: String { String(format: "%.3f", seconds) }
}

/// Shows on standard error how far a long walk over the log has come: a bar that is drawn anew where a
/// person watches, otherwise a line now and then.
struct Progress {
    private let verb: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let begun = ContinuousClock.now
    private var told = ContinuousClock.now

    init(_ verb: String) {
        self.verb = verb
    }

    mutating func show(_ reached: Position, of last: Position) {
        let now = ContinuousClock.now
        guard now - told > .milliseconds(isTerminal ? 200 : 5_000) else { return }
        told = now
        let rate = Double(reached) / ((now - begun).seconds + 0.001)
        let left = Int(Double(last - min(reached, last)) / max(rate, 1))
        let line =
            "\(verb) \(reached) of \(last) entries, \(Int(rate))/s, \(left) s to go"
        guard isTerminal else { return write(line + "\n") }
        let filled = Int(reached * 30 / max(last, 1))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        write("\r\(bar) \(line) ")
    }

    mutating func show(_ stage: Store.RebuildStage) {
        switch stage {
        case .replaying(let reached, let last): show(reached, of: last)
        case .comparing(let table): tell("comparing table \(table)")
        }
    }

    private mutating func tell(_ line: String) {
        let now = ContinuousClock.now
        guard now - told > .milliseconds(isTerminal ? 200 : 5_000) else { return }
        told = now
        write(isTerminal ? "\r\u{1B}[K\(line) " : line + "\n")
    }

    /// Clears the bar.
    func end() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
