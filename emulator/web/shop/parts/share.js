// The ways to share a product, each with its event.
import { trackShareClick } from "/publisher/src/index.js";
import { announce } from "./announcement.js";
import { icon } from "./art.js";
import { element, TRACKED } from "./element.js";

const linkTo = ({ urlPath }) => new URL(urlPath, location.origin).href;

const copyLink = async (product) => {
  trackShareClick(product, "copy_link");
  try {
    await navigator.clipboard.writeText(linkTo(product));
    announce("Link copied");
  } catch {
    announce(`Copy this link: ${linkTo(product)}`); // the browser has no clipboard for us
  }
};

const shareWithDevice = async (product) => {
  trackShareClick(product, "device");
  try {
    await navigator.share({ title: product.name, url: linkTo(product) });
  } catch {
    // The visitor changed their mind.
  }
};

const button = (name, label, share) =>
  element("button", { type: "button", class: "quiet-button", ...TRACKED, on: { click: share } }, icon(name), label);

export const shareButtons = (product) => [
  button("link", "Copy link", () => copyLink(product)),
  navigator.share ? button("share", "Share", () => shareWithDevice(product)) : null,
];
