import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// The REST API on a socket.
package struct Server {
    package struct Options: Sendable {
        package var host = "127.0.0.1"
        /// 0 takes a free one.
        package var port = 8080
        package var connections = ConnectionLimits()
        /// Without one the connections are not encrypted.
        package var tls: TLSIdentity?

        package init() {}
    }

    private let api: API

    package init(api: API) {
        self.api = api
    }

    /// The server as a service. `onRunning` is told the port once it listens.
    package func service(
        options: Options, onRunning: @escaping @Sendable (Int) -> Void
    ) -> some Service {
        let clients = Clients()
        let limits = options.connections
        let counts = ConnectionCounts(limits)
        return Application(
            responder: responder(watching: clients),
            server: HTTPServerBuilder { responder in
                let channel = HTTP1Channel(
                    responder: responder,
                    configuration: .init(
                        additionalChannelHandlers: [
                            ConnectionGuard(counts, limits), ClientWatch(clients),
                        ],
                        idleTimeout: .seconds(limits.idleSeconds),
                        httpDecoderConfiguration: .init(
                            maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10,
                            maxHeaderFieldCount: 100)))
                guard let identity = options.tls else { return channel }
                return TLSServerChannel(base: channel, identity: identity)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(options.host, port: options.port)),
            onServerRunning: { channel in
                onRunning(channel.localAddress?.port ?? options.port)
            },
            logger: api.logger)
    }

    /// Everything behind the socket, for tests without one.
    package func responder() -> some HTTPResponder<CallContext> { responder(watching: nil) }

    private func responder(watching clients: Clients?) -> some HTTPResponder<CallContext> {
        let router = Router(context: CallContext.self, options: .autoGenerateHeadEndpoints)
        var methods: [String: [HTTPRequest.Method]] = [:]
        for route in Route.all {
            methods[route.path, default: []].append(route.method)
            router.on(RouterPath(route.path), method: route.method) { request, context in
                await respond(to: request, context, by: route, clients)
            }
        }
        for (path, known) in methods {
            let allowed = known + (known.contains(.get) ? [.head] : [])
            for method in Self.methods where !allowed.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ in
                    problem(Self.methodNotAllowed(allowed))
                }
            }
        }
        return Fallback(inner: router.buildResponder(), server: self)
    }

    fileprivate static let methods: [HTTPRequest.Method] = [
        .get, .head, .post, .put, .patch, .delete, .options, .trace, .connect,
    ]

    private static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        Problem(
            status: .methodNotAllowed, code: "method_not_allowed",
            title: "The path does not know this method",
            detail: "it knows " + allowed.map(\.rawValue).joined(separator: ", "),
            allow: allowed.map(\.rawValue))
    }

    private func respond(
        to request: Request, _ context: CallContext, by route: Route, _ clients: Clients?
    ) async -> Response {
        let requestID = api.engine.newCommandID()
        let begun = api.engine.clock.sinceBoot()
        let client = route.takesTime ? clients?.client(of: context.channel) : nil
        var reply: Reply
        do {
            reply = try await self.reply(to: request, context, by: route, requestID, client)
        } catch let problem as Problem {
            reply = Reply(problem, requestID: requestID)
        } catch let error as HistoryTooLong {
            reply = Reply(Problem.historyTooLong(error), requestID: requestID)
        } catch {
            let isOfStorage = api.engine.isStorageFailure(error)
            api.logger.error(
                "a request failed",
                metadata: [
                    "request_id": "\(requestID)", "route": "\(route.method) \(route.path)",
                    "error": "\(error)",
                ])
            reply = Reply(
                isOfStorage ? Problem(Unavailable.stopping) : .internal, requestID: requestID)
        }
        reply.headers[.requestID] = requestID.description
        let took = api.engine.clock.sinceBoot() - begun
        api.httpMetrics.note(route, reply.status, microseconds: took)
        api.logger.debug(
            "answered",
            metadata: [
                "request_id": "\(requestID)", "route": "\(route.method) \(route.path)",
                "status": "\(reply.status.code)", "microseconds": "\(took)",
                "position": "\(reply.headers[.daybookPosition] ?? "")",
            ])
        return Self.response(reply)
    }

    private func reply(
        to request: Request, _ context: CallContext, by route: Route, _ requestID: CommandID,
        _ client: Client?
    ) async throws -> Reply {
        var principal: Principal?
        if case .replaying(let percent) = api.engine.currentPhase {
            guard route.access == .open else {
                throw Problem(Unavailable.replaying(percent: percent))
            }
        } else if !api.engine.hasServed {
            // The start broke off: there is nothing that a key could be found in.
            guard route.access == .open else { throw Problem(Unavailable.stopping) }
        } else {
            principal = try api.principal(request.headers)
        }
        if case .role(let needed) = route.access {
            guard let principal else { throw Problem.unauthorized }
            try api.rates.take(principal.team)
            guard principal.role.allows(needed) else { throw Problem.forbidden(needed) }
            if route.method != .get { try principal.session?.check(request.headers) }
        }
        let call = Call(
            method: route.method, path: request.uri.path, rawQuery: request.uri.query ?? "",
            query: request.uri.queryParameters.map { (String($0.key), String($0.value)) },
            headers: request.headers, body: try await body(of: request, route),
            parameters: Dictionary(
                context.parameters.map { (String($0.key), String($0.value)) },
                uniquingKeysWith: { first, _ in first }),
            requestID: requestID, client: client, principal: principal)
        // A command that was sent `?dry_run=true` must not do it.
        if route.method != .get, !route.takesQuery { try QueryFields(call).finish() }
        // Also where nothing is submitted: a dry run is to show what the command itself would hear.
        if route.method != .get, route.access != .open { try call.checkConditions() }
        return try await route.handle(call, api)
    }

    private func body(of request: Request, _ route: Route) async throws -> [UInt8] {
        guard route.body != .none else { return [] }
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw Problem(
                status: .unsupportedMediaType, code: "unsupported_content_encoding",
                title: "The body must not be compressed", detail: "send it as it is")
        }
        let limit = route.body == .batch ? api.limits.batchBytes : api.limits.bodyBytes
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw Problem.tooLarge(limit)
        }
        do {
            return Array((try await request.body.collect(upTo: limit)).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge(limit)
        } catch {
            // The client left, or its framing is not HTTP: nothing that the service's log must say.
            throw Problem.malformed("the body breaks off or is not framed as HTTP/1.1 has it")
        }
    }

    fileprivate func problem(_ problem: Problem) -> Response {
        let requestID = api.engine.newCommandID()
        var reply = Reply(problem, requestID: requestID)
        reply.headers[.requestID] = requestID.description
        return Self.response(reply)
    }

    private static func response(_ reply: Reply) -> Response {
        var headers = reply.headers
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        headers[.xContentTypeOptions] = "nosniff"
        return Response(
            status: reply.status, headers: headers,
            body: reply.stream.map { ResponseBody($0) }
                ?? ResponseBody(byteBuffer: ByteBuffer(bytes: reply.body)))
    }

    /// Whether no part of the path is empty.
    private static func hasNoEmptyPart(_ path: String) -> Bool {
        var last: UInt8 = 0
        for byte in path.utf8 {
            if byte == UInt8(ascii: "/"), last == byte { return false }
            last = byte
        }
        return path == "/" || last != UInt8(ascii: "/")
    }

    /// Answers what no route knows in the API's own form.
    private struct Fallback<Inner: HTTPResponder<CallContext>>: HTTPResponder {
        let inner: Inner
        let server: Server

        func respond(to request: Request, context: CallContext) async throws -> Response {
            guard request.head.authority != "" else {
                // Who sends such a request may mean the next one for somebody else.
                var refusal = server.problem(.malformed("the request must have one Host field"))
                refusal.headers[.connection] = "close"
                return refusal
            }
            // One thing has one path: it is also the scope of an Idempotency-Key.
            let path = request.uri.path
            guard Server.hasNoEmptyPart(path) else {
                return server.problem(.notFound("path"))
            }
            let response = try await inner.respond(to: request, context: context)
            // Hummingbird answers an unknown path with a bare 404; ours have a body.
            guard response.status == .notFound, response.headers[.contentType] == nil else {
                return response
            }
            if !Server.methods.contains(request.method) {
                // Of a method that nobody registered the router knows no path: one that no route has is asked for.
                var head = request.head
                head.method = .trace
                let answer = try await inner.respond(
                    to: Request(head: head, body: .init(buffer: ByteBuffer())), context: context)
                if answer.status == .methodNotAllowed { return answer }
            }
            return server.problem(.notFound("path"))
        }
    }
}

/// What Hummingbird keeps of a request besides the request.
package struct CallContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

extension HTTPField.Name {
    static let requestID = Self("Daybook-Request-Id")!
}
