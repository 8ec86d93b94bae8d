// The visit: it ends after 30 minutes without an event.
import { uuid } from "./identity.js";
import { readJson, SESSION, writeJson } from "./store.js";

const SESSION_IDLE = 1_800_000;

/**
 * The session, which goes on by this. A visitor's clock may be set back: a session from the future has ended too.
 * @param {string} clientId
 * @param {boolean} isFirstVisit Whether the client is new; its first session remembers it.
 */
export const currentSession = (clientId, isFirstVisit) => {
  const now = Date.now();
  const { at, ...stored } = readJson(SESSION) ?? {};
  const isOver = stored.clientId !== clientId || !(Math.abs(now - at) <= SESSION_IDLE);
  const session = isOver ? { clientId, sessionId: uuid(), isFirstVisit } : stored;
  writeJson(SESSION, { ...session, at: now });
  return /** @type {{ clientId: string, sessionId: string, isFirstVisit: boolean }} */ (session);
};
