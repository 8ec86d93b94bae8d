// Builds what ships: an ES module, one file for a plain <script>, React's part, and their source maps; prints the sizes.
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const SHARED = { bundle: true, minify: true, sourcemap: true, target: "es2021", logLevel: "warning", absWorkingDir: HERE };

// React's part and the shop have to share one core, with one state: its modules stay where they are, in index.js.
const coreStaysOutside = {
  name: "core stays outside",
  setup: ({ onResolve }) => onResolve({ filter: /\/src\/index\.js$/ }, () => ({ path: "./index.js", external: true })),
};

const parts = [
  { entryPoints: ["src/index.js"], outfile: "dist/index.js", format: "esm" },
  { entryPoints: ["src/index.js"], outfile: "dist/clickstream.global.js", format: "iife", globalName: "clickstream" },
  {
    entryPoints: ["react/index.js"],
    outfile: "dist/react.js",
    format: "esm",
    external: ["react"],
    plugins: [coreStaysOutside],
  },
  { entryPoints: ["react/catalogue.js"], outfile: "dist/catalogue.js", format: "esm" }, // for servers too
];

rmSync(join(HERE, "dist"), { recursive: true, force: true });
for (const part of parts) {
  await build({ ...SHARED, ...part });
  const script = readFileSync(join(HERE, part.outfile));
  console.log(`${part.outfile}: ${script.length} bytes, ${gzipSync(script, { level: 9 }).length} gzipped`);
}
