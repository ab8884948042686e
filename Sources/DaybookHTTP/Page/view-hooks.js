/** Triggers with their refusals, completion webhooks with their deliveries. */

import { everything, get, may } from './api.js';
import { bdi, box, button, facts, h, link, quiet, replace, words } from './dom.js';
import { ask, tell, timeField } from './forms.js';
import { liveList, liveThing } from './list.js';
import { code, positionLink, runLink, workflowLink } from './names.js';
import { duration, fullTime, time } from './time.js';
import { acts, area, choices, col, empty, longText, num, section, status, tableOf } from './widgets.js';

const triggerState = (one) => (!one.enabled ? 'disabled' : one.state?.status ?? 'listening');

export function view({ query, go }) {
	return liveList({
		path: '/workflow-triggers', query, go, idIn: 'trigger_id', births: ['trigger_created', 'trigger_deleted'],
			caption: 'Triggers, newest first', nothing: 'There is no trigger yet.',
		columns: [col('Trigger', (one) => link(`#/triggers/${one.id}`, bdi(one.name))), col('Kind', (one) => one.kind),
			col('State', (one) => h('span', { class: triggerState(one) === 'degraded' ? 'bad' : '' }, triggerState(one))),
			col('Workflow', (one) => workflowLink(one.workflow_id)), num('Changed', (one) => time(one.updated_at))],
	});
}

async function toggle(path, what) {
	const now = await get(path);
	return ask({
		title: `${now.enabled ? 'Disable' : 'Enable'} this ${what}?`, action: now.enabled ? 'Disable' : 'Enable',
			content: h('p', bdi(now.name)), done: `The ${what} is ${now.enabled ? 'disabled' : 'enabled'}.`,
		method: 'PATCH', path, etag: now.etag, body: { enabled: !now.enabled },
	});
}

function showRefusals(id, { items, turned_away: away }, reload) {
	const retry = (refusal) => ask({
		title: 'Take this message after all?', action: 'Make a run of it', content: h('p', 'It is judged by the trigger as it is now.'),
			done: 'The message became a run.',
		path: `/workflow-triggers/${id}/refusals/${refusal.id}/retry`,
	}).then((run) => { if (run) reload(); });
	const counts = Object.entries(away.counts);
	return [items.length === 0 ? empty('No message was kept as refused.') : tableOf(items, {
		caption: 'Messages that were kept',
		columns: [num('When', (one) => time(one.created_at)), col('Why',
			(one) => [words(one.reason), one.detail && [': ', longText(one.detail)]]),
			col('Message', (one) => (one.erased ? 'erased' : longText(one.body ?? one.body_base64 ?? '', 120))),
				col('Run', (one) => (one.run_id ? runLink(one.run_id) : may('write')
				? button('Take it', () => retry(one), { 'aria-label': `Take the message ${one.id}` }) : '–'))],
	}), quiet('Turned away since the service started: ', counts.map(([reason, count]) => `${count} ${words(reason)}`).join(', ') || 'nothing', '.')];
}

export function one({ id }) {
	const path = `/workflow-triggers/${id}`;
	const refusals = area((signal) => get(`${path}/refusals`, { limit: 100 }, signal),
		(page) => showRefusals(id, page, () => refusals.reload()));
	const heading = h('span', 'Trigger');
	let seen = false;
	const thing = liveThing({
		id, idIn: 'trigger_id',
		load: (signal) => get(path, {}, signal),
		show: (trigger) => {
			replace(heading, bdi(trigger.name));
			if (seen) refusals.reload();
			seen = true;
			return [may('write') && box('actions', button(trigger.enabled ? 'Disable' : 'Enable', () => toggle(path, 'trigger')),
				link(`#/runs?trigger_id=${id}`, 'Its runs')),
				section('The trigger', facts([['State', triggerState(trigger)],
					['Reason', trigger.state?.reason && longText(trigger.state.reason)], ['Kind', trigger.kind],
					['Workflow', workflowLink(trigger.workflow_id)], ['Version', trigger.version ?? 'the active one'],
					['Path', trigger.path && h('code', trigger.path)], ['Queue', trigger.queue_url && bdi(trigger.queue_url)],
						['Verification', trigger.verification?.type], ['Made', fullTime(trigger.created_at)], ['Id', h('code', id)]]))];
		},
	});
	return { title: heading, node: box('view', thing.node, section('Refused messages', refusals)), end: thing.end };
}

const DELIVERY = choices('pending', 'retrying', 'delivered', 'failed');

