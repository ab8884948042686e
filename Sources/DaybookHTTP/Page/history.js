/** The history of one thing, and how it was at any moment of it. */

import { get, getPlain } from './api.js';
import { box, button, h, newID, replace, throttle } from './dom.js';
import { entryItem } from './sentences.js';
import { local } from './time.js';
import { area, problemBox } from './widgets.js';

/**
 * @param showPast makes nodes of the thing as it was; without it there is no slider.
 */
export function history(path, showPast) {
	const entries = [];
	const list = h('ol.entries');
	const slider = showPast && pastSlider(path, entries, showPast);
	const older = box('actions');
	let cursor = null;

	async function load(signal) {
		const page = await getPlain(`${path}/history`, { limit: 50, cursor }, signal);
		entries.push(...page.items);
		cursor = page.next_cursor;
		list.append(...page.items.map(entryItem));
		replace(older, cursor && button('Show older entries', () => load()));
		slider?.reach();
	}

	const node = area(async (signal) => {
		entries.length = 0;
		cursor = null;
		list.replaceChildren();
		await load(signal);
	}, () => [slider?.node, list, older]);
	return node;
}

function pastSlider(path, entries, showPast) {
	const id = newID('as-of');
	const shown = h('div.past');
	const range = h('input', { type: 'range', id, min: '0', step: '1' });
	const told = h('output', { for: id }, 'as it is now');
	let asked = 0;

	const load = throttle(120, async () => {
		const mine = ++asked;
		const entry = entries[entries.length - 1 - Number(range.value)];
		try {
			const past = await get(path, { as_of: entry.position });
			if (mine === asked) replace(shown, showPast(past));
		} catch (error) {
			if (mine === asked) replace(shown, problemBox(error));
		}
	});

	range.addEventListener('input', () => {
		const entry = entries[entries.length - 1 - Number(range.value)];
		const text = `as it was after entry #${entry.position}, ${local(entry.recorded_at)}`;
		told.textContent = text;
		range.setAttribute('aria-valuetext', text);
		load();
	});

	return {
		node: h('div.as-of', h('label', { for: id }, 'Look back'), range, told, shown),
		reach() {
			range.max = String(entries.length - 1);
			range.value = range.max;
			told.textContent = 'as it is now';
			replace(shown);
			range.disabled = entries.length < 2;
		},
	};
}
