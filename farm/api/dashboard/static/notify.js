// Tells of one's own jobs and slaves by the browser, while a page of the dashboard is open in it.
// What a person wants to hear of is kept in this browser, for each user apart. Asking for permission needs a click.
"use strict";

(() => {
  const { me, root } = document.body.dataset;
  const key = `distren.notify.${me}`;
  const form = document.getElementById("browser-notices");
  const words = { done: "is done", failed: "has failed", paused: "waits for you" };

  const wanted = () => (localStorage.getItem(key) || "").split(",").filter(Boolean);
  const can = () => "Notification" in window && window.isSecureContext;
  const may = () => can() && Notification.permission === "granted";

  function say(title, path, tag) {
    // One tag, one notification: several open pages say it once.
    const shown = new Notification(title, { tag, icon: `${root}/static/icon.svg` });
    shown.onclick = () => {
      window.focus();
      location.assign(root + path);
    };
  }

  async function asked(path) {
    const answer = await fetch(`${root}/api/${path}`, { headers: { accept: "application/json" } });
    return answer.ok ? answer.json() : null;
  }

  async function ofJob(number, state) {
    const about = state === "paused" ? "attention" : state;
    if (!(state in words) || !wanted().includes(about)) return;
    const job = await asked(`jobs/${number}`);
    // Who paused a job knows it; by then it may be in another state, too.
    if (!job || job.owner !== me || job.state !== state || job.pause_reason === "user") return;
    say(`Job ${number} “${job.name}” ${words[state]}`, `/jobs/${number}`, `${key}.${number}.${state}`);
  }

  async function ofSlave(name, state) {
    if (state !== "offline" || !wanted().includes("slave")) return;
    const slave = ((await asked("slaves")) || []).find((one) => one.name === name);
    if (slave && slave.owner === me && slave.state === state) say(`Slave ${name} is gone`, `/slaves/${name}`, `${key}.${name}`);
  }

  document.addEventListener("farm:told", ({ detail }) => {
    if (!may()) return;
    if (detail.kind === "job") ofJob(detail.job, detail.data.state);
    if (detail.kind === "slave") ofSlave(detail.slave, detail.data.state);
  });

  if (!form) return;
  const said = form.querySelector("output");
  const boxes = [...form.querySelectorAll("input")];

  function show() {
    const chosen = wanted();
    for (const box of boxes) box.checked = chosen.length ? chosen.includes(box.value) : box.value !== "done";
    form.querySelector("[data-do=test]").disabled = !may();
    form.querySelector("[data-do=stop]").disabled = !chosen.length;
    if (!can()) said.textContent = "This browser shows none here: it wants HTTPS, or this very machine.";
    else if (Notification.permission === "denied") said.textContent = "This browser was told to show none; its settings for this site change that.";
    else said.textContent = chosen.length && may() ? "On, in this browser." : "Off, in this browser.";
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!can()) return;
    await Notification.requestPermission();
    if (may()) localStorage.setItem(key, boxes.filter((box) => box.checked).map((box) => box.value).join(","));
    show();
    listen();
  });
  form.querySelector("[data-do=test]").addEventListener("click", () => say("This is how it will look", "/me", `${key}.test`));
  form.querySelector("[data-do=stop]").addEventListener("click", () => {
    localStorage.removeItem(key);
    show();
  });
  form.hidden = false;
  show();
})();
