import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";

import { bulk } from "../actions";
import { Problem, STATES, type Job, type State } from "../api";
import { ask } from "../components/dialog";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { BackIcon, CloseIcon, NextIcon, RetryIcon, SearchIcon, StateIcon, StopIcon } from "../components/icons";
import { Standing, StatePill, Thumb } from "../components/job";
import { Ago, Elapsed } from "../components/time";
import { absolute, count, isFinal, plural, priority, shortCount, shortId, title } from "../format";
import { counts, jobSignal, JobList, queueCounts, workers } from "../live";
import { jobsUrl, jobUrl, navigate, place } from "../route";

const LIMIT = 50;
const TYPING_MS = 250;
const FILTERS = ["state", "queue", "task", "q", "after"] as const;
type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

function filtersOf(query: URLSearchParams): Filters {
  const out: Filters = {};
  for (const name of FILTERS) {
    const value = query.get(name);
    if (value) out[name] = value;
  }
  return out;
}

/** Whether a job that moved belongs on a page with these filters. */
function matcher(filters: Filters): (job: Job) => boolean {
  const states = filters.state?.split(",");
  const words = filters.q?.toLowerCase();
  return (job) =>
    (!states || states.includes(job.state)) &&
    (!filters.queue || job.queue === filters.queue) &&
    (!filters.task || job.task === filters.task) &&
    (!words || [job.id, job.task, job.queue, job.user ?? "", ...(job.tags ?? [])].some((text) => text.toLowerCase().includes(words)));
}

/** A row the server found by its text stays, whatever the page itself can see of that text. */
function keeper(filters: Filters): (job: Job) => boolean {
  const { q: _q, ...rest } = filters;
  return matcher(rest);
}

function go(filters: Filters, change: Filters, how: "push" | "replace" = "push"): void {
  const { after: _after, ...rest } = filters;
  navigate(jobsUrl({ ...rest, ...change }), how);
}

function StateChips({ filters }: { filters: Filters }) {
  const chosen = new Set(filters.state?.split(",") ?? []);
  const perQueue = filters.queue ? queueCounts.value[filters.queue] : undefined;
  const now = filters.queue ? perQueue : counts.value;
  return (
    <div class="chips" role="group" aria-label="Filter by state">
      <button type="button" class="chip" aria-pressed={!chosen.size} onClick={() => go(filters, { state: "" })}>
        All
      </button>
      {STATES.map((state) => (
        <button
          key={state}
          type="button"
          class={`chip s-${state}`}
          aria-pressed={chosen.has(state)}
          onClick={(event) => {
            // With Shift or Ctrl, states add up.
            const many = event.shiftKey || event.ctrlKey || event.metaKey;
            const next = new Set(many ? chosen : chosen.size === 1 && chosen.has(state) ? [state] : []);
            if (next.has(state)) next.delete(state);
            else next.add(state);
            go(filters, { state: [...next].join(",") });
          }}
        >
          <StateIcon state={state} />
          {title(state)}
          <span class="num dim">{shortCount(now?.[state])}</span>
        </button>
      ))}
    </div>
  );
}

