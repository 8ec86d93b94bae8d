// Says in a few words what has just happened, to the eye and to screen readers.

const SECONDS = 3;

let timer;

export const announce = (text) => {
  const place = document.getElementById("announcement");
  place.replaceChildren(); // the same words twice are news twice
  clearTimeout(timer);
  timer = setTimeout(() => {
    place.textContent = text;
    timer = setTimeout(() => place.replaceChildren(), SECONDS * 1000);
  }, 50);
};
