import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { setTenant } from "../actions";
import type { Tenant } from "../api";
import { fill } from "../components/dialog";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { Choice, NumberField, TextField } from "../components/fields";
import { EditIcon, PlusIcon } from "../components/icons";
import { count, plural, priority, title } from "../format";
import { jobsUrl } from "../route";
import { lacking } from "../session";
import { moreTenants, tenants } from "../stats";
import { share, waitingOf } from "../tenants";

const SCOPE = "admin:limits";
const TOPS: [string, string][] = Array.from({ length: 10 }, (_, rank) => {
  const name = priority(rank);
  return [rank === 0 ? "any, critical too" : name.startsWith("priority") ? name : `${name} (${rank})`, String(rank)];
});
const form = { name: signal(""), weight: signal("1"), top: signal("0") };

function TenantForm({ fresh }: { fresh: boolean }) {
  return (
    <>
      <TextField label="Tenant" value={form.name} required disabled={!fresh} />
      <NumberField label="Weight" value={form.weight} min={1} max={1000} required hint="Two turns for a tenant of weight 2, one for a tenant of weight 1." />
      <Choice label="Most urgent priority it may ask for" value={form.top} choices={TOPS} hint="A job that asks for more gets this." />
    </>
  );
}

function edit(tenant: Tenant | null): void {
  form.name.value = tenant?.name ?? "";
  form.weight.value = String(tenant?.weight ?? 1);
  form.top.value = String(tenant?.top_priority ?? 0);
  fill(tenant ? `Tenant ${tenant.name}` : "Set a tenant's weight", <TenantForm fresh={!tenant} />, "Set it", () =>
    setTenant({ name: form.name.value.trim(), weight: Number(form.weight.value), top_priority: Number(form.top.value) }),
  );
}

function Row({ tenant, all }: { tenant: Tenant; all: readonly Tenant[] }) {
  const part = share(tenant, all);
  const cell = (label: string, value: number, state: string) => (
    <td class="right num" data-label={label}>
      <a class={value ? "quiet" : "quiet dim"} href={jobsUrl({ tenant: tenant.name, state })}>
        {count(value)}
      </a>
    </td>
  );
  return (
    <tr data-testid="tenant-row" data-tenant={tenant.name}>
      <td class="key-cell">
        <a class="cut-text strong" href={jobsUrl({ tenant: tenant.name })} title={tenant.name}>
          {tenant.name}
        </a>
      </td>
      <td class={`right num ${tenant.set === false ? "dim" : ""}`} data-label="Weight">
        {count(tenant.weight)}
      </td>
      <td class={`share-cell ${part === null ? "nothing" : ""}`} data-label="Share of turns">
        {part === null ? (
          <span class="dim">–</span>
        ) : (
          <span class="meter">
            <span class="num">{Math.round(part * 100)} %</span>
            <span class="bar" aria-hidden="true">
              <span class="fill" style={{ transform: `scaleX(${part})` }} />
            </span>
          </span>
        )}
      </td>
      {cell("Running", tenant.counts?.running ?? 0, "running")}
      {cell("Waiting", waitingOf(tenant), "queued,retrying,scheduled,blocked")}
      <td class="dim" data-label="Top priority">
        {tenant.top_priority === 0 ? "Any" : title(priority(tenant.top_priority))}
      </td>
      <td class="actions-cell">
        <span class="row-actions">
          <button type="button" class="button small ghost" aria-label={`Change the policy of ${tenant.name}`} data-testid="edit-tenant" {...lacking(SCOPE)} onClick={() => edit(tenant)}>
            <EditIcon />
            Change…
          </button>
        </span>
      </td>
    </tr>
  );
}

export function Tenants() {
  useEffect(() => {
    document.title = "Tenants · Stanchion";
    return tenants.open();
  }, []);
  const items = tenants.items.value;
  return (
    <div class="view">
      <header class="view-head">
        <h1>Tenants</h1>
        <span class="grow" />
        <button type="button" class="button primary" data-testid="new-tenant" {...lacking(SCOPE)} onClick={() => edit(null)}>
          <PlusIcon />
          Set a weight…
        </button>
      </header>
      {tenants.problem.value && <ProblemNote problem={tenants.problem.value} again={() => void tenants.refresh()} />}
      {!items && !tenants.problem.value && <Loading />}
      {items?.length === 0 && (
        <section class="panel">
          <Empty title="No tenants yet">
            <p class="dim">A tenant appears with its first job. Tenants that wait for the same queue take turns; a weight gives one more of them.</p>
            <Command text="stanchion tenants set acme --weight 3" />
          </Empty>
        </section>
      )}
      {items && items.length > 0 && (
        <section class="panel">
          <table class="table fold tenants-table">
            <thead>
              <tr>
                <th>Tenant</th>
                <th class="right">Weight</th>
                <th class="meter-head" title="Of the turns of those that have jobs to start">
                  Share of turns
                </th>
                <th class="right">Running</th>
                <th class="right">Waiting</th>
                <th>Top priority</th>
                <th>
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((tenant) => (
                <Row key={tenant.name} tenant={tenant} all={items} />
              ))}
            </tbody>
          </table>
          {moreTenants.value > 0 && <p class="hint">And {plural(moreTenants.value, "more tenant")} with fewer jobs and no policy.</p>}
        </section>
      )}
    </div>
  );
}
