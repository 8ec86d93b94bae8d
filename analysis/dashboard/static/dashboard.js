// Starts the dashboard: asks for the view in the address, and draws what comes.

import { drawBar } from "./bar/bar.js";
import { byId, select } from "./element.js";
import { span, speak, write } from "./format.js";
import { drawPages, drawTabs } from "./bar/links.js";
import { drawPanel, drawPlaces, keepPlaces } from "./panels.js";
import { name, stream } from "./stream.js";
import { choose, text } from "./texts/texts.js";
import { go, onChange, ownOptions, query, spell } from "./view.js";

const LANGUAGES = [["en", "English"], ["vi", "Tiếng Việt"]];
let running = null;
let drawn = [];
let timer = null;

const say = (words) => { byId("status").textContent = words; };

const drawComplete = ({ within, completeUntil }) => {
  const isIncomplete = within[1] > completeUntil;
  byId("complete").textContent = text(isIncomplete ? "incomplete" : "complete",
    { time: write(Math.min(completeUntil, within[1]), "time") });
  byId("complete").dataset.complete = String(!isIncomplete);
};

const drawHead = (head) => {
  const { view, within, before } = head;
  choose(view.language);
  speak(view.language, view.zone);
  document.documentElement.lang = view.language;
  const title = text(`pages.${view.page}`);
  document.title = `${title} · ${text(name)}`;
  byId("title").textContent = title;
  byId("skip").textContent = text("skip");
  byId("stop").textContent = text("stop");
  byId("language").replaceChildren(select("lang", text("language"), LANGUAGES, view.language, (lang) => go({ lang })));
  drawComplete(head);
  byId("sample").hidden = head.sample === null;
  byId("sample").textContent = head.sample === null ? "" : text("sample", { sample: head.sample });
  byId("unfiltered").hidden = head.isFiltered || !(view.login || Object.keys(view.filters).length);
  byId("unfiltered").textContent = text("unfiltered");
  byId("state").dataset.said = text(before ? "compared" : "done",
    { source: head.source, span: span(within), before: before && span(before) });
  byId("pages").setAttribute("aria-label", text("dashboard"));
  byId("bar").setAttribute("aria-label", text("bar"));
  byId("chips").setAttribute("aria-label", text("chosen"));
  ownOptions(Object.keys(head.options));
  byId("about").setAttribute("aria-label", text("about"));
  drawTabs(head);
  drawPages(head);
  drawBar(head);
  drawPlaces(head);
  say(text("reading"));
};

const draw = (line) => {
  if (line.head) {
    spell(line.head.query);
    drawHead(line.head);
  } else if (line.panel) {
    drawPanel(line);
    say(text("loading"));
  } else if (line.progress) {
    const { work, done, total, left } = line.progress;
    say(text("progress", { work: text(`work.${work}`), share: write(done / total, "share"),
      left: write(left, "seconds") }));
  } else if (line.done) {
    say(byId("state").dataset.said);
    document.body.dataset.shown = query(); // all of this view is on the screen
  }
};

/** Draw a line of a view that is already on the screen: its places stay, and only what they show is new. */
const drawQuietly = (line) => {
  if (line.head) {
    if (keepPlaces(line.head)) drawComplete(line.head);
    else drawHead(line.head);
  } else if (line.panel) drawPanel(line, true);
};

/** Show the view again after as many seconds as the page's option says, unless it is paused. */
const refreshLater = (head) => {
  const seconds = Number(head?.view.options.refresh ?? head?.options.refresh?.[0]);
  if (!(seconds > 0)) return;
  timer = setTimeout(() => (document.hidden ? refreshLater(head) : show(false, true)), seconds * 1000);
};

const show = async (isAnew = false, isQuiet = false) => {
  clearTimeout(timer);
  running?.abort();
  const own = new AbortController();
  running = own;
  drawn = [];
  if (!isQuiet) {
    delete document.body.dataset.shown;
    byId("problem").hidden = true;
    byId("stop").hidden = false;
    document.body.setAttribute("aria-busy", "true");
  }
  try {
    await stream(query(), own.signal, isAnew, (line) => {
      if (own !== running) return;
      drawn.push(line);
      if (isQuiet) drawQuietly(line);
      else draw(line);
    });
    if (own === running) byId("problem").hidden = true;
  } catch (error) {
    if (own !== running) return;
    if (error.name === "AbortError") say(text("stopped"));
    else {
      byId("problem").hidden = false;
      byId("problem").textContent = error.message;
      say("");
    }
  }
  if (own !== running) return;
  byId("stop").hidden = true;
  document.body.removeAttribute("aria-busy");
  if (!own.signal.aborted) refreshLater(drawn.find((line) => line.head)?.head);
};

byId("stop").addEventListener("click", () => running?.abort());
byId("bar").addEventListener("submit", (event) => event.preventDefault());
byId("pages").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  show();
});
// Charts have the colours of the scheme in which they were drawn.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(draw));
addEventListener("scroll", () => { byId("tooltip").hidden = true; }, { passive: true, capture: true });
onChange(show);
show(performance.getEntriesByType("navigation")[0]?.type === "reload");