function FilterBar({ filters }: { filters: Filters }) {
  const typed = useSignal(filters.q ?? "");
  const timer = useRef(0);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => workers.open(), []);
  useEffect(() => {
    if (document.activeElement !== input.current) typed.value = filters.q ?? "";
  }, [filters.q]);
  const queueNames = [...new Set([...Object.keys(queueCounts.value), ...(filters.queue ? [filters.queue] : [])])].sort();
  const taskNames = [
    ...new Set([...(workers.items.value ?? []).flatMap((worker) => worker.tasks), ...(filters.task ? [filters.task] : [])]),
  ].sort();
  const select = (name: "queue" | "task", all: string, values: readonly string[]) => (
    <select
      class="input select"
      aria-label={title(name)}
      value={filters[name] ?? ""}
      onChange={(event) => go(filters, { [name]: event.currentTarget.value })}
    >
      <option value="">{all}</option>
      {values.map((value) => (
        <option key={value} value={value}>
          {value}
        </option>
      ))}
    </select>
  );
  const narrowed = filters.state || filters.queue || filters.task || filters.q;
  return (
    <div class="filters">
      <div class="search">
        <SearchIcon />
        <input
          ref={input}
          id="search"
          class="input"
          type="search"
          placeholder="Search"
          aria-label="Search jobs"
          title="Search jobs (press / to come here)"
          value={typed.value}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
            clearTimeout(timer.current);
            timer.current = window.setTimeout(() => go(filters, { q: typed.value.trim() }, "replace"), TYPING_MS);
          }}
        />
      </div>
      {select("queue", "All queues", queueNames)}
      {select("task", "All tasks", taskNames)}
      {narrowed && (
        <button type="button" class="button ghost" onClick={() => navigate("/jobs")}>
          <CloseIcon />
          Clear
        </button>
      )}
    </div>
  );
}

interface RowProps {
  id: string;
  picked: boolean;
  pick: (id: string, range: boolean) => void;
}

function Row({ id, picked, pick }: RowProps) {
  const job = jobSignal(id)?.value;
  if (!job) return null;
  return (
    <tr
      class={`job-row ${picked ? "picked" : ""}`}
      data-testid="job-row"
      data-job={id}
      onClick={(event) => {
        if (event.target instanceof Element && event.target.closest("a, button, input, label")) return;
        if (getSelection()?.toString()) return;
        navigate(jobUrl(id));
      }}
    >
      <td class="pick-cell">
        <label>
          <input
            type="checkbox"
            checked={picked}
            aria-label={`Select ${job.task} ${shortId(id)}`}
            onClick={(event) => pick(id, event.shiftKey)}
          />
        </label>
      </td>
      <td class="thumb-cell">
        <Thumb job={job} />
      </td>
      <td class="job-cell">
        <a class="cut-text strong" href={jobUrl(id)} title={`${job.task}\n${id}`}>
          {job.task || shortId(id)}
        </a>
        <span class="mono dim small">{shortId(id)}</span>
      </td>
      <td class="state-cell">
        <StatePill job={job} />
      </td>
      <td class="standing-cell">
        <Standing job={job} />
      </td>
      <td class="queue-cell">
        <span class="cut-text" title={job.queue}>
          {job.queue}
        </span>
      </td>
      <td class="user-cell">
        <span class="cut-text dim" title={job.user ?? ""}>
          {job.user ?? "–"}
        </span>
      </td>
      <td class="priority-cell dim">{priority(job.priority)}</td>
      <td class="time-cell right num">
        {job.started_at ? <Elapsed from={job.started_at} to={job.state === "running" ? null : job.ended_at} /> : <span class="dim">–</span>}
      </td>
      <td class="age-cell right dim num" title={absolute(job.created_at)}>
        <Ago at={job.created_at} />
      </td>
    </tr>
  );
}

