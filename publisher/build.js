// Builds what ships, with source maps: an ES module, one file for a plain <script>, React's part; prints the sizes.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { minify } from "terser";

const HERE = dirname(fileURLToPath(import.meta.url));
const SHARED = {
  bundle: true,
  sourcemap: true,
  write: false,
  target: "es2021",
  logLevel: "warning",
  absWorkingDir: HERE,
};

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
    preamble: '"use client";', // terser drops the source's
    external: ["react"],
    plugins: [coreStaysOutside],
  },
  { entryPoints: ["react/catalogue.js"], outfile: "dist/catalogue.js", format: "esm" }, // for servers too
];

// esbuild keeps each function; terser puts one that is used once where it is used, so that small ones cost nothing.
const COMPRESS = { passes: 4, ecma: 2020, unsafe: true, unsafe_arrows: true, pure_getters: true, keep_fargs: false };
// Names within the publisher, which no event and no caller sees.
const MANGLE = { properties: { regex: /^(isDue|here|payload|viewed)$/ } };

// esbuild lists at the end what is exported, where each name costs a second time: it is said at the definition.
const exportInPlace = (script) => {
  const list = /^export \{([^}]*)\};$/m;
  const renamed = [];
  let changed = script;
  for (const name of (list.exec(script)?.[1] ?? "").split(",").map((each) => each.trim())) {
    const definition = new RegExp(`^var ${name} = `, "m");
    if (definition.test(changed)) changed = changed.replace(definition, (found) => `export ${found}`);
    else renamed.push(name);
  }
  return changed.replace(list, `export {${renamed.join(", ")}};`);
};

rmSync(join(HERE, "dist"), { recursive: true, force: true });
mkdirSync(join(HERE, "dist"));
for (const { preamble, ...part } of parts) {
  const { outputFiles } = await build({ ...SHARED, ...part });
  const [map, script] = outputFiles.map(({ text }) => text);
  const file = join(HERE, part.outfile);
  const name = basename(file);
  const small = await minify({ [name]: exportInPlace(script) }, {
    module: part.format === "esm",
    format: { preamble },
    mangle: { ...MANGLE }, // terser writes into it
    compress: { ...COMPRESS, toplevel: part.format === "esm" },
    sourceMap: { content: map, filename: name, url: `${name}.map` },
  });
  writeFileSync(file, small.code);
  writeFileSync(`${file}.map`, small.map);
  const gzipped = gzipSync(small.code, { level: 9 }).length;
  console.log(`${part.outfile}: ${small.code.length} bytes, ${gzipped} gzipped`);
}
