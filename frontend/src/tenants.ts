/** What a tenant has of the turns and of the work. */

import type { Tenant } from "./api";

export function waitingOf({ counts = {} }: Tenant): number {
  return (counts.queued ?? 0) + (counts.retrying ?? 0) + (counts.scheduled ?? 0) + (counts.blocked ?? 0);
}

/** Its part of the turns, from 0 to 1, among those that have jobs to start; null where it has none. */
export function share(tenant: Tenant, all: readonly Tenant[]): number | null {
  if (!tenant.counts?.queued) return null;
  return tenant.weight / all.reduce((sum, one) => sum + (one.counts?.queued ? one.weight : 0), 0);
}
