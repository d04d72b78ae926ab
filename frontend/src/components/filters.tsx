/** The filters of the job list: in the address, in the bar, and as a test of a job that moved. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { STATES, type Job } from "../api";
import { shortCount, title } from "../format";
import { jobsUrl, navigate } from "../route";
import { counts, queueCounts, workers } from "../stats";
import { CloseIcon, SearchIcon, StateIcon } from "./icons";

const TYPING_MS = 250;
const FILTERS = ["state", "queue", "task", "tenant", "workflow", "q", "after"] as const;
export type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

export function filtersOf(query: URLSearchParams): Filters {
  const out: Filters = {};
  for (const name of FILTERS) {
    const value = query.get(name);
    if (value) out[name] = value;
  }
  return out;
}

/** Whether a job that moved belongs on a page with these filters. */
export function matcher(filters: Filters): (job: Job) => boolean {
  const states = filters.state?.split(",");
  const words = filters.q?.toLowerCase();
  return (job) =>
    (!states || states.includes(job.state)) &&
    (!filters.queue || job.queue === filters.queue) &&
    (!filters.task || job.task === filters.task) &&
    (!filters.tenant || job.tenant === filters.tenant) &&
    // No frame tells of which workflow a job is: those that are listed stay, others do not come.
    !filters.workflow &&
    (!words || [job.id, job.task, job.queue, job.user ?? "", ...(job.tags ?? [])].some((text) => text.toLowerCase().includes(words)));
}

/** A row the server found by its text stays, whatever the page itself can see of that text. */
export function keeper(filters: Filters): (job: Job) => boolean {
  const { q: _q, workflow: _workflow, ...rest } = filters;
  return matcher(rest);
}

function go(filters: Filters, change: Filters, how: "push" | "replace" = "push"): void {
  const { after: _after, ...rest } = filters;
  navigate(jobsUrl({ ...rest, ...change }), how);
}

export function StateChips({ filters }: { filters: Filters }) {
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

export function FilterBar({ filters }: { filters: Filters }) {
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
  const narrowed = FILTERS.some((name) => name !== "after" && filters[name]);
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
      {(["tenant", "workflow"] as const).map(
        (name) =>
          filters[name] && (
            <button key={name} type="button" class="chip" aria-label={`Remove the filter ${name} ${filters[name]}`} onClick={() => go(filters, { [name]: "" })}>
              <span class="dim">{name}</span>
              <span class="cut-text">{filters[name]}</span>
              <CloseIcon />
            </button>
          ),
      )}
      {narrowed && (
        <button type="button" class="button ghost" onClick={() => navigate("/jobs")}>
          <CloseIcon />
          Clear
        </button>
      )}
    </div>
  );
}
