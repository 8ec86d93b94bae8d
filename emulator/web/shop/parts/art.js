// Drawings and icons, from the symbols of art.svg.

const NAMESPACE = "http://www.w3.org/2000/svg";

const drawing = (name, className) => {
  const svg = document.createElementNS(NAMESPACE, "svg");
  const use = document.createElementNS(NAMESPACE, "use");
  use.setAttribute("href", `/web/shop/art.svg#${name}`);
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true"); // a text beside it always names it
  svg.append(use);
  return svg;
};

export const icon = (name) => drawing(`icon-${name}`, "icon");

/** A drawing on a background tinted with its colour. */
export const art = ({ art: name, color }) => {
  const frame = document.createElement("div");
  frame.className = "art";
  frame.style.setProperty("--art", color);
  frame.append(drawing(name, "art-drawing"));
  return frame;
};
