/** A live line chart: uPlot draws, this keeps it in the page's size, colours and words. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { serverNow, type Point } from "../api";
import { clock, millis } from "../format";
import { series, STEP, WINDOW } from "../stats";
import { colour, dark } from "../theme";

export interface Line {
  label: string;
  token: string;
  fill?: boolean;
  value: (point: Point) => number | null;
}

interface Props {
  title: string;
  lines: readonly Line[];
  format: (value: number) => string;
  empty: string;
}

const HEIGHT = 168;
const SYNC = "time";

type Columns = [number[], ...(number | null)[][]];

function columns(points: readonly Point[], lines: readonly Line[]): Columns {
  return [points.map((point) => (millis(point.at) ?? 0) / 1000), ...lines.map((line) => points.map(line.value))];
}

/** The points whose step is over: a step that still fills would look like a fall. */
function settled(points: readonly Point[]): readonly Point[] {
  const limit = serverNow() - STEP * 1000;
  return points.filter((point) => (millis(point.at) ?? 0) <= limit);
}

function timeRange(last: number | null): [number, number] {
  const end = last ?? serverNow() / 1000;
  return [end - WINDOW + STEP, end];
}

function options(props: Props, width: number, onCursor: (index: number | null) => void): UPlot.Options {
  const axis = { stroke: colour("text-3"), font: "11px system-ui, sans-serif", ticks: { show: false }, gap: 6 };
  const grid = { stroke: colour("line-1"), width: 1 };
  return {
    width,
    height: HEIGHT,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      sync: { key: SYNC },
      points: { size: 6, fill: (plot, index) => String(plot.series[index]?.stroke ?? "") },
    },
    scales: {
      x: { time: true, range: (_plot, _low, high) => timeRange(high) },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.15 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 80, size: 24, values: (_plot, at) => at.map((s) => clock(new Date(s * 1000).toISOString()).slice(0, 5)), incrs: [60, 120, 300] },
      { ...axis, grid, space: 36, size: 54, values: (_plot, at) => at.map(props.format) },
    ],
    series: [
      {},
      ...props.lines.map((line) => {
        const stroke = colour(line.token);
        return {
          label: line.label,
          stroke,
          width: 1.5,
          spanGaps: false,
          points: { show: false },
          ...(line.fill ? { fill: stroke.replace(/^rgb\((.*)\)$/, "rgba($1, 0.1)") } : {}),
        };
      }),
    ],
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)] },
  };
}

export function Chart(props: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const index = useSignal<number | null>(null);
  const points = useMemo(() => settled(series.value), [series.value]);
  const nothing = !points.some((point) => props.lines.some((line) => line.value(point)));
  const isDark = dark.value;

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const chart = new UPlot(
      options(props, element.clientWidth || 300, (at) => {
        index.value = at;
      }),
      columns(settled(series.peek()), props.lines) as UPlot.AlignedData,
      element,
    );
    plot.current = chart;
    const watcher = new ResizeObserver(() => {
      if (element.clientWidth) chart.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [isDark]);

  useEffect(() => {
    plot.current?.setData(columns(points, props.lines) as UPlot.AlignedData);
  }, [points]);

  const shown = points[index.value ?? points.length - 1];
  return (
    <section class="panel chart" aria-label={props.title}>
      <header class="panel-head">
        <h2>{props.title}</h2>
        <ul class="legend">
          {props.lines.map((line) => {
            const value = shown ? line.value(shown) : null;
            return (
              <li key={line.label}>
                <i class={`swatch t-${line.token}`} />
                {line.label} <b class="num">{value === null ? "–" : props.format(value)}</b>
              </li>
            );
          })}
        </ul>
        <span class="num dim small chart-time">{shown && index.value !== null ? clock(shown.at) : "last 5 min"}</span>
      </header>
      <div class="chart-body">
        <div ref={holder} />
        {nothing && <p class="chart-empty dim">{props.empty}</p>}
      </div>
    </section>
  );
}
