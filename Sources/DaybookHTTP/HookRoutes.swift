import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes

/// Inbound webhooks: whoever proves itself to a trigger makes a run.
enum HookRoutes {
    static let all: [Route] = [
        Route(.post, "/hooks/{trigger_id}", .open, body: .raw, takesQuery: true, take),
        Route(.post, "/hooks/{trigger_id}/{token}", .open, body: .raw, takesQuery: true, take),
    ]

    /// How often a call is let in anew when its trigger changes meanwhile.
    private static let tries = 20

    private static func take(_ call: Call, _ api: API) async throws -> Reply {
        // Half a replay knows only half of the triggers: a 401 would be wrong.
        if case .replaying(let percent) = api.engine.currentPhase {
            throw Problem(Unavailable.replaying(percent: percent))
        }
        for _ in 0..<tries {
            let (trigger, configuration) = try letIn(call, api)
            let reception = await api.engine.receive(
                message(call, trigger, configuration, api), id: call.requestID,
                traceparent: call.traceparent)
            switch reception {
            case .run(let run, let accepted):
                var reply = Reply.json(.accepted) { $0.object { $0.field("run_id", run.id) } }
                reply.headers[.daybookPosition] = String(run.queuedPosition)
                if !accepted.isChange { reply.headers[.idempotentReplayed] = "true" }
                return reply
            case .refusal(let refusal, let accepted):
                var reply = Reply(
                    Problem(
                        UnusableMessage(reason: refusal.reason, detail: refusal.detail),
                        refusal: refusal.id), requestID: call.requestID)
                reply.headers[.daybookPosition] = String(refusal.body.position)
                if !accepted.isChange { reply.headers[.idempotentReplayed] = "true" }
                return reply
            case .triggerChanged: continue
            case .unavailable(let reason): throw Problem(reason)
            }
        }
        throw Problem(Unavailable.overloaded)
    }

    /// The trigger that the call proved itself to. To the caller every failure looks the same, and takes the same
    /// work; the trigger's owner sees the reason.
    private static func letIn(
        _ call: Call, _ api: API
    ) throws -> (Trigger, TriggerConfiguration) {
        let trigger = try call.parameters["trigger_id"].flatMap { TriggerID(hex: $0) }
            .flatMap { try api.engine.trigger($0) }
        guard let trigger, trigger.source == .webhook else {
            HookVerification.takeTime(over: call.body)
            throw Problem.hookRefused
        }
        do {
            guard
                let configuration = TriggerConfiguration(
                    stored: trigger.configuration, trigger.source),
                case .webhook(let verification) = configuration.source,
                let secrets = try? api.engine.secrets(of: trigger)
            else {
                HookVerification.takeTime(over: call.body)
                throw HookRefusal.unreadable
            }
            try verification.verify(
                HookCall(
                    header: { call.single($0) }, pathToken: call.parameters["token"],
                    body: call.body),
                secrets: secrets, now: api.engine.clock.now())
            // After the same work as for one that is enabled.
            guard trigger.isEnabled else { throw HookRefusal.disabled }
            try api.rates.take(trigger.team)
            return (trigger, configuration)
        } catch let refusal as HookRefusal {
            api.engine.triggerActivity.turnedAway(
                by: trigger.id, refusal.name, at: api.engine.clock.now())
            throw Problem.hookRefused
        }
    }

    private static func message(
        _ call: Call, _ trigger: Trigger, _ configuration: TriggerConfiguration, _ api: API
    ) -> ReceivedMessage {
        let message = InboundMessage(contentType: call.headers[.contentType], body: call.body)
        let content: ReceivedMessage.Content
        do throws(UnusableMessage) {
            content = .usable(
                try message.input(
                    acceptsText: configuration.acceptsText,
                    maximumBytes: api.limits.payloadBytes))
        } catch {
            content = .unusable(error.reason, detail: error.detail)
        }
        let id: MessageID? =
            switch configuration.idPlace {
            case .header(let name): call.single(name).flatMap { MessageID($0) }
            case .pointer(let pointer): message.id(at: pointer).flatMap { MessageID($0) }
            case .attribute, nil: nil
            }
        return ReceivedMessage(
            trigger: trigger,
            scope: AnyID(trigger.id), digests: id.map { [$0.digest()] } ?? [],
            keptSeconds: configuration.deduplicationDays * 86_400,
            contentType: message.contentType.map { String($0.prefix(256)) }, body: call.body,
            content: content)
    }
}

extension Call {
    /// The value of a header that came once.
    fileprivate func single(_ name: String) -> String? {
        guard let name = HTTPField.Name(name) else { return nil }
        let values = headers[values: name]
        return values.count == 1 ? values[0] : nil
    }
}

extension Problem {
    fileprivate static let hookRefused = Problem(
        status: .unauthorized, code: "unauthorized", title: "The call is not let in",
        detail: "there is no such trigger, or the call does not prove itself to it")

    /// - Parameter refusal: under which the message is kept; `nil` where it was kept before.
    init(_ message: UnusableMessage, refusal: RefusalID?) {
        let (status, code): (HTTPResponse.Status, String) =
            switch message.reason {
            case .invalidJSON: (.badRequest, "malformed")
            case .unsupportedContentType: (.unsupportedMediaType, "unsupported_media_type")
            case .tooLarge: (.contentTooLarge, "too_large")
            case .workflowGone, .versionGone: (.unprocessableContent, message.reason.name)
            }
        self.init(
            status: status, code: code, title: "The message cannot be used",
            detail: message.detail,
            members: refusal.map { [Member("refusal_id", $0.description)] } ?? [])
    }
}
