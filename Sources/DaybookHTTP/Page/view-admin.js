/** The license and the keys. */

import { everything, get, may, session } from './api.js';
import { limitField, nameField } from './acts.js';
import { bdi, box, button, facts, h } from './dom.js';
import { ask, choiceField, tell, timeField } from './forms.js';
import { hear } from './live.js';
import { actor } from './names.js';
import { fullTime, time } from './time.js';
import { acts, area, col, num, section, tableOf } from './widgets.js';

const setLicense = (team) => ask({
	title: ['License of ', bdi(team.name)], method: 'PATCH', path: `/teams/${team.id}/license`, etag: `"${team.revision}"`,
		done: 'The license is set.',
	fields: [limitField(team.max_concurrent_runs, '0: nothing starts.')],
});

async function createKey(teams) {
	const made = await ask({
		title: 'New key', action: 'Make it', path: '/api-keys',
		fields: [nameField('', 'Who or what uses it: it stands in the log.'),
			choiceField('role', 'Role', [['read', 'read: sees'], ['write', 'write: sees and changes'], ['work', 'work: carries out runs'],
			['admin', 'admin: everything']]),
			choiceField('team_id', 'Team', teams.map((one) => [one.id, one.name]), { value: session.team_id }),
				timeField('expires_at', 'Holds until')],
	});
	if (made) tell('The new key', [h('p', 'It is shown this once. Put it where it is safe.'),
		h('pre', { tabindex: '0', role: 'group', 'aria-label': 'The key' }, made.key)]);
}

const revokeKey = (key) => ask({
	title: 'Revoke this key?', action: 'Revoke', danger: true, method: 'DELETE', path: `/api-keys/${key.id}`, done: 'The key is revoked.',
	content: h('p', 'Whoever uses ', bdi(key.name), ' is refused from now on, and its sessions end. This cannot be taken back.',
		key.id === session.key_id && h('strong', ' It is the key that you are signed in with.')),
});

const keyState = (key) => (key.revoked_at ? ['revoked ', time(key.revoked_at)] : key.expires_at && Date.parse(key.expires_at) < Date.now()
	? 'expired' : h('span.good', 'holds'));

export function view() {
	const own = area((signal) => get('/license', {}, signal),
		(license) => facts([['Runs at once', license.max_concurrent_runs], ['In progress', String(license.in_progress)],
		['Waiting', String(license.queued)], ['Team', h('code', license.team_id)]]));
	const me = facts([['Key', bdi(session.key_name)], ['Role', session.role], ['The session ends', fullTime(session.expires_at)],
		['Id', h('code', session.key_id)]]);
	if (!may('admin')) return { node: box('view', section('License of the team', own), section('Your key', me)), end() {} };

	let known = [];
	const teams = area((signal) => everything('/teams', signal), (items) => {
		known = items;
		return tableOf(items, {
			caption: 'Teams',
			columns: [col('Team', (one) => bdi(one.name)), num('Runs at once', (one) => one.max_concurrent_runs),
				num('Changed', (one) => time(one.updated_at)), col('Id', (one) => h('code', one.id)),
				acts('Change', (one) => button('License', () => setLicense(one), { 'aria-label': `License of ${one.name}` }))],
		});
	});
	const readKeys = async (signal) => {
		known = await everything('/teams', signal);
		return everything('/api-keys', signal);
	};
	const keys = area(readKeys, (items) => tableOf(items, {
		caption: 'Keys, newest first',
		columns: [col('Name', (one) => bdi(one.name)), col('Role', (one) => one.role),
			col('Team', (one) => bdi(known.find((team) => team.id === one.team_id)?.name ?? one.team_id)), col('State', keyState),
			num('Last used', (one) => time(one.last_used_at)),
			num('Ends', (one) => time(one.expires_at)), col('Made by', (one) => actor(one.created_by)),
				acts('Change', (one) => !one.revoked_at && button('Revoke', () => revokeKey(one),
				{ class: 'danger', 'aria-label': `Revoke ${one.name}` }))],
	}));
	const unhear = hear((entries) => {
		const names = entries.flatMap((entry) => entry.events.map((event) => event.event));
		if (names.some((name) => name === 'team_created' || name === 'license_set')) { teams.reload(); own.reload(); }
		if (names.some((name) => name === 'key_created' || name === 'key_revoked')) keys.reload();
	});
	return {
		node: box('view', box('actions', button('New key', () => createKey(known), { class: 'primary' })),
			section('License of your team', own), section('Teams', teams), section('Keys', keys), section('Your key', me)),
		end: unhear,
	};
}
