/** Promises on a line of time: single marks while they can be told apart, else density. */

import { h, replace, s } from './dom.js';
import { DAY, HOUR, MINUTE, both, local, offset } from './time.js';

const HEIGHT = 150;
const AXIS = 26;
const TOP = 18;
const LANES = 14;
const MARK = 13;
const STEPS = [MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY,
	7 * DAY, 14 * DAY];

const LATE = 1000;
const VERY_LATE = MINUTE;

export const latenessKind = (milliseconds) => (milliseconds >= VERY_LATE ? 'very-late' : milliseconds >= LATE ? 'late' : 'fired');

const kindOf = ({ status, lateness_ms: lateness }) => (['pending', 'cancelled', 'failed'].includes(status)
	? status : latenessKind(lateness));

const KINDS = [['pending', 'to come'], ['fired', 'fired on time'], ['late', 'late by 1 s or more'], ['very-late', 'late by 1 min or more'],
	['failed', 'failed'], ['cancelled', 'cancelled']];

export const total = (bucket) => KINDS.reduce((sum, [kind]) => sum + (bucket[kind] ?? 0), 0);

const SHAPES = {
	pending: 'M0-4.5A4.5 4.5 0 1 1 0 4.5A4.5 4.5 0 1 1 0-4.5',
	fired: 'M0-4.5A4.5 4.5 0 1 1 0 4.5A4.5 4.5 0 1 1 0-4.5',
	late: 'M0-5L5 4H-5Z',
	'very-late': 'M-4.5-4.5H4.5V4.5H-4.5Z',
	failed: 'M-4-4L4 4M4-4L-4 4',
	cancelled: 'M-4.5 0H4.5',
};

const sign = (kind) => s('path', { d: SHAPES[kind], class: `sign ${kind}` });

export const legend = () => h('ul.legend', KINDS.map(([kind, text]) => h('li',
	s('svg', { width: 14, height: 14, viewBox: '-7 -7 14 14', 'aria-hidden': 'true' }, sign(kind)), text)));

function ticks(from, to, width) {
	const step = STEPS.find((one) => (one / (to - from)) * width >= 62) ?? 28 * DAY;
	const start = new Date(from);
	start.setHours(0, 0, 0, 0);
	const found = [];
	while (start < to) {
		if (start >= from) found.push(start.getTime());
		// Not every day has 24 hours.
		if (step >= DAY) start.setDate(start.getDate() + step / DAY);
		else start.setTime(start.getTime() + step);
	}
	return { step, found };
}

function tickText(at, step) {
	const text = local(at);
	return step >= DAY || text.endsWith('00:00:00') ? text.slice(5, 10) : text.slice(11, 16);
}

/**
 * @param open is called with a schedule, or with the ends of a bucket.
 * @param move is called with a schedule and the time it was dragged to; absent where nothing may be moved.
 */
