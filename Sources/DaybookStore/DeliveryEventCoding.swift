import DaybookCore
import Foundation
import SwiftProtobuf

/// Events about subscriptions and deliveries.
extension EntryCodec {
    static func encodeSubscription(_ event: Event) -> Daybook_Event.OneOf_Kind {
        switch event {
        case .subscriptionCreated(let event):
            .subscriptionCreated(
                .with {
                    $0.subscription = event.subscription.data
                    $0.number = UInt32(event.number)
                    $0.name = event.name
                    $0.url = event.url
                    $0.actions = event.actions.bits
                    $0.workflows = event.workflows.map { Data($0.bytes) }
                    $0.isEnabled = event.isEnabled
                    $0.timeoutSeconds = UInt32(event.timeoutSeconds)
                    $0.maxRetries = UInt32(event.maxRetries)
                    $0.retryBackoffSeconds = UInt32(event.retryBackoffSeconds)
                    if let token = event.bearerToken { $0.bearerToken = encode(token) }
                    $0.secret = encode(event.secret)
                })
        case .subscriptionModified(let event):
            .subscriptionModified(encode(event))
        case .subscriptionDeleted(let event):
            .subscriptionDeleted(
                .with {
                    $0.subscription = event.subscription.data
                    $0.previous = event.previous
                })
        case .subscriptionSecretRotated(let event):
            .subscriptionSecretRotated(
                .with {
                    $0.subscription = event.subscription.data
                    $0.previous = event.previous
                    $0.secret = encode(event.secret)
                    $0.oldEndsAt = event.oldEndsAt.microseconds
                })
        default: preconditionFailure("not an event about subscriptions")
        }
    }

    private static func encode(_ event: SubscriptionModified) -> Daybook_SubscriptionModified {
        .with {
            $0.subscription = event.subscription.data
            $0.previous = event.previous
            let changes = event.changes
            if let name = changes.name { $0.name = name }
            if let url = changes.url { $0.url = url }
            if let actions = changes.actions { $0.actions = actions.bits }
            if let workflows = changes.workflows {
                $0.workflows = .with { $0.ids = workflows.map { Data($0.bytes) } }
            }
            if let isEnabled = changes.isEnabled { $0.isEnabled = isEnabled }
            if let isGone = changes.isGone { $0.isGone = isGone }
            if let seconds = changes.timeoutSeconds { $0.timeoutSeconds = UInt32(seconds) }
            if let retries = changes.maxRetries { $0.maxRetries = UInt32(retries) }
            if let seconds = changes.retryBackoffSeconds {
                $0.retryBackoffSeconds = UInt32(seconds)
            }
            switch changes.bearerToken {
            case .keep: break
            case .set(let token?): $0.bearerToken = encode(token)
            case .set(nil): $0.clearsBearerToken = true
            }
        }
    }

    static func decodeSubscription(_ event: Daybook_Event) throws(EntryError) -> Event {
        switch event.kind {
        case .subscriptionCreated(let event):
            try known(event)
            return .subscriptionCreated(
                SubscriptionCreated(
                    subscription: try id(event.subscription), number: Int(event.number),
                    name: event.name, url: event.url, actions: Actions(bits: event.actions),
                    workflows: try ids(event.workflows), isEnabled: event.isEnabled,
                    timeoutSeconds: Int(event.timeoutSeconds), maxRetries: Int(event.maxRetries),
                    retryBackoffSeconds: Int(event.retryBackoffSeconds),
                    bearerToken: event.hasBearerToken ? try decode(event.bearerToken) : nil,
                    secret: try decode(event.secret)))
        case .subscriptionModified(let event): return .subscriptionModified(try decode(event))
        case .subscriptionDeleted(let event):
            try known(event)
            return .subscriptionDeleted(
                SubscriptionDeleted(
                    subscription: try id(event.subscription), previous: event.previous))
        case .subscriptionSecretRotated(let event):
            try known(event)
            return .subscriptionSecretRotated(
                SubscriptionSecretRotated(
                    subscription: try id(event.subscription), previous: event.previous,
                    secret: try decode(event.secret),
                    oldEndsAt: Instant(microseconds: event.oldEndsAt)))
        default: preconditionFailure("not an event about subscriptions")
        }
    }

    private static func decode(
        _ event: Daybook_SubscriptionModified
    ) throws(EntryError) -> SubscriptionModified {
        try known(event)
        var changes = SubscriptionChanges()
        if event.hasName { changes.name = event.name }
        if event.hasURL { changes.url = event.url }
        if event.hasActions { changes.actions = Actions(bits: event.actions) }
        if event.hasWorkflows {
            try known(event.workflows)
            changes.workflows = try ids(event.workflows.ids)
        }
        if event.hasIsEnabled { changes.isEnabled = event.isEnabled }
        if event.hasIsGone { changes.isGone = event.isGone }
        if event.hasTimeoutSeconds { changes.timeoutSeconds = Int(event.timeoutSeconds) }
        if event.hasMaxRetries { changes.maxRetries = Int(event.maxRetries) }
        if event.hasRetryBackoffSeconds {
            changes.retryBackoffSeconds = Int(event.retryBackoffSeconds)
        }
        if event.hasBearerToken { changes.bearerToken = .set(try decode(event.bearerToken)) }
        if event.clearsBearerToken { changes.bearerToken = .set(nil) }
        return SubscriptionModified(
            subscription: try id(event.subscription), previous: event.previous, changes: changes)
    }

