/** What can be done to schedules, runs and workflows, as dialogs. */

import { get, session } from './api.js';
import { bdi, h, replace, words } from './dom.js';
import { Mistake, ask, checkField, choiceField, jsonField, textField, timeField } from './forms.js';
import { indent } from './json.js';
import { workflowChoices, workflow, workflowText } from './names.js';
import { HOUR, MINUTE, both, fullTime } from './time.js';

const numberText = (number) => (number === 0 ? 'draft' : `version ${number}`);

export const versionText = ({ version_number: number, version_name: name, is_active: isActive }) =>
	`${numberText(number)}${name ? ` – ${name}` : ''}${isActive ? ' (active)' : ''}`;

function versionField(unpinned, value) {
	// What is chosen stays chosen before the others are known, and where they are too many.
	const given = Number.isInteger(value) ? [[String(value), numberText(value)]] : [];
	const field = choiceField('version', 'Version', [['', unpinned], ...given], { value: value ?? '' });
	let asked = null;
	return {
		...field,
		async follow(id) {
			if (asked) replace(field.input, h('option', { value: '' }, unpinned));
			asked = id;
			const list = id ? (await get(`/workflows/${id}/versions`, { limit: 100 })).items : [];
			if (asked !== id) return;
			const chosen = field.input.value;
			replace(field.input, h('option', { value: '' }, unpinned),
				list.map((one) => h('option', { value: String(one.version_number) }, versionText(one))));
			if (given.length && !list.some((one) => one.version_number === value)) field.input.append(h('option', { value }, numberText(value)));
			field.input.value = chosen;
		},
		read: () => (field.input.value === '' ? undefined : Number(field.input.value)),
	};
}

const inputField = (value) => jsonField('run_input', 'Run input (JSON)', { value });
const endField = (value) => timeField('expires_at', 'Not later than', { value });
const priorityField = (value) => textField('priority', 'Priority', { type: 'number', min: 0, max: 9, value,
	hint: '0 to 9; higher goes first. 5 unless said otherwise.' });
const whenField = (value) => timeField('scheduled_time', 'When', { value, required: true });
export const limitField = (value, hint) => textField('max_concurrent_runs', 'Runs at once',
	{ type: 'number', min: 0, max: 1000000, value, required: true, hint });
export const nameField = (value, hint) => textField('name', 'Name', { value, hint, required: true, maxlength: 150 });

export function createSchedule(chosen) {
	const version = versionField('the one active when it fires');
	const which = choiceField('workflow_id', 'Workflow', [['', 'Choose…'], ...workflowChoices()],
		{ value: chosen ?? '', onchange: () => version.follow(which.input.value) });
	which.isOutside = true;
	version.follow(chosen);
	return ask({
		title: 'New schedule', action: 'Promise it', done: (made) => `Promised for ${both(made.scheduled_time)}.`,
		path() {
			if (!which.read()) throw new Mistake('Choose a workflow.', 'workflow_id');
			return `/workflows/${which.read()}/schedules`;
		},
		fields: [which, whenField(new Date(Math.ceil((Date.now() + HOUR) / MINUTE) * MINUTE).toISOString()), inputField(), version,
			textField('scheduled_by_name', 'Asked by', { value: session.key_name, maxlength: 150 })],
		more: [endField(), priorityField(), textField('dedup_key', 'De-duplication key',
			{ hint: 'A second promise with the same key is refused while this one is pending.' })],
	});
}

const raced = (id) => async (error) => {
	if (error.code !== 'not_pending') return error;
	const now = await get(`/workflow-schedules/${id}`);
	const state = words(now.status);
	return new Mistake(now.fired_at ? `Too late: it already fired at ${both(now.fired_at)} and is ${state}.`
		: `Too late: it is ${state} since ${both(now.updated_at)}.`);
};

/** Moves a promise; `target` is where a mark was dragged to. */
export async function moveSchedule(id, target) {
	const path = `/workflow-schedules/${id}`;
	const schedule = await get(path);
	return ask({
		title: 'Move this promise?', action: 'Move', method: 'PATCH', path, etag: schedule.etag, failed: raced(id),
			done: (moved) => `Moved to ${both(moved.scheduled_time)}.`,
		content: h('p', 'The promise of ', bdi(workflowText(schedule.workflow_id)), ' for ', fullTime(schedule.scheduled_time),
			` is ${words(schedule.status)}. It is to move to:`),
		fields: [whenField(target ?? schedule.scheduled_time)],
	});
}

export async function editSchedule(id) {
	const path = `/workflow-schedules/${id}`;
	const schedule = await get(path);
	const text = schedule.run_input?.text ?? 'null';
	const version = versionField('the one active when it fires', schedule.version);
	version.follow(schedule.workflow_id);
	return ask({
		title: 'Change this promise', method: 'PATCH', path, etag: schedule.etag, failed: raced(id), done: 'The promise is changed.',
		fields: [whenField(schedule.scheduled_time), inputField(text), version, endField(schedule.expires_at),
			priorityField(schedule.priority)],
		body: (read) => ({ ...read, run_input: read.run_input?.text === text ? undefined : read.run_input ?? null,
			version: read.version ?? null, expires_at: read.expires_at ?? null }),
	});
}

