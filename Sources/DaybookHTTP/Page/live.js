/**
 * One stream of the log for the whole page. Entries come in batches; a lost connection is made again from the
 * last position, so that nothing is missed.
 */

const BATCH = 200;
/** The server says something every 15 s; after this silence it is gone. */
const SILENCE = 40_000;
const PAUSES = [500, 1000, 2000, 4000, 8000];
/** So long a hidden page keeps its connection: a browser has six for a server and all its tabs. */
const HIDDEN = 5000;
/** What is further behind is not told, but read anew. */
const FAR = 10_000;

const hearers = new Set();
let source = null;
let position = null;
let batch = [];
let batchTimer = null;
let watch = null;
let retryTimer = null;
let hideTimer = null;
let tries = 0;
let failures = 0;
let state = 'off';
let onstate = () => {};

/** Hears batches of entries, also empty ones, and the state until the returned function is called. */
export function hear(hearer) {
	hearers.add(hearer);
	return () => hearers.delete(hearer);
}

function become(next) {
	const before = state;
	state = next;
	onstate(next, before, position);
	if (next !== before) tell([]);
}

function tell(entries) {
	for (const hearer of hearers) hearer(entries, state);
}

function flush() {
	batchTimer = null;
	const entries = batch;
	batch = [];
	tell(entries);
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
	source = null;
	const mine = ++tries;
	if (position !== null) {
		const size = await fetch('/log/checkpoint', { signal: AbortSignal.timeout(8000) }).then((answer) => answer.text())
			.then((text) => Number(text.split('\n')[1]), () => NaN);
		if (mine !== tries) return;
		// A log that ends before our position is an older copy: nothing that is shown holds.
		if (size < position || size > position + FAR) location.reload();
	}
	if (document.hidden) hideSoon();
	source = new EventSource(position === null ? '/log/stream' : `/log/stream?after=${position}`);
	source.addEventListener('entry', takes);
	source.addEventListener('through', takes);
	source.onerror = lose;
}

function hideSoon() {
	clearTimeout(hideTimer);
	if (document.hidden) hideTimer = setTimeout(rest, HIDDEN);
	else if (state === 'off' && position !== null) connect();
}

function rest() {
	// Without a position nothing could be caught up.
	if (state !== 'live') { hideSoon(); return; }
	source.close();
	clearTimeout(watch);
	become('off');
}

document.addEventListener('visibilitychange', hideSoon);

/** Begins to follow. `heard` is told each state: `live`, `lost` or `off`, the one before, and the position. */
export function start(heard) {
	onstate = heard;
	connect();
}

export function stop() {
	source?.close();
	source = null;
	tries += 1;
	for (const timer of [watch, retryTimer, batchTimer, hideTimer]) clearTimeout(timer);
	[position, batch, batchTimer, failures] = [null, [], null, 0];
	become('off');
}

export const retry = () => { if (state === 'lost') connect(); };
addEventListener('online', retry);
