/** The address bar as a signal: path and query in, `navigate` out. */

import { computed, signal } from "@preact/signals";

interface Place {
  path: string;
  query: URLSearchParams;
}

function read(): Place {
  return { path: location.pathname.replace(/(.)\/+$/, "$1"), query: new URLSearchParams(location.search) };
}

export const place = signal<Place>(read());

const LISTS = ["jobs", "queues", "limits", "tenants", "schedules", "workers"] as const;
type List = (typeof LISTS)[number];

export type View = { name: "overview" | "missing" | List } | { name: "job" | "workflow"; id: string };

export const view = computed<View>(() => {
  const { path } = place.value;
  if (path === "/" || path === "/index.html") return { name: "overview" };
  const list = LISTS.find((name) => path === `/${name}`);
  if (list) return { name: list };
  const [, kind, id] = /^\/(job|workflow)s\/([^/]+)$/.exec(path) ?? [];
  if (kind && id) {
    try {
      return { name: kind as "job" | "workflow", id: decodeURIComponent(id) };
    } catch {
      return { name: "missing" };
    }
  }
  return { name: "missing" };
});

export function navigate(to: string, how: "push" | "replace" = "push"): void {
  if (to === location.pathname + location.search) return;
  if (how === "push") history.pushState(null, "", to);
  else history.replaceState(null, "", to);
  const before = place.peek().path;
  place.value = read();
  if (place.peek().path !== before) scrollTo(0, 0);
}

/** The address of the job list with these filters; empty ones are left out. */
export function jobsUrl(filters: Record<string, string | undefined>): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value) out.set(name, value);
  const text = out.toString().replaceAll("%2C", ",");
  return text ? `/jobs?${text}` : "/jobs";
}

export function jobUrl(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}

export function workflowUrl(id: string): string {
  return `/workflows/${encodeURIComponent(id)}`;
}

/** Follows links within the dashboard without a page load. */
export function startRouter(): void {
  addEventListener("popstate", () => {
    place.value = read();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api/")) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}
