// A value with listeners, and a hook that redraws a component when it changes.
import { useEffect, useState } from "preact/hooks";

export class Store {
  #listeners = new Set();

  constructor(value) {
    this.value = value;
  }

  set(value) {
    this.value = value;
    for (const listener of this.#listeners) listener();
  }

  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function useStore(store) {
  const [, redraw] = useState(0);
  useEffect(() => store.listen(() => redraw((n) => n + 1)), [store]);
  return store.value;
}

// Seconds pass: redraws once a second, for ages and durations. All listeners share one timer.
const clock = new Store(Date.now());
setInterval(() => clock.set(Date.now()), 1000);
export const useClock = () => useStore(clock);

// What this browser remembers: language, theme.
export function remembered(name, fallback) {
  let value = fallback;
  try {
    value = localStorage.getItem(`callflow.${name}`) ?? fallback;
  } catch {
    // A browser may forbid storage; the choice then lasts until the page is left.
  }
  const store = new Store(value);
  store.listen(() => {
    try {
      localStorage.setItem(`callflow.${name}`, store.value);
    } catch {
      // As above.
    }
  });
  return store;
}
