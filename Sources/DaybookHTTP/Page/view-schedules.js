/** Promises: all of them, and one. */

import { get, may } from './api.js';
import { cancelSchedule, createSchedule, editSchedule, moveSchedule } from './acts.js';
import { bdi, box, button, facts, h, quiet } from './dom.js';
import { history } from './history.js';
import { liveList, liveThing } from './list.js';
import { actor, workflowChoices, code, runLink, scheduleLink, workflowLink } from './names.js';
import { duration, fullTime, relative, time, zone } from './time.js';
import { acts, choices, col, longText, num, payload, section, status } from './widgets.js';

const STATES = choices('pending', 'in_progress', 'completed', 'failed', 'cancelled');

export const lateness = (milliseconds) => (milliseconds === null ? '–'
	: h('span', { class: milliseconds >= 60_000 ? 'bad' : milliseconds >= 1000 ? 'warn' : '' },
		milliseconds < 1000 ? 'on time' : duration(milliseconds)));

export function view({ query, go }) {
	const list = liveList({
		path: '/workflow-schedules', query, go, idIn: 'schedule_id', births: ['schedule_created'],
		caption: `Schedules; times are those of ${zone}`, nothing: 'Nothing has been promised yet.',
		fields: [{ name: 'status', label: 'State', options: STATES }, { name: 'workflow_id', label: 'Workflow', options: workflowChoices() },
			{ name: 'from', label: 'Due from', type: 'datetime-local' }, { name: 'to', label: 'and before', type: 'datetime-local' },
				{ name: 'dedup_key', label: 'De-duplication key' },
			{ name: 'order', label: 'Order', isFixed: true, options: [['created', 'newest first'], ['scheduled_time', 'soonest first']] }],
		columns: [num('Due', (one) => time(one.scheduled_time)), col('State', (one) => status(one.status)),
			col('Workflow', (one) => workflowLink(one.workflow_id)), num('Late', (one) => lateness(one.lateness_ms)),
			col('Asked by', (one) => (one.scheduled_by_name ? bdi(one.scheduled_by_name) : '–')),
				col('Run', (one) => (one.run_id ? runLink(one.run_id) : '–')),
			col('Schedule', (one) => scheduleLink(one.id)),
			may('write') && acts('Change', (one) => one.status === 'pending'
				&& [button('Move', () => moveSchedule(one.id), { 'aria-label': `Move the schedule ${one.id}` }),
				button('Cancel', () => cancelSchedule(one.id), { 'aria-label': `Cancel the schedule ${one.id}` })])],
	});
	if (may('write')) list.node.prepend(box('actions', button('New schedule', () => createSchedule(query.workflow_id),
		{ class: 'primary' })));
	return list;
}

const scheduleFacts = (one) => facts([['State', status(one.status), ' ',
	one.status === 'pending' && h('span.quiet', relative(one.scheduled_time))],
	['Due', fullTime(one.scheduled_time)], ['Workflow', workflowLink(one.workflow_id)],
		['Version', one.version ?? 'the one active when it fires'],
	['Fired', one.fired_at && [fullTime(one.fired_at), ' ', lateness(one.lateness_ms)]], ['Run', one.run_id && runLink(one.run_id)],
		['Not later than', fullTime(one.expires_at)],
	['Error', one.error_message && longText(one.error_message)], ['Priority', one.priority],
		['Asked by', one.scheduled_by_name && bdi(one.scheduled_by_name)],
	['De-duplication key', one.dedup_key && bdi(one.dedup_key)], ['Promised', [fullTime(one.created_at), ' by ', actor(one.created_by)]],
		['Id', h('code', one.id)]]);

const input = (one) => (one.erased ? quiet('The payloads were erased.') : payload(one.run_input, 'Run input'));

export function one({ id }) {
	const path = `/workflow-schedules/${id}`;
	const past = history(path, (then) => [scheduleFacts(then), input(then)]);
	const thing = liveThing({
		id, idIn: 'schedule_id',
		load: (signal) => get(path, {}, signal),
		show: (schedule) => [
			may('write') && schedule.status === 'pending' && box('actions',
				button('Move', () => moveSchedule(id).then(renew), { class: 'primary' }), button('Change', () => editSchedule(id).then(renew)),
				button('Cancel the promise', () => cancelSchedule(id).then(renew))),
			section('The promise', scheduleFacts(schedule)), section('Run input', input(schedule))],
	});
	function renew(done) {
		if (!done) return;
		thing.reload();
		past.reload();
	}
	return { title: ['Schedule ', code(id)], node: box('view', thing.node, section('History', past)), end: thing.end };
}
