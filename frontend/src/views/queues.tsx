import { signal, useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { clean } from "../actions";
import { STATES, type Counts, type Queue, type State } from "../api";
import { ask } from "../components/dialog";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { BroomIcon, WarnIcon, WorkersIcon } from "../components/icons";
import { StateName } from "../components/job";
import { Mix } from "../components/mix";
import { PauseButton } from "../components/queue";
import { Ago } from "../components/time";
import { count, duration, perMinute, plural, title } from "../format";
import { jobsUrl } from "../route";
import { lacking } from "../session";
import { queueCounts, queues, scaling, workers } from "../stats";

const DAY = 86_400;
const AGES: [string, number][] = [
  ["any age", 0],
  ["older than an hour", 3600],
  ["older than a day", DAY],
  ["older than a week", 7 * DAY],
  ["older than 30 days", 30 * DAY],
];
const CLEANABLE: State[] = ["completed", "failed", "cancelled"];
const age = signal(DAY);
const chosen = signal<readonly State[]>(["completed"]);

function CleanForm() {
  return (
    <>
      <p>Removes ended jobs with their outputs. This cannot be undone.</p>
      <label class="field">
        Age
        <select
          class="input select"
          value={String(age.value)}
          onChange={(event) => {
            age.value = Number(event.currentTarget.value);
          }}
        >
          {AGES.map(([label, seconds]) => (
            <option key={seconds} value={String(seconds)}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="field">
        <legend>States</legend>
        {CLEANABLE.map((state) => (
          <label key={state} class="check">
            <input
              type="checkbox"
              checked={chosen.value.includes(state)}
              onChange={(event) => {
                const rest = chosen.value.filter((one) => one !== state);
                chosen.value = event.currentTarget.checked ? [...rest, state] : rest;
              }}
            />
            <StateName state={state} />
          </label>
        ))}
      </fieldset>
    </>
  );
}

async function askToClean(name: string): Promise<void> {
  const sure = await ask(`Clean queue ${name}`, <CleanForm />, "Remove the jobs");
  if (sure && chosen.value.length) await clean(name, age.value, chosen.value);
}

function Wanted({ queue }: { queue: Queue }) {
  const found = scaling.items.value?.find((one) => one.queue === queue.name);
  const serving = useComputed(() => (workers.items.value ?? []).filter((worker) => worker.alive && (!worker.queues || worker.queues.includes(queue.name))).length).value;
  if (!found) return null;
  const each = found.mean_duration === null ? "how long a job takes is not known yet" : `a job takes ${duration(found.mean_duration)} on average`;
  const why = `${perMinute(found.arrival_rate * 60)} jobs a minute arrive, ${each}; none should wait longer than ${duration(found.wait_target)}.`;
  return (
    <p class="wanted num" data-testid="wanted" title={why}>
      <WorkersIcon />
      <span>
        Needs <b>{plural(found.desired, "worker")}</b>, has {count(serving)}
        {found.held > 0 && <span class="dim">; {plural(found.held, "job is", "jobs are")} held by a limit or a pause, which more workers would not help</span>}
      </span>
      {found.desired > serving && <span class="tag warn">too few</span>}
    </p>
  );
}

/** How many jobs may wait and run, where the queue has a bound. */
function Room({ queue, now }: { queue: Queue; now: Counts }) {
  const waiting = (now.blocked ?? 0) + (now.scheduled ?? 0) + (now.queued ?? 0) + (now.retrying ?? 0);
  const own = queue.overflow;
  const [used, most] = own?.refuse_at != null ? [own.jobs, own.refuse_at] : [waiting, queue.max_waiting];
  if (most == null) return null;
  const full = used >= most;
  if (!full && used < (own?.warn_at ?? 0.8 * most)) return null;
  return (
    <p class={`problem ${full ? "" : "mild"} room num`} role="status" data-testid="overflow">
      <WarnIcon />
      <span>
        {full ? "Full: new jobs are refused. " : "Nearly full. "}
        {count(used)} of {count(most)} places are taken.
      </span>
    </p>
  );
}

function QueueCard({ queue }: { queue: Queue }) {
  const now = queueCounts.value[queue.name] ?? queue.counts;
  const flow = queue.throughput;
  return (
    <article class="panel queue-card" data-testid="queue-card" data-queue={queue.name}>
      <header class="panel-head">
        <h2 class="cut-text" title={queue.name}>
          <a class="quiet" href={jobsUrl({ queue: queue.name })}>
            {queue.name}
          </a>
        </h2>
        {queue.paused && <span class="tag warn">paused</span>}
        <span class="grow" />
        <button type="button" class="button small ghost" {...lacking("jobs:write")} onClick={() => void askToClean(queue.name)} aria-label={`Clean queue ${queue.name}`}>
          <BroomIcon />
          Clean…
        </button>
        <PauseButton queue={queue} />
      </header>
      <Room queue={queue} now={now} />
      <Mix name={queue.name} counts={now} />
      <ul class="mini-counts">
        {STATES.map((state) => (
          <li key={state}>
            <a class={`quiet ${now[state] ? "" : "zero"}`} href={jobsUrl({ queue: queue.name, state })}>
              <span class="dim small">{title(state)}</span>
              <b class="num">{count(now[state])}</b>
            </a>
          </li>
        ))}
      </ul>
      <Wanted queue={queue} />
      <footer class="queue-foot dim small num">
        <span>
          Oldest waiting: <Ago at={queue.oldest_queued_at} />
        </span>
        {flow?.completed != null && (
          <span>
            Per minute: {perMinute(flow.started)} started, {perMinute(flow.completed)} completed,{" "}
            <span class={flow.failed ? "bad" : ""}>{perMinute(flow.failed)} failed</span>
          </span>
        )}
      </footer>
    </article>
  );
}

export function Queues() {
  useEffect(() => {
    document.title = "Queues · Stanchion";
    const close = [queues.open(), scaling.open(), workers.open()];
    return () => {
      for (const one of close) one();
    };
  }, []);
  const items = queues.items.value;
  return (
    <div class="view">
      <header class="view-head">
        <h1>Queues</h1>
      </header>
      {queues.problem.value && <ProblemNote problem={queues.problem.value} again={() => void queues.refresh()} />}
      {!items && !queues.problem.value && <Loading />}
      {items?.length === 0 && (
        <section class="panel">
          <Empty title="No queues yet">
            <p>A queue appears with its first job or its first worker:</p>
            <Command text="stanchion worker APP" />
          </Empty>
        </section>
      )}
      <div class="cards">
        {items?.map((queue) => (
          <QueueCard key={queue.name} queue={queue} />
        ))}
      </div>
    </div>
  );
}
