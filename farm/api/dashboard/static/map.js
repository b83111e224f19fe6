// A row of a large frame map is one link; the pointer makes it the link of the cell below it.
"use strict";

const STEP = 10; // units of the drawing from cell to cell

function aim(event) {
  const row = event.target.closest(".map a[data-cells]");
  if (!row) return;
  const map = row.ownerSVGElement;
  const box = map.getBoundingClientRect();
  const place = Math.floor(((event.clientX - box.left) / box.width) * (map.viewBox.baseVal.width / STEP));
  const cell = row.dataset.cells.split(" ")[place];
  if (!cell) return;
  const [first, last] = cell.split("-");
  row.dataset.whole ??= row.getAttribute("href");
  row.dataset.words ??= row.querySelector("title").textContent;
  row.setAttribute("href", `${map.dataset.job}${last ? "?first=" : "/"}${first}`);
  const state = event.target.getAttribute("class");
  if (state) row.querySelector("title").textContent = `${cell.replace("-", "–")}: ${state.slice(2)}`;
}

// Who comes by keyboard gets the row again.
function leave(event) {
  const row = event.target.closest(".map a[data-whole]");
  if (!row || row.contains(event.relatedTarget)) return;
  row.setAttribute("href", row.dataset.whole);
  row.querySelector("title").textContent = row.dataset.words;
}

document.addEventListener("pointermove", aim);
document.addEventListener("pointerdown", aim);
document.addEventListener("pointerout", leave);
