/** The frame around every view: where to go, whether the page is live, light or dark. */

import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

import { api, type Health } from "../api";
import { shortCount } from "../format";
import { place, view } from "../route";
import { counts } from "../stats";
import { connect, connection } from "../stream";
import { dark, nextTheme } from "../theme";
import { DeadIcon, JobsIcon, LeaveIcon, Mark, MoonIcon, OverviewIcon, QueuesIcon, SunIcon, WorkersIcon } from "./icons";
import { SecondsTo } from "./time";

const health = signal<Health | null>(null);

const LINKS = [
  { to: "/", label: "Overview", icon: OverviewIcon },
  { to: "/jobs", label: "Jobs", icon: JobsIcon },
  { to: "/jobs?state=failed", label: "Dead letters", icon: DeadIcon },
  { to: "/queues", label: "Queues", icon: QueuesIcon },
  { to: "/workers", label: "Workers", icon: WorkersIcon },
] as const;

function isCurrent(to: string): boolean {
  const { path, query } = place.value;
  const dead = path === "/jobs" && query.get("state") === "failed";
  if (to === "/jobs?state=failed") return dead;
  if (to === "/jobs") return (path === "/jobs" && !dead) || view.value.name === "job";
  return path === to;
}

function Badge({ label }: { label: string }) {
  const now = counts.value;
  if (!now) return null;
  if (label === "Jobs" && now.running) return <span class="badge num">{shortCount(now.running)}</span>;
  if (label === "Dead letters" && now.failed) return <span class="badge bad num">{shortCount(now.failed)}</span>;
  return null;
}

function Nav() {
  return (
    <nav class="nav" aria-label="Main">
      {LINKS.map(({ to, label, icon: Icon }) => (
        <a key={to} href={to} class="nav-link" {...(isCurrent(to) ? { "aria-current": "page" } : {})}>
          <Icon />
          <span>{label}</span>
          <Badge label={label} />
        </a>
      ))}
    </nav>
  );
}

function ConnectionState() {
  const now = connection.value;
  const text = { live: "Live", connecting: "Connecting…", reconnecting: "Reconnecting…", stopped: "Offline" }[now.phase];
  return (
    <span class={`connection ${now.phase}`} role="status" aria-live="polite" data-testid="connection" data-phase={now.phase}>
      <i class="dot" />
      {text}
    </span>
  );
}

function ConnectionBanner() {
  const now = connection.value;
  if (now.phase !== "reconnecting" || now.tries < 2) return null;
  return (
    <div class="banner">
      <span>
        The connection to the server is lost. What you see may be out of date. Next try in <SecondsTo at={now.retryAt} />.
      </span>
      <button type="button" class="button small" onClick={connect}>
        Try now
      </button>
    </div>
  );
}

function ThemeButton() {
  const label = dark.value ? "Use light colours" : "Use dark colours";
  return (
    <button type="button" class="icon-button" title={label} aria-label={label} onClick={nextTheme} data-testid="theme">
      {dark.value ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}

function ServerFacts() {
  useEffect(() => {
    void api.health().then(
      (answer) => {
        health.value = answer;
      },
      () => undefined,
    );
  }, []);
  const now = health.value;
  if (!now) return null;
  return (
    <dl class="server-facts small">
      <dt>Version</dt>
      <dd>{now.version}</dd>
      <dt>Store</dt>
      <dd>{now.store}</dd>
      {now.durability && (
        <>
          <dt>Durability</dt>
          <dd>{now.durability}</dd>
        </>
      )}
    </dl>
  );
}

export function Shell({ children, logout }: { children: ComponentChildren; logout?: () => void }) {
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>
        Skip to the content
      </a>
      <aside class="side">
        <a class="brand" href="/" aria-label="Stanchion, overview">
          <Mark />
          <span>Stanchion</span>
        </a>
        <Nav />
        <ServerFacts />
        <div class="side-foot">
          <ConnectionState />
          <span class="side-buttons">
            {logout && (
              <button type="button" class="icon-button" title="Log out" aria-label="Log out" onClick={logout} data-testid="logout">
                <LeaveIcon />
              </button>
            )}
            <ThemeButton />
          </span>
        </div>
      </aside>
      <div class="content">
        <ConnectionBanner />
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
    </div>
  );
}
