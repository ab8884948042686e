/** What is promised, runs, waits and failed: the page that stays open. */

import { get, getPlain, may, pages, queryText } from './api.js';
import { createSchedule, moveSchedule } from './acts.js';
import { box, button, h, link, replace, s, throttle, words } from './dom.js';
import { hear } from './live.js';
import { allWorkflows, refresh, runLink, scheduleLink, workflowLink, workflowText } from './names.js';
import { entryItem } from './sentences.js';
import { DAY, HOUR, MINUTE, both, duration, since, time } from './time.js';
import { latenessKind, legend, timeline, total } from './timeline.js';
import { area, col, empty, num, section, tableOf } from './widgets.js';

const RANGES = {
	hour: { label: 'Hour', back: 15 * MINUTE, ahead: HOUR, redraw: MINUTE },
	day: { label: 'Day', back: 6 * HOUR, ahead: DAY, redraw: 15 * MINUTE },
	month: { label: 'Month', back: 7 * DAY, ahead: 31 * DAY, redraw: 6 * HOUR },
};
const BUCKETS = 90;
const SINGLE = 300;
const PAST_PAGES = 3;
const COMING_PAGES = 7;
const COUNTS = 40;

const iso = (at) => new Date(at).toISOString();

async function density(from, to, signal, onpart) {
	const buckets = [];
	let cursor;
	for (let asked = 0; asked < COUNTS && cursor !== null; asked += 1) {
		const part = await getPlain('/workflow-schedules/density', { from: iso(from), to: iso(to), buckets: BUCKETS, cursor }, signal);
		for (const { from: start, to: end, pending, in_progress: running, completed, failed, cancelled,
			max_lateness_ms: lateness } of part.items) {
			const more = { from: Date.parse(start), to: Date.parse(end), pending, [latenessKind(lateness)]: running + completed, failed,
				cancelled };
			const last = buckets.at(-1);
			// A part may be counted by two answers.
			if (last?.from === more.from) {
				for (const kind of Object.keys(more).filter((name) => name !== 'from' && name !== 'to')) last[kind] = (last[kind] ?? 0) + more[kind];
			} else buckets.push(more);
		}
		cursor = part.next_cursor;
		if (cursor) onpart({ buckets: [...buckets], until: buckets.at(-1)?.to ?? from });
	}
	return { buckets, until: cursor ? buckets.at(-1)?.to ?? from : undefined,
		count: buckets.reduce((sum, bucket) => sum + total(bucket), 0) };
}

async function single(from, now, to, signal) {
	const query = { order: 'scheduled_time' };
	const coming = await pages('/workflow-schedules', { ...query, from: iso(now), to: iso(to) },
		{ items: 100 * COMING_PAGES, pages: COMING_PAGES, signal });
	const past = (await pages('/workflow-schedules', { ...query, from: iso(from), to: iso(now) },
		{ items: 100 * PAST_PAGES, pages: PAST_PAGES, signal })).items;
	return { schedules: [...past, ...coming.items], until: coming.more ? Date.parse(coming.items.at(-1).scheduled_time) : undefined };
}

