// Prints how much script the built home page loads, and how much of it is the file that holds the publisher.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const [build = ".next"] = process.argv.slice(2);
const page = readFileSync(`${build}/server/app/index.html`, "utf8");
const scripts = [...new Set([...page.matchAll(/ src="\/_next\/([^"?]+\.js)/g)].map(([, path]) => path))].map((path) => {
  const script = readFileSync(`${build}/${path}`);
  return { bytes: gzipSync(script, { level: 9 }).length, hasPublisher: script.includes("@clickstream/publisher") };
});
const kilobytes = (some) => `${(some.reduce((sum, { bytes }) => sum + bytes, 0) / 1024).toFixed(1)} KB`;

console.log(`home page: ${scripts.length} scripts, ${kilobytes(scripts)} gzipped`);
console.log(`of these, with the publisher: ${kilobytes(scripts.filter(({ hasPublisher }) => hasPublisher))}`);
