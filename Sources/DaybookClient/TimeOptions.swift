import ArgumentParser
import DaybookCore

/// When something is to happen.
struct TimeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "When: 2026-12-24T18:00:00Z, or \"2026-12-24 18:00 Europe/Berlin\".",
            valueName: "time"))
    var at: String?
    @Option(
        name: .customLong("in"),
        help: ArgumentHelp("How long from now: 90s, 10m, 1h30m, 2d.", valueName: "duration"))
    var after: String?
    @Option(help: "The time zone of times that have none, such as Europe/Berlin.")
    var zone: String?

    func validate() throws {
        if at != nil, after != nil {
            throw ValidationError("--at and --in contradict each other")
        }
    }

    func read(_ terminal: Terminal) throws -> Instant? {
        if let at { return try TimeOptions.time("--at", at, zone: zone) }
        guard let after else { return nil }
        do throws(TimeTextError) {
            return terminal.now.adding(seconds: try TimeText.parseDuration(after))
        } catch {
            throw ValidationError("--in: \(error)")
        }
    }

    /// The time that an option names.
    static func time(_ option: String, _ text: String?, zone: String?) throws -> Instant? {
        guard let text else { return nil }
        do throws(TimeTextError) {
            return try TimeText.parse(text, zone: zone)
        } catch {
            throw ValidationError("\(option): \(error)")
        }
    }
}
