/** Runs: all of them, and one. */

import { get, getPlain, may } from './api.js';
import { cancelRun, runNow } from './acts.js';
import { bdi, box, button, facts, h, link, quiet, s, words } from './dom.js';
import { history } from './history.js';
import { liveList, liveThing } from './list.js';
import { actor, workflowChoices, code, positionLink, runLink, scheduleLink, workflowLink } from './names.js';
import { duration, fullTime, since, time, zone } from './time.js';
import { area, choices, col, longText, num, payload, section, status, tableOf } from './widgets.js';

export function view({ query, go }) {
	return liveList({
		path: '/workflow-runs', query, go, idIn: 'run_id', births: ['run_queued'], caption: `Runs, newest first; times are those of ${zone}`,
			nothing: 'Nothing has run yet.',
		fields: [{ name: 'status', label: 'State', options: choices('queued', 'in_progress', 'completed', 'failed', 'cancelled') },
			{ name: 'mode', label: 'Mode', options: choices('manual', 'scheduled', 'triggered') },
			{ name: 'workflow_id', label: 'Workflow', options: workflowChoices() },
				{ name: 'from', label: 'Queued from', type: 'datetime-local' }, { name: 'to', label: 'and before', type: 'datetime-local' },
			...['schedule_id', 'trigger_id'].filter((name) => query[name]).map((name) => ({ name,
				label: name === 'schedule_id' ? 'Schedule' : 'Trigger' }))],
		columns: [num('Queued', (run) => time(run.queued_at)), col('State', (run) => status(run.status)),
			col('Workflow', (run) => workflowLink(run.workflow_id)),
			col('Mode', (run) => run.mode), num('Attempt', (run) => run.attempt),
			num('Waited', (run) => (run.durations.slot_wait_ms === null ? '–' : duration(run.durations.slot_wait_ms))),
				num('Took', (run) => (run.durations.run_ms === null ? '–' : duration(run.durations.run_ms))),
			col('Error', (run) => (run.error && run.status === 'failed' ? words(run.error.reason) : '–')), col('Run', (run) => runLink(run.id))],
	});
}

/** The way of a run from its due time to its end, each part with how long it took. */
function strip(run) {
	const points = [run.scheduled_time && ['due', run.scheduled_time], run.fired_at && ['fired', run.fired_at], ['queued', run.queued_at],
		run.first_started_at && ['first started', run.first_started_at],
		run.started_at && run.started_at !== run.first_started_at && [`attempt ${run.attempt} started`, run.started_at],
			run.finished_at && ['finished', run.finished_at]].filter(Boolean)
		.map(([name, instant]) => ({ name, instant, at: Date.parse(instant) }));
	if (!run.finished_at) points.push({ name: 'now', at: Date.now() });
	const parts = points.slice(1).map((point, index) => ({ from: points[index], to: point, took: point.at - points[index].at }));
	const whole = parts.reduce((sum, part) => sum + Math.max(0, part.took), 0) || 1;
	// A part of no length still has a place; the widths are not to scale below a twelfth.
	const shares = parts.map((part) => Math.max(1 / 12, part.took / whole));
	const sum = shares.reduce((all, share) => all + share, 0);
	let x = 0;
	const kind = (part) => (part.to.name === 'finished' || (part.to.name === 'now' && run.status === 'in_progress')
		? 'work' : part.from.name === 'due' ? 'lag' : 'wait');
	return h('div.strip',
		s('svg', { width: '100%', height: 14, 'aria-hidden': 'true' }, parts.map((part, index) => {
			const width = (100 * shares[index]) / sum;
			const rect = s('rect', { class: `part ${kind(part)}`, x: `${x}%`, width: `${Math.max(0.5, width - 0.4)}%`, height: 14, rx: 3 });
			x += width;
			return rect;
		})),
		h('ol', points.map((point, index) => h('li', h('strong', point.name), ' ', point.instant && time(point.instant),
			index > 0 && h('span.quiet.number', ' after ', point.instant ? duration(parts[index - 1].took)
				: since(points[index - 1].instant))))));
}

const positions = (list) => list.length > 0 && [' Proved by ',
	list.map((position, index) => [index ? ', ' : '', positionLink(position)]), '.'];

function showWhy(why) {
	return [h('p.why', longText(why.summary), '.'),
		h('ul.causes', why.waits_for.map((cause) => h('li', h('strong', words(cause.reason)), ': ',
			bdi(cause.detail), '.', positions(cause.positions),
			cause.held_by?.length > 0 && h('details', h('summary', 'Who holds the slots'),
				h('ul', cause.held_by.map((holder) => h('li', runLink(holder.run_id), ' since ', positionLink(holder.position)))))))),
		why.running && h('p', `Attempt ${why.running.attempt}`, why.running.worker && [' at the worker ', bdi(why.running.worker)],
			' since ', time(why.running.started_at), '; its deadline is ', time(why.running.deadline), '.', positions(why.running.positions)),
		why.ended && h('p', `Ended at `, time(why.ended.at), ' by ', actor(why.ended.by), '.', positions(why.ended.positions)),
		h('p.quiet.small', 'As of ', positionLink(why.position), '.')];
}

