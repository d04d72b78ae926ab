/** One question at a time, in the browser's own dialog: focus stays inside, Escape says no. */

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Question {
  title: string;
  body: ComponentChildren;
  action: string;
  danger: boolean;
  answer: (yes: boolean) => void;
}

const question = signal<Question | null>(null);

export function ask(title: string, body: ComponentChildren, action: string, danger = true): Promise<boolean> {
  question.peek()?.answer(false);
  return new Promise((resolve) => {
    question.value = {
      title,
      body,
      action,
      danger,
      answer: (yes) => {
        question.value = null;
        resolve(yes);
      },
    };
  });
}

export function Dialog() {
  const element = useRef<HTMLDialogElement>(null);
  const current = question.value;
  useEffect(() => {
    if (current) element.current?.showModal();
    else element.current?.close();
  }, [current]);
  return (
    <dialog ref={element} class="dialog" aria-labelledby="dialog-title" onCancel={() => current?.answer(false)}>
      {current && (
        <form
          method="dialog"
          onSubmit={(event) => {
            event.preventDefault();
            current.answer(true);
          }}
        >
          <h2 id="dialog-title">{current.title}</h2>
          <div class="dialog-body">{current.body}</div>
          <div class="dialog-foot">
            <button type="button" class="button" onClick={() => current.answer(false)}>
              Keep as is
            </button>
            <button type="submit" class={`button ${current.danger ? "danger" : "primary"}`} data-testid="confirm">
              {current.action}
            </button>
          </div>
        </form>
      )}
    </dialog>
  );
}
