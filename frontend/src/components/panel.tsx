import type { ComponentChildren } from "preact";

export function Panel({ name, children, extra }: { name: string; children: ComponentChildren; extra?: ComponentChildren }) {
  return (
    <section class="panel" aria-label={name}>
      <header class="panel-head">
        <h2>{name}</h2>
        {extra}
      </header>
      {children}
    </section>
  );
}
