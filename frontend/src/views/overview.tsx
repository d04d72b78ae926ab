import { useComputed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

import { STATES, type Job, type Queue, type State, type Worker } from "../api";
import { Chart, type Line } from "../components/chart";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { StateIcon } from "../components/icons";
import { isPixelArt } from "../components/job";
import { PauseButton } from "../components/queue";
import { Ago } from "../components/time";
import { count, duration, perMinute, picture, plural, shortCount, title } from "../format";
import { jobsUrl, jobUrl } from "../route";
import { counts, loadStats, queueCounts, queues, statsProblem, STEP, workers } from "../stats";
import { jobSignal, JobList } from "../store";

const PICTURES = 24;

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
        </>
      )}
      <div class="pair uneven">
        <QueuesPanel />
        <WorkersPanel />
      </div>
    </div>
  );
}
