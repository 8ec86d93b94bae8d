"use client";
// The publisher for React, and with it for Next.js.
export { ClickstreamProvider } from "./ClickstreamProvider.js";
export { CategoryTracker, HomeTracker, ProductViewTracker } from "./trackers.js";
export { IgnoreClicks, useAddToCart, useClickstream, useFavorite } from "./useClickstream.js";
