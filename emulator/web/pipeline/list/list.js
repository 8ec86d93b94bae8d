// The list of traces: only visible lines are in the page, and they stay in place when others come in.

import { byId, setText } from "../element.js";
import { createRow } from "./row.js";

const OVERSCAN = 4; // lines above and below the visible ones
const MOST_FADING = 3; // if more new lines come at once, they do not fade in

const clamp = (number, least, most) => Math.max(least, Math.min(most, number));

/** `onSelect` gets the entry that was selected. */
export const createList = (store, onSelect) => {
  const [box, space, jump] = ["traces", "traces-space", "new-events"].map(byId);
  const lines = new Map(); // by number of the entry
  const unused = [];
  let [height, room, top, scrolledTo, seen, newest, frame] = [1, 0, 0, 0, 0, 0, 0];
  let isFollowing = true; // the newest are shown as they come in
  let isHeld = false; // it would follow if there were no pointer and no selection
  let anchor = null; // the entry at the top, which stays there, and how far it is scrolled out
  let selected = null; // the id of a trace
  let [isToReveal, isMoving] = [false, false]; // moving: from one selected line to the next

  const schedule = () => {
    frame ||= requestAnimationFrame(draw);
  };
  const reveal = (wanted) => {
    isToReveal = false;
    const entry = store.get(selected);
    if (!entry) return wanted;
    const place = store.indexOf(entry) * height;
    const revealed = clamp(wanted, place + height - room, place);
    if (isMoving && revealed !== wanted) isHeld = false;
    return revealed;
  };
  const newTop = () => {
    if (isFollowing || !anchor) return 0;
    const wanted = store.indexOf(anchor.entry) * height + anchor.offset + scrolledTo - top;
    return clamp(isToReveal ? reveal(wanted) : wanted, 0, Math.max(0, store.shownSize * height - height));
  };
  const scroll = () => {
    const wanted = newTop();
    // A short list gets room below, so that the visible lines can stay in place.
    const needed = Math.max(store.shownSize * height, isFollowing ? 0 : wanted + room);
    space.style.setProperty("height", `${needed}px`);
    if (scrolledTo !== wanted) {
      box.scrollTop = wanted;
      scrolledTo = box.scrollTop; // rounded by the browser; asked for only here, because it costs a layout
    }
    top = scrolledTo;
    const index = Math.floor(top / height);
    const entry = store.at(index);
    anchor = entry ? { entry, offset: top - index * height } : null;
    return [Math.max(0, index - OVERSCAN), Math.min(store.shownSize, Math.ceil((top + room) / height) + OVERSCAN)];
  };
  const lineFor = (entry, fades) => {
    const line = lines.get(entry.number) ?? unused.pop() ?? createRow();
    if (!lines.has(entry.number)) line.node.classList.toggle("fades", fades && entry.number > newest);
    lines.set(entry.number, line);
    if (!line.node.isConnected) box.append(line.node);
    return line;
  };
  const removeAllBut = (wanted) => {
    for (const [number, line] of lines) {
      if (wanted.has(number)) continue;
      lines.delete(number);
      unused.push(line);
    }
  };
  const drawLines = (first, end) => {
    const entries = Array.from({ length: end - first }, (_, i) => store.at(first + i));
    removeAllBut(new Set(entries.map((entry) => entry.number)));
    const fades = entries.filter((entry) => entry.number > newest).length <= MOST_FADING;
    entries.forEach((entry, i) =>
      lineFor(entry, fades).show(entry, (first + i) * height, first + i, store.shownSize, entry.trace.id === selected));
    for (const line of unused) line.node.remove();
    newest = entries.reduce((most, entry) => Math.max(most, entry.number), newest);
  };
  const showUnseen = () => {
    if (isFollowing) seen = store.arrivedShown;
    const unseen = store.arrivedShown - seen;
    jump.hidden = unseen === 0 || (isHeld && selected === null);
    setText(jump, `${unseen.toLocaleString("en")} new ${unseen === 1 ? "event" : "events"} ↑`);
  };
  const showActive = () => {
    const entry = store.get(selected);
    if (entry && lines.has(entry.number)) box.setAttribute("aria-activedescendant", `trace-${entry.number}`);
    else box.removeAttribute("aria-activedescendant");
  };
  const draw = () => {
    frame = 0;
    drawLines(...scroll());
    showUnseen();
    showActive();
  };
  const measure = () => {
    room = box.clientHeight;
    height = parseFloat(getComputedStyle(box).getPropertyValue("--line")) || 1;
    isToReveal = selected !== null && !isFollowing;
    schedule();
  };
  const toTop = () => {
    [isFollowing, isHeld, anchor] = [true, false, null];
    schedule();
  };
  /** Keep the visible lines in place, for instance while the mouse is about to click. */
  const hold = () => {
    [isHeld, isFollowing] = [isHeld || isFollowing, false];
  };
  /** Follow again, if the list did before. */
  const release = () => {
    if (isHeld && selected === null) toTop();
  };

  box.addEventListener("scroll", () => {
    scrolledTo = box.scrollTop;
    if (scrolledTo !== top) [isFollowing, isHeld] = [scrolledTo < 1, false];
    schedule();
  });
  jump.addEventListener("click", toTop);
  new ResizeObserver(measure).observe(box);
  matchMedia("(min-width: 700px)").addEventListener("change", measure);

  return {
    schedule,
    toTop,
    hold,
    release,
    select(entry) {
      hold();
      [selected, isToReveal, isMoving] = [entry.trace.id, true, selected !== null];
      schedule();
      onSelect(entry);
    },
    unselect() {
      selected = null;
      release();
      schedule();
    },
    get selected() {
      return store.get(selected);
    },
    get pageSize() {
      return Math.max(1, Math.floor(room / height) - 1);
    },
  };
};
