/** DOM without parsing HTML: whatever a name or a payload says, it stays text. */

const SVG = 'http://www.w3.org/2000/svg';
const PROPERTIES = new Set(['value', 'checked', 'disabled', 'selected', 'indeterminate', 'htmlFor', 'textContent']);

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === undefined || value === null || value === false) continue;
		if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
		else if (PROPERTIES.has(name)) node[name] = value;
		else node.setAttribute(name, value === true ? '' : value);
	}
	put(node, children);
	return node;
}

function put(node, children) {
	for (const child of children.flat(Infinity)) {
		if (child === undefined || child === null || child === false) continue;
		node.append(child instanceof Node ? child : String(child));
	}
}

/** An element: `h('p.quiet', {onclick: act}, 'text', h('b', '!'))`; attributes may be left out. */
export function h(tag, ...rest) {
	const [name, ...classes] = tag.split('.');
	const node = document.createElement(name);
	if (classes.length) node.className = classes.join(' ');
	return fill(node, rest[0]?.constructor === Object ? rest.shift() : null, rest);
}

export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

export function replace(node, ...children) {
	node.replaceChildren();
	put(node, children);
}

/** Somebody else's text: its direction stays its own. */
export const bdi = (text, attributes) => h('bdi', { dir: 'auto', ...attributes }, text);

export const box = (name, ...children) => h('div', { class: name }, ...children);

export const quiet = (...children) => h('p.quiet', ...children);

export const link = (href, ...children) => h('a', { href }, ...children);

/** While what a button does is under way, its dialog included, another click does nothing. */
export function button(label, act, attributes) {
	let isBusy = false;
	const onclick = async () => {
		if (isBusy) return;
		isBusy = true;
		try { await act(); } finally { isBusy = false; }
	};
	return h('button', { type: 'button', onclick, ...attributes }, label);
}

/** Names and values, for facts about one thing; pairs without a value are left out. */
export const facts = (pairs) => h('dl.facts',
	pairs.filter(([, value]) => value || value === 0).map(([name, ...value]) => h('div', h('dt', name),
	h('dd', ...value))));

export const words = (name) => name.replaceAll('_', ' ');

let last = 0;
export const newID = (prefix = 'id') => `${prefix}-${++last}`;

/** Calls at most once in so many ms, and once more at the end. */
export function throttle(milliseconds, act) {
	let timer = null;
	let next = 0;
	const run = () => {
		timer = null;
		next = performance.now() + milliseconds;
		act();
	};
	return () => {
		timer ??= setTimeout(run, Math.max(0, next - performance.now()));
	};
}
