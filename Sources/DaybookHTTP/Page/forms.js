/** Dialogs and their fields. A dialog is one act: sent twice, it is done once. */

import { Act, change } from './api.js';
import { box, button, h, newID, replace } from './dom.js';
import { JSONMistake, Raw, parse } from './json.js';
import { both, fieldValue, isUTC, isUntouched, readField, utc, zone } from './time.js';
import { problemBox, say } from './widgets.js';

/**
 * Asks and acts: sends what the fields say, and `body`, to `path`. What goes wrong is shown, and can be tried again.
 * @param failed is told what went wrong and may give a better word for it.
 * @returns what was answered, or `undefined` where the dialog was left.
 */
export function ask({ title, content, fields = [], more = [], action = 'Save', method = 'POST', path, etag, query, body, send,
	danger = false, done, failed, wide = false }) {
	return new Promise((resolve) => {
		const act = new Act();
		send ??= () => {
			const read = Object.fromEntries([...fields, ...more].filter((field) => !field.isOutside).map((field) => [field.input.name,
				field.read()]));
			const sent = typeof body === 'function' ? body(read) : { ...read, ...body };
			return change(method, typeof path === 'function' ? path() : path,
				{ act, etag, query: query?.(), body: method === 'DELETE' ? undefined : sent });
		};
		const id = newID('dialog');
		const wrong = h('div.wrong');
		const ok = h('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, action);
		let result;
		let isSending = false;
		const form = h('form', {
			novalidate: true,
			onsubmit: async (event) => {
				event.preventDefault();
				if (isSending) return;
				isSending = true;
				ok.setAttribute('aria-disabled', 'true');
				replace(wrong);
				for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
				try {
					result = await send();
					if (done) say(typeof done === 'function' ? done(result) : done);
					dialog.close();
				} catch (thrown) {
					const error = clearer((await failed?.(thrown).catch(() => null)) ?? thrown);
					replace(wrong, error instanceof Mistake ? h('p.problem', { role: 'alert' }, error.message) : problemBox(error));
					mark(form, error);
					if (!(error instanceof Mistake) && !('code' in error)) console.error(error);
				}
				isSending = false;
				ok.removeAttribute('aria-disabled');
			},
		}, h('h2', { id }, title), content, fields.map((field) => field.node),
		more.length > 0 && h('details', h('summary', 'More'), more.map((field) => field.node)), wrong,
		box('actions', ok, path && button('Cancel', () => dialog.close())));
		const dialog = h('dialog', { 'aria-labelledby': id, class: wide ? 'wide' : undefined }, form);
		const before = document.activeElement;
		dialog.addEventListener('close', () => {
			dialog.remove();
			// What was drawn anew meanwhile is there as another node.
			const name = ['href', 'data-thing'].find((one) => before?.hasAttribute(one));
			const again = name && document.querySelector(`main [${name}="${CSS.escape(before.getAttribute(name))}"]`);
			if (!before?.isConnected) (again || document.querySelector('main h1'))?.focus();
			resolve(result);
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}

export const tell = (title, content, wide) => ask({ title, content, wide, action: 'Close', send: async () => true });

export class Mistake extends Error {
	constructor(message, field) {
		super(message);
		this.field = field;
	}
}

const clearer = (error) => (error.status === 412
	? new Mistake('It was changed meanwhile. Nothing was done: leave this, look at how it is now, and do it again.') : error);

function mark(form, error) {
	const names = error.errors?.map(({ pointer }) => pointer.replace(/^[/?]/, '').split('/')[0]) ?? [error.field];
	const fields = names.map((name) => name && form.querySelector(`[name="${CSS.escape(name)}"]`)).filter(Boolean);
	for (const field of fields) field.setAttribute('aria-invalid', 'true');
	fields[0]?.focus();
}

function labelled(label, control, hint) {
	const id = newID('field');
	const field = h('div.field', h('label', { for: id }, label), control,
		hint && h('p.hint', { id: `${id}-hint` }, hint));
	control.id = id;
	if (hint) control.setAttribute('aria-describedby', `${id}-hint`);
	return field;
}

/** Text or a number; `read()` gives `undefined` where it is empty. */
export function textField(name, label, { value = '', hint, type = 'text', min, max, required = false, autocomplete = 'off',
	maxlength } = {}) {
	const input = h('input', { name, type, min, max, maxlength, autocomplete, spellcheck: 'false', dir: type === 'text' ? 'auto' : undefined,
		value: value ?? '', 'aria-required': required && 'true' });
	return {
		node: labelled(label, input, hint),
		input,
		read() {
			const text = input.value.trim();
			if (text === '' && input.validity.badInput) throw new Mistake(`${label}: that is not a number.`, name);
			if (text === '') {
				if (required) throw new Mistake(`${label} is needed.`, name);
				return undefined;
			}
			return type === 'number' ? Number(text) : text;
		},
	};
}

export function choiceField(name, label, options, { value, hint, onchange } = {}) {
	const select = h('select', { name, onchange }, options.map(([key, text]) => h('option', { value: key }, text)));
	if (value !== undefined) select.value = value;
	return { node: labelled(label, select, hint), input: select, read: () => select.value || undefined };
}

export function checkField(name, label, value = false) {
	const id = newID('check');
	const input = h('input', { type: 'checkbox', name, id, checked: value });
	return { node: h('div.field.check', input, h('label', { for: id }, label)), input, read: () => input.checked };
}

/** A time, entered where the reader is or in UTC, and told back in both. */
export function timeField(name, label, { value, required = false } = {}) {
	const input = h('input', { name, type: 'datetime-local', step: '1', autocomplete: 'off',
		'aria-required': required && 'true', oninput: () => tell() });
	const mode = h('select', { 'aria-label': `${label}: zone` }, !isUTC && h('option', { value: 'local' }, zone),
		h('option', { value: 'utc' }, 'UTC'));
	const echo = h('output.echo');
	const inUTC = () => mode.value === 'utc';
	let original = null;
	let meant = null;
	function tell() {
		// What was not touched keeps the digits that the field does not show, and which of two equal times it is.
		meant = isUntouched(input.value, original, inUTC()) ? { instant: original } : readField(input.value, inUTC());
		replace(echo, meant ? [isUTC || inUTC() ? utc(meant.instant) : both(meant.instant),
			meant.note && h('strong', ` ${meant.note}`)] : 'No time yet');
	}
	function set(instant) {
		original = instant;
		input.value = fieldValue(instant, inUTC());
		tell();
	}
	mode.addEventListener('change', () => { if (meant) set(meant.instant); else tell(); });
	if (value) set(value);
	tell();
	const field = labelled(label, input);
	const row = box('row');
	input.replaceWith(row);
	row.append(input, mode);
	field.append(echo);
	return {
		node: field,
		input,
		set,
		read() {
			tell();
			if (!meant && (required || input.validity.badInput)) throw new Mistake(`${label}: give a date and a time.`, name);
			return meant?.instant;
		},
	};
}

/** An editor for JSON that shows where the text goes wrong; what was typed is sent byte for byte. */
export function jsonField(name, label, { value = '', hint, required = false } = {}) {
	const area = h('textarea', { name, rows: '7', spellcheck: 'false', dir: 'auto', autocomplete: 'off', value, oninput: () => tell() });
	const state = h('p.hint', { id: newID('json') });
	const check = () => {
		if (area.value.trim() === '') return null;
		try {
			parse(area.value);
			return null;
		} catch (error) {
			if (error instanceof JSONMistake) return error;
			throw error;
		}
	};
	function tell() {
		const mistake = check();
		area.setAttribute('aria-invalid', mistake ? 'true' : 'false');
		const [title, ...more] = mistake
			? [`Line ${mistake.line}, column ${mistake.column}: ${mistake.message} `, button('Go there', () => go(mistake), { class: 'plain' })]
			: [area.value.trim() ? `JSON, ${new Blob([area.value.trim()]).size.toLocaleString('en')} bytes` : hint ?? 'Empty: null'];
		state.className = mistake ? 'hint bad' : 'hint';
		replace(state, title, ...more);
	}
	function go(mistake) {
		area.focus();
		area.setSelectionRange(mistake.offset, mistake.offset + 1);
	}
	tell();
	const field = labelled(label, area);
	area.setAttribute('aria-describedby', state.id);
	field.append(state);
	return {
		node: field,
		input: area,
		read() {
			const mistake = check();
			if (mistake) {
				go(mistake);
				throw new Mistake(`${label}, line ${mistake.line}, column ${mistake.column}: ${mistake.message}.`, name);
			}
			const text = area.value.trim();
			if (!text && required) throw new Mistake(`${label} is needed.`, name);
			return text ? new Raw(text) : undefined;
		},
	};
}
