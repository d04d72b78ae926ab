/** The one event stream: kept open, resumed from its cursor, its frames handed on once per animation frame. */

import { batch, signal } from "@preact/signals";

import { api, streamUrl } from "./api";

export interface Listener {
  frame: (name: EventName, frame: Frame) => void;
  /** The job whose every frame is wanted. */
  job: () => string | null;
  /** Frames may be missing: what is shown must be read again. */
  gap: () => void;
  /** The stream goes on from where it broke. */
  resumed: () => void;
  /** The server asks for a key. */
  loggedOut: () => void;
}

const nobody: Listener = {
  frame: () => undefined,
  job: () => null,
  gap: () => undefined,
  resumed: () => undefined,
  loggedOut: () => undefined,
};
let listener = nobody;

const EVENTS = ["snapshot", "status", "position", "progress", "preview", "output", "log", "reset", "done", "stats"] as const;
export type EventName = (typeof EVENTS)[number];

export type Frame = Record<string, unknown>;

let waitingFrames: [EventName, Frame][] = [];
let flushHandle = 0;
const FRAME_LIMIT = 4000;

function flush(): void {
  flushHandle = 0;
  const frames = waitingFrames;
  waitingFrames = [];
  batch(() => {
    for (const [name, frame] of frames) listener.frame(name, frame);
  });
}

function collect(name: EventName, frame: Frame): void {
  waitingFrames.push([name, frame]);
  if (waitingFrames.length >= FRAME_LIMIT) flush();
  // A hidden page gets no animation frames, and its frames must not pile up.
  else if (!flushHandle) flushHandle = document.hidden ? window.setTimeout(flush, 500) : requestAnimationFrame(flush);
}

export type Connection =
  | { phase: "connecting" | "live" | "stopped" }
  | { phase: "reconnecting"; tries: number; retryAt: number };

export const connection = signal<Connection>({ phase: "stopped" });

let source: EventSource | null = null;
let cursor = "";
let tries = 0;
let retryTimer = 0;
let lastHeard = 0;
let everOpened = false;
/** Whether a list was read before any stream was open. */
let readBlind = false;
let watching = false;
let openWaiters: (() => void)[] = [];

/** The stream refuses what has not this form; the page of such a job says by itself that there is none. */
const JOB_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
const QUIET_MS = 20_000;
const OPEN_PATIENCE_MS = 1500;

/** Resolves once the stream is open, or after a moment: a page without a stream is better than none. */
export async function opened(): Promise<void> {
  if (connection.peek().phase === "live") return;
  await new Promise<void>((resolve) => {
    openWaiters.push(resolve);
    setTimeout(resolve, OPEN_PATIENCE_MS);
  });
  readBlind ||= connection.peek().phase !== "live";
}

function onOpen(): void {
  const again = tries > 0;
  // Lists are read again only when there was no cursor to resume from; counts and charts have none.
  const gap = cursor === "" && (everOpened || readBlind);
  tries = 0;
  lastHeard = Date.now();
  connection.value = { phase: "live" };
  for (const resolve of openWaiters.splice(0)) resolve();
  everOpened = true;
  readBlind = false;
  if (gap) listener.gap();
  else if (again) listener.resumed();
}

async function onError(broken: EventSource): Promise<void> {
  if (broken !== source) return;
  broken.close();
  source = null;
  tries += 1;
  const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1));
  const delay = ceiling / 2 + Math.random() * (ceiling / 2);
  connection.value = { phase: "reconnecting", tries, retryAt: Date.now() + delay };
  clearTimeout(retryTimer);
  retryTimer = window.setTimeout(connect, delay);
  // An event source hides the status of a refusal: a lost session is found by asking.
  if (tries === 2) {
    try {
      const session = await api.session();
      if (session.required && !session.authenticated) listener.loggedOut();
    } catch {
      // The server is away; the next try is already planned.
    }
  }
}

/** Opens the one stream, from where the last one ended; an open one is replaced. */
export function connect(): void {
  if (!watching) return;
  clearTimeout(retryTimer);
  source?.close();
  if (waitingFrames.length) flush();
  if (connection.peek().phase === "stopped") connection.value = { phase: "connecting" };
  const job = listener.job();
  const watched = job && JOB_ID.test(job) ? job : null;
  const fresh = new EventSource(streamUrl(watched, cursor));
  source = fresh;
  fresh.onopen = () => {
    if (fresh === source) onOpen();
  };
  fresh.onerror = () => void onError(fresh);
  for (const name of EVENTS) {
    fresh.addEventListener(name, (event: MessageEvent<string>) => {
      if (fresh !== source) return;
      lastHeard = Date.now();
      if (event.lastEventId) cursor = event.lastEventId;
      try {
        collect(name, JSON.parse(event.data) as Frame);
      } catch {
        console.error("a frame is not JSON", name, event.data);
      }
    });
  }
}

async function checkPulse(): Promise<void> {
  if (connection.peek().phase !== "live" || Date.now() - lastHeard < QUIET_MS) return;
  try {
    await api.health();
    lastHeard = Date.now();
  } catch {
    if (source) void onError(source);
  }
}

export function startStream(to: Listener): void {
  listener = to;
  if (watching) return;
  watching = true;
  tries = 0;
  connect();
}

export function stopStream(): void {
  watching = false;
  clearTimeout(retryTimer);
  source?.close();
  source = null;
  connection.value = { phase: "stopped" };
}

/** Watches for what an event source does not notice: a machine that slept, a network that changed. */
export function guardStream(): void {
  let before = Date.now();
  setInterval(() => {
    const now = Date.now();
    const slept = now - before > 30_000;
    before = now;
    if (slept && !document.hidden && source) void onError(source);
    else void checkPulse();
  }, 5000);
  addEventListener("online", () => {
    if (watching && connection.peek().phase !== "live") connect();
  });
  addEventListener("offline", () => {
    if (source) void onError(source);
  });
  document.addEventListener("visibilitychange", () => {
    // A frame asked for before the page was hidden would come only when it is shown again.
    if (flushHandle) flush();
    if (!document.hidden && watching && connection.peek().phase === "reconnecting") connect();
  });
}
