/** Workflows: all of them, and one. */

import { everything, get, may } from './api.js';
import { activate, createSchedule, createWorkflow, editDraft, editWorkflow, limitWorkflow, pauseWorkflow, runNow, saveVersion,
	versionText } from './acts.js';
import { bdi, box, button, facts, h, link, replace } from './dom.js';
import { history } from './history.js';
import { indent } from './json.js';
import { liveList, liveThing } from './list.js';
import { workflowText } from './names.js';
import { duration, fullTime, time } from './time.js';
import { acts, area, col, empty, longText, num, problemBox, section, tableOf } from './widgets.js';

const limit = (one) => (one.max_concurrent_runs ? `${one.max_concurrent_runs} at once` : "the team's");

export function view({ query, go }) {
	const list = liveList({
		path: '/workflows', query, go, idIn: 'workflow_id', births: ['workflow_created', 'workflow_deleted'],
			caption: 'Workflows, newest first', nothing: 'There is no workflow yet.',
		columns: [col('Workflow', (one) => link(`#/workflows/${one.id}`, bdi(one.name))),
			col('State', (one) => (one.paused ? h('span.warn', 'paused') : 'active')),
			num('Version', (one) => `${one.active_version} of ${one.latest_version}`), col('Limit', limit),
				num('Time-out', (one) => duration(one.run_timeout_seconds * 1000)),
			num('Tries', (one) => one.retry.max_attempts), num('Changed', (one) => time(one.updated_at)),
			may('write') && acts('Do', (one) => button('Run now', () => runNow(one.id),
				{ 'aria-label': `Run ${one.name} now` }))],
	});
	list.node.prepend(box('actions', may('write') && button('New workflow', () => createWorkflow(), { class: 'primary' }),
		link('#/triggers', 'Triggers'), link('#/webhooks', 'Completion webhooks')));
	return list;
}

const settings = (one) => facts([['Description', one.description && longText(one.description)], ['Active version', one.active_version],
	['Runs at once', limit(one)], ['Time-out of a run', duration(one.run_timeout_seconds * 1000)],
	['Tries', one.retry.max_attempts],
	['Waits between tries', one.retry.max_attempts > 1 && `${one.retry.initial_backoff_seconds} to ${one.retry.max_backoff_seconds} s`],
	['Made', fullTime(one.created_at)], ['Changed', fullTime(one.updated_at)], ['Id', h('code', one.id)]]);

