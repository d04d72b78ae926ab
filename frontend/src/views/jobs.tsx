import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";

import { Problem } from "../api";
import { BulkBar } from "../components/bulk";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { FilterBar, filtersOf, keeper, matcher, StateChips, type Filters } from "../components/filters";
import { BackIcon, NextIcon } from "../components/icons";
import { Standing, StatePill, Thumb } from "../components/job";
import { Ago, Elapsed } from "../components/time";
import { absolute, priority, shortId } from "../format";
import { jobsUrl, jobUrl, navigate, place } from "../route";
import { jobSignal, JobList } from "../store";

const LIMIT = 50;
interface RowProps {
  id: string;
  picked: boolean;
  pick: (id: string, range: boolean) => void;
}

function Row({ id, picked, pick }: RowProps) {
  const job = jobSignal(id)?.value;
  if (!job) return null;
  const who = [job.tenant === "default" ? null : job.tenant, job.user].filter(Boolean);
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
        <span class="cut-text dim" title={who.join(" · ")} data-testid="job-who">
          {who.join(" · ") || "–"}
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
  if (filters.state || filters.queue || filters.task || filters.tenant || filters.workflow || filters.q) {
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
                  <th class="user-cell">Tenant · user</th>
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
