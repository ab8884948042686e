/** Entries of the log as sentences for people. */

import { bdi, h, link, words } from './dom.js';
import { actor, code, positionLink, runLink, scheduleLink, workflowLink } from './names.js';
import { duration, time } from './time.js';

const late = (milliseconds) => (milliseconds >= 1000 ? `, ${duration(milliseconds)} late` : ', on time');
const mode = { manual: 'by hand', scheduled: 'as promised', triggered: 'for its trigger' };
const said = (payload) => (payload ? ` with ${payload.bytes.toLocaleString('en')} bytes of output` : '');
const given = (text) => (text === undefined || text === null ? null : bdi(text));
const run = (event) => ['the run ', runLink(event.run_id)];
const flow = (event) => workflowLink(event.workflow_id);
const schedule = (event) => ['the schedule ', scheduleLink(event.schedule_id)];

const EVENTS = {
	initialised: () => 'began the log',
	started: () => 'the service started',
	stopped: () => 'the service stopped',
	paused: () => 'paused the service',
	resumed: () => 'resumed the service',
	clock_trusted: () => 'declared the clock right',
	team_created: (e) => ['made the team ', bdi(e.name), ` for ${e.max_concurrent_runs} runs at once`],
	license_set: (e) => `set the team's license to ${e.max_concurrent_runs} runs at once`,
	key_created: (e) => [`made the ${e.role} key `, bdi(e.name)],
	key_revoked: (e) => ['revoked ', actor(`key:${e.key_id}`)],
	keys_used: (e) => `noted when ${e.uses.length === 1 ? 'a key was' : `${e.uses.length} keys were`} used`,
	workflow_created: (e) => ['made the workflow ', flow(e)],
	workflow_modified: (e) => ['changed the workflow ', flow(e), ': ',
		[e.name !== undefined && ['named ', bdi(e.name)], e.paused === true && 'paused', e.paused === false && 'resumed',
			e.run_timeout_seconds !== undefined && `time-out ${duration(e.run_timeout_seconds * 1000)}`,
			e.retry && `at most ${e.retry.max_attempts} tries`, e.description !== undefined && 'its description'].filter(Boolean).flatMap((x,
				i) => (i ? [', ', x] : [x]))],
	concurrency_set: (e) => ['limited ', flow(e), e.max_concurrent_runs
		? ` to ${e.max_concurrent_runs} runs at once` : " by the team's license alone"],
	secret_rotated: (e) => ['made a new secret for ', flow(e)],
	draft_edited: (e) => ['edited the draft of ', flow(e)],
	version_saved: (e) => [`saved version ${e.version_number} of `, flow(e),
		e.version_name && [' as ', bdi(e.version_name)]],
	version_renamed: (e) => [`named version ${e.version_number} of `, flow(e), ' ', given(e.version_name)],
	version_activated: (e) => [`activated version ${e.version_number} of `, flow(e)],
	version_deleted: (e) => [`deleted version ${e.version_number} of `, flow(e)],
	version_imported: (e) => [`imported version ${e.version_number} of `, flow(e)],
	workflow_deleted: (e) => ['deleted ', flow(e)],
	workflow_closed: (e) => ['began to delete ', flow(e)],
	workflow_reopened: (e) => ['took back the deletion of ', flow(e)],
	schedule_created: (e) => ['promised ', flow(e), ' for ', time(e.scheduled_time), ': ', scheduleLink(e.schedule_id),
		e.scheduled_by_name && [' (asked by ', bdi(e.scheduled_by_name), ')']],
	schedule_modified: (e) => [e.scheduled_time ? ['moved ', schedule(e), ' to ', time(e.scheduled_time)] : ['changed ', schedule(e)],
		e.run_input && ', with another input', e.priority !== undefined && `, priority ${e.priority}`,
		e.version !== undefined && (e.version === null ? ', version not pinned' : `, version ${e.version}`),
		e.expires_at !== undefined && (e.expires_at ? [', expires ', time(e.expires_at)] : ', without an end')],
	schedule_cancelled: (e) => ['cancelled ', schedule(e)],
	schedule_fired: (e) => ['fired ', schedule(e), late(e.lateness_ms)],
	schedule_expired: (e) => ['let ', schedule(e), ' expire: it was too late'],
	run_queued: (e) => ['queued ', run(e), ' of ', flow(e), ` ${mode[e.mode]}`],
	run_started: (e) => [`started attempt ${e.attempt} of `, run(e), e.worker && [' at the worker ', bdi(e.worker)]],
	lease_renewed: (e) => ['heard of ', run(e), ': its lease holds until ', time(e.lease_expires_at)],
	run_accepted: (e) => ['was told that ', run(e), ' was accepted and goes on'],
	run_released: (e) => ['gave back ', run(e), ' to its queue'],
	run_completed: (e) => ['completed ', run(e), said(e.output)],
	run_retry_scheduled: (e) => [`attempt ${e.attempt} of `, run(e), ` failed (${words(e.reason)}); the next try is at `, time(e.not_before)],
	run_failed: (e) => [run(e), ` failed in attempt ${e.attempt} (${words(e.reason)})`],
	run_requeued: (e) => ['put ', run(e), ' back in its queue for the next try'],
	run_cancelled: (e) => ['cancelled ', run(e)],
	payloads_erased: (e) => [`erased ${e.payloads.length} payloads`, e.run_id && [' of ', run(e)], e.schedule_id && [' of ', schedule(e)]],
	trigger_created: (e) => ['made the trigger ', bdi(e.name), ' for ', flow(e)],
	message_refused: (e) => ['kept a message as refused: ', words(e.reason ?? ''), e.detail && [' (', bdi(e.detail), ')']],
	refusal_retried: (e) => ['took a refused message after all: ', runLink(e.run_id)],
	subscription_created: (e) => ['made the completion webhook ', bdi(e.name)],
};

