import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// An answer that says what is wrong and where: RFC 9457, `application/problem+json`.
struct Problem: Error {
    let status: HTTPResponse.Status
    /// Stable, for programs.
    let code: String
    let title: String
    var detail: String
    /// The fields of the request that are wrong.
    var errors: [FieldError] = []
    /// Further members, for the codes that have some.
    var members: [Member] = []
    var retryAfterSeconds: Int?
    var allow: [String] = []

    struct Member {
        enum Value {
            case text(String)
            case number(Int)
        }

        let name: String
        let value: Value

        init(_ name: String, _ text: String) {
            self.name = name
            value = .text(text)
        }

        init(_ name: String, _ number: some BinaryInteger) {
            self.name = name
            value = .number(Int(clamping: number))
        }
    }

    /// The body; `type` is a relative reference that names the code with hyphens.
    func body(requestID: CommandID) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", "/problems/" + code.replacing("_", with: "-"))
            writer.field("title", title)
            writer.field("status", status.code)
            writer.field("detail", detail)
            writer.field("code", code)
            writer.field("request_id", requestID.description)
            for member in members {
                switch member.value {
                case .text(let text): writer.field(member.name, text)
                case .number(let number): writer.field(member.name, number)
                }
            }
            if !errors.isEmpty {
                writer.array("errors") { writer in
                    for error in errors {
                        writer.object { writer in
                            writer.field("pointer", error.pointer)
                            writer.field("message", error.message)
                        }
                    }
                }
            }
        }
        return writer.finish()
    }
}

extension Problem {
    static func malformed(_ detail: String) -> Problem {
        Problem(
            status: .badRequest, code: "malformed", title: "The request is malformed",
            detail: detail)
    }

    static func invalid(_ errors: [FieldError]) -> Problem {
        Problem(
            status: .unprocessableContent, code: "invalid", title: "A value is not valid",
            detail: errors.map { error in
                error.pointer.isEmpty ? error.message : "\(error.pointer) \(error.message)"
            }.joined(separator: "; "),
            errors: errors)
    }

    static func notFound(_ what: String) -> Problem {
        Problem(
            status: .notFound, code: "not_found", title: "There is no such thing",
            detail: "there is no such \(what)")
    }

    /// A list goes on behind the object with its id as the cursor.
    static func historyTooLong(_ error: HistoryTooLong) -> Problem {
        var problem = invalid([
            FieldError(
                pointer: "?as_of",
                message: "cannot be answered: \(error.object) has more than \(error.limit) entries")
        ])
        problem.members = [Member("cursor", error.object.description)]
        return problem
    }

    static let unauthorized = Problem(
        status: .unauthorized, code: "unauthorized", title: "A valid key is needed",
        detail: "send `Authorization: Bearer dbk_…` with a key that is not revoked or expired")

    static func forbidden(_ needed: Role) -> Problem {
        Problem(
            status: .forbidden, code: "forbidden", title: "The key may not do this",
            detail: "this needs a key of the role \(needed.name)",
            members: [Member("required_role", needed.name)])
    }

    static func tooLarge(_ limit: Int) -> Problem {
        Problem(
            status: .contentTooLarge, code: "too_large", title: "The request is too large",
            detail: "more than \(limit) bytes")
    }

    /// The codes of answers that came too late, or a second time.
    static let aboutTheRunsState = ["run_state", "stale_attempt"]

    static let overloaded = Problem(Unavailable.overloaded)

    static func rateLimited(perSecond: Int) -> Problem {
        Problem(
            status: .tooManyRequests, code: "rate_limited", title: "The team asks too much",
            detail: "at most \(perSecond) requests a second", retryAfterSeconds: 1)
    }

    static let `internal` = Problem(
        status: .internalServerError, code: "internal", title: "The service failed",
        detail: "the request could not be served; the service's log says why")

