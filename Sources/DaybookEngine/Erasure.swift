import DaybookCore
import DaybookStore

extension Engine {
    /// How often a command is made anew when something happens to what it is made from.
    private static let freshTries = 20

    /// Submits a command that is made from a look at its object; where that changes meanwhile, a new one.
    package func submitFresh(_ submission: () throws -> Submission) async rethrows -> Outcome {
        for _ in 0..<Self.freshTries {
            let outcome = await submit(try submission())
            guard case .refused(.changedMeanwhile) = outcome else { return outcome }
        }
        return .unavailable(.overloaded)
    }

    /// What a request with this key hears that came before; `nil` where none came.
    package func keptOutcome(of key: IdempotencyKey) throws -> Outcome? {
        let now = clock.now()
        return try read { view in
            guard let kept = try view.keptAnswer(key.scope), now < kept.endsAt else { return nil }
            return kept.outcome(for: key)
        }
    }

    /// Erases the payloads of a schedule and its run.
    ///
    /// The log is walked for them first; where an entry about the target comes in between, again.
    ///
    /// - Parameter submission: makes the command's submission.
    package func erase(
        _ target: ErasureTarget, of team: TeamID, force: Bool,
        _ submission: (Command) throws -> Submission
    ) async throws -> Outcome {
        try await submitFresh {
            let found = try read { try $0.erasable(target, of: team) }
            return try submission(
                .erase(
                    target,
                    Erasure(
                        payloads: found?.payloads ?? [], seen: found?.seen ?? 0, force: force)))
        }
    }
}
