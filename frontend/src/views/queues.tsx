import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { clean } from "../actions";
import { STATES, type Counts, type Queue, type State } from "../api";
import { ask } from "../components/dialog";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { BroomIcon } from "../components/icons";
import { StateName } from "../components/job";
import { PauseButton } from "../components/queue";
import { Ago } from "../components/time";
import { count, perMinute, title } from "../format";
import { jobsUrl } from "../route";
import { queueCounts, queues } from "../stats";

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

function Mix({ name, counts }: { name: string; counts: Counts }) {
  const open = STATES.filter((state) => state !== "completed" && state !== "cancelled" && counts[state]);
  const total = open.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  const words = open.map((state) => `${count(counts[state])} ${state}`).join(", ");
  return (
    <div class="mix" role="img" aria-label={`${name}: ${words || "nothing open"}`} title={words || "nothing open"}>
      {open.map((state) => (
        <i key={state} class={`s-${state}`} style={{ flexGrow: Math.max((counts[state] ?? 0) / total, 0.02) }} />
      ))}
    </div>
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
        <button type="button" class="button small ghost" onClick={() => void askToClean(queue.name)} aria-label={`Clean queue ${queue.name}`}>
          <BroomIcon />
          Clean…
        </button>
        <PauseButton queue={queue} />
      </header>
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
    return queues.open();
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
