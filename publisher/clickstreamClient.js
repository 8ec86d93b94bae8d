// See clickstreamClient.d.ts.
const SESSION_IDLE = 1_800_000;
const MOST_EVENTS = 1_000;
const MOST_CHARACTERS = 1_000_000;
const MOST_KEPT_ALIVE = 60_000;
const TIMEOUT = 30_000;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 300_000;
const LAST_RETRY_AFTER = 3_600_000;
const TEXT_LENGTH = 160;
const SECRET = "token|passw|pwd|secret|auth(?!or)|key$|mail|jwt|otp$|session|sessid|^(code|pass|sid|sig|signature)$";
const SECRET_VALUE = /.@.|^eyJ/; // an e-mail address, a JWT
const IGNORED = '[global-clickstream-ignore-click="true"]';
const PRIVATE = "input,select,textarea,option,output,[contenteditable],[data-clickstream-mask],script,style";
const ACTIVE = 'a,button,summary,label,[role=button],[role=link],[tabindex="0"]';

const memory = {}; // if storage fails
const underWay = new Set();
let options = {};
let started, warned, user, tab, left, page, referrer, viewDue, hasOwnView, timer;
let [keptAlive, failures, retryAt] = [0, 0, 0];

const attempt = (action) => {
  try {
    return action();
  } catch {}
};
export const guarded =
  (action) =>
  (...given) => {
    if (globalThis.document)
      try {
        return action(...given);
      } catch (error) {
        console.warn("clickstream:", error);
      }
  };

const areaOf = (key) => (/\.(session|tab)$/.test(key) ? sessionStorage : localStorage);
const read = (key) => memory[key] ?? attempt(() => areaOf(key)[key]);
const readJson = (key) => attempt(() => JSON.parse(read(key)));
const remove = (key) => {
  delete memory[key];
  attempt(() => delete areaOf(key)[key]);
};
const write = (key, text) => {
  memory[key] = text;
  attempt(() => {
    areaOf(key)[key] = text;
    delete memory[key];
  });
};
const writeJson = (key, value) => write(key, JSON.stringify(value));
const keysOf = (start) =>
  [memory, attempt(() => localStorage) ?? {}]
    .flatMap(Object.keys)
    .filter((key) => key.startsWith(start))
    .sort();

const uuid = () =>
  "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
    (digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (digit / 4)))).toString(16),
  );

// A living page takes its tab: a duplicate copies none.
const takeTab = () => {
  tab = readJson("clickstream.tab");
  remove("clickstream.tab");
};
const leaveTab = () => {
  if (tab && !optedOut()) writeJson("clickstream.tab", tab);
  tab = null;
};

const identify = () => {
  const now = Date.now();
  let clientId = read("clickstream.client");
  const isFirstVisit = !clientId;
  if (isFirstVisit) write("clickstream.client", (clientId = uuid()));
  let { at, ...session } = readJson("clickstream.session") ?? {};
  if (session.clientId !== clientId || Math.abs(now - at) > SESSION_IDLE)
    session = { clientId, sessionId: uuid(), isFirstVisit };
  writeJson("clickstream.session", { ...session, at: now });
  if (!tab) takeTab();
  if (tab?.clientId !== clientId) tab = { clientId, tabId: uuid(), seq: 0 };
  return session;
};

const optedOut = () =>
  read("clickstream.optedOut") ||
  (options.respectPrivacySignals && (navigator.globalPrivacyControl || navigator.doNotTrack === "1"));
const forget = () => {
  tab = null;
  for (const key of ["clickstream.session", "clickstream.tab", ...keysOf("clickstream.")])
    if (key !== "clickstream.optedOut") remove(key);
};

const isSecret = ([name, value]) =>
  new RegExp([SECRET, ...(options.privateParameters ?? [])].join("|"), "i").test(name) || SECRET_VALUE.test(value);
