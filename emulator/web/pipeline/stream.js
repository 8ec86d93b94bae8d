// The stream of changes from the emulator: traces, statistics, resets, and whether it is there at all.

const REOPEN_MS = 2000;

const EVENTS = { reset: "onReset", traces: "onTraces", stats: "onStats" };

/** Listen, for ever. `onConnection` gets "live" or "lost"; the others the data of their messages. */
export const listen = (handlers) => {
  const source = new EventSource("/api/stream");
  for (const [name, handler] of Object.entries(EVENTS))
    source.addEventListener(name, (message) => handlers[handler](JSON.parse(message.data)));
  source.onopen = () => handlers.onConnection("live");
  source.onerror = () => {
    handlers.onConnection("lost");
    // It reconnects by itself, but gives up where the answer is no stream.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, REOPEN_MS, handlers);
  };
};
