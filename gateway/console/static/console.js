// What pages can do with scripts on. Every page works without: this hides, leads away and helps, and shows nothing new.

document.documentElement.classList.add("app-js");

// Leaving: Escape three times within a second and a half; the link does the same. The way back does not lead here.
const LEAVE = "/console/leave";
const LEAVE_WITHIN_MS = 1500;
let escapes = [];
const leave = () => location.replace(LEAVE);

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const now = performance.now();
  escapes = [...escapes.filter((at) => now - at < LEAVE_WITHIN_MS), now];
  if (escapes.length >= 3) leave();
});

document.querySelector("[data-leave]")?.addEventListener("click", (event) => {
  event.preventDefault();
  document.body.hidden = true;
  leave();
});

// Blanking: after some time without anybody the page is covered; what was typed is still there for whoever comes back.
// Once the sign-in must have ended as well, the page itself goes.
const blankAfter = Number(document.body.dataset.blankSeconds) * 1000;
const goneAfter = Number(document.body.dataset.idleSeconds) * 1000;
let used = Date.now();
let cover = null;

function blank() {
  cover = document.createElement("div");
  cover.className = "app-blank";
  cover.setAttribute("role", "dialog");
  cover.setAttribute("aria-modal", "true");
  cover.setAttribute("aria-labelledby", "app-blank");
  const heading = document.createElement("h2");
  heading.id = "app-blank";
  heading.textContent = "This screen is hidden";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "nhsuk-button";
  button.textContent = "Show it again";
  const before = document.activeElement;
  button.addEventListener("click", () => {
    cover.remove();
    cover = null;
    document.body.classList.remove("app-blanked");
    for (const one of document.body.children) one.inert = false;
    used = Date.now();
    before?.focus?.();
  });
  cover.append(heading, button);
  for (const one of document.body.children) one.inert = true;
  document.body.append(cover);
  document.body.classList.add("app-blanked");
  button.focus();
}

if (blankAfter) {
  for (const kind of ["keydown", "pointerdown", "pointermove", "scroll", "touchstart"]) {
    addEventListener(kind, () => { if (!cover) used = Date.now(); }, { passive: true });
  }
  setInterval(() => {
    const idle = Date.now() - used;
    if (idle >= goneAfter) location.replace(`/console/locked?to=${encodeURIComponent(location.pathname)}`);
    else if (idle >= blankAfter && !cover) blank();
  }, 1000);
}

// A page that the browser kept is asked for again: the sign-in may have ended since.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// What is wrong is read out first.
document.querySelector(".nhsuk-error-summary")?.focus();

// What belongs to one answer of several is shown with it.
for (const input of document.querySelectorAll("[data-aria-controls]")) {
  const shown = document.getElementById(input.dataset.ariaControls);
  if (!shown) continue;
  input.setAttribute("aria-controls", shown.id);
  const sync = () => {
    shown.classList.toggle("nhsuk-radios__conditional--hidden", input.type === "radio" && !input.checked);
    shown.classList.toggle("nhsuk-checkboxes__conditional--hidden", input.type === "checkbox" && !input.checked);
    input.setAttribute("aria-expanded", String(input.checked));
  };
  for (const one of document.getElementsByName(input.name)) one.addEventListener("change", sync);
  sync();
}

// A form that is pressed twice in a moment is sent once.
const TWICE_WITHIN_MS = 2000;
addEventListener("submit", (event) => {
  const { dataset } = event.target;
  if (dataset.sent) event.preventDefault();
  else setTimeout(() => delete dataset.sent, TWICE_WITHIN_MS);
  dataset.sent = "yes";
});