    private static func ids(_ bytes: [Data]) throws(EntryError) -> [WorkflowID] {
        var ids: [WorkflowID] = []
        for bytes in bytes { ids.append(try id(bytes)) }
        return ids
    }

    static func encodeDelivery(_ event: Event) -> Daybook_Event.OneOf_Kind {
        switch event {
        case .deliverySucceeded(let event):
            .deliverySucceeded(
                .with {
                    $0.delivery = event.delivery.data
                    $0.previous = event.previous
                    $0.attempt = encode(event.attempt)
                })
        case .deliveryRetryScheduled(let event):
            .deliveryRetryScheduled(
                .with {
                    $0.delivery = event.delivery.data
                    $0.previous = event.previous
                    $0.attempt = encode(event.attempt)
                    $0.notBefore = event.notBefore.microseconds
                })
        case .deliveryFailed(let event):
            .deliveryFailed(
                .with {
                    $0.delivery = event.delivery.data
                    $0.previous = event.previous
                    $0.attempt = encode(event.attempt)
                })
        case .deliveryRequeued(let event):
            .deliveryRequeued(
                .with {
                    $0.delivery = event.delivery.data
                    $0.previous = event.previous
                    $0.notBefore = event.notBefore.microseconds
                })
        case .deliveriesRequeued(let event):
            .deliveriesRequeued(
                .with {
                    $0.subscription = event.subscription.data
                    $0.deliveries = event.deliveries.map { link in
                        .with {
                            $0.delivery = link.delivery.data
                            $0.previous = link.previous
                        }
                    }
                    $0.notBefore = event.notBefore.microseconds
                    $0.nextAfter = event.nextAfter ?? 0
                })
        default: preconditionFailure("not an event about deliveries")
        }
    }

    private static func encode(_ attempt: DeliveryAttempt) -> Daybook_DeliveryAttempt {
        .with {
            $0.number = UInt32(attempt.number)
            $0.startedAt = attempt.startedAt.microseconds
            $0.latencyMilliseconds = UInt32(attempt.latencyMilliseconds)
            if let code = attempt.statusCode { $0.statusCode = UInt32(code) }
            if let error = attempt.error { $0.error = error }
            if let answer = attempt.answer { $0.answer = encode(answer) }
        }
    }

    static func decodeDelivery(_ event: Daybook_Event) throws(EntryError) -> Event {
        switch event.kind {
        case .deliverySucceeded(let event):
            try known(event)
            return .deliverySucceeded(
                DeliverySucceeded(
                    delivery: try id(event.delivery), previous: event.previous,
                    attempt: try decode(event.attempt)))
        case .deliveryRetryScheduled(let event):
            try known(event)
            return .deliveryRetryScheduled(
                DeliveryRetryScheduled(
                    delivery: try id(event.delivery), previous: event.previous,
                    attempt: try decode(event.attempt),
                    notBefore: Instant(microseconds: event.notBefore)))
        case .deliveryFailed(let event):
            try known(event)
            return .deliveryFailed(
                DeliveryFailed(
                    delivery: try id(event.delivery), previous: event.previous,
                    attempt: try decode(event.attempt)))
        case .deliveryRequeued(let event):
            try known(event)
            return .deliveryRequeued(
                DeliveryRequeued(
                    delivery: try id(event.delivery), previous: event.previous,
                    notBefore: Instant(microseconds: event.notBefore)))
        case .deliveriesRequeued(let event):
            try known(event)
            var links: [DeliveriesRequeued.Link] = []
            for link in event.deliveries {
                try known(link)
                links.append(
                    DeliveriesRequeued.Link(
                        delivery: try id(link.delivery), previous: link.previous))
            }
            return .deliveriesRequeued(
                DeliveriesRequeued(
                    subscription: try id(event.subscription), deliveries: links,
                    notBefore: Instant(microseconds: event.notBefore),
                    nextAfter: event.nextAfter == 0 ? nil : event.nextAfter))
        default: preconditionFailure("not an event about deliveries")
        }
    }

    private static func decode(
        _ attempt: Daybook_DeliveryAttempt
    ) throws(EntryError) -> DeliveryAttempt {
        try known(attempt)
        return DeliveryAttempt(
            number: Int(attempt.number), startedAt: Instant(microseconds: attempt.startedAt),
            latencyMilliseconds: Int(attempt.latencyMilliseconds),
            statusCode: attempt.hasStatusCode ? Int(attempt.statusCode) : nil,
            error: attempt.hasError ? attempt.error : nil,
            answer: attempt.hasAnswer ? try decode(attempt.answer) : nil)
    }
}
