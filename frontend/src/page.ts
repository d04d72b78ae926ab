/** The job page: one job in full, with what it streams and logs. */

import { batch, signal } from "@preact/signals";

import { api, Problem, type Output } from "./api";
import { amend, forgetSoon, isPinned, pin, pinnedId, pinnedJob, store } from "./store";
import { connect, type Frame } from "./stream";

export const pageProblem = signal<Problem | null>(null);
interface Chunk {
  index: number;
  text: string;
}
export const chunks = signal<readonly Chunk[]>([]);
interface LogLine {
  level: string;
  message: string;
  source: string;
  at: string;
  cursor?: unknown;
}
export const logs = signal<readonly LogLine[]>([]);
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
    if (!isPinned(id)) return;
    const found = answer.items.filter((item) => item.chunk !== undefined && item.chunk !== null);
    if (found.length) addChunks(attempt, found.map((item) => ({ index: item.index, text: chunkText(item.chunk) })));
    after = answer.next;
    if (after === null) return;
  }
}

async function refreshPinned(id: string, withChunks = false): Promise<void> {
  try {
    const job = await api.job(id);
    if (!isPinned(id)) return;
    batch(() => {
      store(job);
      pageProblem.value = null;
    });
    if (withChunks && job.attempt) await readChunks(id, job.attempt);
  } catch (cause) {
    if (isPinned(id)) pageProblem.value = Problem.from(cause);
  }
}

export function refreshSoon(id: string): void {
  clearTimeout(refreshTimer);
  refreshTimer = window.setTimeout(() => void refreshPinned(id), 120);
}

/** Shows one job: its every frame is asked for, and its full record is read. */
export function openJob(id: string): () => void {
  batch(() => {
    pin(id);
    pageProblem.value = null;
    chunks.value = [];
    logs.value = [];
  });
  chunkAttempt = 0;
  connect();
  void refreshPinned(id, true);
  return () => {
    if (!isPinned(id)) return;
    pin(null);
    clearTimeout(refreshTimer);
    connect();
    forgetSoon();
  };
}

export function reloadJob(id: string): void {
  void refreshPinned(id);
}

/** Reads the shown job again, with what it streamed; nothing where no job is shown. */
export function reloadPage(): void {
  const id = pinnedId();
  if (id) void refreshPinned(id, true);
}

/** Takes a piece or a file that the shown job made. */
export function addOutput(frame: Frame): void {
  const index = Number(frame.index ?? 0);
  if (frame.chunk !== undefined && frame.chunk !== null) {
    addChunks(Number(frame.attempt ?? 0), [{ index, text: chunkText(frame.chunk) }]);
  }
  const artifact = frame.artifact as Output | undefined;
  const job = pinnedJob.peek()?.peek();
  if (artifact?.url && job) {
    const others = (job.outputs ?? []).filter((output) => output.index !== index);
    amend(job.id, { outputs: [...others, { ...artifact, index }].sort((a, b) => a.index - b.index) });
  }
}

export function addLog(frame: Frame): void {
  // A stream that resumes may tell its last lines again.
  if (frame.cursor !== undefined && logs.peek().some((line) => line.cursor === frame.cursor)) return;
  const line = { level: "info", message: "", source: "", at: "", ...frame } as LogLine;
  logs.value = [...logs.peek(), line].slice(-LOG_LINES);
}
