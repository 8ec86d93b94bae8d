import type { NextConfig } from "next";

// Next keeps the pages that were left, if it is asked to: the views have to be right in both ways.
const cacheComponents = process.env.CACHE_COMPONENTS === "1";

const config: NextConfig = {
  cacheComponents,
  distDir: cacheComponents ? ".next-cached" : ".next",
  reactStrictMode: true,
};

export default config;
