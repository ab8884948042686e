import ArgumentParser
import Foundation

/// How the process ends, beside 0. From 64 on they have the meaning of `sysexits.h`; 64 itself, a wrong
/// command line, is ArgumentParser's.
package enum Exits {
    /// The server refused the command: it is not possible in the state that things are in.
    package static let refused = ExitCode(1)
    /// What was waited for has ended, but not well: the run failed or was cancelled, the operation stopped.
    package static let endedBadly = ExitCode(2)
    /// What was waited for had not ended in time.
    package static let notEnded = ExitCode(3)
    /// Data that was given is damaged, or does not fit.
    package static let badData = ExitCode(65)
    /// A file that was named cannot be read.
    package static let noInput = ExitCode(66)
    /// The server cannot be reached, or does not do it now.
    package static let unavailable = ExitCode(69)
    /// The storage failed while serving: whether the last commands took effect is to be found out
    /// by asking again after a restart.
    package static let storageFailed = ExitCode(70)
    /// The directory cannot be opened: held by another process, damaged, or of a newer format.
    package static let cannotOpen = ExitCode(73)
    /// What was printed could not be written.
    package static let outputFailed = ExitCode(74)
    /// There is no valid key, or it may not do this.
    package static let notAllowed = ExitCode(77)
    /// A setting is wrong.
    package static let wrongSetting = ExitCode(78)
}

package enum Failure {
    /// Says on standard error why the process ends, and with which code.
    package static func exit(_ code: ExitCode, _ message: String) -> ExitCode {
        tell("daybook: \(message)")
        return code
    }

    /// Lines on standard error: for people, beside the data on standard output. What others wrote cannot steer
    /// their terminal; where nobody listens, nothing is said.
    package static func tell(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { Terminal.oneLine(String($0), most: 4_096) + "\n" }
        try? FileHandle.standardError.write(contentsOf: Data(lines.joined().utf8))
    }
}
