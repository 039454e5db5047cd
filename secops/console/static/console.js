"use strict";
// Keyboard triage: j/k move through a table's rows, Enter opens, / searches, ? lists the keys.
// Off inside inputs, with Ctrl, Alt or Meta, and while an input method composes.
(() => {
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
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
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (typing(event.target)) return;
    const acts = {
      j: () => move(1),
      k: () => move(-1),
      "/": () => document.querySelector("main input[type=search]")?.focus(),
      "?": () => document.querySelector("#keys")?.showModal?.(),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
