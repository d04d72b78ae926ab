/** The wire: types of what the server sends, and one function per route that the dashboard uses. */

export const STATES = [
  "queued",
  "running",
  "retrying",
  "scheduled",
  "blocked",
  "completed",
  "failed",
  "cancelled",
] as const;
export type State = (typeof STATES)[number];
export type Counts = Partial<Record<State, number>>;

export interface JobError {
  kind: string;
  message: string;
  retryable?: boolean;
  /** The name of a traceback in the worker's log, or the traceback. */
  trace?: string | null;
}

export interface Progress {
  fraction: number | null;
  index?: number | null;
  length?: number | null;
  unit?: string | null;
  message?: string | null;
  stage?: string | null;
  eta?: number | null;
}

export interface Preview {
  url?: string;
  data_base64?: string;
  content_type?: string | null;
  width?: number | null;
  height?: number | null;
  step?: number | null;
}

export interface Output {
  index: number;
  kind: string;
  name: string | null;
  content_type: string | null;
  size: number;
  sha256?: string | null;
  width?: number | null;
  height?: number | null;
  url: string;
  /** Part of a stream of text or of JSON values, in the answer of the outputs' own route. */
  chunk?: unknown;
}

export interface Attempt {
  attempt: number;
  worker: string | null;
  started_at: string | null;
  ended_at: string | null;
  outcome: string | null;
  error: JobError | null;
}

export interface JobEvent {
  version: number;
  state: State;
  at: string;
  attempt: number;
  error: JobError | null;
}

export interface WaitingOn {
  reason: string;
  key?: string | null;
  until?: string | null;
}

export interface Span {
  p50: number;
  p90: number;
}

export interface Eta {
  starts_in?: Span | null;
  finishes_in?: Span | null;
  late?: boolean;
}

export interface Cost {
  amount: string;
  unit?: string | null;
  currency?: string | null;
}

/** A job as the store of the page keeps it: the parts that only the full answer has are optional. */
export interface Job {
  id: string;
  task: string;
  queue: string;
  state: State;
  version: number;
  created_at: string;
  tenant?: string | null;
  user?: string | null;
  priority?: number;
  attempt?: number;
  spent?: number;
  crashes?: number;
  max_attempts?: number;
  tags?: string[];
  metadata?: Record<string, unknown>;
  args?: unknown;
  result?: unknown;
  error?: JobError | null;
  run_at?: string | null;
  started_at?: string | null;
  ended_at?: string | null;
  expires_at?: string | null;
  cancel_requested_at?: string | null;
  position?: number | null;
  ahead?: number | null;
  eta?: Eta | null;
  waiting_on?: WaitingOn | null;
  progress?: Progress | null;
  preview?: Preview | null;
  outputs?: Output[];
  cost?: Cost[];
  cached?: boolean;
  correlation_id?: string | null;
  attempts?: Attempt[];
  events?: JobEvent[];
  parents?: Related[];
  children?: Related[];
  workflows?: string[];
  model?: string | null;
}

/** A job that another depends on, or that depends on it. */
export interface Related {
  id: string;
  task: string;
  state: State;
  policy: string;
}

export interface Page {
  items: Job[];
  next: string | null;
}

export interface Queue {
  name: string;
  paused: boolean;
  /** So many jobs may wait and run; above it new ones are refused. */
  max_waiting?: number | null;
  /** How many wait and run, from how many on the server warns, and from how many on it refuses. */
  overflow?: { jobs: number; warn_at: number | null; refuse_at: number | null } | null;
  counts: Counts;
  oldest_queued_at: string | null;
  /** Jobs per minute; null where it is not measured. */
  throughput: { started: number | null; completed: number | null; failed: number | null } | null;
}

export interface Worker {
  id: string;
  incarnation?: string;
  host: string;
  pid: number;
  started_at: string;
  last_beat_at: string;
  alive: boolean;
  state: "idle" | "busy" | "draining" | "lost";
  slots: number;
  running: number;
  /** Null: all. */
  queues: string[] | null;
  tasks: string[];
  capabilities: Record<string, unknown>;
  current_jobs: string[];
  jobs_done: number;
  jobs_failed: number;
  mean_ms: number | null;
  version: string;
  /** What its machine has: an amount, or what is known of it. */
  resources?: Record<string, number | Resource> | null;
  /** What its jobs hold of that. */
  holds?: Record<string, number> | null;
  /** The models that it has loaded. */
  warm?: string[] | null;
  /** How often it started a job of a model that was not loaded. */
  swaps?: number | null;
}

