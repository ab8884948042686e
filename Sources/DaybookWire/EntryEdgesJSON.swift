import DaybookCore

/// Events about triggers, subscriptions and deliveries, as `EntryJSON` has all others.
extension JSONWriter {
    mutating func triggerFields(of event: Event) {
        switch event {
        case .triggerCreated(let event):
            field("trigger_id", event.trigger)
            field("workflow_id", event.workflow)
            field("kind", event.source.name)
            field("name", event.name)
            field("version", event.version)
            field("enabled", event.isEnabled)
            field("configuration", raw: event.configuration)
        case .triggerModified(let event):
            field("trigger_id", event.trigger)
            let changes = event.changes
            if let name = changes.name { field("name", name) }
            if case .set(let version) = changes.version { field("version", version) }
            if let isEnabled = changes.isEnabled { field("enabled", isEnabled) }
            if let bytes = changes.configuration { field("configuration", raw: bytes) }
        case .triggerDeleted(let event): field("trigger_id", event.trigger)
        case .triggerSecretRotated(let event):
            field("trigger_id", event.trigger)
            field("old_secret_ends_at", event.oldEndsAt)
        case .messageRefused(let event):
            field("refusal_id", event.refusal)
            field("trigger_id", event.trigger)
            field("reason", event.reason.name)
            field("detail", event.detail)
            field("content_type", event.contentType)
            payload("body", event.body)
        case .refusalRetried(let event):
            field("refusal_id", event.refusal)
            field("trigger_id", event.trigger)
            field("run_id", event.run)
        default: break
        }
    }

    mutating func subscriptionFields(of event: Event) {
        switch event {
        case .subscriptionCreated(let event):
            field("subscription_id", event.subscription)
            field("name", event.name)
            field("url", event.url)
            names("actions", event.actions)
            ids("workflow_ids", event.workflows)
            field("enabled", event.isEnabled)
            field("timeout_seconds", event.timeoutSeconds)
            field("max_retries", event.maxRetries)
            field("retry_backoff_seconds", event.retryBackoffSeconds)
            field("has_bearer_token", event.bearerToken != nil)
        case .subscriptionModified(let event):
            field("subscription_id", event.subscription)
            let changes = event.changes
            if let name = changes.name { field("name", name) }
            if let url = changes.url { field("url", url) }
            if let actions = changes.actions { names("actions", actions) }
            if let workflows = changes.workflows { ids("workflow_ids", workflows) }
            if let isEnabled = changes.isEnabled { field("enabled", isEnabled) }
            if let isGone = changes.isGone { field("gone", isGone) }
            if let seconds = changes.timeoutSeconds { field("timeout_seconds", seconds) }
            if let retries = changes.maxRetries { field("max_retries", retries) }
            if let seconds = changes.retryBackoffSeconds {
                field("retry_backoff_seconds", seconds)
            }
            if case .set(let token) = changes.bearerToken {
                field("has_bearer_token", token != nil)
            }
        case .subscriptionDeleted(let event): field("subscription_id", event.subscription)
        case .subscriptionSecretRotated(let event):
            field("subscription_id", event.subscription)
            field("old_secret_ends_at", event.oldEndsAt)
        default: break
        }
    }

    mutating func deliveryFields(of event: Event) {
        switch event {
        case .deliverySucceeded(let event):
            field("delivery_id", event.delivery)
            attempt(event.attempt)
        case .deliveryRetryScheduled(let event):
            field("delivery_id", event.delivery)
            attempt(event.attempt)
            field("not_before", event.notBefore)
        case .deliveryFailed(let event):
            field("delivery_id", event.delivery)
            attempt(event.attempt)
        case .deliveryRequeued(let event):
            field("delivery_id", event.delivery)
            field("not_before", event.notBefore)
        case .deliveriesRequeued(let event):
            field("subscription_id", event.subscription)
            ids("delivery_ids", event.deliveries.map(\.delivery))
            field("not_before", event.notBefore)
            field("next_after", event.nextAfter)
        default: break
        }
    }

    private mutating func attempt(_ attempt: DeliveryAttempt) {
        field("attempt", attempt.number == 0 ? nil : attempt.number)
        field("started_at", attempt.startedAt)
        field("latency_ms", attempt.latencyMilliseconds)
        field("status_code", attempt.statusCode)
        field("error", attempt.error)
        payload("answer", attempt.answer)
    }

    package mutating func names(_ name: String, _ actions: Actions) {
        array(name) { writer in
            for action in actions.all { writer.string(action.name) }
        }
    }

    package mutating func ids<Kind>(_ name: String, _ ids: [Identifier<Kind>]) {
        array(name) { writer in
            for id in ids { writer.string(id.description) }
        }
    }
}
