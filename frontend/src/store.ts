/** The jobs that are on screen, one signal each, and the lists that hold them. Jobs that nothing shows are not kept. */

import { batch, signal, type Signal } from "@preact/signals";

import { api, Problem, type Job, type JobEvent, type JobQuery, type Page, type State } from "./api";
import { isFinal } from "./format";
import { opened } from "./stream";

const jobs = new Map<string, Signal<Job>>();
/** The job of the job page, which is kept whatever the lists show. */
let pinned: string | null = null;

/** Its record, once it is known. */
export const pinnedJob = signal<Signal<Job> | undefined>(undefined);

export function pin(id: string | null): void {
  pinned = id;
  pinnedJob.value = id === null ? undefined : jobs.get(id);
}

export function isPinned(id: unknown): boolean {
  return pinned !== null && id === pinned;
}

export function pinnedId(): string | null {
  return pinned;
}

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

/** Soon, not at once: the next view may show what the last one showed. */
export function forgetSoon(): void {
  clearTimeout(forgetTimer);
  forgetTimer = window.setTimeout(forgetUnseen, 2000);
}

let forgetTimer = 0;

function forgetUnseen(): void {
  const seen = new Set<string>(pinned ? [pinned] : []);
  for (const list of lists) for (const id of [...list.ids.peek(), ...list.held.peek()]) seen.add(id);
  for (const id of jobs.keys()) if (!seen.has(id)) jobs.delete(id);
}

/** What a `status` frame says. */
export type Status = Partial<Job> & { job: string; state: State; version: number; at: string };

function withEvent(job: Job, status: Status): JobEvent[] | undefined {
  if (!job.events || job.events.some((event) => event.version === status.version)) return job.events;
  const { version, state, at } = status;
  return [...job.events, { version, state, at, attempt: status.attempt ?? 0, error: status.error ?? null }];
}

function merge(job: Job, status: Status): Job {
  const { job: id, at, ...fields } = status;
  const next: Job = { ...job, ...fields, id };
  // A frame made before the record was read has no start of its own.
  if (!fields.started_at) {
    if (status.state === "running") next.started_at = at;
    else if (isFinal(status.state)) next.started_at = job.started_at ?? null;
  }
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
  const job: Job = { task: "", queue: "", created_at: at, ...fields, id };
  return status.state === "running" ? { ...job, started_at: job.started_at ?? at } : job;
}

/** Takes a transition; false where it is not news. */
export function storeStatus(status: Status): boolean {
  const known = jobs.get(status.job);
  if (known && status.version <= known.peek().version) return false;
  const next = known ? merge(known.peek(), status) : fromStatus(status);
  if (known) known.value = next;
  for (const list of lists) list.offer(next);
  return true;
}

/** Takes what changes between transitions: progress, preview, position. */
export function amend(id: unknown, fields: Partial<Job>): void {
  const known = jobs.get(String(id ?? ""));
  if (known) known.value = { ...known.peek(), ...fields };
}

/** Reads every open list again. */
export function reloadLists(): void {
  for (const list of lists) void list.load();
}

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
    forgetSoon();
  }

  async load(): Promise<void> {
    const turn = ++this.#turn;
    this.#early = [];
    try {
      // Only what happens after the stream is open is certain to arrive, so the page is read after that.
      await opened();
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
      if (jobs.size > 4 * room + 400) forgetSoon();
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
