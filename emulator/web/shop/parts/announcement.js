// Says in a few words what just happened, on the screen and to screen readers.

const SECONDS = 3;

let timer;

export const announce = (text) => {
  const place = document.getElementById("announcement");
  place.replaceChildren(); // so that the same words are read out again
  clearTimeout(timer);
  timer = setTimeout(() => {
    place.textContent = text;
    timer = setTimeout(() => place.replaceChildren(), SECONDS * 1000);
  }, 50);
};
