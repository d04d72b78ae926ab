/** Counts and charts, pushed by the stream; queues and workers, read every few seconds while someone looks. */

import { batch, signal } from "@preact/signals";

import { api, Problem, type Counts, type Point, type Queue, type Stats, type Worker } from "./api";
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