export function timeline({ describe, open, move }) {
	const svg = s('svg', { class: 'timeline', role: 'group', height: HEIGHT });
	const readout = h('p.readout');
	const node = h('div.timeline-box', svg, readout);
	const help = `Arrow keys go from mark to mark, Enter opens${move ? ', M moves. Or drag a mark that is to come' : ''}.`;
	let shown = null;
	let width = 0;
	let current = 0;
	/** Nothing is drawn anew under somebody's hand. */
	let isHeld = false;

	const x = (at) => ((at - shown.from) / (shown.to - shown.from)) * width;
	const timeAt = (px) => shown.from + (px / width) * (shown.to - shown.from);
	const read = (text) => { readout.textContent = text ?? help; };

	/** Lanes for the marks; `null` where they cannot be told apart. */
	function lanes(schedules) {
		const ends = [];
		const placed = [];
		for (const schedule of schedules) {
			const at = x(Date.parse(schedule.scheduled_time));
			let lane = ends.findIndex((end) => end <= at);
			if (lane < 0) lane = ends.length;
			if (lane >= LANES) return null;
			ends[lane] = at + MARK;
			placed.push({ schedule, at, lane });
		}
		return placed;
	}

	function drawMarks(placed) {
		const bottom = HEIGHT - AXIS - 10;
		const step = Math.min(MARK + 1, (bottom - TOP) / Math.max(...placed.map((one) => one.lane + 1)));
		return placed.map(({ schedule, at, lane }, index) => {
			const kind = kindOf(schedule);
			const text = describe(schedule);
			const mark = s('g', { class: `mark ${kind}`, transform: `translate(${at} ${bottom - lane * step})`, role: 'link', 'aria-label': text, 'data-thing': schedule.id,
				tabindex: index === current ? 0 : -1, onfocus: () => read(text), onpointerenter: () => read(text) },
				s('rect', { x: -12, y: -12, width: 24, height: 24, class: 'hit' }), sign(kind));
			const canMove = move && kind === 'pending';
			mark.addEventListener('keydown', (event) => {
				if (event.key === 'Enter') open(schedule);
				else if (event.key.toLowerCase() === 'm' && canMove) move(schedule);
				else return;
				event.preventDefault();
			});
			if (canMove) drag(mark, schedule, at);
			else mark.addEventListener('click', () => open(schedule));
			return mark;
		});
	}

	function drag(mark, schedule, start) {
		mark.classList.add('movable');
		mark.addEventListener('pointerdown', (down) => {
			if (down.button !== 0) return;
			down.preventDefault();
			mark.focus();
			mark.setPointerCapture(down.pointerId);
			isHeld = true;
			const ghost = s('line', { class: 'ghost', y1: TOP, y2: HEIGHT - AXIS });
			let target = null;
			const go = (event) => {
				const distance = event.clientX - down.clientX;
				if (target === null && Math.abs(distance) < 4) return;
				const at = Math.min(Math.max(start + distance, 0), width);
				const grid = Math.max(MINUTE / 2, STEPS.find((one) => (one / (shown.to - shown.from)) * width >= 3) ?? DAY);
				target = Math.round(timeAt(at) / grid) * grid;
				ghost.setAttribute('x1', x(target));
				ghost.setAttribute('x2', x(target));
				if (!ghost.isConnected) svg.append(ghost);
				read(`Move to ${both(target)}${target <= Date.now() ? ', which is past' : ''}`);
			};
			const stop = (event) => {
				mark.removeEventListener('pointermove', go);
				ghost.remove();
				isHeld = false;
				draw();
				if (event.type === 'pointercancel') return;
				if (target === null) open(schedule);
				else move(schedule, new Date(target).toISOString().replace('.000Z', 'Z'));
			};
			mark.addEventListener('pointermove', go);
			mark.addEventListener('pointerup', stop, { once: true });
			mark.addEventListener('pointercancel', stop, { once: true });
		});
	}

	function drawBars(buckets) {
		const top = Math.max(1, ...buckets.map(total));
		const room = HEIGHT - AXIS - TOP;
		const bars = buckets.map((bucket, index) => {
			const [left, right] = [x(bucket.from), x(bucket.to)];
			const kinds = KINDS.filter(([kind]) => bucket[kind]);
			const told = kinds.map(([kind, word]) => `${bucket[kind].toLocaleString('en')} ${word}`);
			const text = `${local(bucket.from)} to ${local(bucket.to)}: ${told.join(', ')}`;
			let y = HEIGHT - AXIS;
			const parts = kinds.map(([kind]) => {
				const height = Math.max(1.5, (bucket[kind] / top) * room);
				y -= height;
				return s('rect', { class: `bar ${kind}`, x: left + 0.5, width: Math.max(1, right - left - 1), y: Math.max(TOP, y), height });
			});
			return s('g', { class: 'mark', role: 'link', 'aria-label': text, tabindex: index === current ? 0 : -1,
				onfocus: () => read(text), onpointerenter: () => read(text), onclick: () => open(bucket),
				onkeydown: (event) => { if (event.key === 'Enter') open(bucket); } },
				s('rect', { class: 'hit', x: left, width: Math.max(1, right - left), y: TOP, height: room }), parts);
		});
		return [s('text', { class: 'tick', x: width, y: 11, 'text-anchor': 'end' }, `up to ${top.toLocaleString('en')} at a time`), bars];
	}

	function draw() {
		if (!shown || !width || isHeld) return;
		const hadFocus = svg.contains(document.activeElement);
		const thing = document.activeElement?.dataset.thing;
		svg.setAttribute('width', width);
		svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
		svg.setAttribute('aria-label', shown.label);
		const { step, found } = ticks(shown.from, shown.to, width);
		const now = Date.now();
		const placed = shown.buckets ? null : lanes(shown.schedules);
		const buckets = shown.buckets ?? (placed ? null : gather(shown));
		current = Math.min(current, Math.max(0, (placed ?? buckets).length - 1));
		replace(svg,
			s('rect', { class: 'past-ground', x: 0, y: TOP, width: Math.max(0, x(now)), height: HEIGHT - AXIS - TOP }),
			shown.until && s('rect', { class: 'unknown', x: x(shown.until), y: TOP, width: Math.max(0, width - x(shown.until)),
				height: HEIGHT - AXIS - TOP }),
			found.map((at) => [s('line', { class: 'grid', x1: x(at), x2: x(at), y1: TOP, y2: HEIGHT - AXIS + 4 }),
				x(at) < width - 30 && s('text', { class: 'tick', x: x(at) + 3, y: HEIGHT - 8 }, tickText(at, step))]),
			s('line', { class: 'base', x1: 0, x2: width, y1: HEIGHT - AXIS, y2: HEIGHT - AXIS }),
			placed ? drawMarks(placed) : drawBars(buckets),
			s('line', { class: 'now', x1: x(now), x2: x(now), y1: TOP - 4, y2: HEIGHT - AXIS }),
			s('text', { class: 'tick now-text', x: x(now) + 3, y: TOP - 6 }, `now ${offset(now)}`));
		read();
		const marks = [...svg.querySelectorAll('.mark')];
		if (hadFocus) (marks.find((mark) => thing && mark.dataset.thing === thing) ?? marks[current])?.focus();
	}

	svg.addEventListener('keydown', (event) => {
		const marks = [...svg.querySelectorAll('.mark')];
		const to = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: marks.length - 1 }[event.key];
		if (to === undefined || !marks[to]) return;
		event.preventDefault();
		marks[current]?.setAttribute('tabindex', -1);
		current = to;
		marks[to].setAttribute('tabindex', 0);
		marks[to].focus();
	});
	svg.addEventListener('focusin', (event) => {
		const index = [...svg.querySelectorAll('.mark')].indexOf(event.target);
		if (index >= 0) current = index;
	});
	svg.addEventListener('pointerleave', () => read());

	new ResizeObserver(([entry]) => {
		width = Math.floor(entry.contentRect.width);
		draw();
	}).observe(node);
	read();

	return {
		node,
		/** `{from, to, label}` and `schedules` in due order or `buckets`; `until` is how far they are known. */
		show(what) { shown = what; draw(); },
		draw,
	};
}

const BUCKETS = 90;

function gather({ from, to, schedules }) {
	const size = (to - from) / BUCKETS;
	const buckets = new Map();
	for (const schedule of schedules) {
		const index = Math.floor((Date.parse(schedule.scheduled_time) - from) / size);
		const bucket = buckets.get(index) ?? { from: from + index * size, to: from + (index + 1) * size };
		const kind = kindOf(schedule);
		bucket[kind] = (bucket[kind] ?? 0) + 1;
		buckets.set(index, bucket);
	}
	return [...buckets.values()].sort((a, b) => a.from - b.from);
}
