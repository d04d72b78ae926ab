/** Words and numbers for people. */

import { serverNow, type Cost, type Eta, type Job, type JobError, type Limit, type Output, type Schedule, type State } from "./api";

const whole = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export function count(value: number | null | undefined): string {
  return whole.format(value ?? 0);
}

/** A count that fits a tile: exact below a million. */
export function shortCount(value: number | null | undefined): string {
  const number = value ?? 0;
  return number < 1_000_000 ? whole.format(number) : compact.format(number);
}

/** A rate for people: null where nothing measures it. */
export function perMinute(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : whole.format(Math.round(value));
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${whole.format(value)} ${value === 1 ? one : many}`;
}

export function title(state: string): string {
  return state.charAt(0).toUpperCase() + state.slice(1).replaceAll("_", " ");
}

/** A length of time with two figures that matter: `240 ms`, `3.2 s`, `4 m 10 s`, `2 h 5 m`, `3 d 4 h`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const s = Math.max(0, seconds);
  if (s === 0) return "0 s";
  if (s < 1) return `${Math.max(1, Math.round(s * 1000))} ms`;
  if (s < 9.95) return `${Number.isInteger(s) ? s : s.toFixed(1)} s`;
  if (s < 59.5) return `${Math.round(s)} s`;
  const total = Math.round(s);
  const pairs: [number, string, number, string][] = [
    [86_400, "d", 3600, "h"],
    [3600, "h", 60, "m"],
    [60, "m", 1, "s"],
  ];
  for (const [big, bigUnit, small, smallUnit] of pairs) {
    if (total >= big) {
      const rest = Math.floor((total % big) / small);
      return `${Math.floor(total / big)} ${bigUnit}${rest ? ` ${rest} ${smallUnit}` : ""}`;
    }
  }
  return `${total} s`;
}

export function millis(at: string | null | undefined): number | null {
  if (!at) return null;
  const value = Date.parse(at);
  return Number.isNaN(value) ? null : value;
}

export function secondsBetween(from: string | null | undefined, to: string | null | undefined): number | null {
  const start = millis(from);
  if (start === null) return null;
  const end = millis(to) ?? serverNow();
  return Math.max(0, (end - start) / 1000);
}

export function ago(at: string | null | undefined): string {
  const then = millis(at);
  if (then === null) return "–";
  const seconds = (serverNow() - then) / 1000;
  if (seconds < -1) return `in ${duration(-seconds)}`;
  if (seconds < 2) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

export function absolute(at: string | null | undefined): string {
  const value = millis(at);
  return value === null ? "" : dateTime.format(value);
}

export function clock(at: string | null | undefined): string {
  const value = millis(at);
  return value === null ? "–" : clockTime.format(value);
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  if (size < 1024 ** 2) return `${(size / 1024).toFixed(1)} kB`;
  if (size < 1024 ** 3) return `${(size / 1024 ** 2).toFixed(1)} MB`;
  return `${(size / 1024 ** 3).toFixed(2)} GB`;
}

/** The end of an id: the start of a time-ordered id is the same for all jobs of a day. */
export function shortId(id: string): string {
  return id.length > 12 ? id.slice(-8) : id;
}

const PRIORITIES: Record<number, string> = { 0: "critical", 2: "high", 5: "normal", 8: "low" };

export function priority(value: number | undefined): string {
  if (value === undefined) return "–";
  return PRIORITIES[value] ?? `priority ${value}`;
}

function range(low: number, high: number): string {
  const a = duration(low);
  const b = duration(high);
  return a === b ? a : `${a} – ${b}`;
}

/** A key in two parts: what kind of thing it counts, and which. */
export function keyParts(key: string): [kind: string, name: string] {
  const at = key.indexOf(":");
  return at < 0 ? ["", key] : [key.slice(0, at), key.slice(at + 1)];
}

/** A key in words: `the queue images`, `each user`. */
export function keyWords(key: string): string {
  const [kind, name] = keyParts(key);
  if (!kind) return key;
  return name === "*" ? `each ${kind}` : `the ${kind} ${name}`;
}

/** `60 in 1 m`: starts in a period of so many seconds. */
export function starts(limit: Pick<Limit, "starts" | "period">): string {
  if (limit.starts === null) return "";
  const period = duration(limit.period ?? 1);
  return `${whole.format(limit.starts)} ${limit.period === 1 ? "a second" : limit.period === 60 ? "a minute" : limit.period === 3600 ? "an hour" : limit.period === 86_400 ? "a day" : `in ${period}`}`;
}

/** When a schedule ticks: `every 15 m`, or the cron line. */
export function rule(schedule: Pick<Schedule, "cron" | "every">): string {
  return schedule.cron ?? `every ${duration(schedule.every)}`;
}

export function etaText(eta: Eta | null | undefined): string {
  if (!eta) return "";
  if (eta.late) return "later than expected";
  const out: string[] = [];
  if (eta.starts_in && eta.starts_in.p90 > 0) out.push(`starts in ${range(eta.starts_in.p50, eta.starts_in.p90)}`);
  if (eta.finishes_in) out.push(`done in ${range(eta.finishes_in.p50, eta.finishes_in.p90)}`);
  return out.join(", ");
}

/** Why a job waits, and what would set it going. */
export function waiting(job: Job): { why: string; next: string } | null {
  const on = job.waiting_on;
  if (!on) return null;
  const key = on.key ?? "";
  switch (on.reason) {
    case "paused_queue":
      return { why: `Queue ${job.queue} is paused`, next: "Resume the queue to let it start." };
    case "no_worker":
      return {
        why: key ? `No worker runs the task ${key}` : `No worker serves the queue ${job.queue}`,
        next: "Start one: `stanchion worker APP`",
      };
    case "scheduled":
      return { why: on.until ? `Starts ${ago(on.until)}` : "Waits for its time", next: "" };
    case "dependency":
    case "dependencies":
    case "blocked":
      return { why: "Waits for a job it depends on", next: "It is queued when the last of them has ended." };
    case "limit":
    case "concurrency":
      return { why: `At the limit${key ? ` of ${keyWords(key)}` : ""}`, next: "It starts when a running job of this limit ends; others pass it meanwhile." };
    case "rate":
      return { why: `At the rate limit${key ? ` of ${keyWords(key)}` : ""}`, next: on.until ? `The next may start ${ago(on.until)}.` : "" };
    case "provider_parked":
      return { why: `${key ? title(keyWords(key)) : "Its provider"} is parked`, next: on.until ? `Nothing of it starts before then: ${ago(on.until)}.` : "" };
    case "resource":
      return { why: `Waits for ${keyParts(key)[1] || "a resource"}`, next: "It starts when a job that holds it has ended, or when a worker that has it comes." };
    case "conflict":
      return { why: `Waits behind another job${key ? ` of ${keyParts(key)[1]}` : ""}`, next: "One at a time of this key: it starts when the job before it has ended." };
    default:
      return { why: `Waits: ${on.reason.replaceAll("_", " ")}${key ? ` (${key})` : ""}`, next: "" };
  }
}

const REMEDIES: Record<string, string> = {
  validation: "The arguments were refused. Correct them and enqueue a new job: a retry would fail the same way.",
  authentication: "The provider refused the key. Set a valid key for the worker, then retry.",
  insufficient_credits: "The provider account has no credit left. Top it up, then retry.",
  content_policy: "The provider refused the content. Change the request: a retry would be refused again.",
  rate_limited: "The provider asked for a slower pace. Retry later, or lower the queue's rate limit.",
  timeout: "It ran longer than its timeout. Raise the task's timeout or make the request smaller, then retry.",
  network: "The connection failed. Check the network from the worker's machine, then retry.",
  provider: "The provider failed. Look at its status page, then retry.",
  resource: "The worker ran out of memory. Lower the size or the batch, or use a larger worker, then retry.",
  outcome_unknown: "The request went out but no answer came: it may have been paid for. Check with the provider before a retry.",
  expired: "Its start deadline passed before a worker was free. Add workers or extend the deadline, then retry.",
  worker_lost: "Workers died while running it. Look at their logs for memory or driver errors, then retry.",
  internal: "The task raised an exception. Look at the worker's log, fix the task, then retry.",
};

export function remedy(error: JobError): string {
  return REMEDIES[error.kind] ?? "";
}

export function money(costs: Cost[] | undefined): string {
  return (costs ?? []).map((cost) => `${cost.amount} ${cost.currency ?? cost.unit ?? ""}`.trim()).join(" + ");
}

export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? "null";
}

export function isFinal(state: State): boolean {
  return state === "completed" || state === "failed" || state === "cancelled";
}

export function isImage(output: Output): boolean {
  return (output.content_type ?? "").startsWith("image/");
}

export function picture(job: Job): Output | undefined {
  return job.outputs?.find(isImage);
}
