// Live pages: one event stream; pages ask for their changed part when something happened. No polling.
"use strict";

const QUIET = 1000; // ms between two refreshes: a farm has more news than a person can read

const line = document.getElementById("line");
let since = document.body.dataset.since; // where the event log was before this page was read: nothing is missed
let due = null;
let last = 0;

function refresh() {
  if (due || document.hidden) return;
  due = setTimeout(() => {
    due = null;
    last = Date.now();
    document.body.dispatchEvent(new Event("live"));
  }, Math.max(0, last + QUIET - Date.now()));
}

let stream = null;

function listen() {
  const { events, me } = document.body.dataset;
  const here = document.querySelector("#live");
  const all = Boolean(localStorage.getItem(`distren.notify.${me}`)); // notify.js wants to hear of other jobs, too
  if (!events || !(here || all) || (stream && stream.readyState !== EventSource.CLOSED)) return;
  const job = here && here.dataset.job;
  const wish = new URLSearchParams(job && !all ? { after: since, job } : { after: since });
  stream = new EventSource(`${events}?${wish}`);
  for (const kind of ["job", "frames", "slave", "reset"]) {
    stream.addEventListener(kind, (told) => {
      since = told.lastEventId;
      const detail = JSON.parse(told.data);
      if (here && (!job || kind === "reset" || detail.job === Number(job))) refresh();
      document.dispatchEvent(new CustomEvent("farm:told", { detail }));
    });
  }
  stream.onopen = () => {
    if (line && !line.hidden) refresh();
    if (line) line.hidden = true;
  };
  stream.onerror = () => {
    if (line) line.hidden = false;
    // The browser gives up for good after a refusal; a server that restarts refuses for a while.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }); // one for all: it is dear

function localTimes() {
  for (const time of document.querySelectorAll("time:not([data-local])")) {
    const at = new Date(time.dateTime);
    time.title = at.toString();
    time.textContent = local.format(at);
    time.dataset.local = "";
  }
}

// What a person had chosen, and the place of the keyboard, survive a refresh.
let chosen = [];
document.addEventListener("htmx:beforeSwap", () => {
  chosen = [...document.querySelectorAll("#live input:checked, [id^=at-] input:checked")].map((box) => box.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of chosen) {
    const box = document.getElementById(id);
    if (box) box.checked = true;
  }
  localTimes();
  newMap();
});

// A large job's map stays until its next picture is here: else it would flicker with each refresh.
function newMap() {
  const { picture } = document.getElementById("map-now")?.dataset ?? {};
  const shown = document.getElementById("map-picture");
  if (!picture || !shown || shown.getAttribute("src") === picture) return;
  const next = new Image();
  next.onload = () => shown.setAttribute("src", picture);
  next.src = picture;
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const sheet = document.getElementById("keys");
  if (event.key === "?" && sheet) return sheet.open ? sheet.close() : sheet.showModal();
  const meant = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!meant) return;
  event.preventDefault(); // else the key that leads to a field would be written into it
  if (meant.matches("input")) meant.focus();
  else meant.click();
});

localTimes();
listen();
