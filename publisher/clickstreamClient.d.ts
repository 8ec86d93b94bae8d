/**
 * The clickstream publisher: identity, session, page views, clicks, and a transport that loses no event.
 *
 * It runs in a browser; on a server, every function does nothing. Nothing here throws, and the page waits for nothing.
 *
 * How it keeps events. Before an event is sent, it is written to `localStorage` under a key of its own. Each request has
 * one event, by `fetch` with `keepalive`. The event is removed only when the collector has answered 2xx. Without such an
 * answer it is sent again under the same `eventId`: after 1, 2, 4, … seconds, up to 5 minutes, of which up to half is
 * random; when the browser is online again; and on the next visit. New events are sent at once. While the collector
 * fails, only one waiting event at a time is tried. `Retry-After` (at most an hour) holds for all tabs and visits.
 *
 * A tab that sends an event holds a Web Lock of its name, or, on insecure origins, which have no locks, a lease that ends
 * after 30 seconds. So two tabs never send the same event at once. They may send it one after the other, if the first had
 * no time to note the answer; the warehouse keeps one row per `eventId`.
 *
 * At most 60,000 bytes are under way with `keepalive`, because browsers refuse more than 64 KB. Larger events are sent
 * without it.
 *
 * At most 1,000 events or 1,000,000 characters wait; then the oldest are dropped (`dropped.overflow`). Events that the
 * collector refuses, by 4xx other than 408 and 429, are dropped too (`dropped.refused`). Every event has both counts.
 *
 * Everything is stored under `clickstream.` in `localStorage`; the session and, between two pages, the tab are stored in
 * `sessionStorage`. Where the browser stores nothing, all of it is kept in memory.
 */

export interface Options {
  /** Where events are posted. Without one it is a dry run: events are logged, not sent. */
  endpoint?: string;
  /** Sent with every event, for instance `{ "X-Api-Key": "…" }`. Changes to this object count from the next event on. */
  headers?: Record<string, string>;
  /** `false`: do not log each event with `console.debug`. */
  log?: boolean;
  /** `true`: log the answer to each event too. */
  debug?: boolean;
  /** `true`: Global Privacy Control and Do Not Track are an opt-out, whatever `optIn` says. */
  respectPrivacySignals?: boolean;
  /**
   * More query parameters to remove from `pageUrl` and `referrer`: regular expressions, case-insensitive, for their
   * names. Names like those of tokens, passwords and e-mail addresses are known, and so are values that are e-mail
   * addresses or JWTs. Fragments are kept only if they are routes (`#/…`, `#!…`).
   */
  privateParameters?: string[];
  /**
   * Whether a page sends a view of its own later, for instance when it has loaded what it shows: it gets no `page_view`.
   * Views sent while the page or the route loads (any event whose name ends in `_view`) need no mention here.
   */
  hasDomainView?: (page: URL) => boolean;
}

export interface User {
  userId?: string | null;
  /** By default `logged_in` if there is a `userId`. */
  userLoginState?: "logged_in" | "anonymous";
  /** Who says so, for instance `cognito`. */
  identitySource?: string | null;
}

/** What every event carries. A payload adds to it, and cannot change it. */
export interface BaseEvent {
  /** A UUID, version 4. The same one if the event is sent again. */
  eventId: string;
  eventName: string;
  /** The visitor's clock, ISO-8601, UTC. */
  eventTimestamp: string;
  pageUrl: string;
  /** The page before: another site's, or this site's previous route. */
  referrer: string;
  userId: string | null;
  userLoginState: "logged_in" | "anonymous";
  identitySource: string | null;
  /** A UUID for this browser, until the visitor opts out or clears its storage. */
  clientId: string;
  /** A UUID, a new one after 30 minutes without an event. One per tab; tabs opened by a page share its session. */
  sessionId: string;
  /** Whether this is the client's very first session. */
  isFirstVisit: boolean;
  /** A UUID, one per tab, also if the tab was duplicated or opened by another. */
  tabId: string;
  /** From 1, per `clientId` and `tabId`, without gaps. */
  seq: number;
  /** How many events of this client were lost so far: because too many waited, or because the collector refused them. */
  dropped: { overflow: number; refused: number };
  /** The package that made the event, and its version. */
  publisher: { name: string; version: string };
}

/** Start. Calling it again changes the options. */
export function init(options?: Options): void;

/** Send an event. It counts as activity; a name that ends in `_view` takes the place of the page's `page_view`. */
export function track(name: string, payload?: object): void;

/** Say who the visitor is, from the next event on, until the page is left: say it on each page. */
export function setUser(user: User): void;

/** Say that nobody is signed in. */
export function clearUser(): void;

/** Send and store nothing from now on, and delete what is stored. Remembered, on all pages and in all tabs. */
export function optOut(): void;

/** Undo `optOut`. The visitor is a new client then. */
export function optIn(): void;

/** The same function, which does nothing on a server, and warns instead of throwing. */
export function guarded<Given extends unknown[], Result>(
  action: (...given: Given) => Result,
): (...given: Given) => Result | undefined;
