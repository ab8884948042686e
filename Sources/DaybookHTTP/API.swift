import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Logging

/// What the routes have at hand.
package struct API: Sendable {
    package struct Limits: Sendable {
        /// A request's body, of anything but a batch.
        package var bodyBytes = 1 << 20
        /// `run_input` and output.
        package var payloadBytes = 256 << 10
        /// The payloads of one page of a list.
        package var pageBytes = 4 << 20
        /// The body of a request that creates many schedules.
        package var batchBytes = 32 << 20
        /// Requests of one team in a second; 0 for no limit.
        package var requestsPerSecond = 0
        /// Requests of that kind that are served at once: their bodies are in memory.
        package var batches = 8
        /// Of those, for one team.
        package var batchesOfTeam = 2

        package init() {}
    }

    package let engine: Engine
    package let egress: EgressRules
    package let limits: Limits
    package let metrics: PrometheusRegistry
    package let logger: Logger
    let batchPlaces: BatchPlaces
    let rates: RequestRates
    let httpMetrics: HTTPMetrics
    let sessions: Sessions
    let isEncrypted: Bool

    /// - Parameter isEncrypted: whether clients come over TLS.
    package init(
        engine: Engine, egress: EgressRules, limits: Limits = Limits(),
        metrics: PrometheusRegistry = PrometheusRegistry(), isEncrypted: Bool = false,
        logger: Logger
    ) {
        self.engine = engine
        self.egress = egress
        self.limits = limits
        self.metrics = metrics
        self.logger = logger
        batchPlaces = BatchPlaces(limits.batches, ofTeam: limits.batchesOfTeam)
        httpMetrics = HTTPMetrics(metrics)
        sessions = Sessions(engine)
        self.isEncrypted = isEncrypted
        rates = RequestRates(perSecond: limits.requestsPerSecond, clock: engine.clock)
    }

    /// Submits the call's command and returns what was accepted; throws the problem otherwise.
    ///
    /// - Parameter team: of a command about another team than the key's own.
    func submit(
        _ command: Command, for call: Call, team: TeamID? = nil, payload: SaltedPayload? = nil
    ) async throws -> Accepted {
        try accepted(
            await engine.submit(try submission(command, for: call, team: team, payload: payload)))
    }

    /// Submits the erasure of what the target brought.
    func erase(_ target: ErasureTarget, force: Bool, for call: Call) async throws -> Accepted {
        try accepted(
            await engine.erase(target, of: call.team, force: force) { command in
                try submission(command, for: call, team: nil, payload: nil)
            })
    }

    /// Submits a command that is made from a look at its object.
    ///
    /// - Parameter team: of a command about another team than the key's own.
    func submitFresh(
        for call: Call, team: TeamID? = nil, _ make: () throws -> (Command, SaltedPayload?)
    ) async throws -> Accepted {
        do {
            return try accepted(
                await engine.submitFresh {
                    let (command, payload) = try make()
                    return try submission(command, for: call, team: team, payload: payload)
                })
        } catch let problem as Problem {
            // What the object was, a request that came before may have changed: with the same key, it was this one.
            guard let key = try call.idempotencyKey(), let kept = try engine.keptOutcome(of: key)
            else { throw problem }
            return try accepted(kept)
        }
    }

    private func submission(
        _ command: Command, for call: Call, team: TeamID? = nil, payload: SaltedPayload? = nil
    ) throws -> Submission {
        try submission(
            command, for: call, team: team, idempotency: try call.idempotencyKey(),
            payload: payload)
    }

    /// - Parameter idempotency: the request's key, or the one of a part of it.
    func submission(
        _ command: Command, for call: Call, team: TeamID? = nil, idempotency: IdempotencyKey?,
        payload: SaltedPayload?
    ) throws -> Submission {
        guard let principal = call.principal else { throw Problem.unauthorized }
        return Submission(
            command, by: .key(principal.key), team: team ?? principal.team,
            id: call.requestID, idempotency: idempotency,
            expectedRevisions: try call.expectedRevisions(), traceparent: call.traceparent,
            payload: payload)
    }

    func accepted(_ outcome: Outcome) throws -> Accepted {
        switch outcome {
        case .accepted(let accepted): return accepted
        case .refused(let rejection): throw Problem(rejection)
        case .unavailable(let reason): throw Problem(reason)
        }
    }

    /// The fields of a body and, salted and digested, the payload in one of them.
    func payload(_ fields: JSONFields, _ name: String) throws -> SaltedPayload? {
        guard let bytes = fields.optional(name, .raw) else { return nil }
        guard bytes.count <= limits.payloadBytes else {
            var problem = Problem.tooLarge(limits.payloadBytes)
            problem.errors = [
                FieldError(
                    pointer: "/\(name)", message: "has \(bytes.count) bytes")
            ]
            throw problem
        }
        return engine.salted(bytes)
    }

    /// The key that a request came with, if it opens anything: its own, else that of its session.
    func principal(_ headers: HTTPFields) throws -> Principal? {
        if let text = headers[.authorization] {
            guard text.prefix(7).lowercased() == "bearer ",
                let key = try key(String(text.dropFirst(7)))
            else { return nil }
            return Principal(key: key.id, team: key.team, role: key.role, session: nil)
        }
        guard let session = sessions.find(headers), let key = try engine.validKey(session.key)
        else { return nil }
        engine.noteUse(of: key.id)
        return Principal(key: key.id, team: key.team, role: key.role, session: session)
    }

    /// The key that somebody holds in this text, if it is valid.
    func key(_ text: String) throws -> APIKey? {
        guard text.utf8.count < 200, let presented = APIKeyText(text) else { return nil }
        let digest = presented.secretDigest
        guard let key = try engine.validKey(presented.id),
            areEqualInConstantTime(key.secretDigest.bytes, digest.bytes)
        else { return nil }
        engine.noteUse(of: key.id)
        return key
    }
}

/// Reads and checks the parameters that every list has.
struct ListParameters {
    static let limits = 1...100
    static let defaultLimit = 50

    let limit: Int
    let cursor: [UInt8]?

    init(_ query: QueryFields) {
        limit = query.integer("limit", Self.limits) ?? Self.defaultLimit
        cursor = query.value("cursor", "is not a cursor of this list") { Cursor.bytes($0) }
    }
}

extension JSONFields {
    /// Throws every mistake that was made in the body, fields that nobody knows included.
    func throwMistakes() throws {
        let errors = finish()
        if !errors.isEmpty { throw Problem.invalid(errors) }
    }
}

/// What a required field gave. Only to be called after `throwMistakes`, which throws where one is
/// missing.
func present<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("a missing field was not noted as a mistake") }
    return value
}