/** Lines of two texts side by side, by the longest common run of lines. */
function sideBySide(a, b) {
	const [left, right] = [a.split('\n'), b.split('\n')];
	const table = Array.from({ length: left.length + 1 }, () => new Uint16Array(right.length + 1));
	for (let i = left.length - 1; i >= 0; i -= 1) {
		for (let j = right.length - 1; j >= 0; j -= 1) {
			table[i][j] = left[i] === right[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
		}
	}
	const rows = [];
	let [i, j] = [0, 0];
	while (i < left.length || j < right.length) {
		const [gone, came] = [[], []];
		while ((i < left.length || j < right.length) && !(i < left.length && j < right.length && left[i] === right[j])) {
			if (j >= right.length || (i < left.length && table[i + 1][j] >= table[i][j + 1])) gone.push(left[i++]);
			else came.push(right[j++]);
		}
		for (let k = 0; k < Math.max(gone.length, came.length); k += 1) rows.push([gone[k] ?? null, came[k] ?? null]);
		if (i < left.length && j < right.length) rows.push([left[i++], right[j++]]);
	}
	return rows;
}

/** More lines than this are compared by the server's list of changes alone. */
const COMPARED = 1500;

function diffPart(id, versions) {
	if (versions.length < 2) return null;
	const choose = (name, value) => h('select', { 'aria-label': name, onchange: () => load() },
		versions.map((one) => h('option', { value: String(one.version_number), selected: one.version_number === value }, versionText(one))));
	const [old, now] = [choose('Old version', versions[1].version_number), choose('New version', versions[0].version_number)];
	const shown = h('div');
	async function load() {
		try {
			const [a, b, diff] = await Promise.all([get(`/workflows/${id}/versions/${old.value}`), get(`/workflows/${id}/versions/${now.value}`),
				get(`/workflows/${id}/versions/${old.value}/diff/${now.value}`)]);
			const texts = [indent(a.definition.text), indent(b.definition.text)];
			const count = diff.changes.length;
			const rows = Math.max(...texts.map((text) => text.split('\n').length)) > COMPARED ? null : sideBySide(...texts);
			replace(shown, h('p', count === 0
				? 'The definitions are the same.' : `${count} ${count === 1 ? 'place differs' : 'places differ'}: `,
				diff.changes.slice(0, 50).map((one, index) => [index ? ', ' : '', h('code', one.path || 'the whole')])),
				rows && h('div.scroll', { tabindex: '0', role: 'group', 'aria-label': 'Both definitions' },
					h('table.diff', h('caption', `Version ${old.value} and version ${now.value}`),
					h('thead', h('tr', h('th', { scope: 'col' }, `Version ${old.value}`),
						h('th', { scope: 'col' }, `Version ${now.value}`))),
					h('tbody', rows.map(([was, is]) => h('tr', h('td', { class: was !== is && was !== null ? 'gone' : '' },
						was !== is && was !== null && h('span.sign', '−'), was ?? ''),
						h('td', { class: was !== is && is !== null ? 'new' : '' }, was !== is && is !== null && h('span.sign', '+'),
						is ?? '')))))));
		} catch (error) { replace(shown, problemBox(error, load)); }
	}
	load();
	return [h('h3', 'Compare'), box('row', old, ' with ', now), shown];
}

function showVersions(id, versions) {
	return [may('write') && box('actions', button('Edit the draft', () => editDraft(id)),
		button('Save the draft as a version', () => saveVersion(id))),
		tableOf(versions, {
			caption: 'Versions, newest first; 0 is the draft',
			columns: [num('Number', (one) => one.version_number), col('Name', (one) => (one.version_name ? bdi(one.version_name) : '–')),
				col('State', (one) => (one.is_active ? h('strong.good', '● active') : '–')),
				num('Made', (one) => time(one.created_at)), col('Does',
					(one) => h('code', JSON.parse(one.definition.text).executor?.type ?? '–')),
				may('write') && acts('Change', (one) => !one.is_active && button('Activate', () => activate(id, one),
					{ 'aria-label': `Activate version ${one.version_number}` }))],
		}), diffPart(id, versions)];
}

export function one({ id }) {
	const versions = area((signal) => everything(`/workflows/${id}/versions`, signal), (items) => showVersions(id, items));
	const triggers = area((signal) => everything('/workflow-triggers', signal), (items) => {
		const own = items.filter((trigger) => trigger.workflow_id === id);
		return own.length ? h('ul.plain-list',
			own.map((trigger) => h('li', link(`#/triggers/${trigger.id}`, bdi(trigger.name)),
			` (${trigger.kind}${trigger.enabled ? '' : ', disabled'})`))) : empty('No trigger starts it.');
	});
	const past = history(`/workflows/${id}`);
	let seen = false;
	const thing = liveThing({
		id, idIn: 'workflow_id',
		load: (signal) => get(`/workflows/${id}`, {}, signal),
		show: (workflow) => {
			if (seen && seen !== workflow.revision) { versions.reload(); past.reload(); }
			seen = workflow.revision;
			return [may('write') && box('actions', button('Run now', () => runNow(id), { class: 'primary' }),
				button('New schedule', () => createSchedule(id)), button('Settings', () => editWorkflow(id)),
				button('Concurrency', () => limitWorkflow(id)), button(workflow.paused ? 'Resume' : 'Pause', () => pauseWorkflow(id))),
			workflow.paused && h('p.warn', 'It is paused: its runs wait.'),
			h('p', link(`#/runs?workflow_id=${id}`, 'Its runs'), ' · ', link(`#/schedules?workflow_id=${id}`, 'its schedules'), ' · ',
				link(`#/webhooks?workflow_id=${id}`, 'its deliveries')), section('Settings', settings(workflow))];
		},
	});
	return { title: bdi(workflowText(id)), node: box('view', thing.node, section('Versions', versions), section('Triggers', triggers),
		section('History', past)), end: thing.end };
}
