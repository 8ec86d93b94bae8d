// The keyboard and the mouse on the list: arrows select, "/" goes to the filter, Escape closes.

import { byId } from "../element.js";

const moved = (key, index, list, last) =>
  ({ ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: last, PageDown: index + list.pageSize,
    PageUp: index - list.pageSize })[key];

const move = (event, store, list) => {
  const current = list.selected ? store.indexOf(list.selected) : -1;
  const wanted = moved(event.key, current, list, store.shownSize - 1);
  if (wanted === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const entry = store.at(Math.max(0, Math.min(store.shownSize - 1, wanted)));
  if (entry) list.select(entry);
};

const isTyping = (target) => target.matches("input, select, textarea");

/** Wire keys and clicks; Escape calls `onEscape` unless a dialog is open. */
export const wireKeys = (store, list, onEscape) => {
  const box = byId("traces");
  box.addEventListener("keydown", (event) => move(event, store, list));
  // Between press and release, no line may move away from under the pointer.
  box.addEventListener("pointerdown", list.hold);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(list.release));
  box.addEventListener("click", ({ target }) => {
    const entry = store.get(target.closest("[data-id]")?.dataset.id);
    if (entry) list.select(entry);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) onEscape();
    if (event.key !== "/" || isTyping(event.target) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    byId("filter").select();
    byId("filter").focus();
  });
};
