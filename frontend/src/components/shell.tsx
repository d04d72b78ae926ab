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
import {
  DeadIcon,
  JobsIcon,
  LeaveIcon,
  LimitsIcon,
  Mark,
  MoonIcon,
  MoreIcon,
  OverviewIcon,
  QueuesIcon,
  SchedulesIcon,
  SunIcon,
  TenantsIcon,
  WorkersIcon,
} from "./icons";
import { SecondsTo } from "./time";

const health = signal<Health | null>(null);

const LINKS = [
  { to: "/", label: "Overview", icon: OverviewIcon },
  { to: "/jobs", label: "Jobs", icon: JobsIcon },
  { to: "/jobs?state=failed", label: "Dead letters", icon: DeadIcon },
  { to: "/queues", label: "Queues", icon: QueuesIcon },
  { to: "/workers", label: "Workers", icon: WorkersIcon },
  { to: "/limits", label: "Limits", icon: LimitsIcon },
  { to: "/tenants", label: "Tenants", icon: TenantsIcon },
  { to: "/schedules", label: "Schedules", icon: SchedulesIcon },
] as const;
/** On a phone the others stand behind a button. */
const FIRST = 4;

const more = signal(false);

function isCurrent(to: string): boolean {
  const { path, query } = place.value;
  const dead = path === "/jobs" && query.get("state") === "failed";
  if (to === "/jobs?state=failed") return dead;
  if (to === "/jobs") return (path === "/jobs" && !dead) || view.value.name === "job" || view.value.name === "workflow";
  return path === to;
}

function Badge({ label }: { label: string }) {
  const now = counts.value;
  if (!now) return null;
  if (label === "Jobs" && now.running) return <span class="badge num">{shortCount(now.running)}</span>;
  if (label === "Dead letters" && now.failed) return <span class="badge bad num">{shortCount(now.failed)}</span>;
  return null;
}

function NavLinks({ links }: { links: readonly (typeof LINKS)[number][] }) {
  return (
    <>
      {links.map(({ to, label, icon: Icon }) => (
        <a
          key={to}
          href={to}
          class="nav-link"
          {...(isCurrent(to) ? { "aria-current": "page" } : {})}
          onClick={() => {
            more.value = false;
          }}
        >
          <Icon />
          <span>{label}</span>
          <Badge label={label} />
        </a>
      ))}
    </>
  );
}

function Nav() {
  const rest = LINKS.slice(FIRST);
  useEffect(() => {
    function onKey(event: KeyboardEvent): void {
      if (event.key === "Escape") more.value = false;
    }
    function onPointer(event: PointerEvent): void {
      if (!(event.target instanceof Element && event.target.closest(".nav"))) more.value = false;
    }
    addEventListener("keydown", onKey);
    addEventListener("pointerdown", onPointer);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("pointerdown", onPointer);
    };
  }, []);
  return (
    <nav class="nav" aria-label="Main">
      <NavLinks links={LINKS.slice(0, FIRST)} />
      <div id="nav-rest" class={`nav-rest ${more.value ? "open" : ""}`}>
        <NavLinks links={rest} />
      </div>
      <button
        type="button"
        class={`nav-link nav-more ${rest.some(({ to }) => isCurrent(to)) ? "current" : ""}`}
        aria-expanded={more.value}
        aria-controls="nav-rest"
        data-testid="nav-more"
        onClick={() => {
          more.value = !more.value;
        }}
      >
        <MoreIcon />
        <span>More</span>
      </button>
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
