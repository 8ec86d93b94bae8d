// Keeps values in the browser's storage, and tells whoever shows them that they changed, in this tab or in another.

const memory = new Map();
const areas = { local: () => localStorage, session: () => sessionStorage };

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return null; // another script wrote there
  }
};

const stored = (area) => ({
  read: (key) => {
    if (memory.has(key)) return parsed(memory.get(key));
    try {
      return parsed(areas[area]().getItem(key));
    } catch {
      return null;
    }
  },
  write: (key, value) => {
    const text = JSON.stringify(value);
    try {
      areas[area]().setItem(key, text);
      memory.delete(key);
    } catch {
      memory.set(key, text);
    }
  },
});

export const browser = stored("local"); // until the visitor clears it
export const tab = stored("session"); // until the tab is closed

const changes = new EventTarget();

export const tellChange = () => changes.dispatchEvent(new Event("change"));
export const onChange = (listener) => {
  changes.addEventListener("change", listener);
  addEventListener("storage", ({ key }) => {
    if (!key || key.startsWith("shop.")) listener();
  });
};
