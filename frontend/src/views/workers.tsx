import { useEffect } from "preact/hooks";

import type { Device, Resource, Worker } from "../api";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { Meter } from "../components/meter";
import { Panel } from "../components/panel";
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

/** What a worker has and holds of each resource, in whatever form it is told. */
function resourcesOf(worker: Worker): [string, Resource][] {
  return Object.entries(worker.resources ?? {}).map(([name, found]) => [
    name,
    typeof found === "number" ? { capacity: found, held: worker.holds?.[name] ?? 0 } : found,
  ]);
}

/** The devices behind a resource, whatever form they come in. */
function deviceNames(resource: Resource): string[] {
  const devices = resource.devices ?? [];
  if (!Array.isArray(devices)) return Object.keys(devices);
  return devices.map((device: string | Device, at) => (typeof device === "string" ? device : (device.name ?? String(at))));
}

/** What all living workers have together of each resource. */
function Resources({ items }: { items: readonly Worker[] }) {
  const sums = new Map<string, { hosts: Map<string, number>; held: number; workers: number }>();
  for (const worker of items) {
    for (const [name, { capacity, held }] of resourcesOf(worker)) {
      const sum = sums.get(name) ?? { hosts: new Map<string, number>(), held: 0, workers: 0 };
      // Processes of one machine share what it has.
      sum.hosts.set(worker.host, Math.max(capacity, sum.hosts.get(worker.host) ?? 0));
      sums.set(name, { hosts: sum.hosts, held: sum.held + held, workers: sum.workers + 1 });
    }
  }
  if (!sums.size) return null;
  return (
    <Panel name="Resources" extra={<span class="dim panel-note">what the living workers have together</span>}>
      <ul class="resource-sums" data-testid="resources">
        {[...sums].sort().map(([name, sum]) => (
          <li key={name}>
            <span class="cut-text strong" title={name}>
              {name}
            </span>
            <Meter label={name} used={sum.held} most={[...sum.hosts.values()].reduce((all, one) => all + one, 0)} />
            <span class="dim small num">{plural(sum.workers, "worker")}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function WorkerCard({ worker }: { worker: Worker }) {
  const able = Object.entries(worker.capabilities).map(([name, value]) => capability(name, value));
  const have = resourcesOf(worker);
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
        {have.length > 0 && (
          <>
            <dt>Resources</dt>
            <dd>
              <ul class="resource-lines" data-testid="worker-resources">
                {have.map(([name, resource]) => (
                  <li key={name}>
                    <span class="cut-text" title={name}>
                      {name}
                    </span>
                    <Meter label={`${name} of ${worker.host}, process ${worker.pid}`} used={resource.held} most={resource.capacity} />
                    {deviceNames(resource).length > 0 && <span class="dim small cut-text">{deviceNames(resource).join(", ")}</span>}
                  </li>
                ))}
              </ul>
            </dd>
          </>
        )}
        {worker.warm && worker.warm.length > 0 && (
          <>
            <dt>Loaded</dt>
            <dd>
              <span class="tags" data-testid="worker-warm">
                {worker.warm.map((model) => (
                  <span key={model} class="tag cut-text" title={model}>
                    {model}
                  </span>
                ))}
                {worker.swaps != null && worker.swaps > 0 && <span class="dim num">{plural(worker.swaps, "swap")}</span>}
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
      <Resources items={live} />
      <div class="cards">
        {items?.map((worker) => (
          <WorkerCard key={worker.id} worker={worker} />
        ))}
      </div>
    </div>
  );
}
