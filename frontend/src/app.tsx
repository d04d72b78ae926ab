/** Which view is shown, and whether a key is needed first. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { api, Problem, whenUnauthorized } from "./api";
import { Dialog } from "./components/dialog";
import { Empty, ProblemNote, Toasts } from "./components/feedback";
import { Shell } from "./components/shell";
import { startLive } from "./live";
import { view } from "./route";
import { guarded, session } from "./session";
import { stopStream } from "./stream";
import { JobPage } from "./views/job";
import { Jobs } from "./views/jobs";
import { Limits } from "./views/limits";
import { Login } from "./views/login";
import { Overview } from "./views/overview";
import { Queues } from "./views/queues";
import { Schedules } from "./views/schedules";
import { Tenants } from "./views/tenants";
import { Workers } from "./views/workers";
import { WorkflowPage } from "./views/workflow";

type Gate = "asking" | "closed" | "open" | Problem;
const gate = signal<Gate>("asking");
const AGAIN_MS = 2000;

function close(): void {
  stopStream();
  gate.value = "closed";
}

let enterTimer = 0;

async function enter(): Promise<void> {
  clearTimeout(enterTimer);
  try {
    const found = await api.session();
    session.value = found;
    if (found.required && !found.authenticated) {
      close();
      return;
    }
    gate.value = "open";
    startLive(close);
  } catch (cause) {
    const problem = Problem.from(cause);
    // A server without the route asks for no key.
    if (problem.status === 404) {
      gate.value = "open";
      startLive(close);
      return;
    }
    gate.value = problem;
    clearTimeout(enterTimer);
    enterTimer = window.setTimeout(() => void enter(), AGAIN_MS);
  }
}

async function leave(): Promise<void> {
  try {
    await api.logout();
  } finally {
    close();
  }
}

function Current() {
  const now = view.value;
  switch (now.name) {
    case "overview":
      return <Overview />;
    case "jobs":
      return <Jobs />;
    case "job":
      return <JobPage key={now.id} id={now.id} />;
    case "queues":
      return <Queues />;
    case "workers":
      return <Workers />;
    case "limits":
      return <Limits />;
    case "tenants":
      return <Tenants />;
    case "schedules":
      return <Schedules />;
    case "workflow":
      return <WorkflowPage key={now.id} id={now.id} />;
    default:
      return (
        <Empty title="There is no such page">
          <p>
            Go to the <a href="/">overview</a> or to the <a href="/jobs">jobs</a>.
          </p>
        </Empty>
      );
  }
}

export function App() {
  useEffect(() => {
    whenUnauthorized(close);
    void enter();
  }, []);
  const now = gate.value;
  if (now === "asking") return <div class="blank" role="status" aria-label="Loading" />;
  if (now === "closed") return <Login enter={enter} />;
  if (now !== "open") {
    return (
      <div class="gate">
        <ProblemNote problem={now} again={() => void enter()} />
      </div>
    );
  }
  return (
    <>
      <Shell {...(guarded.value ? { logout: () => void leave() } : {})}>
        <Current />
      </Shell>
      <Toasts />
      <Dialog />
    </>
  );
}
