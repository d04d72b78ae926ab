import { useEffect, useMemo } from "preact/hooks";

import { bulk, copy } from "../actions";
import type { Workflow } from "../api";
import { ask } from "../components/dialog";
import { Empty, Loading, ProblemNote } from "../components/feedback";
import { BackIcon, CopyIcon, RetryIcon, StopIcon } from "../components/icons";
import { Standing, StatePill } from "../components/job";
import { Mix, MixLegend } from "../components/mix";
import { Elapsed } from "../components/time";
import { count, isFinal, plural, shortId } from "../format";
import { jobsUrl, jobUrl } from "../route";
import { lacking } from "../session";
import { jobSignal, type JobList } from "../store";
import { jobsOf, openWorkflow, readWorkflow, SHOWN, steps, workflow, workflowProblem } from "../workflow";

const SCOPE = "jobs:write";

function Row({ id, parents }: { id: string; parents: readonly string[] }) {
  const job = jobSignal(id)?.value;
  if (!job) return null;
  return (
    <li class="step-job" data-testid="workflow-job" data-job={id}>
      <a class="cut-text strong" href={jobUrl(id)} title={`${job.task}\n${id}`}>
        {job.task}
      </a>
      <span class="mono dim small">{shortId(id)}</span>
      <StatePill job={job} />
      <span class="step-standing">
        <Standing job={job} />
      </span>
      <span class="dim small cut-text step-after" title={parents.join("\n")}>
        {parents.length === 1 && `after ${shortId(parents[0] ?? "")}`}
        {parents.length > 1 && `after ${parents.length} jobs`}
      </span>
      <span class="right num dim">{job.started_at ? <Elapsed from={job.started_at} to={job.state === "running" ? null : job.ended_at} /> : "–"}</span>
    </li>
  );
}

function Buttons({ id, list, now }: { id: string; list: JobList; now: Workflow }) {
  const jobs = list.ids.value.map((one) => jobSignal(one)?.value).filter((job) => job !== undefined);
  const open = jobs.filter((job) => !isFinal(job.state)).map((job) => job.id);
  const failed = jobs.filter((job) => job.state === "failed").map((job) => job.id);
  // The buttons reach the jobs that are shown: where there are more they would do half of it.
  if (now.more || now.total > list.ids.value.length) return null;
  async function cancel(): Promise<void> {
    const body = <p>Running jobs are asked to stop; waiting ones never start. What has ended stays.</p>;
    if ((await ask(`Cancel ${plural(open.length, "job")} of this workflow?`, body, "Cancel them")) && (await bulk("cancel", { ids: open }))) await readWorkflow(id);
  }
  async function retry(): Promise<void> {
    // A job that failed with its parent can be retried after that one alone: the list is newest first.
    if (await bulk("retry", { ids: [...failed].reverse() })) await readWorkflow(id);
  }
  return (
    <div class="buttons">
      {failed.length > 0 && (
        <button type="button" class="button primary" {...lacking(SCOPE)} onClick={() => void retry()} data-testid="workflow-retry">
          <RetryIcon />
          Retry {count(failed.length)} failed
        </button>
      )}
      {open.length > 0 && (
        <button type="button" class="button danger" {...lacking(SCOPE)} onClick={() => void cancel()} data-testid="workflow-cancel">
          <StopIcon />
          Cancel all
        </button>
      )}
    </div>
  );
}

export function WorkflowPage({ id }: { id: string }) {
  const list = useMemo(() => jobsOf(id), [id]);
  useEffect(() => {
    document.title = "Workflow · Stanchion";
    list.open();
    const close = openWorkflow(id);
    return () => {
      close();
      list.close();
    };
  }, [list]);
  const now = workflow.value;
  const problem = workflowProblem.value;
  const ids = list.ids.value;
  const rows = useMemo(() => steps(ids, now?.edges ?? []), [ids, now?.edges]);
  const parents = useMemo(() => {
    const found = new Map<string, string[]>();
    for (const { parent, child } of now?.edges ?? []) found.set(child, [...(found.get(child) ?? []), parent]);
    return found;
  }, [now?.edges]);
  if (!now) {
    if (problem?.status === 404) {
      return (
        <Empty title="There is no such workflow">
          <p class="dim">Its jobs may have been cleaned away, or it belongs to another tenant.</p>
          <a class="button" href="/jobs">
            Show all jobs
          </a>
        </Empty>
      );
    }
    return problem ? <ProblemNote problem={problem} again={() => void readWorkflow(id)} /> : <Loading rows={8} />;
  }
  return (
    <div class="view" data-testid="workflow-page">
      <header class="view-head job-head">
        <a class="icon-button" href="/jobs" aria-label="Back to the jobs" title="Back to the jobs">
          <BackIcon />
        </a>
        <div class="job-title">
          <h1>Workflow</h1>
          <button type="button" class="mono dim small id-button" title="Copy the id" onClick={() => void copy(id)}>
            <span class="cut-text">{id}</span>
            <CopyIcon />
          </button>
        </div>
        <Buttons id={id} list={list} now={now} />
      </header>
      {problem && <ProblemNote problem={problem} again={() => void readWorkflow(id)} />}
      <section class="panel workflow-sum" aria-label="How far it is">
        <p class="workflow-line">
          <strong class="num" data-testid="workflow-progress">
            {count(now.ended)} of {now.more && "more than "}
            {plural(now.total, "job")} ended
          </strong>
          <a class="more" href={jobsUrl({ workflow: id })}>
            As a list
          </a>
        </p>
        <Mix name="The workflow" counts={now.counts} whole />
        <MixLegend counts={now.counts} />
      </section>
      {list.problem.value && <ProblemNote problem={list.problem.value} again={() => void list.load()} />}
      {now.total > ids.length && !list.loading.value && (
        <p class="dim">
          The newest {count(Math.min(SHOWN, ids.length))} of its jobs are shown. <a href={jobsUrl({ workflow: id })}>See all as a list</a>
        </p>
      )}
      {list.loading.value && !ids.length && <Loading rows={6} />}
      <ol class="steps">
        {rows.map((step, index) => (
          <li key={index} class="panel step">
            <header class="panel-head">
              <h2>Step {index + 1}</h2>
              <span class="dim num">{plural(step.length, "job")}</span>
            </header>
            <ul>
              {step.map((one) => (
                <Row key={one} id={one} parents={parents.get(one) ?? []} />
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </div>
  );
}
