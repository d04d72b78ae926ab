/** Counts and charts, pushed by the stream; queues and workers, read every few seconds while someone looks. */

import { batch, signal } from "@preact/signals";

import { api, Problem, type Counts, type Job, type Limit, type Point, type Queue, type Scaling, type Schedule, type Stats, type Tenant, type Worker } from "./api";
import type { Frame } from "./stream";

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

export function addStats(frame: Frame): void {
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

const REFUSED_SECONDS = 60;

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
      const refused = this.problem.peek()?.status === 403;
      this.#timer = window.setTimeout(() => void this.#loop(), (refused ? REFUSED_SECONDS : this.seconds) * 1000);
    }
  }
}

export const queues = new Poll<Queue>(api.queues, 4);
export const workers = new Poll<Worker>(api.workers, 4);
export const limits = new Poll<Limit>(api.limits, 2);
/** The jobs that start next. Behind a very long line the server would have to read all of it to say who is first. */
const LINE = 6;
const LINE_BEHIND = 20_000;
export const line = new Poll<Job>(async () => ((counts.peek()?.queued ?? 0) > LINE_BEHIND ? { items: [] } : api.line(LINE)), 2);
export const schedules = new Poll<Schedule>(api.schedules, 4);
export const scaling = new Poll<Scaling>(api.scaling, 10);

/** How many tenants have jobs and are not in the list. */
export const moreTenants = signal(0);
export const tenants = new Poll<Tenant>(async () => {
  const answer = await api.tenants();
  moreTenants.value = answer.more ?? 0;
  return answer;
}, 3);
