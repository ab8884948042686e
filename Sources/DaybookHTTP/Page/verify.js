/**
 * Proves in the browser that an entry is in the log: its leaf from its exact bytes, the way up the Merkle tree
 * (RFC 6962, section 2.1), and the signed checkpoint (C2SP signed-note, Ed25519) at the top.
 */

import { get, getBytes, getPlain, getText, memory } from './api.js';

const encoder = new TextEncoder();

const bytesOf = (base64) => Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
const isEqual = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

async function sha256(...parts) {
	const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) { all.set(part, at); at += part.length; }
	return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

const leafHash = (entry) => sha256(LEAF, entry);

/** The root that leaf and proof lead to (RFC 9162, section 2.1.3.2); `null` if the proof has a wrong length. */
async function rootOf(leaf, index, size, hashes) {
	let [node, last, root] = [BigInt(index), BigInt(size) - 1n, leaf];
	for (const hash of hashes) {
		if (last === 0n) return null;
		if (node & 1n || node === last) {
			root = await sha256(NODE, hash, root);
			while (!(node & 1n) && node !== 0n) { node >>= 1n; last >>= 1n; }
		} else root = await sha256(NODE, root, hash);
		node >>= 1n;
		last >>= 1n;
	}
	return last === 0n ? root : null;
}

/** A verifier key: `<name>+<key id>+<base64 of 0x01 ‖ key>`. */
async function readVerifier(text) {
	const [, name, id, base64] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
	if (!name) throw new Error('the public key has not the form of a verifier key');
	const key = bytesOf(base64);
	const digest = await sha256(encoder.encode(`${name}\n`), key);
	if (key.length !== 33 || key[0] !== 1 || hexOf(digest.slice(0, 4)) !== id) throw new Error('the public key does not fit its id');
	return { name, id: digest.slice(0, 4), key: key.slice(1) };
}

async function readCheckpoint(note, verifierText) {
	const verifier = await readVerifier(verifierText);
	const end = note.lastIndexOf('\n\n');
	const text = note.slice(0, end + 1);
	const [origin, size, root] = text.split('\n');
	const key = await crypto.subtle.importKey('raw', verifier.key, { name: 'Ed25519' }, false, ['verify']);
	for (const line of note.slice(end + 2).split('\n')) {
		const [, name, base64] = /^— (\S+) (\S+)$/.exec(line) ?? [];
		if (name !== verifier.name) continue;
		const signature = bytesOf(base64);
		if (!isEqual(signature.slice(0, 4), verifier.id)) continue;
		const holds = await crypto.subtle.verify({ name: 'Ed25519' }, key, signature.slice(4), encoder.encode(text));
		if (!holds) throw new Error('the signature of the checkpoint does not hold');
		if (origin !== verifier.name) throw new Error('the checkpoint is of another log');
		return { origin, size: Number(size), root: bytesOf(root) };
	}
	throw new Error('the checkpoint is not signed with this key');
}

/** The key that this browser saw first for a log; another one later is a warning. */
function pinned(verifier) {
	const place = `daybook-key-${verifier.split('+')[0]}`;
	const seen = memory((has) => has.getItem(place)) ?? null;
	if (seen === null) memory((has) => has.setItem(place, verifier));
	return seen === null ? 'first' : seen === verifier ? 'same' : 'other';
}

/** Where the bytes have the digest of a payload: SHA-256 of salt and bytes. */
async function payloadIsProved(entry, payload) {
	const digest = await sha256(bytesOf(payload.salt), bytesOf(payload.base64));
	for (let at = 0; at + 32 <= entry.length; at += 1) {
		if (entry[at] === digest[0] && isEqual(entry.subarray(at, at + 32), digest)) return true;
	}
	return false;
}

/**
 * Verifies one entry step by step; `step` is told each that holds.
 */
export async function verifyEntry(position, step) {
	if (!crypto.subtle) throw new Error('the browser computes nothing for pages without HTTPS (or localhost)');
	const [entry, proof, verifier, shown] = await Promise.all([
		getBytes(`/log/${position}`), get(`/log/${position}/proof`), getText('/log/public-key'),
		getPlain(`/log/${position}`, { payloads: true })]);
	const leaf = await leafHash(entry);
	if (!isEqual(leaf, bytesOf(proof.leaf_hash))) throw new Error('the bytes of the entry are not those that the proof is of');
	step(`The leaf hash of the entry's ${entry.length} bytes is ${hexOf(leaf)}.`);
	const checkpoint = await readCheckpoint(proof.checkpoint, verifier);
	step(`The checkpoint of ${checkpoint.origin} at size ${checkpoint.size} carries a valid Ed25519 signature.`);
	if (checkpoint.size !== proof.tree_size) throw new Error('the proof is of another size than the checkpoint');
	const root = await rootOf(leaf, position - 1, checkpoint.size, proof.hashes.map(bytesOf));
	if (!root || !isEqual(root, checkpoint.root)) throw new Error('the proof does not lead to the signed root');
	step(`${proof.hashes.length} hashes lead from the leaf to the signed root ${hexOf(root)}.`);
	for (const payload of shown.payloads.filter((one) => !one.erased)) {
		if (!(await payloadIsProved(entry, payload))) throw new Error('a payload is not the one that the entry has the digest of');
		step(`The payload of event ${payload.event_index + 1} is the one whose digest stands in these bytes.`);
	}
	return { trust: pinned(verifier.trim()), verifier: verifier.trim() };
}
