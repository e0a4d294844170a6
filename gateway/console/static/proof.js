// The check of a log in the auditor's own browser: nothing here believes the server but for what is signed with the key
// that the auditor pinned. What is read is what the page shows: the checkpoint, the proof, and the entry's own bytes.
//
// Source: C2SP signed-note, tlog-checkpoint and tlog-proof; RFC 9162 sections 2.1.3.2 and 2.1.4.2; RFC 8032 by WebCrypto.
// What is kept in this browser: the key, and the last checkpoint it checked. Neither is about a person.

class Refused extends Error {}
class CannotCheck extends Error {}

const HASH_BYTES = 32;
const KEY_ID_BYTES = 4;
const ED25519 = 1; // signed-note "Signature types"
const HEADER = "c2sp.org/tlog-proof@v1";
const DASH = "\u2014 ";

const encoder = new TextEncoder();
const joined = (...parts) => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};
const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const leafHash = (bytes) => sha256(joined(Uint8Array.of(0), bytes));
const nodeHash = (left, right) => sha256(joined(Uint8Array.of(1), left, right));

function base64(text) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  } catch {
    throw new Refused("something that should be Base64 is not");
  }
  if (btoa(String.fromCharCode(...bytes)) !== text) throw new Refused("something that should be Base64 is not");
  return bytes;
}

function hash(text) {
  const bytes = base64(text);
  if (bytes.length !== HASH_BYTES) throw new Refused("a hash has the wrong length");
  return bytes;
}

function whole(text) {
  if (!/^(0|[1-9][0-9]{0,14})$/.test(text)) throw new Refused("a number cannot be read");
  return BigInt(text);
}

/** A verifier key, `name+id+key`: its id must be of its name and key. */
async function readKey(text) {
  const parts = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text);
  if (!parts) throw new Refused("this is not a verifier key: it is one line, a name, an id and a key with + between");
  const [, name, id, material] = parts;
  const raw = base64(material);
  if (raw.length !== 1 + HASH_BYTES || raw[0] !== ED25519) throw new Refused("this is not an Ed25519 key of a log");
  const found = (await sha256(joined(encoder.encode(`${name}\n`), raw))).slice(0, KEY_ID_BYTES);
  const hex = [...found].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== id) throw new Refused("the key's id is not that of its name and key: something was left out or changed");
  return { text, name, id: found, raw: raw.slice(1) };
}

async function verifies(key, signature, bytes) {
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    throw new CannotCheck("this browser cannot check Ed25519 signatures");
  }
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, bytes);
}

/** A checkpoint of the log whose key this is: its size and root, once its signature is found good. */
async function openCheckpoint(note, key) {
  const at = note.lastIndexOf("\n\n");
  if (at < 0 || !note.endsWith("\n")) throw new Refused("the checkpoint is not a signed note");
  const text = note.slice(0, at + 1);
  let signed = false;
  for (const line of note.slice(at + 2, -1).split("\n")) {
    const [name, material] = line.startsWith(DASH) ? line.slice(DASH.length).split(" ") : [];
    if (name !== key.name || !material) continue;
    const raw = base64(material);
    if (!same(raw.slice(0, KEY_ID_BYTES), key.id)) continue;
    if (!(await verifies(key, raw.slice(KEY_ID_BYTES), encoder.encode(text)))) {
      throw new Refused("the signature on the checkpoint is wrong");
    }
    signed = true;
  }
  if (!signed) throw new Refused("the checkpoint is not signed with the key you pinned");
  const [origin, size, root, ...rest] = text.split("\n");
  if (rest.length < 1 || rest.at(-1) !== "") throw new Refused("the checkpoint cannot be read");
  if (origin !== key.name) throw new Refused("the checkpoint is of another log");
  return { note, size: whole(size), root: hash(root) };
}

function readProof(text) {
  const at = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(at, 0)).split("\n");
  if (at < 0 || lines[0] !== HEADER || !lines[1]?.startsWith("extra ") || !lines[2]?.startsWith("index ")) {
    throw new Refused("the proof cannot be read");
  }
  return {
    leaf: hash(lines[1].slice("extra ".length)),
    index: whole(lines[2].slice("index ".length)),
    path: lines.slice(3).map(hash),
    note: text.slice(at + 2),
  };
}

/** From a node up to the root: the roots of the tree that ends at the node, and of the whole. */
async function climb(node, last, steps) {
  let old = steps[0];
  let now = steps[0];
  for (const sibling of steps.slice(1)) {
    if (last === 0n) throw new Refused("the proof is too long");
    if (node & 1n || node === last) {
      old = await nodeHash(sibling, old);
      now = await nodeHash(sibling, now);
      while (!(node & 1n) && node) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      now = await nodeHash(now, sibling);
    }
    node >>= 1n;
    last >>= 1n;
  }
  if (last) throw new Refused("the proof is too short");
  return [old, now];
}

async function checkInclusion(index, checkpoint, leaf, path) {
  if (index >= checkpoint.size) throw new Refused("the entry is outside the log that the checkpoint is of");
  const [, root] = await climb(index, checkpoint.size - 1n, [leaf, ...path]);
  if (!same(root, checkpoint.root)) throw new Refused("the proof does not lead to the checkpoint");
}

async function checkConsistency(first, second, path) {
  if (first.size === second.size) {
    if (!same(first.root, second.root)) throw new Refused("two logs of one size with different entries");
    return;
  }
  const steps = [...path];
  if (!(first.size & (first.size - 1n))) steps.unshift(first.root);
  if (!steps.length) throw new Refused("the proof is too short");
  let node = first.size - 1n;
  let last = second.size - 1n;
  while (node & 1n) {
    node >>= 1n;
    last >>= 1n;
  }
  const [old, now] = await climb(node, last, steps);
  if (!same(old, first.root) || !same(now, second.root)) {
    throw new Refused("the log that this browser saw before is not the beginning of this one");
  }
}