const clean = (address) =>
  attempt(() => {
    const url = new URL(address);
    url.username = url.password = "";
    for (const pair of [...url.searchParams]) if (isSecret(pair)) url.searchParams.delete(pair[0]);
    if (!/^#[!/]/.test(url.hash) || [...new URLSearchParams(url.hash.split("?")[1])].some(isSecret)) url.hash = "";
    return url.href;
  }) ?? "";

// A key per event: tabs overwrite nothing.
const queued = () => keysOf("clickstream.queue.");
const dropped = () => readJson("clickstream.dropped") ?? { overflow: 0, refused: 0 };
const drop = (key, reason) => {
  remove(key);
  const counts = dropped();
  counts[reason]++;
  writeJson("clickstream.dropped", counts);
};
const enqueue = (key, body) => {
  if (body.length > MOST_CHARACTERS) return drop(key, "overflow");
  write(key, body);
  let [events, characters] = [0, 0];
  for (const each of queued().reverse()) {
    characters += read(each)?.length ?? 0;
    if ((++events > MOST_EVENTS || characters > MOST_CHARACTERS) && !underWay.has(each)) drop(each, "overflow");
  }
};

// One tab at a time sends it: by a lock, or a lease.
const hold = async (key, send, isNew) => {
  if (key in memory) return send();
  if (navigator.locks) return navigator.locks.request(key, { ifAvailable: true }, (lock) => lock && send());
  const name = key.replace("queue", "lease");
  if (read(name) > Date.now()) return;
  const lease = `${Date.now() + TIMEOUT + Math.random()}`;
  write(name, lease);
  if (!isNew) await new Promise((done) => setTimeout(done, 100));
  if (read(name) !== lease) return;
  await send();
  remove(name);
};

const post = async (key, body, keepalive) => {
  let answer;
  try {
    answer = await fetch(options.endpoint, {
      method: "POST",
      body,
      keepalive,
      credentials: "omit",
      redirect: "error", // is no receipt
      headers: { "Content-Type": "application/json", ...options.headers },
      signal: AbortSignal.timeout(TIMEOUT),
    });
    await answer.text(); // kept alive until then
  } catch {}
  const now = Date.now();
  if (options.debug) console.debug("clickstream receipt", answer?.status, JSON.parse(body).eventId);
  if (optedOut()) return;
  if (answer?.ok) {
    remove(key);
    failures = 0;
    retryAt = Math.min(retryAt, now + FIRST_RETRY);
  } else if (/^4(?!08|29)/.test(answer?.status)) drop(key, "refused");
  else {
    const after = answer?.headers.get("Retry-After");
    const wait = Math.min(after * 1000 || Date.parse(after) - now, LAST_RETRY_AFTER);
    if (wait > 0) write("clickstream.wait", now + wait);
    if (now >= retryAt)
      retryAt = now + Math.min(FIRST_RETRY * 2 ** failures++, LAST_RETRY) * (0.5 + Math.random() / 2);
  }
};

// True: no room.
const dispatch = (key, isNew) => {
  const body = read(key);
  if (!body || underWay.has(key)) return;
  let bytes = new Blob([body]).size;
  if (bytes > MOST_KEPT_ALIVE) bytes = 0;
  if (keptAlive + bytes > MOST_KEPT_ALIVE) return true;
  keptAlive += bytes;
  underWay.add(key);
  const send = () => read(key) && post(key, body, bytes > 0);
  let receipt = isNew && send(); // the page may be gone before a lock
  Promise.allSettled([hold(key, () => (receipt ||= send()), isNew), receipt]).then(() => {
    keptAlive -= bytes;
    underWay.delete(key);
    receipt ? flush() : later(FIRST_RETRY);
  });
};

const later = (delay) => {
  clearTimeout(timer);
  timer = setTimeout(flush, delay);
};
const waitLeft = () => (read("clickstream.wait") || 0) - Date.now();
const flush = () => {
  if (!options.endpoint || optedOut()) return;
  const wait = Math.max(retryAt - Date.now(), waitLeft());
  if (wait > 0) return later(wait);
  for (const key of queued()) {
    if (failures && underWay.size) return; // one asks
    const [, , time, , tabId] = key.split(".");
    // Another tab may not hold it yet.
    if (tabId !== tab?.tabId && Math.abs(Date.now() - parseInt(time, 36)) < FIRST_RETRY) later(FIRST_RETRY);
    else if (dispatch(key)) return;
  }
};

const emit = (name, payload) => {
  if (optedOut()) return;
  const base = {
    eventId: uuid(),
    eventName: name,
    eventTimestamp: new Date().toISOString(),
    pageUrl: page,
    referrer,
    ...user,
    ...identify(),
    tabId: tab.tabId,
    seq: tab.seq + 1,
    dropped: dropped(),
    publisher: { name: "@clickstream/publisher", version: "0.1.0" }, // as in package.json
  };
  const event = { ...base, ...payload, ...base }; // base is first, and wins
  const body = JSON.stringify(event);
  tab.seq++;
  if (left) leaveTab();
  if (options.log !== false) console.debug("clickstream", name, event);
  if (options.endpoint) {
    const key = `clickstream.queue.${Date.now().toString(36)}.${`${base.seq}`.padStart(7, 0)}.${base.tabId}`;
    enqueue(key, body);
    waitLeft() > 0 ? flush() : dispatch(key, true);
  } else if (!warned) {
    warned = true;
    console.warn("clickstream: dry run, no endpoint");
  }
};

const showView = () => {
  if (viewDue) emit("page_view");
  viewDue = false;
};
const enter = (url, from) => {
  page = url;
  referrer = from;
  viewDue = !(hasOwnView = attempt(() => options.hasDomainView(new URL(url))));
};
const follow = () => {
  const url = clean(location.href);
  if (!started || url === page) return;
  showView();
  enter(url, page);
  setTimeout(showView); // after the shop's own view
};

const cut = (text) => [...text].slice(0, TEXT_LENGTH).join("");
const textOf = (node) => {
  let text = node.nodeType === 3 ? node.data.trim() : "";
  if (!node.matches?.(PRIVATE))
    for (const child of node.childNodes) if (text.length < 2 * TEXT_LENGTH) text += ` ${textOf(child)}`;
  return text;
};
const onClick = (click) => {
  const path = click.composedPath().filter((node) => node.matches);
  const element = path.find((node) => node.matches(ACTIVE)) ?? path[0];
  if (!element || path.some((node) => node.matches(IGNORED))) return;
  const isPrivate = path.slice(path.indexOf(element)).some((node) => node.matches(PRIVATE));
  const data = isPrivate ? {} : element.dataset;
  track("click", {
    element: {
      tag: element.localName,
      id: element.getAttribute("id"),
      role: element.getAttribute("role"),
      text: isPrivate ? "" : cut(textOf(element).replace(/\s+/g, " ").trim()),
      dataset: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, cut(value)])),
    },
  });
};

