/**
 * What the page knows, kept current by one event stream.
 *
 * Frames are collected and applied once per animation frame. Jobs that no list and no page shows are not kept.
 */

import { batch, signal, type Signal } from "@preact/signals";

import {
  api,
  Problem,
  streamUrl,
  type Counts,
  type Job,
  type JobEvent,
  type JobQuery,
  type Output,
  type Page,
  type Point,
  type Preview,
  type Progress,
  type Queue,
  type State,
  type Stats,
  type Worker,
} from "./api";
import { isFinal } from "./format";

// ---------------------------------------------------------------------------------------------- the jobs

const jobs = new Map<string, Signal<Job>>();
let pinned: string | null = null;

/** The job of the job page, once it is known. */
export const pinnedJob = signal<Signal<Job> | undefined>(undefined);

export function jobSignal(id: string): Signal<Job> | undefined {
  return jobs.get(id);
}

/** Takes a job as the server gave it, unless a newer version is already here. */
export function store(job: Job): Signal<Job> {
  const known = jobs.get(job.id);
  if (!known) {
    const fresh = signal(job);
    jobs.set(job.id, fresh);
    if (job.id === pinned) pinnedJob.value = fresh;
    return fresh;
  }
  if (job.version >= known.peek().version) known.value = { ...known.peek(), ...job };
  return known;
}

function forgetUnseen(): void {
  const seen = new Set<string>(pinned ? [pinned] : []);
  for (const list of lists) for (const id of [...list.ids.peek(), ...list.held.peek()]) seen.add(id);
  for (const id of jobs.keys()) if (!seen.has(id)) jobs.delete(id);
}

type Frame = Record<string, unknown>;
type Status = Partial<Job> & { job: string; state: State; version: number; at: string };

function withEvent(job: Job, status: Status): JobEvent[] | undefined {
  if (!job.events || job.events.some((event) => event.version === status.version)) return job.events;
  const { version, state, at } = status;
  return [...job.events, { version, state, at, attempt: status.attempt ?? 0, error: status.error ?? null }];
}

function merge(job: Job, status: Status): Job {
  const { job: id, at: _at, ...fields } = status;
  const next: Job = { ...job, ...fields, id };
  const events = withEvent(job, status);
  if (events) next.events = events;
  if (status.state !== "running") {
    next.progress = null;
    next.preview = null;
  } else if (job.state !== "running") {
    next.position = 0;
    next.waiting_on = null;
  }
  if (isFinal(status.state)) {
    next.position = null;
    next.waiting_on = null;
    next.eta = null;
  }
  return next;
}

function fromStatus(status: Status): Job {
  const { job: id, at, ...fields } = status;
  return { task: "", queue: "", created_at: at, ...fields, id };
}

function onStatus(status: Status): void {
  const known = jobs.get(status.job);
  if (known && status.version <= known.peek().version) return;
  const next = known ? merge(known.peek(), status) : fromStatus(status);
  if (known) known.value = next;
  for (const list of lists) list.offer(next);
  if (status.job === pinned) refreshSoon(status.job);
}

// ---------------------------------------------------------------------------------------------- lists of jobs

const lists = new Set<JobList>();
const LIST_SLACK = 10;

function newerFirst(a: Job, b: Job): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

/** One page of jobs, newest first, that follows the stream. */
export class JobList {
  readonly ids = signal<readonly string[]>([]);
  /** Jobs that arrived while the list was held still. */
  readonly held = signal<readonly string[]>([]);
  readonly loading = signal(true);
  readonly problem = signal<Problem | null>(null);
  readonly next = signal<string | null>(null);
  /** Whether a job that is on the page stays there. */
  readonly #keep: (job: Job) => boolean;
  readonly #order: (a: Job, b: Job) => number;
  #still = false;
  #trimmed = false;
  #early: Job[] | null = [];
  #turn = 0;

  constructor(
    readonly query: JobQuery,
    readonly limit: number,
    readonly accepts: (job: Job) => boolean,
    { keep = accepts, order = newerFirst }: { keep?: (job: Job) => boolean; order?: (a: Job, b: Job) => number } = {},
  ) {
    this.#keep = keep;
    this.#order = order;
  }

  open(): this {
    lists.add(this);
    void this.load();
    return this;
  }

  close(): void {
    lists.delete(this);
    forgetUnseen();
  }