/** What a worker has of a resource, and what its jobs hold of it. */
export interface Resource {
  capacity: number;
  held: number;
  devices?: readonly (string | Device)[] | Record<string, number | Device> | null;
}

export interface Device {
  name?: string;
  capacity?: number;
  held?: number;
}

/** A key: its limit, where it has one, and what is used of it. */
export interface Limit {
  key: string;
  running: number | null;
  starts: number | null;
  /** In seconds. */
  period: number | null;
  burst: number | null;
  refuse: number | null;
  used: number;
  waiting: number;
  parked_until: string | null;
}

export interface NewLimit {
  key: string;
  running?: number;
  starts?: number;
  period?: number;
  burst?: number;
  refuse?: number;
}

export interface Tenant {
  name: string;
  weight: number;
  top_priority: number;
  /** Whether it has a policy of its own. */
  set?: boolean;
  /** Its jobs that have not ended. */
  counts?: Counts;
}

export interface Tenants {
  items: Tenant[];
  /** How many more have jobs. */
  more?: number;
}

export interface Schedule {
  name: string;
  tenant: string;
  cron: string | null;
  tz: string | null;
  /** In seconds. */
  every: number | null;
  start: string | null;
  overlap: string;
  catch_up: number | null;
  job: { task: string; queue: string; priority: number; user: string | null; args: unknown; tags: string[] };
  paused: boolean;
  next_at: string | null;
  last_at: string | null;
  last_job: string | null;
}

export interface Workflow {
  id: string;
  counts: Counts;
  total: number;
  ended: number;
  /** There are more jobs than were counted. */
  more: boolean;
  edges: { parent: string; child: string }[];
}

/** How many workers a queue should have, and why. */
export interface Scaling {
  queue: string;
  desired: number;
  /** Jobs a second. */
  arrival_rate: number;
  mean_duration: number | null;
  waiting: number;
  held: number;
  running: number;
  wait_target: number;
}

export interface Point {
  at: string;
  enqueued: number;
  started: number;
  completed: number;
  failed: number;
  wait_p50: number | null;
  wait_p95: number | null;
  run_p50: number | null;
  run_p95: number | null;
}

export interface Stats {
  counts: Counts;
  queues: Record<string, Counts>;
  series: Point[];
}

export interface Health {
  status: string;
  store: string;
  durability?: string;
  version: string;
}

export interface Session {
  authenticated: boolean;
  required: boolean;
  /** Whose jobs the key sees; none: all. */
  tenant?: string | null;
  scopes?: string[];
}

interface ProblemBody {
  title?: string;
  detail?: string;
  code?: string;
  remedy?: string;
  request_id?: string;
  errors?: { pointer: string; message: string }[];
}

/** Plainer words than those of HTTP. */
const TITLES: Record<number, string> = {
  403: "Your key does not allow this",
  422: "This cannot be used",
};

/** What went wrong with a request, in words for the person at the screen. */
export class Problem extends Error {
  readonly status: number;
  readonly detail: string;
  readonly remedy: string;
  readonly code: string;
  readonly requestId: string;
  readonly errors: { pointer: string; message: string }[];

  constructor(status: number, body: ProblemBody) {
    super(TITLES[status] ?? body.title ?? (status ? `The server answered ${status}` : "The request failed"));
    this.status = status;
    this.detail = body.detail ?? "";
    this.remedy = body.remedy ?? "";
    this.code = body.code ?? "";
    this.requestId = body.request_id ?? "";
    this.errors = body.errors ?? [];
  }

  static from(cause: unknown): Problem {
    if (cause instanceof Problem) return cause;
    return new Problem(0, { title: "The dashboard failed", detail: cause instanceof Error ? cause.message : String(cause) });
  }
}

const BASE = "/api/v1";
const TIMEOUT_MS = 15_000;

let onUnauthorized = (): void => undefined;

/** Names what to do when the server asks for a key. */
export function whenUnauthorized(act: () => void): void {
  onUnauthorized = act;
}

let skewMs = 0;

/** The server's idea of now, in milliseconds: a browser with a wrong clock still shows right ages. */
export function serverNow(): number {
  return Date.now() + skewMs;
}

