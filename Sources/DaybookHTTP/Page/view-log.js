/** The log as it grows; one entry and its proof. */

import { getPlain, getText } from './api.js';
import { box, button, facts, h, link, replace, throttle, words } from './dom.js';
import { indent } from './json.js';
import { hear } from './live.js';
import { actor, workflowChoices, code, positionLink } from './names.js';
import { EVENT_NAMES, entryItem, sentence } from './sentences.js';
import { fullTime } from './time.js';
import { verifyEntry } from './verify.js';
import { area, filters, payload, section } from './widgets.js';

const KEPT = 300;
/** Positions of the first look back; the next ones are longer. */
const WINDOW = 50;
const LOOKS = 12;

const OBJECTS = { schedule_id: 'schedules', run_id: 'runs', workflow_id: 'workflows' };

const end = async () => Number((await getText('/log/checkpoint')).split('\n')[1]);

/** Entries up to a position that fit, newest first, and how far it was looked back. */
async function lookBack(upTo, filter, signal) {
	let window = WINDOW;
	let bottom = upTo;
	let found = [];
	for (let looks = 0; looks < LOOKS && bottom > 0 && found.length < 10;) {
		const start = Math.max(0, bottom - window);
		const part = [];
		for (let after = start; after < bottom && looks < LOOKS; looks += 1) {
			const page = await getPlain('/log', { ...filter, after, limit: 100 }, signal);
			part.push(...page.items.filter((entry) => entry.position <= bottom));
			after = Math.max(page.through, after + 1);
		}
		found = [...found, ...part.reverse()];
		bottom = start;
		window *= 8;
	}
	return { found, bottom };
}

function fits(entry, filter) {
	const has = ([name, value]) => {
		if (name === 'from') return Date.parse(entry.recorded_at) >= Date.parse(value);
		if (name === 'to') return Date.parse(entry.recorded_at) < Date.parse(value);
		if (name === 'actor') return entry.actor === value || entry.actor.startsWith(`${value}:`);
		return entry.events.some((event) => event[name] === value);
	};
	return Object.entries(filter).every(has);
}

export function view({ query, go }) {
	const list = h('ol.entries');
	const below = box('actions');
	let isFollowing = true;
	let waiting = [];
	let bottom = 0;
	/** The newest position that was read; `null` before. */
	let top = null;
	let isLooking = false;

	const further = async (signal) => {
		isLooking = true;
		try {
			const looked = await lookBack(bottom, query, signal);
			bottom = looked.bottom;
			list.append(...looked.found.map(entryItem));
		} finally { isLooking = false; }
		tellBelow();
	};
	function tellBelow() {
		replace(below, bottom > 0 && button('Look further back', () => further()),
			h('span.quiet', bottom > 0 ? `Looked back to #${bottom + 1}.` : 'This is where the log begins.'));
	}
	const shown = area(async (signal) => {
		const size = await end();
		bottom = size;
		list.replaceChildren();
		await further(signal);
		top = size;
		put();
	}, () => [list, below]);

	const put = throttle(250, () => {
		if (top === null) return;
		// The stream also tells what was just read.
		waiting = waiting.filter((entry) => entry.position > top);
		if (!isFollowing) { follow.textContent = `Follow again (${waiting.length} new)`; return; }
		if (waiting.length === 0) return;
		top = waiting[0].position;
		list.prepend(...waiting.map(entryItem));
		waiting = [];
		if (isLooking || list.children.length <= KEPT) return;
		while (list.children.length > KEPT) list.lastChild.remove();
		bottom = list.lastChild.dataset.position - 1;
		tellBelow();
	});
	const follow = button('Hold still', () => {
		isFollowing = !isFollowing;
		follow.textContent = isFollowing ? 'Hold still' : 'Follow again';
		put();
	});
	const unhear = hear((entries) => {
		const fitting = entries.filter((entry) => fits(entry, query)).reverse();
		if (fitting.length === 0) return;
		waiting = [...fitting, ...waiting].slice(0, KEPT);
		put();
	});

	const things = Object.keys(OBJECTS).filter((name) => query[name]);
	return {
		node: h('div.view',
			filters([{ name: 'event', label: 'Event', options: EVENT_NAMES.map((name) => [name, words(name)]) },
				{ name: 'workflow_id', label: 'Workflow', options: workflowChoices() },
				{ name: 'schedule_id', label: 'Schedule' }, { name: 'run_id', label: 'Run' },
					{ name: 'actor', label: 'By (key, system, key:id)' },
				{ name: 'from', label: 'From', type: 'datetime-local' }, { name: 'to', label: 'and before', type: 'datetime-local' }], query, go),
			box('actions', follow, things.map((name) => link(`#/${OBJECTS[name]}/${query[name]}`,
				`Its history, and how it was: ${OBJECTS[name].slice(0, -1)} `, code(query[name])))),
			shown),
		end: unhear,
	};
}

const TRUST = {
	first: ', which this browser sees for the first time. Compare it with the one that you keep elsewhere.',
	same: ', the same as when this browser saw it first.',
	other: '. Warning: this browser has seen another key for this log before.',
};

function verifyPart(position) {
	const said = h('div', { role: 'status' });
	const start = button('Verify in this browser', async () => {
		const steps = h('ol');
		replace(said, steps);
		start.disabled = true;
		try {
			const { trust, verifier } = await verifyEntry(position, (text) => steps.append(h('li', text)));
			said.append(h('p.verdict.good', h('strong', '✓ Verified: '), `entry #${position} is in the signed log.`),
				h('p', { class: trust === 'other' ? 'bad' : 'quiet small' }, 'Signed by the key ', h('code', verifier),
					TRUST[trust]));
		} catch (error) {
			said.append(h('p.problem.verdict', h('strong', '✕ Not verified: '), error.message,
				error.code && ` (${error.code})`, '.'));
		}
		start.disabled = false;
	}, { class: 'primary' });
	return section('Proof', h('p', 'The hash of the exact bytes, the way up the tree and the signature at its top are computed',
		' here, not asked of the server.'), start, said);
}

const previous = (entry) => [...new Set(entry.events.map((event) => event.previous).filter((one) => one > 0))];

export function one({ id: position }) {
	const shown = area(async (signal) => getPlain(`/log/${position}`, {}, signal), (entry) => [
		section('What happened', h('p', sentence(entry)),
			facts([['Recorded', fullTime(entry.recorded_at)], ['By', actor(entry.actor)], ['Command', words(entry.command)],
			['Request', h('code', entry.request_id)],
			['Led to by', entry.causation && positionLink(entry.causation)],
				['Before it, about the same', previous(entry).length > 0
				&& previous(entry).map((one, index) => [index ? ', ' : '', positionLink(one)])]])),
		verifyPart(Number(position)),
		section('As JSON', payload(indent(JSON.stringify(entry)), 'The entry as JSON')),
		h('nav.pager', { 'aria-label': 'Entries' }, Number(position) > 1 && link(`#/log/${Number(position) - 1}`,
			'The entry before'), link(`#/log/${Number(position) + 1}`, 'The entry after'))]);
	return { title: `Entry #${position}`, node: box('view', shown), end() {} };
}