const retryDelivery = (id) => ask({
	title: 'Send it again?', action: 'Send again', content: h('p', 'The receiver gets the same body with the same id.'),
		done: 'It will be sent again.',
	path: `/workflow-webhooks/events/${id}/retry`,
});

async function attempts(id) {
	const { items } = await get(`/workflow-webhooks/events/${id}/attempts`, { limit: 100 });
	return tell('Attempts', items.length === 0 ? empty('It was not sent yet.') : tableOf(items, {
		caption: 'Attempts, the last one first',
		columns: [num('Attempt', (one) => one.attempt ?? '–'), num('When', (one) => time(one.started_at)),
			num('Took', (one) => (one.latency_ms === null ? '–' : duration(one.latency_ms))),
				col('Answer', (one) => [one.status_code ?? one.error ?? '–', one.answer && [' ', longText(one.answer, 120)]]),
					col('Entry', (one) => positionLink(one.position))],
	}), true);
}

const deliveries = (query, fixed, go) => liveList({
	path: '/workflow-webhooks/events', query, fixed, go, idIn: 'delivery_id',
		births: ['run_completed', 'run_failed', 'run_cancelled', 'deliveries_requeued'], caption: 'Deliveries, newest first',
		nothing: 'Nothing was to be delivered yet.',
	fields: [{ name: 'status', label: 'State', options: DELIVERY }],
	columns: [num('When', (one) => time(one.occurred_at)), col('State', (one) => status(one.status)),
		col('Event', (one) => words(one.action)), col('Of', (one) => (one.run_id ? runLink(one.run_id) : workflowLink(one.workflow_id))),
		num('Answer', (one) => one.status_code ?? '–'), num('Next', (one) => time(one.next_attempt_at)),
		acts('Look', (one) => [button(`${one.attempts} attempt${one.attempts === 1 ? '' : 's'}`, () => attempts(one.id)),
			may('write') && (one.status === 'failed' || one.status === 'delivered')
			&& button('Send again', () => retryDelivery(one.id), { 'aria-label': `Send ${one.id} again` })])],
});

const hookState = ({ gone, enabled, circuit }) => (gone ? 'gone' : !enabled ? 'disabled'
	: circuit.state === 'closed' ? 'enabled' : `held back: its circuit is ${words(circuit.state)}`);

export function webhooks({ query, go }) {
	const log = deliveries(query, {}, go);
	const list = area((signal) => everything('/workflow-webhooks', signal),
		(items) => (items.length === 0 ? empty('There is no completion webhook yet.') : tableOf(items, {
		caption: 'Completion webhooks, newest first',
		columns: [col('Name', (one) => link(`#/webhooks/${one.id}`, bdi(one.name))), col('Sends to', (one) => bdi(one.url)),
			col('State', hookState),
			col('Tells of', (one) => one.actions.map(words).join(', '))],
	})));
	return { title: 'Completion webhooks', node: box('view', section('Webhooks', list), section('Deliveries', log.node)), end: log.end };
}

const replay = (id) => ask({
	title: 'Send again what was lost', action: 'Send again', path: `/workflow-webhooks/${id}/replay`,
	content: h('p', 'What has ended in this time is sent again, with the same ids, at most 500 at a time.'),
	fields: [timeField('after', 'Of what happened after', { required: true }), timeField('until', 'and until')],
	done: (said) => `${said.requeued} deliveries will be sent again.${said.next_after === null ? '' : ' There are more after these.'}`,
});

export function webhook({ id, query, go }) {
	const path = `/workflow-webhooks/${id}`;
	const heading = h('span', 'Completion webhook ', code(id));
	const log = deliveries(query, { subscription_id: id }, go);
	const thing = liveThing({
		id, idIn: 'subscription_id',
		load: (signal) => get(path, {}, signal),
		show: (hook) => {
			replace(heading, bdi(hook.name));
			return [may('write') && box('actions', button('Replay', () => replay(id)),
				button(hook.enabled ? 'Disable' : 'Enable', () => toggle(path, 'webhook'))),
				section('The webhook', facts([['Sends to', bdi(hook.url)], ['State', hookState(hook)],
					['Circuit', [hook.circuit.state, hook.circuit.open_until && [' until ', time(hook.circuit.open_until)]]],
					['Tells of', hook.actions.map(words).join(', ')],
					['Retries', `${hook.max_retries}, first wait ${hook.retry_backoff_seconds} s`], ['Time-out', `${hook.timeout_seconds} s`],
						['Made', fullTime(hook.created_at)], ['Id', h('code', id)]]))];
		},
	});
	return { title: heading, node: box('view', thing.node, section('Deliveries', log.node)), end() { thing.end(); log.end(); } };
}
