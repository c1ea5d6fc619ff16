// The live stream. One tab of a browser holds it (Web Locks) and passes it to the others (BroadcastChannel).
import { whoAmI } from "./api.js";
import { Store } from "./store.js";

const STALE_MS = 15000; // three beats of the server

// state: everything by key; heardAt: when this browser last heard from the server; skewMs: server's clock less ours.
const NOTHING = { state: {}, heardAt: 0, skewMs: 0, connected: false };
export const live = new Store(NOTHING);

export const serverNow = () => Date.now() + live.value.skewMs;

let drawing = false;
let next = live.value;
function show(change) {
  next = { ...next, ...change };
  if (drawing) return;
  drawing = true; // several frames become one drawing
  requestAnimationFrame(() => {
    drawing = false;
    live.set(next);
  });
  if (document.hidden) {
    drawing = false;
    live.value = next; // a hidden page draws nothing, and draws the newest when it is seen again
  }
}

let version; // of the daemon: another one may bring another page, which a wall display would not fetch for months
function isOtherVersion({ health }) {
  const before = version;
  version = health?.version ?? before;
  return before !== undefined && before !== version;
}

function take(kind, data) {
  if (kind === "snapshot" && isOtherVersion(data.set)) return location.reload();
  const base = { heardAt: Date.now(), skewMs: data.at_ms - Date.now(), connected: true };
  if (kind === "snapshot") return show({ ...base, state: data.set });
  if (kind === "beat") return show(base);
  const state = { ...next.state, ...data.set };
  for (const key of data.gone) delete state[key];
  show({ ...base, state });
}

const channel = new BroadcastChannel("callflow-live");
let stop = () => {};

function lead() {
  const source = new EventSource("api/v1/events");
  for (const kind of ["snapshot", "change", "beat"]) {
    source.addEventListener(kind, (event) => {
      const data = JSON.parse(event.data);
      take(kind, data);
      channel.postMessage({ kind, data });
    });
  }
  source.onerror = () => {
    show({ connected: false });
    channel.postMessage({ kind: "lost" });
    if (source.readyState === EventSource.CLOSED) whoAmI(); // refused: signed out, or no room
  };
  channel.onmessage = ({ data }) => {
    if (data.kind === "hello") channel.postMessage({ kind: "snapshot", data: { set: next.state, at_ms: serverNow() } });
  };
  return source;
}

function follow() {
  channel.onmessage = ({ data }) => {
    if (data.kind === "lost") show({ connected: false });
    else if (data.kind !== "hello") take(data.kind, data.data);
  };
  channel.postMessage({ kind: "hello" });
}

// Starts the stream of a visitor; returns what ends it when they sign out, so that the next one sees nothing of it.
export function start() {
  const ended = new AbortController();
  follow();
  const lock = navigator.locks?.request("callflow-live", { signal: ended.signal }, () => {
    let source = lead();
    const watch = setInterval(() => {
      const silent = Date.now() - next.heardAt > STALE_MS;
      if (!silent && source.readyState !== EventSource.CLOSED) return;
      source.close(); // asleep or cut off without a word: begin again
      source = lead();
    }, 5000);
    return new Promise((done) => {
      stop = () => {
        clearInterval(watch);
        source.close();
        done();
      };
    });
  });
  if (lock) {
    lock.catch(() => {});
    stop = () => ended.abort();
  } else {
    const source = lead(); // no locks outside a secure context: each tab has a stream of its own
    stop = () => source.close();
  }
  return () => {
    stop();
    channel.onmessage = null;
    next = NOTHING;
    live.set(next);
  };
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) live.set(next);
});

export const isStale = ({ heardAt, connected }) => !connected || Date.now() - heardAt > STALE_MS;

// The entries of one kind: `queue`, `agent`, `line`, `call`.
export function entries(state, kind) {
  const prefix = `${kind}/`;
  return Object.entries(state)
    .filter(([key]) => key.startsWith(prefix))
    .map(([, value]) => value);
}
