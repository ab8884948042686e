/** The parts that views are made of. */

import { bdi, box, button, h, newID, quiet, replace, words } from './dom.js';
import { indent } from './json.js';
import { fieldValue, isUntouched, readField } from './time.js';

const live = () => document.getElementById('said');

export function say(text) {
	const note = h('p.note', text);
	live().append(note);
	setTimeout(() => note.remove(), 6000);
}

/** What is wrong, with the code that programs know it by. */
export function problemBox(error, retry) {
	const code = error.code ?? 'page';
	return h('div.problem', { role: 'alert' },
		h('p', h('strong', error.body?.title ?? 'That did not work'), ': ', bdi(error.message), ' ',
			h('code', code), error.status === 429 || error.status === 503 ? ' It may work in a moment.' : null),
		error.body?.request_id && h('p.quiet.small', 'Request ', h('code', error.body.request_id)),
		retry && button('Try again', retry));
}

/**
 * A part of a view that is loaded: says that it loads, what went wrong, and shows what came.
 * @param load gets an `AbortSignal`; what it gives goes to `show`, which returns nodes.
 */
export function area(load, show, attributes) {
	const node = h('div.area', { ...attributes });
	let aborter = null;
	let has = false;
	async function reload() {
		aborter?.abort();
		const mine = new AbortController();
		aborter = mine;
		if (!has) replace(node, h('p.quiet.loading', 'Loading…'));
		try {
			const loaded = await load(mine.signal);
			if (mine.signal.aborted) return;
			const focused = node.contains(document.activeElement) ? labelOf(document.activeElement) : null;
			const isUnfolded = node.querySelector('details[open]') !== null;
			replace(node, show(loaded));
			has = true;
			for (const one of node.querySelectorAll('details')) one.open = isUnfolded;
			if (focused) [...node.querySelectorAll('a[href], button')].find((one) => labelOf(one) === focused)?.focus();
		} catch (error) {
			if (error.name === 'AbortError' || mine.signal.aborted) return;
			has = false;
			replace(node, problemBox(error, reload));
			if (!('code' in error)) console.error(error);
		}
	}
	node.reload = reload;
	reload();
	return node;
}

const labelOf = (control) => control.getAttribute('aria-label') ?? control.textContent;

export const empty = (text, ...more) => h('div.empty', h('p', text), ...more);

export function section(title, ...content) {
	const id = newID('section');
	return h('section', { 'aria-labelledby': id, class: 'card' }, h('h2', { id }, title), content);
}

/**
 * A table whose rows can be put in one by one. On narrow screens each row becomes a card.
 * @param columns `{title, cell(item), class}`
 */
export function table({ caption, columns: all, key = (item) => item.id }) {
	const columns = all.filter(Boolean);
	const body = h('tbody', { role: 'rowgroup' });
	const node = h('table', { role: 'table' }, h('caption', caption),
		h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map((column) => h('th', {
			role: 'columnheader', scope: 'col', class: column.class }, column.title)))), body);
	const rows = new Map();

	const make = (item) => h('tr', { role: 'row' }, columns.map((column) => h('td', {
		role: 'cell', class: column.class, 'data-label': column.title }, column.cell(item))));

	function patch(item) {
		const old = rows.get(key(item));
		if (!old) return;
		const row = make(item);
		const focusable = 'a[href], button';
		const index = [...old.querySelectorAll(focusable)].indexOf(document.activeElement);
		old.replaceWith(row);
		rows.set(key(item), row);
		if (index >= 0) row.querySelectorAll(focusable)[index]?.focus();
	}

	function set(items) {
		rows.clear();
		for (const item of items) rows.set(key(item), make(item));
		body.replaceChildren(...rows.values());
	}

	return { node, set, patch, has: (id) => rows.has(id), ids: () => [...rows.keys()] };
}

export const col = (title, cell, name) => ({ title, cell, class: name });

export const num = (title, cell) => col(title, cell, 'number');

export const acts = (title, cell) => col(title, cell, 'acts');

export const choices = (...names) => names.map((name) => [name, words(name)]);

export function tableOf(items, options) {
	const made = table({ key: (item) => item, ...options });
	made.set(items);
	return made.node;
}

const MARKS = {
	pending: '○', queued: '◔', retrying: '◔', in_progress: '◑', completed: '●', delivered: '●', failed: '✕', cancelled: '⊘',
};

export const status = (name) => h('span', { class: `status ${name}` },
	h('span', { 'aria-hidden': 'true' }, `${MARKS[name] ?? '·'} `), words(name));

const SHOWN = 4000;

/** A payload as it was sent, laid out in lines; the rest of a long one at a click. */
export function payload(raw, label) {
	if (raw === null || raw === undefined) return quiet(h('code', 'null'));
	const text = String(raw);
	const lines = indent(text);
	const pre = h('pre', { tabindex: '0', role: 'group', 'aria-label': label, dir: 'auto' }, lines.slice(0, SHOWN));
	const size = `${text.length.toLocaleString('en')} characters`;
	const all = lines.length > SHOWN && button(`Show all of it (${size})`, () => { pre.textContent = lines; all.remove(); });
	const copy = button('Copy as sent', async () => {
		try {
			await navigator.clipboard.writeText(text);
			say(`${label}: copied.`);
		} catch {
			say('The browser does not let the page copy.');
		}
	}, { class: 'plain' });
	return h('div.payload', pre, box('actions', all, copy));
}

export function longText(text, most = 300) {
	if (text.length <= most) return bdi(text);
	const shown = bdi(`${text.slice(0, most)}…`);
	const all = button(`Show all ${text.length.toLocaleString('en')} characters`, () => { shown.textContent = text; all.remove(); },
		{ class: 'plain' });
	return h('span', shown, ' ', all);
}

/** Pages by cursor; the browser's way back leads to the page before. */
export const pager = (hasCursor, next, go) => h('nav.pager', { 'aria-label': 'Pages of the list' },
	hasCursor && button('First page', () => go(null)),
	next ? button('Next page', () => go(next)) : h('span.quiet', 'End of the list'));

/** A form of filters; times are entered where the reader is (`type: 'datetime-local'`). */
export function filters(fields, query, go) {
	const form = h('form.filters', { role: 'search', 'aria-label': 'Filter',
		onsubmit: (event) => { event.preventDefault(); apply(); } },
		fields.map(({ name, label, options, isFixed, type }) => {
			const id = newID('filter');
			const control = options
				? h('select', { id, name,  }, !isFixed && h('option', { value: '' }, 'all'),
					options.map(([value, text]) => h('option', { value }, text)))
				: h('input', { id, name, type: type ?? 'text', step: type && '1', autocomplete: 'off', spellcheck: 'false' });
			control.value = type && query[name] ? fieldValue(query[name]) : query[name] ?? (isFixed ? options[0][0] : '');
			return h('div.field', h('label', { for: id }, label), control);
		}),
		h('button', { type: 'submit' }, 'Filter'),
		Object.keys(query).length > 0 && button('Clear', () => go({}), { class: 'plain' }));
	function apply() {
		const given = Object.fromEntries(new FormData(form));
		for (const { name } of fields.filter((field) => field.type)) {
			given[name] = isUntouched(given[name], query[name]) ? query[name] : readField(given[name])?.instant;
		}
		go(given);
	}
	return form;
}