    /// One answer for each rejection: a new one does not compile until it has been given its own.
    init(_ rejection: Rejection) {
        switch rejection {
        case .notAuthenticated: self = .unauthorized
        case .notFound(let kind): self = .notFound(kind.name)
        case .notAllowed(let needed): self = .forbidden(needed)
        case .scheduleNotPending(let status, let run, let position):
            var members = [Member("schedule_status", status.name), Member("position", position)]
            if let run { members.append(Member("run_id", run.description)) }
            self.init(rejection, title: "The schedule is not pending", members)
        case .runState(let status, let position):
            self.init(
                rejection, title: "The run's state does not allow it",
                [Member("run_status", status.name), Member("position", position)])
        case .staleAttempt(let current, let position):
            self.init(
                rejection, title: "The attempt is not current",
                [Member("attempt", current), Member("position", position)])
        case .notFinished(let position):
            self.init(
                rejection, title: "The schedule is still to fire",
                [Member("schedule_status", "pending"), Member("position", position)])
        case .revisionMismatch(let current):
            self.init(
                rejection, .preconditionFailed, title: "The object has changed",
                [Member("revision", current)])
        case .invalid(let violations):
            self = .invalid(
                violations.map { FieldError(pointer: "/\($0.field)", message: $0.message) })
        case .idempotencyKeyReused:
            self.init(
                rejection, .unprocessableContent,
                title: "The idempotency key was used for another request")
        case .deduplicated(let schedule, let position):
            self.init(
                rejection, title: "The promise has been given already",
                [Member("schedule_id", schedule.description), Member("position", position)])
        case .refusalRetried(let run, let position):
            self.init(
                rejection, title: "The refused message has been taken already",
                [Member("run_id", run.description), Member("position", position)])
        case .deliveryState(let status, let position):
            self.init(
                rejection, title: "The delivery's state does not allow it",
                [Member("delivery_status", status.name), Member("position", position)])
        case .workflowInUse(let pending, let unfinished, let position):
            self.init(
                rejection, title: "The workflow is still needed",
                [
                    Member("pending", pending), Member("unfinished_runs", unfinished),
                    Member("position", position),
                ])
        case .workflowClosed(let operation, let position):
            self.init(
                rejection, title: "The workflow is being deleted",
                [
                    Member("operation_id", operation.description), Member("position", position),
                ])
        case .versionInUse(_, _, let use, let position):
            self.init(
                rejection, title: "The version is still needed",
                [
                    Member("pending", use.pinned), Member("unfinished_runs", use.unfinishedRuns),
                    Member("position", position),
                ])
        case .tooMany(_, let limit):
            self.init(rejection, title: "There are too many already", [Member("limit", limit)])
        case .paused: self.init(Unavailability.paused)
        case .nothingStartable, .notDue, .changedMeanwhile, .alreadyInitialised:
            // Answers to the service's own commands; no route submits one that gets them.
            self = .internal
        }
    }

    private init(
        _ rejection: Rejection, _ status: HTTPResponse.Status = .conflict, title: String,
        _ members: [Member] = []
    ) {
        self.init(
            status: status, code: rejection.code, title: title, detail: rejection.detail,
            members: members)
    }

    init(_ reason: Unavailable) {
        switch reason {
        case .overloaded: self.init(Unavailability.overloaded)
        case .outcomeUnknown: self.init(Unavailability.outcomeUnknown)
        case .clockSuspect: self.init(Unavailability.clockSuspect)
        case .diskFull: self.init(Unavailability.diskFull)
        case .inconsistent: self.init(Unavailability.inconsistent)
        case .replaying(let percent):
            self.init(Unavailability.replaying)
            detail += " (\(percent) %)"
            members = [Member("percent", percent)]
        case .copy:
            self.init(Unavailability.paused)
            detail = "this is a copy: it serves reads until an administrator's POST /resume"
        case .stopping: self.init(Unavailability.stopping)
        }
    }

    private enum Unavailability: String {
        case overloaded
        case outcomeUnknown = "outcome_unknown"
        case clockSuspect = "clock_suspect"
        case diskFull = "disk_full"
        case inconsistent
        case replaying
        case paused
        case stopping
    }

    private init(_ reason: Unavailability) {
        let (detail, seconds) =
            switch reason {
            case .overloaded: ("too many commands wait; nothing was written", 1)
            case .outcomeUnknown:
                ("whether it took effect is not known: ask again with the same key", 2)
            case .clockSuspect: ("the clock of the machine jumped; nothing was written", 10)
            case .diskFull: ("the disk is nearly full; nothing was written", 60)
            case .inconsistent:
                ("a recount found that the projections disagree; they must be rebuilt", 60)
            case .replaying: ("the log is being replayed", 2)
            case .paused: ("the service is paused", 30)
            case .stopping: ("the service is stopping; nothing was written", 5)
            }
        self.init(
            status: .serviceUnavailable, code: reason.rawValue, title: "Not now", detail: detail,
            retryAfterSeconds: seconds)
    }
}
