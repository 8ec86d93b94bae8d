// The rules for the scripts that run in a browser. Paths are those of the folder ESLint is started in: the root.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { cwd } from "node:process";

import js from "@eslint/js";
import importX from "eslint-plugin-import-x";
import noUnsanitized from "eslint-plugin-no-unsanitized";
import globals from "globals";

// Browsers load the scripts as they are: an import names a file beside it, or a path of the emulator's web server.
const servedFiles = {
  interfaceVersion: 3,
  name: "served files",
  resolve(source, importer) {
    const path = source.startsWith("/") ? join(cwd(), source) : resolve(dirname(importer), source);
    return { found: existsSync(path), path };
  },
};

const refused = (selector, message) => ({ selector, message });

export default [
  { ignores: ["publisher/dist/"] }, // built
  js.configs.recommended,
  noUnsanitized.configs.recommended,
  {
    plugins: { "import-x": importX },
    languageOptions: { globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    settings: { "import-x/resolver-next": [servedFiles] },
    rules: {
      "import-x/export": "error",
      "import-x/first": "error",
      "import-x/named": "error",
      "import-x/no-cycle": "error",
      "import-x/no-duplicates": "error",
      "import-x/no-mutable-exports": "error",
      "import-x/no-self-import": "error",
      "import-x/no-unresolved": "error",

      "max-len": ["error", { code: 120 }],
      "max-lines": ["error", { max: 149 }],

      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-script-url": "error",
      "no-restricted-globals": ["error", { name: "DOMParser", message: "It makes markup of text." }],
      // What the content security policy refuses, and what makes markup of text beside no-unsanitized.
      "no-restricted-syntax": [
        "error",
        refused("CallExpression[callee.property.name='parseHTMLUnsafe']", "It makes markup of text."),
        refused("ImportExpression", "Import at the top, where it can be checked."),
        refused("AssignmentExpression[left.property.name=/^(style|cssText|srcdoc)$/]", "Use style.setProperty()."),
        refused("CallExpression[callee.property.name='setAttribute'] > Literal[value=/^(style|srcdoc|on.*)$/]",
          "Use style.setProperty() or addEventListener()."),
      ],

      eqeqeq: "error",
      "no-empty": ["error", { allowEmptyCatch: true }], // where storage or the network fails, the page goes on
      "no-shadow": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
    },
  },
  {
    files: ["analysis/dashboard/static/texts/*.js"], // one line for each text
    rules: { "max-len": "off", "max-lines": "off" },
  },
  {
    files: ["publisher/react/*.js"],
    languageOptions: { globals: { process: "readonly" } }, // Next.js replaces it when it builds
    rules: { "import-x/no-unresolved": ["error", { ignore: ["^react$"] }] }, // the shop's
  },
  {
    files: ["publisher/build.js", "tests/browsers/firefox.js"],
    languageOptions: { globals: globals.node },
    rules: { "import-x/no-unresolved": ["error", { ignore: ["^(node:|esbuild$|terser$|puppeteer-core$)"] }] },
  },
];