export async function cancelSchedule(id) {
	const path = `/workflow-schedules/${id}`;
	const schedule = await get(path);
	return ask({
		title: 'Cancel this promise?', action: 'Cancel the promise', danger: true, method: 'DELETE', path, etag: schedule.etag,
			failed: raced(id), done: 'The promise is cancelled: it will not fire.',
		content: h('p', bdi(workflowText(schedule.workflow_id)), ' for ', fullTime(schedule.scheduled_time),
			' will not run. This cannot be taken back.'),
	});
}

/** Runs a workflow now; with `like`, a run whose input and version are taken over. */
export async function runNow(id, like) {
	const version = versionField(`the active one (${workflow(id)?.active_version ?? '?'})`, like?.version);
	version.isOutside = true;
	version.follow(id);
	const made = await ask({
		title: like ? 'Run it again' : ['Run ', bdi(workflowText(id)), ' now'], action: 'Run now', path: `/workflows/${id}/execute`,
			query: () => ({ version: version.read() }), done: 'The run is queued.',
		fields: [inputField(like?.run_input?.text), version], more: [endField(), priorityField(like?.priority)],
	});
	if (made) location.hash = `#/runs/${made.id}`;
}

export const cancelRun = (run) => ask({
	title: 'Cancel this run?', action: 'Cancel the run', danger: true, path: `/workflow-runs/${run.id}/cancel`, done: 'The run is cancelled.',
	content: h('p', run.status === 'queued'
		? 'It will not start.' : 'Whoever carries it out may not notice before it is done; its answer will not count.',
		run.schedule_id ? ' Its schedule becomes failed.' : ''),
});

export async function createWorkflow() {
	const made = await ask({
		title: 'New workflow', action: 'Make it', path: '/workflows', done: 'The workflow is made.',
		fields: [nameField(), textField('description', 'Description'), jsonField('definition', 'Definition (JSON)',
			{ value: '{\n  "executor": {"type": "echo"}\n}', required: true })],
	});
	if (made) location.hash = `#/workflows/${made.id}`;
}

const seconds = (name, label, value, min = 0, max = 86400) => textField(name, label, { type: 'number', min, max, value, required: true });

export async function editWorkflow(id) {
	const path = `/workflows/${id}`;
	const now = await get(path);
	return ask({
		title: 'Settings', method: 'PATCH', path, etag: now.etag, done: 'The settings are saved.',
		fields: [nameField(now.name), textField('description', 'Description', { value: now.description }),
			seconds('run_timeout_seconds', 'Time-out of a run, in seconds', now.run_timeout_seconds, 1),
			seconds('max_attempts', 'Tries', now.retry.max_attempts, 1, 100),
				seconds('initial_backoff_seconds', 'First wait between tries, in seconds', now.retry.initial_backoff_seconds),
			seconds('max_backoff_seconds', 'Longest wait, in seconds', now.retry.max_backoff_seconds)],
		body: ({ name, description, run_timeout_seconds, ...retry }) => ({ name, description: description ?? null, run_timeout_seconds,
			retry }),
	});
}

export async function limitWorkflow(id) {
	const now = await get(`/workflows/${id}`);
	return ask({
		title: 'Concurrency', method: 'PATCH', path: `/workflows/${id}/concurrency`, etag: now.etag, done: 'The limit is set.',
		fields: [limitField(now.max_concurrent_runs, "0: the team's license alone holds.")],
	});
}

export async function pauseWorkflow(id) {
	const path = `/workflows/${id}`;
	const { paused, etag } = await get(path);
	return ask({
		title: paused ? 'Let it run again?' : 'Pause this workflow?', action: paused ? 'Resume' : 'Pause', method: 'PATCH', path, etag,
			body: { paused: !paused }, done: paused ? 'The workflow goes on.' : 'The workflow is paused.',
		content: h('p', paused ? 'Queued runs start as there are slots.'
			: 'Its schedules still fire; their runs wait until it goes on. Runs in progress are not touched.'),
	});
}

export async function editDraft(id) {
	const draft = await get(`/workflows/${id}/versions/0`);
	return ask({
		title: 'Edit the draft', wide: true, method: 'PUT', path: `/workflows/${id}/versions/0/definition`,
			body: (read) => read.definition.text, done: 'The draft is saved.',
		content: draft.is_active && h('p.hint', 'The draft is the active version: what is queued from now on runs like this.'),
		fields: [jsonField('definition', 'Definition (JSON)', { value: indent(draft.definition.text), required: true })],
	});
}

export const saveVersion = (id) => ask({
	title: 'Save the draft as a version', path: `/workflows/${id}/versions`, done: (made) => `Version ${made.version_number} is saved.`,
	fields: [textField('version_name', 'Name', { maxlength: 150 }), checkField('mark_as_active', 'Make it the active version at once')],
});

export async function activate(id, version) {
	const now = await get(`/workflows/${id}`);
	const isBack = version.version_number < now.active_version;
	return ask({
		title: `${isBack ? 'Roll back to' : 'Activate'} ${numberText(version.version_number)}?`, action: isBack ? 'Roll back' : 'Activate',
			path: `/workflows/${id}/versions/${version.version_number}/activate`, etag: now.etag, done: 'The version is active.',
		content: [h('p', `Active is ${numberText(now.active_version)}.`), h('p', 'What fires or is run from now on takes ',
			numberText(version.version_number), '; what is queued already keeps what it was queued with.')],
	});
}
