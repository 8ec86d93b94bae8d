// Drives a Firefox with a new profile over WebDriver BiDi, for driver.py: `node firefox.js PROGRAM`. Reads one command
// per line, as JSON: [name, argument]. Answers each with one line: { value } or { error }. Ends when its input ends.
import { argv, stdin, stdout } from "node:process";
import { createInterface } from "node:readline";

import { launch } from "puppeteer-core";

// Whatever the browser asks for by itself goes to a proxy that is not there; what is on this computer needs no proxy.
const LOOPBACK_ONLY = {
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 9,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.trr.mode": 5,
};

const browser = await launch({
  browser: "firefox",
  executablePath: argv[2],
  headless: true,
  extraPrefsFirefox: LOOPBACK_ONLY,
});
const [page] = await browser.pages();

const commands = {
  version: () => browser.version(),
  open: (url) => page.goto(url).then(() => null),
  run: (expression) => page.evaluate(expression),
  click: (selector) => page.click(selector),
};

const say = (answer) => stdout.write(`${JSON.stringify(answer)}\n`);

for await (const line of createInterface({ input: stdin })) {
  const [name, argument] = JSON.parse(line);
  try {
    say({ value: (await commands[name](argument)) ?? null });
  } catch (error) {
    say({ error: `${error}` });
  }
}
await browser.close();
