// The worklist renews itself: told that something changed, it asks for the rows that are new to it, and puts them in
// their places. What it holds already is not sent again. Without scripts the page is loaded again by hand.

const rows = () => document.getElementById("rows");
const line = document.getElementById("live");
const words = document.getElementById("live-words");
const clock = () => new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/London" });
const GONE_AFTER_MS = 8000;

function say(text, live) {
  line.hidden = false;
  line.dataset.live = live ? "on" : "off";
  if (words.textContent !== text) words.textContent = text;
}

let asking = false;
let again = false;

async function renew() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    do {
      again = false;
      await ask();
    } while (again);
  } catch {
    say("The list could not be renewed. It will be tried again.", false);
  } finally {
    asking = false;
  }
}

async function ask() {
  const held = new Map([...rows().querySelectorAll("tr[data-id]")].map((row) => [row.dataset.id, row]));
  const known = [...held.values()].map((row) => `${row.dataset.id}.${row.dataset.version}`).join("_");
  const address = new URL(rows().dataset.rows, location.href);
  address.searchParams.set("known", known);
  const answer = await fetch(address, { redirect: "manual", credentials: "same-origin", cache: "no-store" });
  if (answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 404) {
    location.reload(); // signed out, or no longer theirs: the page says so
    return;
  }
  if (!answer.ok) throw new Error(String(answer.status));
  const part = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = part.getElementById("rows");
  const given = new Map([...found.querySelectorAll("tr[data-id]")].map((row) => [row.dataset.id, row]));
  const order = found.dataset.order ? found.dataset.order.split(" ") : [];
  const focused = document.activeElement;
  const place = focused?.closest?.("tr[data-id]")?.dataset.id;
  let fresh = 0;
  const next = order.map((id) => {
    const row = given.get(id) ?? held.get(id);
    if (row && given.has(id)) {
      row.classList.add("app-new");
      setTimeout(() => row.classList.remove("app-new"), GONE_AFTER_MS);
      if (!held.has(id)) fresh += 1;
    }
    return row;
  });
  if (next.includes(undefined)) {
    location.reload(); // a row that was held has gone from the page meanwhile
    return;
  }
  const same = next.length === held.size && next.every((row, at) => row === rows().children[at]);
  if (!same) {
    rows().replaceChildren(...next);
    document.getElementById("list").hidden = next.length === 0;
    document.getElementById("empty").hidden = next.length > 0;
    if (place) (focused.isConnected ? focused : rows().querySelector(`tr[data-id="${place}"] a`))?.focus();
    say(fresh === 0 ? `Changed at ${clock()}` : `${fresh} new at ${clock()}`, true);
  }
  for (const one of part.querySelectorAll("[data-kept]")) {
    const shown = document.querySelector(`[data-kept="${one.dataset.kept}"]`);
    if (shown && shown.innerHTML !== one.innerHTML) shown.replaceChildren(...one.childNodes);
  }
  moves(found.dataset.movesIn);
  due();
}

// A shift ends and a clock runs out though nothing has happened: the page is then told by the clock.
const DAY_SECONDS = 86400;
let moving;

function moves(seconds) {
  clearTimeout(moving);
  if (seconds) moving = setTimeout(renew, Math.min(Number(seconds), DAY_SECONDS) * 1000);
}

// How a clock stands, in the words of the page itself.
const UNITS = [[60, 1, "second"], [3600, 60, "minute"], [172800, 3600, "hour"], [1814400, 86400, "day"], [7776000, 604800, "week"]];

function span(seconds) {
  if (seconds < 60) return "less than a minute";
  const [, size, unit] = UNITS.find(([below]) => seconds < below) ?? [0, 2630016, "month"];
  const number = Math.floor(seconds / size);
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}

const SOON_SECONDS = 4 * 3600;

function due() {
  for (const one of document.querySelectorAll("[data-due]")) {
    const seconds = (new Date(one.dataset.due) - Date.now()) / 1000;
    const late = seconds <= 0;
    one.textContent = late ? `Overdue by ${span(-seconds)}` : `Due in ${span(seconds)}`;
    one.className = late ? "app-late" : seconds < SOON_SECONDS ? "app-soon" : "";
  }
}

setInterval(due, 15000);
moves(rows().dataset.movesIn);

const events = new EventSource(rows().dataset.events);
events.addEventListener("watching", () => {
  say(`Live since ${clock()}`, true);
  renew();
});
events.addEventListener("changed", renew);
events.addEventListener("error", () => say("Not live at the moment: trying again. Load the page to see what is new.", false));
