// A server that speaks Stanchion's wire with jobs that move, to build the dashboard against.
//
//   node dev/mock.mjs [--port 8790] [--empty] [--auth KEY] [--fail] [--rate JOBS_PER_SECOND] [--drop SECONDS]
//
// It also serves the built bundle, under the strict policy of the real server.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";

const flags = new Map();
for (const [at, word] of process.argv.entries()) {
  if (word.startsWith("--")) flags.set(word.slice(2), process.argv[at + 1]?.startsWith("--") ? "" : (process.argv[at + 1] ?? ""));
}
const number = (name, otherwise) => (flags.get(name) ? Number(flags.get(name)) : otherwise);
const PORT = number("port", 8790);
const RATE = flags.has("empty") ? 0 : number("rate", 1.6);
const DROP = number("drop", 0);
const KEY = flags.get("auth") ?? "";
const STATIC = fileURLToPath(new URL("../../src/stanchion/server/dashboard/static/", import.meta.url));
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

// ------------------------------------------------------------------------------------------- pictures

function crc32(data) {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function chunk(kind, body) {
  const head = Buffer.concat([Buffer.from(kind, "latin1"), body]);
  const out = Buffer.alloc(head.length + 8);
  out.writeUInt32BE(body.length, 0);
  head.copy(out, 4);
  out.writeUInt32BE(crc32(head), head.length + 4);
  return out;
}

function png(width, height, rgba) {
  const rows = Buffer.alloc(height * (width * 4 + 1));
  for (let y = 0; y < height; y++) rgba.copy(rows, y * (width * 4 + 1) + 1, y * width * 4, (y + 1) * width * 4);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function randomFrom(text) {
  let state = createHash("sha256").update(text).digest().readUInt32LE(0) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function hue(degrees, light) {
  const f = (n) => {
    const k = (n + degrees / 30) % 12;
    return Math.round(255 * (light - 0.55 * Math.min(light, 1 - light) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [f(0), f(8), f(4)];
}

/** A mirrored creature, 32 by 32; below 1, the parts that are not there yet are noise. */
function sprite(seed, done = 1) {
  const random = randomFrom(seed);
  const size = 32;
  const base = random() * 360;
  const body = Array.from({ length: 11 }, (_, y) =>
    Array.from({ length: 6 }, (_, x) => random() < 0.92 - Math.hypot(5.5 - x, 5 - y) * 0.115),
  );
  const tone = Array.from({ length: 11 }, () => Array.from({ length: 6 }, () => random()));
  const rgba = Buffer.alloc(size * size * 4);
  const noise = randomFrom(seed + done);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const cy = Math.floor(y / 2) - 2;
      const half = Math.floor(x / 2) - 2;
      const cx = half < 6 ? half : 11 - half;
      const on = body[cy]?.[cx] ?? false;
      const eye = cy === 4 && cx === 4;
      let colour = on ? hue(base + tone[cy][cx] * 40, 0.34 + tone[cy][cx] * 0.18 + (10 - cy) * 0.018) : [0, 0, 0];
      let alpha = on ? 255 : 0;
      if (eye) [colour, alpha] = [[250, 250, 235], 255];
      if (!on && !eye && [[0, 1], [0, -1], [1, 0], [-1, 0]].some(([a, b]) => body[cy + a]?.[cx + b])) [colour, alpha] = [[24, 20, 34], 255];
      if (noise() > done) [colour, alpha] = [hue(base + noise() * 90, 0.3 + noise() * 0.5), 255];
      rgba.set([...colour, alpha], (y * size + x) * 4);
    }
  }
  return png(size, size, rgba);
}

// ------------------------------------------------------------------------------------------- jobs

const STATES = ["blocked", "scheduled", "queued", "running", "retrying", "completed", "failed", "cancelled"];
const FINAL = new Set(["completed", "failed", "cancelled"]);
const PROMPTS = ["an orc with a rusty axe", "a tavern at night", "a slime, three frames", "a knight in moss armour", "a treasure chest", "a very small dragon", "<b>bold</b> & <script>alert(1)</script>", "a lighthouse in fog"];
const LONG_TASK = "studio.pipelines.characters.turnaround_sheet_with_palette_lock_and_outline_cleanup_v2";
const LONG_QUEUE = "gpu-eu-west-4-preemptible-a100-80gb-batch-overnight-characters-and-props";
const USERS = ["ada", "grace", "linus.torvalds-von-helsinki@studio.example.com", "edsger", null];
const STAGES = ["sketch", "flat", "shade", "outline"];
const jobs = new Map();
const paused = new Set();
const history = [];
const watchers = new Set();
const points = [];
let cursor = 0;
let serial = 0;
const started = Date.now();

const iso = (ms = Date.now()) => new Date(ms).toISOString();
const pick = (list) => list[Math.floor(Math.random() * list.length)];

function uuid7(at) {
  const time = at.toString(16).padStart(12, "0");
  const rest = createHash("sha256").update(`${serial++}`).digest("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-9${rest.slice(3, 6)}-${rest.slice(6, 18)}`;
}

function point(at = Date.now()) {
  const step = Math.floor(at / 5000) * 5000;
  let last = points.find((one) => one.step === step);
  if (!last) {
    last = { step, enqueued: 0, started: 0, completed: 0, failed: 0, waits: [] };
    points.push(last);
    points.sort((a, b) => a.step - b.step);
    while (points.length > 70) points.shift();
  }
  return last;
}

function pointOut(one) {
  const waits = [...one.waits].sort((a, b) => a - b);
  const at = (q) => (waits.length ? waits[Math.min(waits.length - 1, Math.floor(waits.length * q))] : null);
  const { enqueued, started: begun, completed, failed } = one;
  return { at: iso(one.step), enqueued, started: begun, completed, failed, wait_p50: at(0.5), wait_p95: at(0.95), run_p50: 2.1, run_p95: 4.8 };
}

function error(kind, message, retryable) {
  return { kind, message, retryable, trace: kind === "internal" ? "tb_7f3a91" : null };
}

function make(at = Date.now(), fields = {}) {
  const long = Math.random() < 0.06;
  const task = fields.task ?? (long ? LONG_TASK : pick(["sprite", "sprite", "sprite", "tileset", "translate", "upscale"]));
  const queue = task === "translate" ? "text" : long ? LONG_QUEUE : task === "upscale" ? "gpu" : "images";
  const prompt = pick(PROMPTS);
  const job = {
    id: uuid7(at), task, queue, tenant: "default", user: pick(USERS), priority: pick([5, 5, 5, 2, 8, 0]), state: "queued", version: 1,
    attempt: 0, spent: 0, crashes: 0, max_attempts: 3, tags: Math.random() < 0.4 ? [pick(["hero", "level-2", "draft"]), "batch-17"] : [],
    metadata: Math.random() < 0.5 ? { project: "moss-kingdom", prompt } : {}, cached: false, correlation_id: Math.random() < 0.3 ? "req-8f2c11d0" : null,
    args: task === "translate" ? { text: "It was a dark and stormy night; the rain fell in torrents.", to: "de" } : { prompt, size: 32, palette: ["#1b1326", "#8a5ee0"], seed: serial },
    result: null, error: null, created_at: iso(at), run_at: null, started_at: null, ended_at: null, expires_at: null, cancel_requested_at: null,
    position: null, ahead: null, eta: null, waiting_on: null, progress: null, preview: null, outputs: [], cost: [], attempts: [],
    events: [{ version: 1, state: "queued", at: iso(at), attempt: 0, error: null }],
    ...fields,
  };
  jobs.set(job.id, job);
  point(at).enqueued += 1;
  status(job);
  return job;
}

const thin = ({ args: _a, result: _r, attempts: _t, events: _e, work: _w, ...job }) => job;
const full = ({ work: _w, ...job }) => job;

function emit(event, data, durable) {
  const id = durable ? `c-${++cursor}` : "";
  const text = `${id ? `id: ${id}\n` : ""}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  if (durable) {
    history.push([cursor, text]);
    if (history.length > 2000) history.shift();
  }
  for (const watcher of watchers) if (event !== "output" || watcher.job === data.job) watcher.response.write(text);
}

function status(job) {
  const { id, state, version, attempt, position, queue, task, priority, tenant, user, error: why, created_at, started_at, ended_at, outputs, cancel_requested_at } = job;
  emit("status", { job: id, state, version, at: job.events.at(-1).at, attempt, position, queue, task, priority, tenant, user, error: why, created_at, started_at, ended_at, outputs, cancel_requested_at }, true);
}

function move(job, state, at = Date.now(), why = null) {
  job.state = state;
  job.version += 1;
  job.error = why;
  if (FINAL.has(state)) job.ended_at = iso(at);
  if (state !== "running") job.progress = job.preview = null;
  job.position = state === "running" ? 0 : null;
  job.events.push({ version: job.version, state, at: iso(at), attempt: job.attempt, error: why });
  status(job);
}

function start(job, at = Date.now()) {
  job.attempt += 1;
  job.started_at = iso(at);
  job.waiting_on = job.eta = null;
  job.attempts.push({ attempt: job.attempt, worker: pick(workers).id, started_at: iso(at), ended_at: null, outcome: null, error: null });
  job.work = { steps: 8 + Math.floor(Math.random() * 12), step: 0, fails: Math.random() < 0.16, every: 180 + Math.random() * 420, next: at };
  point(at).started += 1;
  point(at).waits.push(Math.max(0.02, (at - Date.parse(job.created_at)) / 1000) % 40);
  move(job, "running", at);
}

function end(job, outcome, at = Date.now(), why = null) {
  Object.assign(job.attempts.at(-1), { ended_at: iso(at), outcome, error: why });
}

function finish(job, at = Date.now()) {
  if (job.task === "translate") {
    const text = "Es war eine dunkle und stürmische Nacht; der Regen fiel in Strömen.";
    job.result = { text, model: "mock-1" };
    job.outputs = [{ index: 0, kind: "artifact", name: "translation.txt", content_type: "text/plain", size: text.length, sha256: null, width: null, height: null, url: `/api/v1/jobs/${job.id}/outputs/0` }];
  } else {
    const size = sprite(job.id).length;
    job.outputs = Array.from({ length: job.task === "tileset" ? 4 : 1 }, (_, index) => ({ index, kind: "artifact", name: index ? `tile-${index}.png` : "result.png", content_type: "image/png", size, sha256: "ab".repeat(32), width: 32, height: 32, url: `/api/v1/jobs/${job.id}/outputs/${index}` }));
    job.result = { image: { $artifact: { index: 0, content_type: "image/png", size, sha256: "ab".repeat(32), name: null, width: 32, height: 32 } }, seed: job.args.seed };
  }
  job.cost = [{ amount: "0.0132", unit: "USD" }];
  end(job, "completed", at);
  point(at).completed += 1;
  move(job, "completed", at);
}

function stumble(job, at = Date.now()) {
  const why = pick([
    error("provider", "upstream answered 503: the model is loading, try again", true),
    error("rate_limited", "429 too many requests: retry after 12 s", true),
    error("internal", "ValueError: palette has 0 colours\n  File \"tasks.py\", line 41, in sprite\n    return quantise(image, palette)", false),
    error("content_policy", "the provider refused the prompt", false),
    error("resource", "CUDA out of memory: tried to allocate 2.20 GiB (GPU 0; 23.65 GiB total, 21.02 GiB already allocated, 1.11 GiB free)", true),
  ]);
  job.spent += 1;
  const dead = !why.retryable || job.spent >= job.max_attempts;
  end(job, dead ? "failed" : "retry", at, why);
  if (dead) point(at).failed += 1;
  move(job, dead ? "failed" : "retrying", at, why);
  job.wake = at + 4000;
}

const workers = [
  { id: "w_gpu1", host: "gpu-box-1", slots: 4, capabilities: { gpu: 1, vram_gb: 24, "model:flux-dev": true }, queues: ["images", "gpu", LONG_QUEUE], tasks: ["sprite", "tileset", "upscale", LONG_TASK], state: "busy" },
  { id: "w_gpu2", host: "gpu-box-2.rack-17.amsterdam.studio-internal.example.com", slots: 2, capabilities: { gpu: 1, vram_gb: 80 }, queues: ["images", "gpu"], tasks: ["sprite", "upscale"], state: "busy" },
  { id: "w_text", host: "web-3", slots: 10, capabilities: {}, queues: ["text"], tasks: ["translate"], state: "idle" },
  { id: "w_old", host: "laptop", slots: 2, capabilities: {}, queues: [], tasks: ["sprite"], state: "lost" },
].map((worker, index) => ({ ...worker, ...(worker.state === "busy" ? { warm: ["flux-dev", "sdxl-turbo-with-a-long-name-and-a-lora-for-pixels"].slice(0, index + 1), swaps: 3 * index, resources: { gpu: { capacity: index + 1, held: 1, devices: ["gpu:0", "gpu:1"].slice(0, index + 1) }, vram_gb: { capacity: 24 * (index + 1), held: 12, devices: [] } } } : {}), incarnation: "1", pid: 4100 + index * 37, jobs_done: 120 * (4 - index), jobs_failed: index === 1 ? 7 : 0, mean_ms: index === 3 ? null : 2400 - index * 500, version: "0.1.0", started_at: iso(started - 7.3e6) }));
const SLOTS = 6;

function seed() {
  const now = Date.now();
  for (let back = 290; back > 3; back -= 1.1) {
    const job = make(now - back * 1000);
    const begun = now - back * 1000 + (300 + Math.random() * 5000) * (1 + Math.sin(back / 30) * 0.8);
    start(job, begun);
    if (Math.random() < 0.11) {
      job.spent = Math.random() < 0.5 ? 2 : 0;
      stumble(job, begun + 1500);
    } else if (Math.random() < 0.03) {
      end(job, "cancelled", begun + 900);
      move(job, "cancelled", begun + 900);
    } else finish(job, begun + 1200 + Math.random() * 3000);
  }
  for (let n = 0; n < 5; n++) make(now - 20_000, { task: "upscale" });
  paused.add("gpu");
  for (let n = 0; n < 3; n++) make(now - 60_000, { state: "scheduled", run_at: iso(now + 3.6e6 * (n + 1)), events: [{ version: 1, state: "scheduled", at: iso(now - 60_000), attempt: 0, error: null }], waiting_on: { reason: "scheduled", key: null, until: iso(now + 3.6e6 * (n + 1)) } });
  make(now - 50_000, { state: "blocked", waiting_on: { reason: "dependencies", key: null, until: null } });
}

// ------------------------------------------------------------------------------------------- what an operator sets

const limits = new Map([
  ["provider:pixellab", { running: 2, starts: 60, period: 60, burst: 10, refuse: null, parked_until: null }],
  ["tenant:*", { running: 5, starts: null, period: null, burst: null, refuse: 500, parked_until: null }],
  ["provider:gemini", { running: null, starts: null, period: null, burst: null, refuse: null, parked_until: iso(Date.now() + 6e5) }],
  [`queue:${LONG_QUEUE}`, { running: 1, starts: null, period: null, burst: null, refuse: null, parked_until: null }],
]);
const policies = new Map([["default", { weight: 1, top_priority: 0 }], ["studio", { weight: 3, top_priority: 5 }]]);
const schedules = new Map(
  [
    { name: "nightly", cron: "30 2 * * *", tz: "Europe/Berlin", every: null, overlap: "skip", catch_up: 3600, task: "tileset" },
    { name: "sweep-of-everything-that-was-left-behind-by-the-characters-pipeline", cron: null, tz: null, every: 900, overlap: "allow", catch_up: null, task: LONG_TASK },
  ].map(({ task, ...one }) => [one.name, { ...one, tenant: "default", start: null, job: { task, queue: "images", priority: 5, user: null, args: {}, tags: [] }, paused: false, created_at: iso(), next_at: iso(Date.now() + 7.2e5), last_at: null, last_job: null }]),
);

function limitList() {
  const busy = [...jobs.values()].filter((job) => job.state === "running");
  return { items: [...limits].sort().map(([key, limit]) => ({ key, ...limit, used: key.startsWith("provider:p") ? Math.min(2, busy.length) : 0, waiting: key === "provider:pixellab" ? 4 : 0 })) };
}

function tenantList() {
  const { counts } = counted();
  return { items: [...policies].map(([name, policy]) => ({ name, ...policy, set: true, counts: name === "default" ? counts : {} })), more: 0 };
}

function operate(response, method, path, body) {
  if (path === "/limits" && method === "PUT") {
    if (!/^[a-z]+:./.test(body.key)) return problem(response, 422, "Unprocessable Entity", `The key '${body.key}' has no kind.`, "Write it as kind:name, such as provider:pixellab.", "usage"), true;
    limits.set(body.key, { running: null, starts: null, period: null, burst: null, refuse: null, parked_until: null, ...body });
  } else if (path === "/limits/drop") limits.delete(body.key);
  else if (path === "/limits/park") Object.assign(limits.get(body.key) ?? {}, { parked_until: body.seconds ? iso(Date.now() + body.seconds * 1000) : null });
  else if (path === "/tenants" && method === "PUT") policies.set(body.name, { weight: body.weight, top_priority: body.top_priority });
  if (path.startsWith("/limits")) return json(response, 200, limitList()), true;
  if (path === "/tenants") return json(response, 200, tenantList()), true;
  if (path === "/scaling") return json(response, 200, { items: Object.keys(counted().queues).map((queue) => ({ queue, desired: queue === "images" ? 4 : 1, arrival_rate: 0.6, mean_duration: 3.1, waiting: 3, held: queue === "images" ? 2 : 0, running: 2, wait_target: 30 })) }), true;
  if (path === "/line") return json(response, 200, { items: [...jobs.values()].filter((job) => job.state === "queued" && job.position).sort((a, b) => a.position - b.position).slice(0, 6).map(thin), next: null }), true;
  if (path === "/schedules") return json(response, 200, { items: [...schedules.values()] }), true;
  const [, name, verb] = /^\/schedules\/([^/]+)(?:\/(pause|resume|run))?$/.exec(path) ?? [];
  const schedule = name && schedules.get(decodeURIComponent(name));
  if (!schedule) return false;
  if (method === "DELETE") schedules.delete(schedule.name);
  else if (verb === "run") make(Date.now(), { task: schedule.job.task });
  else schedule.paused = verb === "pause";
  return json(response, 200, schedule), true;
}

function tick() {
  const now = Date.now();
  for (let due = RATE * 0.1; due > 0; due--) if (Math.random() < due) make(now);
  let running = 0;
  for (const job of jobs.values()) {
    if (job.state === "retrying" && job.wake < now) move(job, "queued");
    if (job.state !== "running") continue;
    running += 1;
    const work = job.work;
    if (job.cancel_requested_at && Date.parse(job.cancel_requested_at) + 900 < now) {
      end(job, "cancelled");
      move(job, "cancelled");
      continue;
    }
    if (work.next > now) continue;
    work.next = now + work.every;
    work.step += 1;
    if (work.fails && work.step > 4) stumble(job);
    else if (work.step > work.steps) finish(job);
    else {
      const fraction = work.step / work.steps;
      job.progress = { fraction, index: work.step, length: work.steps, unit: null, message: `step ${work.step} of ${work.steps}`, stage: STAGES[Math.min(3, Math.floor(fraction * 4))], eta: ((work.steps - work.step) * work.every) / 1000 };
      emit("progress", { job: job.id, ...job.progress }, false);
      if (job.task === "translate") emit("output", { job: job.id, attempt: job.attempt, index: work.step, chunk: "Es war eine dunkle und stürmische Nacht. ".slice(0, 9 + (work.step % 20)) }, false);
      else {
        job.preview = { url: `/api/v1/jobs/${job.id}/preview?v=${work.step}`, content_type: "image/png", width: 32, height: 32, step: work.step };
        emit("preview", { job: job.id, ...job.preview }, false);
      }
      if (work.step % 4 === 0) emit("log", { job: job.id, level: "info", message: `denoised ${work.step} steps`, source: "sampler", at: iso() }, false);
    }
  }
  const line = [...jobs.values()].filter((job) => job.state === "queued" && !paused.has(job.queue)).sort((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1));
  for (const job of line) {
    if (running >= SLOTS) break;
    running += 1;
    start(job);
  }
}

function positions() {
  const line = [...jobs.values()].filter((job) => job.state === "queued").sort((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1));
  let place = 0;
  for (const job of line) {
    const stuck = paused.has(job.queue);
    const position = stuck ? null : ++place;
    const waiting_on = stuck ? { reason: "paused_queue", key: job.queue, until: null } : null;
    if (job.position === position && Boolean(job.waiting_on) === stuck) continue;
    const eta = stuck ? null : { starts_in: { p50: place * 0.8, p90: place * 1.6 + 1 }, finishes_in: { p50: place * 0.8 + 4, p90: place * 1.6 + 9 } };
    Object.assign(job, { position, ahead: stuck ? null : place - 1, eta, waiting_on });
    emit("position", { job: job.id, position, ahead: job.ahead, eta, waiting_on }, false);
  }
}

function counted() {
  const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
  const queues = {};
  for (const job of jobs.values()) {
    counts[job.state] += 1;
    queues[job.queue] ??= Object.fromEntries(STATES.map((state) => [state, 0]));
    queues[job.queue][job.state] += 1;
  }
  return { counts, queues };
}

// ------------------------------------------------------------------------------------------- routes

function json(response, code, body) {
  response.writeHead(code, { "content-type": code < 400 ? "application/json" : "application/problem+json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

function problem(response, code, title, detail, remedy, word) {
  json(response, code, { type: "about:blank", title, status: code, detail, code: word, retryable: code >= 500, request_id: "req_mock01", remedy });
}

function filter(query) {
  const states = query.get("state")?.split(",");
  const words = query.get("q")?.toLowerCase();
  return (job) =>
    (!states || states.includes(job.state)) &&
    (!query.get("queue") || job.queue === query.get("queue")) &&
    (!query.get("task") || job.task === query.get("task")) &&
    (!words || JSON.stringify([job.id, job.task, job.args, job.tags, job.user]).toLowerCase().includes(words));
}

function cancel(job) {
  if (FINAL.has(job.state)) return false;
  if (job.state === "running") {
    job.cancel_requested_at = iso();
    job.version += 1;
    status(job);
  } else move(job, "cancelled");
  return true;
}

function retry(job) {
  if (job.state !== "failed") return false;
  Object.assign(job, { spent: 0, ended_at: null, started_at: null, cancel_requested_at: null });
  move(job, "queued");
  return true;
}

function stream(request, response, url) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store, no-transform" });
  response.write("retry: 2000\n\n");
  const after = Number((url.searchParams.get("after") ?? "").slice(2) || NaN);
  if (!Number.isNaN(after)) {
    if (after > cursor || (history.length && after < history[0][0] - 1)) response.write(`id: c-${cursor}\nevent: reset\ndata: {"reason":"history_gone"}\n\n`);
    else for (const [at, text] of history) if (at > after) response.write(text);
  } else response.write(`id: c-${cursor}\nevent: stats\ndata: {}\n\n`);
  const watcher = { response, job: url.searchParams.get("jobs") };
  watchers.add(watcher);
  if (DROP) setTimeout(() => response.destroy(), DROP * 1000);
  request.on("close", () => watchers.delete(watcher));
}

async function file(response, path) {
  const asset = path.startsWith("/assets/");
  const name = asset ? normalize(path).slice(1) : "index.html";
  const kinds = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
  try {
    const body = await readFile(join(STATIC, name));
    response.writeHead(200, { "content-type": kinds[extname(name)] ?? "application/octet-stream", "content-security-policy": POLICY });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

async function bodyOf(request) {
  let text = "";
  for await (const part of request) text += part;
  return text ? JSON.parse(text) : {};
}

async function route(request, response) {
  const url = new URL(request.url, "http://mock");
  if (!url.pathname.startsWith("/api/")) return file(response, url.pathname);
  const path = url.pathname.replace(/^\/api(\/v1)?/, "");
  const post = request.method !== "GET";
  const body = post ? await bodyOf(request) : {};
  const inside = !KEY || /stn_session=1/.test(request.headers.cookie ?? "");
  if (path === "/session" && request.method === "DELETE") {
    response.setHeader("set-cookie", "stn_session=; Max-Age=0; Path=/");
    return response.writeHead(204).end();
  }
  if (path === "/session" && !post) return json(response, 200, { authenticated: inside, required: Boolean(KEY) });
  if (path === "/session") {
    if (body.key !== KEY) return problem(response, 401, "The key is not valid", "No active key matches it.", "Make a new one with `stanchion keys create`.", "invalid_key");
    response.setHeader("set-cookie", "stn_session=1; HttpOnly; SameSite=Strict; Path=/");
    return json(response, 200, { authenticated: true, required: true });
  }
  if (!inside) return problem(response, 401, "A key is needed", "The request carries no key.", "Log in.", "unauthenticated");
  if (post && request.headers["x-stanchion-csrf"] !== "1") return problem(response, 403, "The request was refused", "The CSRF header is missing.", "", "csrf");
  if (path === "/health") return json(response, 200, { status: "ok", store: "sqlite", durability: "full", version: "0.1.0", schema: 1 });
  if (flags.has("fail")) return problem(response, 503, "The store does not answer", "SQLite reports: database is locked.", "Close the program that holds the file open, then try again. `stanchion doctor` names it.", "store_unavailable");
  if (path === "/events") return stream(request, response, url);
  if (path === "/stats") return json(response, 200, { ...counted(), series: points.slice(-60).map(pointOut) });
  if (path === "/workers") {
    const busy = [...jobs.values()].filter((job) => job.state === "running");
    const items = flags.has("empty") ? [] : workers.map((worker) => {
      const mine = busy.filter((job) => job.attempts.at(-1).worker === worker.id).map((job) => job.id).slice(0, worker.slots);
      const lost = worker.state === "lost";
      return { ...worker, alive: !lost, running: lost ? 0 : mine.length, state: lost ? "lost" : mine.length ? "busy" : "idle", current_jobs: lost ? [] : mine, last_beat_at: iso(lost ? started - 9e5 : Date.now() - 900) };
    });
    return json(response, 200, { items });
  }
  if (operate(response, request.method, path, body)) return;
  if (path === "/queues") {
    const { queues } = counted();
    const items = Object.entries(queues).sort().map(([name, counts]) => ({ name, counts, paused: paused.has(name), oldest_queued_at: [...jobs.values()].find((job) => job.queue === name && job.state === "queued")?.created_at ?? null, throughput: { started: 31.4, completed: 28.9, failed: name === "images" ? 1.2 : 0 } }));
    return json(response, 200, { items });
  }
  const queue = /^\/queues\/([^/]+)\/(pause|resume|clean)$/.exec(path);
  if (queue && post) {
    const name = decodeURIComponent(queue[1]);
    if (queue[2] === "pause") paused.add(name);
    else paused.delete(name);
    return json(response, 200, { count: 0 });
  }
  if (path === "/jobs" && !post) {
    const limit = Number(url.searchParams.get("limit") ?? 50);
    const after = url.searchParams.get("after") ?? "~";
    const found = [...jobs.values()].filter(filter(url.searchParams)).sort((a, b) => (a.id < b.id ? 1 : -1)).filter((job) => job.id < after);
    return json(response, 200, { items: found.slice(0, limit).map(thin), next: found.length > limit ? found[limit - 1].id : null });
  }
  const bulk = /^\/jobs\/(cancel|retry)$/.exec(path);
  if (bulk && post) {
    const chosen = body.ids ? body.ids.map((id) => jobs.get(id)).filter(Boolean) : [...jobs.values()].filter(filter(new URLSearchParams({ ...body.filter, state: [body.filter.state ?? ""].flat().join(",") })));
    return json(response, 200, { count: chosen.filter(bulk[1] === "cancel" ? cancel : retry).length });
  }
  const made = /^\/jobs\/([^/]+)\/outputs$/.exec(path);
  if (made) return json(response, 200, { items: [], next: null });
  const one = /^\/jobs\/([^/]+)(?:\/(cancel|retry|preview|outputs\/\d+))?$/.exec(path);
  const job = one && jobs.get(one[1]);
  if (!job) return problem(response, 404, "There is no such job", `No job has the id ${one?.[1] ?? path}.`, "Check the id with `stanchion jobs`.", "not_found");
  if (!one[2]) return json(response, 200, full(job));
  if (post && one[2] === "cancel") return cancel(job) ? json(response, 200, full(job)) : problem(response, 409, "The job has ended", `It is ${job.state}.`, "Only jobs that have not ended can be cancelled.", "wrong_state");
  if (post && one[2] === "retry") return retry(job) ? json(response, 200, full(job)) : problem(response, 409, "The job cannot be retried", `It is ${job.state}.`, "Only failed jobs can be retried.", "wrong_state");
  const image = one[2] === "preview" ? sprite(job.id, (job.progress?.fraction ?? 1) * 0.9) : sprite(one[2] === "outputs/0" ? job.id : job.id + one[2]);
  response.writeHead(200, { "content-type": "image/png", "cache-control": "private, max-age=3600" });
  response.end(image);
}

if (flags.has("empty")) for (const kept of [limits, policies, schedules]) kept.clear();
else seed();
setInterval(tick, 100);
setInterval(positions, 500);
setInterval(() => {
  point();
  emit("stats", { ...counted(), series: pointOut(point()) }, false);
}, 1000);
createServer((request, response) => {
  route(request, response).catch((cause) => problem(response, 500, "The mock failed", String(cause), "", "internal"));
}).listen(PORT, "127.0.0.1", () => console.log(`mock on http://127.0.0.1:${PORT}`));
