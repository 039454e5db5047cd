"use strict";
// The queue: keys that choose rows and press the page's own buttons, and live counts.
// Everything here is also a link, a box or a button: without JavaScript nothing is missing.
(() => {
  const EVERY = 15000;
  const PRESENT = 300000; // whoever did nothing for so long is away: a session's idle time must run out
  const boxes = () => Array.from(document.querySelectorAll("tbody input[type=checkbox]"));
  const row = () => document.querySelector("tbody tr[data-current]");
  const box = () => row()?.querySelector("input[type=checkbox]") ?? null;
  const form = document.querySelector("#chosen");
  let anchor = null;

  const choose = () => {
    const mine = box();
    if (!mine) return;
    mine.checked = !mine.checked;
    anchor = mine;
  };
  const chooseRange = () => {
    const all = boxes();
    const [from, to] = [all.indexOf(anchor), all.indexOf(box())].sort((a, b) => a - b);
    if (to < 0) return;
    all.slice(Math.max(from, 0), to + 1).forEach((each) => (each.checked = true));
  };
  const chosenOrCurrent = () => {
    const mine = box();
    if (mine && !boxes().some((each) => each.checked)) mine.checked = true;
    return boxes().some((each) => each.checked);
  };
  const press = (verb) => () => {
    if (form && chosenOrCurrent()) form.querySelector(`button[value=${verb}]`).click();
  };
  const fill = (name) => () => {
    if (form && chosenOrCurrent()) form.elements[name].focus();
  };
  const open = (part) => () => {
    const link = row()?.querySelector("a[href^='/alerts/']");
    if (!link) return;
    link.hash = part;
    link.click();
  };
  window.secopsKeys({
    x: choose,
    X: chooseRange,
    a: press("take"),
    i: fill("to"),
    c: fill("reason"),
    m: open("incident"),
    p: open("incident"), // playbooks run on incidents: that page has their forms
    n: () => document.querySelector("main a[rel=next]")?.click(),
    Escape: () => boxes().forEach((each) => (each.checked = false)),
  });
  // Enter in a field presses the button beside it, not the form's first one
  form?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.target.tagName !== "INPUT") return;
    const verb = { to: "assign", reason: "close" }[event.target.name];
    if (!verb) return;
    event.preventDefault();
    form.querySelector(`button[value=${verb}]`).click();
  });

  // counts, never rows: nothing moves under the reader's hand
  const news = document.querySelector("#news");
  const numbers = new Intl.NumberFormat("en");
  let active = Date.now();
  for (const sign of ["keydown", "pointermove", "pointerdown", "scroll"])
    addEventListener(sign, () => (active = Date.now()), { passive: true });
  const look = async () => {
    if (document.visibilityState !== "visible" || Date.now() - active > PRESENT) return;
    try {
      const answer = await fetch(news.dataset.href, { headers: { accept: "application/json" } });
      if (!answer.ok) return;
      const said = await answer.json();
      const total = `${numbers.format(said.total)}${said.least ? "+" : ""} ${news.dataset.total}`;
      const changed = `${numbers.format(said.changed)} ${news.dataset.changed}`;
      const text = said.changed > 0 ? `${total} · ${changed}` : total;
      if (news.textContent !== text) news.textContent = text; // a live region speaks of changes only
    } catch {
      // not reachable: the link to reload says more than we could
    }
  };
  if (news) setInterval(look, EVERY);
})();
