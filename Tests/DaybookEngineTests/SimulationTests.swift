import Support
import Testing

@Suite("Simulation")
struct SimulationTests {
    @Test("through crashes, jumps of the clock and races, every word is kept")
    func wordsAreKept() async throws {
        var counts: [Sometimes: Int] = [:]
        var cases = 0
        let all = RandomCases(600)
        for var numbers in all {
            // Enough, where everything was met that must be.
            let isComplete = Sometimes.allCases.allSatisfy { counts[$0] != nil }
            if all.isUsual, cases >= 150, isComplete { break }
            cases += 1
            // Other tests share the threads.
            await Task.yield()
            do {
                var simulation = try Simulation(SeededGenerator(seed: numbers.next()))
                for step in 1...120 {
                    try simulation.step()
                    // After every step where that is affordable: the log is read from its start.
                    if step % 15 == 0 || cases % 30 == 0 { try simulation.check() }
                }
                try simulation.drain()
                try simulation.check()
                counts.merge(simulation.counts) { $0 + $1 }
            } catch {
                Issue.record("\(error); \(numbers.hint)")
                return
            }
        }
        print("met: \(counts.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", "))")
        guard cases >= 150 else { return }
        for what in Sometimes.allCases {
            #expect(counts[what, default: 0] > 0, "the campaign never met \(what)")
        }
    }
}
