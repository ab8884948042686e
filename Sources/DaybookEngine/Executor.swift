import DaybookCore

/// One attempt of one run, with everything that an executor needs to carry it out.
package struct Work: Sendable {
    package let run: Run
    package let definition: Definition
    /// The run's input as it was sent; `nil` where there is none or it was erased.
    package let input: [UInt8]?
    /// The secrets that sign what is sent: two while a rotation lasts, the newer one first.
    package let secrets: [[UInt8]]
    /// The attempt was sent before, by a process that did not live to hear the answer.
    package let isRedelivery: Bool
    /// The W3C trace context that the run was asked for with.
    package let traceparent: String?

    package init(
        run: Run, definition: Definition, input: [UInt8]?, secrets: [[UInt8]],
        isRedelivery: Bool, traceparent: String? = nil
    ) {
        self.run = run
        self.definition = definition
        self.input = input
        self.secrets = secrets
        self.isRedelivery = isRedelivery
        self.traceparent = traceparent
    }
}

/// How an attempt ended.
package enum Execution: Hashable, Sendable {
    /// With this JSON, or with nothing.
    case completed([UInt8]?)
    /// The other side took it and will call back.
    case accepted
    case failed(RunError.Reason, message: String, isRetryable: Bool, retryAfterSeconds: Int?)
    /// Broken off from here: the run has ended already, or the service stops.
    case abandoned
}

/// Carries out attempts: at least once each, always with the same run id and attempt.
package protocol Executor: Sendable {
    /// Never throws: whatever goes wrong is an execution that failed. Cancelling the task breaks it
    /// off; the answer is then of no interest.
    func execute(_ work: Work) async -> Execution
}

/// Completes with the run's input, after the delay of the definition: for trying things out.
package struct EchoExecutor: Executor {
    private let clock: any ServiceClock
    private let delayMilliseconds: @Sendable (Definition) -> Int

    /// - Parameter delayMilliseconds: reads `delay_ms` out of a definition.
    package init(
        clock: any ServiceClock, delayMilliseconds: @escaping @Sendable (Definition) -> Int
    ) {
        self.clock = clock
        self.delayMilliseconds = delayMilliseconds
    }

    package func execute(_ work: Work) async -> Execution {
        let delay = delayMilliseconds(work.definition)
        if delay > 0 {
            do {
                try await clock.sleep(microseconds: Int64(delay) * 1_000)
            } catch {
                return .abandoned
            }
        }
        return .completed(work.input)
    }
}
