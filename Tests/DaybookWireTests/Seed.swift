import Foundation

/// SplitMix64: the same seed gives the same numbers on every machine.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// Numbers for one randomised test. The seed is printed, and `DAYBOOK_SEED` takes it back.
    init(test: String = #function) {
        let seed =
            ProcessInfo.processInfo.environment["DAYBOOK_SEED"].flatMap { UInt64($0) }
            ?? UInt64.random(in: .min ... .max)
        print("DAYBOOK_SEED=\(seed) repeats \(test)")
        self.init(seed: seed)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func chance(_ part: Int, of whole: Int) -> Bool {
        Int.random(in: 0..<whole, using: &self) < part
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }
}