function BulkBar({ picked, clear, list, filters }: { picked: ReadonlySet<string>; clear: () => void; list: JobList; filters: Filters }) {
  const jobs = [...picked].map((id) => jobSignal(id)?.value).filter((job) => job !== undefined);
  const open = jobs.filter((job) => !isFinal(job.state)).map((job) => job.id);
  const dead = jobs.filter((job) => job.state === "failed").map((job) => job.id);
  const { state, queue, task, q } = filters;
  const whole = picked.size >= list.ids.value.length && list.next.value !== null && state !== undefined && !q;
  const chosen = (state ?? "").split(",") as State[];
  const filter = { ...(state ? { state: chosen } : {}), ...(queue ? { queue } : {}), ...(task ? { task } : {}) };
  const words = [state?.replaceAll(",", " or "), queue && `in queue ${queue}`, task && `of task ${task}`].filter(Boolean).join(" ");

  async function run(verb: "cancel" | "retry", ids: string[]): Promise<void> {
    const sure =
      verb === "retry" ||
      (await ask(`Cancel ${plural(ids.length, "job")}?`, <p>Running jobs are asked to stop; waiting ones never start.</p>, "Cancel them"));
    if (sure && (await bulk(verb, { ids }))) clear();
  }
  async function runAll(verb: "cancel" | "retry"): Promise<void> {
    const sure = await ask(
      `${title(verb)} every job that is ${words}?`,
      <p>This reaches all jobs that match the filter, also those on other pages.</p>,
      `${title(verb)} all`,
      verb === "cancel",
    );
    if (sure && (await bulk(verb, { filter }))) clear();
  }

  return (
    <div class="bulk" role="region" aria-label="Selected jobs">
      <strong class="num">{count(picked.size)} selected</strong>
      {list.held.value.length > 0 && <span class="dim num">{plural(list.held.value.length, "new job")} waiting to be shown</span>}
      <span class="grow" />
      {whole && chosen.every((one) => one === "failed") && (
        <button type="button" class="button small" onClick={() => void runAll("retry")}>
          Retry all that match
        </button>
      )}
      {whole && chosen.every((one) => !isFinal(one)) && (
        <button type="button" class="button small" onClick={() => void runAll("cancel")}>
          Cancel all that match
        </button>
      )}
      <button type="button" class="button small" disabled={!dead.length} onClick={() => void run("retry", dead)} data-testid="bulk-retry">
        <RetryIcon />
        Retry {dead.length > 0 && count(dead.length)}
      </button>
      <button type="button" class="button small danger" disabled={!open.length} onClick={() => void run("cancel", open)} data-testid="bulk-cancel">
        <StopIcon />
        Cancel {open.length > 0 && count(open.length)}
      </button>
      <button type="button" class="icon-button" aria-label="Clear the selection" title="Clear the selection" onClick={clear}>
        <CloseIcon />
      </button>
    </div>
  );
}

function Nothing({ filters }: { filters: Filters }) {
  if (filters.after) {
    return (
      <Empty title="No older jobs">
        <p>
          <a href={jobsUrl({ ...filters, after: "" })}>Back to the newest</a>
        </p>
      </Empty>
    );
  }
  if (filters.state === "failed" && !filters.q && !filters.task && !filters.queue) {
    return (
      <Empty title="No dead letters">
        <p class="dim">Jobs that ran out of attempts come here. Each can be read, and retried, from this page.</p>
      </Empty>
    );
  }
  if (filters.state || filters.queue || filters.task || filters.q) {
    return (
      <Empty title="No job matches these filters">
        <p class="dim">A job that comes to match appears here by itself.</p>
        <button type="button" class="button" onClick={() => navigate("/jobs")}>
          Show all jobs
        </button>
      </Empty>
    );
  }
  return (
    <Empty title="No jobs yet">
      <p>Enqueue one:</p>
      <Command text='stanchion enqueue APP sprite prompt="an orc"' />
    </Empty>
  );
}

function moveFocus(step: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".job-row .job-cell a")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  links[at < 0 ? 0 : Math.max(0, Math.min(links.length - 1, at + step))]?.focus();
}

