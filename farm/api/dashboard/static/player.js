// Plays a job's pictures as they come. The pictures ahead are fetched and decoded before they are shown.
"use strict";

const AHEAD = 24; // pictures fetched before they are due
const KEPT = 400; // decoded pictures that stay in memory: about 90 MB at 320 pixels

const player = document.getElementById("player");
const part = (name) => player.querySelector(`[data-do="${name}"]`);
const canvas = player.querySelector("canvas");
const pen = canvas && canvas.getContext("2d");
const reel = new Map(); // frame → promise of its picture
let frames = [];
let at = 0;
let timer = null;

function spread(text) {
  const found = [];
  for (const piece of text.split(",").filter(Boolean)) {
    const [, first, last, step] = piece.match(/^(\d+)(?:-(\d+))?(?:x(\d+))?$/);
    for (let n = +first; n <= +(last || first); n += +(step || 1)) found.push(n);
  }
  return found;
}

function picture(frame) {
  if (!reel.has(frame)) {
    const image = new Image();
    image.src = `${player.dataset.pictures}${frame}/thumbnail`;
    reel.set(frame, image.decode().then(() => image).catch(() => null));
    if (reel.size > KEPT) reel.delete(reel.keys().next().value);
  }
  return reel.get(frame);
}

async function show(place) {
  at = Math.max(0, Math.min(place, frames.length - 1));
  const frame = frames[at];
  for (let n = 1; n <= AHEAD; n++) if (at + n < frames.length) picture(frames[at + n]);
  part("seek").value = at;
  part("open").href = player.dataset.frame + frame;
  part("open").querySelector("output").textContent = frame;
  const image = await picture(frame);
  if (frame !== frames[at]) return; // another one is due by now
  part("said").textContent = image ? "" : `The picture of frame ${frame} can't be fetched.`;
  if (!image) return;
  if (canvas.width !== image.naturalWidth || canvas.height !== image.naturalHeight) {
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
  }
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0);
}

function stop() {
  clearTimeout(timer);
  timer = null;
  part("play").textContent = "Play";
  part("play").setAttribute("aria-pressed", "false");
}

function play() {
  part("play").textContent = "Stop";
  part("play").setAttribute("aria-pressed", "true");
  if (at === frames.length - 1) at = -1;
  let due = performance.now();
  const step = async () => {
    const end = at >= frames.length - 1;
    if (end && !part("loop").checked) return stop();
    await show(end ? 0 : at + 1);
    if (!timer) return;
    // The next one is due by the clock, not after this one: a slow picture is caught up with.
    due = Math.max(due + 1000 / part("rate").value, performance.now() - 200);
    timer = setTimeout(step, Math.max(0, due - performance.now()));
  };
  timer = setTimeout(step, 0);
}

const moves = {
  back: () => (stop(), show(at - 1)),
  on: () => (stop(), show(at + 1)),
  play: () => (timer ? stop() : play()),
};

function heard() {
  const news = document.getElementById("reel");
  if (!news) return;
  const first = frames.length === 0;
  const here = frames[at];
  frames = spread(news.dataset.frames);
  part("seek").max = Math.max(0, frames.length - 1);
  at = first ? 0 : Math.max(0, frames.indexOf(here));
  part("seek").value = at;
  if (first && frames.length) show(0);
}

if (canvas) {
  for (const [name, move] of Object.entries(moves)) part(name).addEventListener("click", move);
  part("seek").addEventListener("input", (event) => (stop(), show(+event.target.value)));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("select, button, input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowLeft: moves.back, ArrowRight: moves.on, " ": moves.play }[event.key];
    if (move) {
      event.preventDefault();
      move();
    }
  });
  document.addEventListener("htmx:afterSwap", heard);
  heard();
}
