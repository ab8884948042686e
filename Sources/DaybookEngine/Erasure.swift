import DaybookCore
import DaybookStore

extension Engine {
    /// How often payloads are gathered anew when something happens to the target meanwhile.
    private static let erasureTries = 20

    /// Erases the payloads of a schedule and its run.
    ///
    /// The log is walked for them first; where an entry about the target comes in between, again.
    ///
    /// - Parameter submission: makes the command's submission.
    package func erase(
        _ target: ErasureTarget, of team: TeamID, force: Bool,
        _ submission: (Command) throws -> Submission
    ) async throws -> Outcome {
        for _ in 0..<Self.erasureTries {
            let found = try read { try $0.erasable(target, of: team) }
            let outcome = await submit(
                try submission(
                    .erase(
                        target,
                        Erasure(
                            payloads: found?.payloads ?? [], seen: found?.seen ?? 0, force: force)))
            )
            guard case .refused(.changedMeanwhile) = outcome else { return outcome }
        }
        return .unavailable(.overloaded)
    }
}
