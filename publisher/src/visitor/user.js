// Who the visitor says to be.

/**
 * @typedef {object} User
 * @property {string | null} [userId]
 * @property {"logged_in" | "anonymous"} [userLoginState] By default `logged_in` if there is a `userId`.
 * @property {string | null} [identitySource] Who says so, for instance `cognito`.
 */

/** @typedef {Required<User>} KnownUser */

/** @type {KnownUser | undefined} */
let user;

/** The user; undefined before it is known. */
export const knownUser = () => user;

/** @param {User | null} [given] Without a user, nobody is signed in. */
export const nameUser = (given) => {
  const { userId = null, userLoginState = userId ? "logged_in" : "anonymous", identitySource = null } = given ?? {};
  user = { userId, userLoginState, identitySource };
};

/** Whoever has not been named is nobody. */
export const settleUser = () => nameUser(user);
