import DaybookCore
import DaybookEngine
import DaybookWire
import Foundation

/// Triggers, refusals, subscriptions and deliveries as JSON.
extension JSONWriter {
    /// - Parameter secret: its text, where the answer is one that shows it.
    mutating func trigger(
        _ trigger: Trigger, health: TriggerActivity.Health, secret: String? = nil
    ) {
        let configuration = TriggerConfiguration(stored: trigger.configuration, trigger.source)
        object { writer in
            writer.field("id", trigger.id)
            writer.field("team_id", trigger.team)
            writer.field("workflow_id", trigger.workflow)
            writer.field("kind", trigger.source.name)
            writer.field("name", trigger.name)
            writer.field("version", trigger.version)
            writer.field("enabled", trigger.isEnabled)
            if let configuration { writer.configuration(configuration) }
            switch trigger.source {
            case .webhook:
                var path = "/hooks/\(trigger.id)"
                // Its last segment is the secret.
                if configuration?.source == .webhook(.none) { path += "/\(secret ?? "{token}")" }
                writer.field("path", path)
            case .sqs:
                writer.object("state") { writer in
                    switch health {
                    case _ where !trigger.isEnabled: writer.field("status", "disabled")
                    case .good: writer.field("status", "reading")
                    case .held: writer.field("status", "held")
                    case .degraded(let since, let reason):
                        writer.field("status", "degraded")
                        writer.field("since", since)
                        writer.field("reason", reason)
                    }
                }
            }
            writer.field("revision", trigger.revision)
            writer.touched(trigger.touched)
            if let secret { writer.field("secret", secret) }
        }
    }

    mutating func refusal(_ detail: RefusalDetail) {
        let refusal = detail.refusal
        object { writer in
            writer.field("id", refusal.id)
            writer.field("team_id", refusal.team)
            writer.field("trigger_id", refusal.trigger)
            writer.field("reason", refusal.reason.name)
            writer.field("detail", refusal.detail)
            writer.field("content_type", refusal.contentType)
            let bytes = StoredPayload?.some(detail.body).bytes
            // Whatever it is: text as text, the rest as base 64.
            let text = bytes.flatMap { String(validating: $0, as: UTF8.self) }
            writer.field("body", text)
            if text == nil, let bytes {
                writer.field("body_base64", Data(bytes).base64EncodedString())
            }
            writer.field("run_id", refusal.run)
            writer.touched(refusal.touched)
            if detail.body == .erased { writer.field("erased", true) }
        }
    }

    /// - Parameter secret: its text, where the answer is one that shows it.
    mutating func subscription(
        _ subscription: Subscription, circuit: Circuits.State, secret: String? = nil
    ) {
        object { writer in
            writer.field("id", subscription.id)
            writer.field("team_id", subscription.team)
            writer.field("name", subscription.name)
            writer.field("url", subscription.url)
            writer.names("actions", subscription.actions)
            writer.ids("workflow_ids", subscription.workflows)
            writer.field("enabled", subscription.isEnabled)
            writer.field("gone", subscription.isGone)
            writer.field("has_bearer_token", subscription.bearerToken != nil)
            writer.field("timeout_seconds", subscription.timeoutSeconds)
            writer.field("max_retries", subscription.maxRetries)
            writer.field("retry_backoff_seconds", subscription.retryBackoffSeconds)
            writer.object("circuit") { writer in
                writer.field("state", circuit.name)
                if case .open(let end) = circuit { writer.field("open_until", end) }
            }
            writer.field("revision", subscription.revision)
            writer.touched(subscription.touched)
            if let secret { writer.field("secret", secret) }
        }
    }

    mutating func delivery(_ delivery: Delivery) {
        object { writer in
            writer.field("id", delivery.id)
            writer.field("team_id", delivery.team)
            writer.field("subscription_id", delivery.subscription)
            writer.field("action", delivery.action.name)
            writer.field("position", delivery.position)
            writer.field("occurred_at", delivery.occurredAt)
            writer.field("workflow_id", delivery.workflow.id)
            writer.field("run_id", delivery.run?.id)
            writer.field("schedule_id", delivery.schedule?.id ?? delivery.run?.schedule)
            writer.field("status", delivery.status.name)
            writer.field("attempts", delivery.attempts)
            writer.field("next_attempt_at", delivery.attempts > 0 ? delivery.notBefore : nil)
            writer.field("status_code", delivery.statusCode)
            writer.field("finished_at", delivery.finishedAt)
            writer.touched(delivery.touched)
        }
    }

    mutating func attempt(_ detail: DeliveryAttemptDetail) {
        let attempt = detail.attempt
        object { writer in
            writer.field("attempt", attempt.number)
            writer.field("position", detail.position)
            writer.field("started_at", attempt.startedAt)
            writer.field("latency_ms", attempt.latencyMilliseconds)
            writer.field("status_code", attempt.statusCode)
            writer.field("answer", detail.answer.text)
            writer.field("error", attempt.error)
        }
    }
}
