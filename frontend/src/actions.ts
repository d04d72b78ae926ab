/** What the buttons do: ask the server, take its answer into the store, say how it went. */

import { signal } from "@preact/signals";

import { api, Problem, type Job, type NewLimit, type Schedule, type State, type Target, type Tenant } from "./api";
import { duration, plural } from "./format";
import { reloadJob } from "./page";
import { limits, moreTenants, queues, schedules, tenants } from "./stats";
import { store } from "./store";

export interface Toast {
  id: number;
  kind: "ok" | "error";
  text: string;
  detail: string;
}

export const toasts = signal<readonly Toast[]>([]);
let toastId = 0;

export function dismiss(id: number): void {
  toasts.value = toasts.peek().filter((toast) => toast.id !== id);
}

function say(kind: Toast["kind"], text: string, detail = ""): void {
  const id = ++toastId;
  toasts.value = [...toasts.peek().slice(-3), { id, kind, text, detail }];
  setTimeout(() => dismiss(id), kind === "ok" ? 4000 : 12_000);
}

async function attempt<T>(what: string, act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (cause) {
    const problem = Problem.from(cause);
    say("error", `${what}: ${problem.message}`, [problem.detail, problem.remedy].filter(Boolean).join(" "));
    return null;
  }
}

function take(answer: Job | null, id: string): void {
  if (answer?.id) store(answer);
  else reloadJob(id);
}

export async function cancelJob(id: string): Promise<void> {
  await attempt("The job was not cancelled", async () => take(await api.cancel(id), id));
}

export async function retryJob(id: string): Promise<void> {
  await attempt("The job was not retried", async () => take(await api.retry(id), id));
}

export async function bulk(verb: "cancel" | "retry", target: Target): Promise<boolean> {
  const answer = await attempt(`The jobs were not ${verb === "cancel" ? "cancelled" : "retried"}`, () =>
    api.bulk(verb, target),
  );
  if (answer) say("ok", `${plural(answer.count, "job")} ${verb === "cancel" ? "cancelled" : "sent back to the queue"}`);
  return answer !== null;
}

export async function setPaused(name: string, paused: boolean): Promise<void> {
  const done = await attempt(`Queue ${name} was not ${paused ? "paused" : "resumed"}`, async () => {
    await (paused ? api.pause(name) : api.resume(name));
    return true;
  });
  if (done) {
    queues.items.value = queues.items.peek()?.map((queue) => (queue.name === name ? { ...queue, paused } : queue)) ?? null;
    say("ok", paused ? `Queue ${name} is paused: running jobs finish, no other starts` : `Queue ${name} runs again`);
  }
  await queues.refresh();
}

export async function clean(name: string, olderThan: number, states: readonly State[]): Promise<void> {
  const answer = await attempt(`Queue ${name} was not cleaned`, async () => (await api.clean(name, olderThan, states)) ?? {});
  if (answer) {
    say("ok", answer.count === undefined ? `Queue ${name} is clean` : `${plural(answer.count, "job")} removed from ${name}`);
  }
  await queues.refresh();
}

/** Sets a limit and throws what stands against it. */
export async function setLimit(limit: NewLimit): Promise<void> {
  limits.items.value = (await api.setLimit(limit)).items;
  say("ok", `The limit of ${limit.key} is set`);
}

export async function dropLimit(key: string): Promise<void> {
  await attempt("The limit was not removed", async () => {
    limits.items.value = (await api.dropLimit(key)).items;
    say("ok", `${key} has no limit any more`);
  });
}

/** Parks a key for so many seconds and throws what stands against it. */
export async function park(key: string, seconds: number): Promise<void> {
  limits.items.value = (await api.park(key, seconds)).items;
  say("ok", seconds ? `${key} is parked: nothing of it starts for ${duration(seconds)}` : `${key} is not parked any more`);
}

export async function unpark(key: string): Promise<void> {
  await attempt("The park was not ended", () => park(key, 0));
}

/** Sets a tenant's policy and throws what stands against it. */
export async function setTenant(tenant: Pick<Tenant, "name" | "weight" | "top_priority">): Promise<void> {
  const answer = await api.setTenant(tenant);
  moreTenants.value = answer.more ?? 0;
  tenants.items.value = answer.items;
  say("ok", `Tenant ${tenant.name} has the weight ${tenant.weight}`);
}

const SCHEDULE_DONE = { pause: "is paused", resume: "ticks again", run: "ran: its job is enqueued" } as const;

export async function onSchedule(verb: keyof typeof SCHEDULE_DONE, schedule: Schedule): Promise<void> {
  await attempt(`The schedule ${schedule.name} could not be changed`, async () => {
    await api.schedule(verb, schedule);
    say("ok", `The schedule ${schedule.name} ${SCHEDULE_DONE[verb]}`);
  });
  await schedules.refresh();
}

export async function dropSchedule(schedule: Schedule): Promise<void> {
  await attempt("The schedule was not deleted", async () => {
    await api.dropSchedule(schedule);
    say("ok", `The schedule ${schedule.name} is deleted`);
  });
  await schedules.refresh();
}

export async function copy(text: string): Promise<void> {
  await attempt("Nothing was copied", async () => {
    await navigator.clipboard.writeText(text);
    say("ok", "Copied");
  });
}
