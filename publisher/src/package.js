// The package that made an event, as in package.json.
export const publisher = { name: "@clickstream/publisher", version: "0.1.0" };
