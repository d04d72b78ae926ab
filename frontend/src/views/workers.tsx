import { useEffect } from "preact/hooks";

import type { Worker } from "../api";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { Ago } from "../components/time";
import { count, duration, plural, shortId, title } from "../format";
import { jobsUrl, jobUrl } from "../route";
import { workers } from "../stats";
import { jobSignal } from "../store";

function Names({ values, link }: { values: readonly string[] | null; link: (value: string) => string }) {
  if (!values?.length) return <span class="dim">all</span>;
  return (
    <span class="tags">
      {values.map((value) => (
        <a key={value} class="tag cut-text" href={link(value)} title={value}>
          {value}
        </a>
      ))}
    </span>
  );
}

function capability(name: string, value: unknown): string {
  if (value === true) return name;
  return `${name}: ${typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value)}`;
}

function WorkerCard({ worker }: { worker: Worker }) {
  const able = Object.entries(worker.capabilities).map(([name, value]) => capability(name, value));
  return (
    <article class={`panel worker-card ${worker.alive ? "" : "gone"}`} data-testid="worker-card">
      <header class="panel-head">
        <i class={`dot w-${worker.state}`} />
        <h2 class="cut-text" title={worker.host}>
          {worker.host}
        </h2>
        <span class="dim num fixed">process {worker.pid}</span>
        <span class="grow" />
        <span class={`worker-state w-${worker.state}`}>{title(worker.state)}</span>
      </header>
      <div class="worker-slots">
        <span class="slots" role="img" aria-label={`${worker.running} of ${worker.slots} slots in use`}>
          {Array.from({ length: Math.min(worker.slots, 64) }, (_, slot) => (
            <i key={slot} class={slot < worker.running ? "on" : ""} />
          ))}
        </span>
        <span class="num">
          {worker.running}/{worker.slots} <span class="dim">slots</span>
        </span>
      </div>
      <ul class="mini-counts four">
        <li>
          <span class="dim small">Done</span>
          <b class="num">{count(worker.jobs_done)}</b>
        </li>
        <li>
          <span class="dim small">Failed</span>
          <b class={`num ${worker.jobs_failed ? "bad" : ""}`}>{count(worker.jobs_failed)}</b>
        </li>
        <li>
          <span class="dim small">Mean run</span>
          <b class="num">{duration(worker.mean_ms === null ? null : worker.mean_ms / 1000)}</b>
        </li>
        <li>
          <span class="dim small">Last beat</span>
          <b class={`num ${worker.alive ? "" : "bad"}`}>
            <Ago at={worker.last_beat_at} />
          </b>
        </li>
      </ul>
      <dl class="facts">
        <dt>Queues</dt>
        <dd>
          <Names values={worker.queues} link={(queue) => jobsUrl({ queue })} />
        </dd>
        <dt>Tasks</dt>
        <dd>
          <Names values={worker.tasks} link={(task) => jobsUrl({ task })} />
        </dd>
        {able.length > 0 && (
          <>
            <dt>Has</dt>
            <dd>
              <span class="tags">
                {able.map((text) => (
                  <span key={text} class="tag cut-text" title={text}>
                    {text}
                  </span>
                ))}
              </span>
            </dd>
          </>
        )}
        <dt>Runs</dt>
        <dd>
          {worker.current_jobs.length ? (
            <span class="tags">
              {worker.current_jobs.slice(0, 12).map((id) => (
                <a key={id} class="tag mono" href={jobUrl(id)} title={id}>
                  {jobSignal(id)?.value.task ?? shortId(id)}
                </a>
              ))}
              {worker.current_jobs.length > 12 && <span class="dim">and {worker.current_jobs.length - 12} more</span>}
            </span>
          ) : (
            <span class="dim">nothing now</span>
          )}
        </dd>
        <dt>Up since</dt>
        <dd>
          <Ago at={worker.started_at} /> <span class="dim">· version {worker.version}</span>
        </dd>
      </dl>
    </article>
  );
}

export function Workers() {
  useEffect(() => {
    document.title = "Workers · Stanchion";
    return workers.open();
  }, []);
  const items = workers.items.value;
  const live = items?.filter((worker) => worker.alive) ?? [];
  return (
    <div class="view">
      <header class="view-head">
        <h1>Workers</h1>
        {items && items.length > 0 && (
          <span class="dim num">
            {plural(live.length, "worker")} alive, {live.reduce((sum, worker) => sum + worker.running, 0)} of{" "}
            {live.reduce((sum, worker) => sum + worker.slots, 0)} slots in use
          </span>
        )}
      </header>
      {workers.problem.value && <ProblemNote problem={workers.problem.value} again={() => void workers.refresh()} />}
      {!items && !workers.problem.value && <Loading />}
      {items?.length === 0 && (
        <section class="panel">
          <Empty title="No workers yet">
            <p>Jobs wait until one is connected. Start one:</p>
            <Command text="stanchion worker APP" />
          </Empty>
        </section>
      )}
      <div class="cards">
        {items?.map((worker) => (
          <WorkerCard key={worker.id} worker={worker} />
        ))}
      </div>
    </div>
  );
}
