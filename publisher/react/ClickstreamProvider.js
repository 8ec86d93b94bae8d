// Starts the publisher, for `app/layout.tsx` or any other place around the whole shop.
import { useEffect, useLayoutEffect } from "react";

import { init, setUser } from "../src/index.js";
import { followNavigations } from "./pageView.js";

/** Before the first paint, and after the effects of what is within. On a server neither runs, and React 18 warns. */
export const useCommit = typeof document === "undefined" ? useEffect : useLayoutEffect;

// Next replaces this by the value when it builds. Elsewhere there may be no `process`.
const configuredEndpoint = () => {
  try {
    // @ts-expect-error  Browsers have no such name.
    return process.env.NEXT_PUBLIC_CLICKSTREAM_ENDPOINT;
  } catch {}
};

/**
 * The publisher for all that is within. Takes all options of `init`; functions among them can be given in client
 * components only. `endpoint` is `NEXT_PUBLIC_CLICKSTREAM_ENDPOINT` by default. A `user` that is there and undefined is
 * not known yet: events wait for it, for at most two seconds. Null is nobody. A change of user sends nothing.
 * @param {Omit<import("../src/settings.js").Options, "settle"> & { children?: import("react").ReactNode }} props
 */
export const ClickstreamProvider = (props) => {
  const { children, user, ...options } = props;
  const text = JSON.stringify(user);

  // Only a change: `trackLoginSuccess` may have said more since.
  useCommit(() => {
    if (text) setUser(JSON.parse(text));
  }, [text]);

  useCommit(() => {
    const awaited = "user" in props && !text && { user };
    init({ endpoint: configuredEndpoint(), ...options, ...awaited, settle: "commit" });
  });

  useCommit(followNavigations, []);

  return children;
};