  async load(): Promise<void> {
    const turn = ++this.#turn;
    this.#early = [];
    try {
      // Only what happens after the stream is open is certain to arrive, so the page is read after that.
      await opened();
      readBlind ||= connection.peek().phase !== "live";
      const page: Page = await api.jobs({ ...this.query, limit: this.limit });
      if (turn !== this.#turn) return;
      batch(() => {
        for (const job of page.items) store(job);
        const kept = page.items.filter((job) => this.#keep(job)).sort(this.#order);
        this.ids.value = kept.map((job) => job.id);
        this.held.value = [];
        this.next.value = page.next;
        this.problem.value = null;
        this.loading.value = false;
        this.#trimmed = false;
        const early = this.#early ?? [];
        this.#early = null;
        for (const job of early) {
          const known = jobs.get(job.id);
          if (known && known.peek().version < job.version) known.value = { ...known.peek(), ...job };
          this.offer(known?.peek() ?? job);
        }
      });
    } catch (cause) {
      if (turn !== this.#turn) return;
      this.problem.value = Problem.from(cause);
      this.loading.value = false;
      this.#early = null;
    }
  }

  /** Holds the list still while someone picks rows: new jobs wait in `held`. */
  hold(still: boolean): void {
    this.#still = still;
    if (!still) this.showHeld();
  }

  showHeld(): void {
    const waiting = this.held.peek();
    if (!waiting.length) return;
    this.held.value = [];
    this.#insert(waiting);
  }

  offer(job: Job): void {
    if (this.#early) {
      this.#early.push(job);
      return;
    }
    const ids = this.ids.peek();
    if (ids.includes(job.id)) {
      if (!this.#keep(job) && !this.#still) this.ids.value = ids.filter((id) => id !== job.id);
      return;
    }
    if (!this.accepts(job) || this.query.after) return;
    const last = jobs.get(ids[ids.length - 1] ?? "")?.peek();
    // Older than the last row: it belongs to a page further down.
    if (last && this.next.peek() !== null && this.#order(job, last) > 0) return;
    store(job);
    if (!this.#still) this.#insert([job.id]);
    else if (!this.held.peek().includes(job.id)) this.held.value = [job.id, ...this.held.peek()];
  }

  #insert(fresh: readonly string[]): void {
    const all = [...new Set([...fresh, ...this.ids.peek()])]
      .map((id) => jobs.get(id)?.peek())
      .filter((job) => job !== undefined)
      .sort(this.#order);
    const room = this.limit + (this.#still ? LIST_SLACK : 0);
    if (all.length > room) {
      all.length = room;
      this.#trimmed = true;
      if (jobs.size > 4 * room + 400) queueMicrotask(forgetUnseen);
    }
    this.ids.value = all.map((job) => job.id);
    if (this.#trimmed && this.next.peek() === null) this.next.value = "";
  }

  /** The cursor of the page below. Rows that were pushed off this page make the one that was read stale. */
  async older(): Promise<string | null> {
    if (!this.#trimmed) return this.next.peek();
    return (await api.jobs({ ...this.query, limit: this.limit })).next;
  }
}

// ---------------------------------------------------------------------------------------------- the job page

export const pageProblem = signal<Problem | null>(null);
interface Chunk {
  index: number;
  text: string;
}
export const chunks = signal<readonly Chunk[]>([]);
export const logs = signal<readonly { level: string; message: string; source: string; at: string }[]>([]);
const LOG_LINES = 300;

let refreshTimer = 0;
let chunkAttempt = 0;
const OUTPUT_PAGES = 20;

/** Takes pieces of a streamed output, of which a later attempt starts anew. */
function addChunks(attempt: number, fresh: readonly Chunk[]): void {
  if (attempt < chunkAttempt) return;
  const old = attempt > chunkAttempt ? [] : chunks.peek();
  chunkAttempt = attempt;
  const all = new Map(old.map((chunk) => [chunk.index, chunk]));
  for (const chunk of fresh) all.set(chunk.index, chunk);
  chunks.value = [...all.values()].sort((a, b) => a.index - b.index);
}

function chunkText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Reads the pieces that were streamed before this page watched. */
async function readChunks(id: string, attempt: number): Promise<void> {
  let after: number | null = null;
  for (let page = 0; page < OUTPUT_PAGES; page++) {
    const answer: { items: Output[]; next: number | null } = await api.outputs(id, after);
    if (pinned !== id) return;
    const found = answer.items.filter((item) => item.chunk !== undefined && item.chunk !== null);
    if (found.length) addChunks(attempt, found.map((item) => ({ index: item.index, text: chunkText(item.chunk) })));
    after = answer.next;
    if (after === null) return;
  }
}

async function refreshPinned(id: string, withChunks = false): Promise<void> {
  try {
    const job = await api.job(id);
    if (pinned !== id) return;
    batch(() => {
      store(job);
      pageProblem.value = null;
    });
    if (withChunks && job.attempt) await readChunks(id, job.attempt);
  } catch (cause) {
    if (pinned === id) pageProblem.value = Problem.from(cause);
  }
}

function refreshSoon(id: string): void {
  clearTimeout(refreshTimer);
  refreshTimer = window.setTimeout(() => void refreshPinned(id), 120);
}

/** Shows one job: its every frame is asked for, and its full record is read. */
export function openJob(id: string): () => void {
  pinned = id;
  batch(() => {
    pinnedJob.value = jobs.get(id);
    pageProblem.value = null;
    chunks.value = [];
    logs.value = [];
  });
  chunkAttempt = 0;
  connect();
  void refreshPinned(id, true);
  return () => {
    if (pinned !== id) return;
    pinned = null;
    pinnedJob.value = undefined;
    clearTimeout(refreshTimer);
    connect();
    forgetUnseen();
  };
}

export function reloadJob(id: string): void {
  void refreshPinned(id);
}

// ---------------------------------------------------------------------------------------------- counts and charts

export const WINDOW = 300;
export const STEP = 5;

export const counts = signal<Counts | null>(null);
export const queueCounts = signal<Record<string, Counts>>({});
export const series = signal<readonly Point[]>([]);
export const statsProblem = signal<Problem | null>(null);

function addPoint(point: Point): void {
  const old = series.peek();
  const last = old[old.length - 1];
  if (last && point.at < last.at) return;
  const kept = last?.at === point.at ? old.slice(0, -1) : old;
  series.value = [...kept, point].slice(-(WINDOW / STEP + 1));
}

function onStats(frame: Frame): void {
  if (frame.counts) counts.value = frame.counts as Counts;
  if (frame.queues) queueCounts.value = frame.queues as Record<string, Counts>;
  const tail = (frame.series ?? frame.point) as Point | Point[] | null | undefined;
  if (Array.isArray(tail)) for (const point of tail) addPoint(point);
  else if (tail?.at) addPoint(tail);
}

export async function loadStats(): Promise<void> {
  try {
    const stats: Stats = await api.stats(WINDOW, STEP);
    batch(() => {
      counts.value = stats.counts;
      queueCounts.value = stats.queues;
      series.value = stats.series;
      statsProblem.value = null;
    });
  } catch (cause) {
    statsProblem.value = Problem.from(cause);
  }
}

// ---------------------------------------------------------------------------------------------- what is polled

/** A list without events of its own, read every few seconds while someone looks at it. */
export class Poll<T> {
  readonly items = signal<readonly T[] | null>(null);
  readonly problem = signal<Problem | null>(null);
  #users = 0;
  #timer = 0;

  constructor(
    readonly read: () => Promise<{ items: T[] }>,
    readonly seconds: number,
  ) {}

  open(): () => void {
    if (this.#users++ === 0) void this.#loop();
    return () => {
      if (--this.#users === 0) clearTimeout(this.#timer);
    };
  }

  async refresh(): Promise<void> {
    try {
      const { items } = await this.read();
      batch(() => {
        this.items.value = items;
        this.problem.value = null;
      });
    } catch (cause) {
      this.problem.value = Problem.from(cause);
    }
  }

  async #loop(): Promise<void> {
    clearTimeout(this.#timer);
    if (!document.hidden) await this.refresh();
    if (this.#users > 0) {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => void this.#loop(), this.seconds * 1000);
    }
  }
}

export const queues = new Poll<Queue>(api.queues, 4);
export const workers = new Poll<Worker>(api.workers, 4);

// ---------------------------------------------------------------------------------------------- frames

const EVENTS = ["snapshot", "status", "position", "progress", "preview", "output", "log", "reset", "done", "stats"] as const;
type EventName = (typeof EVENTS)[number];

let waitingFrames: [EventName, Frame][] = [];
let flushHandle = 0;
const FRAME_LIMIT = 4000;

function flush(): void {
  flushHandle = 0;
  const frames = waitingFrames;
  waitingFrames = [];
  batch(() => {
    for (const [name, frame] of frames) apply(name, frame);
  });
}

function collect(name: EventName, frame: Frame): void {
  waitingFrames.push([name, frame]);
  if (waitingFrames.length >= FRAME_LIMIT) flush();
  // A hidden page gets no animation frames, and its frames must not pile up.
  else if (!flushHandle) flushHandle = document.hidden ? window.setTimeout(flush, 500) : requestAnimationFrame(flush);
}

function change(frame: Frame, fields: Partial<Job>): void {
  const known = jobs.get(String(frame.job ?? ""));
  if (known) known.value = { ...known.peek(), ...fields };
}

function onOutput(frame: Frame): void {
  if (frame.job !== pinned) return;
  const index = Number(frame.index ?? 0);
  if (frame.chunk !== undefined && frame.chunk !== null) {
    addChunks(Number(frame.attempt ?? 0), [{ index, text: chunkText(frame.chunk) }]);
  }
  const artifact = frame.artifact as Output | undefined;
  const known = jobs.get(pinned ?? "");
  if (artifact?.url && known) {
    const others = (known.peek().outputs ?? []).filter((output) => output.index !== index);
    known.value = { ...known.peek(), outputs: [...others, { ...artifact, index }].sort((a, b) => a.index - b.index) };
  }
}

function onReset(): void {
  for (const list of lists) void list.load();
  if (pinned) void refreshPinned(pinned);
  void loadStats();
  void queues.refresh();
}

function apply(name: EventName, frame: Frame): void {
  switch (name) {
    case "status":
      onStatus(frame as unknown as Status);
      break;
    case "snapshot": {
      const job = frame as unknown as Job;
      if (job.id && (jobs.has(job.id) || job.id === pinned)) store(job);
      break;
    }
    case "position": {
      const { position, ahead, eta, waiting_on } = frame as Partial<Job>;
      change(frame, { position: position ?? null, ahead: ahead ?? null, eta: eta ?? null, waiting_on: waiting_on ?? null });
      break;
    }
    case "progress": {
      const { job: _job, ...progress } = frame;
      change(frame, { progress: progress as unknown as Progress });
      break;
    }
    case "preview": {
      const { job: _job, ...preview } = frame;
      change(frame, { preview: preview as unknown as Preview });
      break;
    }
    case "output":
      onOutput(frame);
      break;
    case "log":
      if (frame.job === pinned) {
        const line = { level: "info", message: "", source: "", at: "", ...frame } as (typeof logs.value)[number];
        logs.value = [...logs.peek(), line].slice(-LOG_LINES);
      }
      break;
    case "done":
      if (frame.job === pinned && pinned) refreshSoon(pinned);
      break;
    case "stats":
      onStats(frame);
      break;
    case "reset":
      onReset();
  }
}

// ---------------------------------------------------------------------------------------------- the stream

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
function opened(): Promise<void> {
  if (connection.peek().phase === "live") return Promise.resolve();
  return new Promise((resolve) => {
    openWaiters.push(resolve);
    setTimeout(resolve, OPEN_PATIENCE_MS);
  });
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
  if (gap) onReset();
  else if (again) void loadStats();
  if (again && pinned) void refreshPinned(pinned, true);
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
      if (session.required && !session.authenticated) whenLoggedOut();
    } catch {
      // The server is away; the next try is already planned.
    }
  }
}

let whenLoggedOut = (): void => undefined;

/** Opens the one stream, from where the last one ended; an open one is replaced. */
export function connect(): void {
  if (!watching) return;
  clearTimeout(retryTimer);
  source?.close();
  if (waitingFrames.length) flush();
  if (connection.peek().phase === "stopped") connection.value = { phase: "connecting" };
  const fresh = new EventSource(streamUrl(pinned && JOB_ID.test(pinned) ? pinned : null, cursor));
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

/** Starts following the server, and calls `loggedOut` when it asks for a key again. */
export function startLive(loggedOut: () => void): void {
  whenLoggedOut = loggedOut;
  if (watching) return;
  watching = true;
  tries = 0;
  connect();
  void loadStats();
}

export function stopLive(): void {
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
