// A value that the browser keeps. Its server-side value is `undefined`: not known yet.
import { useSyncExternalStore } from "react";

export type Stored<Value> = {
  read: () => Value;
  write: (value: Value) => void;
  /** The value, from the first render in the browser on; `undefined` before that. */
  use: () => Value | undefined;
};

export function stored<Value>(key: string, initial: Value): Stored<Value> {
  const listeners = new Set<() => void>();
  let text: string | null = null;
  let value = initial;
  const read = () => {
    const current = localStorage.getItem(key);
    if (current !== text) {
      text = current;
      value = current === null ? initial : (JSON.parse(current) as Value);
    }
    return value;
  };
  const write = (changed: Value) => {
    localStorage.setItem(key, JSON.stringify(changed));
    listeners.forEach((tell) => tell());
  };
  const subscribe = (tell: () => void) => {
    listeners.add(tell);
    return () => {
      listeners.delete(tell);
    };
  };
  return { read, write, use: () => useSyncExternalStore<Value | undefined>(subscribe, read, () => undefined) };
}
