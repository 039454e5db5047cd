"use strict";
// Single keys: j/k move through a table's rows, Enter opens, / searches, g goes, ? lists them.
// Off inside inputs, in dialogs, with Ctrl, Alt or Meta, while an input method composes, and
// wherever the reader switched them off (WCAG 2.1.4).
(() => {
  const SWITCH = "secops.keys";
  const places = { a: "/alerts", i: "/incidents", p: "/runs" };
  let going = false;
  const isOn = () => {
    try {
      return localStorage.getItem(SWITCH) !== "off";
    } catch {
      return true; // no storage: nothing can have been switched off
    }
  };
  const typing = (target) =>
    target.closest("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]") !== null;
  const rows = () => Array.from(document.querySelectorAll("main table tbody tr"));
  const move = (step) => {
    const all = rows();
    if (all.length === 0) return;
    const now = all.findIndex((row) => row.hasAttribute("data-current"));
    const next = Math.min(all.length - 1, Math.max(0, now + step));
    all.forEach((row) => row.removeAttribute("data-current"));
    all[next].setAttribute("data-current", "");
    const link = all[next].querySelector("a");
    if (link) link.focus();
    else all[next].scrollIntoView({ block: "nearest" });
  };
  const dialog = document.querySelector("#keys");
  const acts = {
    j: () => move(1),
    k: () => move(-1),
    "/": () => document.querySelector("main input[type=search]")?.focus(),
    "?": () => dialog?.showModal?.(),
    g: () => {
      going = true;
      setTimeout(() => (going = false), 1500);
    },
  };
  const go = (key) => {
    going = false;
    const place = places[key];
    const link = place && document.querySelector(`nav.side a[href="${place}"]`);
    if (link) link.click(); // only where the reader may go
    return Boolean(link);
  };
  window.secopsKeys = (more) => Object.assign(acts, more);
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.altKey || event.metaKey || !isOn() || typing(event.target)) return;
    if (going && go(event.key)) {
      event.preventDefault();
      return;
    }
    const act = Object.hasOwn(acts, event.key) ? acts[event.key] : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  });
  const box = document.querySelector("#keys-on");
  if (box) {
    box.checked = isOn();
    box.addEventListener("change", () => {
      try {
        localStorage.setItem(SWITCH, box.checked ? "on" : "off");
      } catch {
        box.checked = true; // it can't be kept
      }
    });
  }
  const opener = document.querySelector("#keys-open");
  if (opener) {
    opener.hidden = false;
    opener.addEventListener("click", acts["?"]);
  }
})();