const ATTEMPT = { run_started: 'started', lease_renewed: 'heard of', run_accepted: 'accepted', run_released: 'given back',
	run_completed: 'completed', run_retry_scheduled: 'failed, tried again later', run_failed: 'failed', run_cancelled: 'cancelled' };

async function loadAttempts(id, signal) {
	const { items } = await getPlain(`/workflow-runs/${id}/history`, { limit: 100 }, signal);
	const attempts = new Map();
	for (const entry of items.toReversed()) {
		for (const event of entry.events.filter((one) => one.event in ATTEMPT && one.attempt)) {
			const attempt = attempts.get(event.attempt) ?? { number: event.attempt };
			if (event.event === 'run_started') Object.assign(attempt, { started: entry.recorded_at, worker: event.worker });
			else if (event.event !== 'lease_renewed' && event.event !== 'run_accepted') attempt.ended = entry.recorded_at;
			Object.assign(attempt, { state: ATTEMPT[event.event], reason: event.reason ?? attempt.reason, position: entry.position });
			attempts.set(event.attempt, attempt);
		}
	}
	return [...attempts.values()];
}

const showAttempts = (attempts) => (attempts.length === 0 ? quiet('It has not started yet.') : tableOf(attempts, {
	caption: 'Attempts, in their order',
	columns: [num('Attempt', (one) => one.number), num('Started', (one) => time(one.started)), num('Ended', (one) => time(one.ended)),
		col('How', (one) => [one.state, one.reason && ` (${words(one.reason)})`]),
			col('Worker', (one) => (one.worker ? bdi(one.worker) : '–')), col('Entry', (one) => positionLink(one.position))],
}));

const runFacts = (run) => facts([['State', status(run.status)], ['Workflow', workflowLink(run.workflow_id)], ['Version', run.version],
	['Mode', run.mode], ['Schedule', run.schedule_id && scheduleLink(run.schedule_id)],
	['Trigger', run.trigger_id && link(`#/triggers/${run.trigger_id}`, code(run.trigger_id))],
		['Due', fullTime(run.scheduled_time)], ['Queued', fullTime(run.queued_at)], ['Started', fullTime(run.started_at)],
	['Finished', fullTime(run.finished_at)], ['Next try', fullTime(run.not_before)],
		['Deadline', run.status === 'in_progress' && fullTime(run.deadline)], ['Not later than', fullTime(run.expires_at)],
	['Attempt', `${run.attempt} (${run.tries} that count)`], ['Worker', run.worker && bdi(run.worker)], ['Priority', run.priority],
		['Asked by', actor(run.created_by)], ['Id', h('code', run.id)]]);

const payloads = (run) => (run.erased ? quiet('Its payloads were erased.') : [h('h3', 'Input'), payload(run.run_input, 'Run input'),
	run.status === 'completed' && [h('h3', 'Output'), payload(run.output, 'Output')]]);

export function one({ id }) {
	const path = `/workflow-runs/${id}`;
	const past = history(path, (then) => [runFacts(then), payloads(then)]);
	const attempts = area((signal) => loadAttempts(id, signal), showAttempts);
	let seen = null;
	let isQueued = false;
	const thing = liveThing({
		id, idIn: 'run_id',
		// Why it waits changes with the others.
		concerns: ({ event }) => isQueued && /^(run_(?!queued)|license_set|concurrency_set|workflow_mod|paused|resumed)/.test(event),
		load: async (signal) => {
			const [run, why] = await Promise.all([get(path, {}, signal), getPlain(`${path}/why`, {}, signal)]);
			return { run, why };
		},
		show: ({ run, why }) => {
			if (seen && seen !== run.updated_at) { attempts.reload(); past.reload(); }
			seen = run.updated_at;
			isQueued = run.status === 'queued';
			const isOver = ['completed', 'failed', 'cancelled'].includes(run.status);
			return [may('write') && box('actions', !isOver && button('Cancel the run', () => cancelRun(run)),
				button('Run again', () => runNow(run.workflow_id, run))),
				section('Its way', strip(run)), section('Why', showWhy(why), isQueued && button('Ask again', () => thing.reload())),
				run.error && section(run.status === 'failed' ? 'Error' : 'Last error',
					h('p', h('strong.bad', words(run.error.reason)), run.error.message && [': ', longText(run.error.message)])),
				section('Payloads', payloads(run)), section('Facts', runFacts(run))];
		},
	});
	return { title: ['Run ', code(id)], node: box('view', thing.node, section('Attempts', attempts), section('History', past)),
		end: thing.end };
}
