// Two pictures over each other with an edge between them, or side by side.
"use strict";

const both = document.getElementById("compared");
const edge = document.querySelector("#edge input");
const ways = document.getElementById("ways");

function wiped() {
  return both.classList.contains("wipe");
}

function draw() {
  const [under, over] = both.children;
  over.style.clipPath = wiped() ? `inset(0 0 0 ${edge.value}%)` : "";
  under.style.clipPath = wiped() ? `inset(0 ${100 - edge.value}% 0 0)` : "";
}

function choose(way) {
  if (way === "swap") both.append(both.firstElementChild);
  else {
    both.classList.toggle("wipe", way === "wipe");
    document.getElementById("edge").hidden = way !== "wipe";
    for (const button of ways.querySelectorAll("[aria-pressed]")) {
      button.setAttribute("aria-pressed", String(button.dataset.way === way));
    }
  }
  draw();
}

ways.hidden = document.getElementById("how").hidden = false;
ways.addEventListener("click", (event) => {
  if (event.target.dataset.way) choose(event.target.dataset.way);
});
edge.addEventListener("input", draw);
both.addEventListener("pointermove", (event) => {
  if (!wiped() || (event.pointerType === "mouse" && !event.buttons)) return;
  const box = both.getBoundingClientRect();
  edge.value = (100 * (event.clientX - box.left)) / box.width;
  draw();
});
document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
  if (!wiped() || !step || event.target.closest("input, select")) return;
  event.preventDefault();
  edge.value = +edge.value + step;
  draw();
});
