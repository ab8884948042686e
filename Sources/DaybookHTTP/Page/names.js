/** Names of what is known by id. */

import { everything, get, getPlain, may, session } from './api.js';
import { bdi, h, link, words } from './dom.js';

const workflows = new Map();
const keys = new Map();
let loading = null;

const short = (id) => `${id.slice(0, 4)}…${id.slice(-6)}`;

async function load() {
	const readKeys = may('admin')
		? everything('/api-keys').then((items) => items.forEach((key) => keys.set(key.id, key.name)))
		// Who may not list the keys can still read in the log how they were made.
		: getPlain('/log', { event: 'key_created', limit: 100 }).then(({ items }) => items.forEach(note));
	await Promise.all([
		everything('/workflows').then((items) => items.forEach((one) => workflows.set(one.id, one))),
		readKeys,
	]);
}

export function ready() {
	keys.set(session.key_id, session.key_name);
	loading ??= load().catch((error) => { loading = null; throw error; });
	return loading;
}

export function forget() {
	workflows.clear();
	keys.clear();
	loading = null;
}

export function note(entry) {
	for (const event of entry.events) {
		if (event.event === 'key_created') keys.set(event.key_id, event.name);
		if (event.event === 'workflow_deleted') workflows.delete(event.workflow_id);
		else if (event.event.startsWith('workflow_') || event.event.startsWith('version_') || event.event === 'concurrency_set') {
			stale.add(event.workflow_id);
		}
	}
}

const stale = new Set();

export async function refresh() {
	const ids = [...stale].filter(Boolean);
	stale.clear();
	await Promise.all(ids.map(async (id) => {
		try { workflows.set(id, await get(`/workflows/${id}`)); } catch { workflows.delete(id); }
	}));
}

export const allWorkflows = () => [...workflows.values()].sort((a, b) => a.name.localeCompare(b.name));

export const workflowChoices = () => allWorkflows().map((one) => [one.id, one.name]);

export const workflow = (id) => workflows.get(id);

export const workflowText = (id) => workflows.get(id)?.name ?? `workflow ${short(id)}`;

export const workflowLink = (id) => (id ? link(`#/workflows/${id}`, bdi(workflowText(id))) : '–');

export const scheduleLink = (id, text) => link(`#/schedules/${id}`, text ?? code(id));

export const runLink = (id, text) => link(`#/runs/${id}`, text ?? code(id));

export const positionLink = (position) => link(`#/log/${position}`, `#${position}`);

export const code = (id) => h('code', { title: id }, short(id));

export function actor(text, name) {
	const [kind, ...rest] = text.split(':');
	const id = rest.join(':');
	if (kind === 'key') return ['the key ', name || keys.has(id) ? bdi(name ?? keys.get(id)) : code(id)];
	if (kind === 'trigger') return ['the trigger ', link(`#/triggers/${id}`, code(id))];
	return `the ${words(id)}`;
}
