// Names of commands and events for people and programs outside. Public, and never used again for
// anything else; `docs/daybook.proto` has the same.

extension CommandName {
    package var text: String {
        switch self {
        case .initialise: "initialise"
        case .start: "start"
        case .stop: "stop"
        case .pause: "pause"
        case .resume: "resume"
        case .trustClock: "trust_clock"
        case .createTeam: "create_team"
        case .setLicense: "set_license"
        case .createKey: "create_key"
        case .revokeKey: "revoke_key"
        case .recordKeyUse: "record_key_use"
        case .createWorkflow: "create_workflow"
        case .modifyWorkflow: "modify_workflow"
        case .setConcurrency: "set_concurrency"
        case .deleteWorkflow: "delete_workflow"
        case .rotateSecret: "rotate_secret"
        case .importWorkflow: "import_workflow"
        case .editDraft: "edit_draft"
        case .saveVersion: "save_version"
        case .renameVersion: "rename_version"
        case .activateVersion: "activate_version"
        case .deleteVersion: "delete_version"
        case .createSchedule: "create_schedule"
        case .modifySchedule: "modify_schedule"
        case .cancelSchedule: "cancel_schedule"
        case .fire: "fire"
        case .execute: "execute"
        case .acceptHook: "accept_hook"
        case .acceptMessage: "accept_message"
        case .refuseMessage: "refuse_message"
        case .retryRefusal: "retry_refusal"
        case .claim: "claim"
        case .renewLease: "renew_lease"
        case .accept: "accept"
        case .release: "release"
        case .complete: "complete"
        case .fail: "fail"
        case .reap: "reap"
        case .retry: "retry"
        case .expire: "expire"
        case .cancelRun: "cancel_run"
        case .createTrigger: "create_trigger"
        case .modifyTrigger: "modify_trigger"
        case .deleteTrigger: "delete_trigger"
        case .createSubscription: "create_subscription"
        case .modifySubscription: "modify_subscription"
        case .deleteSubscription: "delete_subscription"
        case .recordDelivery: "record_delivery"
        case .redeliver: "redeliver"
        case .replayDeliveries: "replay_deliveries"
        case .startOperation: "start_operation"
        case .finishOperation: "finish_operation"
        case .advanceOperation: "advance_operation"
        case .erase: "erase"
        }
    }

    package init?(text: String) {
        guard let name = Self.allCases.first(where: { $0.text == text }) else { return nil }
        self = name
    }
}

extension Event {
    package var name: String {
        switch self {
        case .initialised: "initialised"
        case .started: "started"
        case .stopped: "stopped"
        case .paused: "paused"
        case .resumed: "resumed"
        case .clockTrusted: "clock_trusted"
        case .teamCreated: "team_created"
        case .licenseSet: "license_set"
        case .keyCreated: "key_created"
        case .keyRevoked: "key_revoked"
        case .keysUsed: "keys_used"
        case .workflowCreated: "workflow_created"
        case .workflowModified: "workflow_modified"
        case .concurrencySet: "concurrency_set"
        case .secretRotated: "secret_rotated"
        case .workflowDeleted: "workflow_deleted"
        case .workflowClosed: "workflow_closed"
        case .workflowReopened: "workflow_reopened"
        case .draftEdited: "draft_edited"
        case .versionSaved: "version_saved"
        case .versionRenamed: "version_renamed"
        case .versionActivated: "version_activated"
        case .versionDeleted: "version_deleted"
        case .versionImported: "version_imported"
        case .scheduleCreated: "schedule_created"
        case .scheduleModified: "schedule_modified"
        case .scheduleCancelled: "schedule_cancelled"
        case .scheduleFired: "schedule_fired"
        case .scheduleExpired: "schedule_expired"
        case .runQueued: "run_queued"
        case .runStarted: "run_started"
        case .leaseRenewed: "lease_renewed"
        case .runAccepted: "run_accepted"
        case .runReleased: "run_released"
        case .runCompleted: "run_completed"
        case .runRetryScheduled: "run_retry_scheduled"
        case .runFailed: "run_failed"
        case .runRequeued: "run_requeued"
        case .runCancelled: "run_cancelled"
        case .payloadsErased: "payloads_erased"
        case .triggerCreated: "trigger_created"
        case .triggerModified: "trigger_modified"
        case .triggerDeleted: "trigger_deleted"
        case .triggerSecretRotated: "trigger_secret_rotated"
        case .messageRefused: "message_refused"
        case .refusalRetried: "refusal_retried"
        case .subscriptionCreated: "subscription_created"
        case .subscriptionModified: "subscription_modified"
        case .subscriptionDeleted: "subscription_deleted"
        case .subscriptionSecretRotated: "subscription_secret_rotated"
        case .deliverySucceeded: "delivery_succeeded"
        case .deliveryRetryScheduled: "delivery_retry_scheduled"
        case .deliveryFailed: "delivery_failed"
        case .deliveryRequeued: "delivery_requeued"
        case .deliveriesRequeued: "deliveries_requeued"
        case .operationStarted: "operation_started"
        case .operationAdvanced: "operation_advanced"
        case .operationFinished: "operation_finished"
        }
    }

    /// Every name that an event can have.
    package static let names: [String] = [
        "initialised", "started", "stopped", "paused", "resumed", "clock_trusted",
        "team_created", "license_set", "key_created", "key_revoked", "workflow_created",
        "workflow_modified", "concurrency_set", "secret_rotated", "draft_edited",
        "version_saved", "version_renamed", "version_activated", "schedule_created",
        "schedule_modified", "schedule_cancelled", "schedule_fired", "schedule_expired",
        "run_queued", "run_started", "lease_renewed", "run_accepted", "run_released",
        "run_completed", "run_retry_scheduled", "run_failed", "run_requeued", "run_cancelled",
        "payloads_erased", "trigger_created", "trigger_modified", "trigger_deleted",
        "trigger_secret_rotated", "message_refused", "refusal_retried", "subscription_created",
        "subscription_modified", "subscription_deleted", "subscription_secret_rotated",
        "delivery_succeeded", "delivery_retry_scheduled", "delivery_failed", "delivery_requeued",
        "deliveries_requeued", "keys_used", "workflow_deleted", "workflow_closed",
        "workflow_reopened", "version_deleted", "version_imported", "operation_started",
        "operation_advanced", "operation_finished",
    ]
}
