// A rendering frame's log as it grows. Where the page is refreshed in place, it stays: it is outside of what is swapped.
"use strict";

(() => {
  const MOST = 64 * 1024; // characters that stay: the whole is there when the frame has ended
  const here = document.getElementById("saying");
  const text = here.querySelector("pre");
  const heard = {}; // bytes by attempt: what is told twice is shown once
  const bytes = new TextEncoder();
  const stream = new EventSource(here.dataset.tail);
  stream.addEventListener("log", (told) => {
    const said = JSON.parse(told.data);
    const end = said.at + bytes.encode(said.text).length;
    if (end <= (heard[said.attempt] ?? 0)) return;
    heard[said.attempt] = end;
    const below = text.scrollHeight - text.scrollTop - text.clientHeight < 20;
    text.textContent = (text.textContent + said.text).slice(-MOST);
    here.hidden = false;
    if (below) text.scrollTop = text.scrollHeight; // who scrolled up to read is left alone
  });
  stream.addEventListener("end", () => stream.close());
})();