function timelinePart(range, go) {
	const { back, ahead, redraw } = RANGES[range];
	const frame = () => {
		const [from, to] = [Date.now() - back, Date.now() + ahead];
		return { from, to, label: `Promises from ${both(from)} to ${both(to)}` };
	};
	const said = h('p.quiet.small');
	const open = (what) => {
		location.hash = 'id' in what ? `#/schedules/${what.id}`
			: `#/schedules${queryText({ order: 'scheduled_time', from: iso(what.from), to: iso(what.to) })}`;
	};
	let isMoving = false;
	async function move(schedule, target) {
		if (isMoving) return;
		isMoving = true;
		try { if (await moveSchedule(schedule.id, target)) reload(); } finally { isMoving = false; }
	}
	const line = timeline({
		open, move: may('write') ? move : undefined,
		describe: ({ workflow_id: id, scheduled_time: due, status, lateness_ms: late }) =>
			`${workflowText(id)}, ${both(due)}, ${words(status)}${late >= 1000 ? `, ${duration(late)} late` : ''}`,
	});
	let shown = new Map();
	const aborter = new AbortController();
	let isLoading = false;
	let isStale = false;

	async function load(signal) {
		const at = frame();
		const show = (part) => line.show({ ...at, ...part });
		let found = await density(at.from, at.to, signal, show);
		if (found.count <= SINGLE) found = await single(at.from, at.from + back, at.to, signal);
		shown = new Map((found.schedules ?? []).map((one) => [one.id, one]));
		show(found);
		const count = found.count ?? found.schedules.length;
		said.textContent = found.until
			? `The first ${count.toLocaleString('en')} schedules, up to ${both(found.until)}. There are more after that.`
			: count ? `${count.toLocaleString('en')} schedules.` : 'Nothing is promised in this time.';
	}

	async function reload() {
		if (isLoading) { isStale = true; return; }
		[isLoading, isStale] = [true, false];
		try {
			await load(aborter.signal);
		} catch (error) {
			if (error.name !== 'AbortError') said.textContent = `The timeline could not be read: ${error.message} (${error.code}).`;
		}
		isLoading = false;
		// Something changed while it was read.
		if (isStale) reloadSoon();
	}

	const reloadSoon = throttle(3000, reload);
	const touched = new Set();
	const patch = throttle(500, async () => {
		const ids = [...touched];
		touched.clear();
		if (ids.length > 12) return reloadSoon();
		const read = await Promise.all(ids.map((id) => get(`/workflow-schedules/${id}`).catch(() => null)));
		for (const one of read.filter(Boolean)) shown.set(one.id, one);
		const at = frame();
		const inside = ({ scheduled_time: time }) => Date.parse(time) >= at.from && Date.parse(time) < at.to;
		line.show({ ...at, schedules: [...shown.values()].filter(inside).sort((a, b) => (a.scheduled_time < b.scheduled_time ? -1 : 1)) });
	});

	function take(entries) {
		for (const event of entries.flatMap((entry) => entry.events)) {
			if (!event.schedule_id) continue;
			isStale ||= isLoading;
			if (shown.size === 0 || shown.size > SINGLE) reloadSoon();
			else { touched.add(event.schedule_id); patch(); }
		}
	}

	const moving = setInterval(reload, redraw);
	reload();
	const choice = h('div.segments', { role: 'group', 'aria-label': 'How far to look' },
		Object.entries(RANGES).map(([name, { label }]) => button(label, () => go(name), { 'aria-pressed': String(name === range) })));
	return {
		node: section('Promises', box('beside', choice, legend()), line.node, said),
		take,
		end() { clearInterval(moving); aborter.abort(); },
	};
}

const bar = (value, limit, label) => h('div.slots', h('span', label),
	s('svg', { height: 10, width: '100%', 'aria-hidden': 'true' }, limit > 0
		&& [s('rect', { class: 'bar-ground', width: '100%', height: 10, rx: 3 }),
		s('rect', { class: value >= limit ? 'bar-full' : 'bar-used', width: `${Math.min(100, (100 * value) / limit)}%`, height: 10, rx: 3 })]),
	h('span.number', limit ? `${value} of ${limit}` : `${value}`));

async function loadSlots(signal) {
	const [license, running, queued] = await Promise.all([get('/license', {}, signal),
		pages('/workflow-runs', { status: 'in_progress' }, { items: 500, pages: 5, signal }),
			pages('/workflow-runs', { status: 'queued' }, { items: 300, pages: 3, signal })]);
	return { license, running, queued };
}

function showSlots({ license, running }) {
	const by = new Map();
	for (const run of running.items) by.set(run.workflow_id, (by.get(run.workflow_id) ?? 0) + 1);
	const listed = allWorkflows().filter((one) => by.has(one.id) || one.max_concurrent_runs > 0 || one.paused);
	return [bar(license.in_progress, license.max_concurrent_runs, h('strong', 'Team')),
		listed.slice(0, 12).map((one) => bar(by.get(one.id) ?? 0, one.max_concurrent_runs, [workflowLink(one.id), one.paused && ' (paused)'])),
		listed.length > 12 && h('p', link('#/workflows', `and ${listed.length - 12} more workflows`)),
		running.more && h('p.quiet.small', `Counted by workflow over the ${running.items.length} newest runs in progress.`)];
}

