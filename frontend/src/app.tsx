/** Which view is shown, and whether a key is needed first. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { api, Problem, whenUnauthorized } from "./api";
import { Dialog } from "./components/dialog";
import { Empty, ProblemNote, Toasts } from "./components/feedback";
import { Shell } from "./components/shell";
import { startLive } from "./live";
import { view } from "./route";
import { stopStream } from "./stream";
import { JobPage } from "./views/job";
import { Jobs } from "./views/jobs";
import { Login } from "./views/login";
import { Overview } from "./views/overview";
import { Queues } from "./views/queues";
import { Workers } from "./views/workers";

type Gate = "asking" | "closed" | "open" | Problem;
const gate = signal<Gate>("asking");
const AGAIN_MS = 2000;

function close(): void {
  stopStream();
  gate.value = "closed";
}

let enterTimer = 0;

/** Whether this server asks for keys, so that there is something to log out of. */
const guarded = signal(false);

async function enter(): Promise<void> {
  clearTimeout(enterTimer);
  try {
    const session = await api.session();
    guarded.value = session.required;
    if (session.required && !session.authenticated) {
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
