import DaybookCore
import DaybookEngine
import Support
import Testing

@Suite("Echo")
struct EchoExecutorTests {
    @Test(
        "a delay is time that goes by, whatever is done to the wall clock",
        .timeLimit(.minutes(1)), arguments: [-3_600, 0, 3_600])
    func delay(jump: Int) async {
        let clock = ManualClock()
        let executor = EchoExecutor(clock: clock) { _ in 20 }
        async let execution = executor.execute(Bench.work("http://a.test"))
        await clock.waitForSleepers(1)
        clock.jump(seconds: jump)
        #expect(clock.sleepers == 1)
        clock.advance(microseconds: 19_999)
        #expect(clock.sleepers == 1)
        clock.advance(microseconds: 1)
        guard case .completed(nil) = await execution else {
            Issue.record("it was not completed")
            return
        }
    }
}
