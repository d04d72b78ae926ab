/** Small drawings: the brand mark and one glyph per state and button. */

import type { ComponentChildren } from "preact";

import type { State } from "../api";
import markUrl from "../mark.svg";

/** Two posts and a rope, 16 by 16 pixels: sizes are multiples of 16. */
export function Mark({ size = 32 }: { size?: number }) {
  return <img class="mark" src={markUrl} width={size} height={size} alt="" />;
}

function Icon({ children, class: name = "" }: { children: ComponentChildren; class?: string }) {
  return (
    <svg
      class={`icon ${name}`}
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

const GLYPHS: Record<State, ComponentChildren> = {
  queued: <circle cx="8" cy="8" r="5.5" />,
  running: (
    <>
      <circle cx="8" cy="8" r="5.5" opacity="0.3" />
      <path d="M8 2.5A5.5 5.5 0 0 1 13.5 8" class="spin" />
    </>
  ),
  retrying: (
    <>
      <path d="M13 8a5 5 0 1 1-1.6-3.7" />
      <path d="M13.2 2.2v2.6h-2.6" />
    </>
  ),
  scheduled: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 5v3.2l2 1.3" />
    </>
  ),
  blocked: (
    <>
      <circle cx="8" cy="8" r="5.5" stroke-dasharray="2.6 2.2" />
      <path d="M6.6 6.2v3.6M9.4 6.2v3.6" />
    </>
  ),
  completed: (
    <>
      <circle cx="8" cy="8" r="6.2" fill="currentColor" stroke="none" />
      <path d="M5.4 8.2l1.8 1.8 3.4-3.8" class="cut" />
    </>
  ),
  failed: (
    <>
      <circle cx="8" cy="8" r="6.2" fill="currentColor" stroke="none" />
      <path d="M6 6l4 4M10 6l-4 4" class="cut" />
    </>
  ),
  cancelled: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M4.2 11.8l7.6-7.6" />
    </>
  ),
};

export function StateIcon({ state }: { state: State }) {
  return <Icon class={`state-icon s-${state}`}>{GLYPHS[state]}</Icon>;
}

export const OverviewIcon = () => (
  <Icon>
    <rect x="2" y="2" width="5" height="5" rx="1" />
    <rect x="9" y="2" width="5" height="5" rx="1" />
    <rect x="2" y="9" width="5" height="5" rx="1" />
    <rect x="9" y="9" width="5" height="5" rx="1" />
  </Icon>
);
export const JobsIcon = () => (
  <Icon>
    <path d="M5.5 4H14M5.5 8H14M5.5 12H14M2 4h.6M2 8h.6M2 12h.6" />
  </Icon>
);
export const DeadIcon = () => (
  <Icon>
    <path d="M2.5 9.5V3.8a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1v5.7M2.5 9.5v2.7a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1V9.5M2.5 9.5h3l1 1.6h3l1-1.6h3M6.6 5.2l2.8 2.6M9.4 5.2L6.6 7.8" />
  </Icon>
);
export const QueuesIcon = () => (
  <Icon>
    <path d="M2 5l6-3 6 3-6 3zM2 8.3l6 3 6-3M2 11.3l6 3 6-3" />
  </Icon>
);
export const WorkersIcon = () => (
  <Icon>
    <rect x="4" y="4" width="8" height="8" rx="1.5" />
    <path d="M6.5 1.8V4M9.5 1.8V4M6.5 12v2.2M9.5 12v2.2M1.8 6.5H4M1.8 9.5H4M12 6.5h2.2M12 9.5h2.2" />
  </Icon>
);
export const SunIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="2.8" />
    <path d="M8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1" />
  </Icon>
);
export const MoonIcon = () => (
  <Icon>
    <path d="M13.3 9.6A5.6 5.6 0 0 1 6.4 2.7a5.6 5.6 0 1 0 6.9 6.9z" />
  </Icon>
);
export const SearchIcon = () => (
  <Icon>
    <circle cx="7" cy="7" r="4.5" />
    <path d="M10.4 10.4L14 14" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="M4 4l8 8M12 4l-8 8" />
  </Icon>
);
export const BackIcon = () => (
  <Icon>
    <path d="M9.5 3.5L5 8l4.5 4.5" />
  </Icon>
);
export const NextIcon = () => (
  <Icon>
    <path d="M6.5 3.5L11 8l-4.5 4.5" />
  </Icon>
);
export const PauseIcon = () => (
  <Icon>
    <path d="M5.5 3.5v9M10.5 3.5v9" />
  </Icon>
);
export const PlayIcon = () => (
  <Icon>
    <path d="M5 3.2v9.6L12.6 8z" />
  </Icon>
);
export const RetryIcon = () => <Icon>{GLYPHS.retrying}</Icon>;
export const StopIcon = () => (
  <Icon>
    <path d="M4 4l8 8M12 4l-8 8" />
  </Icon>
);
export const CopyIcon = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
    <path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5" />
  </Icon>
);
export const DownloadIcon = () => (
  <Icon>
    <path d="M8 2.5v7.5M4.8 7L8 10.2 11.2 7M2.8 13.3h10.4" />
  </Icon>
);
export const WarnIcon = () => (
  <Icon>
    <path d="M8 2.2l6.2 11H1.8zM8 6.4v3.2M8 11.5v.1" />
  </Icon>
);
export const LeaveIcon = () => (
  <Icon>
    <path d="M6.5 2.5H4a1.5 1.5 0 0 0-1.5 1.5v8A1.5 1.5 0 0 0 4 13.5h2.5M10 5l3 3-3 3M13 8H6.5" />
  </Icon>
);
export const BroomIcon = () => (
  <Icon>
    <path d="M13.5 2.5L8.6 7.4M6 6.8l3.2 3.2c-.8 2-2.6 3.6-5.8 3.6L2.4 12.6c0-3.2 1.6-5 3.6-5.8z" />
  </Icon>
);
export const LimitsIcon = () => (
  <Icon>
    <path d="M2.5 11.5a5.8 5.8 0 1 1 11 0M8 10.5l2.6-4M8 10.6v.1" />
  </Icon>
);
export const TenantsIcon = () => (
  <Icon>
    <circle cx="6" cy="5.5" r="2.5" />
    <path d="M1.8 13.2a4.3 4.3 0 0 1 8.4 0M10.5 3.3a2.4 2.4 0 0 1 0 4.5M12 9.6a4.2 4.2 0 0 1 2.2 3.6" />
  </Icon>
);
export const SchedulesIcon = () => (
  <Icon>
    <rect x="2.2" y="3.2" width="11.6" height="10.6" rx="1.5" />
    <path d="M2.2 6.6h11.6M5.4 1.8v2.6M10.6 1.8v2.6M5.4 9.4h2.2M5.4 11.4h5.2" />
  </Icon>
);
export const MoreIcon = () => (
  <Icon>
    <path d="M3 8h.1M8 8h.1M13 8h.1" stroke-width="2.6" />
  </Icon>
);
export const EditIcon = () => (
  <Icon>
    <path d="M3 13l.6-2.8 7-7a1.2 1.2 0 0 1 1.7 0l.5.5a1.2 1.2 0 0 1 0 1.7l-7 7zM9.6 4.2l2.2 2.2" />
  </Icon>
);
export const TrashIcon = () => (
  <Icon>
    <path d="M2.8 4.4h10.4M6.2 4.2V2.6h3.6v1.6M4.2 4.6l.6 8.8h6.4l.6-8.8M6.8 7v4M9.2 7v4" />
  </Icon>
);
export const PlusIcon = () => (
  <Icon>
    <path d="M8 3v10M3 8h10" />
  </Icon>
);
