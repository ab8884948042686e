/** Instants: UTC on the wire, local with its zone on the page. */

import { h } from './dom.js';

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
export const isUTC = zone === 'UTC' || zone === 'Etc/UTC';

const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const two = (number) => String(number).padStart(2, '0');
const date = (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
const clock = (d) => `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;

export const local = (instant) => { const d = new Date(instant); return `${date(d)} ${clock(d)}`; };

/** The clock alone when it is today's, otherwise with the date. */
function shortLocal(instant) {
	const d = new Date(instant);
	return date(d) === date(new Date()) ? clock(d) : `${date(d)} ${clock(d)}`;
}

export const utc = (instant) => `${new Date(instant).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export const offset = (instant) => new Intl.DateTimeFormat('en', { timeZoneName: 'shortOffset' })
	.formatToParts(new Date(instant)).find((part) => part.type === 'timeZoneName').value;

export const both = (instant) => (isUTC ? utc(instant) : `${local(instant)} ${zone} (${offset(instant)}), ${utc(instant)}`);

export const time = (instant) => (instant
	? h('time', { datetime: instant, title: utc(instant) }, shortLocal(instant)) : h('span.quiet', '–'));

/** A time as a fact: local, its zone, and UTC. */
export const fullTime = (instant) => instant && h('time', { datetime: instant }, isUTC ? utc(instant)
	: [local(instant), ' ', h('span.quiet', `${offset(instant)} · ${utc(instant)}`)]);

export function duration(milliseconds) {
	const size = Math.abs(milliseconds);
	if (size < SECOND) return `${Math.round(milliseconds)} ms`;
	if (size < 10 * SECOND) return `${(milliseconds / SECOND).toFixed(1)} s`;
	const parts = [[Math.floor(size / DAY), 'd'], [Math.floor(size / HOUR) % 24, 'h'],
		[Math.floor(size / MINUTE) % 60, 'min'], [Math.floor(size / SECOND) % 60, 's']];
	const first = parts.findIndex(([count]) => count > 0);
	return `${milliseconds < 0 ? '−' : ''}${parts.slice(first, first + 2).filter(([count]) => count > 0)
		.map(([count, unit]) => `${count} ${unit}`).join(' ')}`;
}

export function relative(instant) {
	const distance = Date.parse(instant) - Date.now();
	return distance >= 0 ? `in ${duration(distance)}` : `${duration(-distance)} ago`;
}

const sinceText = (instant) => duration(Math.max(0, Date.now() - Date.parse(instant)));

export const since = (instant) => h('span.number', { 'data-since': instant }, sinceText(instant));

setInterval(() => {
	for (const node of document.querySelectorAll('[data-since]')) node.textContent = sinceText(node.dataset.since);
}, SECOND);

export function fieldValue(instant, inUTC) {
	const d = new Date(instant);
	return inUTC ? d.toISOString().slice(0, 19) : `${date(d)}T${clock(d)}`;
}

/** Browsers leave seconds of zero out. */
const withSeconds = (value) => (value.length === 16 ? `${value}:00` : value);

/** Whether a field still says this instant, of which it does not show every digit. */
export const isUntouched = (value, instant, inUTC) => Boolean(instant) && withSeconds(value) === fieldValue(instant, inUTC);

/**
 * What a `datetime-local` value means.
 * @returns the instant as RFC 3339, and a note where the local clock skips or repeats that time.
 */
export function readField(value, inUTC) {
	if (!/^\d{4,6}-\d\d-\d\dT\d\d:\d\d/.test(value)) return null;
	const full = withSeconds(value);
	const d = new Date(inUTC ? `${full}Z` : full);
	if (Number.isNaN(d.getTime())) return null;
	const instant = d.toISOString().replace('.000Z', 'Z');
	if (inUTC) return { instant };
	if (fieldValue(d, false) !== full.slice(0, 19)) return { instant, note: 'The clocks skip this time; the one shown is meant.' };
	// Lord Howe Island puts its clocks back by half an hour.
	const isTwice = [HOUR, HOUR / 2, -HOUR / 2, -HOUR].some((shift) => fieldValue(d.getTime() + shift) === fieldValue(d));
	return isTwice ? { instant, note: 'The clocks are put back and this time comes twice; give it in UTC for the other one.' } : { instant };
}
