// Who the visitor says to be.

/**
 * @typedef {object} User
 * @property {string | null} [userId]
 * @property {"logged_in" | "anonymous"} [userLoginState] By default `logged_in` if there is a `userId`.
 * @property {string | null} [identitySource] Who says so, for instance `cognito`.
 */

/** @typedef {Required<User>} KnownUser */

/** @type {KnownUser} */
const NOBODY = { userId: null, userLoginState: "anonymous", identitySource: null };

/** @type {KnownUser | undefined} */
let user;
let isAwaited = false;

/** The user as far as it is known: before the shop has said anything, nobody knows. */
export const knownUser = () => user;

/** Whether the shop has said that it will say who the visitor is. */
export const isUserAwaited = () => isAwaited;

/** @param {User | null} [given] Without a user, nobody is signed in. */
export const nameUser = (given) => {
  const { userId = null, userLoginState = userId ? "logged_in" : "anonymous", identitySource = null } = given ?? NOBODY;
  user = { userId, userLoginState, identitySource };
  isAwaited = false;
};

/** The shop will say later who the visitor is. */
export const awaitUser = () => {
  isAwaited = !user;
};

/** Wait no longer: whoever has not been named is nobody. */
export const settleUser = () => nameUser(user);
