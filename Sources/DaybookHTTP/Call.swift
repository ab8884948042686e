import DaybookCore
import DaybookEngine
import DaybookWire
import Foundation
import HTTPTypes

/// Who asks, by the key that came with the request.
struct Principal: Sendable {
    let key: KeyID
    let team: TeamID
    let role: Role
    /// Of a browser, which brings its cookie by itself.
    let session: Session?
}

/// One request as its route sees it.
struct Call: Sendable {
    let method: HTTPRequest.Method
    let path: String
    let rawQuery: String
    let query: [(name: String, value: String)]
    let headers: HTTPFields
    let body: [UInt8]
    let parameters: [String: String]
    /// Shown as `request_id`, and the command's id in the log.
    let requestID: CommandID
    /// Absent where there is no connection, as in tests without a socket.
    let client: Client?
    /// Absent on routes that need no key.
    let principal: Principal?

    var team: TeamID {
        guard let principal else { preconditionFailure("a route without a key asks for a team") }
        return principal.team
    }

    /// An id in the path. Anything that is not one names nothing.
    func id<Kind>(_ name: String, _ what: String) throws -> Identifier<Kind> {
        guard let text = parameters[name], let id = Identifier<Kind>(hex: text) else {
            throw Problem.notFound(what)
        }
        return id
    }

    /// A version's number in the path: decimal digits without a leading zero.
    func versionNumber(_ name: String = "version") throws -> Int {
        guard let text = parameters[name], let number = Int(text), String(number) == text,
            Limits.versionNumbers.contains(number)
        else { throw Problem.notFound("version") }
        return number
    }

    /// The body as JSON, scanned once; members named in `opaque` are left as they were sent.
    func fields(opaque: Set<String> = [], mayBeEmpty: Bool = false) throws -> JSONFields {
        let body = mayBeEmpty && body.isEmpty ? Array("{}".utf8) : body
        if !(mayBeEmpty && self.body.isEmpty) { try checkContentType() }
        do {
            return JSONFields(try JSONScanner.scan(body, opaque: opaque), body: body)
        } catch {
            throw Problem.malformed("the body is not JSON: \(error)")
        }
    }

    /// Whether the body, which may be empty, says `"force": true`.
    func force() throws -> Bool {
        let fields = try fields(mayBeEmpty: true)
        let force = fields.optional("force", .bool)
        try fields.throwMistakes()
        return force ?? false
    }

    /// The body, which is one value as a whole.
    func wholeBody<Value>(_ type: JSONType<Value>) throws -> (JSONFields, Value?) {
        let fields = try fields()
        return (fields, fields.whole(type))
    }

    /// The type of the body without its parameters, in lower case.
    var mediaType: String {
        var media = (headers[.contentType] ?? "").prefix { $0 != ";" }
        while media.first == " " || media.first == "\t" { media.removeFirst() }
        while media.last == " " || media.last == "\t" { media.removeLast() }
        return media.lowercased()
    }

    private func checkContentType() throws {
        guard mediaType == "application/json" else {
            throw Problem(
                status: .unsupportedMediaType, code: "unsupported_media_type",
                title: "The body must be JSON", detail: "send `Content-Type: application/json`")
        }
    }

    /// Throws where `Idempotency-Key` or `If-Match` is malformed.
    func checkConditions() throws {
        _ = try idempotencyName()
        _ = try expectedRevisions()
    }

