"use client";

import { ClickstreamProvider, IgnoreClicks } from "@clickstream/publisher/react";
import type { ReactNode } from "react";

import { account } from "@/lib/account";
import { stored } from "@/lib/stored";

const consent = stored<"pending" | "granted" | "denied">("shop.consent", "pending");

/** Asks the visitor, once. Until the answer, events wait in memory. */
function ConsentBanner() {
  if (consent.use() !== "pending") return null;
  return (
    <IgnoreClicks>
      <p>
        May we count what you look at? <button onClick={() => consent.write("granted")}>Yes</button>{" "}
        <button onClick={() => consent.write("denied")}>No</button>
      </p>
    </IgnoreClicks>
  );
}

/** The publisher, with the visitor of this shop: `undefined` until the browser has said who is signed in. */
export function Clickstream({ children }: { children: ReactNode }) {
  const current = account.use();
  const user = current && { userId: current.id, identitySource: "demo" };
  return (
    <ClickstreamProvider user={user} consent={consent.use() ?? "pending"}>
      {children}
      <ConsentBanner />
    </ClickstreamProvider>
  );
}