export function Jobs() {
  const query = place.value.query;
  const address = query.toString();
  const filters = useMemo(() => filtersOf(query), [address]);
  const list = useMemo(
    () => new JobList({ ...filters }, LIMIT, matcher(filters), { keep: keeper(filters) }),
    [filters],
  );
  const picked = useSignal<ReadonlySet<string>>(new Set());
  const lastPicked = useRef("");
  const turning = useSignal<Problem | null>(null);

  useEffect(() => {
    document.title = `${filters.state === "failed" ? "Dead letters" : "Jobs"} · Stanchion`;
    picked.value = new Set();
    turning.value = null;
    list.open();
    return () => list.close();
  }, [list]);

  useSignalEffect(() => {
    list.hold(picked.value.size > 0);
  });

  function pick(id: string, range: boolean): void {
    const next = new Set(picked.value);
    const ids = list.ids.value;
    const from = ids.indexOf(lastPicked.current);
    const to = ids.indexOf(id);
    const on = !next.has(id);
    const touched = range && from >= 0 ? ids.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
    for (const one of touched) {
      if (on) next.add(one);
      else next.delete(one);
    }
    lastPicked.current = id;
    picked.value = next;
  }

  useEffect(() => {
    function onKey(event: KeyboardEvent): void {
      if (event.metaKey || event.ctrlKey || event.altKey) return;
      const typing = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), select, textarea");
      if (typing || document.querySelector("dialog[open]")) return;
      if (event.key === "/") {
        event.preventDefault();
        document.getElementById("search")?.focus();
      } else if (event.key === "j") moveFocus(1);
      else if (event.key === "k") moveFocus(-1);
      else if (event.key === "x") {
        const id = document.activeElement?.closest<HTMLElement>(".job-row")?.dataset.job;
        if (id) pick(id, false);
      } else if (event.key === "Escape") picked.value = new Set();
    }
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [list]);

  async function older(): Promise<void> {
    try {
      const cursor = await list.older();
      if (cursor) navigate(jobsUrl({ ...filters, after: cursor }));
      else list.next.value = null;
    } catch (cause) {
      turning.value = Problem.from(cause);
    }
  }

  const ids = list.ids.value;
  const all = ids.length > 0 && ids.every((id) => picked.value.has(id));
  return (
    <div class="view">
      <header class="view-head">
        <h1>{filters.state === "failed" ? "Dead letters" : "Jobs"}</h1>
        <FilterBar filters={filters} />
      </header>
      <StateChips filters={filters} />
      {list.problem.value && <ProblemNote problem={list.problem.value} again={() => void list.load()} />}
      {turning.value && <ProblemNote problem={turning.value} />}
      {!list.problem.value && (
        <section class="panel" aria-busy={list.loading.value}>
          {picked.value.size > 0 && (
            <BulkBar
              picked={picked.value}
              list={list}
              filters={filters}
              clear={() => {
                picked.value = new Set();
              }}
            />
          )}
          {list.loading.value && !ids.length && <Loading rows={12} />}
          {!list.loading.value && !ids.length && <Nothing filters={filters} />}
          {ids.length > 0 && (
            <table class={`table jobs-table ${filters.state === "failed" ? "dead" : ""}`}>
              <thead>
                <tr>
                  <th class="pick-cell">
                    <label>
                      <input
                        type="checkbox"
                        checked={all}
                        aria-label="Select all on this page"
                        onClick={() => {
                          picked.value = all ? new Set() : new Set(ids);
                        }}
                      />
                    </label>
                  </th>
                  <th class="thumb-cell">
                    <span class="hidden">Picture</span>
                  </th>
                  <th>Job</th>
                  <th>State</th>
                  <th>{filters.state === "failed" ? "Error" : "Progress"}</th>
                  <th class="queue-cell">Queue</th>
                  <th class="user-cell">User</th>
                  <th class="priority-cell">Priority</th>
                  <th class="right time-cell">Took</th>
                  <th class="right age-cell">Created</th>
                </tr>
              </thead>
              <tbody>
                {ids.map((id) => (
                  <Row key={id} id={id} picked={picked.value.has(id)} pick={pick} />
                ))}
              </tbody>
            </table>
          )}
        </section>
      )}
      {(filters.after || list.next.value !== null) && (
        <nav class="pager" aria-label="Pages">
          {filters.after && (
            <a class="button" href={jobsUrl({ ...filters, after: "" })}>
              <BackIcon />
              Newest
            </a>
          )}
          {list.next.value !== null && (
            <button type="button" class="button" onClick={() => void older()} data-testid="older">
              Older
              <NextIcon />
            </button>
          )}
        </nav>
      )}
    </div>
  );
}
