// Shows another layer, or the same one brighter, as soon as it is chosen.
"use strict";

const form = document.querySelector("#viewer form");
const view = document.querySelector("#viewer img");
const stops = form.querySelector("output");
let asked = null;

form.addEventListener("input", () => {
  stops.textContent = form.exposure.value;
  clearTimeout(asked);
  asked = setTimeout(() => {
    view.src = `${form.action}?${new URLSearchParams(new FormData(form))}`;
  }, 80);
});
form.addEventListener("submit", (event) => event.preventDefault());
