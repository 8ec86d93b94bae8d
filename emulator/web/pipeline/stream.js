// The stream of changes from the emulator: traces, statistics, resets, and whether it is connected.

const REOPEN_MS = 2000;

const EVENTS = { reset: "onReset", traces: "onTraces", stats: "onStats" };

/** Listen for as long as the page is open. `onConnection` gets "live" or "lost", the others their messages' data. */
export const listen = (handlers) => {
  const source = new EventSource("/api/stream");
  for (const [name, handler] of Object.entries(EVENTS))
    source.addEventListener(name, (message) => handlers[handler](JSON.parse(message.data)));
  source.onopen = () => handlers.onConnection("live");
  source.onerror = () => {
    handlers.onConnection("lost");
    // It reconnects by itself, but gives up if the answer is not a stream.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, REOPEN_MS, handlers);
  };
};
