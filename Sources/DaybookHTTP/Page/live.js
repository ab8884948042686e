/**
 * One stream of the log for the whole page. Entries come in batches; a lost connection is made again from the
 * last position, so that nothing is missed.
 */

const BATCH = 200;
/** The server says something every 15 s; after this silence it is gone. */
const SILENCE = 40_000;
const PAUSES = [500, 1000, 2000, 4000, 8000];

const hearers = new Set();
let source = null;
let position = null;
let batch = [];
let batchTimer = null;
let watch = null;
let retryTimer = null;
let failures = 0;
let state = 'off';
let onstate = () => {};

/** Hears batches of entries until the returned function is called. */
export function hear(hearer) {
	hearers.add(hearer);
	return () => hearers.delete(hearer);
}

function become(next) {
	const before = state;
	state = next;
	onstate(next, before, position);
}

function flush() {
	batchTimer = null;
	const entries = batch;
	batch = [];
	for (const hearer of hearers) hearer(entries);
	onstate(state, state, position);
}

function takes(event) {
	clearTimeout(watch);
	watch = setTimeout(lose, SILENCE);
	failures = 0;
	position = Number(event.lastEventId);
	if (event.type === 'entry') batch.push(JSON.parse(event.data));
	batchTimer ??= setTimeout(flush, BATCH);
	if (state !== 'live') become('live');
}

function lose() {
	source?.close();
	source = null;
	clearTimeout(watch);
	become('lost');
	clearTimeout(retryTimer);
	retryTimer = setTimeout(connect, PAUSES[Math.min(failures, PAUSES.length - 1)]);
	failures += 1;
}

async function connect() {
	clearTimeout(retryTimer);
	source?.close();
	if (failures > 1 && position !== null) {
		const answer = await fetch(`/log?limit=1&after=${position}`).catch(() => null);
		// A log that ends before our position is an older copy: nothing that is shown holds.
		if (answer?.status === 422) location.reload();
		if (state !== 'lost') return;
	}
	source = new EventSource(position === null ? '/log/stream' : `/log/stream?after=${position}`);
	source.addEventListener('entry', takes);
	source.addEventListener('through', takes);
	source.onerror = lose;
}

/** Begins to follow. `heard` is told each state: `live`, `lost` or `off`, the one before, and the position. */
export function start(heard) {
	onstate = heard;
	connect();
}

export function stop() {
	source?.close();
	source = null;
	for (const timer of [watch, retryTimer, batchTimer]) clearTimeout(timer);
	[position, batch, batchTimer, failures] = [null, [], null, 0];
	become('off');
}

export const retry = () => { if (state === 'lost') connect(); };
addEventListener('online', retry);