function showQueue({ license, queued }) {
	if (license.queued === 0) return empty('Nothing waits.');
	const head = queued.items.reduce((first, run) => (!first || run.queued_at < first.queued_at ? run : first), null);
	const by = new Map();
	for (const run of queued.items) by.set(run.workflow_id, (by.get(run.workflow_id) ?? 0) + 1);
	return [h('p', h('strong', license.queued.toLocaleString('en')), license.queued === 1 ? ' run waits.' : ' runs wait.',
		head && [' The ', queued.more ? 'oldest one seen has waited at least ' : 'head has waited ',
			h('strong', since(head.queued_at)), ': ',
			runLink(head.id, 'why?')]),
	h('ul.plain-list', [...by].sort((a, b) => b[1] - a[1]).slice(0,
		8).map(([id, count]) => h('li', workflowLink(id), ' ', h('span.number.quiet',
		queued.more ? `${count} of the newest` : count))))];
}

async function loadFailures(signal) {
	// What failed today may have been queued or due before.
	const [begin, from] = [iso(Date.now() - DAY), iso(Date.now() - 3 * DAY)];
	const [runs, schedules] = await Promise.all([pages('/workflow-runs', { status: 'failed', from }, { items: 100, pages: 3, signal }),
		pages('/workflow-schedules', { status: 'failed', from }, { items: 100, pages: 2, signal })]);
	return [...runs.items, ...schedules.items.filter((one) => !one.run_id)].filter((one) => one.updated_at >= begin)
		.sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1)).slice(0,
		10);
}

const showFailures = (items) => (items.length === 0 ? empty('No failures in the last 24 hours.') : tableOf(items, {
	caption: 'Failures of the last 24 hours, newest first',
	columns: [num('When', (one) => time(one.updated_at)), col('Workflow', (one) => workflowLink(one.workflow_id)),
		col('Why', (one) => (one.error ? words(one.error.reason) : one.error_message ?? 'expired')),
		col('What', (one) => ('attempt' in one ? runLink(one.id, 'the run') : scheduleLink(one.id, 'the schedule')))],
}));

async function loadHealth(signal) {
	try {
		return await get('/readyz', {}, signal);
	} catch (error) {
		if (error.status === 503 && error.body.status) return error.body;
		throw error;
	}
}

const showHealth = ({ status: name, reasons = [], warnings = [] }) => [
	h('p', h('strong', { class: name === 'ready' ? 'good' : 'bad' }, name === 'ready' ? '✓ Ready: promises are kept' : '✕ Not ready')),
	h('ul.plain-list', [...reasons, ...warnings].map((text) => h('li', text)))];

export function view({ query, go }) {
	const range = RANGES[query.range] ? query.range : 'hour';
	const line = timelinePart(range, (name) => go({ range: name }));
	const queue = h('div');
	const slots = area(loadSlots, (loaded) => {
		replace(queue, showQueue(loaded));
		return showSlots(loaded);
	});
	const failures = area(loadFailures, showFailures);
	const health = area(loadHealth, showHealth);
	const last = h('ol.entries', h('li.quiet', 'Nothing happened since this page was opened.'));
	let newest = [];
	const tell = throttle(400, () => replace(last, newest.map(entryItem)));
	const countAgain = throttle(1000, slots.reload);
	const failAgain = throttle(2000, failures.reload);
	const renamed = throttle(500, () => refresh().then(countAgain));

	// The disk and the clock write no entry; a green word must not outlive what it says.
	const checkHealth = throttle(MINUTE, health.reload);
	const unhear = hear((entries, state) => {
		if (state === 'lost') replace(health, h('p.bad', h('strong', '○ Not known: the connection is lost')));
		else if (entries.length === 0) health.reload();
		if (entries.length === 0) return;
		checkHealth();
		line.take(entries);
		newest = [...entries.toReversed(), ...newest].slice(0, 8);
		tell();
		const names = [...new Set(entries.flatMap((entry) => entry.events.map((event) => event.event)))];
		if (names.some((name) => name.startsWith('run_') || name === 'license_set')) countAgain();
		if (names.some((name) => name === 'run_failed' || name === 'schedule_expired')) failAgain();
		if (names.some((name) => name.startsWith('workflow_') || name === 'concurrency_set')) renamed();
		if (names.some((name) => ['paused', 'resumed', 'clock_trusted'].includes(name))) health.reload();
	});

	return {
		node: h('div.view',
			may('write') && box('actions', button('New schedule', () => createSchedule(), { class: 'primary' }),
				link('#/workflows', 'Run a workflow now')),
			line.node,
			h('div.columns', section('Slots', slots), section('Queue', queue), section('Health', health)),
			section('Failures', failures),
			section('Lately', last)),
		end() { unhear(); line.end(); },
	};
}