function learnSkew(response: Response): void {
  const date = Date.parse(response.headers.get("date") ?? "");
  const difference = date - Date.now();
  // The header has whole seconds: smaller differences are noise.
  if (!Number.isNaN(difference)) skewMs = Math.abs(difference) > 3000 ? difference : 0;
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (method !== "GET") headers["x-stanchion-csrf"] = "1";
  if (body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Problem(0, {
      title: "The server cannot be reached",
      detail: "No answer came from this address.",
      remedy: "Check that `stanchion serve` is running and that the network is up, then try again.",
    });
  }
  learnSkew(response);
  const text = await response.text();
  let parsed: unknown = null;
  try {
    parsed = text ? JSON.parse(text) : null;
  } catch {
    parsed = null;
  }
  if (response.ok) return parsed as T;
  if (response.status === 401 && path !== "/session") onUnauthorized();
  throw new Problem(response.status, (parsed ?? {}) as ProblemBody);
}

export interface JobQuery {
  state?: string;
  queue?: string;
  task?: string;
  tenant?: string;
  workflow?: string;
  q?: string;
  after?: string;
  limit?: number;
}

function search(query: object): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") out.set(name, String(value));
  }
  const text = out.toString();
  return text ? `?${text}` : "";
}

export interface BulkFilter {
  queue?: string;
  state?: State[];
  task?: string;
}
export type Target = { ids: readonly string[] } | { filter: BulkFilter };

const part = encodeURIComponent;

export const api = {
  session: () => call<Session>("GET", "/session"),
  logout: () => call<null>("DELETE", "/session"),
  login: (key: string) => call<Session | null>("POST", "/session", { key }),
  health: () => call<Health>("GET", "/health"),
  jobs: (query: JobQuery) => call<Page>("GET", `/jobs${search(query)}`),
  job: (id: string) => call<Job>("GET", `/jobs/${part(id)}`),
  outputs: (id: string, after: number | null) =>
    call<{ items: Output[]; next: number | null }>("GET", `/jobs/${part(id)}/outputs${search({ after: after ?? "" })}`),
  cancel: (id: string) => call<Job | null>("POST", `/jobs/${part(id)}/cancel`),
  retry: (id: string) => call<Job | null>("POST", `/jobs/${part(id)}/retry`),
  bulk: (verb: "cancel" | "retry", target: Target) => call<{ count: number }>("POST", `/jobs/${verb}`, target),
  queues: () => call<{ items: Queue[] }>("GET", "/queues"),
  pause: (name: string) => call<unknown>("POST", `/queues/${part(name)}/pause`),
  resume: (name: string) => call<unknown>("POST", `/queues/${part(name)}/resume`),
  clean: (name: string, olderThan: number, states: readonly State[]) =>
    call<{ count?: number } | null>("POST", `/queues/${part(name)}/clean`, { older_than: olderThan, states }),
  workers: () => call<{ items: Worker[] }>("GET", "/workers"),
  line: (limit: number) => call<Page>("GET", `/line${search({ limit })}`),
  scaling: () => call<{ items: Scaling[] }>("GET", "/scaling"),
  limits: () => call<{ items: Limit[] }>("GET", "/limits"),
  setLimit: (limit: NewLimit) => call<{ items: Limit[] }>("PUT", "/limits", limit),
  dropLimit: (key: string) => call<{ items: Limit[] }>("POST", "/limits/drop", { key }),
  park: (key: string, seconds: number) => call<{ items: Limit[] }>("POST", "/limits/park", { key, seconds }),
  tenants: () => call<Tenants>("GET", "/tenants"),
  setTenant: (tenant: Pick<Tenant, "name" | "weight" | "top_priority">) => call<Tenants>("PUT", "/tenants", tenant),
  schedules: () => call<{ items: Schedule[] }>("GET", "/schedules"),
  schedule: (verb: "pause" | "resume" | "run", { name, tenant }: Schedule) =>
    call<{ id?: string }>("POST", `/schedules/${part(name)}/${verb}${search({ tenant })}`),
  dropSchedule: ({ name, tenant }: Schedule) => call<unknown>("DELETE", `/schedules/${part(name)}${search({ tenant })}`),
  workflow: (id: string) => call<Workflow>("GET", `/workflows/${part(id)}`),
  stats: (window: number, step: number) => call<Stats>("GET", `/stats${search({ window, step })}`),
};

export function streamUrl(jobs: string | null, after: string): string {
  return `${BASE}/events${search({ all: 1, stats: 1, jobs: jobs ?? "", after })}`;
}
