// The options that the shop gave to `init`, for all modules.

/**
 * Where the browser's part of the queue, the client and an opt-out are kept: `localStorage`, or anything like it.
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} Store
 */

/**
 * @typedef {object} Options
 * @property {string} [endpoint] Where events are posted. Without one it is a dry run: events are logged, not sent.
 * @property {Record<string, string>} [headers] Sent with every event, for instance `{ "X-Api-Key": "…" }`. Changes to
 *   this object count from the next event on. The collector has to allow each name (`ALLOWED_HEADERS`).
 * @property {"pending" | "granted" | "denied"} [consent] Whether the visitor agreed; `granted` if nothing is said.
 *   `pending`: events wait in memory, and nothing is stored or sent, until `optIn` sends them, or `optOut` or `denied`
 *   drops them. `denied`: nothing is sent or stored, until `optIn`. An `optOut` is remembered and outweighs it.
 * @property {import("./visitor/user.js").User | null} [user] Who the visitor is, or null for nobody. A member that is
 *   there and undefined says "not known yet": events wait for `setUser` or `clearUser`, for at most 2 seconds.
 * @property {"timer" | "commit"} [settle] When a navigation's automatic view is due: once the page's scripts have run
 *   (`timer`, the default), or when `viewSettled` is called (`commit`).
 * @property {(url: URL) => boolean} [hasDomainView] Whether a page sends a view of its own later, for instance when it
 *   has loaded what it shows: it gets no `page_view`. Views sent while the page or the route loads (any event whose
 *   name ends in `_view`) need no mention here.
 * @property {(url: URL, previous: URL, kind: "push" | "replace" | "traverse") => boolean} [isRoute] Whether a change of
 *   the address is a navigation. By default each is, but for a replaced address whose path stays the same.
 * @property {(event: ClickstreamEvent) => ClickstreamEvent | null | undefined | void} [beforeSend] Sees each event
 *   before it is stored, and may change it, give another, or drop it by giving null (`dropped.withheld`).
 * @property {(error: unknown) => void} [onError] Gets what went wrong in the publisher, in place of an exception.
 * @property {(event: ClickstreamEvent, status: number) => void} [onRefused] Gets each event that the collector refused
 *   for good, and that is dropped.
 * @property {Store} [store] In place of `localStorage`. The session and the tab stay in `sessionStorage`.
 * @property {boolean} [log] `false`: do not log each event with `console.debug`.
 * @property {boolean} [debug] `true`: log the answer to each event too.
 * @property {boolean} [respectPrivacySignals] `true`: Global Privacy Control and Do Not Track are an opt-out, whatever
 *   `optIn` says.
 * @property {(string | RegExp)[]} [privateParameters] More names of parameters and data attributes that are secret: a
 *   regular expression, or the text of one, which is case-insensitive. Names like those of tokens, passwords and e-mail
 *   addresses are known, and so are values that are e-mail addresses or JWTs.
 */

/** @typedef {import("./event.js").BaseEvent & Record<string, any>} ClickstreamEvent */

/** The options that `init` got last. @type {Options} */
export const options = {};

/** @param {Options} wanted */
export const setOptions = (wanted) => Object.setPrototypeOf(options, wanted);
