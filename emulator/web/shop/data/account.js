// Who is signed in. A demo: any name and any password do, and the password is not even read.
import { setUser, trackLoginSuccess, trackLogout } from "/publisher/src/index.js";
import { tab, tellChange } from "./stored.js";

const KEY = "shop.account";

// A real shop has ids of its own. This one makes them of the name (FNV-1a, 64 bits): events carry no e-mail address.
const idOf = (name) => {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name.trim().toLowerCase()))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return `user-${hash.toString(36)}`;
};
const userOf = (name) => ({ userId: idOf(name), identitySource: "demo" });

export const account = () => {
  const name = tab.read(KEY)?.name;
  return name ? { name } : null;
};

/** The publisher forgets the user with the page, so each page says it again. */
export const restoreAccount = () => {
  if (account()) setUser(userOf(account().name));
};
export const signIn = (name) => {
  tab.write(KEY, { name: name.trim() });
  trackLoginSuccess(userOf(name));
  tellChange();
};
export const signOut = () => {
  tab.write(KEY, null);
  trackLogout();
  tellChange();
};
