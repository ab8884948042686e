/** Signing in, the way from view to view, how live it is. */

import { ended, get, may, queryText, resume, session, signIn, signOut } from './api.js';
import { bdi, box, button, h, link, replace, throttle } from './dom.js';
import { hear, retry, start, stop } from './live.js';
import { forget, note, ready, refresh } from './names.js';
import { isUTC, zone } from './time.js';
import { problemBox, say } from './widgets.js';
import * as admin from './view-admin.js';
import * as hooks from './view-hooks.js';
import * as log from './view-log.js';
import * as now from './view-now.js';
import * as runs from './view-runs.js';
import * as schedules from './view-schedules.js';
import * as workflows from './view-workflows.js';

const VIEWS = {
	now: [now.view], schedules: [schedules.view, schedules.one], runs: [runs.view, runs.one], workflows: [workflows.view, workflows.one],
	triggers: [hooks.view, hooks.one], webhooks: [hooks.webhooks, hooks.webhook], log: [log.view, log.one], admin: [admin.view],
};
const MENU = { now: 'Now', schedules: 'Schedules', runs: 'Runs', workflows: 'Workflows', log: 'Log', admin: 'License & keys' };
const TITLES = { ...MENU, triggers: 'Triggers' };
const UNDER = { triggers: 'workflows', webhooks: 'workflows' };

const icon = (size) => h('img', { src: '/page/icon.svg', alt: '', width: size, height: size });
const app = document.getElementById('app');
let current = null;
let unhear = null;
let visits = 0;

function place() {
	const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
	const [name, id] = path.split('/');
	return { name: name || 'now', id, query: Object.fromEntries(new URLSearchParams(query)) };
}

const closeDialogs = () => document.querySelectorAll('dialog').forEach((dialog) => dialog.close());

function go(query) {
	const { name, id } = place();
	location.hash = `#/${name}${id ? `/${id}` : ''}${queryText(query)}`;
}

async function visit(isFirst) {
	if (!session) return;
	const mine = ++visits;
	closeDialogs();
	current?.end();
	current = null;
	const { name, id, query } = place();
	const make = VIEWS[name]?.[id ? 1 : 0];
	const heading = h('h1', { tabindex: '-1' }, TITLES[name] ?? 'Daybook');
	const body = h('div', h('p.quiet.loading', 'Loading…'));
	replace(document.querySelector('main'), heading, body);
	for (const item of document.querySelectorAll('nav.menu a')) {
		if (item.dataset.view === (UNDER[name] ?? name)) item.setAttribute('aria-current', 'page');
		else item.removeAttribute('aria-current');
	}
	if (!isFirst) heading.focus({ preventScroll: true });
	scrollTo(0, 0);
	try {
		await ready();
		const made = make ? await make({ id, query, go }) : { node: h('p', 'There is no such page. ', link('#/now', 'Go to Now')),
			title: 'Not found', end() {} };
		if (mine !== visits) { made.end(); return; }
		current = made;
		if (made.title) replace(heading, made.title);
		replace(body, made.node);
		document.title = `${heading.textContent} – Daybook`;
	} catch (error) {
		if (mine === visits && session) replace(body, problemBox(error, () => visit(true)));
		if (!('code' in error)) console.error(error);
	}
}

const STATES = { live: '● Live', lost: '○ Connection lost', off: '○ Connecting' };

function connection() {
	const text = h('span', STATES.off);
	const at = h('a.number', { href: '#/log' });
	const again = button('Try now', retry, { class: 'plain', hidden: true });
	const node = h('div.connection', text, at, again);
	function heard(state, before, position) {
		at.textContent = position === null ? '' : `#${position}`;
		// A session that has ended looks like a lost connection from here.
		if (state === 'lost') get('/session').catch(() => {});
		if (state === before) return;
		node.dataset.state = state;
		text.textContent = STATES[state];
		again.hidden = state !== 'lost';
		if (state === 'lost' && before === 'live') say('The connection is lost. What is shown may be out of date.');
		if (state === 'live' && before === 'lost') say('The connection is back; what was missed is caught up.');
	}
	return { node, heard };
}

function enter() {
	const live = connection();
	document.body.className = 'inside';
	replace(app, h('header', h('a.brand', { href: '#/now' },
		icon(22), 'Daybook'),
		h('nav.menu', { 'aria-label': 'Main' },
			Object.entries(MENU).map(([name, text]) => h('a', { href: `#/${name}`, 'data-view': name }, text))),
		h('div.who', live.node, h('span.quiet', bdi(session.key_name), ` · ${session.role}`),
			button('Sign out', () => signOut().catch((error) => say(`${error.message} (${error.code})`))))),
	h('main', { id: 'main' }), h('footer.quiet.small', isUTC
		? 'Times are UTC.' : `Times are those of ${zone}; UTC stands beside them or in their tip.`));
	const renamed = throttle(500, refresh);
	unhear = hear((entries) => {
		entries.forEach(note);
		renamed();
	});
	start(live.heard);
	visit(true);
}

function leave(why) {
	stop();
	unhear?.();
	current?.end();
	current = null;
	visits += 1;
	forget();
	closeDialogs();
	document.body.className = 'outside';
	document.title = 'Sign in – Daybook';
	const key = h('input', { id: 'key', type: 'password', autocomplete: 'current-password', spellcheck: 'false', 'aria-required': 'true',
		'aria-describedby': 'key-hint' });
	const wrong = h('div', why && h('p.note', { role: 'status' }, why));
	const form = h('form', {
		onsubmit: async (event) => {
			event.preventDefault();
			try {
				await signIn(key.value.trim());
				// After a restart the server may have a newer page.
				if (may('read') && why) { location.reload(); return; }
				if (may('read')) { enter(); return; }
				await signOut('This key carries out runs and sees nothing. Sign in with a key of the role read, write or admin.');
				return;
			} catch (error) {
				replace(wrong, problemBox(error));
			}
			key.focus();
		},
	}, h('div.field', h('label', { for: 'key' }, 'API key'), key,
		h('p.hint', { id: 'key-hint' }, 'It begins with dbk_. The page keeps no copy of it.')), wrong,
		box('actions', h('button', { type: 'submit', class: 'primary' }, 'Sign in')));
	replace(app, h('main', { id: 'main', class: 'sign-in' }, icon(44),
		h('h1', { tabindex: '-1' }, 'Daybook'), form));
	key.focus();
}

// What a click could not do, and nothing else tells.
addEventListener('unhandledrejection', (event) => {
	const { reason } = event;
	if (reason.name !== 'AbortError' && !reason.body) return;
	event.preventDefault();
	if (reason.body && session) say(`That did not work: ${reason.message} (${reason.code}).`);
});
ended.addEventListener('ended', (event) => leave(event.detail));
addEventListener('hashchange', () => visit(false));
document.querySelector('.skip').addEventListener('click', (event) => {
	event.preventDefault();
	document.querySelector('main h1')?.focus();
});

try {
	if ((await resume()) && may('read')) enter();
	else leave();
} catch (error) {
	replace(app, h('main', { id: 'main' }, h('h1', 'Daybook'), problemBox(error, () => location.reload())));
}
