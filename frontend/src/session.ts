/** Who is logged in here, and what the key allows. */

import { computed, signal } from "@preact/signals";

import type { Session } from "./api";

export const session = signal<Session | null>(null);

/** Whether this server asks for keys, so that there is something to log out of. */
export const guarded = computed(() => session.value?.required ?? false);

/** Whether the key covers a scope. A server that does not tell refuses by itself. */
export function may(scope: string): boolean {
  const granted = session.value?.scopes;
  if (!granted?.length) return true;
  return granted.includes(scope) || granted.includes(`${scope.split(":")[0]}:*`);
}

/** What stands on a button that the key does not cover; nothing where it does. */
export function lacking(scope: string): { disabled?: true; title?: string } {
  return may(scope) ? {} : { disabled: true, title: `Your key lacks the scope ${scope}` };
}
