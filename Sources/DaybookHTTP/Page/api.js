/** The REST API. */

import { parse, compose } from './json.js';

const MARK = 'daybook-signed-in';
const PAYLOADS = new Set(['run_input', 'output', 'definition']);

export let session = null;

export const ended = new EventTarget();

/** An answer that says what is wrong (RFC 9457), or that there was none. */
class Problem extends Error {
	constructor(body, status) {
		super(body.detail ?? body.title ?? 'the request failed');
		Object.assign(this, { status, code: body.code ?? 'unknown', body, errors: body.errors ?? [] });
	}
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** One act of the user: however often it is sent, it is done once. */
export class Act {
	constructor() { this.renew(); }

	renew() { this.key = `page-${hex(crypto.getRandomValues(new Uint8Array(16)))}`; }
}

export function queryText(query) {
	const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== '');
	return given.length ? `?${new URLSearchParams(given)}` : '';
}

async function send(method, path, { query, headers = {}, body, signal } = {}) {
	if (!session && path !== '/session') throw new DOMException('nobody is signed in', 'AbortError');
	try {
		return await fetch(path + queryText(query), { method, headers, body, signal, cache: 'no-store', redirect: 'error' });
	} catch (error) {
		if (error.name === 'AbortError') throw error;
		throw new Problem({ code: 'unreachable', detail: 'the server cannot be reached' }, 0);
	}
}

async function checked(answer) {
	if (answer.ok) return answer;
	let body = {};
	try { body = await answer.json(); } catch { body = { detail: `the server answered ${answer.status}` }; }
	if (answer.status === 401 && session) end('Your key was revoked or its session has ended. Sign in again.');
	throw new Problem(body, answer.status);
}

function end(why) {
	session = null;
	memory((has) => has.removeItem(MARK));
	ended.dispatchEvent(new CustomEvent('ended', { detail: why }));
}

/** Reads an object or a list; payloads in it are `Raw`. */
export async function get(path, query, signal) {
	const answer = await checked(await send('GET', path, { query, signal }));
	const object = parse(await answer.text(), PAYLOADS);
	const tag = answer.headers.get('ETag');
	if (tag) Object.defineProperty(object, 'etag', { value: tag });
	return object;
}

/** Reads a list of entries: what stands in them is shown, not sent back. */
export async function getPlain(path, query, signal) {
	return (await checked(await send('GET', path, { query, signal }))).json();
}

export const getText = async (path, query) => (await checked(await send('GET', path, { query }))).text();

export async function getBytes(path) {
	const answer = await checked(await send('GET', path, { headers: { Accept: 'application/protobuf' } }));
	return new Uint8Array(await answer.arrayBuffer());
}

/**
 * Changes something. `act` makes a repeat harmless, `etag` makes sure that the change is of what was seen.
 */
export async function change(method, path, { act, etag, body, query } = {}) {
	const headers = { 'Daybook-CSRF': session?.csrf_token ?? '' };
	if (act) headers['Idempotency-Key'] = act.key;
	if (etag) headers['If-Match'] = etag;
	if (body !== undefined) headers['Content-Type'] = 'application/json';
	const text = body === undefined || typeof body === 'string' ? body : compose(body);
	try {
		const answer = await checked(await send(method, path, { query, headers, body: text }));
		const said = await answer.text();
		return said ? parse(said, PAYLOADS) : {};
	} catch (error) {
		if (error.code === 'idempotency_key_reused') {
			act?.renew();
			error.message = 'an earlier sending was accepted after all; look at it first: sent once more, this is a second act';
		}
		throw error;
	}
}

const RANKS = { read: 'read', work: 'work', write: 'read work write', admin: 'read work write admin' };

export const may = (role) => RANKS[session?.role]?.includes(role) ?? false;

/** The browser's memory, where it lets the page have one. */
export const memory = (act) => {
	try { return act(localStorage); } catch { return undefined; }
};

// The tabs of a browser have one session: who signs in or out in one does so in all.
addEventListener('storage', (event) => { if (event.key === MARK) location.reload(); });

/** Takes up the session that the browser has; the cookie itself is hidden from the page. */
export async function resume() {
	if (memory((has) => has.getItem(MARK)) === null) return null;
	const answer = await send('GET', '/session');
	session = answer.status === 401 ? null : await (await checked(answer)).json();
	return session;
}

export async function signIn(key) {
	const headers = { 'Content-Type': 'application/json' };
	session = await (await checked(await send('POST', '/session', { headers, body: JSON.stringify({ key }) }))).json();
	memory((has) => has.setItem(MARK, session.expires_at));
	return session;
}

export async function signOut(why = 'You are signed out.') {
	await change('DELETE', '/session');
	end(why);
}

export const everything = async (path, signal) => (await pages(path, {}, { items: 2000, pages: 20, signal })).items;

export async function pages(path, query, { items = 100, pages: most = 5, signal } = {}) {
	const all = [];
	let cursor = null;
	for (let count = 0; count < most; count += 1) {
		const page = await get(path, { limit: 100, ...query, cursor }, signal);
		all.push(...page.items);
		cursor = page.next_cursor;
		if (!cursor || all.length >= items) break;
	}
	return { items: all, more: cursor !== null };
}
