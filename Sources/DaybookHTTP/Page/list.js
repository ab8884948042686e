/** Lists and things that stay true: what the log says has changed is read again. */

import { get } from './api.js';
import { box, button, throttle } from './dom.js';
import { hear } from './live.js';
import { area, empty, filters, pager, table } from './widgets.js';

/** When more rows than this changed, the page of the list is read again. */
const SINGLE = 12;

/**
 * @param path of the list, and of its items with their id behind it.
 * @param idIn what of an event names an item, such as `schedule_id`.
 * @param births events after which the first page has new items.
 */
export function liveList({ path, query, fixed = {}, go, fields, columns, caption, nothing, idIn, births, key }) {
	const rows = table({ caption, columns, key });
	const touched = new Set();
	let isFirst = !query.cursor;
	const anew = box('actions');

	const list = area((signal) => get(path, { limit: 50, ...query, ...fixed }, signal), (page) => {
		isFirst = !query.cursor;
		anew.replaceChildren();
		rows.set(page.items);
		const isFiltered = Object.keys(query).some((name) => name !== 'cursor');
		return [page.items.length ? rows.node : empty(page.next_cursor ? 'Nothing on this page; there is more to look through.' : isFiltered
			? 'Nothing fits the filter.' : nothing),
			pager(query.cursor !== undefined, page.next_cursor, (cursor) => go({ ...query, cursor }))];
	}, { class: 'area list' });

	const reload = throttle(1500, list.reload);
	const patch = throttle(400, async () => {
		const ids = [...touched];
		touched.clear();
		if (ids.length > SINGLE) return reload();
		const read = await Promise.all(ids.map((id) => get(`${path}/${id}`).catch(() => null)));
		read.filter(Boolean).forEach(rows.patch);
	});
	const hasNew = throttle(1500, () => {
		if (isFirst && query.order !== 'scheduled_time') return list.reload();
		if (!anew.firstChild) anew.append(button('There is more now: read the list again', list.reload, { class: 'plain' }));
	});

	const unhear = hear((entries) => {
		for (const event of entries.flatMap((entry) => entry.events)) {
			if (births.includes(event.event)) hasNew();
			else if (rows.has(event[idIn])) { touched.add(event[idIn]); patch(); }
		}
	});
	return { node: box('view', fields && filters(fields, query, go), anew, list), reload: list.reload, end: unhear };
}

/** @param concerns tells of other events whether they may change what is shown. */
export function liveThing({ idIn, id, load, show, concerns = () => false }) {
	const node = area(load, show);
	const reload = throttle(400, node.reload);
	const reloadSoon = throttle(2000, node.reload);
	const unhear = hear((entries) => {
		const events = entries.flatMap((entry) => entry.events);
		if (events.some((event) => event[idIn] === id)) reload();
		else if (events.some(concerns)) reloadSoon();
	});
	return { node, reload: node.reload, end: unhear };
}
