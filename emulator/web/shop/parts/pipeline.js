// The emulator's view of the pipeline, beside the shop or, on small screens, over it. The shop of a stage has none.
import { browser } from "../data/stored.js";
import { icon } from "./art.js";
import { element } from "./element.js";

const KEY = "shop.pipeline";
const beside = matchMedia("(min-width: 1100px)");

const isWanted = () => beside.matches && browser.read(KEY) !== "closed";

export const showPipeline = () => {
  const panel = document.getElementById("pipeline");
  if (!panel) return;
  const label = element("span");
  const toggle = element("button", { type: "button", class: "pipeline-toggle", id: "pipeline-toggle" });
  toggle.append(icon("pipeline"), label);
  toggle.setAttribute("aria-controls", "pipeline-view");
  const newTab = { target: "_blank", rel: "noopener" };
  const fullScreen = element("a", { href: "/pipeline", ...newTab }, "Full screen", icon("outside"));
  const view = element("div", { class: "pipeline-view", id: "pipeline-view" });
  const dashboard = element("a", { href: "/dashboard/", ...newTab }, "Dashboard", icon("outside"));
  panel.append(element("div", { class: "pipeline-bar" }, toggle, dashboard, fullScreen), view);

  const show = (open) => {
    label.textContent = open ? "Hide pipeline" : "Show pipeline";
    toggle.setAttribute("aria-expanded", open);
    document.body.classList.toggle("has-pipeline", open);
    dashboard.hidden = fullScreen.hidden = view.hidden = !open;
    if (open && !view.firstChild) view.append(element("iframe", { src: "/pipeline?panel", title: "Pipeline view" }));
  };
  toggle.addEventListener("click", () => {
    const open = view.hidden;
    if (beside.matches) browser.write(KEY, open ? "open" : "closed");
    show(open);
  });
  beside.addEventListener("change", () => show(isWanted()));
  show(isWanted());
};
