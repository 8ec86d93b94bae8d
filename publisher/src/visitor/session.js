// The browser (client), and its visit (session), which ends after 30 minutes without an event.
import { uuid } from "./identity.js";
import { read, readJson, SESSION, write, writeJson } from "../store.js";

const CLIENT = "clickstream.client";
const SESSION_IDLE = 1_800_000;

/**
 * The session, which goes on by this. A visitor's clock may be set back: a session from the future has ended too.
 * @returns {{ clientId: string, sessionId: string, isFirstVisit: boolean }} The first is the first visit.
 */
export const currentSession = () => {
  const now = Date.now();
  let clientId = read(CLIENT);
  const isFirstVisit = !clientId;
  if (!clientId) write(CLIENT, (clientId = uuid()));
  let { at, ...session } = readJson(SESSION) ?? {};
  if (session.clientId !== clientId || !(Math.abs(now - at) <= SESSION_IDLE))
    session = { clientId, sessionId: uuid(), isFirstVisit };
  writeJson(SESSION, { ...session, at: now });
  return session;
};
