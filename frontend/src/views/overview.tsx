import { useComputed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

import { STATES, type Job, type Queue, type State, type Tenant, type Worker } from "../api";
import { Chart, type Line } from "../components/chart";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { StateIcon } from "../components/icons";
import { isPixelArt } from "../components/job";
import { Key } from "../components/key";
import { Meter } from "../components/meter";
import { PauseButton } from "../components/queue";
import { Ago } from "../components/time";
import { count, duration, perMinute, picture, plural, shortCount, title } from "../format";
import { jobsUrl, jobUrl } from "../route";
import { may } from "../session";
import { counts, limits, line, loadStats, queueCounts, queues, statsProblem, STEP, tenants, workers } from "../stats";
import { jobSignal, JobList } from "../store";
import { waitingOf } from "../tenants";

const PICTURES = 24;
/** So many tenants and limits; the others are a click away. */
const SUMS = 4;

function rate(value: number): string {
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)}/s`;
}


const THROUGHPUT: readonly Line[] = [
  { label: "enqueued", token: "chart-grey", value: (point) => point.enqueued / STEP },
  { label: "completed", token: "chart-green", fill: true, value: (point) => point.completed / STEP },
  { label: "failed", token: "chart-red", value: (point) => point.failed / STEP },
];
const WAIT: readonly Line[] = [
  { label: "p50", token: "chart-blue", fill: true, value: (point) => point.wait_p50 },
  { label: "p95", token: "chart-violet", value: (point) => point.wait_p95 },
];

function Tile({ state }: { state: State }) {
  const value = counts.value?.[state] ?? 0;
  return (
    <a class={`tile ${value ? "" : "zero"} s-${state}`} href={jobsUrl({ state })} title={`${count(value)} ${state}`} data-testid={`tile-${state}`}>
      <span class="tile-label">
        <StateIcon state={state} />
        {title(state)}
      </span>
      <span class="tile-value num">{counts.value ? shortCount(value) : "–"}</span>
    </a>
  );
}

function PictureTile({ id }: { id: string }) {
  const job = jobSignal(id)?.value;
  const shown = job && picture(job);
  if (!job || !shown) return null;
  const prompt = typeof job.metadata?.prompt === "string" ? job.metadata.prompt : "";
  return (
    <a class="shot" href={jobUrl(id)} title={[job.task, prompt].filter(Boolean).join(" · ")}>
      <img class={isPixelArt(shown) ? "pixels" : ""} src={shown.url} alt={prompt || `Result of ${job.task}`} loading="lazy" decoding="async" />
      <span class="shot-foot">
        <span class="cut-text">{job.task}</span>
        <Ago at={job.ended_at ?? job.created_at} />
      </span>
    </a>
  );
}

function hasPicture(job: Job): boolean {
  return job.state === "completed" && picture(job) !== undefined;
}

function lastEndedFirst(a: Job, b: Job): number {
  return (b.ended_at ?? "").localeCompare(a.ended_at ?? "");
}

function Pictures() {
  const list = useMemo(() => new JobList({ state: "completed" }, PICTURES * 2, hasPicture, { order: lastEndedFirst }), []);
  useEffect(() => {
    list.open();
    return () => list.close();
  }, [list]);
  const ids = list.ids.value;
  if (!ids.length) return null;
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>Latest pictures</h2>
        <a class="more" href={jobsUrl({ state: "completed" })}>
          All completed
        </a>
      </header>
      <div class="shots" data-testid="pictures">
        {ids.slice(0, PICTURES).map((id) => (
          <PictureTile key={id} id={id} />
        ))}
      </div>
    </section>
  );
}

function QueueRow({ queue }: { queue: Queue }) {
  const now = queueCounts.value[queue.name] ?? queue.counts;
  const waiting = (now.queued ?? 0) + (now.retrying ?? 0);
  const cell = (value: number | undefined, state: string) => (
    <td class="right num">
      <a class={value ? "quiet" : "quiet dim"} href={jobsUrl({ queue: queue.name, state })}>
        {count(value)}
      </a>
    </td>
  );
  return (
    <tr>
      <td class="name-cell">
        <a class="cut-text strong" href={jobsUrl({ queue: queue.name })} title={queue.name}>
          {queue.name}
        </a>
        {queue.paused && <span class="tag warn">paused</span>}
      </td>
      {cell(waiting, "queued,retrying")}
      {cell(now.running, "running")}
      {cell(now.failed, "failed")}
      <td class="right num dim wide-only">{queue.throughput?.completed != null ? `${perMinute(queue.throughput.completed)}/min` : "–"}</td>
      <td class="right dim wide-only">
        <Ago at={queue.oldest_queued_at} />
      </td>
      <td class="right compact">
        <PauseButton queue={queue} />
      </td>
    </tr>
  );
}

function QueuesPanel() {
  useEffect(() => queues.open(), []);
  const items = queues.items.value;
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>Queues</h2>
        <a class="more" href="/queues">
          All queues
        </a>
      </header>
      {queues.problem.value && !items && <ProblemNote problem={queues.problem.value} again={() => void queues.refresh()} />}
      {!items && !queues.problem.value && <Loading rows={3} />}
      {items?.length === 0 && <p class="hint">A queue appears with its first job or its first worker.</p>}
      {items && items.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              <th>Queue</th>
              <th class="right">Waiting</th>
              <th class="right">Running</th>
              <th class="right">Failed</th>
              <th class="right wide-only">Completed</th>
              <th class="right wide-only">Oldest</th>
              <th>
                <span class="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((queue) => (
              <QueueRow key={queue.name} queue={queue} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Who shares the queues: shown once there are two, or one with a policy. */
function TenantsPanel() {
  useEffect(() => tenants.open(), []);
  const items = tenants.items.value ?? [];
  if (items.length < 2 && !items.some((tenant) => tenant.set)) return null;
  const load = (tenant: Tenant) => waitingOf(tenant) + (tenant.counts?.running ?? 0);
  // The busiest, but in an order that stays.
  const busiest = [...items].sort((a, b) => load(b) - load(a)).slice(0, SUMS).sort((a, b) => a.name.localeCompare(b.name));
  const most = Math.max(1, ...busiest.map(load));
  return (
    <section class="panel" data-testid="tenants-panel">
      <header class="panel-head">
        <h2>Tenants</h2>
        <a class="more" href="/tenants">
          All tenants
        </a>
      </header>
      <ul class="sums">
        {busiest.map((tenant) => {
          const running = tenant.counts?.running ?? 0;
          const waiting = waitingOf(tenant);
          return (
            <li key={tenant.name}>
              <a class="cut-text strong quiet" href={jobsUrl({ tenant: tenant.name })} title={tenant.name}>
                {tenant.name}
              </a>
              <span class="dim small fixed">weight {count(tenant.weight)}</span>
              <span class="num fixed small">
                {count(running)} running, {count(waiting)} waiting
              </span>
              <span class="bar two" role="img" aria-label={`${tenant.name}: ${count(running)} running, ${count(waiting)} waiting`}>
                <i class="s-running" style={{ flexGrow: running / most }} />
                <i class="s-queued" style={{ flexGrow: waiting / most }} />
                <i style={{ flexGrow: 1 - (running + waiting) / most }} />
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Who starts next, and when. */
function LinePanel() {
  useEffect(() => line.open(), []);
  const items = line.items.value;
  if (!items?.length) return null;
  return (
    <section class="panel" data-testid="line-panel">
      <header class="panel-head">
        <h2>Next in line</h2>
        <a class="more" href={jobsUrl({ state: "queued" })}>
          {count(counts.value?.queued)} queued
        </a>
      </header>
      <ol class="line">
        {items.map((job) => (
          <li key={job.id}>
            <b class="num">{job.position}</b>
            <a class="cut-text strong quiet" href={jobUrl(job.id)} title={`${job.task}\n${job.id}\nqueue ${job.queue}`}>
              {job.task}
            </a>
            <span class="cut-text dim small" title={job.tenant ?? ""}>
              {job.tenant === "default" ? job.user : job.tenant}
            </span>
            <span class="num dim small right">{job.eta?.starts_in ? job.eta.starts_in.p50 < 1 ? "in < 1 s" : `in ${duration(job.eta.starts_in.p50)}` : job.waiting_on?.reason === "no_worker" ? "no worker" : ""}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The limits that hold somebody back, or nearly do. */
function LimitsPanel() {
  useEffect(() => limits.open(), []);
  const items = (limits.items.value ?? []).filter((limit) => limit.running !== null || limit.starts !== null || limit.parked_until);
  if (!items.length) return null;
  const urgent = [...items].sort((a, b) => b.waiting - a.waiting || b.used - a.used);
  return (
    <section class="panel" data-testid="limits-panel">
      <header class="panel-head">
        <h2>Limits</h2>
        <a class="more" href="/limits">
          All limits
        </a>
      </header>
      <ul class="sums">
        {urgent.slice(0, SUMS).map((limit) => (
          <li key={limit.key}>
            <Key name={limit.key} />
            {limit.parked_until && <span class="tag warn">parked</span>}
            <span class={`num fixed small ${limit.waiting ? "" : "dim"}`}>{plural(limit.waiting, "job")} waiting</span>
            <Meter label={`Running of ${limit.key}`} used={limit.used} most={limit.running} wanted={limit.waiting > 0} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function WorkerLine({ worker }: { worker: Worker }) {
  return (
    <li class="worker-line">
      <i class={`dot w-${worker.state}`} />
      <a class="cut-text quiet" href="/workers" title={`${worker.host}, process ${worker.pid}`}>
        {worker.host} <span class="dim num">{worker.pid}</span>
      </a>
      <span class="slots" aria-hidden="true">
        {Array.from({ length: Math.min(worker.slots, 12) }, (_, slot) => (
          <i key={slot} class={slot < worker.running ? "on" : ""} />
        ))}
      </span>
      <span class="num dim">
        {worker.running}/{worker.slots}
      </span>
    </li>
  );
}

function WorkersPanel() {
  useEffect(() => workers.open(), []);
  const items = workers.items.value;
  const summary = useComputed(() => {
    const live = (workers.items.value ?? []).filter((worker) => worker.alive);
    return {
      live: live.length,
      running: live.reduce((sum, worker) => sum + worker.running, 0),
      slots: live.reduce((sum, worker) => sum + worker.slots, 0),
    };
  }).value;
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>Workers</h2>
        {items && items.length > 0 && (
          <span class="dim num panel-note">
            {plural(summary.live, "worker")}, {summary.running} of {summary.slots} slots in use
          </span>
        )}
        <a class="more" href="/workers">
          All workers
        </a>
      </header>
      {workers.problem.value && !items && <ProblemNote problem={workers.problem.value} again={() => void workers.refresh()} />}
      {!items && !workers.problem.value && <Loading rows={3} />}
      {items?.length === 0 && (
        <div class="hint">
          <p>No worker is connected: jobs wait until one is.</p>
          <Command text="stanchion worker APP" />
        </div>
      )}
      {items && items.length > 0 && (
        <ul class="worker-lines">
          {items.slice(0, 8).map((worker) => (
            <WorkerLine key={worker.id} worker={worker} />
          ))}
        </ul>
      )}
    </section>
  );
}

export function Overview() {
  useEffect(() => {
    document.title = "Overview · Stanchion";
  }, []);
  const now = counts.value;
  const problem = statsProblem.value;
  if (problem && !now) {
    return (
      <div class="view">
        <header class="view-head">
          <h1>Overview</h1>
        </header>
        <ProblemNote problem={problem} again={() => void loadStats()} />
      </div>
    );
  }
  const nothing = now !== null && STATES.every((state) => !now[state]);
  return (
    <div class="view">
      <header class="view-head">
        <h1>Overview</h1>
      </header>
      <div class="tiles">
        {STATES.map((state) => (
          <Tile key={state} state={state} />
        ))}
      </div>
      {nothing ? (
        <section class="panel">
          <Empty title="No jobs yet">
            <p>Enqueue one:</p>
            <Command text='stanchion enqueue APP sprite prompt="an orc"' />
            <p class="dim">Or see it work first:</p>
            <Command text="stanchion demo" />
          </Empty>
        </section>
      ) : (
        <>
          <div class="pair">
            <Chart title="Throughput" lines={THROUGHPUT} format={rate} empty="No job started or ended in the last five minutes." />
            <Chart title="Wait until start" lines={WAIT} format={duration} empty="No job started in the last five minutes." />
          </div>
          <Pictures />
          <div class="trio">
            <LinePanel />
            {may("admin:limits") && <TenantsPanel />}
            {may("admin:limits") && <LimitsPanel />}
          </div>
        </>
      )}
      <div class="pair uneven">
        <QueuesPanel />
        <WorkersPanel />
      </div>
    </div>
  );
}
