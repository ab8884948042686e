import DaybookCore

/// What a workflow's definition says: which executor carries its runs out, and how.
package struct WorkflowDefinition: Sendable {
    package enum Executor: Sendable {
        /// Completes with the run's input after a delay.
        case echo(delayMilliseconds: Int)
        case http(HTTPExecution)
        /// Waits for a worker of the team's queue of that name.
        case worker(queue: String)
    }

    package struct HTTPExecution: Sendable {
        package let url: OutboundURL
        package let method: Method
        package let headers: [Header]
        package let timeoutSeconds: Int
        /// Whether an attempt that was open when the process ended is sent again.
        package let resends: Bool
    }

    package enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    package struct Header: Sendable {
        package enum Value: Sendable, Hashable {
            case plain(String)
            /// `{"secret": "…"}`: as a client sends a new one.
            case secret(String)
            /// `{"secret": true}`: as a secret is shown, and as a client says that it stays.
            case keptSecret
            /// `{"sealed": "…"}`: as a secret is stored.
            case sealed(String)
        }

        package let name: String
        package let value: Value
        /// Where the value stands in the definition's bytes.
        package let range: Range<Int>
    }

    package static let timeoutSeconds = 1...3_600
    package static let defaultTimeoutSeconds = 60
    package static let delayMilliseconds = 0...3_600_000
    package static let maximumHeaders = 50

    package let executor: Executor
    /// Where the definition stands in the body that it was read from.
    package let range: Range<Int>

    package var queue: Queue {
        switch executor {
        case .echo: .echo
        case .http: .http
        case .worker(let name): .worker(name)
        }
    }

    package var headers: [Header] {
        if case .http(let execution) = executor { execution.headers } else { [] }
    }

    /// Who wrote the definition: what a client may say of a secret is not what is stored of it.
    package enum Source: Sendable {
        case client
        case store
    }

    /// Reads stored definition bytes; `nil` where they are not a definition, which only damage or a
    /// newer binary can bring about.
    package init?(stored bytes: [UInt8]) {
        guard let node = try? JSONScanner.scan(bytes) else { return nil }
        let fields = JSONFields(node, body: bytes)
        guard let executor = Self.executor(fields, .store), fields.finish().isEmpty else {
            return nil
        }
        self.executor = executor
        range = node.range
    }

    fileprivate init?(_ fields: JSONFields, _ range: Range<Int>) {
        guard let executor = Self.executor(fields, .client) else { return nil }
        self.executor = executor
        self.range = range
    }

    private static func executor(_ definition: JSONFields, _ source: Source) -> Executor? {
        guard let fields = definition.required("executor", .object),
            let type = fields.required("type", .choice(ExecutorType.self))
        else { return nil }
        switch type {
        case .echo:
            return .echo(
                delayMilliseconds: fields.optional("delay_ms", .integer(delayMilliseconds)) ?? 0)
        case .worker:
            guard let queue = fields.required("queue", .queueName) else { return nil }
            return .worker(queue: queue)
        case .http:
            let url = fields.required("url", .outboundURL)
            let headers = fields.optional("headers", .headers(source)) ?? []
            let method = fields.optional("method", .choice(Method.self)) ?? .post
            let timeout =
                fields.optional("timeout_seconds", .integer(timeoutSeconds))
                ?? defaultTimeoutSeconds
            let redelivery = fields.optional("redelivery", .choice(Redelivery.self)) ?? .send
            guard let url else { return nil }
            return .http(
                HTTPExecution(
                    url: url, method: method, headers: headers, timeoutSeconds: timeout,
                    resends: redelivery == .send))
        }
    }

    private enum ExecutorType: String, CaseIterable {
        case http, worker, echo
    }

    private enum Redelivery: String, CaseIterable {
        case send, fail
    }

    /// The definition's bytes with the value of each header replaced for which `replace` gives
    /// something.
    ///
    /// - Parameter body: what the definition was read from.
    package func bytes(
        in body: [UInt8], replacing replace: (Header) -> [UInt8]?
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        var copied = range.lowerBound
        for header in headers.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            guard let replacement = replace(header) else { continue }
            bytes += body[copied..<header.range.lowerBound]
            bytes += replacement
            copied = header.range.upperBound
        }
        return bytes + body[copied..<range.upperBound]
    }

    /// Stored definition bytes as a client may see them: secrets as `{"secret": true}`.
    package static func shown(_ stored: [UInt8]) -> [UInt8] {
        guard let definition = WorkflowDefinition(stored: stored) else { return stored }
        return definition.bytes(in: stored) { header in
            if case .sealed = header.value { Array(#"{"secret": true}"#.utf8) } else { nil }
        }
    }
}

extension JSONType where Value == WorkflowDefinition {
    /// A definition as a client writes it.
    package static var definition: Self {
        Self { node, place in
            guard let fields = JSONType<JSONFields>.object.read(node, place),
                let definition = WorkflowDefinition(fields, node.range)
            else { return nil }
            fields.finish()
            return definition
        }
    }
}

extension JSONType where Value == String {
    package static var queueName: Self {
        JSONType<String>.string().checked { name throws(JSONMismatch) in
            guard Queue.isName(name) else {
                throw JSONMismatch("must have 1 to 64 letters, digits, '.', '_' or '-'")
            }
            return name
        }
    }
}

extension JSONType where Value == [WorkflowDefinition.Header] {
    /// An object of headers by name, each with a text or a secret.
    fileprivate static func headers(_ source: WorkflowDefinition.Source) -> Self {
        Self { node, place in
            guard case .object(let members) = node.kind else {
                place.report("must be an object")
                return nil
            }
            guard members.count <= WorkflowDefinition.maximumHeaders else {
                place.report("must have at most \(WorkflowDefinition.maximumHeaders) headers")
                return nil
            }
            var seen: Set<String> = []
            var headers: [WorkflowDefinition.Header] = []
            for member in members {
                let memberPlace = place.member(member.name)
                do throws(HeaderRefusal) {
                    try HeaderRules.check(name: member.name)
                } catch {
                    memberPlace.report(error.message)
                    continue
                }
                guard seen.insert(HeaderRules.canonicalName(member.name)).inserted else {
                    memberPlace.report("names a header twice")
                    continue
                }
                guard let value = headerValue(member.value, memberPlace, source) else { continue }
                headers.append(
                    WorkflowDefinition.Header(
                        name: member.name, value: value, range: member.value.range))
            }
            return headers.count == members.count ? headers : nil
        }
    }

    private static func headerValue(
        _ node: JSONNode, _ place: JSONPlace, _ source: WorkflowDefinition.Source
    ) -> WorkflowDefinition.Header.Value? {
        func checked(_ text: String) -> String? {
            do throws(HeaderRefusal) {
                try HeaderRules.check(value: text)
                return text
            } catch {
                place.report(error.message)
                return nil
            }
        }
        if case .string(let text) = node.kind { return checked(text).map { .plain($0) } }
        guard case .object(let members) = node.kind, members.count == 1 else {
            place.report("must be a string or {\"secret\": \"…\"}")
            return nil
        }
        switch (members[0].name, members[0].value.kind, source) {
        case ("secret", .string(let text), .client): return checked(text).map { .secret($0) }
        case ("secret", .bool(true), .client): return .keptSecret
        case ("sealed", .string(let text), .store): return .sealed(text)
        default:
            place.report("must be a string or {\"secret\": \"…\"}")
            return nil
        }
    }
}
