/** The workflow page: one workflow at a glance, and its jobs in the steps in which they can run. */

import { batch, signal } from "@preact/signals";

import { api, Problem, type Workflow } from "./api";
import { JobList } from "./store";

/** So many of its jobs are shown, the newest. */
export const SHOWN = 300;
const POLL_MS = 3000;

export const workflow = signal<Workflow | null>(null);
export const workflowProblem = signal<Problem | null>(null);

let timer = 0;

export async function readWorkflow(id: string): Promise<void> {
  try {
    const found = await api.workflow(id);
    batch(() => {
      workflow.value = found;
      workflowProblem.value = null;
    });
  } catch (cause) {
    workflowProblem.value = Problem.from(cause);
  }
}

/** Follows a workflow while it is shown; one whose jobs have all ended is asked for more seldom. */
export function openWorkflow(id: string): () => void {
  let open = true;
  batch(() => {
    workflow.value = null;
    workflowProblem.value = null;
  });
  async function loop(): Promise<void> {
    if (!document.hidden) await readWorkflow(id);
    if (!open) return;
    const now = workflow.peek();
    const over = workflowProblem.peek() !== null || (now && now.ended === now.total);
    timer = window.setTimeout(() => void loop(), over ? 5 * POLL_MS : POLL_MS);
  }
  void loop();
  return () => {
    open = false;
    clearTimeout(timer);
  };
}

/** Its jobs, which follow the stream; a frame does not tell of which workflow a new one is. */
export function jobsOf(id: string): JobList {
  return new JobList({ workflow: id }, SHOWN, () => false, { keep: () => true });
}

/** The jobs in steps: a job stands one step after the last of those that it waits for. */
export function steps(ids: readonly string[], edges: Workflow["edges"]): string[][] {
  const parents = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const { parent, child } of edges) if (parents.has(parent)) parents.get(child)?.push(parent);
  const depth = new Map<string, number>();
  const path: string[] = [];
  for (const start of ids) {
    path.push(start);
    while (path.length) {
      const id = path[path.length - 1] as string;
      const open = (parents.get(id) ?? []).filter((parent) => !depth.has(parent));
      if (open.length && !depth.has(id)) path.push(...open);
      else {
        if (!depth.has(id)) depth.set(id, Math.max(-1, ...(parents.get(id) ?? []).map((parent) => depth.get(parent) ?? 0)) + 1);
        path.pop();
      }
    }
  }
  const out: string[][] = [];
  // Lists are newest first; within a step the order of the request reads better.
  for (const id of [...ids].reverse()) (out[depth.get(id) ?? 0] ??= []).push(id);
  return out;
}