/** What has no sentence of its own is told by its name, with what it was about. */
const OTHERS = ['trigger_modified', 'trigger_deleted', 'trigger_secret_rotated', 'subscription_modified', 'subscription_deleted',
	'subscription_secret_rotated', 'delivery_succeeded', 'delivery_retry_scheduled', 'delivery_failed', 'delivery_requeued',
	'deliveries_requeued', 'operation_started', 'operation_advanced', 'operation_finished'];

export const EVENT_NAMES = [...Object.keys(EVENTS), ...OTHERS];

const plain = (e) => [words(e.event), e.trigger_id && [': ', link(`#/triggers/${e.trigger_id}`, code(e.trigger_id))],
	e.subscription_id && [': ', link(`#/webhooks/${e.subscription_id}`, code(e.subscription_id))],
	e.status_code && ` (answered ${e.status_code})`];

const value = (one) => {
	if (one === null) return h('span.quiet', 'nothing');
	if (typeof one === 'string' && /^\d{4}-\d\d-\d\dT.*Z$/.test(one)) return time(one);
	if (typeof one === 'object' && 'position' in one) return ['what entry ', positionLink(one.position), ' brought'];
	return bdi(typeof one === 'object' ? JSON.stringify(one) : String(one));
};

/** What an entry changed of the object whose history it stands in: old and new. */
const changed = (changes) => changes.map(({ field, old, new: now }, index) => [index ? '; ' : '',
	field === 'scheduled_time' ? 'moved from ' : `changed ${words(field)} from `, value(old), ' to ', value(now)]);

export const sentence = (entry) => [
	entry.changes?.length && entry.events[0].event.endsWith('_modified') ? changed(entry.changes)
		: entry.events.map((event, index) => [index ? '; ' : '', (EVENTS[event.event] ?? plain)(event)]),
	h('span.by', [' by ', actor(entry.actor, entry.actor_name)])];

export const entryItem = (entry) => h('li.entry', { 'data-position': entry.position }, h('span.where', positionLink(entry.position), ' ',
	time(entry.recorded_at)),
	h('span.what', sentence(entry)));
