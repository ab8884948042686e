import Foundation

/// SplitMix64: the same seed gives the same numbers on every machine.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    /// What repeats everything that is drawn from here.
    package let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// True in `part` of `whole` draws.
    package mutating func chance(_ part: Int, of whole: Int) -> Bool {
        Int.random(in: 0..<whole, using: &self) < part
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    /// One of the elements; there must be one.
    package mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &self)]
    }
}

/// The cases of a randomised test: one generator for each.
///
/// The first seed is printed. `DAYBOOK_SEED` takes a seed back and `DAYBOOK_CASES` the number of
/// cases; a case's own seed with one case repeats that case alone.
package struct RandomCases: Sequence {
    private let seed: UInt64
    private let count: Int
    /// Whether nobody asked for another number of cases.
    package let isUsual: Bool

    package init(_ usual: Int, test: String = #function) {
        let environment = ProcessInfo.processInfo.environment
        seed =
            environment["DAYBOOK_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: .min ... .max)
        let asked = environment["DAYBOOK_CASES"].flatMap { Int($0) }
        isUsual = asked == nil
        count = asked ?? usual
        print("DAYBOOK_SEED=\(seed) DAYBOOK_CASES=\(count) repeats \(test)")
    }

    package func makeIterator() -> AnyIterator<SeededGenerator> {
        var seeds = SeededGenerator(seed: seed)
        var given = 0
        return AnyIterator {
            guard given < count else { return nil }
            given += 1
            return SeededGenerator(seed: given == 1 ? seed : seeds.next())
        }
    }
}

extension SeededGenerator {
    /// For the message of an expectation: how to have this case again.
    package var hint: String { "DAYBOOK_SEED=\(seed) DAYBOOK_CASES=1 repeats this case" }
}