export const init = guarded((wanted = {}) => {
  options = wanted;
  if (started) return;
  started = true;
  if (optedOut()) forget();
  takeTab();
  enter(clean(location.href), clean(document.referrer));
  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = (...given) => {
      original.apply(history, given);
      guarded(follow)();
    };
  }
  const on = (name, action) => addEventListener(name, guarded(action), true);
  on("popstate", follow);
  on("click", onClick);
  on("online", () => {
    failures = retryAt = 0;
    flush();
  });
  on("pagehide", () => {
    showView();
    left = true;
    leaveTab();
  });
  on("DOMContentLoaded", () => setTimeout(showView));
  on("pageshow", ({ persisted }) => {
    left = false;
    if (persisted) viewDue = !hasOwnView;
    setTimeout(showView, persisted && 500); // its tab may come late
    flush();
  });
  if (document.readyState === "complete") setTimeout(showView);
  flush();
});
export const track = guarded((name, payload) => {
  follow();
  if (name.endsWith("_view")) {
    hasOwnView = true;
    viewDue = false;
  }
  emit(name, payload);
});
export const setUser = guarded(
  ({ userId = null, userLoginState = userId ? "logged_in" : "anonymous", identitySource = null } = {}) => {
    user = { userId, userLoginState, identitySource };
  },
);
export const clearUser = () => setUser();
export const optOut = guarded(() => {
  write("clickstream.optedOut", "1");
  forget();
});
export const optIn = guarded(() => remove("clickstream.optedOut"));
clearUser();
