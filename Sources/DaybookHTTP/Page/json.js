/**
 * JSON as it was sent. `JSON.parse` rounds long numbers and forgets the order of some keys; payloads must come
 * back byte for byte, so members named as opaque are kept as text. It refuses what the server refuses.
 */

const DEPTH = 64;

export class Raw {
	constructor(text) { this.text = text; }
	toString() { return this.text; }
}

export class JSONMistake extends Error {
	constructor(message, text, offset) {
		super(message);
		this.offset = offset;
		const before = text.slice(0, offset).split('\n');
		this.line = before.length;
		this.column = before.at(-1).length + 1;
	}
}

const LITERALS = { t: ['true', true], f: ['false', false], n: ['null', null] };
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;

/** Reads one value; members whose name is in `opaque` become `Raw`. */
export function parse(text, opaque = new Set()) {
	let at = 0;
	const fail = (message, place = at) => { throw new JSONMistake(message, text, place); };
	const match = (pattern) => {
		pattern.lastIndex = at;
		const found = pattern.exec(text)?.[0];
		at += found?.length ?? 0;
		return found;
	};
	const space = () => match(SPACE);

	function string() {
		const start = at++;
		for (;;) {
			match(PLAIN);
			const sign = text[at];
			if (sign === '"') { at += 1; return JSON.parse(text.slice(start, at)); }
			if (sign === undefined) fail('the string does not end', start);
			if (sign !== '\\') fail('a control character must be escaped');
			const escape = text[at + 1];
			if (escape === 'u') {
				if (!/^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6))) fail('\\u needs four hexadecimal digits');
				at += 6;
			} else if (escape !== undefined && '"\\/bfnrt'.includes(escape)) at += 2;
			else fail('this escape is not known');
		}
	}

	function parts(close, part) {
		at += 1;
		space();
		for (let isFirst = true; !isFirst || text[at] !== close; isFirst = false) {
			part();
			space();
			if (text[at] === close) break;
			if (text[at] !== ',') fail(`a comma or ${close} is expected`);
			at += 1;
			space();
		}
		at += 1;
	}

	function members(depth) {
		const object = Object.create(null);
		parts('}', () => {
			if (text[at] !== '"') fail('a name in quotes is expected');
			const place = at;
			const name = string();
			if (name in object) fail('the name is there twice', place);
			if (name.includes('\0')) fail('a name must not have NUL', place);
			space();
			if (text[at] !== ':') fail('a colon is expected');
			at += 1;
			space();
			const start = at;
			const read = value(depth + 1);
			object[name] = opaque.has(name) && read !== null ? new Raw(text.slice(start, at)) : read;
		});
		return object;
	}

	function elements(depth) {
		const array = [];
		parts(']', () => array.push(value(depth + 1)));
		return array;
	}

	function value(depth) {
		if (depth > DEPTH) fail(`it is nested deeper than ${DEPTH}`);
		const sign = text[at];
		if (sign === '{') return members(depth);
		if (sign === '[') return elements(depth);
		if (sign === '"') return string();
		const literal = LITERALS[sign];
		if (literal && text.startsWith(literal[0], at)) { at += literal[0].length; return literal[1]; }
		const number = match(NUMBER);
		if (number) return Number(number);
		return fail(sign === undefined ? 'the text ends too early' : 'a value is expected');
	}

	space();
	const read = value(0);
	space();
	if (at < text.length) fail('nothing may come after the value');
	return read;
}

export const compose = (object) => `{${Object.entries(object).filter(([, value]) => value !== undefined)
	.map(([name, value]) => `${JSON.stringify(name)}:${value instanceof Raw ? value.text : JSON.stringify(value)}`).join(',')}}`;

/** The same value in lines, every token as it was. */
export function indent(text) {
	let out = '';
	let depth = 0;
	const line = () => `\n${'  '.repeat(depth)}`;
	const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
	tokens.forEach((token, index) => {
		const before = tokens[index - 1];
		if (token === '}' || token === ']') {
			depth -= 1;
			out += before === '{' || before === '[' ? token : line() + token;
		} else {
			if (before === '{' || before === '[') out += line();
			out += token;
			if (token === '{' || token === '[') depth += 1;
			else if (token === ',') out += line();
			else if (token === ':') out += ' ';
		}
	});
	return out;
}