// The page

const panel = document.getElementById("own-check");
const verdict = document.getElementById("own-verdict");
const list = document.getElementById("own-steps");
const form = document.getElementById("own-pin");
const box = document.getElementById("own-key");
const wrong = document.getElementById("own-key-wrong");
const pinned = document.getElementById("own-pinned");
const place = (what) => `provide-gateway.${what}.${panel.dataset.origin}`;
const shown = (id) => document.getElementById(id)?.textContent;

function say(state, title, words) {
  panel.dataset.state = state;
  const heading = document.createElement("strong");
  heading.textContent = title;
  const text = document.createElement("span");
  text.textContent = words;
  verdict.replaceChildren(heading, " ", text);
  verdict.hidden = false;
}

function step(state, words) {
  const item = document.createElement("li");
  const mark = document.createElement("strong");
  mark.textContent = { good: "Checked: ", bad: "REFUSED: ", left: "Not checked: " }[state];
  item.dataset.state = state;
  item.append(mark, words);
  list.append(item);
}

/** The steps in their order; the first that is refused ends it, for nothing after it could be relied on. */
async function check(key) {
  list.replaceChildren();
  const named = panel.dataset.key === key.text;
  if (named) step("good", "the key you pinned is the key that the server names.");
  else step("bad", "the key that the server names is not the key you pinned.");
  try {
    const text = shown("own-proof");
    const proof = text === undefined ? null : readProof(text);
    const checkpoint = await openCheckpoint(proof ? proof.note : shown("own-checkpoint"), key);
    step("good", `the checkpoint over ${checkpoint.size} entries is signed with the key you pinned.`);
    if (proof) {
      if (proof.index !== BigInt(panel.dataset.index)) throw new Refused("the proof is of another entry of the log");
      if (!same(await leafHash(encoder.encode(shown("own-entry"))), proof.leaf)) {
        throw new Refused("the entry on this page is not the one that the proof is of");
      }
      step("good", "the entry on this page is the one that the proof is of.");
      await checkInclusion(proof.index, checkpoint, proof.leaf, proof.path);
      step("good", "the proof leads from the entry to the checkpoint.");
    }
    await checkGrowth(checkpoint, key);
    if (!named) throw new Refused("the server names another key than the one you pinned");
    localStorage.setItem(place("seen"), newer(checkpoint));
  } catch (fault) {
    refuse(fault);
    return;
  }
  say("good", "Your browser has checked it.", panel.dataset.good);
}

function refuse(fault) {
  if (fault instanceof CannotCheck) {
    step("left", `${fault.message}.`);
    say("left", "Your browser cannot check this.", panel.dataset.cannot);
    return;
  }
  const why = fault instanceof Refused ? fault.message : "the check itself failed";
  step("bad", `${why}.`);
  say("bad", "Do not rely on this page.", `Your browser refuses it: ${why}. ${panel.dataset.bad}`);
}

/** Whatever this browser saw of the log must still be in it, whichever of the two is longer. */
async function checkGrowth(checkpoint, key) {
  const kept = localStorage.getItem(place("seen"));
  if (!kept) {
    step("left", "this browser has not seen the log before. It remembers this checkpoint from now on.");
    return;
  }
  const seen = await openCheckpoint(kept, key);
  const [first, second] = seen.size <= checkpoint.size ? [seen, checkpoint] : [checkpoint, seen];
  const path = first.size === second.size ? [] : await askConsistency(first.size, second.size);
  await checkConsistency(first, second, path);
  step("good", `all ${seen.size} entries that this browser saw before are still in the log, unchanged.`);
}

async function askConsistency(first, second) {
  const answer = await fetch(`${panel.dataset.consistency}?first=${first}&second=${second}`, {
    headers: { Accept: "application/json" },
    redirect: "error",
  });
  if (!answer.ok) throw new Refused(`the server does not show that the log of ${first} entries is in that of ${second}`);
  const { hashes } = await answer.json();
  if (!Array.isArray(hashes)) throw new Refused("the proof cannot be read");
  return hashes.map((one) => hash(String(one)));
}

/** The longer of what is shown and what was kept: another page may have seen more meanwhile. */
function newer(checkpoint) {
  const kept = localStorage.getItem(place("seen"));
  return kept && whole(kept.split("\n")[1]) > checkpoint.size ? kept : checkpoint.note;
}

async function begin() {
  const text = localStorage.getItem(place("key"));
  form.hidden = text !== null;
  pinned.hidden = text === null;
  verdict.hidden = true;
  if (text === null) {
    panel.dataset.state = "left";
    list.replaceChildren();
    return;
  }
  pinned.querySelector("[data-key-text]").textContent = text;
  if (!globalThis.crypto?.subtle) {
    refuse(new CannotCheck("this page did not come over a secure connection, and the browser checks nothing"));
    return;
  }
  try {
    await check(await readKey(text));
  } catch (fault) {
    refuse(fault);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  wrong.hidden = true;
  box.removeAttribute("aria-describedby");
  try {
    const key = await readKey(box.value.trim());
    localStorage.setItem(place("key"), key.text);
    localStorage.removeItem(place("seen"));
  } catch (fault) {
    wrong.textContent = fault.message;
    wrong.hidden = false;
    box.setAttribute("aria-describedby", "own-key-hint own-key-wrong");
    box.focus();
    return;
  }
  await begin();
  verdict.focus();
});

pinned.querySelector("button").addEventListener("click", async () => {
  localStorage.removeItem(place("key"));
  localStorage.removeItem(place("seen"));
  await begin();
  box.focus();
});

document.getElementById("own-part").hidden = false;
begin();