    /// What `If-Match` asks for: `nil` for any revision. RFC 9110, section 13.1.1: weak tags never
    /// match.
    func expectedRevisions() throws -> Set<UInt64>? {
        guard let text = headers[.ifMatch] else { return nil }
        if text.trimmingCharacters(in: .whitespaces) == "*" { return nil }
        var revisions: Set<UInt64> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let tag = part.trimmingCharacters(in: .whitespaces)
            let isWeak = tag.hasPrefix("W/")
            let quoted = isWeak ? String(tag.dropFirst(2)) : tag
            // RFC 9110, section 8.8.3: visible characters but the quotation mark, and whatever is not ASCII.
            guard quoted.count >= 2, quoted.hasPrefix("\""), quoted.hasSuffix("\""),
                quoted.dropFirst().dropLast().utf8.allSatisfy({ byte in
                    byte == 0x21 || (0x23...0x7E).contains(byte) || byte >= 0x80
                })
            else { throw Problem.malformed("If-Match is not a list of entity tags") }
            let opaque = quoted.dropFirst().dropLast()
            if !isWeak, let revision = UInt64(opaque), String(revision) == opaque {
                revisions.insert(revision)
            }
        }
        return revisions
    }

    static let maximumIdempotencyKeyBytes = 255

    /// The client's idempotency key, digested together with what it is for.
    func idempotencyKey() throws -> IdempotencyKey? {
        try idempotencyName().map { key(named: $0, of: requestDigest) }
    }

    /// A key for each of so many parts of the request, `K#0` and so on; none without a key.
    func idempotencyKeys(parts: Int) throws -> [IdempotencyKey] {
        guard let name = try idempotencyName() else { return [] }
        let request = requestDigest
        return (0..<parts).map { key(named: "\(name)#\($0)", of: request) }
    }

    private func idempotencyName() throws -> String? {
        guard let name = headers[.idempotencyKey] else { return nil }
        guard (1...Self.maximumIdempotencyKeyBytes).contains(name.utf8.count),
            name.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw Problem.malformed(
                "Idempotency-Key must have 1 to 255 visible ASCII characters")
        }
        return name
    }

    private var place: [[UInt8]] { [Array(method.rawValue.utf8), Array(path.utf8)] }

    private var requestDigest: Digest256 { digest(of: place + [Array(rawQuery.utf8), body]) }

    private func key(named name: String, of request: Digest256) -> IdempotencyKey {
        IdempotencyKey(
            scope: digest(of: [team.bytes] + place + [Array(name.utf8)]), request: request)
    }

    /// The W3C trace context that came along, where it has the form of its version 00 (section 3.2) or begins so.
    var traceparent: String? {
        guard let text = headers[.traceparent], text.utf8.count >= 55, text.utf8.count <= 512
        else { return nil }
        let parts = text.prefix(55).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [2, 32, 16, 2],
            parts.allSatisfy({ part in
                part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            }),
            parts[0] != "ff", parts[0] != "00" || text.utf8.count == 55,
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        return String(text.prefix(55))
    }
}

extension HTTPField.Name {
    static let idempotencyKey = Self("Idempotency-Key")!
    static let idempotentReplayed = Self("Idempotent-Replayed")!
    static let daybookPosition = Self("Daybook-Position")!
    static let lastEventID = Self("Last-Event-ID")!
    static let traceparent = Self("traceparent")!
}

/// Reads the parameters of a query and gathers every mistake, as `JSONFields` does for bodies.
final class QueryFields {
    private let parameters: [(name: String, value: String)]
    private var read: Set<String> = []
    private var errors: [FieldError] = []

    init(_ call: Call) {
        parameters = call.query
    }

    func value<Value>(
        _ name: String, _ message: String, _ convert: (String) throws -> Value?
    ) -> Value? {
        read.insert(name)
        let values = parameters.filter { $0.name == name }
        guard let first = values.first else { return nil }
        guard values.count == 1 else {
            refuse(name, "must come once")
            return nil
        }
        guard let value = try? convert(first.value) else {
            refuse(name, message)
            return nil
        }
        return value
    }

    func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        let message = "must be an integer between \(range.lowerBound) and \(range.upperBound)"
        return value(name, message) { text in
            guard let number = Int(text), String(number) == text, range.contains(number) else {
                return nil
            }
            return number
        }
    }

    func boolean(_ name: String) -> Bool? {
        value(name, "must be true or false") { Bool($0) }
    }

    /// Notes a mistake where the parameter did not come.
    func require(_ name: String) {
        if !parameters.contains(where: { $0.name == name }) { refuse(name, "is required") }
    }

    func instant(_ name: String) -> Instant? {
        guard let text = value(name, "", { $0 }) else { return nil }
        do throws(TimeSyntaxError) {
            return try RFC3339.parse(text)
        } catch {
            refuse(name, error.message)
            return nil
        }
    }

    func id<Kind>(_ name: String) -> Identifier<Kind>? {
        value(name, "must be an id of 24 lowercase hexadecimal digits") { Identifier(hex: $0) }
    }

    func refuse(_ name: String, _ message: String) {
        errors.append(FieldError(pointer: "?\(name)", message: message))
    }

    /// Throws where anything was wrong, parameters that nobody asked for included.
    func finish() throws {
        for parameter in parameters where !read.contains(parameter.name) {
            refuse(parameter.name, "is not a known parameter")
        }
        if !errors.isEmpty { throw Problem.invalid(errors) }
    }
}
